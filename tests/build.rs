//! `build` from files to a published generation: what it writes, shares, keeps secret and leaves alone.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod world;

use std::collections::BTreeMap;
use std::fs;
use vaglio::build::What;
use vaglio::build::provenance::Provenance;
use vaglio::error::ErrorKind;
use vaglio::schema::Generation;
use vaglio::snapshot::{Manifest, Planes, Store};
use world::{World, files_below};

fn hashes(manifest: &Manifest) -> BTreeMap<String, String> {
    manifest.sections.iter().map(|section| (section.name.clone(), section.xxh3.clone())).collect()
}

#[test]
fn no_raw_identifier_is_in_any_file_of_a_data_directory() {
    let world = World::new(200);
    world.build(What::Full).unwrap();
    world.build(What::Activate).unwrap();
    let files = files_below(&world.data());
    assert!(files.len() > 10, "{files:?}");
    let raw = world.raw_identifiers();
    let sources = fs::read_to_string(world.path().join("crm.csv")).unwrap();
    assert!(raw.iter().filter(|raw| sources.contains(*raw)).count() >= 12, "the test looks for what is there");
    for file in files {
        let bytes = fs::read(&file).unwrap();
        for raw in &raw {
            let found = memchr::memmem::find(&bytes, raw.as_bytes());
            assert_eq!(found, None, "{raw} is in {}", file.display());
        }
    }
}

#[test]
fn the_order_of_rows_changes_no_byte_of_any_section() {
    let world = World::new(300);
    let first = world.build(What::Full).unwrap();
    world.rows(|mut rows| {
        rows.reverse();
        let middle = rows.len() / 3;
        rows.rotate_left(middle);
        rows
    });
    let second = world.build(What::Full).unwrap();
    let (mut first, mut second) = (hashes(&first), hashes(&second));
    // Provenance tells when the files were written.
    assert!(first.remove("provenance").is_some() && second.remove("provenance").is_some());
    assert_eq!(first, second);
}

#[test]
fn activating_shares_the_index_and_needs_one() {
    let world = World::new(50);
    let error = world.build(What::Activate).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Input);
    assert!(error.to_string().contains("full `vaglio build`"), "{error}");
    let full = world.build(What::Full).unwrap();
    assert_eq!((full.generation, full.index_of), (Generation(1), Generation(1)));
    let definitions = fs::read_to_string(world.path().join("audiences.yaml")).unwrap();
    world.file("audiences.yaml", &definitions.replace("age >= 18", "age >= 21"));
    let active = world.build(What::Activate).unwrap();
    assert_eq!((active.generation, active.index_of), (Generation(2), Generation(1)));
    assert!(full.index_created.0 > 0 && full.index_created <= full.created);
    assert_eq!(active.index_created, full.index_created);
    assert_ne!(active.catalogue_version, full.catalogue_version);
    assert_eq!((active.profiles, active.bid_ids, &active.sources), (full.profiles, full.bid_ids, &full.sources));
    let (full, active) = (hashes(&full), hashes(&active));
    for index in ["keys", "identities", "consents", "blocked", "traits", "events", "memberships", "provenance"] {
        assert_eq!(active[index], full[index], "{index}");
    }
}

#[test]
fn a_generation_says_what_became_of_its_rows() {
    let world = World::new(110);
    let manifest = world.build(What::Full).unwrap();
    let store = Store::open(world.data()).unwrap();
    let snapshot = store.open_snapshot(manifest.generation, Planes::All, None).unwrap();
    let provenance = Provenance::open(snapshot.section("provenance").unwrap()).unwrap();
    assert_eq!(provenance.identity.profiles, u64::from(manifest.profiles));
    assert_eq!(provenance.by_id_type["crm"], 110);
    assert_eq!(provenance.objecting_identifiers, 5, "ten rows, of which objections are those numbered 0 and 3 of four");
    assert!(provenance.repeated_events.values().sum::<u64>() > 20, "{:?}", provenance.repeated_events);
    assert_eq!(provenance.list_sources["acme/vip"], ["vip"]);
    assert!(manifest.peak_memory_bytes > 0 && manifest.timings.contains_key("index"));
    let rejects: serde_json::Value =
        serde_json::from_slice(&fs::read(world.data().join("rejects.json")).unwrap()).unwrap();
    assert_eq!(rejects["sources"].as_array().map(Vec::len), Some(6));
}

#[test]
fn a_build_stopped_by_rejected_rows_leaves_their_report() {
    let world = World::new(50);
    world.file("shop.csv", &format!("ifa,time,id,event,amount,product\n{}", "nonsense,nonsense,,,,\n".repeat(7)));
    let error = world.build(What::Full).unwrap_err();
    let path = world.data().join("rejects.json");
    assert_eq!(error.kind, ErrorKind::Input);
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    let text = fs::read_to_string(path).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["sources"][2]["name"], &report["sources"][2]["rejected"]), (&"shop".into(), &7.into()));
    assert!(!text.contains("nonsense"), "{text}");
}

#[test]
fn a_failed_build_leaves_the_live_generation_and_no_litter() {
    let world = World::new(50);
    let live = world.build(What::Full).unwrap();
    let before = files_below(&world.data().join("sections"));
    world.file("shop.csv", "ifa,time,id,event,amount,product\nnonsense,nonsense,,,,\n");
    assert!(world.build(What::Full).is_err());
    let store = Store::open(world.data()).unwrap();
    assert_eq!(store.current().unwrap(), Some(live.generation));
    assert_eq!(files_below(&world.data().join("sections")), before);
    assert_eq!(files_below(&world.data().join("tmp")), Vec::<std::path::PathBuf>::new());
    store.open_snapshot(live.generation, Planes::All, None).unwrap();
}

#[test]
fn two_builds_at_once_are_refused_with_the_name_of_the_first() {
    let world = World::new(20);
    let store = Store::open(world.data()).unwrap();
    let lock = store.lock("build").unwrap();
    let error = world.build(What::Full).unwrap_err();
    assert_eq!((error.kind, error.exit_code()), (ErrorKind::Busy, 1));
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(lock);
    world.build(What::Full).unwrap();
}

#[test]
fn a_lost_key_is_not_replaced_behind_the_operators_back() {
    let world = World::new(20);
    world.build(What::Full).unwrap();
    fs::remove_file(world.data().join("vaglio.key")).unwrap();
    let error = world.build(What::Full).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("restore the file"), "{error}");
    assert!(!world.data().join("vaglio.key").exists());
}

#[test]
fn a_pinned_store_builds_on_but_does_not_go_live() {
    let world = World::new(20);
    world.build(What::Full).unwrap();
    world.build(What::Activate).unwrap();
    let store = Store::open(world.data()).unwrap();
    store.rollback(Some(Generation(1))).unwrap();
    let waiting = world.build(What::Full).unwrap();
    assert_eq!((waiting.generation, store.current().unwrap()), (Generation(3), Some(Generation(1))));
}
