//! A generation opened for lookups: its bid sections as typed views, and its catalogue.

use super::answer::{Answer, Outcome, unite};
use crate::audiences::Catalogue;
use crate::error::{Error, Result};
use crate::overlay::{Exposures, Overlay, flips};
use crate::schema::{Generation, KeyHasher, ProfileKey, Scope, Timestamp};
use crate::snapshot::forward::flags;
use crate::snapshot::identities::{BLOCKED_ALL, BLOCKED_MARKETING, BLOCKED_PROFILING, FIRST_RESERVED};
use crate::snapshot::{
    Bitmaps, Caps, Filter, Flip, Flips, Forward, Fresh, Identities, Manifest, Planes, SectionBytes, Snapshot, Store,
};
use roaring::RoaringBitmap;
use std::borrow::Cow;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// What lookups read, on any bytes: the views alone, without files.
#[derive(Debug, Clone)]
pub struct Index<B> {
    pub(super) identities: Identities<B>,
    pub(super) filter: Option<Filter<B>>,
    pub(super) forward: Forward<B>,
    pub(super) flips: Flips<B>,
    pub(super) anew: Option<Anew<B>>,
}

/// What a fresh generation says beside an earlier forward index and its flips.
#[derive(Debug, Clone)]
pub struct Anew<B> {
    /// The audiences that it knows by other numbers, and those that were evaluated anew.
    pub fresh: Fresh<B>,
    /// Flips of the latter, if they have any.
    pub flips: Option<Flips<B>>,
}

/// One generation, ready to answer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ServingSnapshot {
    snapshot: Snapshot,
    catalogue: Arc<Catalogue>,
    /// The same as it was evaluated.
    rules: Arc<Catalogue>,
    pub(super) index: Index<SectionBytes>,
    caps: Option<Caps<SectionBytes>>,
}

impl ServingSnapshot {
    /// Verifies and opens the bid sections of a generation.
    pub fn open(store: &Store, generation: Generation, key: &KeyHasher) -> Result<Self> {
        Self::new(store.open_snapshot(generation, Planes::Bid, Some(key))?)
    }

    /// The same from a snapshot that is open already.
    pub fn new(snapshot: Snapshot) -> Result<Self> {
        let generation = snapshot.generation();
        let catalogue: Catalogue = serde_json::from_slice(snapshot.section("catalogue")?).map_err(|error| {
            let message =
                format!("section `catalogue` of generation {generation} cannot be read; rebuild with `vaglio build`");
            Error::snapshot(message).caused_by(error)
        })?;
        let filter = if snapshot.has("filter") { Some(Filter::open(snapshot.shared("filter")?)?) } else { None };
        let mut index = Index::new(
            Identities::open(snapshot.shared("identities")?)?,
            filter,
            Forward::open(snapshot.shared("forward")?)?,
            Flips::open(snapshot.shared("flips")?)?,
        )?;
        if snapshot.has("fresh") {
            let has_flips = snapshot.has("fresh_flips");
            let flips = if has_flips { Some(Flips::open(snapshot.shared("fresh_flips")?)?) } else { None };
            index = index.with(Anew { fresh: Fresh::open(snapshot.shared("fresh")?)?, flips })?;
        }
        if index.audiences() as usize != catalogue.audiences.len()
            || index.forward.ordinals() != snapshot.manifest().profiles
        {
            return Err(Error::snapshot(format!(
                "generation {generation} does not fit together: index of {} audiences and {} profiles, catalogue of {}, manifest of {}; rebuild with `vaglio build`",
                index.audiences(),
                index.forward.ordinals(),
                catalogue.audiences.len(),
                snapshot.manifest().profiles
            )));
        }
        let caps = if snapshot.has("caps") { Some(Caps::open(snapshot.shared("caps")?)?) } else { None };
        let catalogue = Arc::new(catalogue);
        let summaries = &snapshot.manifest().audiences;
        let rules = match catalogue.without(|number, _| summaries.get(number).is_some_and(|summary| summary.closed)) {
            Cow::Owned(rules) => Arc::new(rules),
            Cow::Borrowed(_) => Arc::clone(&catalogue),
        };
        Ok(ServingSnapshot { snapshot, catalogue, rules, index, caps })
    }

    /// Its opened sections.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What an identifier stands for in the snapshot: an ordinal, or a value from
    /// [`FIRST_RESERVED`](crate::snapshot::identities::FIRST_RESERVED) on for somebody without a profile who objects.
    pub fn find(&self, key: ProfileKey) -> Option<u32> {
        self.index.find(key)
    }

    /// The audiences of a profile at the snapshot's own minute, added in ascending order; returns its flags.
    pub fn stored(&self, ordinal: u32, audiences: &mut Vec<u32>) -> u8 {
        let profile = self.index.forward.read(ordinal, audiences);
        if let Some(anew) = &self.index.anew {
            anew.fresh.apply(ordinal, audiences);
        }
        profile
    }

