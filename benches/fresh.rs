//! A published change: how long until it is written and opened, and what lookups pay for it.
//!
//! `VAGLIO_BENCH_PROFILES=10000000 cargo bench --bench fresh`

#[allow(dead_code)] // it serves several benches
mod synthetic;

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use vaglio::audiences::rule::{Count, EventTest, Literal, Pick, Test, TraitTest, When};
use vaglio::audiences::{Catalogue, Expr, Rule};
use vaglio::build::fresh::{FreshInputs, Outcome, fresh};
use vaglio::config::load::from_text;
use vaglio::evaluate::survey::Watch;
use vaglio::lookup::{Answer, ServingSnapshot};
use vaglio::overlay::Overlay;
use vaglio::schema::{AudienceId, ProfileKey, Span, Timestamp};
use vaglio::snapshot::columns::data::{ColumnData, EventData, TraitData};
use vaglio::snapshot::columns::{EventsWriter, ListsWriter, Opened, TraitsWriter};
use vaglio::snapshot::{Manifest, Plane, Planes, SectionRef, SectionWriter, Store};

const NOW: i64 = 1_790_000_040;
const LOOKUPS: usize = 1 << 20;
const ROUNDS: usize = 9;

fn columns(profiles: u32) -> ColumnData {
    let buyers: Vec<u32> = (0..profiles).flat_map(|at| [at, at]).collect();
    let ago = |at: usize| (synthetic::mix(at as u64) % (90 * 86_400)) as u32;
    let mut rows: Vec<(u32, u32)> = buyers.iter().enumerate().map(|(at, who)| (*who, NOW as u32 - ago(at))).collect();
    rows.sort_unstable();
    let event = EventData {
        ordinals: rows.iter().map(|row| row.0).collect(),
        times: rows.iter().map(|row| row.1).collect(),
        properties: Vec::new(),
    };
    ColumnData {
        ordinals: profiles,
        seeds: (0..profiles).map(|at| synthetic::mix(at.into()) as u32).collect(),
        traits: vec![
            ("age".to_owned(), TraitData::Number((0..profiles).map(|at| f64::from(18 + at * 7 % 60)).collect())),
            ("vip".to_owned(), TraitData::Flag((0..profiles).map(|at| (at % 3) as u8).collect())),
        ],
        events: vec![("purchase".to_owned(), event)],
        lists: Vec::new(),
    }
}

fn generation(store: &Store, profiles: u32) -> Manifest {
    let publishing = store.publishing("bench").expect("the lock");
    let section = |name| store.section(name, Plane::Control).expect("a section");
    let data = columns(profiles);
    let mut traits = TraitsWriter::new(section("traits"), profiles, &data.seeds).expect("a writer");
    data.traits.iter().for_each(|(name, column)| traits.add(name, column).expect("written"));
    let mut events = EventsWriter::new(section("events"), profiles).expect("a writer");
    data.events.iter().for_each(|(name, column)| events.add(name, column).expect("written"));
    let lists = ListsWriter::new(section("memberships"), profiles).expect("a writer");
    let mut provenance = section("provenance");
    let nothing = serde_json::json!({ "index": vaglio::build::provenance::Provenance::default(), "sources": [] });
    provenance.write_all(nothing.to_string().as_bytes()).expect("written");
    let finished = |section: SectionWriter| section.finish().expect("durable");
    let mut sections: Vec<SectionRef> = vec![
        synthetic::identities(store, profiles),
        synthetic::forward(store, profiles),
        synthetic::flips(store),
        synthetic::catalogue(store, false),
        finished(provenance),
    ];
    for written in [traits.finish(), events.finish(), lists.finish()] {
        sections.push(finished(written.expect("written")));
    }
    let generation = store.next_generation().expect("a number");
    let key_fingerprint = synthetic::hasher().fingerprint();
    let as_of = Timestamp(NOW);
    let manifest = Manifest { generation, as_of, key_fingerprint, profiles, sections, ..Manifest::default() };
    store.publish(&publishing, manifest.clone()).expect("published");
    manifest
}

