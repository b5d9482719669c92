//! In-process lookups next to one dependent memory access of the same run, on a *synthetic* snapshot: 44 of 2,000
//! audiences a profile (sizes as 1 / (rank + 20)), two identifiers a profile, mapped files.
//!
//! `cargo bench --bench lookup`, 1 M profiles; `VAGLIO_BENCH_PROFILES=10000000` for more, and `VAGLIO_BENCH_STORE=DIR` keeps the
//! snapshot there for the next run. A question depends on the answer before it, so that the processor cannot overlap them, as
//! it could not between two bids. Everything is measured twice: on mapped files, next to a chase through ordinary pages, and on
//! copies in huge pages (`server.huge_pages`), next to a chase through huge pages.

use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use memmap2::{Advice, MmapMut};
use std::hint::black_box;
use std::path::PathBuf;
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
    _directory: Option<tempfile::TempDir>,
    store: Store,
    plain: ServingSnapshot,
    filtered: ServingSnapshot,
}

impl World {
    /// The synthetic store, as it is read: mapped, or in huge pages.
    fn new(huge_pages: bool) -> World {
        let profiles = synthetic::profiles();
        let kept = std::env::var_os("VAGLIO_BENCH_STORE").map(PathBuf::from);
        let directory = kept.is_none().then(|| tempfile::tempdir().expect("a temporary directory"));
        let root = directory.as_ref().map(|directory| directory.path().to_path_buf()).or(kept).expect("one of the two");
        let store = Store::open(root).expect("a store").with_huge_pages(huge_pages);
        if store.current().expect("a number or nothing").is_none() {
            World::write(&store, profiles);
        }
        let open = |number| ServingSnapshot::open(&store, Generation(number), &hasher()).expect("opens");
        let (plain, filtered) = (open(1), open(2));
        assert_eq!(plain.manifest().profiles, profiles, "the store of VAGLIO_BENCH_STORE is of another size");
        World { profiles, _directory: directory, store, plain, filtered }
    }

    /// Generation 1, and generation 2 with a filter.
    fn write(store: &Store, profiles: u32) {
        let publishing = store.publishing("bench").expect("the lock");
        let mut sections =
            vec![identities(store, profiles), forward(store, profiles), flips(store), catalogue(store, false)];
        let publish = |sections: &[SectionRef]| {
            let generation = store.next_generation().expect("a number");
            let sections = sections.to_vec();
            let key_fingerprint = hasher().fingerprint();
            let manifest = Manifest { generation, key_fingerprint, profiles, sections, ..Manifest::default() };
            store.publish(&publishing, manifest).expect("published");
        };
        publish(&sections);
        sections.push(filter(store, profiles));
        publish(&sections);
    }

    fn describe(&self) {
        println!("synthetic: {} profiles, {} identifiers", self.profiles, u64::from(self.profiles) * IDENTIFIERS);
        for section in &self.filtered.manifest().sections {
            let each = section.length as f64 / f64::from(self.profiles);
            println!("  {:<12}{:>14} bytes {each:>8.2} a profile", section.name, section.length);
        }
        println!("  false match probability {:.2e}", self.plain.false_match_probability());
    }

    /// `count` keys in random order, of which a share of `unknown` in a hundred nobody knows.
    fn keys(&self, count: usize, unknown: u64) -> Vec<ProfileKey> {
        let (hasher, known) = (hasher(), u64::from(self.profiles) * IDENTIFIERS);
        let number = |at: u64| mix(at) % known + if mix(at ^ 77) % 100 < unknown { known } else { 0 };
        (0..count as u64).map(|at| key(&hasher, number(at))).collect()
    }
}

/// One cycle through every line of a large buffer, in random order (Sattolo), in pages of either size.
fn chase(huge_pages: bool) -> MmapMut {
    let lines = CHASED_BYTES / 64;
    let mut next: Vec<u32> = (0..lines as u32).collect();
    for at in (1..lines).rev() {
        next.swap(at, (mix(at as u64) % at as u64) as usize);
    }
    let mut chased = MmapMut::map_anon(CHASED_BYTES).expect("memory");
    let pages = if huge_pages { Advice::HugePage } else { Advice::NoHugePage };
    chased.advise(pages).expect("a kernel that knows huge pages");
    for (line, next) in chased.chunks_exact_mut(64).zip(next) {
        line[..4].copy_from_slice(&next.to_le_bytes());
    }
    chased
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
    for (name, huge_pages) in [("lookup, mapped", false), ("lookup, huge pages", true)] {
        let world = World::new(huge_pages);
        if !huge_pages {
            world.describe();
        }
        measure(criterion, name, &world, huge_pages);
    }
}

fn measure(criterion: &mut Criterion, name: &str, world: &World, huge_pages: bool) {
    let mut group = criterion.benchmark_group(name);
    let chased = chase(huge_pages);
    let mut at = 0u32;
    group.bench_function("one dependent memory access", |bencher| {
        bencher.iter(|| {
            at = chased[at as usize * 64..].first_chunk().map_or(0, |next| u32::from_le_bytes(*next));
            at
        });
    });
    drop(chased);

    let count = (world.profiles as usize).clamp(1 << 16, 1 << 21);
    let (known, unknown, mixed) = (world.keys(count, 0), world.keys(count, 100), world.keys(count, 40));
    one_by_one(&mut group, "hit", &world.plain, &known);
    and_remembered(&mut group, "hit, and seen today", &world.plain, &known);
    one_by_one(&mut group, "miss", &world.plain, &unknown);
    one_by_one(&mut group, "miss, filter", &world.filtered, &unknown);
    one_by_one(&mut group, "40 % unknown", &world.plain, &mixed);
    one_by_one(&mut group, "40 % unknown, filter", &world.filtered, &mixed);
    one_by_one(&mut group, "hit, all in cache", &world.plain, &known[..16]);
    from_identifiers(&mut group, world);
    batches(&mut group, world, &known, &mixed);
    group.finish();
    load(criterion, name, world, huge_pages);
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
fn load(criterion: &mut Criterion, name: &str, world: &World, huge_pages: bool) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.throughput(Throughput::Bytes(world.plain.manifest().bytes(Planes::Bid)));
    group.bench_function("opening a generation", |bencher| {
        let fresh = || Store::open(world.store.root()).expect("a store").with_huge_pages(huge_pages);
        let open = |store: Store| ServingSnapshot::open(&store, Generation(1), &hasher()).expect("opens");
        bencher.iter_batched(fresh, open, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, lookups);
criterion_main!(benches);
