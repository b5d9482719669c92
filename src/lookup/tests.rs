//! Lookups against a linear scan over plain vectors; a batch against one at a time.

use super::*;
use crate::log::Control;
use crate::overlay::{Blocked, Change, Overlay};
use crate::schema::{KeyHasher, ProfileKey, Scope, Timestamp};
use crate::snapshot::filter::write_filter;
use crate::snapshot::flips::write_flips;
use crate::snapshot::forward::flags;
use crate::snapshot::identities::{BLOCKED_ALL, BLOCKED_MARKETING, BLOCKED_PROFILING};
use crate::snapshot::{Filter, Flip, Flips, Forward, ForwardWriter, Identities, IdentitiesWriter};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

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
    since: Since,
}

/// What changed since the snapshot.
#[derive(Debug, Clone, Default)]
struct Since {
    nobody: BTreeSet<u32>,
    /// Of keys that the snapshot may not know; the position is the stranger's number.
    strangers: Vec<usize>,
    /// By profile, strangers after the others: (minute after [`MINUTE`], or any; audience; join).
    changes: Vec<BTreeSet<(Option<u32>, u32, bool)>>,
    consents: Vec<Option<bool>>,
    /// (key, scope, minute of its end after [`MINUTE`])
    objections: Vec<(usize, Scope, u32)>,
}

const HASHER: fn() -> KeyHasher = || KeyHasher::new([1; 16]);

impl Since {
    fn overlay(&self, profiles: usize) -> Overlay {
        let blocked = Blocked::new();
        for &(who, scope, minute) in &self.objections {
            let keys = vec![HASHER().block_key(key(who))];
            let until = Some(now_of(minute));
            blocked.note(&Control::Objection { keys, scope, time: 0, until });
        }
        let overlay = Overlay::new(profiles as u32, HASHER(), Arc::new(blocked));
        overlay.start_strangers_with(self.nobody.iter().copied().collect());
        for (profile, changes) in (0..).zip(&self.changes) {
            let change = |&(minute, audience, join): &(Option<u32>, u32, bool)| {
                Change::new(minute.map_or(0, |it| MINUTE + it), audience, join)
            };
            overlay.change(profile, changes.iter().map(change).collect());
        }
        for (profile, consents) in (0..).zip(&self.consents) {
            if let Some(consents) = consents {
                overlay.say_consent(profile, *consents);
            }
        }
        for (number, who) in (profiles as u32..).zip(&self.strangers) {
            overlay.admit(key(*who), number);
        }
        overlay
    }
}

