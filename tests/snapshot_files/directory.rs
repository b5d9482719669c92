//! A sound data directory to attack, and what is done with one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vaglio::audiences::Catalogue;
use vaglio::lookup::ServingSnapshot;
use vaglio::schema::{Generation, KeyHasher, ProfileKey};
use vaglio::snapshot::filter::write_filter;
use vaglio::snapshot::flips::write_flips;
use vaglio::snapshot::{Flip, ForwardWriter, IdentitiesWriter, Lock, Manifest, Plane, SectionRef, Store};

pub const PROFILES: u32 = 50;

pub fn hasher() -> KeyHasher {
    KeyHasher::new([1; 16])
}

pub fn key(person: u32) -> ProfileKey {
    hasher().key("test", &person.to_string())
}

pub fn write(store: &Store, name: &str, bytes: &[u8]) -> SectionRef {
    let mut section = store.section(name, Plane::Bid).unwrap();
    section.write_all(bytes).unwrap();
    section.finish().unwrap()
}

/// The bid sections of a small world without audiences; two that differ in `join` share identities and filter.
pub fn bid_sections(store: &Store, join: bool) -> Vec<SectionRef> {
    let mut identities = store.section("identities", Plane::Bid).unwrap();
    IdentitiesWriter::write((0..PROFILES).map(|person| (key(person), person)), &mut identities).unwrap();
    let mut filter = store.section("filter", Plane::Bid).unwrap();
    write_filter((0..PROFILES).map(key), &mut filter).unwrap();
    let section = store.section("forward", Plane::Bid).unwrap();
    let mut forward = ForwardWriter::new(section, PROFILES, &[]).unwrap();
    (0..PROFILES).for_each(|_| forward.push(u8::from(join) * 8, &[]).unwrap());
    let mut flips = store.section("flips", Plane::Bid).unwrap();
    let flip = Flip { ordinal: 7, minute: 100, audience: 0, join };
    write_flips(&mut flips, &mut if join { vec![flip] } else { vec![] }).unwrap();
    let catalogue = serde_json::to_vec(&Catalogue::default()).unwrap();
    vec![
        identities.finish().unwrap(),
        filter.finish().unwrap(),
        forward.finish().unwrap(),
        flips.finish().unwrap(),
        write(store, "catalogue", &catalogue),
    ]
}

pub fn manifest(store: &Store, sections: Vec<SectionRef>) -> Manifest {
    Manifest {
        generation: store.next_generation().unwrap(),
        key_fingerprint: hasher().fingerprint(),
        profiles: PROFILES,
        sections,
        ..Manifest::default()
    }
}

pub fn publish(store: &Store, _lock: &Lock, sections: Vec<SectionRef>) -> Generation {
    store.publish(&store.publishing("test").unwrap(), manifest(store, sections)).unwrap()
}

/// A directory with one good generation.
pub fn one_generation() -> (TempDir, Manifest) {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let lock = store.lock("test").unwrap();
    let sections = bid_sections(&store, true);
    let generation = publish(&store, &lock, sections);
    (directory, store.manifest(generation).unwrap())
}

pub fn open(directory: &Path) -> vaglio::error::Result<ServingSnapshot> {
    // A new store each time: nothing verified before is remembered.
    let store = Store::open(directory).unwrap();
    let current = store.current()?.expect("there is a generation");
    ServingSnapshot::open(&store, current, &hasher())
}

pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
