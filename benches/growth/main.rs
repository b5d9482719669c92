//! How cost grows with profiles and with audiences: bytes, time to write, to open and to ask, time and memory of a build.
//!
//! `make bench-growth` runs all of it and draws it. One part at a time: `cargo bench --bench growth -- profiles 1000000 3000000`,
//! `... -- audiences 100 2000`, `... -- build 1000000`, `... -- activate 100 2000`. Rows of `series,profiles,audiences,measure,value` are appended
//! to `VAGLIO_BENCH_GROWTH_CSV`; snapshots and worlds lie below `VAGLIO_BENCH_GROWTH_DATA` (else both below `target/tmp/growth`), worlds stay
//! there for the next run. Times are medians of five; pin it to a core (`taskset -c 0`) for everything but `build` and `activate`.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

#[path = "../synthetic/mod.rs"]
#[allow(dead_code, reason = "shared with other benches")]
mod synthetic;

mod built;
mod served;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Profiles where audiences grow, audiences where profiles grow.
const PROFILES: u32 = 1_000_000;
const AUDIENCES: u32 = synthetic::AUDIENCES;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let bench = arguments.iter().any(|argument| argument == "--bench");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| *argument != "--bench").collect();
    let numbers =
        |texts: &[&str]| -> Outcome<Vec<u32>> { Ok(texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?) };
    match arguments[..] {
        ["profiles", ref sizes @ ..] => {
            served::measure("profiles", numbers(sizes)?.into_iter().map(|n| (n, AUDIENCES)))
        }
        ["audiences", ref counts @ ..] => {
            served::measure("audiences", numbers(counts)?.into_iter().map(|n| (PROFILES, n)))
        }
        ["build", ref sizes @ ..] => built::build(&numbers(sizes)?, AUDIENCES),
        ["activate", ref counts @ ..] => built::activate(PROFILES, &numbers(counts)?),
        // `cargo test --benches` only looks whether it runs.
        _ if !bench => served::measure("profiles", [(5_000, 100)].into_iter()),
        _ => served::measure("profiles", [100_000, 1_000_000].into_iter().map(|n| (n, AUDIENCES))),
    }
}

/// Where snapshots and worlds lie.
fn data() -> Outcome<PathBuf> {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let data = std::env::var_os("VAGLIO_BENCH_GROWTH_DATA").map_or_else(|| target.join("growth"), PathBuf::from);
    fs::create_dir_all(&data)?;
    Ok(data)
}

/// What is being measured, and where figures go.
struct Row<'a> {
    series: &'a str,
    profiles: u32,
    audiences: u32,
}

impl Row<'_> {
    fn tell(&self, measure: &str, value: f64) -> Outcome<()> {
        let line = format!("{},{},{},\"{measure}\",{value}\n", self.series, self.profiles, self.audiences);
        print!("{line}");
        let path = std::env::var_os("VAGLIO_BENCH_GROWTH_CSV").map(PathBuf::from);
        let path = path.map_or_else(|| data().map(|data| data.join("growth.csv")), Ok)?;
        Ok(OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())?)
    }
}

/// The one in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
