//! Minutes read back as they were written, also behind a torn end.

use super::*;
use proptest::prelude::*;

fn minute() -> impl Strategy<Value = Minute> {
    let name = || prop::sample::select(vec!["", "acme/upgrade", "dsp", "target", "suppress", "è"]).prop_map(Arc::from);
    let what = prop::sample::select(What::ALL.to_vec());
    let key = (what, name(), name(), name()).prop_map(|(what, a, b, c)| Key { what, names: [a, b, c] });
    let count = prop_oneof![1u64..300, Just(u64::MAX >> 1)];
    (0i64..1 << 40, prop::collection::btree_map(key, count, 0..12))
        .prop_map(|(minute, counts)| Minute { minute, counts })
}

fn read(bytes: &[u8]) -> Vec<Minute> {
    let mut minutes = Vec::new();
    Decoder::default().read(bytes, &mut |minute| minutes.push(minute));
    minutes
}

proptest! {
    #[test]
    fn what_was_written_is_read_wherever_the_writer_was_stopped(minutes in prop::collection::vec(minute(), 1..8), cut in any::<prop::sample::Index>()) {
        let (mut bytes, mut ends, mut encoder) = (Vec::new(), vec![0], Encoder::default());
        for minute in &minutes {
            bytes.extend(encoder.append(minute).unwrap());
            ends.push(bytes.len());
        }
        prop_assert_eq!(&read(&bytes), &minutes);
        let cut = cut.index(bytes.len() + 1);
        let whole = ends.iter().filter(|end| **end > 0 && **end <= cut).count();
        prop_assert_eq!(read(&bytes[..cut]), &minutes[..whole]);
        // Another writer goes on.
        let (mut encoder, good) = Encoder::resume(&bytes[..cut]);
        let mut bytes = bytes[..good].to_vec();
        bytes.extend(encoder.append(&minutes[0]).unwrap());
        prop_assert_eq!(read(&bytes), [&minutes[..whole], &minutes[..1]].concat());
    }

    #[test]
    fn damage_is_never_read(minutes in prop::collection::vec(minute(), 1..4), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut encoder = Encoder::default();
        let mut bytes: Vec<u8> = minutes.iter().flat_map(|minute| encoder.append(minute).unwrap()).collect();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let found = read(&bytes);
        prop_assert!(found.len() < minutes.len() && minutes.starts_with(&found));
    }
}
