//! What we read of consent strings against what other people's decoders read of the same 10,600 strings: npm
//! `@iabtechlabtcf/core` and `@iabgpp/cmpapi`, PyPI `iab-tcf` (`privacy_oracles/`), and the crate `iab_gpp`.
//!
//! No difference may be left unexplained; the explained ones are listed by rule, with the reason. Where node, python3 or
//! the registries are missing the test says so and passes; `VAGLIO_REQUIRE_ORACLES=1` makes that a failure.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "privacy_oracles/compare.rs"]
mod compare;

use compare::Tally;
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn script() -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/privacy_oracles/run.sh"));
    command.stdin(Stdio::null());
    command
}

/// Strings, and what the oracles read of them; or why there are none.
fn strings() -> Result<Vec<Value>, String> {
    let run =
        |argument: &str| script().arg(argument).stderr(Stdio::inherit()).output().map_err(|error| error.to_string());
    if !run("install")?.status.success() {
        return Err("privacy_oracles/run.sh install failed (node, npm, python3 and their registries are needed)".into());
    }
    let Output { status, stdout, .. } = run("strings")?;
    if !status.success() {
        return Err(format!("privacy_oracles/run.sh strings failed: {status}"));
    }
    let lines = stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(|line| serde_json::from_slice(line).unwrap()).collect())
}

#[test]
fn no_difference_to_other_decoders_is_unexplained() {
    let strings = match strings() {
        Ok(strings) => strings,
        Err(why) if std::env::var_os("VAGLIO_REQUIRE_ORACLES").is_some() => panic!("no oracles: {why}"),
        // Past libtest's capture, so that a skipped test is seen.
        Err(why) => return writeln!(std::io::stderr(), "skipped: oracles of consent strings: {why}").unwrap(),
    };
    assert!(strings.len() >= 10_000, "{} strings", strings.len());
    let mut tally = Tally::default();
    for one in &strings {
        match one["kind"].as_str().unwrap() {
            "tcf" => compare::tcf(one, &mut tally),
            "gpp" => compare::gpp(one, &mut tally),
            _ => compare::us_privacy(one, &mut tally),
        }
    }
    println!("{} strings\n{tally}", strings.len());
    assert!(tally.compared > 3 * strings.len(), "{tally}");
    assert!(tally.unexplained.is_empty(), "{tally}");
}
