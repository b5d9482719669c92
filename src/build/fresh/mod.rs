//! A fresh generation: the one in service under newer definitions, without evaluating more than what changed. Made in the
//! server's process from the columns it has mapped, while a build may be running.
//!
//! [`written`] what the forward index was written by, and what changed since; [`anew`] who is in the audiences that changed.
//! Everything else is shared with the generation in service, and everything is counted at its minute.

mod anew;
mod written;

#[cfg(test)]
mod tests;

use super::activate::outdated::Outdated;
use super::activate::{caps, summaries};
use super::defined::version;
use super::provenance::Provenance;
use super::stale::Stale;
use crate::audiences::Catalogue;
use crate::collect::SourceReport;
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::evaluate::survey::Watch;
use crate::lookup::ServingSnapshot;
use crate::schema::{Clock, Timestamp};
use crate::snapshot::bitmaps::write_bitmaps;
use crate::snapshot::caps::write_caps;
use crate::snapshot::columns::Columns;
use crate::snapshot::flips::write_flips;
use crate::snapshot::fresh::{MOST, Origin};
use crate::snapshot::{AudienceSummary, FreshWriter, Manifest, Plane, SectionRef, Store};
use anew::Anew;
use std::borrow::Cow;
use std::time::Instant;
use written::{Changed, Digests};

/// What is made anew for a fresh generation, beside `catalogue`.
const SECTIONS: [&str; 3] = ["fresh", "fresh_flips", "fresh_audiences"];

/// What a fresh generation is made from.
pub struct FreshInputs<'a> {
    /// The configuration.
    pub loaded: &'a Loaded,
    /// What planners have published.
    pub catalogue: &'a Catalogue,
    /// The live generation, opened with its control sections.
    pub base: &'a ServingSnapshot,
    /// Its columns.
    pub columns: &'a Columns<'a>,
    /// Where it is.
    pub store: &'a Store,
    /// How far it is, and whether it is broken off.
    pub watch: &'a Watch,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// There is a generation. It is live, unless a rollback pinned the one before.
    Published(Box<Manifest>),
    /// The generation in service says all of it already.
    Unchanged,
    /// So many audiences changed, more than [`MOST`]: that is an activation's work.
    TooMany(usize),
    /// Another generation went live meanwhile: to be asked again with that one.
    Moved,
    /// It was broken off.
    Cancelled,
}

/// Publishes newer definitions over the generation in service. The caller opened `base` with all planes.
///
/// # Errors
/// A damaged generation, or a full disk: then the generation in service stays.
pub fn fresh(inputs: &FreshInputs<'_>) -> Result<Outcome> {
    let fresh = Fresh::plan(inputs)?;
    let changed = fresh.changed.anew.len();
    if fresh.is_unchanged()? {
        return Ok(Outcome::Unchanged);
    }
    if changed > MOST || inputs.loaded.config.timezone != inputs.base.manifest().timezone {
        return Ok(Outcome::TooMany(changed.max(MOST + 1)));
    }
    let began = Instant::now();
    let Some(anew) = fresh.evaluate() else { return Ok(Outcome::Cancelled) };
    let outcome = fresh.publish(anew, began);
    fresh.sweep();
    outcome
}

/// A fresh generation on its way.
struct Fresh<'a> {
    inputs: &'a FreshInputs<'a>,
    /// Decides what is valid. Everything else is as of the base's minute.
    now: Timestamp,
    /// As it is evaluated.
    catalogue: Cow<'a, Catalogue>,
    outdated: Outdated,
    origin: Origin,
    changed: Changed,
}

impl<'a> Fresh<'a> {
    fn plan(inputs: &'a FreshInputs<'a>) -> Result<Self> {
        let now = inputs.loaded.clock().now().floor_minute();
        let catalogue = inputs.catalogue.valid_at(now);
        let outdated = Outdated::of(&catalogue, &stale(inputs)?);
        let digests = Digests::of(&catalogue, |audience| outdated.drops(&catalogue, audience))?;
        let written = written::of(inputs.base)?;
        let changed = Changed::since(&written, &catalogue, &digests);
        let anew = changed.anew.iter().map(|number| digests.text(*number as usize)).collect();
        Ok(Fresh { inputs, now, catalogue, outdated, origin: Origin { written, anew }, changed })
    }

    /// Whether the base was made of just this: then also its summaries stand.
    fn is_unchanged(&self) -> Result<bool> {
        let manifest = self.inputs.base.manifest();
        let same = version(self.inputs.catalogue)? == manifest.catalogue_version;
        let before = match self.inputs.base.fresh() {
            Some(fresh) => (fresh.anew().to_vec(), fresh.origin()?.anew),
            None => <(Vec<u32>, Vec<String>)>::default(),
        };
        // Two audiences may have the same rule, and one begin as the other ends: digests alone would not tell.
        let is_as_written = before == (self.changed.anew.clone(), self.origin.anew.clone());
        let closed = manifest.audiences.iter().map(|summary| summary.closed);
        Ok(same && is_as_written && !self.inputs.catalogue.is_past_boundary(closed, self.now))
    }

    fn evaluate(&self) -> Option<Anew> {
        let drops = |audience: &u32| self.outdated.drops(&self.catalogue, *audience as usize);
        anew::evaluate(self.inputs, &self.catalogue, &self.changed.anew, drops)
    }

