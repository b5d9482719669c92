//! Reach of a rule, the turning of bitmaps into lists, and one person asked anew, on *synthetic* columns: 20 traits, two events of five rows a
//! profile, 2,000 audiences of which 30 % have windows.
//!
//! `cargo bench --bench evaluate`, 1 M profiles; `VAGLIO_BENCH_PROFILES=10000000` for more.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use vaglio::audiences::rule::{Aggregate, Compare, Count, EventTest, Literal, Pick, Test, TraitTest, When};
use vaglio::audiences::{Audience, AudienceKind, Catalogue, Expr, Rule};
use vaglio::build::activate::Lists;
use vaglio::evaluate::{LivePlan, Person, Plan, Scratch};
use vaglio::log::{Record, Said, Value};
use vaglio::schema::{AudienceId, Span, Timestamp};
use vaglio::snapshot::columns::data::{EventData, PropData, TraitData};
use vaglio::snapshot::columns::{Columns, EventsWriter, ListsWriter, TraitsWriter};

const NOW: Timestamp = Timestamp(1_800_000_000);
const DAY: i64 = 86_400;
const AUDIENCES: u64 = 2_000;
const SHOPS: u64 = 12;

/// Splitmix64: `state` -> a number that looks random.
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn profiles() -> u32 {
    std::env::var("VAGLIO_BENCH_PROFILES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

/// The bytes of sections `traits`, `events` and `memberships`.
struct World([Vec<u8>; 3]);

impl World {
    fn new(profiles: u32) -> Self {
        let seeds: Vec<u32> = (0..profiles).map(|at| mix(at.into()) as u32).collect();
        let mut traits = TraitsWriter::new(Vec::new(), profiles, &seeds).expect("a seed a profile");
        for number in 0..20 {
            traits.add(&format!("t{number:02}"), &column(number, profiles)).expect("sound data");
        }
        let mut events = EventsWriter::new(Vec::new(), profiles).expect("memory");
        for name in ["purchase", "visit"] {
            events.add(name, &rows(name, profiles)).expect("sound data");
        }
        let lists = ListsWriter::new(Vec::new(), profiles).expect("memory");
        let memory = "writing to memory";
        World([traits.finish().expect(memory), events.finish().expect(memory), lists.finish().expect(memory)])
    }

    fn columns(&self) -> Columns<'_> {
        Columns::open(&self.0[0], &self.0[1], &self.0[2]).expect("what was just written")
    }
}

/// Every fourth trait a flag, a category of 20, a number to 100 or a number to 10,000; one in ten unknown.
fn column(number: u64, profiles: u32) -> TraitData {
    let draw = |at: u32, values: u64| {
        let hash = mix(u64::from(at) << 8 | number);
        (!hash.is_multiple_of(10)).then_some((hash >> 32) % values)
    };
    let all = 0..profiles;
    match number % 4 {
        0 => TraitData::Flag(all.map(|at| draw(at, 2).map_or(0, |value| value as u8 + 1)).collect()),
        1 => TraitData::Category {
            codes: all.map(|at| draw(at, 20).map_or(0, |value| value as u32 + 1)).collect(),
            dictionary: (0..20).map(|value| format!("v{value:02}")).collect(),
        },
        2 => TraitData::Number(all.map(|at| draw(at, 100).map_or(f64::NAN, |value| value as f64)).collect()),
        _ => TraitData::Number(all.map(|at| draw(at, 10_000).map_or(f64::NAN, |value| value as f64)).collect()),
    }
}

/// Five rows a profile on average, over 180 days.
fn rows(name: &str, profiles: u32) -> EventData {
    let mut data = EventData::default();
    let salt = name.len() as u64;
    for ordinal in 0..profiles {
        let hash = mix(u64::from(ordinal) << 4 | salt);
        let mut times: Vec<u32> =
            (0..hash % 11).map(|row| NOW.0 as u32 - (mix(hash ^ row) % (180 * DAY as u64)) as u32).collect();
        times.sort_unstable();
        data.ordinals.extend(times.iter().map(|_| ordinal));
        data.times.extend(times);
    }
    let row = |at: usize, values: u64| mix(at as u64 ^ salt << 40) % values;
    let (count, shops) = (data.ordinals.len(), (0..SHOPS).map(|shop| format!("s{shop:02}")).collect());
    data.properties = vec![
        ("amount".to_owned(), PropData::Number((0..count).map(|at| row(at, 20_000) as f64 / 100.0).collect())),
        (
            "shop".to_owned(),
            PropData::Category { codes: (0..count).map(|at| row(at, SHOPS) as u32 + 1).collect(), dictionary: shops },
        ),
    ];
    data
}

fn at_least(name: &str, value: f64) -> Expr {
    let test = Test::Compare(Compare::Ge, Literal::Number(value));
    Expr::Trait(TraitTest { name: name.to_owned(), test })
}

fn is_in(name: &str, values: std::ops::Range<u64>) -> Expr {
    let test = Test::In(values.map(|value| Literal::Text(format!("v{value:02}"))).collect());
    Expr::Trait(TraitTest { name: name.to_owned(), test })
}

fn did(name: &str, shop: Option<u64>, count: Count, days: i64) -> Expr {
    let equals = |shop| Test::Compare(Compare::Eq, Literal::Text(format!("s{shop:02}")));
    let filter = shop.map(|shop| ("shop".to_owned(), equals(shop))).into_iter().collect();
    let when = When::Within(Span(days * DAY));
    Expr::Event(EventTest { name: name.to_owned(), filter, pick: Pick::All, count, when })
}

fn spent(least: f64, days: i64) -> Expr {
    did("purchase", None, Count::Aggregate(Aggregate::Sum, "amount".to_owned(), Compare::Ge, least), days)
}

/// Rules of one to three leaves; three in ten with a window.
fn catalogue() -> Catalogue {
    let rule = |number: u64| {
        let draw = |part: u64, values: u64| mix(number << 4 | part) % values;
        let category = is_in(&format!("t{:02}", 1 + 4 * draw(0, 5)), draw(1, 16)..draw(1, 16) + 2);
        let amount = at_least(&format!("t{:02}", 3 + 4 * draw(2, 5)), draw(3, 10_000) as f64);
        let windowed = match draw(4, 3) {
            0 => did("visit", Some(draw(5, SHOPS)), Count::AtLeast(1), 1 + draw(6, 30) as i64),
            1 => did("purchase", None, Count::AtLeast(2), 1 + draw(6, 60) as i64),
            _ => spent(draw(5, 200) as f64, 1 + draw(6, 90) as i64),
        };
        match number % 10 {
            0..3 => Expr::And(vec![windowed, category]),
            3..6 => category,
            _ => Expr::And(vec![category, amount]),
        }
    };
    let audience = |number| Audience {
        id: AudienceId::new("bench", &format!("a{number:04}")),
        name: String::new(),
        kind: AudienceKind::Target,
        rule: Some(Rule(rule(number))),
        ttl: None,
        segment: None,
        folder: None,
        tags: Vec::new(),
        description: None,
        share: Default::default(),
        floor: None,
        valid_from: None,
        valid_to: None,
    };
    Catalogue { audiences: (0..AUDIENCES).map(audience).collect(), ..Catalogue::default() }
}

fn reach(c: &mut Criterion) {
    let world = World::new(profiles());
    let (columns, nothing) = (world.columns(), Catalogue::default());
    let mut group = c.benchmark_group("reach");
    group.throughput(Throughput::Elements(columns.ordinals().into())).sample_size(20);
    let traits =
        Expr::And(vec![is_in("t01", 3..7), at_least("t03", 4_000.0), Expr::Not(Box::new(at_least("t02", 65.0)))]);
    let event = Expr::And(vec![is_in("t01", 3..7), did("purchase", Some(3), Count::AtLeast(1), 30)]);
    for (name, rule) in [("traits", traits), ("event", event), ("windowed sum", spent(150.0, 60))] {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                Plan::of_rules(&[black_box(&rule)], &nothing, &columns, NOW, &jiff::tz::TimeZone::UTC).reach()
            });
        });
    }
    group.finish();
}

