//! Random worlds and rules over the whole syntax tree, dense in edge cases: values at the ends of windows, ordinals at
//! the ends of blocks, instants around changes of the clocks.

use crate::audiences::catalogue::{Audience, AudienceKind};
use crate::audiences::rule::{Aggregate, Compare, Count, Date, EventTest, Literal, Pick, Test, TraitTest, When};
use crate::audiences::{Catalogue, Expr, Rule};
use crate::log::{Record, Said, Stay, Value};
use crate::schema::{AudienceId, Span, Timestamp};
use crate::snapshot::columns::data::{ColumnData, EventData, ListData, PropData, TraitData};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

const NUMBERS: [f64; 8] = [-3.5, -1.0, 0.0, 1.0, 2.25, 10.0, 41.0, 1.0 / 3.0];
const TEXTS: [&str; 4] = ["Lazio", "Lombardia", "Valle d'Aosta", "lom*"];
const SPANS: [i64; 8] = [60, 90, 3_600, 7_200, 86_400, 90_000, 604_800, 2_592_000];

#[derive(Debug, Clone)]
pub struct World {
    pub data: ColumnData,
    /// Ordinals that know anything; all others are alike.
    pub active: Vec<u32>,
    pub now: Timestamp,
    pub zone: &'static str,
    /// Whether numbers that are no scaled integers occur.
    pub fractions: bool,
}

#[derive(Debug, Clone)]
struct Person {
    flag: u8,
    category: u32,
    tags: u8,
    number: Option<usize>,
    date: Option<i32>,
    seed: u32,
    events: Vec<(bool, i64, u8, u32, Option<usize>)>,
    until: Option<i64>,
}

/// Seconds before now, close to the ends of windows and minutes.
fn ago() -> impl Strategy<Value = i64> {
    let near = select(vec![-61i64, -60, -59, -1, 0, 1, 59, 60, 61, 3_600]);
    let span = prop_oneof![select(SPANS.to_vec()), Just(0), 0..3_000_000i64];
    (span, near).prop_map(|(span, near)| span + near - 3_600 * i64::from(span == 7_200))
}

fn person() -> impl Strategy<Value = Person> {
    let event = (any::<bool>(), ago(), 0..3u8, 0..5u32, proptest::option::weighted(0.8, 0..NUMBERS.len()));
    (
        (0..3u8, 0..5u32, 0..16u8, proptest::option::weighted(0.7, 0..NUMBERS.len())),
        proptest::option::weighted(0.7, -3..40i32),
        any::<u32>(),
        vec(event, 0..7),
        proptest::option::of(prop_oneof![ago().prop_map(|ago| -ago), ago(), Just(i64::MAX)]),
    )
        .prop_map(|((flag, category, tags, number), date, seed, events, until)| Person {
            flag,
            category,
            tags,
            number,
            date,
            seed,
            events,
            until,
        })
}

pub fn world() -> impl Strategy<Value = World> {
    let size = prop_oneof![1 => Just(1u32), 8 => 2..200u32, 2 => 65_535..65_541u32, 1 => Just(131_073u32)];
    let instant = (
        select(vec!["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-06-01T22:00:00Z", "2026-11-01T00:00:00Z"]),
        -90..90i64,
        select(vec!["Europe/Rome", "UTC", "America/Sao_Paulo", "Australia/Lord_Howe"]),
    );
    let people = (size, any::<bool>()).prop_flat_map(|(size, fractions)| {
        let edge = |edge: u32| if size > edge { edge - 3..=size.min(edge + 3) - 1 } else { 0..=size - 1 };
        let places = Union::new([0..=size - 1, edge(65_536), edge(131_072)].map(|range| range.boxed()));
        (Just(size), Just(fractions), vec((places, person()), 1..24))
    });
    (people, instant).prop_map(|((size, fractions, people), (instant, minutes, zone))| {
        let now = Timestamp(Timestamp::parse(instant).unwrap().0 + minutes * 60);
        let people = people.into_iter().collect::<std::collections::BTreeMap<u32, Person>>();
        let data = columns(size, &people, now, fractions);
        World { data, active: people.keys().copied().collect(), now, zone, fractions }
    })
}