/// Flagged people of some age who bought within so many days.
fn rule(age: f64, days: i64) -> Expr {
    let ages = Test::Between(Literal::Number(age), Literal::Number(50.0));
    Expr::And(vec![
        Expr::Trait(TraitTest { name: "vip".to_owned(), test: Test::IsTrue }),
        Expr::Trait(TraitTest { name: "age".to_owned(), test: ages }),
        Expr::Event(EventTest {
            name: "purchase".to_owned(),
            filter: Vec::new(),
            pick: Pick::All,
            count: Count::AtLeast(1),
            when: When::Within(Span(days * 86_400)),
        }),
    ])
}

/// Seconds that 2^20 lookups take, at their fastest, one at a time and in batches.
fn lookups(serving: &ServingSnapshot, keys: &[ProfileKey]) -> (f64, f64) {
    let (overlay, now) = (Overlay::empty(), Timestamp(NOW + 60));
    let (mut one, mut answers) = (Answer::with_capacity(64), vec![Answer::with_capacity(64); 64]);
    let began = Instant::now();
    for key in keys {
        serving.lookup(std::slice::from_ref(key), now, &overlay, black_box(&mut one));
    }
    let single = began.elapsed().as_secs_f64();
    let began = Instant::now();
    keys.chunks(64).for_each(|keys| serving.lookup_batch(keys, now, &overlay, black_box(&mut answers)));
    (single, began.elapsed().as_secs_f64())
}

fn main() {
    let profiles = synthetic::profiles();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = Store::open(directory.path()).expect("a store");
    let mut manifest = generation(&store, profiles);
    let open = |manifest: &Manifest| {
        let snapshot = store.open_snapshot(manifest.generation, Planes::All, None).expect("opened");
        ServingSnapshot::new(snapshot).expect("fits together")
    };
    let loaded = from_text("timezone: UTC\n", Path::new("/x/vaglio.yaml"), std::iter::empty());
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    let whole = open(&manifest);
    let hasher = synthetic::hasher();
    let known = u64::from(profiles) * synthetic::IDENTIFIERS;
    let keys: Vec<ProfileKey> =
        (0..LOOKUPS).map(|at| synthetic::key(&hasher, synthetic::mix(at as u64 ^ 99) % known)).collect();
    println!("{profiles} profiles, {} audiences", whole.catalogue().audiences.len());
    for count in [1, 8] {
        let base = open(&manifest);
        let mut catalogue: Catalogue = whole.catalogue().clone();
        for at in 0..count {
            let audience = &mut catalogue.audiences[at * 211];
            audience.rule = Some(Rule(rule(20.0 + at as f64, 7 + at as i64)));
            audience.id = AudienceId::new("bench", &format!("a{:05}", at * 211));
        }
        let columns = Opened::of(base.snapshot()).expect("columns");
        let (columns, watch, catalogue) = (columns.columns(), Watch::default(), &catalogue);
        let inputs = FreshInputs { loaded: &loaded, catalogue, base: &base, columns, store: &store, watch: &watch };
        let began = Instant::now();
        let Ok(Outcome::Published(published)) = fresh(&inputs) else { panic!("not published") };
        let took = began.elapsed().as_secs_f64();
        let began = Instant::now();
        let serving = open(&published);
        let opened = began.elapsed().as_secs_f64();
        println!(
            "{count} audiences: evaluate {:.3} s, write {:.3} s, publish in all {took:.3} s, open {opened:.3} s",
            published.timings["fresh_evaluate"], published.timings["fresh_write"]
        );
        // Alternating, the medians.
        let mut ratios = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (before, after) = (lookups(&whole, &keys), lookups(&serving, &keys));
            ratios.0.push(after.0 / before.0);
            ratios.1.push(after.1 / before.1);
        }
        let median = |mut ratios: Vec<f64>| {
            ratios.sort_by(f64::total_cmp);
            ratios[ratios.len() / 2]
        };
        println!("  lookups with / without: one at a time {:.3}, batched {:.3}", median(ratios.0), median(ratios.1));
        manifest = *published;
    }
}
