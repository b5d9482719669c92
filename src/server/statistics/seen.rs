//! Who was seen in the bidstream, from one generation to the next and from one start to the next.
//!
//! Generations of one index share their bits. Bits of another index are carried over once it is in service and nobody marks the
//! old ones any more, so that none is lost; until then nobody is told who was seen. Written every few minutes and when the
//! server goes away: a crash costs those minutes.

use super::seen_files::{Index, SeenFiles};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::lookup::ServingSnapshot;
use crate::overlay::Daily;
use crate::overlay::daily::{carry, day_of};
use crate::schema::{Clock, Generation, Timestamp};
use crate::snapshot::identities::FIRST_RESERVED;
use crate::snapshot::keys::Keys;
use crate::snapshot::{Planes, Snapshot, Store};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// How long before its begin a day is made room for.
const AHEAD_SECONDS: i64 = 1_800;

/// What is in service, and what must still be carried to it.
pub(in crate::server) struct Seen {
    loaded: Loaded,
    store: Store,
    clock: Clock,
    files: SeenFiles,
    days: u32,
    now: Mutex<Option<Held>>,
    carries: Mutex<VecDeque<(Held, Held)>>,
    written: Mutex<Written>,
}

/// What the files hold.
#[derive(Debug, Default)]
struct Written {
    of: Option<Index>,
    /// How many bits of each day.
    days: Vec<(i64, u64)>,
}

/// The bits of an index, and a generation of it.
#[derive(Debug, Clone)]
struct Held {
    index: Index,
    daily: Arc<Daily>,
    snapshot: ServingSnapshot,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seen({:?})", self.files)
    }
}

impl Seen {
    pub fn new(loaded: &Loaded, store: &Store, clock: Clock) -> Arc<Self> {
        let files = SeenFiles(super::directory(&loaded.config).join("seen"));
        Arc::new(Seen {
            loaded: loaded.clone(),
            store: store.clone(),
            clock,
            files,
            days: loaded.config.statistics.seen_days,
            now: Mutex::default(),
            carries: Mutex::default(),
            written: Mutex::default(),
        })
    }

    /// The bits for a generation that is about to come into service: those of its index, if that is there.
    pub fn bits(&self, snapshot: &ServingSnapshot) -> Arc<Daily> {
        let index = index_of(snapshot.snapshot());
        if let Some(held) = self.now.lock().as_ref().filter(|held| held.index == index) {
            return Arc::clone(&held.daily);
        }
        let daily = Daily::new(index.profiles, self.days);
        daily.begin(day_of(self.clock.now()));
        Arc::new(daily)
    }

    /// A generation came into service with these bits. No request is under way any more that marks those before.
    pub fn installed(&self, snapshot: &ServingSnapshot, daily: &Arc<Daily>) {
        if self.days == 0 {
            return;
        }
        let index = index_of(snapshot.snapshot());
        let held = Held { index, daily: Arc::clone(daily), snapshot: snapshot.clone() };
        let mut now = self.now.lock();
        match now.replace(held.clone()) {
            Some(before) if before.index == index => {}
            Some(before) => self.carries.lock().push_back((before, held)),
            None => self.restore(held),
        }
    }

    /// After a start: takes what the files know.
    fn restore(&self, held: Held) {
        let kept = self.files.read(held.index);
        if !kept.is_empty() {
            kept.iter().for_each(|(day, bits)| self.add(&held.daily, *day, bits));
            return held.daily.set_whole();
        }
        // An index that was built while nobody served: the newest other one that there are files of.
        let other = self.files.indexes().into_iter().rev().find_map(|number| self.before(number));
        match other {
            Some(before) => self.carries.lock().push_back((before, held)),
            None => held.daily.set_whole(),
        }
    }

    fn before(&self, number: Generation) -> Option<Held> {
        let generations = self.store.manifests().ok()?.into_iter().rev();
        let same = |generation: &Generation| {
            self.store.manifest(*generation).is_ok_and(|manifest| manifest.index_of == number)
        };
        let generation = generations.into_iter().find(same)?;
        let snapshot = self.open(generation).ok()?;
        let index = index_of(snapshot.snapshot());
        let daily = Daily::new(index.profiles, self.days);
        self.files.read(index).iter().for_each(|(day, bits)| self.add(&daily, *day, bits));
        Some(Held { index, daily: Arc::new(daily), snapshot })
    }

    /// Adds bits of a day, unless it is too old or has not come.
    fn add(&self, daily: &Daily, day: i64, bits: &[u64]) {
        let today = day_of(self.clock.now());
        if (today - i64::from(self.days) + 1..=today).contains(&day) {
            daily.add(day, bits);
        }
    }

    fn open(&self, generation: Generation) -> Result<ServingSnapshot> {
        let keys = self.loaded.key_hasher(false)?;
        ServingSnapshot::new(self.store.open_snapshot(generation, Planes::All, Some(&keys))?)
    }

    /// Does what has become due: carries bits, begins days. To be called by one thread.
    pub fn tick(&self) {
        let due = self.carries.lock().front().cloned();
        if let Some((from, to)) = due {
            if let Err(error) = self.carry(&from, &to) {
                tracing::warn!("who was seen before generation {} is forgotten: {error}", to.snapshot.generation());
            }
            let mut carries = self.carries.lock();
            carries.pop_front();
            // Nobody is missing once all of the chain has come over, and only in the last of it.
            if carries.is_empty() {
                to.daily.set_whole();
            }
        }
        if let Some(held) = &*self.now.lock() {
            let now = self.clock.now();
            held.daily.begin(day_of(now));
            held.daily.begin(day_of(Timestamp(now.0 + AHEAD_SECONDS)));
        }
    }

    fn carry(&self, from: &Held, to: &Held) -> Result<()> {
        let opened;
        let snapshot = if from.snapshot.snapshot().has("keys") {
            from.snapshot.snapshot()
        } else {
            opened = self.open(from.snapshot.generation())?;
            opened.snapshot()
        };
        let keys = Keys::open(snapshot.section("keys")?)?;
        if keys.profiles() != from.daily.profiles() {
            return Err(Error::snapshot("section `keys` has another number of profiles; build again"));
        }
        let of = |ordinal| keys.of(ordinal).map(|(key, _)| key);
        let find = |key| to.snapshot.find(key).filter(|value| *value < FIRST_RESERVED);
        carry(&from.daily, &to.daily, day_of(self.clock.now()), of, find);
        Ok(())
    }

    /// Makes durable what is known by now.
    ///
    /// # Errors
    /// A machine that refuses.
    pub fn write(&self) -> Result<()> {
        let Some(held) = self.now.lock().clone() else { return Ok(()) };
        if !held.daily.is_whole() {
            // The files of the index before are still needed.
            return Ok(());
        }
        let today = day_of(self.clock.now());
        let mut written = self.written.lock();
        if written.of != Some(held.index) {
            *written = Written { of: Some(held.index), days: Vec::new() };
        }
        for day in held.daily.remembered(today) {
            let Some(bits) = held.daily.day(day) else { continue };
            let count = bits.iter().map(|word| u64::from(word.count_ones())).sum();
            if !written.days.contains(&(day, count)) {
                self.files.write(held.index, day, &bits)?;
                written.days.retain(|(other, _)| *other != day);
                written.days.push((day, count));
            }
        }
        self.files.sweep(held.index, today - i64::from(self.days) + 1)
    }
}

fn index_of(snapshot: &Snapshot) -> Index {
    let manifest = snapshot.manifest();
    Index { number: manifest.index_of, created: manifest.index_created, profiles: manifest.profiles }
}
