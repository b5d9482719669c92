//! Generations beside each other: sections that they share, rollback, publishing, sweeping.

use super::directory::{bid_sections, files, hasher, manifest, one_generation, open, publish, write};
use std::fs;
use std::os::unix::fs::MetadataExt;
use vaglio::error::ErrorKind;
use vaglio::schema::Generation;
use vaglio::snapshot::{Planes, SectionRef, Store};

#[test]
fn the_same_section_is_stored_once_and_mapped_once() {
    let (directory, first) = one_generation();
    let store = Store::open(directory.path()).unwrap();
    let lock = store.lock("test").unwrap();
    let inode =
        |section: &SectionRef| fs::metadata(directory.path().join("sections").join(&section.xxh3)).unwrap().ino();
    let before: Vec<u64> = first.sections.iter().map(inode).collect();
    let sections = bid_sections(&store, true);
    assert_eq!(sections, first.sections);
    assert_eq!(sections.iter().map(inode).collect::<Vec<_>>(), before);
    let second = publish(&store, &lock, sections);
    let one = store.open_snapshot(Generation(1), Planes::Bid, None).unwrap();
    let two = store.open_snapshot(second, Planes::Bid, None).unwrap();
    assert_eq!(one.section("forward").unwrap().as_ptr(), two.section("forward").unwrap().as_ptr());
    // A damaged file of that name is not taken for the section: it is replaced.
    let path = directory.path().join("sections").join(&first.sections[0].xxh3);
    drop((one, two));
    fs::write(&path, "damaged").unwrap();
    bid_sections(&store, true);
    open(directory.path()).unwrap();
}

#[test]
fn rollback_pins_and_builds_wait_until_it_is_unpinned() {
    let (directory, _) = one_generation();
    let store = Store::open(directory.path()).unwrap();
    let lock = store.lock("test").unwrap();
    assert_eq!(publish(&store, &lock, bid_sections(&store, false)), Generation(2));
    assert_eq!(store.rollback(None).unwrap(), Generation(1));
    assert_eq!((store.current().unwrap(), store.pinned().unwrap()), (Some(Generation(1)), Some(Generation(1))));
    assert_eq!(publish(&store, &lock, bid_sections(&store, false)), Generation(3));
    assert_eq!(store.current().unwrap(), Some(Generation(1)), "pinned");
    store.unpin().unwrap();
    store.unpin().unwrap();
    assert_eq!(store.current().unwrap(), Some(Generation(1)));
    assert_eq!(publish(&store, &lock, bid_sections(&store, false)), Generation(4));
    assert_eq!(store.current().unwrap(), Some(Generation(4)));
    let error = store.rollback(Some(Generation(9))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(error.to_string().contains("1, 2, 3, 4"), "{error}");
    store.rollback(Some(Generation(1))).unwrap();
    assert_eq!(store.rollback(None).unwrap_err().kind, ErrorKind::Usage);
}

#[test]
fn rollback_refuses_a_damaged_target_and_changes_nothing() {
    let (directory, first) = one_generation();
    let store = Store::open(directory.path()).unwrap();
    let lock = store.lock("test").unwrap();
    publish(&store, &lock, bid_sections(&store, false));
    let path = directory.path().join("sections").join(&first.section("forward").unwrap().xxh3);
    fs::write(path, "damaged").unwrap();
    assert_eq!(store.rollback(None).unwrap_err().kind, ErrorKind::Snapshot);
    assert_eq!((store.current().unwrap(), store.pinned().unwrap()), (Some(Generation(2)), None));
}

#[test]
fn an_incomplete_or_older_generation_is_not_published() {
    let (directory, first) = one_generation();
    let store = Store::open(directory.path()).unwrap();
    let _lock = store.lock("test").unwrap();
    assert!(store.publish(&store.publishing("test").unwrap(), first.clone()).is_err(), "not newer");
    let mut next = manifest(&store, first.sections.clone());
    next.sections[0].xxh3 = "0".repeat(32);
    assert!(store.publish(&store.publishing("test").unwrap(), next).is_err(), "a section is missing");
    assert_eq!(store.manifests().unwrap(), [Generation(1)]);
}

#[test]
fn a_sweep_keeps_what_is_named_and_removes_the_rest() {
    let (directory, first) = one_generation();
    let store = Store::open(directory.path()).unwrap();
    let lock = store.lock("test").unwrap();
    for round in 2..=5u8 {
        let mut sections = first.sections.clone();
        sections.push(write(&store, "own", &[round; 100]));
        publish(&store, &lock, sections);
    }
    write(&store, "orphan", b"of a killed build");
    let swept = store.sweep(&lock, 2).unwrap();
    assert_eq!(swept.generations, [1, 2, 3].map(Generation));
    assert_eq!((swept.sections, swept.bytes), (3, 217), "own of 2 and 3, and the orphan");
    assert_eq!(store.manifests().unwrap(), [Generation(4), Generation(5)]);
    for generation in [4, 5] {
        store.open_snapshot(Generation(generation), Planes::All, Some(&hasher())).unwrap();
    }
    store.rollback(Some(Generation(4))).unwrap();
    publish(&store, &lock, first.sections.clone());
    store.sweep(&lock, 1).unwrap();
    assert_eq!(store.manifests().unwrap(), [Generation(4), Generation(6)], "the live and pinned one stays");
}

#[test]
fn a_sweep_spares_another_formats_sections_and_stops_at_a_damaged_manifest() {
    let (directory, _) = one_generation();
    let store = Store::open(directory.path()).unwrap();
    let lock = store.lock("test").unwrap();
    let path = directory.path().join("generations/000001.json");
    let good = fs::read_to_string(&path).unwrap();
    let sections = files(&directory.path().join("sections")).len();
    fs::write(&path, good.replacen("\"format\": 1", "\"format\": 2", 1)).unwrap();
    assert_eq!(store.sweep(&lock, 3).unwrap().sections, 0);
    for damaged in [&good[..100], &good.replacen("UTC", "UTD", 1)] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(store.sweep(&lock, 3).unwrap_err().kind, ErrorKind::Snapshot);
    }
    assert_eq!(files(&directory.path().join("sections")).len(), sections);
}
