//! The log's tail behind one generation: what came by the doors since its cut, and what follows from it for each profile.
//!
//! Records are noted first, in the order of the log; then every profile that they concern is evaluated once, for the rules
//! that depend on what was said, and the overlay is told. So many records cost one evaluation when they come together.

use super::facts::Facts;
use super::ground::{Ground, Whose};
use super::handover::Follower;
use crate::audiences::frequency::{CAMPAIGN, IMPRESSION};
use crate::log::blocklist::HashedState;
use crate::log::{Identifier, Record, Said, Value};
use crate::overlay::Overlay;
use crate::schema::{Clock, Offset, ProfileKey, Timestamp};
use smallvec::SmallVec;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

mod settle;
mod touched;

use touched::Touched;

/// How much is followed between two generations; the rest waits for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Profiles with facts.
    pub profiles: usize,
    /// People whom the generation does not know.
    pub strangers: usize,
    /// Bytes of facts, of all profiles together.
    pub bytes: usize,
}

/// What a tail holds and what it had to leave to the next index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records taken since the generation's cut.
    pub records: u64,
    /// Profiles with facts, strangers included.
    pub profiles: u64,
    /// People whom the generation does not know.
    pub strangers: u64,
    /// Bytes of memory, about: the facts and the overlay.
    pub bytes: u64,
    /// Links: they wait for the next index.
    pub links: u64,
    /// What found no room.
    pub no_room: u64,
    /// Of that, what is of profiles of which as much is kept as of any one.
    pub crowded: u64,
    /// What names nobody that occurs in a bid.
    pub unreachable: u64,
    /// Records that this version cannot read.
    pub unreadable: u64,
}

/// What came since one generation.
#[derive(Debug)]
pub struct Tail {
    ground: Ground,
    overlay: Arc<Overlay>,
    clock: Clock,
    room: Room,
    /// Identifier types that occur at bid time.
    bid_types: HashSet<Box<str>>,
    /// The first record behind the generation's cut, and the next.
    cut: Offset,
    next: Offset,
    /// When the latest of what was applied happened; seconds since the epoch.
    latest: i64,
    facts: HashMap<u32, Facts>,
    facts_bytes: usize,
    /// One on its way.
    fact: Vec<u8>,
    /// By stranger: what samples draw by.
    seeds: Vec<u32>,
    /// Strangers that the overlay has not been told of.
    newcomers: HashMap<ProfileKey, u32, HashedState>,
    /// The newest consent or refusal of each profile, and when it was said.
    consents: HashMap<u32, (i64, bool)>,
    /// Profiles that something was said of since they were evaluated.
    touched: Touched,
    /// By minute: profiles that may turn over at it.
    timer: BTreeMap<u32, Vec<u32>>,
    /// The minute of the last evaluation.
    minute: u32,
    counts: Counts,
}

