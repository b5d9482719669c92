//! Two generations side by side: sizes, who came and who left by audience, and what was defined otherwise.
//!
//! Where both share an index, ordinals are the same and bitmaps are compared; elsewhere profiles are matched by their identifiers
//! ([`matching`](super::matching)). One audience is in memory at a time.

use super::matching::{Fates, Images, Matching, Moves};
use crate::audiences::Catalogue;
use crate::audiences::catalogue::Audience;
use crate::audiences::order::resting_on_others;
use crate::error::Result;
use crate::evaluate::survey::Watch;
use crate::lookup::ServingSnapshot;
use crate::schema::{AudienceId, Generation};
use crate::snapshot::keys::Keys;
use std::collections::BTreeMap;

/// What differs between two generations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The earlier.
    pub before: Generation,
    /// The later.
    pub after: Generation,
    /// Whether both share an index: then nobody is new, gone, merged or split.
    pub same_index: bool,
    /// Profiles of the earlier and of the later.
    pub profiles: (u32, u32),
    /// What became of them.
    pub fates: Fates,
    /// Every audience of either, by name.
    pub audiences: Vec<Compared>,
    /// Campaigns that only one has, or each in another form.
    pub campaigns: Vec<(AudienceId, Defined)>,
}

/// An audience of two generations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Which.
    pub id: AudienceId,
    /// How many are in it; `None` where there is none.
    pub members: (Option<u64>, Option<u64>),
    /// Who came and who left.
    pub moves: Moves,
    /// How its definitions differ; `None` = they do not.
    pub defined: Option<Defined>,
    /// Whether either definition rests on another owner's audience.
    pub rests_on_others: bool,
}

/// How something is defined otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defined {
    /// Only in the later.
    Added,
    /// Only in the earlier.
    Removed,
    /// In both, in another form.
    Changed,
}

impl Defined {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Defined::Added => "added",
            Defined::Removed => "removed",
            Defined::Changed => "changed",
        }
    }
}

/// Compares two generations that are open with their control sections. `None` when it was broken off.
///
/// # Errors
/// A damaged section.
pub fn compare(before: &ServingSnapshot, after: &ServingSnapshot, watch: &Watch) -> Result<Option<Comparison>> {
    let (old, new) = (before.catalogue(), after.catalogue());
    let same_index = before.manifest().index_of == after.manifest().index_of;
    let pairs = pairs(old, new);
    watch.expect(pairs.len());
    let mut matching = None;
    if !same_index {
        let (left, right) =
            (Keys::open(before.snapshot().section("keys")?)?, Keys::open(after.snapshot().section("keys")?)?);
        watch.expect(Matching::steps(&left, &right));
        let Some(matched) = Matching::of(&left, &right, watch) else { return Ok(None) };
        matching = Some(matched);
    }
    let foreign = [old, new].map(resting_on_others);
    let (mut audiences, mut images) = (Vec::with_capacity(pairs.len()), Images::default());
    for (id, (was, is)) in pairs {
        if watch.is_cancelled() {
            return Ok(None);
        }
        let members = |of: &ServingSnapshot, number: Option<u32>| number.map(|number| of.members(number)).transpose();
        let (left, right) = (members(before, was)?, members(after, is)?);
        let sizes = (left.as_ref().map(|it| it.len()), right.as_ref().map(|it| it.len()));
        let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
        let moves = match &matching {
            Some(matching) => matching.moves(&left, &right, &mut images),
            None => Moves { joins: right.difference_len(&left), leaves: left.difference_len(&right) },
        };
        let of = |catalogue: &Catalogue, number: Option<u32>| -> Option<Audience> {
            catalogue.audiences.get(number? as usize).cloned()
        };
        let defined = differs(of(old, was).as_ref(), of(new, is).as_ref());
        let rests_on_others = foreign.iter().any(|some| some.contains(id));
        audiences.push(Compared { id: id.clone(), members: sizes, moves, defined, rests_on_others });
        watch.step();
    }
    Ok(Some(Comparison {
        before: before.generation(),
        after: after.generation(),
        same_index,
        profiles: (before.manifest().profiles, after.manifest().profiles),
        fates: matching.map(|matching| matching.fates()).unwrap_or_default(),
        audiences,
        campaigns: campaigns(old, new),
    }))
}

/// By name: its number in the one and in the other.
fn pairs<'a>(old: &'a Catalogue, new: &'a Catalogue) -> BTreeMap<&'a AudienceId, (Option<u32>, Option<u32>)> {
    let mut pairs: BTreeMap<_, (Option<u32>, Option<u32>)> = BTreeMap::new();
    for (number, audience) in (0..).zip(&old.audiences) {
        pairs.entry(&audience.id).or_default().0 = Some(number);
    }
    for (number, audience) in (0..).zip(&new.audiences) {
        pairs.entry(&audience.id).or_default().1 = Some(number);
    }
    pairs
}

fn differs<T: PartialEq>(before: Option<&T>, after: Option<&T>) -> Option<Defined> {
    match (before, after) {
        (None, None) => None,
        (None, Some(_)) => Some(Defined::Added),
        (Some(_), None) => Some(Defined::Removed),
        (Some(before), Some(after)) => (before != after).then_some(Defined::Changed),
    }
}

/// Campaigns that differ, by name.
fn campaigns(old: &Catalogue, new: &Catalogue) -> Vec<(AudienceId, Defined)> {
    let mut pairs: BTreeMap<&AudienceId, (Option<_>, Option<_>)> = BTreeMap::new();
    for campaign in &old.campaigns {
        pairs.entry(&campaign.id).or_default().0 = Some(campaign);
    }
    for campaign in &new.campaigns {
        pairs.entry(&campaign.id).or_default().1 = Some(campaign);
    }
    let told =
        |(id, (before, after)): (&AudienceId, (Option<_>, Option<_>))| Some((id.clone(), differs(before, after)?));
    pairs.into_iter().filter_map(told).collect()
}
