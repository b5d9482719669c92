//! The exact set against an obvious twin: every id with the second in which it came.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

fn ids(from: u128, n: u128) -> impl Iterator<Item = u128> {
    (from..from + n).map(|id| id.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

#[derive(Debug, Clone)]
enum Step {
    Sees(u8),
    Waits(i64),
    SetBack(i64),
    Withdraws(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any::<u8>().prop_map(Step::Sees),
        3 => (0..4_000i64).prop_map(Step::Waits),
        1 => (0..400_000i64).prop_map(Step::SetBack),
        1 => any::<u8>().prop_map(Step::Withdraws),
    ]
}

proptest! {
    /// Whatever the clock does: what is remembered came once, and nothing is forgotten within the hours that passed.
    #[test]
    fn it_remembers_what_a_plain_list_remembers(hours in 1u32..5, steps in prop::collection::vec(step(), 1..300)) {
        let mut dedupe = Dedupe::new(hours);
        // The twin knows how much time really passed, and when each id came.
        let (mut passed, mut clock) = (0i64, 1_700_000_000i64);
        let mut came: HashMap<u8, i64> = HashMap::new();
        dedupe.advance(Timestamp(clock));
        for step in steps {
            match step {
                Step::Waits(seconds) => { passed += seconds; clock += seconds; dedupe.advance(Timestamp(clock)); }
                Step::SetBack(seconds) => { clock -= seconds; dedupe.advance(Timestamp(clock)); }
                Step::Withdraws(id) => {
                    if came.get(&id).is_some_and(|at| *at / HOUR == passed / HOUR) && dedupe.newest.contains(&u128::from(id)) {
                        dedupe.withdraw(u128::from(id));
                        came.remove(&id);
                    }
                }
                Step::Sees(id) => {
                    let new = dedupe.insert(u128::from(id));
                    let age = came.get(&id).map(|at| passed - at);
                    if age.is_some_and(|age| age <= i64::from(hours) * HOUR) {
                        prop_assert!(!new, "an id of {age:?} seconds ago was forgotten");
                    }
                    if age.is_none() {
                        prop_assert!(new, "an id that never came was known");
                    }
                    if new { came.insert(id, passed); }
                    prop_assert!(dedupe.contains(u128::from(id)));
                }
            }
        }
    }
}

#[test]
fn a_clock_that_trembles_makes_no_time_pass() {
    let mut dedupe = Dedupe::new(1);
    dedupe.advance(Timestamp(1_000_000));
    assert!(dedupe.insert(7));
    for _ in 0..100_000 {
        dedupe.advance(Timestamp(1_000_001));
        dedupe.advance(Timestamp(999_999));
    }
    assert!(!dedupe.insert(7));
    dedupe.advance(Timestamp(1_000_000 + 3 * HOUR));
    assert!(dedupe.insert(7) && dedupe.len() == 1);
}

#[test]
fn hours_are_forgotten_whole_with_their_memory() {
    let mut dedupe = Dedupe::new(2);
    for hour in 0..10 {
        dedupe.advance(Timestamp(1_000_000 + hour * HOUR));
        assert_eq!(ids(1 + 100_000 * hour as u128, 100_000).filter(|id| dedupe.insert(*id)).count(), 100_000);
        assert!(!dedupe.insert(ids(1 + 100_000 * hour as u128, 1).next().unwrap()));
        assert!(dedupe.len() <= 300_000, "{}", dedupe.len());
    }
    let an_id = dedupe.bytes() / dedupe.len();
    assert!((17..=60).contains(&an_id), "{an_id} bytes an id");
}
