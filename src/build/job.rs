//! One build from lock to sweep: which steps run, what is published, what is left when it fails.

use super::before::{self, Before};
use super::facts::FactInputs;
use super::index::{self, IndexInputs};
use super::memory::{self, Meter};
use super::provenance::Provenance;
use super::stale::Stale;
use super::{What, activate, defined, purge};
use crate::audiences::Catalogue;
use crate::collect::SourceReport;
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::schema::{Clock, Generation, KeyHasher, Offset, Span, Timestamp};
use crate::snapshot::{Lock, Manifest, Planes, Publishing, SectionRef, Store};
use crate::telemetry::progress::{Progress, Unit};
use indicatif::BinaryBytes;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

/// How often rules are evaluated for one build, where definitions are published meanwhile; the last time nobody can publish.
const ACTIVATIONS: usize = 3;

/// The sections that an index consists of; everything else is activation's.
const INDEX_SECTIONS: [&str; 10] = [
    "keys",
    "identities",
    "filter",
    "consents",
    "blocked",
    "traits",
    "events",
    "memberships",
    "live_facts",
    "provenance",
];

/// What the steps of one build share.
pub(super) struct Job<'a> {
    loaded: &'a Loaded,
    catalogue: Cow<'a, Catalogue>,
    progress: &'a Progress,
    store: Store,
    lock: Lock,
    hasher: KeyHasher,
    /// The instant the build is of.
    now: Timestamp,
    meter: Meter,
    timings: BTreeMap<String, f64>,
}

/// An index, new or earlier.
struct Index {
    sections: Vec<SectionRef>,
    profiles: u32,
    bid_ids: u64,
    id_types: Vec<String>,
    sources: Vec<SourceReport>,
    /// Whose it is; `None` = the generation's that is being built.
    of: Option<Generation>,
    created: Timestamp,
    /// Up to where the two logs are in it.
    cuts: Cuts,
    provenance: Provenance,
}

/// Places in the events log and in the control log.
#[derive(Debug, Clone, Copy)]
struct Cuts {
    events: Offset,
    control: Offset,
}

impl<'a> Job<'a> {
    /// Takes the lock, clears what a killed build left, and reads the key.
    pub(super) fn start(
        loaded: &'a Loaded,
        catalogue: &'a Catalogue,
        what: What,
        progress: &'a Progress,
    ) -> Result<Self> {
        let store = Store::open(&loaded.config.data_dir)?;
        let lock = store.lock(what.purpose())?;
        let hasher = hasher(loaded, &store)?;
        let now = loaded.clock().now();
        let (meter, timings) = (Meter::start(), BTreeMap::new());
        let catalogue = Cow::Borrowed(catalogue);
        let job = Job { loaded, catalogue, progress, store, lock, hasher, now, meter, timings };
        job.store.clean(&job.lock)?;
        job.sweep();
        Ok(job)
    }

    /// Runs the steps and publishes. When a step fails, what it wrote is removed: the live generation stays as it is,
    /// and a full disk gets its room back.
    pub(super) fn run(mut self, what: What) -> Result<Manifest> {
        let manifest = self.steps(what);
        if manifest.is_err() {
            let _ = self.store.clean(&self.lock);
        }
        self.sweep();
        manifest
    }

    fn steps(&mut self, what: What) -> Result<Manifest> {
        let index = match what {
            What::Full => self.timed("index", |job| job.new_index())?,
            What::Activate => self.earlier_index()?,
        };
        let (publishing, activated) = self.settle(what, &index)?;
        let generation = self.store.next_generation()?;
        let mut sections = index.sections;
        sections.extend(activated.sections);
        let config = &self.loaded.config;
        let manifest = Manifest {
            generation,
            created: Clock::System.now(),
            activated: Clock::System.now(),
            as_of: self.now.floor_minute(),
            frozen: config.as_of.is_some(),
            timezone: config.timezone.clone(),
            key_fingerprint: self.hasher.fingerprint(),
            profiles: index.profiles,
            bid_ids: index.bid_ids,
            id_types: index.id_types,
            precedence: config.identity.precedence.clone(),
            sources: index.sources.iter().map(as_json).collect::<Result<_>>()?,
            index_of: index.of.unwrap_or(generation),
            index_created: index.created,
            events_cut: index.cuts.events,
            control_cut: index.cuts.control,
            catalogue_version: defined::version(&self.catalogue)?,
            audiences: activated.audiences,
            timings: self.timings.clone(),
            peak_memory_bytes: self.meter.peak(),
            sections,
            ..Manifest::default()
        };
        self.publish(&publishing, manifest)
    }

