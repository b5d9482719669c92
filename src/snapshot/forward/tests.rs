//! The forward index against a plain `Vec<Vec<u32>>`.

use super::*;
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};

fn write(records: &[(u8, Vec<u32>)], order: &[u32]) -> Vec<u8> {
    let mut writer = ForwardWriter::new(Vec::new(), records.len() as u32, order).unwrap();
    records.iter().for_each(|(flags, audiences)| writer.push(*flags, audiences).unwrap());
    writer.close().unwrap()
}

fn assert_same(bytes: &[u8], records: &[(u8, Vec<u32>)]) {
    let forward = Forward::open(bytes).unwrap();
    let mut out = Vec::new();
    for (ordinal, (flags, audiences)) in records.iter().enumerate() {
        out.clear();
        assert_eq!(forward.read(ordinal as u32, &mut out), *flags);
        assert_eq!(&out, audiences, "of ordinal {ordinal}");
    }
    out.clear();
    assert_eq!(forward.read(records.len() as u32, &mut out), flags::UNREADABLE);
    assert!(out.is_empty());
}

fn records(audiences: u32) -> impl Strategy<Value = Vec<(u8, Vec<u32>)>> {
    let set = prop::collection::btree_set(0..audiences, 0..(audiences as usize).min(200));
    prop::collection::vec((0u8..16, set.prop_map(|set| set.into_iter().collect())), 0..80)
}

proptest! {
    #[test]
    fn lengths_are_summed_eight_at_a_time(lengths in any::<[u8; GROUP]>(), member in 0..=GROUP) {
        let group = Group { start_and_shift: U64::new(0), lengths };
        let sum: usize = lengths[..member].iter().map(|length| usize::from(*length)).sum();
        prop_assert_eq!(group.before(member), sum);
    }

    #[test]
    fn equals_plain_vectors(
        (audiences, records) in prop_oneof![1u32..10, 100u32..200, 1000u32..100_000].prop_flat_map(|n| (Just(n), records(n))),
        stride in prop_oneof![Just(1u32), Just(7), Just(13)],
    ) {
        // Any permutation will do as an order.
        let mut order: Vec<u32> = (0..audiences).collect();
        order.sort_by_key(|audience| (audience % stride, *audience));
        assert_same(&write(&records, &order), &records);
    }
}

#[test]
fn the_longest_records_are_read_back() {
    let all: Vec<u32> = (0..20_000).collect();
    let even: Vec<u32> = (0..20_000).step_by(2).collect();
    let mut records = vec![(0, vec![]), (flags::FLIPS, all.clone()), (1, vec![19_999]), (2, even)];
    records.extend((0..100).map(|i| (3, vec![i, i + 1000])));
    assert_same(&write(&records, &all), &records);
}

#[test]
fn nobody_and_no_audience_are_fine() {
    assert_same(&write(&[], &[]), &[]);
    let records = vec![(4, vec![]); 100];
    assert_same(&write(&records, &[]), &records);
}

#[test]
fn wrong_input_is_refused() {
    assert!(ForwardWriter::new(Vec::new(), 1, &[0, 2]).is_err());
    let mut writer = ForwardWriter::new(Vec::new(), 1, &[0, 1]).unwrap();
    assert!(writer.push(0, &[2]).is_err());
    writer.push(0, &[1]).unwrap();
    assert!(writer.push(0, &[1]).is_err());
    assert!(ForwardWriter::new(Vec::new(), 1, &[0, 1]).unwrap().close().is_err());
}

#[test]
fn more_audiences_than_can_be_written_are_refused() {
    let bytes = write(&[(0, vec![1])], &[0, 1]);
    let with = |audiences: usize| {
        let mut bytes = bytes.clone();
        let at = bytes.len() - FOOTER_BYTES + std::mem::offset_of!(Footer, audiences);
        bytes[at..at + 4].copy_from_slice(&(audiences as u32).to_le_bytes());
        Forward::open(bytes).map(|forward| forward.audiences())
    };
    assert_eq!(with(MAX_AUDIENCES).unwrap(), MAX_AUDIENCES as u32);
    for audiences in [MAX_AUDIENCES + 1, u32::MAX as usize] {
        assert!(with(audiences).is_err(), "{audiences}");
    }
}

#[test]
fn the_guess_of_the_last_group_ends_where_its_records_do() {
    // So long that its lengths are shifted.
    let all: Vec<u32> = (0..20_000).collect();
    let records = vec![(0, all.iter().copied().step_by(3).collect()); GROUP + 3];
    let forward = Forward::open(write(&records, &all)).unwrap();
    let end = forward.locate(records.len() as u32 - 1).unwrap().end;
    assert_eq!(forward.starts.last().copied(), Some((end / LINE) as u32));
}

/// 44 of 2,000 audiences a profile, as the design measured: skewed sizes, and the worst case of equal sizes.
#[test]
fn bytes_a_profile_keep_their_promise() {
    for (skew, most) in [(1.0, 45.0), (0.0, 45.0)] {
        let records = sample(5_000, 2_000, 44, skew);
        let bytes = write(&records, &(0..2_000).collect::<Vec<_>>());
        let each = bytes.len() as f64 / records.len() as f64;
        println!("skew {skew}: {each:.1} bytes a profile");
        assert!(each <= most, "{each} bytes a profile at skew {skew}");
        assert_same(&bytes, &records);
    }
}

/// Profiles in about `mean` audiences; audience `a` is chosen in proportion to 1 / (a + 20)^skew.
fn sample(profiles: usize, audiences: usize, mean: usize, skew: f64) -> Vec<(u8, Vec<u32>)> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let weights: Vec<f64> = (0..audiences).map(|a| 1.0 / (a as f64 + 20.0).powf(skew)).collect();
    let total: f64 = weights.iter().sum();
    let shares: Vec<f64> = weights.iter().map(|weight| (weight / total * mean as f64).min(0.9)).collect();
    let mut member = |share: f64| random.random::<f64>() < share;
    let mut audiences = || shares.iter().enumerate().filter(|(_, s)| member(**s)).map(|(a, _)| a as u32).collect();
    (0..profiles).map(|_| (0, audiences())).collect()
}

#[test]
fn malformed_bytes_never_panic() {
    let records: Vec<(u8, Vec<u32>)> = sample(60, 300, 30, 1.0);
    let bytes = write(&records, &(0..300).collect::<Vec<_>>());
    let read_all = |bytes: &[u8]| {
        if let Ok(forward) = Forward::open(bytes) {
            let mut out = Vec::new();
            for ordinal in 0..records.len() as u32 + 30 {
                forward.prefetch_profile(ordinal);
                forward.read(ordinal, &mut out);
                assert!(out.iter().all(|audience| *audience < forward.audiences()));
                out.clear();
            }
        }
    };
    for length in 0..bytes.len() {
        read_all(&bytes[..length]);
    }
    for bit in (0..bytes.len() * 8).step_by(11).chain((bytes.len() - FOOTER_BYTES) * 8..bytes.len() * 8) {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        read_all(&bytes);
    }
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(9);
    for _ in 0..500 {
        let mut bytes = bytes.clone();
        let at = random.random_range(0..bytes.len() - FOOTER_BYTES);
        random.fill_bytes(&mut bytes[at..]);
        let footer = bytes.len() - FOOTER_BYTES;
        bytes[footer..footer + 8].copy_from_slice(&MAGIC);
        read_all(&bytes);
    }
}
