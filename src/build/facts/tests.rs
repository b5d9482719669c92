//! Sorting in runs against sorting in memory.

use super::runs::{Merge, Runs};
use crate::log::{Identifier, Record, Said};
use crate::schema::{Offset, ProfileKey};
use crate::snapshot::{LiveFacts, LiveFactsWriter, Plane, Store};
use proptest::prelude::*;

fn record(keys: &[u128], id: u128) -> Vec<u8> {
    let keys = keys.iter().map(|key| Identifier { key: ProfileKey(*key), id_type: "crm".into() }).collect();
    let mut bytes = Vec::new();
    Record { id, time: 5, received: 5, keys, said: Said::Link }.encode(&mut bytes).unwrap();
    bytes
}

type Groups = Vec<Vec<(Offset, Vec<u8>)>>;

fn merged(before: LiveFacts<'_>, runs: Runs) -> Groups {
    let mut merge = Merge::new(before, runs).unwrap();
    let mut groups = Vec::new();
    while let Some(group) = merge.group().unwrap() {
        groups.push(group.iter().map(|(offset, bytes)| (offset, bytes.to_vec())).collect());
    }
    groups
}

/// Sorts everything at once.
fn obvious(mut records: Vec<(u128, Offset, Vec<u8>)>) -> Groups {
    records.sort();
    let groups = records.chunk_by(|a, b| a.0 == b.0);
    groups.map(|group| group.iter().map(|(_, offset, bytes)| (*offset, bytes.clone())).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn runs_and_a_section_are_merged_as_if_sorted_at_once(
        said in prop::collection::vec(prop::collection::vec(0u128..12, 1..4), 0..80),
        carried in 0usize..40,
        limit in 1usize..2_000,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let _lock = store.lock("test").unwrap();
        let records: Vec<(u128, Offset, Vec<u8>)> = (0..)
            .zip(&said)
            .map(|(at, keys)| (*keys.iter().min().unwrap(), Offset(at), record(keys, at.into())))
            .collect();
        let (before, since) = records.split_at(carried.min(records.len()));
        let mut before = before.to_vec();
        before.sort();
        let mut writer = LiveFactsWriter::new(store.section("live_facts", Plane::Control).unwrap()).unwrap();
        before.iter().for_each(|(_, offset, bytes)| writer.put(*offset, bytes).unwrap());
        let section = writer.finish().unwrap();
        let sections = store.open_sections(&[section]).unwrap();
        let mut runs = Runs::of_bytes(directory.path().join("tmp"), limit);
        since.iter().for_each(|(least, offset, bytes)| runs.push(ProfileKey(*least), *offset, bytes).unwrap());
        let facts = LiveFacts::open(sections.section("live_facts").unwrap()).unwrap();
        prop_assert_eq!(merged(facts, runs), obvious(records));
        prop_assert_eq!(std::fs::read_dir(directory.path().join("tmp")).unwrap().count(), 0);
    }
}
