//! The logs under faults: processes killed at any moment and failed at every operation, one after another over the same
//! files. What was acknowledged is there, once, where it was said to be.

use crate::appender::{Order, appender};
use crate::dice::{Dice, rounds};
use crate::ledger::{Ended, Ledger};
use crate::run::{Fault, faults, in_memory, traced};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// An order for the next process over the same files.
pub fn next_order(ledger: &mut Ledger, seed: u64, batches: u64) -> Order {
    let order = Order { first: ledger.next, batches, seed };
    ledger.next += batches * 8;
    order
}

#[track_caller]
pub fn assert_kept(ledger: &Ledger, data: &Path, when: &dyn std::fmt::Display) {
    let wrong = ledger.against(data);
    assert!(wrong.is_empty(), "after {when}: {wrong:#?}");
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_when_the_process_is_killed_at_any_moment() {
    let (rounds, begun) = (rounds(270), Instant::now());
    let (mut ledger, mut data, mut acknowledged) = (Ledger::default(), in_memory(), 0);
    for round in 0..rounds {
        let mut dice = Dice(round);
        let order = next_order(&mut ledger, dice.next(), 40);
        let (line, later) = (dice.below(30), Duration::from_micros(dice.below(3_000)));
        ledger.listen(appender(data.path(), &order), |told, child| {
            if told == line {
                std::thread::sleep(later);
                child.kill().unwrap();
            }
        });
        assert_kept(&ledger, data.path(), &format!("round {round}"));
        if round % 50 == 49 {
            acknowledged += ledger.acknowledged();
            (ledger, data) = (Ledger::default(), in_memory());
        }
    }
    acknowledged += ledger.acknowledged();
    println!("{rounds} kills of a log, {acknowledged} records acknowledged, {:?}", begun.elapsed());
}

/// Over the files of an earlier, good run: a fault, and then a run without.
fn hit(fault: &Fault, before: &Order, order: &Order) -> (Ledger, TempDir, Ended) {
    let (data, mut ledger) = (in_memory(), Ledger::default());
    let ended = ledger.listen(appender(data.path(), before), |_, _| {});
    assert!(ended.status.success(), "{ended:?}");
    let mut command = appender(data.path(), order);
    command.env("FAULTS_HIT", &fault.setting);
    let ended = ledger.listen(command, |_, _| {});
    (ledger, data, ended)
}

#[test]
fn the_logs_recover_from_a_fault_at_every_operation() {
    let (before, order) = (Order { first: 0, batches: 3, seed: 5 }, Order { first: 1_000, batches: 14, seed: 1 });
    let after = Order { first: 2_000, batches: 3, seed: 3 };
    let folder = in_memory();
    traced(appender(folder.path(), &before));
    let steps = traced(appender(folder.path(), &order));
    let faults = faults(&steps);
    for fault in &faults {
        let (mut ledger, data, ended) = hit(fault, &before, &order);
        let stops = fault.ends();
        assert_eq!(ended.status.signal(), stops.then_some(9), "{fault}: {ended:?}");
        // A disk without room is waited for, and what a sync that failed has left is found out by the next process.
        let excused =
            ended.error.as_ref().is_some_and(|error| error.starts_with("Io ") || error.starts_with("NoRoom "));
        assert!(stops || ended.status.success() || excused, "{fault}: {ended:?}");
        assert_kept(&ledger, data.path(), fault);
        let ended = ledger.listen(appender(data.path(), &after), |_, _| {});
        assert!(ended.status.success(), "{fault}: {ended:?}");
        assert_kept(&ledger, data.path(), fault);
    }
    println!("{} faults in the logs", faults.len());
}
