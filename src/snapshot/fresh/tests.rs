//! What comes back, what is refused, and the map against the obvious.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn written(count: usize) -> Vec<Written> {
    let one = |at| Written { id: AudienceId::new("acme", &format!("a{at:03}")), digest: "0".repeat(32), members: at };
    (0..count as u64).map(one).collect()
}

/// By audience of the catalogue: kept, or evaluated anew; and how many of the forward index's go between them.
fn writer() -> impl Strategy<Value = (u32, FreshWriter)> {
    let lanes = prop::collection::vec(0u16..512, 0..60);
    (prop::collection::vec((any::<bool>(), 0usize..3), 0..30), lanes).prop_map(|(audiences, lanes)| {
        let mut writer = FreshWriter { audiences: audiences.len() as u32, ..FreshWriter::default() };
        for (number, (kept, gone)) in (0..).zip(audiences) {
            writer.numbers.extend(std::iter::repeat_n(None, gone));
            if kept || writer.anew.len() == MOST {
                writer.numbers.push(Some(number));
            } else {
                writer.anew.push(number);
            }
        }
        let ordinals = lanes.len() as u32;
        let known = (1u16 << writer.anew.len()) - 1;
        if !writer.anew.is_empty() {
            writer.lanes = lanes.into_iter().map(|lane| lane & (known | FLIPS)).collect();
        }
        let anew = vec!["1".repeat(32); writer.anew.len()];
        writer.origin = Origin { written: written(writer.numbers.len()), anew };
        (ordinals, writer)
    })
}

fn bytes(ordinals: u32, writer: &FreshWriter) -> Vec<u8> {
    let mut bytes = Vec::new();
    writer.write(ordinals, &mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn applies_the_map_and_the_lanes((ordinals, writer) in writer(), picks in prop::collection::btree_set(0usize..60, 0..20)) {
        let fresh = Fresh::open(bytes(ordinals, &writer)).unwrap();
        prop_assert_eq!(fresh.origin().unwrap(), writer.origin.clone());
        for ordinal in 0..ordinals + 2 {
            let mut audiences: Vec<u32> = picks.iter().map(|at| *at as u32).filter(|at| (*at as usize) < writer.numbers.len()).collect();
            let mut expected: BTreeSet<u32> = audiences.iter().filter_map(|at| writer.numbers[*at as usize]).collect();
            let lane = writer.lanes.get(ordinal as usize).copied().unwrap_or(0);
            expected.extend(writer.anew.iter().enumerate().filter(|(at, _)| lane >> at & 1 == 1).map(|(_, number)| *number));
            prop_assert_eq!(fresh.apply(ordinal, &mut audiences), lane & FLIPS != 0);
            prop_assert_eq!(audiences, expected.into_iter().collect::<Vec<_>>());
        }
        for number in 0..writer.audiences {
            prop_assert_eq!(fresh.forward_of(number).and_then(|at| fresh.number(at)).unwrap_or(number), number);
        }
    }

    #[test]
    fn damaged_bytes_never_panic((ordinals, writer) in writer(), at in any::<prop::sample::Index>(), bit in 0..8u32) {
        let whole = bytes(ordinals, &writer);
        let mut bytes = whole.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(fresh) = Fresh::open(&bytes[..]) {
            let _ = fresh.origin();
            (0..ordinals).for_each(|ordinal| {
                fresh.apply(ordinal, &mut vec![0, 3, 900]);
            });
        }
        for end in 0..lanes_at(writer.numbers.len() + writer.anew.len()) + 2 * writer.lanes.len() {
            prop_assert!(Fresh::open(&whole[..end]).is_err());
        }
    }
}
