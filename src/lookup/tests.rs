//! Lookups against a linear scan over plain vectors; a batch against one at a time.

use super::*;
use crate::schema::{KeyHasher, ProfileKey, Timestamp};
use crate::snapshot::filter::write_filter;
use crate::snapshot::flips::write_flips;
use crate::snapshot::forward::flags;
use crate::snapshot::identities::{BLOCKED_ALL, BLOCKED_MARKETING, BLOCKED_PROFILING};
use crate::snapshot::{Filter, Flip, Flips, Forward, ForwardWriter, Identities, IdentitiesWriter};
use proptest::prelude::*;
use std::collections::BTreeSet;

const AUDIENCES: u32 = 30;
/// Flips fall in the ten minutes from here.
const MINUTE: u32 = 29_000_000;

#[derive(Debug, Clone)]
struct Person {
    flags: u8,
    audiences: BTreeSet<u32>,
    /// (minute after [`MINUTE`], audience, join), by minute.
    flips: Vec<(u32, u32, bool)>,
    keys: usize,
}

#[derive(Debug, Clone)]
struct World {
    people: Vec<Person>,
    blocked: Vec<u32>,
    filter: bool,
}

impl World {
    /// Every known key and what it stands for. Keys of strangers come after.
    fn entries(&self) -> Vec<(ProfileKey, u32)> {
        let people = self.people.iter().enumerate().flat_map(|(at, person)| vec![at as u32; person.keys]);
        people.chain(self.blocked.iter().copied()).enumerate().map(|(at, value)| (key(at), value)).collect()
    }

    fn index(&self) -> Index<Vec<u8>> {
        let entries = self.entries();
        let (mut identities, mut filter, mut flips) = (Vec::new(), Vec::new(), Vec::new());
        IdentitiesWriter::write(entries.iter().copied(), &mut identities).unwrap();
        write_filter(entries.iter().map(|(key, _)| *key), &mut filter).unwrap();
        let order: Vec<u32> = (0..AUDIENCES).rev().collect();
        let mut forward = ForwardWriter::new(Vec::new(), self.people.len() as u32, &order).unwrap();
        let mut all = Vec::new();
        for (ordinal, person) in self.people.iter().enumerate() {
            let has_flips = if person.flips.is_empty() { 0 } else { flags::FLIPS };
            forward.push(person.flags | has_flips, &person.audiences.iter().copied().collect::<Vec<_>>()).unwrap();
            all.extend(person.flips.iter().map(|&(minute, audience, join)| Flip {
                ordinal: ordinal as u32,
                minute: MINUTE + minute,
                audience,
                join,
            }));
        }
        write_flips(&mut flips, &mut all).unwrap();
        Index::new(
            Identities::open(identities).unwrap(),
            self.filter.then(|| Filter::open(filter).unwrap()),
            Forward::open(forward.close().unwrap()).unwrap(),
            Flips::open(flips).unwrap(),
        )
        .unwrap()
    }

    /// The same question, answered the slow way.
    fn scan(&self, keys: &[ProfileKey], minute: u32) -> Answer {
        let entries = self.entries();
        let values: Vec<Option<u32>> =
            keys.iter().map(|key| entries.iter().find(|entry| entry.0 == *key).map(|entry| entry.1)).collect();
        let mut ordinals: Vec<u32> = Vec::new();
        for ordinal in values.iter().flatten().filter(|value| (**value as usize) < self.people.len()) {
            if !ordinals.contains(ordinal) {
                ordinals.push(*ordinal);
            }
        }
        let matched: Vec<&Person> = ordinals.iter().map(|ordinal| &self.people[*ordinal as usize]).collect();
        let marked = |mark: u32| values.contains(&Some(mark));
        let blocked = marked(BLOCKED_ALL)
            || marked(BLOCKED_MARKETING)
            || matched.iter().any(|person| person.flags & flags::OBJECTS_TO_MARKETING != 0);
        let silent = marked(BLOCKED_PROFILING) || matched.iter().any(|person| person.flags & 6 != 0);
        let outcome = match () {
            () if blocked => Outcome::Blocked,
            () if silent => Outcome::NoConsent,
            () if !matched.is_empty() => Outcome::Matched,
            () if !keys.is_empty() => Outcome::NoProfile,
            () => Outcome::NoId,
        };
        let known = values.iter().rev().fold(0, |known, value| known << 1 | u128::from(value.is_some()));
        let mut answer = Answer { outcome, profiles: matched.len() as u32, known, ordinals, ..Answer::default() };
        if outcome == Outcome::Matched {
            let sets: Vec<BTreeSet<u32>> = matched.iter().map(|person| at_minute(person, minute)).collect();
            answer.audiences = sets[0].iter().copied().collect();
            answer.excluded_by = sets.into_iter().flatten().collect::<BTreeSet<u32>>().into_iter().collect();
        }
        answer
    }
}

