//! The slow, obvious twin of the whole room, and the proof that the order of rows does not matter.

use super::consents::Objecting;
use super::events::Left;
use super::lists::Settled;
use super::*;
use crate::schema::{ProfileKey, PropKind, Span, Timestamp, TraitKind};
use crate::snapshot::columns::data::{EventData, PropData, TraitData};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const NOW: Timestamp = Timestamp(1_000);
const KINDS: [TraitKind; 3] = [TraitKind::Category, TraitKind::Number, TraitKind::Tags];

#[derive(Debug, Clone)]
enum Said {
    Traits { time: i64, priority: i32, category: Option<u8>, number: Option<i8>, tags: Vec<u8> },
    Did { time: i64, id: Option<u8>, kind: Option<u8>, amount: Option<i8> },
    Listed { list: u8, time: i64, remove: bool, ttl: Option<u32> },
    Linked,
    Household,
    Consent { time: i64, saying: u8 },
}

type Row = (Vec<u8>, Said);

/// Keys in another order than identifiers, so that no test passes by luck.
fn key(id: u8) -> ProfileKey {
    ProfileKey(u128::from(id.wrapping_mul(157).wrapping_add(11)) << 120 | u128::from(id))
}

fn saying(number: u8) -> Saying {
    match number {
        0 => Saying::Consents,
        1 => Saying::Refuses,
        2 => Saying::Objects { marketing: true, profiling: false },
        3 => Saying::Objects { marketing: false, profiling: true },
        _ => Saying::Objects { marketing: true, profiling: true },
    }
}

fn known_lists() -> BTreeMap<String, Option<Span>> {
    [("a/0".to_owned(), None), ("a/1".to_owned(), Some(Span(900))), ("a/empty".to_owned(), None)].into()
}

#[derive(Debug, PartialEq)]
struct Outcome {
    ordinals: BTreeMap<ProfileKey, Option<u32>>,
    seeds: Vec<u32>,
    traits: Vec<String>,
    events: Vec<(u32, u32, Option<String>, Option<i64>)>,
    left: Left,
    lists: Settled,
    flags: Vec<u8>,
    objecting: Vec<(ProfileKey, u8, bool)>,
    cut: (u64, u64),
}

/// The real thing.
fn run(rows: &[Row], max: u32) -> Outcome {
    let mut graph = Graph::new();
    let mut traits = Traits::new(&KINDS);
    let properties = [("kind".to_owned(), PropKind::Category), ("amount".to_owned(), PropKind::Number)];
    let mut events = EventColumn::new(properties);
    let (mut lists, mut consents) = (Lists::default(), Consents::default());
    for (ids, said) in rows {
        let mut numbers = Vec::new();
        graph.number(ids.iter().map(|&id| (key(id), u16::from(id % 3))), &mut numbers).unwrap();
        let witness = match said {
            Said::Household => {
                graph.household();
                continue;
            }
            Said::Linked => Witness::Link,
            Said::Consent { .. } => Witness::Consent,
            _ => Witness::Person,
        };
        let node = graph.row(&numbers, witness).unwrap();
        match said {
            Said::Traits { time, priority, category, number, tags } => {
                traits.row(node, *time, *priority).unwrap();
                category.iter().for_each(|value| traits.set(0, Value::Text(&value.to_string())));
                number.iter().for_each(|&value| traits.set(1, Value::Number(value.into())));
                tags.iter().for_each(|value| traits.set(2, Value::Text(&value.to_string())));
            }
            Said::Did { time, id, kind, amount } => {
                let kind = kind.map(|kind| kind.to_string());
                let values = kind.iter().map(|kind| (0, Value::Text(kind)));
                let amounts = amount.iter().map(|&amount| (1, Value::Number(amount.into())));
                events.push(node, *time, id.map(|id| u128::from(id) << 118), values.chain(amounts)).unwrap();
            }
            Said::Listed { list, time, remove, ttl } => lists.push(&format!("a/{list}"), node, *time, *remove, *ttl),
            Said::Consent { time, saying: number } => consents.push(node, &numbers, *time, saying(*number)),
            Said::Linked | Said::Household => {}
        }
    }
    let people = graph.finish(max);
    let settled = consents.settle(&people);
    let (events, left) = events.settle(&people);
    Outcome {
        ordinals: people.identifiers().map(|(key, _, who)| (key, (who != NOBODY).then_some(who))).collect(),
        seeds: people.seeds().to_vec(),
        traits: (0..3).map(|number| show(traits.settle(number, &people), people.len())).collect(),
        events: show_events(&events),
        left,
        lists: lists.settle(&people, &known_lists(), NOW),
        flags: settled.flags,
        objecting: settled
            .objecting
            .iter()
            .map(|&Objecting { key, scope, has_profile, .. }| (key, scope, has_profile))
            .collect(),
        cut: (people.report().cut_components, people.report().cut_identifiers),
    }
}

