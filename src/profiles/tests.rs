//! The whole room against its slow, obvious twin, and the proof that the order of rows does not matter.

mod obvious;

use super::consents::Objecting;
use super::events::Left;
use super::lists::Settled;
use super::*;
use crate::schema::{ProfileKey, PropKind, Span, Timestamp, TraitKind};
use crate::snapshot::columns::data::{EventData, PropData, TraitData};
use obvious::obvious;
use proptest::prelude::*;
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp(1_000);
const KINDS: [TraitKind; 5] =
    [TraitKind::Category, TraitKind::Number, TraitKind::Tags, TraitKind::Date, TraitKind::Flag];

#[derive(Debug, Clone)]
enum Said {
    /// The number is said as a date and as a flag (whether it is above 0), too.
    Traits {
        time: i64,
        priority: i32,
        category: Option<u8>,
        number: Option<i8>,
        tags: Vec<u8>,
        erase: Vec<usize>,
    },
    Did {
        time: i64,
        id: Option<u8>,
        kind: Option<u8>,
        amount: Option<i8>,
    },
    Listed {
        list: u8,
        time: i64,
        remove: bool,
        ttl: Option<u32>,
    },
    Linked,
    Household,
    Consent {
        time: i64,
        saying: u8,
    },
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

/// An event: who, when, kind, amount.
type Happened = (u32, u32, Option<String>, Option<i64>);

#[derive(Debug, PartialEq)]
struct Outcome {
    ordinals: BTreeMap<ProfileKey, Option<u32>>,
    seeds: Vec<u32>,
    traits: Vec<String>,
    events: Vec<Happened>,
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
            Said::Traits { time, priority, category, number, tags, erase } => {
                traits.row(node, *time, *priority).unwrap();
                category.iter().for_each(|value| traits.set(0, Value::Text(&value.to_string())));
                if let Some(&value) = number.as_ref() {
                    traits.set(1, Value::Number(value.into()));
                    traits.set(3, Value::Date(value.into()));
                    traits.set(4, Value::Flag(value > 0));
                }
                erase.iter().for_each(|&number| traits.erase(number));
                tags.iter().for_each(|value| traits.set(2, Value::Text(&value.to_string())));
            }
            Said::Did { time, id, kind, amount } => {
                let kind = kind.map(|kind| kind.to_string());
                let values = kind.iter().map(|kind| (0, Value::Text(kind)));
                let amounts = amount.iter().map(|&amount| (1, Value::Number(amount.into())));
                events.push(node, *time, id.map(event_id), values.chain(amounts)).unwrap();
            }
            Said::Listed { list, time, remove, ttl } => lists.push(&format!("a/{list}"), node, *time, *remove, *ttl),
            Said::Consent { time, saying: number } => consents.push(node, &numbers, *time, saying(*number)),
            Said::Linked | Said::Household => {}
        }
    }
    let people = graph.finish(max);
    let settled = consents.settle(&people);
    let (events, left) = events.settle(&people);
    let mut winners = traits.by_profile(&people);
    Outcome {
        ordinals: people.identifiers().map(|(key, _, who)| (key, (who != NOBODY).then_some(who))).collect(),
        seeds: people.seeds().to_vec(),
        traits: (0..KINDS.len()).map(|number| show(winners.take(number), people.len())).collect(),
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

/// Ids that differ in their highest, middle and lowest bits.
fn event_id(id: u8) -> u128 {
    u128::from(id & 1) | u128::from(id >> 1 & 1) << 60 | u128::from(id >> 2) << 118
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
        TraitData::Date(values) => values[who].to_string(),
        TraitData::Flag(values) => values[who].to_string(),
    };
    if let TraitData::Category { dictionary, .. } | TraitData::Tags { dictionary, .. } = &data {
        assert!(dictionary.windows(2).all(|pair| pair[0] < pair[1]), "{dictionary:?}");
    }
    (0..profiles as usize).map(line).collect::<Vec<_>>().join("\n")
}

fn show_events(data: &EventData) -> Vec<Happened> {
    let [(_, PropData::Category { codes, dictionary }), (_, PropData::Number(amounts))] = &data.properties[..] else {
        unreachable!()
    };
    let kind = |row: usize| codes[row].checked_sub(1).map(|code| dictionary[code as usize].clone());
    let amount = |row: usize| (!amounts[row].is_nan()).then_some(amounts[row] as i64);
    (0..data.ordinals.len()).map(|row| (data.ordinals[row], data.times[row], kind(row), amount(row))).collect()
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
        prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(0..KINDS.len(), 1..3)],
    );
    let did = (time.clone(), prop::option::of(0u8..8), prop::option::of(0u8..3), prop::option::of(-2i8..3));
    let listed = (0u8..3, time.clone(), any::<bool>(), prop::option::of(10u32..20));
    let said = prop_oneof![
        3 => traits.prop_map(|(time, priority, category, number, tags, erase)| Said::Traits {
            time, priority, category, number, tags, erase,
        }),
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
fn whoever_was_seen_with_an_objecting_stranger_objects_too() {
    let rows = [
        (vec![5], Said::Consent { time: 0, saying: 2 }),
        (vec![5, 6], Said::Consent { time: 1, saying: 0 }),
        (vec![7], Said::Consent { time: 1, saying: 0 }),
    ];
    let outcome = run(&rows, 64);
    assert!(outcome.seeds.is_empty());
    let mut objecting = vec![(key(5), 1, false), (key(6), 1, false)];
    objecting.sort();
    assert_eq!(outcome.objecting, objecting);
}

/// Keys that lie about as hashes do.
fn scattered(n: u64) -> (ProfileKey, u16) {
    let half = u128::from((n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (ProfileKey(half << 64 | half), 0)
}

#[test]
fn a_large_component_is_cut_in_reasonable_time() {
    // A poisoned identifier on 20,000 people of two identifiers each, and a chain through them.
    let mut graph = Graph::new();
    let mut numbers = Vec::new();
    graph.number((0..40_001).map(scattered), &mut numbers).unwrap();
    for person in 0..20_000 {
        let (a, b) = (numbers[1 + 2 * person], numbers[2 + 2 * person]);
        graph.row(&[numbers[0], a], Witness::Link).unwrap();
        graph.row(&[a, b], Witness::Link).unwrap();
    }
    let people = graph.finish(64);
    assert_eq!((people.len(), people.report().cut_identifiers), (20_000, 1));
    assert_eq!(people.report().ids_per_profile, BTreeMap::from([(2, 20_000)]));
}

#[test]
fn a_tangle_of_many_hubs_is_cut_in_reasonable_time() {
    // Links between any two of 30,000 identifiers: one component, of which thousands have to go.
    let mut graph = Graph::new();
    let mut numbers = Vec::new();
    graph.number((0..30_000).map(scattered), &mut numbers).unwrap();
    let mut state = 1u64;
    let mut any = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % 30_000
    };
    for _ in 0..60_000 {
        graph.row(&[numbers[any()], numbers[any()]], Witness::Link).unwrap();
    }
    let people = graph.finish(64);
    let report = people.report();
    assert!(report.cut_identifiers > 3_000, "{report:?}");
    assert!(report.ids_per_profile.keys().all(|ids| *ids <= 64), "{report:?}");
}