fn columns(size: u32, people: &std::collections::BTreeMap<u32, Person>, now: Timestamp, fractions: bool) -> ColumnData {
    let get = |at: u32| people.get(&at);
    let texts = || TEXTS.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
    let number = |at: Option<usize>| match at {
        // A third is no scaled integer: with it the column keeps its numbers as they are.
        Some(at) if fractions || at < NUMBERS.len() - 1 => NUMBERS[at],
        _ => f64::NAN,
    };
    let all = || 0..size;
    let (mut starts, mut codes) = (vec![0u32], Vec::new());
    for at in all() {
        let tags = get(at).map_or(0, |person| person.tags);
        codes.extend((0..4).filter(|tag| tags >> tag & 1 == 1));
        starts.push(codes.len() as u32);
    }
    let today = (now.0 / 86_400) as i32;
    let traits = vec![
        (
            "age".to_owned(),
            TraitData::Number(all().map(|at| number(get(at).and_then(|person| person.number))).collect()),
        ),
        (
            "born".to_owned(),
            TraitData::Date(all().map(|at| get(at).and_then(|p| p.date).map_or(i32::MIN, |ago| today - ago)).collect()),
        ),
        ("likes".to_owned(), TraitData::Tags { starts, codes, dictionary: texts() }),
        (
            "region".to_owned(),
            TraitData::Category {
                codes: all().map(|at| get(at).map_or(0, |p| p.category)).collect(),
                dictionary: texts(),
            },
        ),
        ("vip".to_owned(), TraitData::Flag(all().map(|at| get(at).map_or(0, |person| person.flag)).collect())),
    ];
    let events = ["click", "purchase"].iter().map(|name| {
        let mut rows: Vec<(u32, u32, u8, u32, Option<usize>)> = Vec::new();
        for (at, person) in people {
            let mine = person.events.iter().filter(|event| event.0 == (*name == "click"));
            rows.extend(mine.map(|event| (*at, (now.0 - event.1) as u32, event.2, event.3, event.4)));
        }
        // As a build sorts them: by what the properties say, in their order, where times tie.
        let amount = |row: &(u32, u32, u8, u32, Option<usize>)| number(row.4);
        rows.sort_by(|a, b| {
            let properties = || amount(a).total_cmp(&amount(b)).then((a.2, a.3).cmp(&(b.2, b.3)));
            (a.0, a.1).cmp(&(b.0, b.1)).then_with(properties)
        });
        let properties = vec![
            ("amount".to_owned(), PropData::Number(rows.iter().map(|row| number(row.4)).collect())),
            ("online".to_owned(), PropData::Flag(rows.iter().map(|row| row.2).collect())),
            (
                "shop".to_owned(),
                PropData::Category { codes: rows.iter().map(|row| row.3).collect(), dictionary: texts() },
            ),
        ];
        let data = EventData {
            ordinals: rows.iter().map(|row| row.0).collect(),
            times: rows.iter().map(|row| row.1).collect(),
            properties,
        };
        ((*name).to_owned(), data)
    });
    let until = |until: i64| if until == i64::MAX { u32::MAX } else { (now.0 + until) as u32 };
    let members = people.iter().filter_map(|(at, person)| Some((*at, until(person.until?))));
    let (ordinals, ends) = members.unzip();
    ColumnData {
        ordinals: size,
        seeds: all().map(|at| get(at).map_or(7, |person| person.seed)).collect(),
        traits,
        events: events.collect(),
        lists: vec![("acme/a-list".to_owned(), ListData { ordinals, until: ends })],
    }
}

fn text() -> impl Strategy<Value = String> {
    select(vec!["Lazio", "Lombardia", "lom", "LAZ", "d'A", "l*o", "*", "lom*", "Nowhere"]).prop_map(str::to_owned)
}

fn date(now: Timestamp) -> impl Strategy<Value = Date> {
    (-3..40i32).prop_map(move |ago| Date((now.0 / 86_400) as i32 - ago))
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![select(NUMBERS.to_vec()), -5.0..50.0f64]
}

fn literal(now: Timestamp) -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<bool>().prop_map(Literal::Flag),
        number().prop_map(Literal::Number),
        text().prop_map(Literal::Text),
        date(now).prop_map(Literal::Date),
    ]
}

fn compare() -> impl Strategy<Value = Compare> {
    select(vec![Compare::Eq, Compare::Ne, Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge])
}