/// A column as text, a profile a line: what its values mean, whatever their codes.
fn show(data: TraitData, profiles: u32) -> String {
    let line = |who: usize| match &data {
        TraitData::Category { codes, dictionary } => {
            codes[who].checked_sub(1).map_or(String::new(), |code| dictionary[code as usize].clone())
        }
        TraitData::Tags { starts, codes, dictionary } => {
            let tags = &codes[starts[who] as usize..starts[who + 1] as usize];
            tags.iter().map(|&tag| dictionary[tag as usize].as_str()).collect::<Vec<_>>().join("+")
        }
        TraitData::Number(values) => values[who].to_string(),
        _ => unreachable!(),
    };
    if let TraitData::Category { dictionary, .. } | TraitData::Tags { dictionary, .. } = &data {
        assert!(dictionary.windows(2).all(|pair| pair[0] < pair[1]), "{dictionary:?}");
    }
    (0..profiles as usize).map(line).collect::<Vec<_>>().join("\n")
}

fn show_events(data: &EventData) -> Vec<(u32, u32, Option<String>, Option<i64>)> {
    let [(_, PropData::Category { codes, dictionary }), (_, PropData::Number(amounts))] = &data.properties[..] else {
        unreachable!()
    };
    let kind = |row: usize| codes[row].checked_sub(1).map(|code| dictionary[code as usize].clone());
    let amount = |row: usize| (!amounts[row].is_nan()).then_some(amounts[row] as i64);
    (0..data.ordinals.len()).map(|row| (data.ordinals[row], data.times[row], kind(row), amount(row))).collect()
}

