//! Generations under faults: builds and rollbacks stopped or failed at every operation. A whole generation answers on, and
//! the next run goes through.

use crate::run::{self, Fault, copy_of, faults, said, traced, vaglio};
use crate::world::{World, files_below};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use vaglio::snapshot::{Planes, Store};

const BUILD: [&str; 2] = ["build", "--quiet"];
const ACTIVATE: [&str; 3] = ["build", "--activate-only", "--quiet"];
const ROLLBACK: [&str; 1] = ["rollback"];

/// A directory with two generations.
fn two_generations() -> World {
    let world = World::new(12);
    run::done(vaglio(world.path(), &BUILD));
    World::new(13).copy_sources_to(&world);
    run::done(vaglio(world.path(), &BUILD));
    World::new(14).copy_sources_to(&world);
    world
}

/// The live generation, which must be whole.
#[track_caller]
fn live(directory: &Path, fault: &Fault) -> u64 {
    let store = Store::open(directory.join("data")).unwrap();
    let live = store.current().unwrap().unwrap_or_else(|| panic!("nothing is live after {fault}"));
    let opened = store.open_snapshot(live, Planes::All, None);
    opened.unwrap_or_else(|error| panic!("generation {live} is not whole after {fault}: {error}"));
    live.0
}

/// Nothing lies about that no generation names.
#[track_caller]
fn assert_tidy(directory: &Path, fault: &Fault) {
    let data = directory.join("data");
    let store = Store::open(&data).unwrap();
    let manifests = store.manifests().unwrap();
    let sections = manifests.iter().flat_map(|generation| store.manifest(*generation).unwrap().sections);
    let mut named: Vec<_> = sections.map(|section| data.join("sections").join(section.xxh3)).collect();
    named.sort();
    named.dedup();
    assert_eq!(files_below(&data.join("sections")), named, "{fault}");
    assert_eq!(files_below(&data.join("tmp")), Vec::<std::path::PathBuf>::new(), "{fault}");
}

/// Runs a command with every fault; `expected`: the generations that may be live after it, the last when it went well.
fn at_every_operation(from: &Path, arguments: &[&str], expected: [u64; 2], after: impl Fn(&Path, &Fault)) -> usize {
    let steps = traced(vaglio(copy_of(from).path(), arguments));
    let faults = faults(&steps);
    assert!(faults.len() > 10, "{steps:?}");
    for fault in &faults {
        let directory = copy_of(from);
        let mut command = vaglio(directory.path(), arguments);
        let output = command.env("FAULTS_HIT", &fault.setting).output().unwrap();
        let stops = fault.ends();
        assert_eq!(output.status.signal(), stops.then_some(9), "{fault}: {}", said(&output));
        let now = live(directory.path(), fault);
        assert!(expected.contains(&now), "generation {now} is live after {fault}");
        if output.status.success() {
            assert_eq!(now, expected[1], "it said that it went well: {fault}");
        } else if !stops {
            assert_eq!(output.status.code(), Some(1), "{fault}: {}", said(&output));
            assert!(said(&output).contains("cannot "), "{fault}: {}", said(&output));
        }
        after(directory.path(), fault);
    }
    faults.len()
}

fn the_next_build_goes_through(directory: &Path, fault: &Fault) {
    let before = live(directory, fault);
    run::done(vaglio(directory, &BUILD));
    assert!(live(directory, fault) > before, "{fault}");
    assert_tidy(directory, fault);
}

#[test]
fn a_build_recovers_from_a_fault_at_every_operation() {
    let world = two_generations();
    let count = at_every_operation(world.path(), &BUILD, [2, 3], the_next_build_goes_through);
    println!("{count} faults in a build");
}

#[test]
fn an_activation_recovers_from_a_fault_at_every_operation() {
    let world = two_generations();
    let text = std::fs::read_to_string(world.path().join("audiences.yaml")).unwrap();
    world.file("audiences.yaml", &text.replace("age >= 18", "age >= 21"));
    let count = at_every_operation(world.path(), &ACTIVATE, [2, 3], the_next_build_goes_through);
    println!("{count} faults in an activation");
}

#[test]
fn a_rollback_recovers_from_a_fault_at_every_operation() {
    let world = two_generations();
    let count = at_every_operation(world.path(), &ROLLBACK, [2, 1], |directory, fault| {
        run::done(vaglio(directory, &["rollback", "1"]));
        assert_eq!(live(directory, fault), 1);
        run::done(vaglio(directory, &["rollback", "--unpin"]));
        the_next_build_goes_through(directory, fault);
    });
    println!("{count} faults in a rollback");
}
