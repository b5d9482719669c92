//! Damaged bytes: every byte of a small generation flipped, every length it could be cut to. Never a wrong answer.

use crate::run;
use crate::world::World;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use vaglio::error::ErrorKind;
use vaglio::snapshot::{Manifest, SectionRef, Store};

/// What opens one section: a new store each time, so that nothing verified before is remembered.
fn open(data: &Path, section: &SectionRef) -> Result<(), ErrorKind> {
    let opened = Store::open(data).unwrap().open_sections(std::slice::from_ref(section));
    opened.map(drop).map_err(|error| error.kind)
}

#[test]
fn every_byte_of_a_small_generation_that_is_flipped_or_cut_off_is_detected() {
    let world = World::new(5);
    run::done(run::vaglio(world.path(), &["build", "--quiet"]));
    let data = world.data();
    let store = Store::open(&data).unwrap();
    let manifest = store.manifest(store.current().unwrap().unwrap()).unwrap();
    let mut tried = 0;
    for section in &manifest.sections {
        tried += damage_every_byte(&data, section);
    }
    tried += damage_every_byte_of_the_manifest(&data, &manifest);
    println!("{tried} damaged bytes and lengths, {} sections", manifest.sections.len());
    assert!(tried > 2_000, "{tried}");
}

fn damage_every_byte(data: &Path, section: &SectionRef) -> usize {
    let path = data.join("sections").join(&section.xxh3);
    let good = fs::read(&path).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    for (at, byte) in good.iter().enumerate() {
        file.write_all_at(&[byte ^ (1 << (at % 8))], at as u64).unwrap();
        assert_eq!(open(data, section), Err(ErrorKind::Snapshot), "byte {at} of `{}`", section.name);
        file.write_all_at(&[*byte], at as u64).unwrap();
    }
    assert_eq!(open(data, section), Ok(()));
    for length in (0..good.len()).rev() {
        file.set_len(length as u64).unwrap();
        assert_eq!(open(data, section), Err(ErrorKind::Snapshot), "`{}` cut to {length}", section.name);
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(open(data, section), Ok(()));
    good.len() * 2
}

fn damage_every_byte_of_the_manifest(data: &Path, manifest: &Manifest) -> usize {
    let path = data.join(format!("generations/{:06}.json", manifest.generation.0));
    let good = fs::read(&path).unwrap();
    let refused = |bytes: &[u8], at: usize| {
        fs::write(&path, bytes).unwrap();
        assert!(Store::open(data).unwrap().manifest(manifest.generation).is_err(), "byte {at} of the manifest");
    };
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        refused(&bytes, at);
        refused(&good[..at], at);
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(&Store::open(data).unwrap().manifest(manifest.generation).unwrap(), manifest);
    good.len() * 2
}
