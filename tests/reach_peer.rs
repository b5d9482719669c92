//! The questions of `cargo bench --bench reach` over a small world, put to DuckDB too: every count is equal.
//!
//! Where python3 or the package registry is missing the test says so and passes; `VAGLIO_REQUIRE_CONFORMANCE=1` makes that
//! a failure. DuckDB is put into `target/` once.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[allow(dead_code, reason = "the bench uses the rest")]
#[path = "../benches/reach/asked.rs"]
mod asked;

use asked::{Asked, RULES, plan, question, set, survey, world};
use roaring::RoaringBitmap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use vaglio::audiences::{Expr, parse};
use vaglio::evaluate::survey::{Watch, overlap};
use vaglio::snapshot::columns::{Columns, Sections};

/// More than a block, and not whole ones.
const PROFILES: u32 = 70_001;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn run(program: &Path, arguments: &[&Path]) -> Result<String, String> {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(said(&output)) } else { Err(said(&output)) }
}

fn ask(columns: &Columns<'_>) -> Vec<Asked> {
    let mut asked: Vec<Asked> = (0..RULES)
        .map(|number| {
            let question = question(number);
            let expr = parse(&question.1, "bench").unwrap().expr;
            Asked::rule(&question, 0.0, survey(columns, &expr))
        })
        .collect();
    let sets: Vec<(String, RoaringBitmap)> = (0..12).map(|at| set(columns, at * 7)).collect();
    for count in [5, 12] {
        let some: Vec<RoaringBitmap> = sets[..count].iter().map(|(_, set)| set.clone()).collect();
        asked.push(Asked::overlap(&sets[..count], 0.0, &overlap(&some)));
    }
    let parts = plan(columns, &Expr::Everyone).breakdown(0, 2, &Watch::default()).unwrap();
    asked.push(Asked::breakdown(0.0, &parts));
    asked
}

#[test]
fn duckdb_counts_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (peers, venv) = (root.join("load-tests/peers"), root.join("target/duckdb"));
    if let Err(why) = run(&peers.join("install.sh"), &[&venv]) {
        assert!(std::env::var_os("VAGLIO_REQUIRE_CONFORMANCE").is_none(), "{why}");
        // Past libtest's capture, so that a skipped test is seen.
        let _ =
            writeln!(std::io::stderr(), "skipped: DuckDB over the same columns (load-tests/peers/install.sh failed)");
        return;
    }
    let data = world(PROFILES);
    let sections = Sections::encode(&data).unwrap();
    let asked = ask(&sections.open().unwrap());
    let folder = tempfile::tempdir().unwrap();
    asked::write(folder.path(), &data, &asked).unwrap();
    let python = venv.join("bin/python");
    let script = peers.join("duckdb_reach.py");
    let told = run(&python, &[&script, folder.path()]).unwrap_or_else(|told| panic!("{told}"));
    assert!(told.contains(&format!("all {} counts are equal", asked.len())), "{told}");
    let some = asked.iter().filter(|it| it.counted != "0").count();
    assert!(some > 60, "only {some} questions find anybody");

    // A count that is wrong is seen.
    let mut asked = asked;
    asked[3].counted.push('1');
    asked::write(folder.path(), &data, &asked[..4]).unwrap();
    let told = run(&python, &[&script, folder.path()]).unwrap_err();
    assert!(told.contains("DIFFERENT") && told.contains("1 counts differ"), "{told}");
}