    /// Evaluates the rules as they are defined at the moment of publishing: where definitions changed meanwhile, anew.
    fn settle(&mut self, what: What, index: &Index) -> Result<(Publishing, activate::Activated)> {
        for _ in 1..ACTIVATIONS {
            let activated = self.timed("activate", |job| job.activate(index))?;
            let publishing = self.store.publishing(what.purpose())?;
            if !self.redefine() {
                return Ok((publishing, activated));
            }
        }
        let publishing = self.store.publishing(what.purpose())?;
        self.redefine();
        let activated = self.timed("activate", |job| job.activate(index))?;
        Ok((publishing, activated))
    }

    /// Reads the definitions again; whether they have changed. What is wrong in them now stops nobody: they were right when
    /// the build began, and whoever publishes next hears of it.
    fn redefine(&mut self) -> bool {
        match defined::read(self.loaded).map(|defined| defined.catalogue) {
            Ok(now) if now != *self.catalogue => {
                self.progress.phase("definitions", None, Unit::Rows).done("changed meanwhile: evaluated again");
                self.catalogue = Cow::Owned(now);
                true
            }
            Ok(_) => false,
            Err(error) => {
                tracing::warn!(
                    "the definitions have changed, and are wrong now or cannot be read; those before are published: {error}"
                );
                false
            }
        }
    }

    fn new_index(&self) -> Result<Index> {
        self.tell_forecast();
        let lists: BTreeMap<String, Option<Span>> = self
            .catalogue
            .audiences
            .iter()
            .filter(|audience| audience.rule.is_none())
            .map(|audience| (audience.id.to_string(), audience.ttl))
            .collect();
        before::seal(self.loaded)?;
        let (blocklist, control_end) = purge::blocklist(self.loaded, self.now)?;
        let before = Before::look_up(&self.store, &self.hasher)?;
        let log = before::events_log(self.loaded);
        let inputs = IndexInputs {
            facts: FactInputs { before: before.facts()?, log: log.as_deref(), from: before.events_cut },
            blocklist: &blocklist,
            loaded: self.loaded,
            hasher: &self.hasher,
            lists: &lists,
            now: self.now,
            store: &self.store,
            progress: self.progress,
        };
        let (indexed, collected) = index::index(&inputs)?;
        // Behind the cut the log may hold somebody whose deletion is known: then it is not done yet.
        let control = if indexed.deleted_behind { before.control_cut } else { control_end };
        Ok(Index {
            cuts: Cuts { events: indexed.events_cut, control },
            sections: indexed.sections,
            profiles: indexed.profiles,
            bid_ids: indexed.bid_ids,
            id_types: self.loaded.id_types.iter().map(|id_type| id_type.name.clone()).collect(),
            sources: collected.sources,
            of: None,
            created: Clock::System.now(),
            provenance: indexed.provenance,
        })
    }

    /// The index of the live generation.
    fn earlier_index(&self) -> Result<Index> {
        let live = self.store.current()?.ok_or_else(|| {
            Error::input("there is no generation whose rules could be evaluated anew; run a full `vaglio build` first")
        })?;
        let snapshot = self.store.open_snapshot(live, Planes::All, Some(&self.hasher))?;
        let manifest = snapshot.manifest();
        let is_index = |section: &&SectionRef| INDEX_SECTIONS.contains(&section.name.as_str());
        let report = |source: &serde_json::Value| {
            serde_json::from_value(source.clone()).map_err(|error| {
                Error::snapshot(format!("the manifest of generation {live} has source reports this program cannot read; run a full `vaglio build`"))
                    .caused_by(error)
            })
        };
        Ok(Index {
            sections: manifest.sections.iter().filter(is_index).cloned().collect(),
            profiles: manifest.profiles,
            bid_ids: manifest.bid_ids,
            id_types: manifest.id_types.clone(),
            sources: manifest.sources.iter().map(report).collect::<Result<_>>()?,
            of: Some(manifest.index_of),
            created: manifest.index_created,
            cuts: Cuts { events: manifest.events_cut, control: manifest.control_cut },
            provenance: Provenance::open(snapshot.section("provenance")?)?,
        })
    }

