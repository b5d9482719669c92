//! What is published is read back; what is damaged, of another key or of another format is refused.

use super::directory::{PROFILES, hasher, key, one_generation, open};
use std::fs;
use tempfile::TempDir;
use vaglio::error::ErrorKind;
use vaglio::lookup::{Answer, Outcome, ServingSnapshot};
use vaglio::schema::{Generation, KeyHasher, Timestamp};
use vaglio::snapshot::{Planes, Store};

#[test]
fn what_was_published_is_read_back_and_answers() {
    let (directory, manifest) = one_generation();
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.current().unwrap(), Some(Generation(1)));
    let snapshot = store.open_snapshot(Generation(1), Planes::All, Some(&hasher())).unwrap();
    assert_eq!(snapshot.manifest(), &manifest);
    for section in &manifest.sections {
        let bytes = snapshot.section(&section.name).unwrap();
        assert_eq!(bytes.len() as u64, section.length);
        assert_eq!(bytes.as_ptr() as usize % 64, 0);
    }
    let error = snapshot.section("traits").unwrap_err().to_string();
    assert!(error.contains("generation 1") && error.contains("`traits`"), "{error}");
    let serving = ServingSnapshot::new(snapshot).unwrap();
    let mut answer = Answer::default();
    for (who, expected) in [(7, Outcome::Matched), (PROFILES, Outcome::NoProfile)] {
        serving.lookup(&[key(who)], Timestamp(0), &vaglio::overlay::Overlay::empty(), &mut answer);
        assert_eq!(answer.outcome, expected);
    }
}

#[test]
fn an_empty_directory_has_no_generation() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path().join("data")).unwrap();
    assert_eq!(store.current().unwrap(), None);
    assert_eq!(store.next_generation().unwrap(), Generation(1));
    assert!(store.manifests().unwrap().is_empty());
    assert!(!directory.path().join("data").exists(), "reading makes no directory");
}

#[test]
fn every_damaged_section_is_refused_by_name() {
    let (directory, manifest) = one_generation();
    for section in &manifest.sections {
        let path = directory.path().join("sections").join(&section.xxh3);
        let good = fs::read(&path).unwrap();
        let refused = |bytes: &[u8], what: &str| {
            fs::write(&path, bytes).unwrap();
            let error = open(directory.path()).expect_err(what);
            let text = error.to_string();
            assert_eq!(error.kind, ErrorKind::Snapshot);
            assert!(text.contains(&format!("`{}`", section.name)) && text.contains("rollback"), "{text}");
        };
        for length in [0, 1, good.len() / 2, good.len() - 1] {
            refused(&good[..length], "truncated");
        }
        refused(&[&good[..], b"\0"].concat(), "lengthened");
        for bit in (0..good.len() * 8).step_by(good.len() * 8 / 97 + 1).chain([good.len() * 8 - 1]) {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            refused(&bytes, "flipped");
        }
        fs::remove_file(&path).unwrap();
        let error = open(directory.path()).expect_err("missing").to_string();
        assert!(error.contains(&section.name), "{error}");
        fs::write(&path, &good).unwrap();
        open(directory.path()).unwrap();
    }
}

#[test]
fn every_damaged_byte_of_a_manifest_is_refused() {
    let (directory, _) = one_generation();
    let path = directory.path().join("generations/000001.json");
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, &bytes).unwrap();
        assert!(open(directory.path()).is_err(), "byte {at}");
        fs::write(&path, &good[..at]).unwrap();
        assert!(open(directory.path()).is_err(), "cut to {at}");
    }
    fs::write(&path, &good).unwrap();
    open(directory.path()).unwrap();
    fs::write(directory.path().join("generations/000002.json"), &good).unwrap();
    let error = Store::open(directory.path()).unwrap().manifest(Generation(2)).unwrap_err().to_string();
    assert!(error.contains("is the manifest of generation 1"), "{error}");
}

#[test]
fn a_damaged_current_is_refused_and_rollback_mends_it() {
    let (directory, _) = one_generation();
    fs::write(directory.path().join("CURRENT"), "zwei").unwrap();
    let error = open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("CURRENT") && error.contains("rollback"), "{error}");
    let store = Store::open(directory.path()).unwrap();
    store.rollback(Some(Generation(1))).unwrap();
    open(directory.path()).unwrap();
}

#[test]
fn another_key_is_refused() {
    let (directory, _) = one_generation();
    let store = Store::open(directory.path()).unwrap();
    let error = ServingSnapshot::open(&store, Generation(1), &KeyHasher::new([2; 16])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Snapshot);
    assert!(error.to_string().contains("another key"), "{error}");
}

#[test]
fn another_format_is_refused_older_or_newer() {
    let (directory, _) = one_generation();
    let path = directory.path().join("generations/000001.json");
    let good = fs::read_to_string(&path).unwrap();
    for other in [0, 2, 99] {
        fs::write(&path, good.replacen("\"format\": 1", &format!("\"format\": {other}"), 1)).unwrap();
        let error = open(directory.path()).unwrap_err().to_string();
        let expected = format!(
            "was built by another version of vaglio: format {other}, this program reads 1; rebuild with `vaglio build`"
        );
        assert!(error.contains(&expected), "{error}");
    }
}
