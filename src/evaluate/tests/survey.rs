//! What is surveyed, against counting one person after another.

use super::worlds::{self, World};
use super::*;
use crate::evaluate::survey::{Counted, MOST_SETS, Overlap, Value, Watch, id_masks, overlap};
use crate::schema::ProfileKey;
use crate::snapshot::columns::TraitColumn;
use crate::snapshot::keys::{Keys, write_keys};
use roaring::RoaringBitmap;
use std::collections::BTreeMap;

fn worlds_and_rules() -> impl Strategy<Value = (World, Catalogue)> {
    worlds::world().prop_flat_map(|world| {
        let now = world.now;
        (Just(world), worlds::catalogue(now, 1..4))
    })
}

/// Whom a rule holds for, asked one after another.
fn naive_members(plan: &Plan<'_>, rule: usize) -> Vec<u32> {
    (0..plan.columns().ordinals()).filter(|ordinal| plan.profile(*ordinal, rule)).collect()
}

/// Each value of a person as text; `None` for what is unknown.
fn naive_values(column: &TraitColumn<'_>, ordinal: u32) -> Vec<Option<Exact>> {
    let at = ordinal as usize;
    let one = |value: Option<Exact>| vec![value];
    match column {
        TraitColumn::Flag { known, yes } => {
            let bit = |words: &[u64]| words[at / 64] >> (at % 64) & 1 == 1;
            one(bit(known).then(|| Exact::Flag(bit(yes))))
        }
        TraitColumn::Category(codes, dictionary) => {
            let code = codes.get(at) as usize;
            one(code.checked_sub(1).map(|at| Exact::Text(dictionary.get(at).unwrap().to_owned())))
        }
        TraitColumn::Number(numbers) => one(numbers.get(at).map(Exact::Number)),
        TraitColumn::Date(days) => one(days.get(at).map(|day| Exact::Number(day.into()))),
        TraitColumn::Tags(tags) => match tags.of(ordinal) {
            none if none.is_empty() => one(None),
            some => some
                .iter()
                .map(|tag| Some(Exact::Text(tags.dictionary.get(*tag as usize).unwrap().to_owned())))
                .collect(),
        },
    }
}

#[derive(Debug)]
enum Exact {
    Flag(bool),
    Text(String),
    Number(f64),
}

