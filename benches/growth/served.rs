//! The bid plane of *synthetic* snapshots: 44 audiences a profile (a quarter of them all where there are few), two
//! identifiers. Lists of audiences repeat after 65,536 profiles, which changes no size and no time that is measured here.

use crate::synthetic::{Draw, IDENTIFIERS, MEAN, catalogue_of, flips, hasher, mix};
use crate::{Outcome, Row, data, median};
use std::hint::black_box;
use std::time::Instant;
use vaglio::lookup::{Answer, ServingSnapshot};
use vaglio::overlay::Overlay;
use vaglio::schema::{Generation, ProfileKey, Timestamp};
use vaglio::snapshot::{ForwardWriter, IdentitiesWriter, Manifest, Plane, SectionRef, Store};

const NOW: Timestamp = Timestamp(1_800_000_000);
/// Different lists of audiences.
const LISTS: u64 = 1 << 16;
/// Questions of a round, and rounds.
const QUESTIONS: usize = 1 << 18;
const ROUNDS: usize = 5;
/// Bytes chased through: far more than any cache.
const CHASED_BYTES: usize = 512 << 20;

/// Writes, opens and asks a snapshot of each (profiles, audiences).
pub fn measure(series: &str, sizes: impl Iterator<Item = (u32, u32)>) -> Outcome<()> {
    let mut chase = None;
    for (profiles, audiences) in sizes {
        let row = Row { series, profiles, audiences };
        let chase = *chase.get_or_insert_with(one_access);
        row.tell("one dependent memory access, ns", chase)?;
        let directory = tempfile::tempdir_in(data()?)?;
        let store = Store::open(directory.path())?;
        write(&store, &row)?;
        ask(&store, &row)?;
    }
    Ok(())
}

fn write(store: &Store, row: &Row<'_>) -> Outcome<()> {
    let publishing = store.publishing("bench")?;
    let began = Instant::now();
    let identities = identities(store, row.profiles)?;
    row.tell("write identities, s", began.elapsed().as_secs_f64())?;
    let lists = Lists::new(row.audiences);
    let began = Instant::now();
    let forward = lists.forward(store, row.profiles)?;
    row.tell("write forward, s", began.elapsed().as_secs_f64())?;
    let sections = vec![identities, forward, flips(store), catalogue_of(store, row.audiences, false)];
    for section in &sections {
        row.tell(&format!("{}, bytes", section.name), section.length as f64)?;
    }
    row.tell("bid plane, bytes", sections.iter().map(|section| section.length as f64).sum())?;
    let (generation, key_fingerprint) = (store.next_generation()?, hasher().fingerprint());
    let manifest = Manifest { generation, key_fingerprint, profiles: row.profiles, sections, ..Manifest::default() };
    store.publish(&publishing, manifest)?;
    Ok(())
}

/// Keys are keyed hashes: uniform. So are these, and cheaper.
fn key(number: u64) -> ProfileKey {
    ProfileKey(u128::from(mix(number)) << 64 | u128::from(mix(number ^ 0x5bd1_e995_0000)))
}

fn identities(store: &Store, profiles: u32) -> Outcome<SectionRef> {
    let mut section = store.section("identities", Plane::Bid)?;
    let numbers = 0..u64::from(profiles) * IDENTIFIERS;
    IdentitiesWriter::write(numbers.map(|number| (key(number), (number / IDENTIFIERS) as u32)), &mut section)?;
    Ok(section.finish()?)
}

/// Drawn beforehand, so that writing is what is timed.
struct Lists {
    draw: Draw,
    lists: Vec<Vec<u32>>,
}

impl Lists {
    fn new(audiences: u32) -> Lists {
        let draw = Draw::new(audiences, MEAN.min(audiences as usize / 4));
        let list = |profile| {
            let mut list = Vec::new();
            draw.of(profile, &mut list);
            list
        };
        Lists { lists: (0..LISTS).map(list).collect(), draw }
    }

    fn forward(&self, store: &Store, profiles: u32) -> Outcome<SectionRef> {
        let section = store.section("forward", Plane::Bid)?;
        let mut writer = ForwardWriter::new(section, profiles, &self.draw.order)?;
        for profile in 0..u64::from(profiles) {
            writer.push(0, &self.lists[(profile % LISTS) as usize])?;
        }
        Ok(writer.finish()?)
    }
}

fn ask(store: &Store, row: &Row<'_>) -> Outcome<()> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let opened = ServingSnapshot::open(&Store::open(store.root())?, Generation(1), &hasher())?;
        times.push(began.elapsed().as_secs_f64());
        drop(opened);
    }
    row.tell("open, s", median(times))?;
    let snapshot = ServingSnapshot::open(store, Generation(1), &hasher())?;
    let known = u64::from(row.profiles) * IDENTIFIERS;
    let keys = |unknown: u64| -> Vec<ProfileKey> {
        let number = |at: u64| mix(at) % known + if mix(at ^ 77) % 100 < unknown { known } else { 0 };
        (0..QUESTIONS as u64).map(|at| key(number(at))).collect()
    };
    for (name, unknown) in [("hit, ns", 0), ("miss, ns", 100), ("40 % unknown, ns", 40)] {
        row.tell(name, one_by_one(&snapshot, &keys(unknown)))?;
    }
    for (name, unknown) in [("batch of 64, hits, each, ns", 0), ("batch of 64, 40 % unknown, each, ns", 40)] {
        row.tell(name, batches(&snapshot, &keys(unknown)))?;
    }
    Ok(())
}

/// A question depends on the answer before it, as between two bids.
fn one_by_one(snapshot: &ServingSnapshot, keys: &[ProfileKey]) -> f64 {
    let (mut answer, overlay) = (Answer::with_capacity(4_096), Overlay::empty());
    let mut round = || {
        let (began, mut at) = (Instant::now(), 0);
        while at < keys.len() {
            snapshot.lookup(&keys[at..=at], NOW, &overlay, &mut answer);
            at += 1 + (black_box(answer.audiences.len() + answer.outcome as usize) >> 40);
        }
        began.elapsed().as_secs_f64() * 1e9 / keys.len() as f64
    };
    median((0..ROUNDS).map(|_| round()).collect())
}

fn batches(snapshot: &ServingSnapshot, keys: &[ProfileKey]) -> f64 {
    let overlay = Overlay::empty();
    let mut answers: Vec<Answer> = (0..64).map(|_| Answer::with_capacity(4_096)).collect();
    let mut round = || {
        let began = Instant::now();
        for keys in keys.chunks_exact(64) {
            snapshot.lookup_batch(keys, NOW, &overlay, &mut answers);
            black_box(&answers);
        }
        began.elapsed().as_secs_f64() * 1e9 / keys.len() as f64
    };
    median((0..ROUNDS).map(|_| round()).collect())
}

/// Nanoseconds of a memory access that waits for the one before: one cycle through every line of a large buffer (Sattolo).
fn one_access() -> f64 {
    let lines = CHASED_BYTES / 64;
    let mut next: Vec<u32> = (0..lines as u32).collect();
    for at in (1..lines).rev() {
        next.swap(at, (mix(at as u64) % at as u64) as usize);
    }
    let next: Vec<[u32; 16]> = next.into_iter().map(|next| [next; 16]).collect();
    let (mut at, began) = (0, Instant::now());
    for _ in 0..lines / 4 {
        at = next[at as usize][0];
    }
    black_box(at);
    began.elapsed().as_secs_f64() * 1e9 / (lines / 4) as f64
}