impl Tail {
    /// Nothing yet behind a generation: what the log holds from its cut on is to be noted. `overlay` is the generation's own.
    pub fn new<'a>(
        ground: Ground,
        overlay: Arc<Overlay>,
        bid_types: impl IntoIterator<Item = &'a str>,
        room: Room,
        clock: Clock,
    ) -> Self {
        overlay.start_strangers_with(ground.plan.of_nobody().into());
        Tail {
            cut: ground.serving.manifest().events_cut,
            next: ground.serving.manifest().events_cut,
            latest: i64::MIN,
            bid_types: bid_types.into_iter().map(Into::into).collect(),
            ground,
            overlay,
            clock,
            room,
            facts: HashMap::new(),
            facts_bytes: 0,
            fact: Vec::new(),
            seeds: Vec::new(),
            newcomers: HashMap::default(),
            consents: HashMap::new(),
            touched: Touched::default(),
            timer: BTreeMap::new(),
            minute: 0,
            counts: Counts::default(),
        }
    }

    /// The record that it waits for.
    pub fn next(&self) -> Offset {
        self.next
    }

    /// The latest moment of what was applied and stands in the log before an offset, or a later one.
    pub(super) fn latest_before(&self, cut: Offset) -> Option<Timestamp> {
        (cut > self.cut && self.latest > i64::MIN).then_some(Timestamp(self.latest))
    }

    /// Takes note of a record; one that it has is left out. [`settle`](Tail::settle) makes it visible.
    pub fn note(&mut self, offset: Offset, bytes: &[u8]) {
        if offset < self.next {
            return;
        }
        self.next = Offset(offset.0 + 1);
        self.counts.records += 1;
        match Record::decode(bytes) {
            Ok(record) => self.say(&record),
            Err(error) => {
                if self.counts.unreadable == 0 {
                    tracing::error!("record {offset} of the events log is not applied: {error}");
                }
                self.counts.unreadable += 1;
            }
        }
    }

    fn say(&mut self, record: &Record<'_>) {
        if record.said == Said::Link {
            self.counts.links += 1;
            return;
        }
        let now = self.clock.now();
        // Of the deleted nothing is taken in, by none of the identifiers that come with theirs.
        let is_deleted = |key| self.overlay.block(key, now).is_some_and(|block| block.deleted);
        if record.keys.iter().any(|identifier| is_deleted(identifier.key)) {
            return;
        }
        let mut profiles: SmallVec<[u32; 4]> = SmallVec::new();
        for identifier in &record.keys {
            if let Some(profile) = self.whose(identifier)
                && !profiles.contains(&profile)
            {
                profiles.push(profile);
            }
        }
        if let Some(record) = self.ground.retention.left(record, now) {
            profiles.into_iter().for_each(|profile| self.say_of(profile, &record));
        }
    }

    /// The profile or stranger that an identifier names.
    fn whose(&mut self, identifier: &Identifier<'_>) -> Option<u32> {
        let key = identifier.key;
        match self.ground.whose(key) {
            Whose::Known(ordinal) => return Some(ordinal),
            Whose::Refuses => return None,
            Whose::Unknown => {}
        }
        let known = self.overlay.stranger(key).or_else(|| self.newcomers.get(&key).copied());
        if known.is_some() {
            return known;
        }
        if !self.bid_types.contains(&*identifier.id_type) {
            self.counts.unreachable += 1;
            return None;
        }
        if self.seeds.len() >= self.room.strangers {
            self.counts.no_room += 1;
            return None;
        }
        let number = self.ground.profiles() + self.seeds.len() as u32;
        self.seeds.push((key.0 >> 96) as u32);
        self.newcomers.insert(key, number);
        self.touched.push(number);
        Some(number)
    }

    fn say_of(&mut self, profile: u32, record: &Record<'_>) {
        match &record.said {
            Said::Consent(consents) => return self.consent(profile, record.time, *consents),
            Said::Event { name, properties } if name == IMPRESSION => {
                let campaign = properties.iter().find_map(|(name, value)| match value {
                    Value::Text(campaign) if name == CAMPAIGN => Some(campaign),
                    _ => None,
                });
                if let Some(campaign) = campaign {
                    self.overlay.exposures.record(profile, campaign, Timestamp(record.time));
                }
            }
            _ => {}
        }
        if self.ground.plan.dependents(&record.said).next().is_none() {
            return;
        }
        let is_full = self.facts.len() >= self.room.profiles && !self.facts.contains_key(&profile);
        if is_full || self.facts_bytes >= self.room.bytes {
            self.counts.no_room += 1;
            return;
        }
        self.latest = self.latest.max(record.time.min(record.received));
        let facts = self.facts.entry(profile).or_default();
        let before = facts.len();
        self.fact.clear();
        // What was read from the log is within bounds.
        if record.encode_fact(&mut self.fact).is_ok() && facts.add(&self.fact) {
            self.facts_bytes += facts.len() - before;
            self.touched.push(profile);
        } else {
            self.counts.no_room += 1;
            self.counts.crowded += 1;
        }
    }

    /// The newest counts, and of several at once the refusal. What the snapshot knows of refusals has no time: only a consent
    /// that is certainly newer lifts it.
    fn consent(&mut self, profile: u32, time: i64, consents: bool) {
        if consents && time < self.ground.consents_until.0 {
            return;
        }
        // A refusal finds room always.
        if consents && self.consents.len() >= self.room.profiles && !self.consents.contains_key(&profile) {
            self.counts.no_room += 1;
            return;
        }
        let newest = self.consents.entry(profile).or_insert((time, consents));
        if (newest.0, !newest.1) < (time, !consents) {
            *newest = (time, consents);
        }
        self.overlay.say_consent(profile, newest.1);
    }

    /// Takes what is known of deleted people out of memory, by their identifiers.
    pub fn forget(&mut self, keys: &[ProfileKey]) {
        for key in keys {
            let profile = match self.ground.whose(*key) {
                Whose::Known(ordinal) => Some(ordinal),
                Whose::Refuses => None,
                Whose::Unknown => self.overlay.stranger(*key),
            };
            let Some(profile) = profile else { continue };
            if let Some(facts) = self.facts.remove(&profile) {
                self.facts_bytes -= facts.len();
            }
            self.consents.remove(&profile);
            if let Some(stranger) = profile.checked_sub(self.ground.profiles())
                && let Some(seed) = self.seeds.get_mut(stranger as usize)
            {
                *seed = 0;
            }
            self.overlay.forget(*key, profile);
        }
    }

    /// What it holds.
    pub fn counts(&self) -> Counts {
        let facts = self.facts_bytes + self.facts.capacity() * (size_of::<(u32, Facts)>() + 1);
        let rest = self.seeds.capacity() * 4 + self.consents.capacity() * 24;
        Counts {
            profiles: self.facts.len() as u64,
            strangers: self.seeds.len() as u64,
            bytes: (facts + rest + self.overlay.bytes()) as u64 + self.overlay.exposures.bytes(),
            ..self.counts
        }
    }
}

impl Follower for Tail {
    fn take(&mut self, records: &[(Offset, Vec<u8>)]) {
        records.iter().for_each(|(offset, bytes)| self.note(*offset, bytes));
        self.settle();
    }
}
