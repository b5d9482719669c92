//! The guard: how many instructions the bid path takes, counted by callgrind and held against `budgets.json`. No clock is read, so a
//! busy machine changes nothing.
//!
//! `make guard` checks; `cargo bench --bench guard -- planted` must fail; `make guard-accept` writes what was counted as the new
//! budgets, and prints the old beside. Without valgrind it says so and passes, unless `VAGLIO_REQUIRE_GUARD` is set.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[path = "../../tests/cases/facts.rs"]
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
mod facts;
#[allow(dead_code, reason = "shared with tests/allocations.rs, which uses all of it")]
mod world;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Rounds before anything is counted: buffers are warm, and what is made once is made.
const WARM: u32 = 20;
/// Rounds that are counted: what hash maps with a random seed do evens out.
const COUNTED: u32 = 100;
/// The argument with which the guard must fail: each round reads a bid request's text once more than it has to.
const PLANTED: &str = "planted";
/// The environment variable that makes this program the one that is counted.
const INSIDE: &str = "VAGLIO_GUARD_INSIDE";

/// `budgets.json`.
#[derive(Debug, Deserialize, Serialize)]
struct Budgets {
    /// How far a count may be from its budget, in percent. Less is a mistake too: the budget would let the gain be lost again.
    tolerance_percent: f64,
    /// Instructions, once.
    instructions: BTreeMap<String, u64>,
    /// Allocations, once; `tests/allocations.rs` checks them.
    allocations: BTreeMap<String, u64>,
}

fn main() -> ExitCode {
    if let Some(how) = std::env::var_os(INSIDE) {
        work(how == PLANTED);
        return ExitCode::SUCCESS;
    }
    let asked = |word: &str| std::env::args().any(|argument| argument == word);
    let accept = asked("accept");
    let found = Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: the guard (no valgrind; on Debian: apt-get install valgrind)");
        return if std::env::var_os("VAGLIO_REQUIRE_GUARD").is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let counted = counted(if asked(PLANTED) { PLANTED } else { "" });
    let mut budgets: Budgets = serde_json::from_slice(&std::fs::read(file()).unwrap()).unwrap();
    let missed = compare(&counted, &budgets);
    if accept {
        budgets.instructions = counted.into_iter().collect();
        std::fs::write(file(), serde_json::to_string_pretty(&budgets).unwrap() + "\n").unwrap();
        println!("accepted: {}", file().display());
        return ExitCode::SUCCESS;
    }
    if missed > 0 {
        println!(
            "failed: {missed} of the counts above are out of their budgets. Find out why; what is meant is accepted"
        );
        println!("by `make guard-accept`, with the reason in the commit");
        return ExitCode::FAILURE;
    }
    println!("passed: every count is within {} % of its budget", budgets.tolerance_percent);
    ExitCode::SUCCESS
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guard/budgets.json")
}

/// What is counted: callgrind collects while it runs, and writes a file when it is left. By its whole name: the same pattern given
/// for both loses one of them.
const COUNTED_FUNCTION: &str = "guard::measured_for_the_guard";

/// As [`COUNTED_FUNCTION`] says.
#[inline(never)]
fn measured_for_the_guard(work: &mut dyn FnMut()) {
    for _ in 0..COUNTED {
        work();
    }
    std::hint::black_box(());
}

fn work(planted: bool) {
    for mut case in world::cases() {
        (0..WARM).for_each(|_| (case.work)());
        println!("{}", case.name);
        measured_for_the_guard(&mut || {
            if planted {
                std::hint::black_box(std::str::from_utf8(std::hint::black_box(world::REQUEST.as_bytes()))).ok();
            }
            (case.work)();
        });
    }
}

/// Instructions of each case, once.
fn counted(how: &str) -> Vec<(String, u64)> {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("count");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={COUNTED_FUNCTION}"))
        .arg(format!("--dump-after={COUNTED_FUNCTION}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, how)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "valgrind failed:\n{said}");
    let names: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    // A file is written after each case.
    let count = |at: usize| {
        let part = out.with_extension((at + 1).to_string());
        let part = std::fs::read_to_string(part)
            .unwrap_or_else(|_| panic!("callgrind did not see {COUNTED_FUNCTION}:\n{said}"));
        total(&part) / u64::from(COUNTED)
    };
    names.iter().enumerate().map(|(at, name)| (name.clone(), count(at))).collect()
}

fn total(file: &str) -> u64 {
    let line = file.lines().find_map(|line| line.strip_prefix("totals: ")).expect("callgrind wrote a total");
    line.trim().parse().expect("a number")
}

/// Prints the counts beside their budgets; how many are out of them.
fn compare(counted: &[(String, u64)], budgets: &Budgets) -> usize {
    println!("{:<34}{:>14}{:>14}{:>10}", "instructions, once", "counted", "budget", "");
    let mut missed = 0;
    for (name, count) in counted {
        let budget = budgets.instructions.get(name).copied().unwrap_or(0);
        let percent = if budget > 0 { (*count as f64 / budget as f64 - 1.0) * 100.0 } else { f64::INFINITY };
        let out = percent.abs() > budgets.tolerance_percent;
        missed += usize::from(out);
        println!("{name:<34}{count:>14}{budget:>14}{percent:>+9.2}%{}", if out { "  OUT" } else { "" });
    }
    for name in budgets.instructions.keys().filter(|name| !counted.iter().any(|(counted, _)| counted == *name)) {
        missed += 1;
        println!("{name:<34}{:>14}", "not counted");
    }
    missed
}