fn now_of(minute: u32) -> i64 {
    i64::from(MINUTE + minute) * 60
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

    /// Everybody: the snapshot's people and then the strangers, with what changed since.
    fn everybody(&self, minute: u32) -> Vec<(u8, BTreeSet<u32>)> {
        let strangers = self.since.strangers.iter().map(|_| (0, self.since.nobody.clone()));
        let people = self.people.iter().map(|person| (person.flags, at_minute(person, minute)));
        let mut everybody: Vec<_> = people.chain(strangers).collect();
        for ((_, audiences), changes) in everybody.iter_mut().zip(&self.since.changes) {
            for (_, audience, join) in changes.iter().filter(|change| change.0.is_none_or(|from| from <= minute)) {
                if *join {
                    audiences.insert(*audience);
                } else {
                    audiences.remove(audience);
                }
            }
        }
        for ((flags, _), consents) in everybody.iter_mut().zip(&self.since.consents) {
            *flags = match consents {
                Some(true) => *flags & !flags::REFUSED,
                Some(false) => *flags | flags::REFUSED,
                None => *flags,
            };
        }
        everybody
    }

    /// The same question, answered the slow way.
    fn scan(&self, keys: &[ProfileKey], minute: u32) -> Answer {
        let mut entries = self.entries();
        for (number, who) in (self.people.len() as u32..).zip(&self.since.strangers) {
            entries.push((key(*who), number));
        }
        let everybody = self.everybody(minute);
        let values: Vec<Option<u32>> =
            keys.iter().map(|key| entries.iter().find(|entry| entry.0 == *key).map(|entry| entry.1)).collect();
        let mut ordinals: Vec<u32> = Vec::new();
        for ordinal in values.iter().flatten().filter(|value| (**value as usize) < everybody.len()) {
            if !ordinals.contains(ordinal) {
                ordinals.push(*ordinal);
            }
        }
        let matched: Vec<&(u8, BTreeSet<u32>)> = ordinals.iter().map(|at| &everybody[*at as usize]).collect();
        let objects = |scope: Scope| {
            let mut objections =
                self.since.objections.iter().filter(|objection| objection.1 == scope && minute < objection.2);
            objections.any(|objection| keys.contains(&key(objection.0)))
        };
        let marked = |mark: u32| values.contains(&Some(mark));
        let blocked = marked(BLOCKED_ALL)
            || marked(BLOCKED_MARKETING)
            || objects(Scope::All)
            || objects(Scope::Marketing)
            || matched.iter().any(|person| person.0 & flags::OBJECTS_TO_MARKETING != 0);
        let silent =
            marked(BLOCKED_PROFILING) || objects(Scope::Profiling) || matched.iter().any(|person| person.0 & 6 != 0);
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
            answer.audiences = matched[0].1.iter().copied().collect();
            let all: BTreeSet<u32> = matched.iter().flat_map(|person| person.1.iter().copied()).collect();
            answer.excluded_by = all.into_iter().collect();
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
    HASHER().key("test", &at.to_string())
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

fn since() -> impl Strategy<Value = Since> {
    let change = (prop::option::of(0u32..10), 0..AUDIENCES, any::<bool>());
    let scope = prop::sample::select(vec![Scope::Marketing, Scope::Profiling, Scope::All]);
    let some = (
        prop::collection::btree_set(0..AUDIENCES, 0..5),
        prop::collection::btree_set(40usize..80, 0..20),
        prop::collection::vec(prop::collection::btree_set(change, 0..5), 0..30),
        prop::collection::vec(prop_oneof![3 => Just(None), 1 => any::<bool>().prop_map(Some)], 0..30),
        prop::collection::vec((0usize..80, scope, 0u32..12), 0..4),
    );
    let some = some.prop_map(|(nobody, strangers, changes, consents, objections)| Since {
        nobody,
        strangers: strangers.into_iter().collect(),
        changes,
        consents,
        objections,
    });
    prop_oneof![1 => Just(Since::default()), 3 => some]
}

fn world() -> impl Strategy<Value = World> {
    let blocked = prop::sample::select(vec![BLOCKED_ALL, BLOCKED_MARKETING, BLOCKED_PROFILING]);
    let world = (prop::collection::vec(person(), 0..20), prop::collection::vec(blocked, 0..4), any::<bool>(), since());
    world.prop_map(|(people, blocked, filter, mut since)| {
        let everybody = people.len() + since.strangers.len();
        since.changes.truncate(everybody);
        since.consents.truncate(everybody);
        World { people, blocked, filter, since }
    })
}

proptest! {
    #[test]
    fn a_lookup_equals_a_linear_scan(
        world in world(),
        questions in prop::collection::vec((prop::collection::vec(0usize..80, 0..5), 0u32..12), 1..20),
    ) {
        let (index, overlay) = (world.index(), world.since.overlay(world.people.len()));
        let mut answer = Answer::default();
        for (who, minute) in questions {
            let keys: Vec<ProfileKey> = who.into_iter().map(key).collect();
            index.lookup(&keys, now(minute), &overlay, &mut answer);
            prop_assert_eq!(&answer, &world.scan(&keys, minute));
        }
    }

    #[test]
    fn a_batch_equals_one_at_a_time(world in world(), who in prop::collection::vec(0usize..80, 0..200), minute in 0u32..12, spare in 0usize..3) {
        let (index, overlay) = (world.index(), world.since.overlay(world.people.len()));
        let keys: Vec<ProfileKey> = who.into_iter().map(key).collect();
        // Answers used before, one more or fewer than keys.
        let mut answers = vec![Answer { audiences: vec![7], outcome: Outcome::Blocked, ..Answer::default() }; keys.len() + spare];
        if spare == 2 {
            answers.truncate(keys.len().saturating_sub(1));
        }
        let untouched = answers.get(keys.len()).cloned();
        index.lookup_batch(&keys, now(minute), &overlay, &mut answers);
        let mut single = Answer::default();
        for (key, answer) in keys.iter().zip(&answers) {
            index.lookup(&[*key], now(minute), &overlay, &mut single);
            prop_assert_eq!(answer, &single);
        }
        prop_assert_eq!(answers.get(keys.len()).cloned(), untouched);
    }
}

/// Some second of a minute.
fn now(minute: u32) -> Timestamp {
    Timestamp(now_of(minute) + i64::from(minute * 7 % 60))
}

#[test]
fn sections_that_do_not_fit_together_are_refused() {
    let one = Person { flags: 0, audiences: BTreeSet::new(), flips: Vec::new(), keys: 1 };
    let large =
        World { people: vec![one.clone(), one.clone()], blocked: Vec::new(), filter: false, since: Since::default() }
            .index();
    let small = World { people: vec![one], blocked: Vec::new(), filter: false, since: Since::default() }.index();
    assert!(Index::new(large.identities, None, small.forward, small.flips).is_err());
}