    /// Writes and names the sections: under `PUBLISH`, so that nobody sweeps them before they are named.
    fn publish(&self, anew: Anew, began: Instant) -> Result<Outcome> {
        let (store, base) = (self.inputs.store, self.inputs.base);
        let evaluated = began.elapsed().as_secs_f64();
        let publishing = store.publishing("fresh")?;
        if store.current()? != Some(base.generation()) {
            return Ok(Outcome::Moved);
        }
        if self.inputs.watch.is_cancelled() {
            return Ok(Outcome::Cancelled);
        }
        let mut manifest = base.manifest().clone();
        manifest.generation = store.next_generation()?;
        manifest.activated = manifest.activated();
        manifest.fresh = true;
        manifest.created = Clock::System.now();
        manifest.catalogue_version = version(self.inputs.catalogue)?;
        manifest.audiences = self.summaries(&anew);
        let is_kept = |section: &SectionRef| section.name != "catalogue" && !SECTIONS.contains(&section.name.as_str());
        manifest.sections.retain(is_kept);
        manifest.sections.push(self.catalogue()?);
        self.caps(&mut manifest)?;
        manifest.sections.extend(self.sections(anew)?);
        manifest.timings = [
            ("fresh_evaluate".to_owned(), evaluated),
            ("fresh_write".to_owned(), began.elapsed().as_secs_f64() - evaluated),
        ]
        .into();
        store.publish(&publishing, manifest.clone())?;
        Ok(Outcome::Published(Box::new(manifest)))
    }

    fn summaries(&self, anew: &Anew) -> Vec<AudienceSummary> {
        let catalogue = self.inputs.catalogue;
        let mut members = vec![0; catalogue.audiences.len()];
        for (number, written) in self.changed.numbers.iter().zip(&self.origin.written) {
            if let Some(number) = number {
                members[*number as usize] = written.members;
            }
        }
        for (number, bitmap) in self.changed.anew.iter().zip(&anew.members) {
            members[*number as usize] = bitmap.len();
        }
        summaries(catalogue, members.into_iter(), &self.outdated, self.now)
    }

    fn catalogue(&self) -> Result<SectionRef> {
        let mut section = self.inputs.store.section("catalogue", Plane::Bid)?;
        let json = serde_json::to_vec(self.inputs.catalogue)
            .map_err(|error| Error::internal("the catalogue cannot be written as JSON").caused_by(error))?;
        section.put(&json)?;
        section.finish()
    }

    /// What was shown to whom is by number of campaign, and as much as their limits ask for.
    fn caps(&self, manifest: &mut Manifest) -> Result<()> {
        let (now, catalogue) = (manifest.as_of, self.inputs.catalogue);
        let remembered = |catalogue: &Catalogue| -> Vec<_> {
            let ids = catalogue.campaigns.iter().map(|campaign| campaign.id.clone());
            ids.zip(catalogue.memory(now)).collect()
        };
        if remembered(catalogue) == remembered(self.inputs.base.catalogue()) {
            return Ok(());
        }
        manifest.sections.retain(|section| section.name != "caps");
        let shown = caps::shown(catalogue, self.inputs.columns, now);
        if !shown.is_empty() {
            let mut section = self.inputs.store.section("caps", Plane::Bid)?;
            write_caps(&mut section, &shown)?;
            manifest.sections.push(section.finish()?);
        }
        Ok(())
    }

    /// What the forward index and its flips do not say; nothing where they say it all.
    fn sections(&self, mut anew: Anew) -> Result<Vec<SectionRef>> {
        let (store, ordinals) = (self.inputs.store, self.inputs.columns.ordinals());
        let mut sections = Vec::new();
        if self.changed.is_nothing() {
            return Ok(sections);
        }
        let mut writer = FreshWriter {
            audiences: self.inputs.catalogue.audiences.len() as u32,
            numbers: self.changed.numbers.clone(),
            anew: self.changed.anew.clone(),
            lanes: Vec::new(),
            origin: self.origin.clone(),
        };
        anew.mark(ordinals, &mut writer);
        let mut section = store.section("fresh", Plane::Bid)?;
        writer.write(ordinals, &mut section)?;
        sections.push(section.finish()?);
        if !anew.members.is_empty() {
            let mut section = store.section("fresh_audiences", Plane::Control)?;
            write_bitmaps(&mut section, ordinals, &anew.members)?;
            sections.push(section.finish()?);
        }
        if !anew.flips.is_empty() {
            let mut section = store.section("fresh_flips", Plane::Bid)?;
            write_flips(&mut section, &mut anew.flips)?;
            sections.push(section.finish()?);
        }
        Ok(sections)
    }

    /// Removes what nobody needs any more, unless a build is at work: that does it at its end.
    fn sweep(&self) {
        let store = self.inputs.store;
        let keep = self.inputs.loaded.config.build.keep_generations;
        if let Ok(lock) = store.lock("sweep")
            && let Err(error) = store.sweep(&lock, keep)
        {
            tracing::warn!(%error, "old generations were not removed");
        }
    }
}

/// What was stale at the minute of the base.
fn stale(inputs: &FreshInputs<'_>) -> Result<Stale> {
    let manifest = inputs.base.manifest();
    let report = |source: &serde_json::Value| -> Result<SourceReport> {
        serde_json::from_value(source.clone()).map_err(|error| {
            Error::snapshot("the manifest has source reports this program cannot read; run a full `vaglio build`")
                .caused_by(error)
        })
    };
    let mut newest = std::collections::BTreeMap::new();
    for source in &manifest.sources {
        let report = report(source)?;
        newest.insert(report.name, report.newest);
    }
    let provenance = Provenance::open(inputs.base.snapshot().section("provenance")?)?;
    Ok(Stale::at(manifest.as_of, inputs.loaded, &newest, &provenance))
}
