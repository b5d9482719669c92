//! One person and a rule for every answer there can be: what random rules seldom ask, such as which of two events of the
//! same second is the first.

use super::fold::fold;
use super::worlds;
use super::*;
use crate::audiences::Expr;
use crate::audiences::rule::{Aggregate, Compare, Count, EventTest, Literal, Pick, Test, TraitTest, When};
use crate::log::{Record, Said, Value};
use crate::schema::{AudienceId, Span};
use crate::snapshot::columns::data::{ColumnData, ListData, TraitData};
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp(1_800_000_000);
const TEXTS: [&str; 5] = ["Lazio", "Lombardia", "Molise", "lom*", "AOSTA"];
const TTL: Option<Span> = Some(Span(600));

fn text(text: &str) -> Literal {
    Literal::Text(text.to_owned())
}

fn is_trait(name: &str, test: Test) -> Expr {
    Expr::Trait(TraitTest { name: name.to_owned(), test })
}

fn event(name: &str, filter: Vec<(String, Test)>, pick: Pick, count: Count) -> Expr {
    Expr::Event(EventTest { name: name.to_owned(), filter, pick, count, when: When::Within(Span(3_600)) })
}

/// Which event is picked, how many different values there are, what they sum up to.
fn of_events(name: &str) -> Vec<Expr> {
    let sum = |least| Count::Aggregate(Aggregate::Sum, "amount".to_owned(), Compare::Ge, least);
    let mut rules = Vec::new();
    for pick in [Pick::First, Pick::Last, Pick::All] {
        rules.extend([-2.0, 0.5, 2.0, 5.0, 20.0].map(|least| event(name, vec![], pick, sum(least))));
        rules.extend((1..4).map(|least| event(name, vec![], pick, Count::Distinct(least, "shop".to_owned()))));
        for shop in TEXTS {
            let is = Test::Compare(Compare::Eq, text(shop));
            rules.push(event(name, vec![("shop".to_owned(), is)], pick, sum(1.0)));
        }
    }
    rules
}

fn of_traits() -> Vec<Expr> {
    let mut rules: Vec<Expr> =
        ["age", "born", "likes", "new", "region", "vip"].map(|name| is_trait(name, Test::IsKnown)).into();
    rules.push(is_trait("vip", Test::IsTrue));
    for value in [-3.5, 0.0, 2.25, 41.0, 1e9] {
        rules.push(is_trait("age", Test::Compare(Compare::Le, Literal::Number(value))));
    }
    for minutes in [1, 20_000, 40_000] {
        rules.push(is_trait("born", Test::Within(Span(minutes * 60))));
    }
    for one in TEXTS {
        rules.push(is_trait("likes", Test::HasAny(vec![one.to_owned()])));
        rules.push(is_trait("region", Test::In(vec![text(one)])));
        rules.push(is_trait("new", Test::Compare(Compare::Ne, text(one))));
        rules.extend(TEXTS.map(|other| is_trait("likes", Test::HasAll(vec![one.to_owned(), other.to_owned()]))));
    }
    rules
}

fn catalogue(rules: Vec<Expr>) -> Catalogue {
    let mut audiences = vec![worlds::audience("a-list".to_owned(), None, true)];
    audiences[0].ttl = TTL;
    let rules = rules.into_iter().enumerate();
    audiences.extend(rules.map(|(at, rule)| worlds::audience(format!("r{at:03}"), Some(rule), true)));
    Catalogue { audiences, ..Catalogue::default() }
}

/// Columns that know nothing of one person.
fn nothing() -> ColumnData {
    let traits = vec![
        ("age".to_owned(), TraitData::Number(vec![f64::NAN])),
        ("born".to_owned(), TraitData::Date(vec![i32::MIN])),
        ("likes".to_owned(), TraitData::Tags { starts: vec![0, 0], codes: vec![], dictionary: vec![] }),
        ("region".to_owned(), TraitData::Category { codes: vec![0], dictionary: vec![] }),
        ("vip".to_owned(), TraitData::Flag(vec![0])),
    ];
    let lists = vec![("acme/a-list".to_owned(), ListData::default())];
    ColumnData { ordinals: 1, seeds: vec![0], traits, lists, events: vec![] }
}

/// Records at three instants, and among them some of tags.
fn records() -> impl Strategy<Value = Vec<Record<'static>>> {
    let tags = proptest::collection::vec(proptest::sample::select(TEXTS.to_vec()).prop_map(Into::into), 1..3);
    let likes = proptest::collection::vec(proptest::option::weighted(0.6, tags.prop_map(Value::Tags)), 0..5);
    (worlds::records(NOW, true), likes, any::<usize>()).prop_map(move |(mut records, likes, at)| {
        let said = likes.into_iter().map(|tags| Said::Traits(vec![("likes".into(), tags)]));
        let record = |said| Record { id: 0, time: 0, received: 0, keys: Default::default(), said };
        records.extend(said.map(record));
        records.iter_mut().zip(at % 3..).for_each(|(record, at)| record.time = NOW.0 - [60, 30, 90][at % 3]);
        records
    })
}

fn agree(
    data: &ColumnData,
    since: &[Record<'static>],
    rebuilt: &ColumnData,
    rules: Vec<Expr>,
    outranked: &dyn Fn(&str) -> bool,
) -> Result<(), TestCaseError> {
    let catalogue = catalogue(rules);
    let (sections, rebuilt) = (Sections::encode(data).unwrap(), Sections::encode(rebuilt).unwrap());
    let (columns, rebuilt) = (sections.open().unwrap(), rebuilt.open().unwrap());
    let live = LivePlan::compile(&catalogue, &columns, &TimeZone::UTC, |_| false).outranked(outranked);
    let person = Person { columns: &columns, ordinal: Some(0), seed: 0, facts: since };
    let plan = Plan::compile(&catalogue, &rebuilt, NOW, &TimeZone::UTC);
    for (rule, expected) in (0u32..).zip(&answers(&plan, &[0])[0]) {
        let rule_text = format!("{:?}", catalogue.audiences[rule as usize].rule);
        prop_assert_eq!(live.holds(&person, rule, NOW), *expected, "{}", rule_text);
    }
    let question = Question { catalogue: &catalogue, columns: &columns, now: NOW, zone: &TimeZone::UTC };
    let subject = Subject { facts: since, outranked, ..Subject::of(0) };
    let list = question.about(&AudienceId::new("acme", "a-list"), &subject).expect("an audience");
    prop_assert_eq!(matches!(list.known, Some(Known::List { member: true, .. })), list.truth);
    Ok(())
}

proptest! {
    #[test]
    fn ties_forgotten_values_and_texts_are_those_of_a_rebuild(
        before in records(), since in records(), outranked in any::<bool>()
    ) {
        let outranked = |_: &str| outranked;
        let fold = |data: &ColumnData, records: &[Record<'static>]| {
            fold(data, &BTreeMap::from([(0, records.to_vec())]), &outranked, TTL)
        };
        let known = fold(&nothing(), &before);
        let rebuilt = fold(&known, &since);
        let all = of_traits().into_iter().chain(of_events("click")).chain(of_events("fresh")).collect();
        agree(&known, &since, &rebuilt, all, &outranked)?;
        // Of events it does not matter what came before the snapshot and what after; here no column holds them yet.
        let is_event = |record: &&Record<'static>| matches!(record.said, Said::Event { .. });
        let events: Vec<Record<'static>> = before.iter().chain(&since).filter(is_event).cloned().collect();
        agree(&nothing(), &events, &fold(&nothing(), &events), of_events("click"), &outranked)?;
    }
}