    /// The joins and leaves that become due for a profile after the snapshot's own minute, in no particular order.
    pub fn flips(&self, ordinal: u32) -> impl Iterator<Item = Flip> + '_ {
        let anew = self.index.anew.as_ref();
        let earlier = self.index.flips.of(ordinal).filter_map(move |flip| match anew {
            Some(anew) => anew.fresh.number(flip.audience).map(|audience| Flip { audience, ..flip }),
            None => Some(flip),
        });
        earlier.chain(anew.and_then(|anew| anew.flips.as_ref()).into_iter().flat_map(move |flips| flips.of(ordinal)))
    }

    /// Who is in an audience of its catalogue at the snapshot's own minute, by its number. Of a snapshot opened with its control
    /// sections.
    ///
    /// # Errors
    /// No such audience, no control sections, or a damaged one.
    pub fn members(&self, audience: u32) -> Result<RoaringBitmap> {
        let (mut section, mut number) = ("audiences", audience);
        if let Some(anew) = &self.index.anew {
            match (anew.fresh.anew().binary_search(&audience), anew.fresh.forward_of(audience)) {
                (Ok(at), _) => (section, number) = ("fresh_audiences", at as u32),
                (_, Some(forward)) => number = forward,
                // No section has it, and the first will say so.
                _ => number = u32::MAX,
            }
        }
        Bitmaps::open(self.snapshot.section(section)?)?.get(number)
    }

    /// What a new catalogue has changed about its forward index, if anything.
    pub fn fresh(&self) -> Option<&Fresh<SectionBytes>> {
        self.index.anew.as_ref().map(|anew| &anew.fresh)
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        self.snapshot.manifest()
    }

    /// Its number.
    pub fn generation(&self) -> Generation {
        self.snapshot.generation()
    }

    /// Its audiences and campaigns.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The same as it was evaluated: the rules of audiences outside of their validity hold for nobody. For whoever evaluates.
    pub fn rules(&self) -> &Catalogue {
        &self.rules
    }

    /// What was shown to whom before its cut; `None` = nothing that a limit asks for.
    pub fn caps(&self) -> Option<&Caps<SectionBytes>> {
        self.caps.as_ref()
    }

    /// Where what is shown from its cut on is remembered, of at most so many profiles.
    pub fn exposures(&self, most: usize) -> Exposures {
        let keep = self.catalogue.memory(self.snapshot.manifest().as_of).into_iter().map(|memory| memory.keep);
        Exposures::new(self.catalogue.campaigns.iter().map(|campaign| campaign.id.as_str()).zip(keep), most)
    }

    /// The probability that an unknown identifier is taken for a known one.
    pub fn false_match_probability(&self) -> f64 {
        self.index.identities.false_match_probability()
    }

    /// Who is this, and in which audiences at `now`, with what changed since the snapshot? `keys` come in order of precedence.
    /// What another answer said is forgotten.
    pub fn lookup(&self, keys: &[ProfileKey], now: Timestamp, overlay: &Overlay, answer: &mut Answer) {
        self.index.lookup(keys, now, overlay, answer);
    }

    /// Many lookups of one key each: `answers[i]` is of `keys[i]`. Stops at the shorter of the two.
    pub fn lookup_batch(&self, keys: &[ProfileKey], now: Timestamp, overlay: &Overlay, answers: &mut [Answer]) {
        self.index.lookup_batch(keys, now, overlay, answers);
    }
}

impl<B: Deref<Target = [u8]>> Index<B> {
    /// Views of one generation. Refuses identities that name profiles the forward index has not.
    pub fn new(
        identities: Identities<B>,
        filter: Option<Filter<B>>,
        forward: Forward<B>,
        flips: Flips<B>,
    ) -> Result<Self> {
        if identities.ordinals() > forward.ordinals() {
            return Err(Error::snapshot(format!(
                "the identity index names {} profiles, the forward index has {}; rebuild with `vaglio build`",
                identities.ordinals(),
                forward.ordinals()
            )));
        }
        Ok(Index { identities, filter, forward, flips, anew: None })
    }

    /// The same under a newer catalogue. Refuses what speaks of another forward index.
    pub fn with(self, anew: Anew<B>) -> Result<Self> {
        let (fresh, forward) = (&anew.fresh, &self.forward);
        if fresh.forward() != forward.audiences() as usize || fresh.ordinals() != forward.ordinals() {
            return Err(Error::snapshot(format!(
                "section `fresh` speaks of {} audiences and {} profiles, the forward index has {} and {}; rebuild with `vaglio build`",
                fresh.forward(),
                fresh.ordinals(),
                forward.audiences(),
                forward.ordinals()
            )));
        }
        Ok(Index { anew: Some(anew), ..self })
    }

    /// Audiences that answers may name.
    fn audiences(&self) -> u32 {
        self.anew.as_ref().map_or(self.forward.audiences(), |anew| anew.fresh.audiences())
    }

