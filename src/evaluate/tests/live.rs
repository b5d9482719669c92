//! The live plan against a rebuild: the same facts folded into columns and evaluated for everybody. And against itself,
//! minute by minute: it says in time when an answer turns over.

use super::fold::fold;
use super::worlds::{self, World};
use super::*;
use crate::log::Record;
use crate::schema::Span;
use crate::snapshot::columns::Columns;
use std::collections::BTreeMap;

/// A world, what doors took in since, by ordinal, which traits sources win, and rules.
#[derive(Debug, Clone)]
struct Since {
    world: World,
    records: BTreeMap<u32, Vec<Record<'static>>>,
    outranked: u8,
    catalogue: Catalogue,
}

impl Since {
    /// Somebody of the world whom it knows nothing of: a stranger, once nobody says where they are.
    fn quiet(&self) -> Option<u32> {
        (0..self.world.data.ordinals).find(|at| !self.world.active.contains(at))
    }

    fn outranked(&self, name: &str) -> bool {
        let at = ["age", "born", "likes", "new", "region", "vip"].iter().position(|other| *other == name);
        at.is_some_and(|at| self.outranked >> at & 1 == 1)
    }

    fn ttl(&self) -> Option<Span> {
        self.catalogue.audiences[0].ttl
    }

    /// Whom records may be about, each as a person: those of the world, and one who is a stranger.
    fn people<'p>(&'p self, columns: &'p Columns<'p>) -> Vec<(u32, Person<'p, 'static>)> {
        let facts = |who: &u32| self.records.get(who).map_or(&[][..], |records| records);
        let person = |who: &u32| Person { columns, ordinal: Some(*who), seed: 0, facts: facts(who) };
        let mut people: Vec<_> = self.world.active.iter().map(|who| (*who, person(who))).collect();
        people.extend(self.quiet().map(|who| (who, Person { ordinal: None, seed: 7, ..person(&who) })));
        people
    }
}

fn since(rules: std::ops::Range<usize>) -> impl Strategy<Value = Since> {
    let ttl = proptest::option::of((1..5_000i64).prop_map(|minutes| Span(minutes * 60)));
    (worlds::world(), any::<u8>(), ttl).prop_flat_map(move |(world, outranked, ttl)| {
        let quiet = (0..world.data.ordinals).find(|at| !world.active.contains(at));
        let people: Vec<u32> = world.active.iter().copied().chain(quiet).collect();
        let records = proptest::collection::vec(worlds::records(world.now, world.fractions), people.len());
        (Just(world.clone()), records, worlds::catalogue(world.now, rules.clone())).prop_map(
            move |(world, records, mut catalogue)| {
                catalogue.audiences[0].ttl = ttl;
                Since { world, records: people.iter().copied().zip(records).collect(), outranked, catalogue }
            },
        )
    })
}

fn as_rebuilt(since: &Since, later: i64) -> Result<(), TestCaseError> {
    let zone = TimeZone::get(since.world.zone).unwrap();
    let sections = Sections::encode(&since.world.data).unwrap();
    let columns = sections.open().unwrap();
    let live = LivePlan::compile(&since.catalogue, &columns, &zone, |_| false).outranked(|name| since.outranked(name));
    let rebuilt = fold(&since.world.data, &since.records, &|name| since.outranked(name), since.ttl());
    let sections = Sections::encode(&rebuilt).unwrap();
    let rebuilt = sections.open().unwrap();
    let people = since.people(&columns);
    let ordinals: Vec<u32> = people.iter().map(|(who, _)| *who).collect();
    for now in [since.world.now, Timestamp(since.world.now.0 + later * 60)] {
        let plan = Plan::compile(&since.catalogue, &rebuilt, now, &zone);
        let expected = answers(&plan, &ordinals);
        for ((who, person), expected) in people.iter().zip(&expected) {
            for (rule, expected) in (0u32..).zip(expected) {
                let id = &since.catalogue.audiences[rule as usize].id;
                prop_assert_eq!(live.holds(person, rule, now), *expected, "{} of {} at {}", id, who, now);
            }
        }
    }
    // Of whom nothing is known.
    for seed in [0, 7, u32::MAX] {
        let nobody = Person { columns: &columns, ordinal: Some(columns.ordinals()), seed, facts: &[] };
        for rule in (0..live.len() as u32).filter(|rule| !live.sampled().contains(rule)) {
            prop_assert_eq!(live.holds(&nobody, rule, since.world.now), live.of_nobody().contains(&rule));
        }
    }
    Ok(())
}

