//! Facts by the log end in the same columns as the same facts by files, over any number of generations.

use crate::world::{DAY, World, columns};
use proptest::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use vaglio::log::{Record, Said, Stay, Value};

const PLANS: [&str; 3] = ["gold", "basic", "silver"];
const TAGS: [&str; 3] = ["sport", "music", "art"];
const PRODUCTS: [&str; 3] = ["phone", "pen", "car"];
const CRM: [&str; 6] = ["c0", "c1", "c2", "c3", "c4", "c5"];
const IFA: [&str; 6] = ["i0", "i1", "i2", "i3", "i4", "i5"];

#[derive(Debug, Clone)]
enum Kind {
    Plan(usize),
    Age(u8),
    Tag(usize),
    /// Amount, product, id: some ids are used twice, for the same event or another.
    Purchase(u8, usize, u8),
    Vip(u8),
    Link,
    Consent(bool),
}

#[derive(Debug, Clone)]
struct Fact {
    kind: Kind,
    crm: usize,
    ifa: usize,
    /// Which identifiers a row has: crm, ifa or both.
    both: u8,
    days: i64,
    /// Which ways it comes: by files, or with the log of one of three generations; some come by both.
    ways: (bool, Option<usize>),
}

fn fact() -> impl Strategy<Value = Fact> {
    let kind = prop_oneof![
        (0..3usize).prop_map(Kind::Plan),
        (10..30u8).prop_map(Kind::Age),
        (0..3usize).prop_map(Kind::Tag),
        (1..20u8, 0..3usize, 0..12u8).prop_map(|(amount, product, id)| Kind::Purchase(amount, product, id)),
        (0..3u8).prop_map(Kind::Vip),
        Just(Kind::Link),
        any::<bool>().prop_map(Kind::Consent),
    ];
    let ways = prop_oneof![
        2 => Just((true, None)),
        4 => (0..3usize).prop_map(|round| (false, Some(round))),
        1 => (0..3usize).prop_map(|round| (true, Some(round))),
    ];
    (kind, 0..6usize, 0..6usize, 0..5u8, 0..70i64, ways).prop_map(|(kind, crm, ifa, both, days, ways)| Fact {
        kind,
        crm,
        ifa,
        both,
        days,
        ways,
    })
}

impl Fact {
    fn time(&self, world: &World) -> i64 {
        world.now - self.days * DAY - DAY / 2
    }

    fn ids(&self) -> Vec<(&'static str, &'static str)> {
        let (crm, ifa) = (("crm", CRM[self.crm]), ("pubcid.org", IFA[self.ifa]));
        match (&self.kind, self.both) {
            (Kind::Link, _) => vec![crm, ifa],
            (Kind::Vip(_), _) | (_, 0 | 1) => vec![crm],
            (_, 2) => vec![crm, ifa],
            (_, _) => vec![ifa],
        }
    }

    /// The row of its file.
    fn row(&self, world: &World) -> (&'static str, String) {
        let time = self.time(world);
        let ids = self.ids();
        let id = |wanted: &str| ids.iter().find(|(kind, _)| *kind == wanted).map_or("", |(_, uid)| *uid);
        let both = format!("{},{}", id("crm"), id("pubcid.org"));
        match &self.kind {
            Kind::Plan(plan) => ("crm", format!("{both},{time},{},,", PLANS[*plan])),
            Kind::Age(age) => ("crm", format!("{both},{time},,{age},")),
            Kind::Tag(tag) => ("crm", format!("{both},{time},,,{}", TAGS[*tag])),
            Kind::Purchase(amount, product, id) => {
                ("shop", format!("{both},{time},order {id},{amount},{}", PRODUCTS[*product]))
            }
            Kind::Vip(0) => ("vip", format!("{},{time},,true", id("crm"))),
            Kind::Vip(1) => ("vip", format!("{},{time},,", id("crm"))),
            Kind::Vip(_) => ("vip", format!("{},{time},9000000,", id("crm"))),
            Kind::Link => ("links", both),
            Kind::Consent(yes) => ("consents", format!("{both},{time},{}", if *yes { "consent" } else { "refusal" })),
        }
    }

    /// The record of the log.
    fn record(&self, world: &mut World) -> Record<'static> {
        let one = |name, value| Said::Traits(vec![(Cow::Borrowed(name), Some(value))]);
        let said = match &self.kind {
            Kind::Plan(plan) => one("plan", Value::Text(PLANS[*plan].into())),
            Kind::Age(age) => one("age", Value::Number(f64::from(*age))),
            Kind::Tag(tag) => one("tags", Value::Tags(vec![TAGS[*tag].into()])),
            Kind::Purchase(amount, product, _) => Said::Event {
                name: "purchase".into(),
                properties: vec![
                    ("product".into(), Value::Text(PRODUCTS[*product].into())),
                    ("amount".into(), Value::Number(f64::from(*amount))),
                ],
            },
            Kind::Vip(what) => Said::Membership {
                list: "acme/vip".into(),
                stay: [Stay::Ends, Stay::ByDefault, Stay::Minutes(9_000_000)][usize::from(*what)],
            },
            Kind::Link => Said::Link,
            Kind::Consent(yes) => Said::Consent(*yes),
        };
        let time = self.time(world);
        let mut record = world.record(&self.ids(), time, said);
        if let Kind::Purchase(_, _, id) = self.kind {
            record.id = world.keys.event_id(format!("order {id}").as_bytes());
        }
        record
    }
}

fn files(world: &World, facts: &[Fact], by_file: impl Fn(&Fact) -> bool) {
    let mut rows: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, row) in facts.iter().filter(|fact| by_file(fact)).map(|fact| fact.row(world)) {
        rows.entry(name).or_default().push(row);
    }
    world.files(&rows);
}

/// Of facts with one id at the door the first counts, whoever it is about; by files it is the earliest. So that both are
/// asked the same, a repeated id repeats the fact.
fn with_ids_of_one_fact(mut facts: Vec<Fact>) -> Vec<Fact> {
    let mut first: BTreeMap<u8, Fact> = BTreeMap::new();
    for fact in &mut facts {
        if let Kind::Purchase(_, _, id) = fact.kind {
            let ways = fact.ways;
            *fact = Fact { ways, ..first.entry(id).or_insert_with(|| fact.clone()).clone() };
        }
    }
    facts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn facts_by_the_log_are_facts_by_files(facts in prop::collection::vec(fact(), 1..60)) {
        let facts = with_ids_of_one_fact(facts);
        let by_files = World::new();
        files(&by_files, &facts, |_| true);
        let expected = by_files.build();

        let mut world = World::new();
        world.now = by_files.now;
        files(&world, &facts, |fact| fact.ways.0);
        let mut last = None;
        for round in 0..3 {
            let records: Vec<Record<'_>> = facts
                .iter()
                .filter(|fact| fact.ways.1 == Some(round))
                .map(|fact| fact.record(&mut world))
                .collect();
            let end = world.append(&records);
            let manifest = world.build();
            prop_assert_eq!(manifest.events_cut, end);
            last = Some(manifest);
        }
        let last = last.unwrap();
        prop_assert_eq!(columns(&last), columns(&expected));
        // Without the segments that they came in.
        std::fs::remove_dir_all(world.events()).unwrap();
        let again = world.build();
        prop_assert_eq!(columns(&again), columns(&expected));
        prop_assert_eq!(world.facts(&again), world.facts(&last));
        prop_assert_eq!(again.events_cut, last.events_cut);
    }
}
