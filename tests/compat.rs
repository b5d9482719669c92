//! Snapshots of every format version ever written are answered as they were, or refused in words.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use vaglio::evaluate::Plan;
use vaglio::lookup::{Answer, Outcome, ServingSnapshot};
use vaglio::schema::{Generation, KeyHasher, ProfileKey};
use vaglio::snapshot::columns::Columns;
use vaglio::snapshot::{Planes, Store};

/// The fixture as a store of its own: opening a store may create directories, and the committed one stays as it is.
fn copied(format: &str) -> (tempfile::TempDir, Store, KeyHasher) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat").join(format);
    let directory = tempfile::tempdir().unwrap();
    for part in ["", "generations", "sections"] {
        std::fs::create_dir_all(directory.path().join(part)).unwrap();
        for entry in std::fs::read_dir(from.join(part)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                std::fs::copy(entry.path(), directory.path().join(part).join(entry.file_name())).unwrap();
            }
        }
    }
    let store = Store::open(directory.path()).unwrap();
    (directory, store, KeyHasher::new(std::array::from_fn(|at| at as u8)))
}

fn audiences(serving: &ServingSnapshot, keys: &[ProfileKey]) -> (Outcome, Vec<String>) {
    let mut answer = Answer::default();
    serving.lookup(keys, serving.manifest().as_of, &vaglio::overlay::Overlay::empty(), &mut answer);
    let name = |number: &u32| serving.catalogue().audiences[*number as usize].id.id().to_owned();
    (answer.outcome, answer.audiences.iter().map(name).collect())
}

#[test]
fn format_1_answers_as_it_did() {
    let (_directory, store, hasher) = copied("format-1");
    let serving = ServingSnapshot::open(&store, Generation(1), &hasher).unwrap();
    let known = [
        hasher.key("ifa", "94d31197-e123-4f06-8dcb-a8b88d2b4e86"),
        hasher.key("pubcid.org", "c4b78f14-7a12-4065-aa43-6c0b611a48bc"),
    ];
    let expected = ["adults-25-44", "app-lapsed", "apple-owners", "loyal", "old-handset", "travellers"];
    assert_eq!(audiences(&serving, &known), (Outcome::Matched, expected.map(str::to_owned).to_vec()));
    let stranger = [hasher.key("ifa", "f43c6ecd-85b7-4ef2-8496-4e49c830e86f")];
    assert_eq!(audiences(&serving, &stranger), (Outcome::NoProfile, Vec::new()));
}

#[test]
fn format_1_columns_still_give_the_counts_they_gave() {
    let (_directory, store, hasher) = copied("format-1");
    let snapshot = store.open_snapshot(Generation(1), Planes::All, Some(&hasher)).unwrap();
    let section = |name| snapshot.section(name).unwrap();
    let columns = Columns::open(section("traits"), section("events"), section("memberships")).unwrap();
    let serving = ServingSnapshot::new(snapshot.clone()).unwrap();
    let zone = jiff::tz::TimeZone::get("Europe/Rome").unwrap();
    let manifest = snapshot.manifest();
    let reach = Plan::compile(serving.catalogue(), &columns, manifest.as_of, &zone).reach();
    let written: Vec<u64> = manifest.audiences.iter().map(|audience| audience.members).collect();
    assert_eq!(reach, written);
    assert!(written.iter().sum::<u64>() > 900, "the fixture has members to count: {}", written.iter().sum::<u64>());
}