fn span() -> impl Strategy<Value = Span> {
    select(SPANS.to_vec()).prop_map(Span)
}

fn test(now: Timestamp) -> impl Strategy<Value = Test> {
    prop_oneof![
        Just(Test::IsTrue),
        Just(Test::IsKnown),
        (compare(), literal(now)).prop_map(|(compare, literal)| Test::Compare(compare, literal)),
        (compare(), number()).prop_map(|(compare, number)| Test::Compare(compare, Literal::Number(number))),
        (number(), number()).prop_map(|(a, b)| Test::Between(Literal::Number(a), Literal::Number(b))),
        (date(now), date(now)).prop_map(|(a, b)| Test::Between(Literal::Date(a), Literal::Date(b))),
        vec(literal(now), 0..4).prop_map(Test::In),
        vec(text(), 0..3).prop_map(Test::HasAny),
        vec(text(), 0..3).prop_map(Test::HasAll),
        text().prop_map(Test::Contains),
        text().prop_map(Test::StartsWith),
        vec(text(), 0..3).prop_map(Test::MatchesAny),
        span().prop_map(Test::Within),
        span().prop_map(Test::BeforeAgo),
        date(now).prop_map(Test::Since),
    ]
}

fn event(now: Timestamp) -> impl Strategy<Value = Expr> {
    let property = select(vec!["amount", "online", "shop", "absent"]).prop_map(str::to_owned);
    let static_test = test(now).prop_filter("no windows on properties", |test| {
        !matches!(test, Test::Within(_) | Test::BeforeAgo(_) | Test::Since(_))
    });
    let aggregate = select(vec![Aggregate::Sum, Aggregate::Avg, Aggregate::Min, Aggregate::Max]);
    let count = prop_oneof![
        4 => Just(Count::AtLeast(1)),
        2 => Just(Count::Never),
        2 => (1..4u32).prop_map(Count::AtLeast),
        1 => (0..3u32).prop_map(Count::AtMost),
        1 => (0..3u32).prop_map(Count::Exactly),
        1 => (0..3u32, 0..4u32).prop_map(|(a, b)| Count::Between(a, b)),
        2 => (0..4u32).prop_map(Count::Days),
        2 => (aggregate, property.clone(), compare(), number()).prop_map(|(a, p, c, v)| Count::Aggregate(a, p, c, v)),
        2 => (0..4u32, property.clone()).prop_map(|(least, property)| Count::Distinct(least, property)),
    ];
    let when = prop_oneof![
        Just(When::Ever),
        Just(When::Today),
        span().prop_map(When::Within),
        span().prop_map(When::BeforeAgo),
        (span(), span()).prop_map(|(a, b)| When::BetweenAgo(a.min(b), a.max(b))),
        date(now).prop_map(When::Since),
        (date(now), date(now)).prop_map(|(a, b)| When::BetweenDates(a.min(b), a.max(b))),
    ];
    let name = prop_oneof![5 => Just("purchase"), 5 => Just("click"), 1 => Just("absent"), 1 => Just("fresh")];
    let pick = prop_oneof![3 => Just(Pick::All), 1 => Just(Pick::First), 1 => Just(Pick::Last)];
    (name, vec((property, static_test), 0..3), pick, count, when).prop_map(|(name, filter, pick, count, when)| {
        Expr::Event(EventTest { name: name.to_owned(), filter, pick, count, when })
    })
}

pub fn rule(now: Timestamp) -> impl Strategy<Value = Expr> {
    let traits = select(vec!["age", "born", "likes", "region", "vip", "absent", "new"]);
    let leaf = prop_oneof![
        1 => Just(Expr::Everyone),
        2 => (0..=1_000_000u32, text()).prop_map(|(share, name)| Expr::Sample(share, name)),
        12 => (traits, test(now)).prop_map(|(name, test)| Expr::Trait(TraitTest { name: name.to_owned(), test })),
        12 => event(now),
        3 => select(vec!["a-list", "b0", "b1", "missing"]).prop_map(|id| Expr::InAudience(AudienceId::new("acme", id))),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Expr::And),
            vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.clone().prop_map(|inner| Expr::Not(Box::new(inner))),
            (0..5u32, vec(inner, 1..5)).prop_map(|(least, parts)| Expr::AtLeast(least, parts)),
        ]
    })
}