/// The obvious way: sets of sets, searched again and again.
fn obvious(rows: &[Row], max: u32) -> Outcome {
    let rows: Vec<(BTreeSet<ProfileKey>, &Said)> =
        rows.iter().map(|(ids, said)| (ids.iter().map(|&id| key(id)).collect(), said)).collect();
    let (parts, cut, components) = obvious_parts(&rows, max as usize);
    let mentioned: BTreeSet<ProfileKey> = rows
        .iter()
        .filter(|(_, said)| !matches!(said, Said::Consent { .. } | Said::Household))
        .flat_map(|(ids, _)| ids.clone())
        .collect();
    let mut people: Vec<BTreeSet<ProfileKey>> =
        parts.into_iter().filter(|part| !part.is_disjoint(&mentioned)).collect();
    people.sort();
    let who = |key: &ProfileKey| people.iter().position(|ids| ids.contains(key)).map(|at| at as u32);
    let all: BTreeSet<ProfileKey> = rows.iter().flat_map(|(ids, _)| ids.clone()).collect();
    let of_row = |ids: &BTreeSet<ProfileKey>| ids.iter().find_map(who);
    let mut traits = vec![vec![Vec::new(); people.len()]; 3];
    let mut events = Vec::new();
    let mut left = Left::default();
    let mut lists: BTreeMap<String, BTreeMap<u32, (i64, i64, i64)>> = BTreeMap::new();
    let mut settled = Settled::default();
    let mut newest = vec![(i64::MIN, 0u8); people.len()];
    let mut objections = vec![0u8; people.len()];
    let mut objecting: BTreeMap<ProfileKey, u8> = BTreeMap::new();
    for (ids, said) in &rows {
        let owner = of_row(ids);
        match said {
            Said::Traits { time, priority, category, number, tags } => {
                let Some(owner) = owner else { continue };
                let owner = owner as usize;
                category.iter().for_each(|value| traits[0][owner].push((*priority, *time, 0, value.to_string())));
                number.iter().for_each(|value| traits[1][owner].push((*priority, *time, *value, value.to_string())));
                tags.iter().for_each(|value| traits[2][owner].push((0, 0, 0, value.to_string())));
            }
            Said::Did { time, id, kind, amount } => {
                let event = (*time as u32, owner, kind.map(|kind| kind.to_string()), *amount);
                match owner {
                    None => left.dropped += 1,
                    Some(_) => events.push((*id, event)),
                }
            }
            Said::Listed { list, time, remove, ttl } => {
                let name = format!("a/{list}");
                if !known_lists().contains_key(&name) {
                    *settled.unknown.entry(name).or_default() += 1;
                    continue;
                }
                let Some(owner) = owner else {
                    settled.dropped += 1;
                    continue;
                };
                let own = known_lists()[&name].map_or(i64::MAX, |ttl| time + ttl.0);
                let (rank, until) = match (remove, ttl) {
                    (true, _) => (i64::MAX, i64::MIN),
                    (false, None) => (i64::MAX - 1, own),
                    (false, Some(minutes)) => (i64::from(*minutes), time + i64::from(*minutes) * 60),
                };
                let slot = lists.entry(name).or_default().entry(owner).or_insert((*time, rank, until));
                *slot = (*slot).max((*time, rank, until));
            }
            Said::Consent { time, saying: number } => {
                let scope = [0, 4, 1, 2, 3][usize::from(*number)];
                if *number >= 2 {
                    ids.iter().for_each(|id| *objecting.entry(*id).or_default() |= scope);
                }
                let Some(owner) = owner.map(|owner| owner as usize) else { continue };
                if *number >= 2 {
                    objections[owner] |= scope;
                } else {
                    newest[owner] = newest[owner].max((*time, scope));
                }
            }
            Said::Linked | Said::Household => {}
        }
    }
    for (name, _) in known_lists() {
        let mut data = crate::snapshot::columns::data::ListData::default();
        for (who, (_, _, until)) in lists.remove(&name).unwrap_or_default() {
            if until > NOW.0 {
                data.ordinals.push(who);
                data.until.push(u32::try_from(until).unwrap_or(u32::MAX));
            } else if until != i64::MIN {
                settled.ended += 1;
            }
        }
        settled.lists.push((name, data));
    }
    Outcome {
        ordinals: all.iter().map(|key| (*key, who(key))).collect(),
        seeds: people.iter().map(|ids| ids.first().map_or(0, |key| (key.0 >> 96) as u32)).collect(),
        traits: obvious_traits(traits),
        events: obvious_events(events, &mut left),
        left,
        lists: settled,
        flags: newest.iter().zip(&objections).map(|((_, refused), objection)| refused | objection).collect(),
        objecting: objecting.into_iter().map(|(key, scope)| (key, scope, who(&key).is_some())).collect(),
        cut: (components, cut.len() as u64),
    }
}

fn obvious_traits(mut traits: Vec<Vec<Vec<(i32, i64, i8, String)>>>) -> Vec<String> {
    traits.iter_mut().flatten().for_each(|values| values.sort());
    let lines = |column: &Vec<Vec<(i32, i64, i8, String)>>, unknown: &str| -> String {
        column.iter().map(|values| values.last().map_or(unknown, |value| &value.3)).collect::<Vec<_>>().join("\n")
    };
    let tags = traits[2].iter().map(|values| {
        let distinct: BTreeSet<&str> = values.iter().map(|value| value.3.as_str()).collect();
        distinct.into_iter().collect::<Vec<_>>().join("+")
    });
    vec![lines(&traits[0], ""), lines(&traits[1], "NaN"), tags.collect::<Vec<_>>().join("\n")]
}

type Happened = (u32, Option<u32>, Option<String>, Option<i8>);

