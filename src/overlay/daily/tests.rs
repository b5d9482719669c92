//! Against a naive set of the identifiers that were seen, over days, swaps and what is marked during one.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// An index: the identifiers of each profile.
type Index = Vec<BTreeSet<u8>>;
/// The identifiers that were seen, by day.
type Naive = BTreeMap<i64, BTreeSet<u8>>;

fn at(day: i64) -> Timestamp {
    Timestamp(day * DAY_SECONDS + 4_321)
}

fn key(id: u8) -> ProfileKey {
    ProfileKey(id.into())
}

fn find(index: &Index, wanted: ProfileKey) -> Option<u32> {
    index.iter().position(|ids| ids.iter().any(|id| key(*id) == wanted)).map(|at| at as u32)
}

fn bits(words: &[u64]) -> BTreeSet<u32> {
    (0..words.len() as u32 * 64).filter(|at| words[*at as usize / 64] >> (at % 64) & 1 == 1).collect()
}

/// Identifiers are dealt out: each belongs to one profile, or to none.
fn index() -> impl Strategy<Value = Index> {
    prop::collection::vec(prop::option::of(0usize..90), 120).prop_map(|owners| {
        let mut index: Index = vec![BTreeSet::new(); 90];
        (0u8..).zip(owners).for_each(|(id, owner)| {
            owner.into_iter().for_each(|owner| index[owner].extend([id]));
        });
        index
    })
}

#[derive(Debug, Clone)]
enum Step {
    Mark(usize),
    NextDay(i64),
    /// To another index; so many identifiers of it are marked before what was known is carried.
    Swap(Index, Vec<usize>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0usize..90).prop_map(Step::Mark),
        3 => (1i64..4).prop_map(Step::NextDay),
        1 => (index(), prop::collection::vec(0usize..90, 0..10)).prop_map(|(index, meanwhile)| Step::Swap(index, meanwhile)),
    ]
}

/// Marks a profile, as a lookup that matched it.
fn mark(daily: &Daily, index: &Index, naive: &mut Naive, profile: usize, day: i64) {
    daily.mark(&[profile as u32, 1_000_000], at(day));
    naive.entry(day).or_default().extend(&index[profile]);
    // A profile that has no identifier is found by none: but marking it is harmless, so the twin keeps a made-up one.
    if index[profile].is_empty() {
        naive.entry(day).or_default().insert(200 + profile as u8 % 50);
    }
}

fn expected(naive: &Naive, index: &Index, today: i64, days: i64) -> BTreeSet<u32> {
    let is_recent = |day: &i64| *day <= today && today - day < days;
    let seen: BTreeSet<u8> = naive.iter().filter(|(day, _)| is_recent(day)).flat_map(|(_, ids)| ids).copied().collect();
    (0u32..).zip(index).filter(|(_, ids)| !ids.is_disjoint(&seen)).map(|(at, _)| at).collect()
}

proptest! {
    #[test]
    fn bits_equal_a_naive_set_of_identifiers(first in index(), steps in prop::collection::vec(step(), 0..60), kept in 1u32..6) {
        let (mut day, mut index) = (20_000, first);
        let mut daily = Daily::new(index.len() as u32, kept);
        let mut naive = Naive::new();
        daily.begin(day);
        for step in steps {
            match step {
                Step::Mark(profile) if index[profile].is_empty() => {}
                Step::Mark(profile) => mark(&daily, &index, &mut naive, profile, day),
                Step::NextDay(days) => {
                    day += days;
                    daily.begin(day);
                }
                Step::Swap(next, meanwhile) => {
                    let new = Daily::new(next.len() as u32, kept);
                    new.begin(day);
                    let mut since = Naive::new();
                    for profile in meanwhile.into_iter().filter(|profile| !next[*profile].is_empty()) {
                        mark(&new, &next, &mut since, profile, day);
                    }
                    carry(&daily, &new, day, |ordinal| index[ordinal as usize].iter().map(|id| key(*id)), |key| find(&next, key));
                    // Whoever was seen was seen with all of their identifiers.
                    let known: Vec<i64> = naive.keys().copied().collect();
                    for known in known {
                        let seen = if day - known < kept.into() { expected(&naive, &next, known, 1) } else { BTreeSet::new() };
                        naive.insert(known, seen.into_iter().flat_map(|at| next[at as usize].clone()).collect());
                    }
                    since.into_iter().for_each(|(day, ids)| naive.entry(day).or_default().extend(ids));
                    (daily, index) = (new, next);
                }
            }
            for days in [1, 2, kept, 99] {
                let wanted = expected(&naive, &index, day, days.min(kept).into());
                prop_assert_eq!(bits(&daily.within(day, days)), wanted);
            }
        }
    }
}

#[test]
fn nothing_is_remembered_where_nothing_should_be() {
    for daily in [Daily::new(10, 0), Daily::default()] {
        daily.begin(5);
        daily.mark(&[1], at(5));
        assert!(bits(&daily.within(5, 3)).is_empty() && daily.days() == 0 && daily.day(5).is_none());
    }
}

#[test]
fn a_day_that_nobody_began_is_passed_over_and_the_next_one_starts_empty() {
    let daily = Daily::new(100, 2);
    daily.mark(&[3], at(7));
    assert!(daily.day(7).is_none());
    daily.begin(7);
    daily.mark(&[3, 99, 100, u32::MAX], at(7));
    assert_eq!(bits(&daily.within(7, 1)), [3, 99].into());
    // The place of day 7 is day 11's, with two days and two places more.
    daily.begin(11);
    assert!(bits(&daily.within(11, 9)).is_empty() && daily.day(7).is_none());
    daily.add(11, &[0b101, 0]);
    assert_eq!(bits(&daily.within(11, 1)), [0, 2].into());
}

#[test]
fn many_threads_lose_no_bit() {
    let daily = Daily::new(10_000, 3);
    daily.begin(1);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let daily = &daily;
            scope.spawn(move || (0..10_000).filter(|n| n % 4 == thread).for_each(|n| daily.mark(&[n, n / 2], at(1))));
        }
    });
    assert_eq!(bits(&daily.within(1, 1)).len(), 10_000);
}