    /// See [`ServingSnapshot::lookup`].
    pub fn lookup(&self, keys: &[ProfileKey], now: Timestamp, overlay: &Overlay, answer: &mut Answer) {
        answer.clear();
        if keys.len() > 1 {
            keys.iter().for_each(|key| self.identities.prefetch(*key));
        }
        let overlay = (!overlay.is_quiet()).then_some(overlay);
        for (at, key) in (0..).zip(keys) {
            if self.identify(*key, now, overlay, answer) {
                answer.known |= 1u128.checked_shl(at).unwrap_or(0);
                answer.ordinals.last().iter().for_each(|ordinal| self.forward.prefetch_profile(**ordinal));
            }
        }
        self.read_profiles(now, overlay, answer);
        answer.settle();
    }

    /// Takes note of what an identifier stands for: what the block list says of it, then its profile in the snapshot or since.
    /// Returns whether it is known. `overlay` is `None` when there is nothing to look for.
    #[inline]
    pub(super) fn identify(
        &self,
        key: ProfileKey,
        now: Timestamp,
        overlay: Option<&Overlay>,
        answer: &mut Answer,
    ) -> bool {
        if let Some(block) = overlay.and_then(|overlay| overlay.block(key, now)) {
            answer.raise(if block.scope == Scope::Profiling { Outcome::NoConsent } else { Outcome::Blocked });
        }
        let value = self.find(key).or_else(|| overlay?.stranger(key));
        match value {
            Some(value) => self.note(value, answer),
            None => answer.raise(Outcome::NoProfile),
        }
        value.is_some()
    }

    /// The identity index behind its filter.
    #[inline]
    pub(super) fn find(&self, key: ProfileKey) -> Option<u32> {
        if self.filter.as_ref().is_some_and(|filter| !filter.may_contain(key)) {
            return None;
        }
        self.identities.find(key)
    }

    /// Takes note of what a known identifier stands for: a profile, once, or somebody blocked without one.
    pub(super) fn note(&self, value: u32, answer: &mut Answer) {
        match value {
            BLOCKED_MARKETING | BLOCKED_ALL => answer.raise(Outcome::Blocked),
            BLOCKED_PROFILING => answer.raise(Outcome::NoConsent),
            ordinal if ordinal < FIRST_RESERVED => {
                answer.raise(Outcome::Matched);
                if !answer.ordinals.contains(&ordinal) {
                    answer.ordinals.push(ordinal);
                    if let Some(anew) = &self.anew {
                        anew.fresh.prefetch(ordinal);
                    }
                }
            }
            // No writer writes it: on the safe side.
            _ => answer.raise(Outcome::Blocked),
        }
    }

    /// Audiences of the first profile, and of all together.
    fn read_profiles(&self, now: Timestamp, overlay: Option<&Overlay>, answer: &mut Answer) {
        answer.profiles = answer.ordinals.len() as u32;
        // The others first, each through `audiences`, so that the first profile's stay there.
        for at in (0..answer.ordinals.len()).rev() {
            answer.audiences.clear();
            let ordinal = answer.ordinals[at];
            let profile = self.read_profile(self.forward.locate(ordinal), ordinal, now, overlay, &mut answer.audiences);
            answer.raise_by(profile);
            unite(&mut answer.excluded_by, &answer.audiences);
        }
    }

    /// The audiences of a profile at `now`, whose record is at `record`; returns its flags. What is not in the snapshot's
    /// records is a stranger, of whom the overlay knows all that is known; without one it cannot be, and is not spoken to.
    #[inline]
    pub(super) fn read_profile(
        &self,
        record: Option<Range<usize>>,
        ordinal: u32,
        now: Timestamp,
        overlay: Option<&Overlay>,
        audiences: &mut Vec<u32>,
    ) -> u8 {
        let mut profile = match (record, overlay) {
            (Some(record), _) => {
                self.forward.prefetch_record(&record);
                self.read_record(record, ordinal, now, audiences)
            }
            (None, Some(overlay)) if ordinal >= self.forward.ordinals() => {
                audiences.extend_from_slice(overlay.nobody());
                0
            }
            (None, _) => flags::UNREADABLE,
        };
        if let Some(overlay) = overlay {
            overlay.apply(ordinal, now, audiences);
            match overlay.consent(ordinal) {
                Some(true) => profile &= !flags::REFUSED,
                Some(false) => profile |= flags::REFUSED,
                None => {}
            }
        }
        profile
    }

    /// The snapshot's own word on a profile at `now`: its record, and what windows made due since. An earlier forward index and
    /// its flips speak in earlier numbers; what a newer catalogue says comes after them.
    #[inline]
    fn read_record(&self, record: Range<usize>, ordinal: u32, now: Timestamp, audiences: &mut Vec<u32>) -> u8 {
        let profile = self.forward.read_at(record, audiences);
        if profile & flags::FLIPS != 0 {
            flips::apply(self.flips.of(ordinal), now.minute(), audiences);
        }
        if let Some(anew) = &self.anew
            && anew.fresh.apply(ordinal, audiences)
            && let Some(flips) = &anew.flips
        {
            flips::apply(flips.of(ordinal), now.minute(), audiences);
        }
        profile
    }
}