/// Unknown amounts sort last: NaN is above every number.
fn rank(amount: Option<i8>) -> i64 {
    amount.map_or(i64::MAX, i64::from)
}

fn obvious_events(
    mut events: Vec<(Option<u8>, Happened)>,
    left: &mut Left,
) -> Vec<(u32, u32, Option<String>, Option<i64>)> {
    events.sort_by_key(|(_, (time, who, kind, amount))| (*time, *who, kind.clone(), rank(*amount)));
    let mut seen = BTreeSet::new();
    events.retain(|(id, _)| {
        id.is_none_or(|id| seen.insert(id)) || {
            left.repeated += 1;
            false
        }
    });
    let mut events: Vec<Happened> = events.into_iter().map(|(_, event)| event).collect();
    events.sort_by_key(|(time, who, kind, amount)| (*who, *time, kind.clone(), rank(*amount)));
    events
        .into_iter()
        .map(|(time, who, kind, amount)| (who.unwrap_or_default(), time, kind, amount.map(i64::from)))
        .collect()
}

/// The parts, the identifiers that were cut, and how many components were too large.
fn obvious_parts(
    rows: &[(BTreeSet<ProfileKey>, &Said)],
    max: usize,
) -> (Vec<BTreeSet<ProfileKey>>, BTreeSet<ProfileKey>, u64) {
    let joins: BTreeSet<BTreeSet<ProfileKey>> = rows
        .iter()
        .filter(|(ids, said)| ids.len() > 1 && !matches!(said, Said::Household))
        .map(|(ids, _)| ids.clone())
        .collect();
    let all: BTreeSet<ProfileKey> = rows.iter().flat_map(|(ids, _)| ids.clone()).collect();
    let mut cut: BTreeSet<ProfileKey> = BTreeSet::new();
    let mut first = None;
    loop {
        let joins: Vec<BTreeSet<ProfileKey>> = joins
            .iter()
            .map(|ids| ids.difference(&cut).copied().collect())
            .filter(|ids: &BTreeSet<_>| ids.len() > 1)
            .collect();
        let parts = reachable(&all.difference(&cut).copied().collect(), &joins);
        let large: Vec<_> = parts.iter().filter(|part| part.len() > max).collect();
        let components = *first.get_or_insert(large.len() as u64);
        if large.is_empty() {
            return (parts, cut, components);
        }
        for part in large {
            let degree = |key: &ProfileKey| joins.iter().filter(|ids| ids.contains(key)).count();
            cut.extend(part.iter().max_by_key(|key| (degree(key), std::cmp::Reverse(**key))));
        }
    }
}

fn reachable(all: &BTreeSet<ProfileKey>, joins: &[BTreeSet<ProfileKey>]) -> Vec<BTreeSet<ProfileKey>> {
    let mut left = all.clone();
    let mut parts = Vec::new();
    while let Some(start) = left.pop_first() {
        let mut part = BTreeSet::from([start]);
        loop {
            let more: BTreeSet<ProfileKey> = joins
                .iter()
                .filter(|ids| !ids.is_disjoint(&part))
                .flatten()
                .copied()
                .filter(|id| !part.contains(id))
                .collect();
            if more.is_empty() {
                break;
            }
            part.extend(more);
        }
        left = left.difference(&part).copied().collect();
        parts.push(part);
    }
    parts
}

fn row() -> impl Strategy<Value = Row> {
    let ids = prop_oneof![
        6 => prop::collection::btree_set(0u8..60, 1..3),
        2 => prop::collection::btree_set(0u8..60, 2..5),
        1 => prop::collection::btree_set(0u8..4, 1..3),
    ];
    let time = 0i64..5;
    let traits = (
        time.clone(),
        0i32..3,
        prop::option::of(0u8..4),
        prop::option::of(-3i8..3),
        prop::collection::vec(0u8..4, 0..3),
    );
    let did = (time.clone(), prop::option::of(0u8..8), prop::option::of(0u8..3), prop::option::of(-2i8..3));
    let listed = (0u8..3, time.clone(), any::<bool>(), prop::option::of(10u32..20));
    let said = prop_oneof![
        3 => traits.prop_map(|(time, priority, category, number, tags)| Said::Traits { time, priority, category, number, tags }),
        3 => did.prop_map(|(time, id, kind, amount)| Said::Did { time, id, kind, amount }),
        2 => listed.prop_map(|(list, time, remove, ttl)| Said::Listed { list, time: time * 200, remove, ttl }),
        2 => Just(Said::Linked),
        1 => Just(Said::Household),
        2 => (time, 0u8..5).prop_map(|(time, saying)| Said::Consent { time, saying }),
    ];
    (ids.prop_map(|ids| ids.into_iter().collect()), said)
}

