//! A generation as records are applied to it: whose an identifier is, what its columns know, which rules depend on what.

use super::retention::Retention;
use crate::error::Result;
use crate::evaluate::LivePlan;
use crate::lookup::ServingSnapshot;
use crate::schema::{Declarations, ProfileKey, Timestamp};
use crate::snapshot::columns::Opened;
use crate::snapshot::identities::FIRST_RESERVED;
use crate::snapshot::keys::Keys;
use crate::snapshot::{AudienceSummary, Identities, IdentitiesWriter, Manifest};
use jiff::tz::TimeZone;
use parking_lot::Mutex;
use std::sync::Arc;

/// How a configuration reads what comes by the doors.
pub struct Reading<'a> {
    /// For how long what is said of a trait or event may be used.
    pub declarations: &'a Declarations,
    /// Of dates and of `today`.
    pub zone: &'a TimeZone,
    /// Whether identifiers of a type occur at bid time.
    pub is_bid: &'a dyn Fn(&str) -> bool,
    /// Whether a source's value of a trait wins over the door's.
    pub outranks_door: &'a dyn Fn(&str) -> bool,
}

/// One generation with its control sections.
#[derive(Debug)]
pub struct Ground {
    pub(super) serving: ServingSnapshot,
    columns: Opened,
    pub(super) plan: LivePlan,
    pub(super) retention: Retention,
    /// Identifiers that occur in no bid, by which events may name a profile all the same.
    hidden: Hidden,
    /// What was said of consent until then is in the snapshot.
    pub(super) consents_until: Timestamp,
}

/// An index in memory, shared by the generations that have the same identifiers.
type Hidden = Option<Arc<Identities<Vec<u8>>>>;

/// What the generation that was opened last has in memory, under one configuration: a fresh one shares it.
#[derive(Debug, Default)]
pub struct Known(Mutex<Option<(String, Hidden)>>);

/// Whose an identifier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// A profile's of the snapshot.
    Known(u32),
    /// Somebody's who objects, and of whom nothing else is kept.
    Refuses,
    /// Nobody's whom the snapshot knows.
    Unknown,
}

impl Ground {
    /// Opens what is needed beside the bid sections. `serving` was opened with the control sections.
    ///
    /// # Errors
    /// Control sections that are missing or damaged.
    pub fn open(serving: ServingSnapshot, reading: &Reading<'_>) -> Result<Self> {
        let hidden = hidden(&serving, reading)?;
        Self::with(serving, reading, hidden)
    }

    /// The same beside what was opened before: with the same identifiers nothing has to be put in order again.
    ///
    /// # Errors
    /// As [`open`](Ground::open).
    pub fn open_beside(serving: ServingSnapshot, reading: &Reading<'_>, known: &Known) -> Result<Self> {
        let keys = serving.manifest().section("keys").map(|section| section.xxh3.clone());
        let mut last = known.0.lock();
        let hidden = match &*last {
            Some((of, hidden)) if keys.as_ref() == Some(of) => hidden.clone(),
            _ => hidden(&serving, reading)?,
        };
        *last = keys.map(|keys| (keys, hidden.clone()));
        drop(last);
        Self::with(serving, reading, hidden)
    }

    fn with(serving: ServingSnapshot, reading: &Reading<'_>, hidden: Hidden) -> Result<Self> {
        let columns = Opened::of(serving.snapshot())?;
        let manifest = serving.manifest();
        // Stale sources have emptied target audiences: nobody joins those by what comes by the doors either.
        let dropped = |audience: usize| manifest.audiences.get(audience).is_some_and(AudienceSummary::is_dropped);
        let plan = LivePlan::compile(serving.rules(), columns.columns(), reading.zone, dropped);
        let consents_until = consents_until(manifest);
        let retention = Retention::of(reading.declarations);
        let plan = plan.outranked(reading.outranks_door);
        Ok(Ground { plan, retention, columns, hidden, consents_until, serving })
    }

    /// The columns.
    pub(super) fn columns(&self) -> &crate::snapshot::columns::Columns<'_> {
        self.columns.columns()
    }

    /// Its number of profiles.
    pub(super) fn profiles(&self) -> u32 {
        self.serving.manifest().profiles
    }

    pub(super) fn whose(&self, key: ProfileKey) -> Whose {
        let value = self.serving.find(key).or_else(|| self.hidden.as_ref()?.find(key));
        match value {
            Some(ordinal) if ordinal < FIRST_RESERVED => Whose::Known(ordinal),
            Some(_) => Whose::Refuses,
            None => Whose::Unknown,
        }
    }
}

/// What an index knows of consents it knew when its build began: that is the minute of its own generation and of the fresh
/// ones over it. Of later ones it is known only that it was there before.
fn consents_until(manifest: &Manifest) -> Timestamp {
    if manifest.index_created == Timestamp(0) { manifest.as_of } else { manifest.as_of.min(manifest.index_created) }
}

/// An index of the identifiers that occur in no bid: 10 bytes each; `None` without any.
fn hidden(serving: &ServingSnapshot, reading: &Reading<'_>) -> Result<Hidden> {
    let types: Vec<bool> = serving.manifest().id_types.iter().map(|name| !(reading.is_bid)(name)).collect();
    if !types.contains(&true) {
        return Ok(None);
    }
    let keys = Keys::open(serving.snapshot().section("keys")?)?;
    let hidden = (0..keys.profiles()).flat_map(|ordinal| keys.of(ordinal).map(move |(key, of)| (key, of, ordinal)));
    let hidden = hidden.filter(|(_, of, _)| types.get(usize::from(*of)).is_some_and(|hidden| *hidden));
    let hidden = hidden.map(|(key, _, ordinal)| (key, ordinal));
    if hidden.clone().next().is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    IdentitiesWriter::write(hidden, &mut bytes)?;
    Identities::open(bytes).map(|hidden| Some(Arc::new(hidden)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consent_given_while_the_index_was_built_counts_over_a_fresh_generation_too() {
        let full = Manifest { as_of: Timestamp(600), index_created: Timestamp(900), ..Manifest::default() };
        let fresh = Manifest { fresh: true, created: Timestamp(7_000), ..full.clone() };
        let activated = Manifest { as_of: Timestamp(3_600), ..full.clone() };
        assert_eq!([&full, &fresh, &activated].map(consents_until), [600, 600, 900].map(Timestamp));
    }
}
