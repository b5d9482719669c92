//! The fast way to read a record against the slow one, over whatever bytes: a lookup meets only what a checksum vouches for, but
//! both must say the same of anything.

use super::*;
use proptest::prelude::*;

fn slowly(reader: &Reader, bytes: &[u8], record: Range<usize>, out: &mut Vec<u32>) -> u8 {
    let Some(&first) = bytes[record.clone()].first() else { return flags::UNREADABLE };
    let Some(head) = reader.head(bytes, first, &record) else { return flags::UNREADABLE };
    slow::read(reader, bytes, &head, record.end * 8, out);
    first & flags::PUBLIC
}

/// Bytes with few ones, with many, and with any; so codes are long, short, and both.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let sparse = prop_oneof![8 => Just(0u8), 1 => any::<u8>(), 1 => (0u32..8).prop_map(|bit| 1 << bit)];
    let dense = prop_oneof![any::<u8>(), Just(0xff), Just(0xfe)];
    prop_oneof![
        prop::collection::vec(sparse, 0..400),
        prop::collection::vec(dense, 0..400),
        prop::collection::vec(any::<u8>(), 0..60),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn both_ways_say_the_same_of_any_bytes(
        mut bytes in bytes(),
        first in any::<u8>(),
        audiences in prop_oneof![1u32..100, 100u32..5_000, 100_000u32..200_000],
        picked in prop::collection::vec(any::<prop::sample::Index>(), 0..140),
        (from, behind) in (0usize..5, prop_oneof![Just(0usize), 0usize..80]),
    ) {
        let mut frequent: Vec<u32> = picked.iter().map(|at| at.index(audiences as usize) as u32).collect();
        frequent.sort_unstable();
        frequent.dedup();
        frequent.truncate(MASK);
        let reader = Reader::new(audiences, &frequent);
        bytes.insert(0, first);
        bytes.splice(0..0, vec![0xa5; from]);
        let record = from..bytes.len();
        // What follows a record must not be taken for a part of it.
        bytes.extend(vec![0xff; 8 + behind]);
        let (mut fast, mut slow) = (vec![7], vec![7]);
        let flags = reader.read(&bytes, record.clone(), &mut fast);
        prop_assert_eq!(flags, slowly(&reader, &bytes, record, &mut slow));
        prop_assert_eq!(&fast, &slow);
        prop_assert!(fast[1..].iter().all(|audience| *audience < audiences));
    }
}

#[test]
fn a_rank_is_how_many_frequent_ones_are_below() {
    let frequent = [0, 3, 4, 9];
    let reader = Reader::new(12, &frequent);
    for audience in 0..12 {
        let below = frequent.iter().filter(|number| **number < audience).count();
        assert_eq!(usize::from(reader.ranks[audience as usize]), below, "of {audience}");
    }
}
