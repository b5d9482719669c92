//! Index: sources and what came by the doors -> identity graph and columns, as sections. Only this step merges identities.

use super::deletions::Deletions;
use super::facts::{self, FactInputs};
use super::fold::Fold;
use super::provenance::{Dropped, Provenance};
use super::rejects;
use crate::collect::{self, CollectReport};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::log::Blocklist;
use crate::profiles::consents::{Objecting, SettledConsents};
use crate::profiles::{EventColumn, Lists, NOBODY, People, Traits};
use crate::schema::{KeyHasher, Offset, ProfileKey, Span, Timestamp};
use crate::snapshot::columns::{EventsWriter, ListsWriter, TraitsWriter};
use crate::snapshot::consents::{OBJECTS_TO_MARKETING, OBJECTS_TO_PROFILING};
use crate::snapshot::filter::write_filter;
use crate::snapshot::identities::{BLOCKED_ALL, BLOCKED_MARKETING, BLOCKED_PROFILING};
use crate::snapshot::{IdentitiesWriter, Plane, SectionRef, SectionWriter, Store};
use crate::snapshot::{blocked, consents, keys};
use crate::telemetry::progress::{Progress, Unit};
use std::collections::BTreeMap;
use std::io::Write;

/// What an index is made from.
pub struct IndexInputs<'a> {
    /// The configuration.
    pub loaded: &'a Loaded,
    /// The installation's secret.
    pub hasher: &'a KeyHasher,
    /// The lists of the catalogue (`owner/id`) and their own time to live.
    pub lists: &'a BTreeMap<String, Option<Span>>,
    /// Now: memberships that ended before are left out.
    pub now: Timestamp,
    /// What came by the doors.
    pub facts: FactInputs<'a>,
    /// Who objects, and who was deleted.
    pub blocklist: &'a Blocklist,
    /// Where sections go; the caller holds its lock.
    pub store: &'a Store,
    /// What the user sees.
    pub progress: &'a Progress,
}

/// What an index is.
pub struct Indexed {
    /// keys, identities, (filter), consents, blocked, traits, events, memberships, live_facts, provenance.
    pub sections: Vec<SectionRef>,
    /// Profiles.
    pub profiles: u32,
    /// Identifiers in the identity index.
    pub bid_ids: u64,
    /// What was read and what became of it.
    pub provenance: Provenance,
    /// Up to where the events log is in it.
    pub events_cut: Offset,
    /// Whether the log holds something of deleted people behind that.
    pub deleted_behind: bool,
}

/// Reads every source and writes the index's sections.
///
/// # Errors
/// What `collect` refuses, sources without rows or with too many rejected ones, a full disk, or more identifiers than there can be ordinals.
pub fn index(inputs: &IndexInputs<'_>) -> Result<(Indexed, CollectReport)> {
    let mut fold = Fold::new(inputs.loaded);
    let deletions = Deletions::new(inputs.blocklist, inputs.hasher, inputs.now);
    let mut deleted_rows = 0;
    let collected = collect::collect(inputs.loaded, inputs.hasher, inputs.progress, &mut |mut batch| {
        deleted_rows += deletions.strike(&mut batch);
        fold.add(&batch)
    })?;
    let rejects = rejects::write(inputs.store, &collected)?;
    let problems = collected.problems(inputs.loaded);
    if !problems.is_empty() {
        let message = format!(
            "the sources are not fit to build from; nothing was published; every reason with its places is in {}",
            rejects.display()
        );
        return Err(Error::input(message).with_problems(problems));
    }
    let sources = serde_json::to_value(&collected.sources)
        .map_err(|error| Error::internal(format!("the report of the sources cannot be written: {error}")))?;
    let live = facts::fold(inputs, &inputs.facts, &deletions, &mut fold)?;
    deletions.object(&mut fold);
    let of_doors = OfDoors { deleted_rows, live };
    Ok((fold.write(inputs, &sources, of_doors)?, collected))
}

/// What is told of the rows before they are settled.
pub(super) struct OfDoors {
    pub(super) deleted_rows: u64,
    pub(super) live: facts::Folded,
}

impl Fold {
    /// From rows to sections, freeing what is done.
    pub(super) fn write(
        self,
        inputs: &IndexInputs<'_>,
        sources: &serde_json::Value,
        of_doors: OfDoors,
    ) -> Result<Indexed> {
        let phase = inputs.progress.phase("identities", Some(self.graph.len() as u64), Unit::Rows);
        let mut people = self.graph.finish(inputs.loaded.config.identity.max_ids_per_profile);
        let settled = self.consents.settle(&people);
        people.forget_numbers();
        let (mut sections, bid_ids) = write_identities(inputs, &people, &settled)?;
        let mut provenance = Provenance::new(inputs.loaded, people.report(), &self.list_sources);
        provenance.objecting_identifiers = settled.objecting.len() as u64;
        provenance.deleted_rows = of_doors.deleted_rows;
        provenance.live = of_doors.live.report;
        people.forget_keys();
        phase.add(provenance.identity.identifiers);
        phase.done(&provenance.identity_line());

        let phase = inputs.progress.phase("columns", None, Unit::Rows);
        let (traits, events) =
            rayon::join(|| write_traits(inputs, &people, self.traits), || write_events(inputs, &people, self.events));
        let (traits, of_traits) = traits?;
        let (events, of_events) = events?;
        let memberships = write_lists(inputs, &people, self.lists, &mut provenance)?;
        sections.extend([traits, events, memberships, of_doors.live.section]);
        provenance.dropped.profile_rows = of_traits;
        provenance.dropped.event_rows = of_events.values().map(|left| left.dropped).sum();
        provenance.repeated_events =
            of_events.into_iter().map(|(name, left)| (name, left.repeated)).filter(|(_, n)| *n > 0).collect();
        sections.push(write_provenance(inputs, &provenance, sources)?);
        phase.done(&provenance.columns_line());
        let (events_cut, deleted_behind) = (of_doors.live.cut, of_doors.live.deleted_behind);
        Ok(Indexed { sections, profiles: people.len(), bid_ids, provenance, events_cut, deleted_behind })
    }
}