impl Exact {
    fn is_in(&self, part: &Value) -> bool {
        let between = |value: f64, from: Option<f64>, below: Option<f64>| {
            from.is_none_or(|from| from <= value) && below.is_none_or(|below| value < below)
        };
        match (self, part) {
            (Exact::Flag(value), Value::Flag(part)) => value == part,
            (Exact::Text(value), Value::Text(part)) => value == part,
            (Exact::Number(value), Value::Numbers(from, below)) => between(*value, *from, *below),
            (Exact::Number(value), Value::Days(from, before)) => {
                between(*value, from.map(f64::from), before.map(f64::from))
            }
            _ => false,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, max_shrink_iters: 500, ..ProptestConfig::default() })]
    #[test]
    fn surveys_and_members_equal_counting_one_by_one((world, catalogue) in worlds_and_rules(), salt in any::<u64>()) {
        let zone = TimeZone::get(world.zone).unwrap();
        let sections = Sections::encode(&world.data).unwrap();
        let columns = sections.open().unwrap();
        let plan = Plan::compile(&catalogue, &columns, world.now, &zone);
        // One mask is shorter than the columns.
        let mix = |at: usize| (at as u64 ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let masks: Vec<Vec<u64>> = vec![(0..columns.blocks() * 1_024).map(mix).collect(), vec![u64::MAX; 2], vec![]];
        let watch = Watch::default();
        let surveyed = plan.survey(&masks.iter().map(Vec::as_slice).collect::<Vec<_>>(), &watch).unwrap();
        let members = plan.members(&watch).unwrap();
        for rule in 0..plan.len() {
            let expected = naive_members(&plan, rule);
            let is_in = |mask: &[u64], at: u32| mask.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
            let within = masks.iter().map(|mask| expected.iter().filter(|at| is_in(mask, **at)).count() as u64);
            prop_assert_eq!(&surveyed[rule], &Counted { total: expected.len() as u64, within: within.collect() });
            prop_assert_eq!(members[rule].iter().collect::<Vec<u32>>(), expected);
        }
        prop_assert_eq!(watch.progress(), 1.0);
        watch.cancel();
        prop_assert!(plan.survey(&[], &watch).is_none() && plan.members(&watch).is_none());
    }

    #[test]
    fn breakdowns_equal_asking_everybody_for_the_value((world, catalogue) in worlds_and_rules()) {
        let zone = TimeZone::get(world.zone).unwrap();
        let sections = Sections::encode(&world.data).unwrap();
        let columns = sections.open().unwrap();
        let plan = Plan::compile(&catalogue, &columns, world.now, &zone);
        let members = naive_members(&plan, plan.len() - 1);
        for (at, (name, column)) in columns.traits().iter().enumerate() {
            let parts = plan.breakdown(plan.len() - 1, at, &Watch::default()).unwrap();
            let mut told = 0;
            for member in &members {
                for value in naive_values(column, *member) {
                    let holds = |part: &&(Value, u64)| value.as_ref().map_or(part.0 == Value::Unknown, |v| v.is_in(&part.0));
                    prop_assert_eq!(parts.iter().filter(holds).count(), 1, "{}: {:?} in {:?}", name, value, parts);
                    told += 1;
                }
            }
            // Every value is in one part, and the parts count no more than there are: so each counts right or two are wrong.
            prop_assert_eq!(parts.iter().map(|part| part.1).sum::<u64>(), told, "{}", name);
            for (part, count) in &parts {
                let is_in = |value: &Option<Exact>| value.as_ref().map_or(*part == Value::Unknown, |v| v.is_in(part));
                let expected = members.iter().flat_map(|member| naive_values(column, *member)).filter(is_in).count();
                prop_assert_eq!(*count, expected as u64, "{}: {}", name, part);
            }
        }
        prop_assert_eq!(plan.breakdown(0, columns.traits().len(), &Watch::default()), Some(vec![]));
    }

    #[test]
    fn overlaps_equal_asking_every_ordinal(
        sets in proptest::collection::vec(some_set(), 0..MOST_SETS + 2)
    ) {
        let found = overlap(&sets);
        let mut exclusive = BTreeMap::<u16, u64>::new();
        let looked_at = &sets[..sets.len().min(MOST_SETS)];
        for ordinal in looked_at.iter().fold(RoaringBitmap::new(), |all, set| all | set) {
            let word = (0..).zip(looked_at).fold(0u16, |word, (at, set)| word | u16::from(set.contains(ordinal)) << at);
            *exclusive.entry(word).or_default() += 1;
        }
        let both = |a: &RoaringBitmap, b: &RoaringBitmap| (a & b).len();
        let expected = Overlap {
            sizes: looked_at.iter().map(RoaringBitmap::len).collect(),
            pairs: looked_at.iter().map(|a| looked_at.iter().map(|b| both(a, b)).collect()).collect(),
            exclusive: exclusive.into_iter().collect(),
        };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn masks_of_identifiers_hold_who_has_one(types in proptest::collection::vec(proptest::collection::vec(0..4u16, 0..4), 1..300)) {
        let mut starts = vec![0u32];
        types.iter().for_each(|of| starts.push(starts[starts.len() - 1] + of.len() as u32));
        let all = types.iter().flatten().enumerate().map(|(at, id_type)| (ProfileKey(at as u128), *id_type));
        let mut bytes = Vec::new();
        write_keys(&starts, all, &mut bytes).unwrap();
        // A type that the manifest does not name is nobody's.
        let masks = id_masks(&Keys::open(&bytes).unwrap(), 3);
        for (at, of) in types.iter().enumerate() {
            for (id_type, mask) in (0u16..).zip(&masks) {
                prop_assert_eq!(mask[at / 64] >> (at % 64) & 1 == 1, of.contains(&id_type), "{} {}", at, id_type);
            }
        }
        prop_assert_eq!(masks.len(), 3);
    }
}

/// Few, many or all in a row, around the ends of blocks.
fn some_set() -> impl Strategy<Value = RoaringBitmap> {
    let sparse = proptest::collection::btree_set(0..200_000u32, 0..50).prop_map(|set| set.into_iter().collect());
    let range = (0..140_000u32, 0..70_000u32).prop_map(|(from, length)| (from..from + length).collect());
    let every = (0..3u32, 2..9u32).prop_map(|(from, step)| (from..140_000).step_by(step as usize).collect());
    prop_oneof![2 => sparse, 2 => range, 1 => every, 1 => Just(RoaringBitmap::new())]
}

/// Many values are cut at round numbers near the tenths, and the parts of two rules are the same.
#[test]
fn many_numbers_are_cut_at_round_ones() {
    use crate::snapshot::columns::data::{ColumnData, TraitData};
    let count = 100_000u32;
    for scale in [1.0, 0.01, 1e7, 1.0 / 3.0] {
        let numbers = (0..count).map(|at| f64::from(at * 7_919 % count) * scale).collect();
        let days = (0..count).map(|at| 10_000 + (at * 7_919 % 9_973) as i32).collect();
        let traits = vec![("n".to_owned(), TraitData::Number(numbers)), ("d".to_owned(), TraitData::Date(days))];
        let data = ColumnData { ordinals: count, seeds: vec![0; count as usize], traits, ..ColumnData::default() };
        let sections = Sections::encode(&data).unwrap();
        let columns = sections.open().unwrap();
        let everyone = crate::audiences::Expr::Everyone;
        let plan = Plan::of_rules(&[&everyone], &Catalogue::default(), &columns, Timestamp(0), &TimeZone::UTC);
        for column in 0..2 {
            let parts = plan.breakdown(0, column, &Watch::default()).unwrap();
            assert_eq!(parts.len(), 10, "{parts:?}");
            assert_eq!(parts.iter().map(|part| part.1).sum::<u64>(), u64::from(count));
            // By 97 ordinals, one part in ten: a sample of a sample is never far off.
            assert!(parts.iter().all(|part| (7_000..13_000).contains(&part.1)), "{parts:?}");
        }
        if scale == 1.0 {
            let numbers = plan.breakdown(0, 1, &Watch::default()).unwrap();
            assert_eq!(numbers[1].0.to_string(), "10000 to below 20000");
        }
    }
}
