//! The generation that is served, read a second time from its files: who somebody is and why, which no bid door tells.

use crate::audiences::Catalogue;
use crate::config::Loaded;
use crate::error::Result;
use crate::evaluate::{Question, Tree};
use crate::lookup::{Answer, Outcome, ServingSnapshot};
use crate::overlay::Overlay;
use crate::schema::{AudienceId, Generation, KeyHasher, ProfileKey, Timestamp};
use crate::snapshot::columns::Columns;
use crate::snapshot::{Planes, Snapshot, Store};
use jiff::tz::TimeZone;
use serde_json::Value;

/// The generation, open for explanations.
#[derive(Debug)]
pub(super) struct Reading {
    snapshot: Snapshot,
    serving: ServingSnapshot,
    keys: KeyHasher,
    zone: TimeZone,
    /// The frozen instant.
    pub(super) now: Timestamp,
}

impl Reading {
    /// Opens all planes.
    pub(super) fn open(loaded: &Loaded, generation: Generation) -> Result<Reading> {
        let keys = loaded.key_hasher(false)?;
        let store = Store::open(&loaded.config.data_dir)?;
        let snapshot = store.open_snapshot(generation, Planes::All, Some(&keys))?;
        let serving = ServingSnapshot::new(snapshot.clone())?;
        let now = loaded.clock().now().floor_minute();
        Ok(Reading { snapshot, serving, keys, zone: loaded.zone(), now })
    }

    /// Everything planners defined.
    pub(super) fn catalogue(&self) -> &Catalogue {
        self.serving.catalogue()
    }

    /// The keys of a lookup's identifiers, in order of precedence.
    pub(super) fn keys(&self, lookup: &Value) -> Vec<ProfileKey> {
        let eids = lookup["eids"].as_array().into_iter().flatten();
        let eids = eids.filter_map(|eid| Some((eid["source"].as_str()?, eid["uid"].as_str()?)));
        let precedence = &self.snapshot.manifest().precedence;
        let rank = |source: &str| precedence.iter().position(|name| name == source).unwrap_or(precedence.len());
        let mut ids: Vec<(&str, &str)> = eids.chain(lookup["ifa"].as_str().map(|ifa| ("ifa", ifa))).collect();
        ids.sort_by_key(|(source, _)| rank(source));
        ids.iter().map(|(source, uid)| self.keys.key(source, uid)).collect()
    }

    /// What is answered at an instant, suppress audiences included.
    pub(super) fn answer(&self, keys: &[ProfileKey], now: Timestamp) -> Answer {
        let mut answer = Answer::default();
        self.serving.lookup(keys, now, &Overlay::empty(), &mut answer);
        answer
    }

    /// The audiences of the first matched profile at an instant; none unless matched.
    pub(super) fn audiences(&self, keys: &[ProfileKey], now: Timestamp) -> Option<Vec<u32>> {
        let answer = self.answer(keys, now);
        (answer.outcome == Outcome::Matched).then_some(answer.audiences)
    }

    /// Why somebody is in an audience or not, at an instant: of several profiles, the first of which it is `wanted`.
    pub(super) fn explain(
        &self,
        keys: &[ProfileKey],
        id: &AudienceId,
        now: Timestamp,
        wanted: bool,
    ) -> Result<Option<Tree>> {
        let section = |name| self.snapshot.section(name);
        let columns = Columns::open(section("traits")?, section("events")?, section("memberships")?)?;
        let question = Question { catalogue: self.catalogue(), columns: &columns, now, zone: &self.zone };
        let answer = self.answer(keys, now);
        let ordinals = answer.matched().iter();
        Ok(ordinals.filter_map(|ordinal| question.audience(id, *ordinal)).find(|tree| tree.truth == wanted))
    }
}
