//! People in a file, rules over what they do, and a generation of both.

use super::Outcome;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const CONFIG: &str = "
data_dir: data
definitions: [audiences.yaml]
sources:
  - { name: crm, kind: profiles, path: crm.csv, ids: [{ column: ifa, type: ifa }], traits: [{ column: age, kind: number }] }
ingest:
  ids: [{ type: crm }]
  events: [{ names: [device_broken, view_product], properties: [{ name: part, kind: category }] }]
server: { grpc: '127.0.0.1:0', http: '127.0.0.1:0', planner: '127.0.0.1:0', workers: 1, max_queue_ms: 0 }
";

const AUDIENCES: &str = "
audiences:
  - { id: broken, owner: bench, name: Broken, kind: target, rule: did device_broken within 7 days }
  - { id: lookers, owner: bench, name: Lookers, kind: target, rule: age between 25 and 44 and did view_product at least 2 times within 30 days }
  - { id: idle, owner: bench, name: Idle, kind: target, rule: never did view_product within 30 days }
";

/// The advertising identifier of a person.
pub fn ifa(person: u64) -> String {
    let digits = format!("{:016x}{:016x}", mix(person), mix(person ^ 0x5bd1_e995));
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

/// Splitmix64: `state` -> a number that looks random.
pub fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How many people there are.
pub fn people() -> u64 {
    std::env::var("VAGLIO_BENCH_PEOPLE").ok().map_or(100_000, |text| text.parse().expect("a number"))
}

/// Writes and builds it.
pub fn make(directory: &Path) -> Outcome<u64> {
    let people = people();
    let mut rows = String::from("ifa,age\n");
    for person in 0..people {
        writeln!(rows, "{},{}", ifa(person), 18 + mix(person) % 60)?;
    }
    std::fs::write(directory.join("crm.csv"), rows)?;
    std::fs::write(directory.join("vaglio.yaml"), CONFIG)?;
    std::fs::write(directory.join("audiences.yaml"), AUDIENCES)?;
    let mut build = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    let built = build.current_dir(directory).args(["build", "--quiet"]).status()?;
    if built.success() { Ok(people) } else { Err("the generation could not be built".into()) }
}