/// One block of all audiences: evaluated, turned around, and looked through for changes.
fn activate(c: &mut Criterion) {
    let world = World::new(2 * 65_536);
    let (columns, catalogue) = (world.columns(), catalogue());
    let plan = Plan::compile(&catalogue, &columns, NOW, &jiff::tz::TimeZone::UTC);
    let mut scratch = Scratch::default();
    let mut group = c.benchmark_group("activate a block of 65,536, 2,000 audiences");
    group.throughput(Throughput::Elements(65_536)).sample_size(10);
    group.bench_function("evaluate", |bench| bench.iter(|| plan.block(0, &mut scratch)));
    group.bench_function("transpose", |bench| {
        bench.iter(|| Lists::transpose(|rule| scratch.bitmap(&plan, rule), plan.len(), 65_536));
    });
    let horizon = plan.horizon(120);
    group.bench_function("flips of two hours", |bench| bench.iter(|| plan.flips(0, &horizon)));
    group.finish();
}

/// One person, of whom one thing came by a door: every rule that depends on it, as against the same rules for everybody.
fn live(c: &mut Criterion) {
    const PROFILES: u32 = 4 * 65_536;
    let (world, zone) = (World::new(PROFILES), jiff::tz::TimeZone::UTC);
    let columns = world.columns();
    let properties = vec![("shop".into(), Value::Text("s03".into())), ("amount".into(), Value::Number(12.5))];
    let said = Said::Event { name: "visit".into(), properties };
    let facts = [Record { id: 1, time: NOW.0 - 30, received: NOW.0, keys: Default::default(), said }];
    let mut somebody = 0u64;
    let mut person = || {
        somebody += 1;
        let ordinal = Some((mix(somebody) % u64::from(PROFILES)) as u32);
        Person { columns: &columns, ordinal, seed: 0, facts: &facts }
    };
    let mut group = c.benchmark_group("live");
    for count in [1, 10, 100] {
        let visited = |number: u64| did("visit", Some(number % SHOPS), Count::AtLeast(1), 1 + number as i64 % 30);
        let rule = |number| Expr::And(vec![visited(number), at_least("t03", number as f64 * 90.0)]);
        let rules = (0..count).map(rule);
        let audiences =
            rules.zip(catalogue().audiences).map(|(rule, audience)| Audience { rule: Some(Rule(rule)), ..audience });
        let catalogue = Catalogue { audiences: audiences.collect(), ..Catalogue::default() };
        let plan = LivePlan::compile(&catalogue, &columns, &zone, |_| false);
        let everybody = Plan::compile(&catalogue, &columns, NOW, &zone);
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("{count} dependents"), |bench| {
            bench.iter(|| {
                let person = person();
                plan.dependents(&facts[0].said).filter(|rule| plan.holds(&person, *rule, NOW)).count()
            });
        });
        group.bench_function(format!("{count} dependents, next change"), |bench| {
            bench.iter(|| plan.next_change(&person(), plan.dependents(&facts[0].said), NOW));
        });
        let each = |times: u32, work: &mut dyn FnMut()| {
            let start = std::time::Instant::now();
            (0..times).for_each(|_| work());
            start.elapsed().as_secs_f64() / f64::from(times)
        };
        let one = each(20_000, &mut || {
            let person = person();
            black_box(plan.dependents(&facts[0].said).filter(|rule| plan.holds(&person, *rule, NOW)).count());
        });
        let mut scratch = Scratch::default();
        let a_profile = each(5, &mut || everybody.block(0, &mut scratch)) / 65_536.0;
        println!("{count} dependents: one person costs {:.0} x a profile of a block", one / a_profile);
    }
    group.finish();
}

