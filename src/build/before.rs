//! What a new index begins with: the facts that the generation before stands on, and the two logs.

use crate::config::Loaded;
use crate::error::{Error, ErrorKind, Result};
use crate::log::{self, Log, Settings, Which};
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
    /// Looks them up. Where the newest generation's are damaged, those of the generation before do: the log reaches back to
    /// every generation that is kept.
    ///
    /// # Errors
    /// Damaged facts and none before them that would do, or facts of another key: they would be lost.
    pub(super) fn look_up(store: &Store, hasher: &KeyHasher) -> Result<Before> {
        let (mut damaged, mut reached) = (None, Offset(0));
        for generation in store.manifests()?.into_iter().rev() {
            match Before::of(store, generation) {
                Ok((before, fingerprint)) => {
                    before.check_key(generation, &fingerprint, store, hasher)?;
                    if let Some(error) = damaged {
                        let error = before.check_log(store, reached, error)?;
                        tracing::warn!("{error}; those of generation {generation} and the log since are taken instead");
                    }
                    return Ok(before);
                }
                Err(error) => {
                    // A manifest that cannot be read does not say how far it had come.
                    reached = reached.max(store.manifest(generation).map_or(Offset(0), |manifest| manifest.events_cut));
                    damaged = damaged.or(Some(unusable(store, generation, &error)));
                }
            }
        }
        let nothing = Before { sections: None, events_cut: Offset(0), control_cut: Offset(0) };
        damaged.map_or(Ok(nothing), Err)
    }

    /// The facts of one generation, and the fingerprint of their key.
    fn of(store: &Store, generation: Generation) -> Result<(Before, String)> {
        let manifest = store.manifest(generation)?;
        let mut before = Before { sections: None, events_cut: manifest.events_cut, control_cut: manifest.control_cut };
        // One that has taken in nothing of the log has no facts, whatever became of the file.
        if let Some(section) = manifest.section("live_facts").filter(|_| manifest.events_cut > Offset(0)) {
            before.sections = Some(store.open_sections(std::slice::from_ref(section))?);
            before.facts()?;
        }
        Ok((before, manifest.key_fingerprint))
    }

    fn check_key(&self, generation: Generation, of: &str, store: &Store, hasher: &KeyHasher) -> Result<()> {
        let facts = self.facts()?;
        if facts.is_empty() || of == hasher.fingerprint() {
            return Ok(());
        }
        Err(Error::snapshot(format!(
            "generation {generation} holds {} facts that came by the doors under another key ({of}, configured is {}): restore \
             its key file, or remove {} and its log to begin without them",
            facts.len(),
            hasher.fingerprint(),
            store.root().display()
        )))
    }

    /// That the log holds everything between here and where a damaged generation had come to: otherwise it would be lost
    /// without a word.
    fn check_log(&self, store: &Store, reached: Offset, error: Error) -> Result<Error> {
        let directory = crate::log::events_directory(store.root());
        let holds = log::read(&directory, self.events_cut, Which::Sealed, &mut |_, _| Ok(()))? >= reached;
        if holds { Ok(error) } else { Err(error) }
    }

    /// The facts.
    pub(super) fn facts(&self) -> Result<LiveFacts<'_>> {
        self.sections
            .as_ref()
            .map_or(Ok(LiveFacts::default()), |sections| LiveFacts::open(sections.section("live_facts")?))
    }
}

/// What to do about a generation whose facts cannot be read, where there is none before it that would do.
fn unusable(store: &Store, generation: Generation, error: &Error) -> Error {
    Error::snapshot(format!(
        "the facts that came by the doors cannot be taken over from generation {generation}: {error}. Restore that file \
         from a backup, or, to begin without those facts, remove {} and its log",
        store.root().display()
    ))
}

/// The events log; `None` where nothing is taken in: it was never there, or the clock is frozen.
pub(super) fn events_log(loaded: &Loaded) -> Option<PathBuf> {
    let directory = crate::log::events_directory(&loaded.config.data_dir);
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