    fn activate(&self, index: &Index) -> Result<activate::Activated> {
        let newest = index.sources.iter().map(|source| (source.name.clone(), source.newest)).collect();
        let stale = Stale::at(self.now.floor_minute(), self.loaded, &newest, &index.provenance);
        if !stale.is_empty() {
            let names: Vec<&str> = stale.sources.iter().map(String::as_str).collect();
            let note = format!("past their max_age: {}", names.join(", "));
            self.progress.phase("stale", None, Unit::Rows).done(&note);
        }
        let sections = self.store.open_sections(&index.sections)?;
        activate::activate(activate::ActivateInputs {
            loaded: self.loaded,
            catalogue: &self.catalogue,
            index: &sections,
            now: self.now.floor_minute(),
            stale: &stale,
            store: &self.store,
            progress: self.progress,
        })
    }

    fn publish(&self, publishing: &Publishing, manifest: Manifest) -> Result<Manifest> {
        let phase = self.progress.phase("publish", None, Unit::Bytes);
        let generation = self.store.publish(publishing, manifest.clone())?;
        let mut note = format!(
            "generation {generation}: {} profiles, {} audiences, {} in files, peak memory {}",
            manifest.profiles,
            manifest.audiences.len(),
            BinaryBytes(manifest.bytes(Planes::All)),
            BinaryBytes(manifest.peak_memory_bytes),
        );
        if let Some(pinned) = self.store.pinned()? {
            note += &format!("; it waits, because generation {pinned} is pinned by a rollback");
        }
        phase.done(&note);
        Ok(manifest)
    }

    fn tell_forecast(&self) {
        let forecast = memory::forecast(&self.loaded.config.sources);
        let mut note = format!(
            "about {} of memory for {}{} of sources",
            BinaryBytes(forecast.memory_bytes),
            if forecast.partial { "at least " } else { "" },
            BinaryBytes(forecast.source_bytes),
        );
        if let Some(available) = memory::available() {
            note += &format!(", {} available", BinaryBytes(available));
            if available < forecast.memory_bytes {
                note += ": this may not be enough";
            }
        }
        self.progress.phase("forecast", None, Unit::Bytes).done(&note);
    }

    /// Removes what nobody needs any more, and what must not be there any more. What cannot be removed stands in nobody's
    /// way: the build goes on.
    fn sweep(&self) {
        match purge::purge(self.loaded, &self.store, &self.lock, Clock::System.now()) {
            Ok(purged) => purged.tell(),
            Err(error) => tracing::error!(%error, "generations that hold deleted people were not removed"),
        }
        if let Err(error) = self.store.sweep(&self.lock, self.loaded.config.build.keep_generations) {
            tracing::warn!(%error, "old generations were not removed");
        }
        if let Err(error) = purge::release(self.loaded, &self.store) {
            tracing::warn!(%error, "old log segments were not removed");
        }
    }

    fn timed<T>(&mut self, step: &str, run: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let outcome = run(self);
        self.timings.insert(step.to_owned(), started.elapsed().as_secs_f64());
        outcome
    }
}

/// The installation's secret. Only a data directory without generations gets a new one: where there are some, a missing
/// key is a lost one, and a new one would make every identifier unknown without a word.
fn hasher(loaded: &Loaded, store: &Store) -> Result<KeyHasher> {
    let file = loaded.key_file();
    if !file.exists() && store.current()?.is_some() {
        return Err(Error::usage(format!(
            "the key file {} is missing, but {} holds generations built with it: restore the file, or remove the data directory to start anew",
            file.display(),
            store.root().display()
        )));
    }
    loaded.key_hasher(true)
}

fn as_json(report: &SourceReport) -> Result<serde_json::Value> {
    serde_json::to_value(report).map_err(|error| Error::internal(format!("the report of a source: {error}")))
}