/// What a leaf costs: a trait, an event of ten rows, without and with what came by a door.
fn leaves(c: &mut Criterion) {
    let world = World::new(65_536);
    let columns = world.columns();
    let purchases = &columns.events()[columns.find_event("purchase").expect("written above")].1;
    let ten = (0..65_536).find(|ordinal| purchases.rows_of(*ordinal).len() == 10);
    let record = |said| Record { id: 1, time: NOW.0 - 30, received: NOW.0, keys: Default::default(), said };
    let value = Some(Value::Text("v19".into()));
    let facts = [
        record(Said::Traits(vec![("t01".into(), value)])),
        record(Said::Event { name: "purchase".into(), properties: vec![("amount".into(), Value::Number(5.0))] }),
    ];
    let mut group = c.benchmark_group("a leaf");
    let rules = [("trait", is_in("t01", 3..7)), ("event", did("purchase", Some(3), Count::AtLeast(2), 90))];
    for (name, rule) in rules.into_iter().chain([("sum", spent(150.0, 60))]) {
        let plan = LivePlan::of_rules(&[&rule], &Catalogue::default(), &columns, &jiff::tz::TimeZone::UTC);
        for (which, facts) in [("snapshot", &facts[..0]), ("live", &facts[..])] {
            let person = Person { columns: &columns, ordinal: ten, seed: 0, facts };
            group.bench_function(format!("{name}, {which}"), |bench| {
                bench.iter(|| plan.holds(black_box(&person), 0, NOW));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, reach, activate, live, leaves);
criterion_main!(benches);
