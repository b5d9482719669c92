//! In-process lookups next to one dependent memory access of the same run, on a *synthetic* snapshot: 44 of 2,000
//! audiences a profile (sizes as 1 / (rank + 20)), two identifiers a profile, mapped files.
//!
//! `cargo bench --bench lookup`, 1 M profiles; `VAGLIO_BENCH_PROFILES=10000000` for more. A question depends on the answer
//! before it, so that the processor cannot overlap them, as it could not between two bids.

use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use std::hint::black_box;
use synthetic::{AUDIENCES, IDENTIFIERS, catalogue, filter, flips, forward, hasher, identities, key, mix, write_uid};
use vaglio::lookup::{Answer, Outcome, ServingSnapshot};
use vaglio::overlay::daily::day_of;
use vaglio::overlay::{Daily, Overlay};
use vaglio::schema::{Generation, ProfileKey, Timestamp};
use vaglio::snapshot::{Manifest, Planes, SectionRef, Store};

mod synthetic;

/// Bytes chased through: far more than any cache.
const CHASED_BYTES: usize = 512 << 20;
const NOW: Timestamp = Timestamp(1_800_000_000);

struct World {
    profiles: u32,
    _directory: tempfile::TempDir,
    store: Store,
    plain: ServingSnapshot,
    filtered: ServingSnapshot,
}

impl World {
    fn new() -> World {
        let profiles = synthetic::profiles();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = Store::open(directory.path()).expect("a store");
        let publishing = store.publishing("bench").expect("the lock");
        let mut sections =
            vec![identities(&store, profiles), forward(&store, profiles), flips(&store), catalogue(&store, false)];
        let publish = |sections: &[SectionRef]| {
            let generation = store.next_generation().expect("a number");
            let sections = sections.to_vec();
            let key_fingerprint = hasher().fingerprint();
            let manifest = Manifest { generation, key_fingerprint, profiles, sections, ..Manifest::default() };
            store.publish(&publishing, manifest).expect("published")
        };
        let plain = publish(&sections);
        sections.push(filter(&store, profiles));
        let filtered = publish(&sections);
        println!("synthetic: {profiles} profiles, {} identifiers", u64::from(profiles) * IDENTIFIERS);
        for section in &sections {
            let each = section.length as f64 / f64::from(profiles);
            println!("  {:<12}{:>14} bytes {each:>8.2} a profile", section.name, section.length);
        }
        let open = |generation| ServingSnapshot::open(&store, generation, &hasher()).expect("opens");
        let (plain, filtered) = (open(plain), open(filtered));
        println!("  false match probability {:.2e}", plain.false_match_probability());
        World { profiles, _directory: directory, store, plain, filtered }
    }

    /// `count` keys in random order, of which a share of `unknown` in a hundred nobody knows.
    fn keys(&self, count: usize, unknown: u64) -> Vec<ProfileKey> {
        let (hasher, known) = (hasher(), u64::from(self.profiles) * IDENTIFIERS);
        let number = |at: u64| mix(at) % known + if mix(at ^ 77) % 100 < unknown { known } else { 0 };
        (0..count as u64).map(|at| key(&hasher, number(at))).collect()
    }
}

/// One cycle through every line of a large buffer, in random order (Sattolo).
fn chase() -> Vec<[u32; 16]> {
    let lines = CHASED_BYTES / 64;
    let mut next: Vec<u32> = (0..lines as u32).collect();
    for at in (1..lines).rev() {
        next.swap(at, (mix(at as u64) % at as u64) as usize);
    }
    next.into_iter().map(|next| [next; 16]).collect()
}

fn one_by_one(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, snapshot: &ServingSnapshot, keys: &[ProfileKey]) {
    let (mut answer, overlay) = (Answer::with_capacity(AUDIENCES as usize), Overlay::empty());
    let mut at = 0;
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            snapshot.lookup(&keys[at..=at], NOW, &overlay, &mut answer);
            at = following(at, keys.len(), &answer);
            answer.outcome
        });
    });
}

