//! Impressions against a filter over the plain list.

use super::*;
use proptest::prelude::*;

fn write(impressions: &[Impression]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_caps(&mut bytes, impressions).unwrap();
    bytes
}

fn impression() -> impl Strategy<Value = Impression> {
    let ordinal = prop_oneof![0u32..20, 250u32..260, 0u32..70_000];
    (ordinal, 0u32..50, 1_700_000_000i64..1_700_090_000).prop_map(|(ordinal, campaign, time)| Impression {
        ordinal,
        campaign,
        time,
    })
}

proptest! {
    #[test]
    fn equal_a_filter_over_the_list(
        mut all in prop::collection::vec(impression(), 0..200),
        others in prop::collection::vec(0u32..80_000, 20),
    ) {
        all.sort_unstable();
        let bytes = write(&all);
        let view = Caps::open(&bytes[..]).unwrap();
        prop_assert_eq!(view.len(), all.len() as u64);
        for ordinal in all.iter().map(|it| it.ordinal).chain(others) {
            let expected: Vec<Impression> = all.iter().copied().filter(|it| it.ordinal == ordinal).collect();
            prop_assert_eq!(view.of(ordinal).collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn none_is_fine_and_what_is_out_of_range_is_refused() {
    let bytes = write(&[]);
    let view = Caps::open(&bytes[..]).unwrap();
    assert!(view.is_empty());
    assert_eq!(view.of(0).count(), 0);
    let at = |time| Impression { ordinal: 1, campaign: 1, time };
    assert!(write_caps(&mut Vec::new(), &[at(0), at(1 << 32)]).is_err(), "too far apart");
    assert!(write_caps(&mut Vec::new(), &[at(5), at(4)]).is_err(), "not sorted");
    assert!(write_caps(&mut Vec::new(), &[Impression { campaign: 1 << 24, ..at(0) }]).is_err());
}

#[test]
fn malformed_bytes_never_panic() {
    let all: Vec<Impression> =
        (0..60).map(|i| Impression { ordinal: i * 13, campaign: i % 5, time: 100 + i64::from(i) }).collect();
    let bytes = write(&all);
    for length in 0..bytes.len() {
        assert!(Caps::open(&bytes[..length]).is_err());
    }
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(view) = Caps::open(&bytes[..]) {
            for ordinal in 0..1_024 {
                assert!(view.of(ordinal).all(|it| it.ordinal == ordinal));
            }
        }
    }
}