/// Writes a section through `fill`.
fn section(
    inputs: &IndexInputs<'_>,
    name: &str,
    plane: Plane,
    fill: impl FnOnce(&mut SectionWriter) -> Result<()>,
) -> Result<SectionRef> {
    let mut out = inputs.store.section(name, plane)?;
    fill(&mut out)?;
    out.finish()
}

/// As [`section`], for encoders that know no more than how to write.
fn plain_section(
    inputs: &IndexInputs<'_>,
    name: &str,
    plane: Plane,
    fill: impl FnOnce(&mut SectionWriter) -> std::io::Result<()>,
) -> Result<SectionRef> {
    section(inputs, name, plane, |out| fill(out).map_err(|error| out.failed(error)))
}

fn write_identities(
    inputs: &IndexInputs<'_>,
    people: &People,
    settled: &SettledConsents,
) -> Result<(Vec<SectionRef>, u64)> {
    let bid: Vec<bool> = inputs.loaded.id_types.iter().map(|id_type| id_type.bid).collect();
    let entries = people
        .identifiers()
        .filter(|&(_, id_type, _)| bid[usize::from(id_type)])
        .filter_map(|(key, _, who)| Some((key, if who == NOBODY { mark(&settled.objecting, key)? } else { who })));
    let (keys, identities) = rayon::join(
        || {
            let (starts, places) = people.by_ordinal();
            plain_section(inputs, "keys", Plane::Control, |out| keys::write_keys(&starts, people.at(&places), out))
        },
        || section(inputs, "identities", Plane::Bid, |out| IdentitiesWriter::write(entries.clone(), out)),
    );
    let (keys, identities) = (keys?, identities?);
    let consents = plain_section(inputs, "consents", Plane::Bid, |out| consents::write_consents(&settled.flags, out))?;
    let objecting: Vec<(ProfileKey, u8)> = settled.objecting.iter().map(|one| (one.key, one.scope)).collect();
    let blocked = plain_section(inputs, "blocked", Plane::Bid, |out| blocked::write_blocked(&objecting, out))?;
    let mut sections = vec![keys, identities, consents, blocked];
    if inputs.loaded.config.build.filter {
        let known = entries.clone().map(|(key, _)| key);
        sections.push(section(inputs, "filter", Plane::Bid, |out| write_filter(known, out))?);
    }
    Ok((sections, entries.count() as u64))
}

/// What the identity index says of an identifier without a profile: nothing, unless it objects.
fn mark(objecting: &[Objecting], key: ProfileKey) -> Option<u32> {
    let at = objecting.binary_search_by_key(&key, |one| one.key).ok()?;
    Some(match objecting[at].scope {
        OBJECTS_TO_MARKETING => BLOCKED_MARKETING,
        OBJECTS_TO_PROFILING => BLOCKED_PROFILING,
        _ => BLOCKED_ALL,
    })
}

/// Returns the section and how many rows were dropped.
fn write_traits(inputs: &IndexInputs<'_>, people: &People, traits: Traits) -> Result<(SectionRef, u64)> {
    let out = inputs.store.section("traits", Plane::Control)?;
    let mut writer = TraitsWriter::new(out, people.len(), people.seeds())?;
    let mut winners = traits.by_profile(people);
    for (number, decl) in inputs.loaded.declarations.traits.iter().enumerate() {
        writer.add(&decl.name, &winners.take(number))?;
    }
    Ok((writer.finish()?.finish()?, winners.dropped()))
}

type LeftByEvent = BTreeMap<String, crate::profiles::events::Left>;

fn write_events(
    inputs: &IndexInputs<'_>,
    people: &People,
    events: Vec<EventColumn>,
) -> Result<(SectionRef, LeftByEvent)> {
    let out = inputs.store.section("events", Plane::Control)?;
    let mut writer = EventsWriter::new(out, people.len())?;
    let mut left_out = LeftByEvent::new();
    for (decl, column) in inputs.loaded.declarations.events.iter().zip(events) {
        let (data, left) = column.settle(people);
        writer.add(&decl.name, &data)?;
        left_out.insert(decl.name.clone(), left);
    }
    Ok((writer.finish()?.finish()?, left_out))
}

fn write_lists(
    inputs: &IndexInputs<'_>,
    people: &People,
    lists: Lists,
    provenance: &mut Provenance,
) -> Result<SectionRef> {
    let settled = lists.settle(people, inputs.lists, inputs.now);
    let out = inputs.store.section("memberships", Plane::Control)?;
    let mut writer = ListsWriter::new(out, people.len())?;
    for (name, data) in &settled.lists {
        writer.add(name, data)?;
    }
    provenance.unknown_lists = settled.unknown;
    provenance.ended_memberships = settled.ended;
    provenance.dropped = Dropped { membership_rows: settled.dropped, ..provenance.dropped };
    writer.finish()?.finish()
}

fn write_provenance(
    inputs: &IndexInputs<'_>,
    provenance: &Provenance,
    sources: &serde_json::Value,
) -> Result<SectionRef> {
    let whole = serde_json::json!({ "index": provenance, "sources": sources });
    plain_section(inputs, "provenance", Plane::Control, |out| out.write_all(whole.to_string().as_bytes()))
}