fn rows_and_shuffled() -> impl Strategy<Value = (Vec<Row>, Vec<Row>)> {
    prop::collection::vec(row(), 0..60).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn profiles_are_as_the_obvious_way_finds_them((rows, _) in rows_and_shuffled(), max in 1u32..8) {
        prop_assert_eq!(run(&rows, max), obvious(&rows, max));
    }

    #[test]
    fn the_order_of_rows_does_not_matter((rows, shuffled) in rows_and_shuffled(), max in 1u32..12) {
        prop_assert_eq!(run(&rows, max), run(&shuffled, max));
    }
}

fn linked(ids: &[u8]) -> Row {
    (ids.to_vec(), Said::Linked)
}

#[test]
fn a_shared_device_is_cut_and_the_people_behind_it_stay_apart() {
    // 50 is the family tablet; 1-2 and 3-4 are two persons.
    let rows = [linked(&[1, 2]), linked(&[3, 4]), linked(&[1, 50]), linked(&[3, 50]), linked(&[5, 50])];
    let whole = run(&rows, 6);
    assert_eq!(whole.seeds.len(), 1);
    let apart = run(&rows, 3);
    assert_eq!((apart.cut, apart.seeds.len()), ((1, 1), 3));
    assert_eq!(apart.ordinals[&key(50)], None);
    assert_eq!(apart.ordinals[&key(1)], apart.ordinals[&key(2)]);
    assert_ne!(apart.ordinals[&key(1)], apart.ordinals[&key(3)]);
}

#[test]
fn a_household_merges_nobody_and_an_objection_alone_makes_no_profile() {
    let rows = [
        linked(&[1, 2]),
        linked(&[3, 4]),
        (vec![1, 3, 9], Said::Household),
        (vec![7], Said::Consent { time: 0, saying: 2 }),
        (vec![2, 8], Said::Consent { time: 0, saying: 3 }),
    ];
    let outcome = run(&rows, 64);
    assert_eq!(outcome.seeds.len(), 2);
    assert_eq!((outcome.ordinals[&key(7)], outcome.ordinals[&key(9)]), (None, None));
    assert_eq!(outcome.ordinals[&key(8)], outcome.ordinals[&key(1)], "a consent row joins its identifiers");
    let objecting: BTreeMap<_, _> =
        outcome.objecting.iter().map(|&(key, scope, known)| (key, (scope, known))).collect();
    assert_eq!(objecting[&key(7)], (1, false));
    assert_eq!(objecting[&key(8)], (2, true));
    assert_eq!(objecting[&key(2)], (2, true));
}

#[test]
fn a_large_component_is_cut_in_reasonable_time() {
    // A poisoned identifier on 20,000 people of two identifiers each, and a chain through them.
    let mut graph = Graph::new();
    let mut numbers = Vec::new();
    let id = |n: u32| (ProfileKey(u128::from(n.wrapping_mul(2_654_435_761)) << 96), 0);
    graph.number((0..40_001).map(id), &mut numbers).unwrap();
    for person in 0..20_000 {
        let (a, b) = (numbers[1 + 2 * person], numbers[2 + 2 * person]);
        graph.row(&[numbers[0], a], Witness::Link).unwrap();
        graph.row(&[a, b], Witness::Link).unwrap();
    }
    let people = graph.finish(64);
    assert_eq!((people.len(), people.report().cut_identifiers), (20_000, 1));
    assert_eq!(people.report().ids_per_profile, BTreeMap::from([(2, 20_000)]));
}
