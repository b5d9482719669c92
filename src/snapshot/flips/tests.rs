//! Flips against a filter over the plain list.

use super::*;
use proptest::prelude::*;

fn write(mut flips: Vec<Flip>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_flips(&mut bytes, &mut flips).unwrap();
    bytes
}

fn flip() -> impl Strategy<Value = Flip> {
    let ordinal = prop_oneof![0u32..20, 250u32..260, 0u32..70_000];
    (ordinal, 29_000_000u32..29_000_300, 0u32..50, any::<bool>()).prop_map(|(ordinal, minute, audience, join)| Flip {
        ordinal,
        minute,
        audience,
        join,
    })
}

proptest! {
    #[test]
    fn equal_a_filter_over_the_list(flips in prop::collection::vec(flip(), 0..200), others in prop::collection::vec(0u32..80_000, 20)) {
        let bytes = write(flips.clone());
        let view = Flips::open(&bytes[..]).unwrap();
        let mut sorted = flips;
        sorted.sort();
        sorted.dedup();
        prop_assert_eq!(view.len(), sorted.len() as u64);
        for ordinal in sorted.iter().map(|flip| flip.ordinal).chain(others) {
            let expected: Vec<Flip> = sorted.iter().copied().filter(|flip| flip.ordinal == ordinal).collect();
            prop_assert_eq!(view.of(ordinal).collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn none_is_fine_and_too_far_is_refused() {
    let bytes = write(Vec::new());
    let view = Flips::open(&bytes[..]).unwrap();
    assert!(view.is_empty());
    assert_eq!(view.of(0).count(), 0);
    let at = |minute| Flip { ordinal: 1, minute, audience: 1, join: true };
    assert!(write_flips(&mut Vec::new(), &mut vec![at(0), at(1 << MINUTE_BITS)]).is_err());
    let audience = Flip { audience: u32::MAX, ..at(0) };
    assert!(write_flips(&mut Vec::new(), &mut vec![audience]).is_err());
}

#[test]
fn malformed_bytes_never_panic() {
    let flips = (0..60).map(|i| Flip { ordinal: i * 13 % 700, minute: 100 + i, audience: i % 5, join: i % 2 == 0 });
    let bytes = write(flips.collect());
    for length in 0..bytes.len() {
        assert!(Flips::open(&bytes[..length]).is_err());
    }
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(view) = Flips::open(&bytes[..]) {
            for ordinal in 0..1024 {
                assert!(view.of(ordinal).all(|flip| flip.ordinal == ordinal));
            }
        }
    }
}
