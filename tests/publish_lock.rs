//! Two locks: what may happen while a build runs, what waits for whom, and what is never swept.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod world;

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use vaglio::build::fresh::{FreshInputs, Outcome, fresh};
use vaglio::build::{What, build, defined};
use vaglio::evaluate::survey::Watch;
use vaglio::lookup::ServingSnapshot;
use vaglio::schema::Generation;
use vaglio::snapshot::columns::Opened;
use vaglio::snapshot::{Manifest, Plane, Planes, Store};
use vaglio::telemetry::progress::{Mode, Progress};
use world::{World, files_below};

fn live(store: &Store) -> ServingSnapshot {
    let generation = store.current().unwrap().unwrap();
    ServingSnapshot::new(store.open_snapshot(generation, Planes::All, None).unwrap()).unwrap()
}

/// Publishes the world's definitions without one of its audiences, over the live generation.
fn without_one(world: &World, base: &ServingSnapshot, at: usize) -> Outcome {
    let loaded = world.loaded();
    let mut catalogue = world.catalogue();
    catalogue.campaigns.clear();
    catalogue.audiences.remove(at);
    let columns = Opened::of(base.snapshot()).unwrap();
    let (store, watch) = (Store::open(world.data()).unwrap(), Watch::default());
    let (catalogue, columns) = (&catalogue, columns.columns());
    fresh(&FreshInputs { loaded: &loaded, catalogue, base, columns, store: &store, watch: &watch }).unwrap()
}

#[test]
fn a_rollback_and_a_fresh_generation_wait_for_no_build() {
    let world = World::new(200);
    world.build(What::Full).unwrap();
    world.build(What::Activate).unwrap();
    let store = Store::open(world.data()).unwrap();
    let _building = store.lock("build").unwrap();
    let Outcome::Published(manifest) = without_one(&world, &live(&store), 0) else { panic!("not published") };
    assert_eq!((manifest.generation, store.current().unwrap()), (Generation(3), Some(Generation(3))));
    assert_eq!(live(&store).catalogue().audiences.len() + 1, world.catalogue().audiences.len());
    assert_eq!(store.rollback(Some(Generation(1))).unwrap(), Generation(1));
    let Outcome::Published(_) = without_one(&world, &live(&store), 1) else { panic!("not published") };
    assert_eq!(store.current().unwrap(), Some(Generation(1)), "it waits behind the pin");
    store.unpin().unwrap();
}

#[test]
fn a_sweep_waits_for_whoever_publishes_and_removes_nothing_that_is_named_then() {
    let world = World::new(50);
    world.build(What::Full).unwrap();
    let store = Store::open(world.data()).unwrap();
    let publishing = store.publishing("test").unwrap();
    let mut section = store.section("catalogue", Plane::Bid).unwrap();
    section.put(b"in flight").unwrap();
    let (section, (done, swept)) = (section.finish().unwrap(), channel());
    let mut half = store.section("caps", Plane::Bid).unwrap();
    half.put(b"half written").unwrap();
    let sweeper = store.clone();
    let sweeping = std::thread::spawn(move || {
        let lock = sweeper.lock("build").unwrap();
        sweeper.clean(&lock).unwrap();
        done.send(sweeper.sweep(&lock, 3).unwrap()).unwrap();
    });
    assert_eq!(swept.recv_timeout(Duration::from_millis(200)).unwrap_err(), RecvTimeoutError::Timeout);
    let half = half.finish().unwrap();
    let generation = store.next_generation().unwrap();
    let sections = vec![section.clone(), half];
    store.publish(&publishing, Manifest { generation, sections, ..Manifest::default() }).unwrap();
    drop(publishing);
    sweeping.join().unwrap();
    assert_eq!(swept.recv().unwrap().sections, 0);
    assert!(files_below(&world.data().join("sections")).contains(&world.data().join("sections").join(section.xxh3)));
}

#[test]
fn a_build_publishes_what_is_defined_when_it_publishes() {
    let world = World::new(50);
    let mut before = world.catalogue();
    before.campaigns.clear();
    before.audiences.truncate(1);
    for what in [What::Full, What::Activate] {
        let manifest = build(&world.loaded(), &before, what, &Progress::new(Mode::Silent)).unwrap();
        assert_eq!(manifest.catalogue_version, defined::version(&world.catalogue()).unwrap());
        assert_eq!(manifest.audiences.len(), world.catalogue().audiences.len());
        assert_eq!(manifest.index_of, Generation(1));
    }
}

#[test]
fn a_swap_reads_again_only_what_changed() {
    let world = World::new(200);
    world.build(What::Full).unwrap();
    let store = Store::open(world.data()).unwrap();
    let base = live(&store);
    let Outcome::Published(manifest) = without_one(&world, &base, 0) else { panic!("not published") };
    // Damaged behind the back of a store that has them mapped: what it has verified it does not read again.
    for section in &base.manifest().sections {
        let length = usize::try_from(section.length).unwrap();
        let path = world.data().join("sections").join(&section.xxh3);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(path, vec![7; length]).unwrap();
    }
    let opened = store.open_snapshot(manifest.generation, Planes::All, None).unwrap();
    for name in ["identities", "forward", "traits", "events"] {
        assert!(std::ptr::eq(opened.section(name).unwrap(), base.snapshot().section(name).unwrap()), "{name}");
    }
    drop((opened, base));
    assert!(store.open_snapshot(manifest.generation, Planes::All, None).is_err());
}
