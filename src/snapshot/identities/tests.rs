//! The identity index against a `HashMap`, with keys made to collide.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

fn write(entries: &[(ProfileKey, u32)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    IdentitiesWriter::write(entries.iter().copied(), &mut bytes).unwrap();
    bytes
}

/// A key with its home, its overflow bit and rest, and its fingerprint chosen.
fn crafted(home: u16, rest: u8, fingerprint: u8) -> ProfileKey {
    ProfileKey((u128::from(home) << 112) | (u128::from(rest) << 40) | u128::from(fingerprint))
}

proptest! {
    #[test]
    fn equals_a_map_of_random_keys(
        known in prop::collection::hash_map(any::<u128>(), 0u32..5000, 0..400),
        strangers in prop::collection::vec(any::<u128>(), 0..100),
    ) {
        let entries: Vec<_> = known.iter().map(|(key, value)| (ProfileKey(*key), *value)).collect();
        let bytes = write(&entries);
        let identities = Identities::open(&bytes[..]).unwrap();
        prop_assert_eq!(identities.entries(), known.len() as u64);
        prop_assert_eq!(identities.ordinals(), known.values().map(|value| value + 1).max().unwrap_or(0));
        for (key, value) in &known {
            prop_assert_eq!(identities.find(ProfileKey(*key)), Some(*value));
        }
        for key in strangers {
            prop_assert_eq!(identities.find(ProfileKey(key)), known.get(&key).copied());
        }
    }

    /// Few homes and few fingerprints: long overflows, and known keys that answer for one another unless resolved.
    #[test]
    fn known_keys_are_exact_whatever_collides(
        known in prop::collection::hash_map((0u16..4, any::<u8>(), 0u8..12), 0u32..5000, 0..120),
        spread in prop_oneof![Just(1u16), Just(1 << 13), Just(1 << 14)],
    ) {
        let known: HashMap<ProfileKey, u32> =
            known.into_iter().map(|((home, rest, print), value)| (crafted(home * spread, rest, print), value)).collect();
        let entries: Vec<_> = known.iter().map(|(key, value)| (*key, *value)).collect();
        let bytes = write(&entries);
        let identities = Identities::open(&bytes[..]).unwrap();
        for (key, value) in &known {
            prop_assert_eq!(identities.find(*key), Some(*value));
        }
    }
}

#[test]
fn two_known_keys_with_one_fingerprint_are_told_apart_and_a_third_is_unknown() {
    let entries = [(crafted(9, 1, 5), 10), (crafted(9, 2, 5), 20), (crafted(9, 3, 6), 30)];
    let bytes = write(&entries);
    let identities = Identities::open(&bytes[..]).unwrap();
    assert_eq!(identities.exceptions(), 2);
    assert_eq!(entries.map(|(key, _)| identities.find(key)), [Some(10), Some(20), Some(30)]);
    assert_eq!(identities.find(crafted(9, 7, 5)), None);
}

#[test]
fn blocked_values_come_back_and_reserved_ones_are_refused() {
    let entries: Vec<_> = [BLOCKED_ALL, BLOCKED_MARKETING, BLOCKED_PROFILING]
        .into_iter()
        .enumerate()
        .map(|(at, value)| (ProfileKey(at as u128 + 1), value))
        .collect();
    let bytes = write(&entries);
    let identities = Identities::open(&bytes[..]).unwrap();
    assert!(entries.iter().all(|(key, value)| identities.find(*key) == Some(*value)));
    assert_eq!(identities.ordinals(), 0);
    for value in [EMPTY, AMBIGUOUS] {
        assert!(IdentitiesWriter::write([(ProfileKey(1), value)].into_iter(), &mut Vec::new()).is_err());
    }
}

#[test]
fn a_key_given_twice_is_an_error() {
    let twice = [(ProfileKey(1), 1), (ProfileKey(1), 2)];
    assert!(IdentitiesWriter::write(twice.into_iter(), &mut Vec::new()).is_err());
}

#[test]
fn bytes_an_identifier_and_false_matches_keep_their_promise() {
    let hasher = crate::schema::KeyHasher::new([3; 16]);
    let entries: Vec<_> = (0..200_000u32).map(|i| (hasher.key("test", &i.to_string()), i)).collect();
    let bytes = write(&entries);
    let identities = Identities::open(&bytes[..]).unwrap();
    assert!(entries.iter().all(|(key, value)| identities.find(*key) == Some(*value)));
    let each = bytes.len() as f64 / entries.len() as f64;
    assert!(each < 12.0, "{each} bytes an identifier");
    let probability = identities.false_match_probability();
    assert!((5e-12..7e-12).contains(&probability), "{probability}");
}

#[test]
fn malformed_bytes_never_panic() {
    let entries: Vec<_> = (0..40).map(|i| (crafted(i % 5, i as u8, (i % 3) as u8), u32::from(i))).collect();
    let bytes = write(&entries);
    for length in 0..bytes.len() {
        assert!(Identities::open(&bytes[..length]).is_err(), "cut to {length}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(identities) = Identities::open(&bytes[..]) {
            for (key, _) in &entries {
                identities.find(*key);
                identities.prefetch(*key);
            }
        }
    }
}
