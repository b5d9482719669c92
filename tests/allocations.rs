//! A lookup allocates nothing, one at a time or in batches, an enriched bid request its own bytes alone, and every other bid door
//! what `benches/guard/budgets.json` says: a counting allocator watches.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unsafe_code)]

#[path = "cases/facts.rs"]
mod facts;
#[path = "../benches/guard/world.rs"]
mod world;

use hyper::HeaderMap;
use serde_json::{Value, json};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;
use vaglio::audiences::definitions;
use vaglio::decide::{CampaignIndex, Decision, Decisions, Past, Status};
use vaglio::hooks::call::Call;
use vaglio::hooks::openrtb_enrich;
use vaglio::hooks::routes::{Asked, Media};
use vaglio::lookup::{Answer, Outcome};
use vaglio::overlay::{Exposures, Overlay};
use vaglio::schema::{KeyHasher, ProfileKey, Timestamp};
use vaglio::snapshot::Caps;
use world::{AUDIENCES, PEOPLE, index};

struct Counting;

thread_local! {
    /// Of this thread alone, so that the test harness does not disturb it.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator; a count is kept beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Nothing was shown before the cut.
const NO_CAPS: Option<&Caps<Vec<u8>>> = None;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[test]
fn the_counter_counts() {
    assert!(allocations(|| drop(std::hint::black_box(Box::new(1)))) > 0);
}

#[test]
fn a_lookup_allocates_nothing_even_the_first() {
    for filter in [false, true] {
        let index = index(filter);
        let hasher = KeyHasher::new([1; 16]);
        let mut answer = Answer::with_capacity(AUDIENCES as usize);
        let (mut found, overlay) = (0, Overlay::empty());
        let count = allocations(|| {
            for person in 0..PEOPLE * 2 {
                let mut digits = [0u8; 10];
                let uid = decimal(person, &mut digits);
                // Three identifiers: two that may be known, and a stranger.
                let other = hasher.key("ifa", decimal(person / 2, &mut [0u8; 10]));
                let keys = [hasher.key("ifa", uid), other, hasher.key("id5-sync.com", uid)];
                index.lookup(&keys, Timestamp(20 * 60), &overlay, &mut answer);
                found += u32::from(answer.outcome == Outcome::Matched);
            }
        });
        assert_eq!((count, found), (0, PEOPLE * 2));
    }
}

#[test]
fn a_batch_allocates_nothing() {
    let index = index(true);
    let hasher = KeyHasher::new([1; 16]);
    let keys: Vec<ProfileKey> = (0..PEOPLE * 2).map(|person| hasher.key("ifa", &person.to_string())).collect();
    let mut answers = (0..256).map(|_| Answer::with_capacity(AUDIENCES as usize)).collect::<Vec<_>>();
    let overlay = Overlay::empty();
    let count = allocations(|| {
        keys.chunks(256).for_each(|keys| index.lookup_batch(keys, Timestamp(0), &overlay, &mut answers))
    });
    assert_eq!(count, 0);
}

#[test]
fn limits_allocate_nothing_once_their_buffers_are_warm() {
    let text = "
campaigns:
- { id: a, owner: o, status: active, group: g, caps: [{ impressions: 3, per: 24h }], min_gap: 5m }
- { id: b, owner: o, status: active, group: g, priority: 2 }
groups: { g: { at_most: 9, per: 1h } }
pressure: { messages: 5, per: 7d }
";
    let files = [("f.yaml".into(), text.to_owned())];
    let catalogue = definitions::check(&files, &Default::default(), &jiff::tz::TimeZone::UTC).catalogue.unwrap();
    let index = CampaignIndex::new(&catalogue);
    let keep = catalogue.memory(Timestamp(0)).into_iter().map(|memory| memory.keep);
    let since = Exposures::new(catalogue.campaigns.iter().map(|it| it.id.as_str()).zip(keep), 9);
    assert!(since.record(1, "o/a", Timestamp(1)) && since.record(1, "o/b", Timestamp(2)));
    let mut decisions = Decisions::default();
    let mut decide = |now: i64| {
        index.decide(Status::Matched, &[], &[], Timestamp(now), &mut decisions);
        let past = Past::Known { matched: &[0, 1], before: NO_CAPS, since: &since };
        index.limit(&past, Timestamp(now), |_| true, &mut decisions);
        decisions.all[0]
    };
    assert_eq!((decide(10), decide(1_000)), (Decision::Capped, Decision::Outranked));
    let count = allocations(|| {
        for now in 0..1_000 {
            std::hint::black_box(decide(now));
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn an_enriched_request_allocates_its_own_bytes_alone() {
    let case = json!({
        "people": [{"ids": {"id.test": "known"}, "audiences": ["acme/gamers", "acme/vip"]}],
        "definitions": {"audiences": [
            {"id": "gamers", "owner": "acme", "kind": "target", "list": true, "segment": {"taxonomy": 4, "id": "560"}},
            {"id": "vip", "owner": "acme", "kind": "target", "list": true},
        ]},
    });
    let server = facts::Facts::new(&case).serve();
    let body = r#"{"id":"r1","imp":[{"id":"1","banner":{"format":[{"w":300,"h":250}]}}],"tmax":800,
        "site":{"domain":"news.example","page":"https://news.example/a?b=\"c\""},"regs":{"coppa":0},
        "user":{"id":"u","eids":[{"source":"other.test","uids":[{"id":"x"}]},{"source":"id.test","uids":[{"id":"known"}]}]}}"#;
    let headers = HeaderMap::new();
    let asked = Asked { media: Media::Json, headers: &headers, query: "", body: body.into() };
    let enrich = || openrtb_enrich::answer(server.doors(), &asked, &Call::local()).unwrap();
    let warm = enrich();
    let label = r#"{"id":"vaglio","name":"vaglio","segment":[{"id":"560"}],"ext":{"segtax":4}}"#;
    let name = r#"{"id":"vaglio","name":"vaglio","segment":[{"id":"acme/vip"}]}"#;
    let user = format!(",\"data\":[{label},{name}]}}}}");
    assert_eq!(warm.body.unwrap().whole(), format!("{}{user}", body.strip_suffix("}}").unwrap()));
    let count = allocations(|| drop(enrich()));
    assert_eq!(count, 1);
}

/// `VAGLIO_GUARD_ACCEPT=1` writes what is counted as the new budgets.
#[test]
fn every_bid_door_allocates_what_its_budget_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guard/budgets.json");
    let mut budgets: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let mut counted = serde_json::Map::new();
    for mut case in world::cases() {
        (0..20).for_each(|_| (case.work)());
        let [first, second] = [allocations(&mut case.work), allocations(&mut case.work)];
        assert_eq!(first, second, "{}: the same question costs the same", case.name);
        counted.insert(case.name.to_owned(), first.into());
    }
    let counted = Value::Object(counted);
    if std::env::var_os("VAGLIO_GUARD_ACCEPT").is_some() {
        budgets["allocations"] = counted;
        std::fs::write(&file, serde_json::to_string_pretty(&budgets).unwrap() + "\n").unwrap();
        return;
    }
    assert_eq!(counted, budgets["allocations"], "counted, and budgeted in {}; see CONTRIBUTING.md", file.display());
}

/// `to_string` without a string.
fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &str {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return std::str::from_utf8(&digits[at..]).unwrap();
        }
    }
}