fn at_minute(person: &Person, minute: u32) -> BTreeSet<u32> {
    let mut audiences = person.audiences.clone();
    for (_, audience, join) in person.flips.iter().filter(|flip| flip.0 <= minute) {
        if *join {
            audiences.insert(*audience);
        } else {
            audiences.remove(audience);
        }
    }
    audiences
}

fn key(at: usize) -> ProfileKey {
    KeyHasher::new([1; 16]).key("test", &at.to_string())
}

fn person() -> impl Strategy<Value = Person> {
    // Sorted as the section sorts them: by minute, audience, then leave before join.
    let flips = prop::collection::btree_set((0u32..10, 0..AUDIENCES, any::<bool>()), 0..6);
    (prop_oneof![4 => Just(0u8), 1 => 0u8..8], prop::collection::btree_set(0..AUDIENCES, 0..12), flips, 1usize..4)
        .prop_map(|(flags, audiences, flips, keys)| Person {
            flags,
            audiences,
            flips: flips.into_iter().collect(),
            keys,
        })
}

fn world() -> impl Strategy<Value = World> {
    let blocked = prop::sample::select(vec![BLOCKED_ALL, BLOCKED_MARKETING, BLOCKED_PROFILING]);
    (prop::collection::vec(person(), 0..20), prop::collection::vec(blocked, 0..4), any::<bool>())
        .prop_map(|(people, blocked, filter)| World { people, blocked, filter })
}

proptest! {
    #[test]
    fn a_lookup_equals_a_linear_scan(
        world in world(),
        questions in prop::collection::vec((prop::collection::vec(0usize..80, 0..5), 0u32..12), 1..20),
    ) {
        let index = world.index();
        let mut answer = Answer::default();
        for (who, minute) in questions {
            let keys: Vec<ProfileKey> = who.into_iter().map(key).collect();
            index.lookup(&keys, now(minute), &mut answer);
            prop_assert_eq!(&answer, &world.scan(&keys, minute));
        }
    }

    #[test]
    fn a_batch_equals_one_at_a_time(world in world(), who in prop::collection::vec(0usize..80, 0..200), minute in 0u32..12, spare in 0usize..3) {
        let index = world.index();
        let keys: Vec<ProfileKey> = who.into_iter().map(key).collect();
        // Answers used before, one more or fewer than keys.
        let mut answers = vec![Answer { audiences: vec![7], outcome: Outcome::Blocked, ..Answer::default() }; keys.len() + spare];
        if spare == 2 {
            answers.truncate(keys.len().saturating_sub(1));
        }
        let untouched = answers.get(keys.len()).cloned();
        index.lookup_batch(&keys, now(minute), &mut answers);
        let mut single = Answer::default();
        for (key, answer) in keys.iter().zip(&answers) {
            index.lookup(&[*key], now(minute), &mut single);
            prop_assert_eq!(answer, &single);
        }
        prop_assert_eq!(answers.get(keys.len()).cloned(), untouched);
    }
}

/// Some second of a minute.
fn now(minute: u32) -> Timestamp {
    Timestamp(i64::from(MINUTE + minute) * 60 + i64::from(minute * 7 % 60))
}

#[test]
fn sections_that_do_not_fit_together_are_refused() {
    let one = Person { flags: 0, audiences: BTreeSet::new(), flips: Vec::new(), keys: 1 };
    let large = World { people: vec![one.clone(), one.clone()], blocked: Vec::new(), filter: false }.index();
    let small = World { people: vec![one], blocked: Vec::new(), filter: false }.index();
    assert!(Index::new(large.identities, None, small.forward, small.flips).is_err());
}