/// What a record changes is among what depends on it.
fn dependents_are_all(since: &Since) -> Result<(), TestCaseError> {
    let zone = TimeZone::get(since.world.zone).unwrap();
    let sections = Sections::encode(&since.world.data).unwrap();
    let columns = sections.open().unwrap();
    let live = LivePlan::compile(&since.catalogue, &columns, &zone, |_| false);
    for (who, person) in since.people(&columns) {
        for count in 0..person.facts.len() {
            let (before, after) = (
                Person { facts: &person.facts[..count], ..person },
                Person { facts: &person.facts[..=count], ..person },
            );
            let depend: Vec<u32> = live.dependents(&person.facts[count].said).collect();
            prop_assert!(depend.is_sorted_by(|a, b| a < b));
            for rule in (0..live.len() as u32).filter(|rule| !depend.contains(rule)) {
                let now = since.world.now;
                prop_assert_eq!(live.holds(&before, rule, now), live.holds(&after, rule, now), "{} of {}", rule, who);
            }
        }
    }
    Ok(())
}

/// Minutes at which an oracle looks: each of the next hours, then some of the next weeks, and those about the one named.
fn looked_at(named: Option<i64>, start: i64) -> impl Iterator<Item = i64> {
    let about = named.into_iter().flat_map(|minute| minute - 2..=minute + 1);
    let far = (1..240).map(|at| at * 241);
    let mut minutes: Vec<i64> = (1..190).chain(far).map(|at| start + at).chain(about).collect();
    minutes.sort_unstable();
    minutes.into_iter().filter(move |minute| *minute > start)
}

fn named_in_time(since: &Since) -> Result<(), TestCaseError> {
    let zone = TimeZone::get(since.world.zone).unwrap();
    let sections = Sections::encode(&since.world.data).unwrap();
    let columns = sections.open().unwrap();
    let live = LivePlan::compile(&since.catalogue, &columns, &zone, |_| false).outranked(|name| since.outranked(name));
    let start = since.world.now;
    for (who, person) in since.people(&columns).into_iter().rev().take(3) {
        let mut earliest = None;
        for rule in 0..live.len() as u32 {
            let now = live.holds(&person, rule, start);
            let named = live.next_change(&person, [rule], start);
            earliest = [earliest, named].into_iter().flatten().min();
            prop_assert!(named.is_none_or(|named| named > start.minute()));
            let until = named.unwrap_or(i64::MAX);
            for minute in looked_at(named, start.minute()).take_while(|minute| *minute < until) {
                let id = &since.catalogue.audiences[rule as usize].id;
                let then = live.holds(&person, rule, Timestamp(minute * 60));
                prop_assert_eq!(then, now, "{} of {} at {}, named {:?}", id, who, Timestamp(minute * 60), named);
            }
        }
        prop_assert_eq!(live.next_change(&person, 0..live.len() as u32, start), earliest);
        told_in_time(since, &live, &person, &zone)?;
    }
    Ok(())
}

/// When an answer is said to turn by itself it does, and not before.
fn told_in_time(
    since: &Since,
    live: &LivePlan,
    person: &Person<'_, 'static>,
    zone: &TimeZone,
) -> Result<(), TestCaseError> {
    let start = since.world.now;
    let question = Question { catalogue: &since.catalogue, columns: person.columns, now: start, zone };
    let outranked = |name: &str| since.outranked(name);
    let Person { ordinal, seed, facts, .. } = *person;
    let subject = Subject { ordinal, seed, facts, outranked: &outranked, declarations: None };
    for (rule, audience) in (0u32..).zip(&since.catalogue.audiences) {
        let now = live.holds(person, rule, start);
        prop_assert_eq!(question.about(&audience.id, &subject).map(|tree| tree.truth), Some(now));
        let changes = question.changes(&audience.id, &subject).expect("an audience");
        let at = changes.by_itself.and_then(|change| change.at);
        if let Some(at) = at {
            prop_assert_ne!(live.holds(person, rule, at), now, "{} at {}", audience.id, at);
        }
        let until = at.map_or(i64::MAX, Timestamp::minute);
        let minutes = looked_at(at.map(Timestamp::minute), start.minute());
        for minute in minutes.take_while(|minute| *minute < until) {
            prop_assert_eq!(live.holds(person, rule, Timestamp(minute * 60)), now, "{} at {}", audience.id, minute);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, max_shrink_iters: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn a_live_answer_is_that_of_a_rebuild(since in since(1..8), later in 0..3_000i64) {
        as_rebuilt(&since, later)?;
        dependents_are_all(&since)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, max_shrink_iters: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn no_answer_turns_over_before_the_minute_that_is_named(since in since(1..5)) {
        named_in_time(&since)?;
    }
}