/// A list, two audiences that others refer to, and some rules: `acme/a-list`, `acme/b0`, `acme/b1`, `acme/r0` ...
pub fn catalogue(now: Timestamp, rules: std::ops::Range<usize>) -> impl Strategy<Value = Catalogue> {
    let base = vec(rule(now).prop_filter("no references", |rule| !format!("{rule:?}").contains("InAudience")), 2);
    (base, vec((rule(now), any::<bool>()), rules)).prop_map(|(base, rules)| {
        let mut audiences = vec![audience("a-list".to_owned(), None, true)];
        audiences.extend((0..).zip(base).map(|(at, rule)| audience(format!("b{at}"), Some(rule), true)));
        audiences.extend((0..).zip(rules).map(|(at, (rule, target))| audience(format!("r{at}"), Some(rule), target)));
        Catalogue { audiences, ..Catalogue::default() }
    })
}

pub fn audience(id: String, rule: Option<Expr>, target: bool) -> Audience {
    Audience {
        name: id.clone(),
        id: AudienceId::new("acme", &id),
        kind: if target { AudienceKind::Target } else { AudienceKind::Suppress },
        rule: rule.map(Rule),
        ttl: None,
        segment: None,
        folder: None,
        tags: Vec::new(),
        description: None,
        share: Default::default(),
        floor: None,
        valid_from: None,
        valid_to: None,
    }
}

/// What a door may take in of one person: values that the world has and others, at times that tie and that are to come.
pub fn records(now: Timestamp, fractions: bool) -> impl Strategy<Value = Vec<Record<'static>>> {
    let texts = select(vec!["Lazio", "Lombardia", "Molise", "lom*", "AOSTA"]).prop_map(std::borrow::Cow::Borrowed);
    let finite: Vec<f64> = NUMBERS.into_iter().chain([1e9, -0.0]).filter(|n| fractions || *n != 1.0 / 3.0).collect();
    let number = select(finite);
    let today = (now.0 / 86_400) as i32;
    let some_trait = prop_oneof![
        number.clone().prop_map(|value| ("age", Value::Number(value))),
        (-3..40i32).prop_map(move |ago| ("born", Value::Date(today - ago))),
        texts.clone().prop_map(|text| ("region", Value::Text(text))),
        texts.clone().prop_map(|text| ("new", Value::Text(text))),
        any::<bool>().prop_map(|flag| ("vip", Value::Flag(flag))),
        vec(texts.clone(), 1..3).prop_map(|tags| ("likes", Value::Tags(tags))),
    ];
    let some_trait = (some_trait, prop::bool::weighted(0.7));
    let some_trait = some_trait.prop_map(|((name, value), known)| (name.into(), known.then_some(value)));
    let properties = (
        proptest::option::weighted(0.7, number.prop_map(Value::Number)),
        proptest::option::weighted(0.7, any::<bool>().prop_map(Value::Flag)),
        proptest::option::weighted(0.7, texts.prop_map(Value::Text)),
    );
    let event = (select(vec!["click", "purchase", "fresh"]), properties).prop_map(|(name, (amount, online, shop))| {
        let all = [("amount", amount), ("online", online), ("shop", shop)];
        let properties = all.into_iter().filter_map(|(name, value)| Some((name.into(), value?))).collect();
        Said::Event { name: name.into(), properties }
    });
    let stay = prop_oneof![Just(Stay::Ends), Just(Stay::ByDefault), (0..3_000u32).prop_map(Stay::Minutes)];
    let said = prop_oneof![
        6 => event,
        4 => vec(some_trait, 1..3).prop_map(Said::Traits),
        2 => stay.prop_map(|stay| Said::Membership { list: "acme/a-list".into(), stay }),
        1 => any::<bool>().prop_map(Said::Consent),
    ];
    let time = prop_oneof![3 => ago(), 2 => select(vec![-90i64, 0, 60, 3_600])];
    vec((time, said), 0..8).prop_map(move |all| {
        let record =
            |(id, (ago, said))| Record { id, time: now.0 - ago, received: now.0, keys: Default::default(), said };
        (0u128..).zip(all).map(record).collect()
    })
}
