//! Every entry of `fuzz/` for a bounded time on a stable compiler: random bytes, and sound input that was damaged.
//! `VAGLIO_TEST_FUZZ_CASES` says how many inputs an entry gets, `VAGLIO_TEST_FUZZ_ENTRY` which one alone is run.

#[path = "../fuzz/src/entries/mod.rs"]
mod entries;
#[path = "../fuzz/src/seeds.rs"]
mod seeds;

use entries::ENTRIES;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Damages, one after the other.
#[derive(Debug, Clone)]
enum Damage {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, prop::sample::Index),
    /// Four bytes that make sizes and offsets overflow.
    Huge(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    use prop::sample::Index;
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        4 => (any::<Index>(), 0..8u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), prop::collection::vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
        1 => any::<Index>().prop_map(Damage::Huge),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match damage {
        Damage::Set(at, byte) => bytes[at.index(length)] = *byte,
        Damage::Flip(at, bit) => bytes[at.index(length)] ^= 1 << bit,
        Damage::Cut(at) => bytes.truncate(at.index(length)),
        Damage::Insert(at, extra) => drop(bytes.splice(at.index(length)..at.index(length), extra.iter().copied())),
        Damage::Repeat(from, to) => {
            let (from, to) = (from.index(length), to.index(length));
            bytes.extend_from_within(from.min(to)..from.max(to));
        }
        Damage::Huge(at) => {
            let at = at.index(length);
            let end = (at + 4).min(length);
            bytes[at..end].fill(0xff);
        }
    }
}

fn inputs(entry: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let damaged = (prop::sample::select(seeds::seeds(entry)), prop::collection::vec(damage(), 0..6));
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..300),
        5 => damaged.prop_map(|(mut bytes, damages)| {
            damages.iter().for_each(|damage| apply(&mut bytes, damage));
            bytes
        }),
    ]
}

#[test]
fn no_input_makes_an_entry_panic() {
    let cases = std::env::var("VAGLIO_TEST_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    let only = std::env::var("VAGLIO_TEST_FUZZ_ENTRY").ok();
    if let Some(only) = &only {
        assert!(ENTRIES.iter().any(|(name, _)| name == only), "there is no entry `{only}`");
    }
    for (name, entry) in ENTRIES.into_iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)) {
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&inputs(name), |bytes| {
            entry(&bytes);
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn every_entry_has_sound_seeds_and_a_target() {
    for (name, entry) in ENTRIES {
        let sound = seeds::seeds(name);
        assert!(!sound.is_empty(), "{name} has no seed");
        sound.iter().for_each(|bytes| entry(bytes));
        let target = format!("{}/fuzz/fuzz_targets/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        assert!(std::fs::read_to_string(&target).is_ok_and(|text| text.contains(&format!("\"{name}\""))), "{target}");
    }
    entries::run("rule", b"everyone");
}
