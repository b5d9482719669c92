//! Flips at work: the audiences of a profile at a minute after `as_of`, without evaluating anything.

use crate::snapshot::Flip;

/// Applies the flips of one profile that are due at `now_minute` (whole minutes since the epoch) to its audiences, which
/// are ascending and stay so. `flips` come by minute.
pub fn apply(flips: impl Iterator<Item = Flip>, now_minute: i64, audiences: &mut Vec<u32>) {
    for flip in flips.take_while(|flip| i64::from(flip.minute) <= now_minute) {
        match (audiences.binary_search(&flip.audience), flip.join) {
            (Err(at), true) => audiences.insert(at, flip.audience),
            (Ok(at), false) => drop(audiences.remove(at)),
            // It is so already.
            (Ok(_), true) | (Err(_), false) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn flip(minute: u32, audience: u32, join: bool) -> Flip {
        Flip { ordinal: 0, minute, audience, join }
    }

    #[test]
    fn a_flip_counts_from_its_minute_on() {
        let flips = [flip(100, 5, true), flip(101, 2, false), flip(102, 5, false)];
        for (now, expected) in [(99, vec![2]), (100, vec![2, 5]), (101, vec![5]), (102, vec![]), (i64::MAX, vec![])] {
            let mut audiences = vec![2];
            apply(flips.into_iter(), now, &mut audiences);
            assert_eq!(audiences, expected, "at minute {now}");
        }
    }

    proptest! {
        #[test]
        fn equals_a_naive_replay(
            start in prop::collection::btree_set(0u32..20, 0..10),
            mut flips in prop::collection::vec((0u32..50, 0u32..20, any::<bool>()), 0..40),
            now in -1i64..60,
        ) {
            flips.sort_by_key(|flip| flip.0);
            let mut naive: BTreeSet<u32> = start.clone();
            for (minute, audience, join) in &flips {
                if i64::from(*minute) <= now {
                    if *join { naive.insert(*audience); } else { naive.remove(audience); }
                }
            }
            let mut audiences: Vec<u32> = start.into_iter().collect();
            apply(flips.into_iter().map(|(minute, audience, join)| flip(minute, audience, join)), now, &mut audiences);
            prop_assert_eq!(audiences, naive.into_iter().collect::<Vec<_>>());
        }
    }
}