/// The same, and whoever is matched is remembered as the bid doors do: the first time sets a bit, the others read it.
fn and_remembered(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    snapshot: &ServingSnapshot,
    keys: &[ProfileKey],
) {
    let (mut answer, overlay) = (Answer::with_capacity(AUDIENCES as usize), Overlay::empty());
    let daily = Daily::new(snapshot.manifest().profiles, 30);
    daily.begin(day_of(NOW));
    let mut at = 0;
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            snapshot.lookup(&keys[at..=at], NOW, &overlay, &mut answer);
            if answer.outcome == Outcome::Matched {
                daily.mark(answer.matched(), NOW);
            }
            at = following(at, keys.len(), &answer);
            answer.outcome
        });
    });
}

/// The next question, known only once this answer is.
fn following(at: usize, count: usize, answer: &Answer) -> usize {
    let next = at + 1 + (black_box(answer.audiences.len() + answer.outcome as usize) >> 40);
    if next >= count { 0 } else { next }
}

fn lookups(criterion: &mut Criterion) {
    let world = World::new();
    let mut group = criterion.benchmark_group("lookup");
    let lines = chase();
    let mut at = 0u32;
    group.bench_function("one dependent memory access", |bencher| {
        bencher.iter(|| {
            at = lines[at as usize][0];
            at
        });
    });
    drop(lines);

    let count = (world.profiles as usize).clamp(1 << 16, 1 << 21);
    let (known, unknown, mixed) = (world.keys(count, 0), world.keys(count, 100), world.keys(count, 40));
    one_by_one(&mut group, "hit", &world.plain, &known);
    and_remembered(&mut group, "hit, and seen today", &world.plain, &known);
    one_by_one(&mut group, "miss", &world.plain, &unknown);
    one_by_one(&mut group, "miss, filter", &world.filtered, &unknown);
    one_by_one(&mut group, "40 % unknown", &world.plain, &mixed);
    one_by_one(&mut group, "40 % unknown, filter", &world.filtered, &mixed);
    one_by_one(&mut group, "hit, all in cache", &world.plain, &known[..16]);
    from_identifiers(&mut group, &world);
    batches(&mut group, &world, &known, &mixed);
    group.finish();
    load(criterion, &world);
}

fn from_identifiers(group: &mut BenchmarkGroup<'_, WallTime>, world: &World) {
    let known = u64::from(world.profiles) * IDENTIFIERS;
    let uids: Vec<[u8; 36]> = (0..1 << 18)
        .map(|at| {
            let mut uid = [0; 36];
            write_uid(mix(at) % known, &mut uid);
            uid
        })
        .collect();
    let (hasher, overlay) = (hasher(), Overlay::empty());
    let (mut answer, mut at) = (Answer::with_capacity(AUDIENCES as usize), 0);
    group.bench_function("hit from a 36-character identifier", |bencher| {
        bencher.iter(|| {
            let uid = std::str::from_utf8(&uids[at]).expect("hexadecimal digits and dashes");
            world.plain.lookup(&[hasher.key("ifa", uid)], NOW, &overlay, &mut answer);
            at = following(at, uids.len(), &answer);
            assert_eq!(answer.outcome, Outcome::Matched);
        });
    });
}

fn batches(group: &mut BenchmarkGroup<'_, WallTime>, world: &World, known: &[ProfileKey], mixed: &[ProfileKey]) {
    let overlay = Overlay::empty();
    let mut answers: Vec<Answer> = (0..64).map(|_| Answer::with_capacity(AUDIENCES as usize)).collect();
    group.throughput(Throughput::Elements(64));
    for (name, snapshot, keys) in [
        ("batch of 64, hits", &world.plain, known),
        ("batch of 64, 40 % unknown", &world.plain, mixed),
        ("batch of 64, 40 % unknown, filter", &world.filtered, mixed),
    ] {
        let mut blocks = keys.chunks_exact(64).cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| snapshot.lookup_batch(blocks.next().expect("a cycle"), NOW, &overlay, &mut answers));
        });
    }
}

/// Verify and map every bid section, its pages in the kernel's cache.
fn load(criterion: &mut Criterion, world: &World) {
    let mut group = criterion.benchmark_group("snapshot");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(world.plain.manifest().bytes(Planes::Bid)));
    group.bench_function("load", |bencher| {
        let fresh = || Store::open(world.store.root()).expect("a store");
        let open = |store: Store| ServingSnapshot::open(&store, Generation(1), &hasher()).expect("opens");
        bencher.iter_batched(fresh, open, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, lookups);
criterion_main!(benches);
