//! What a planner asks, over *synthetic* columns: the reach of a mix of rules, overlaps, a breakdown, identifier types.
//!
//! `cargo bench --bench reach`: 1 M profiles; `VAGLIO_BENCH_PROFILES=10000000` for more. With `VAGLIO_BENCH_EXPORT=FOLDER` it writes the
//! columns as CSV and the questions as SQL, with what it counted: `load-tests/peers/duckdb_reach.py` asks DuckDB the same.

#[path = "reach/asked.rs"]
mod asked;

use asked::{Asked, RULES, mix, plan, question, set, survey, world};
use roaring::RoaringBitmap;
use std::path::Path;
use std::time::Instant;
use vaglio::audiences::parse;
use vaglio::evaluate::survey::{Watch, id_masks, overlap};
use vaglio::schema::ProfileKey;
use vaglio::snapshot::columns::Sections;
use vaglio::snapshot::keys::{Keys, write_keys};

/// Runs it once for the caches and five times more; the median of these in milliseconds, and the result.
fn timed<T>(mut work: impl FnMut() -> T) -> (f64, T) {
    let mut once = || {
        let start = Instant::now();
        let found = std::hint::black_box(work());
        (start.elapsed().as_secs_f64() * 1e3, found)
    };
    let (_, found) = once();
    let mut times: [f64; 5] = std::array::from_fn(|_| once().0);
    times.sort_unstable_by(f64::total_cmp);
    (times[2], found)
}

fn line(name: &str, times: &mut [f64]) {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    println!("{name:<28} {:>9.2} {:>9.2} {:>9.2}", at(0.5), at(0.99), at(1.0));
}

fn main() {
    // `cargo test --benches` only looks whether it runs.
    let small = !std::env::args().any(|argument| argument == "--bench");
    let default = if small { 20_000 } else { 1_000_000 };
    let profiles = std::env::var("VAGLIO_BENCH_PROFILES").ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let data = world(profiles);
    let sections = Sections::encode(&data).expect("sound data");
    let columns = sections.open().expect("what was just written");
    println!("{profiles} synthetic profiles, milliseconds      median       p99       max");
    let mut asked = Vec::new();
    for number in 0..RULES {
        let question = question(number);
        let expr = parse(&question.1, "bench").unwrap_or_else(|errors| panic!("{}: {errors:?}", question.1)).expr;
        let (ms, members) = timed(|| survey(&columns, &expr));
        asked.push(Asked::rule(&question, ms, members));
    }
    for kind in ["traits", "one event", "more"] {
        let mut times: Vec<f64> = asked.iter().filter(|it| it.kind == kind).map(|it| it.ms).collect();
        line(kind, &mut times);
    }
    line("all", &mut asked.iter().map(|it| it.ms).collect::<Vec<f64>>());
    let sets: Vec<(String, RoaringBitmap)> = (0..12).map(|at| set(&columns, at * 7)).collect();
    for count in [5, 12] {
        let some: Vec<RoaringBitmap> = sets[..count].iter().map(|(_, set)| set.clone()).collect();
        let (ms, found) = timed(|| overlap(&some));
        line(&format!("overlap of {count}"), &mut [ms]);
        asked.push(Asked::overlap(&sets[..count], ms, &found));
    }
    let everyone = vaglio::audiences::Expr::Everyone;
    let plan = plan(&columns, &everyone);
    let (ms, parts) = timed(|| plan.breakdown(0, 2, &Watch::default()).expect("nobody breaks it off"));
    line("breakdown by region", &mut [ms]);
    asked.push(Asked::breakdown(ms, &parts));
    line("identifier types", &mut [id_types(profiles)]);
    if let Some(folder) = std::env::var_os("VAGLIO_BENCH_EXPORT") {
        asked::write(Path::new(&folder), &data, &asked).expect("the folder takes them");
    }
}

fn id_types(profiles: u32) -> f64 {
    let starts: Vec<u32> = (0..=profiles).map(|at| at * 2).collect();
    let ids = (0..profiles * 2).map(|at| (ProfileKey(u128::from(mix(at.into()))), (at % 3) as u16));
    let mut bytes = Vec::new();
    write_keys(&starts, ids, &mut bytes).expect("writing to memory");
    let keys = Keys::open(&bytes).expect("what was just written");
    timed(|| id_masks(&keys, 3)).0
}
