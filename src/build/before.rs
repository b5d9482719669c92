//! What a new index begins with: the facts that the generation before stands on, and the two logs.

use crate::config::Loaded;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{Log, Settings};
use crate::schema::{Generation, KeyHasher, Offset};
use crate::snapshot::{LiveFacts, Sections, Store};
use std::path::PathBuf;

/// The facts of the newest generation, live or not: builds go on behind a pin.
pub(super) struct Before {
    sections: Option<Sections>,
    /// Up to where it has taken the events log in.
    pub(super) events_cut: Offset,
    /// Up to where deletions are gone from it.
    pub(super) control_cut: Offset,
}

impl Before {
    /// Looks them up.
    ///
    /// # Errors
    /// A newest generation whose facts are damaged or of another key: they would be lost.
    pub(super) fn look_up(store: &Store, hasher: &KeyHasher) -> Result<Before> {
        let nothing = Before { sections: None, events_cut: Offset(0), control_cut: Offset(0) };
        let Some(newest) = store.manifests()?.last().copied() else { return Ok(nothing) };
        let manifest = store.manifest(newest).map_err(|error| unusable(store, newest, &error))?;
        let cuts = Before { events_cut: manifest.events_cut, control_cut: manifest.control_cut, ..nothing };
        let Some(section) = manifest.section("live_facts").cloned() else { return Ok(cuts) };
        let sections = store.open_sections(&[section]).map_err(|error| unusable(store, newest, &error))?;
        let before = Before { sections: Some(sections), ..cuts };
        let facts = before.facts().map_err(|error| unusable(store, newest, &error))?;
        if !facts.is_empty() && manifest.key_fingerprint != hasher.fingerprint() {
            return Err(Error::snapshot(format!(
                "generation {newest} holds {} facts that came by the doors under another key ({}, configured is {}): restore \
                 its key file, or remove {} and its log to begin without them",
                facts.len(),
                manifest.key_fingerprint,
                hasher.fingerprint(),
                store.root().display()
            )));
        }
        Ok(before)
    }

    /// The facts.
    pub(super) fn facts(&self) -> Result<LiveFacts<'_>> {
        self.sections
            .as_ref()
            .map_or(Ok(LiveFacts::default()), |sections| LiveFacts::open(sections.section("live_facts")?))
    }
}

/// What to do about a generation whose facts cannot be read. The log reaches back to every generation that is kept, so
/// that the one before will do.
fn unusable(store: &Store, generation: Generation, error: &Error) -> Error {
    Error::snapshot(format!(
        "the facts that came by the doors cannot be taken over from generation {generation}: {error}. Nothing was published. To \
         take them from the generation before and the log since, move {}/generations/{:06}.json away and build again \
         (if it is live, go back first with `vaglio rollback`)",
        store.root().display(),
        generation.0
    ))
}

/// The events log; `None` where nothing is taken in: it was never there, or the clock is frozen.
pub(super) fn events_log(loaded: &Loaded) -> Option<PathBuf> {
    let directory = loaded.config.data_dir.join("log/events");
    (loaded.config.as_of.is_none() && directory.is_dir()).then_some(directory)
}

/// The events log as its only writer; `None` while a server writes to it, or where nothing is taken in.
///
/// # Errors
/// A damaged log.
pub(super) fn own_log(loaded: &Loaded) -> Result<Option<Log>> {
    let Some(directory) = events_log(loaded) else { return Ok(None) };
    let ingest = &loaded.config.ingest;
    let settings = Settings { segment_bytes: ingest.segment_bytes, reserve_bytes: ingest.reserve_bytes };
    match Log::open(&directory, settings) {
        Ok((log, _)) => Ok(Some(log)),
        Err(error) if error.kind == ErrorKind::Busy => Ok(None),
        Err(error) => Err(error),
    }
}

/// Seals what the events log holds, unless a server writes to it: then what it has sealed is taken in.
///
/// # Errors
/// A damaged log, or a full disk.
pub(super) fn seal(loaded: &Loaded) -> Result<()> {
    if let Some(mut log) = own_log(loaded)? {
        log.seal()?;
    }
    Ok(())
}
