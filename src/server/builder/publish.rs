//! Published definitions go live: over the generation in service where few changed (`build::fresh`), by an activation where many
//! did. One thread, in no hurry of the bids'; it looks when somebody publishes, when another process did, when a generation or a
//! pin has changed, and when the first or last minute of a definition passes.
//!
//! Definitions that are wrong change nothing: what served before still does, and the state says what is wrong.

use super::board::Board;
use crate::build::defined::{self, Defined, Ledger};
use crate::build::fresh::{FreshInputs, Outcome as Made, fresh};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::hooks::Doors;
use crate::live;
use crate::lookup::ServingSnapshot;
use crate::planner::View;
use crate::planner::builds::{Failure, Kind, Outcome, Reason, Stage, What, Why};
use crate::schema::{Generation, Timestamp};
use crate::server::bell::Heard;
use crate::snapshot::{Manifest, Planes, Store};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it looks at what nobody tells it: other processes, the clock.
const LOOK: Duration = Duration::from_millis(500);
/// The wait after the first failure that may pass by itself; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// What a decision rests on: whoever looks again looks at the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Seen {
    change: u64,
    current: Option<Generation>,
    pinned: Option<Generation>,
}

/// Looks after what is published.
pub(in crate::server) struct Publisher {
    pub(in crate::server) loaded: Loaded,
    pub(in crate::server) store: Store,
    pub(in crate::server) doors: Arc<Doors>,
    pub(in crate::server) board: Arc<Board>,
    /// Whether there is something to build from; without it this server builds nothing.
    pub(in crate::server) has_matter: Box<dyn Fn() -> bool + Send>,
}

/// What it remembers from one look to the next.
#[derive(Default)]
struct Memory {
    ledger: Option<Ledger>,
    seen: Option<Seen>,
    /// The live generation with its control sections.
    base: Option<Arc<View>>,
    /// When a definition begins or ceases to be valid next.
    boundary: Option<Timestamp>,
    retry: Option<Instant>,
    failures: u32,
    /// The definitions that an activation was asked for.
    activation: Option<String>,
}

impl Publisher {
    /// Looks until the board's bell stops.
    pub(in crate::server) fn run(self) {
        live::let_bids_go_first();
        let mut memory = Memory::default();
        let mut rung = false;
        loop {
            let looked = catch_unwind(AssertUnwindSafe(|| {
                if (self.has_matter)() {
                    self.look(&mut memory, rung);
                }
            }));
            if looked.is_err() {
                self.panicked(&mut memory);
            }
            match self.board.publisher.wait(LOOK) {
                Heard::Stop => return,
                heard => rung = heard == Heard::Rung,
            }
        }
    }

    /// A mistake of this program's that one publication brings to light must not keep every other from going live.
    fn panicked(&self, memory: &mut Memory) {
        let error = Error::internal("publishing broke off by a mistake of this program; it is tried again");
        self.board.end(Kind::Fresh, Outcome::Failed, Some(failure(&error)), None);
        memory.base = None;
        let definitions = self.board.publishing().definitions;
        self.fail(memory, definitions, &error);
    }

    fn look(&self, memory: &mut Memory, rung: bool) {
        let seen = match self.seen(memory) {
            Ok(seen) => seen,
            Err(error) => return self.fail(memory, None, &error),
        };
        let passed = memory.boundary.is_some_and(|at| at <= self.loaded.clock().now().floor_minute());
        let again = memory.retry.is_some_and(|at| at <= Instant::now());
        if memory.seen.as_ref() == Some(&seen) && !rung && !passed && !again {
            return;
        }
        self.board.pinned(seen.pinned);
        memory.retry = None;
        memory.seen = Some(seen.clone());
        let decided = self.decide(memory, &seen);
        if let Err((definitions, error)) = decided {
            self.fail(memory, definitions, &error);
        }
    }

    /// What there is to look at.
    fn seen(&self, memory: &mut Memory) -> Result<Seen> {
        let ledger = match &mut memory.ledger {
            Some(ledger) => ledger,
            none => none.insert(Ledger::open(&self.loaded.config.data_dir)?),
        };
        ledger.catch_up()?;
        let change = ledger.versions().last();
        Ok(Seen { change, current: self.store.current()?, pinned: self.store.pinned()? })
    }

    /// Compares what is published with what is live, and makes it live. Errors are told with the definitions' digest.
    fn decide(&self, memory: &mut Memory, seen: &Seen) -> std::result::Result<(), (Option<String>, Error)> {
        let defined = self.defined(memory).map_err(|error| (None, error))?;
        let version = defined.version.clone();
        let told = |error| (Some(version.clone()), error);
        // Rules are evaluated at whole minutes, so a definition begins and ends with one.
        let now = self.loaded.clock().now().floor_minute();
        memory.boundary = defined.catalogue.next_boundary(now);
        let Some(current) = seen.current else {
            self.board.stage(Stage::Waiting, Some(version), None);
            return Ok(());
        };
        let live = self.store.manifest(current).map_err(told)?;
        let is_live = live.catalogue_version == version;
        let closed = live.audiences.iter().map(|summary| summary.closed);
        let passed = is_live && defined.catalogue.is_past_boundary(closed, now);
        if is_live && (!passed || seen.pinned.is_some()) {
            (memory.failures, memory.activation) = (0, None);
            self.board.stage(self.arrived(current), Some(version), None);
            self.warm(memory, current);
            return Ok(());
        }
        if !is_live {
            self.board.published();
        }
        if seen.pinned.is_some() {
            self.board.stage(Stage::Pinned, Some(version), None);
            return Ok(());
        }
        let why = if is_live { Why::Validity } else { Why::Published };
        self.make(memory, &defined, current, why).map_err(told)
    }

    fn defined(&self, memory: &Memory) -> Result<Defined> {
        let files = self.loaded.definition_files()?;
        let ledger = memory.ledger.as_ref().ok_or_else(|| Error::internal("the catalogue was not read"))?;
        defined::of(&self.loaded, &files, ledger.versions())
    }

    /// Whether the doors answer from a generation that has what is published.
    fn arrived(&self, current: Generation) -> Stage {
        let standing = self.doors.live.load();
        let serves = standing.served.as_ref().is_some_and(|served| served.generation() == current);
        if serves { Stage::InService } else { Stage::Built }
    }

    fn make(&self, memory: &mut Memory, defined: &Defined, current: Generation, why: Why) -> Result<()> {
        let version = &defined.version;
        self.board.stage(Stage::Building, Some(version.clone()), None);
        self.board.supersede(version);
        let watch = self.board.begin(Kind::Fresh, why, Some(version.clone()));
        let made = self.base(memory, current).and_then(|base| {
            self.board.progress(Kind::Fresh, "audiences", None);
            fresh(&FreshInputs {
                loaded: &self.loaded,
                catalogue: &defined.catalogue,
                base: base.serving(),
                columns: base.columns(),
                store: &self.store,
                watch: &watch,
            })
        });
        match made {
            Ok(Made::Published(manifest)) => self.published(memory, &manifest, why),
            Ok(Made::Unchanged) => {
                self.board.forget(Kind::Fresh);
                self.board.stage(self.arrived(current), Some(version.clone()), None);
            }
            Ok(Made::Moved) => {
                self.board.forget(Kind::Fresh);
                self.board.publisher.ring();
            }
            Ok(Made::Cancelled) => {
                self.board.end(Kind::Fresh, Outcome::Cancelled, None, None);
                self.board.stage(Stage::Waiting, Some(version.clone()), None);
            }
            Ok(Made::TooMany(changed)) => self.activate(memory, version, changed, why),
            Err(error) => {
                self.board.end(Kind::Fresh, Outcome::Failed, Some(failure(&error)), None);
                return Err(error);
            }
        }
        Ok(())
    }

    fn published(&self, memory: &mut Memory, manifest: &Manifest, why: Why) {
        let generation = manifest.generation;
        self.board.end(Kind::Fresh, Outcome::Done, None, Some(generation));
        self.board.stage(self.arrived(generation), Some(manifest.catalogue_version.clone()), None);
        self.board.watcher.ring();
        memory.failures = 0;
        let why = if why == Why::Validity {
            "a definition begins or ceases to be valid"
        } else {
            "definitions were published"
        };
        tracing::info!("generation {generation} is fresh over index {}: {why}", manifest.index_of);
    }

    /// More changed than a fresh generation takes. Not asked for twice: if the first did not help, the second would not.
    fn activate(&self, memory: &mut Memory, version: &str, changed: usize, why: Why) {
        self.board.forget(Kind::Fresh);
        self.board.stage(Stage::Waiting, Some(version.to_owned()), None);
        if memory.activation.as_deref() == Some(version) {
            return;
        }
        memory.activation = Some(version.to_owned());
        tracing::info!("{changed} audiences change: every rule is evaluated");
        self.board.ask(What::Activate, if why == Why::Validity { why } else { Why::PublishedMany });
    }

    /// Opens the live generation before somebody publishes, so that nobody waits for it then.
    fn warm(&self, memory: &mut Memory, current: Generation) {
        if let Err(error) = self.base(memory, current) {
            tracing::warn!("what is published will go live by builds alone: {error}");
        }
    }

    /// The live generation with its control sections: those that are mapped already, where they are.
    fn base(&self, memory: &mut Memory, current: Generation) -> Result<Arc<View>> {
        if let Some(base) = memory.base.as_ref().filter(|base| base.generation() == current) {
            return Ok(Arc::clone(base));
        }
        memory.base = None;
        let standing = self.doors.live.load();
        let served = standing.served.as_ref().filter(|served| served.generation() == current);
        let view = match served {
            Some(served) => View::open(&self.loaded, &self.store, &served.answering)?,
            None => {
                let keys = self.loaded.key_hasher(false)?;
                let snapshot = self.store.open_snapshot(current, Planes::All, Some(&keys))?;
                View::of(ServingSnapshot::new(snapshot)?, self.loaded.zone())?
            }
        };
        Ok(Arc::clone(memory.base.insert(Arc::new(view))))
    }

    /// What is published stays where it is.
    fn fail(&self, memory: &mut Memory, definitions: Option<String>, error: &Error) {
        let failure = failure(error);
        let is_theirs = failure.reason == Reason::DefinitionsInvalid;
        if self.board.stage(Stage::Failed, definitions, Some(failure)) {
            tracing::error!("what is published does not go live, what served before still does: {error}");
        }
        if !is_theirs {
            let wait = (FIRST_WAIT * 2u32.saturating_pow(memory.failures.min(16))).min(LONGEST_WAIT);
            memory.failures += 1;
            memory.retry = Some(Instant::now() + wait);
        }
    }
}

fn failure(error: &Error) -> Failure {
    Failure { reason: Reason::of(error), message: error.message().to_owned(), problems: error.problems().to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::from_text;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_mistake_of_ours_is_told_and_does_not_end_it() {
        let directory = tempfile::tempdir().unwrap();
        let text = format!("data_dir: {}\n", directory.path().display());
        let loaded = from_text(&text, &directory.path().join("vaglio.yaml"), std::iter::empty()).unwrap();
        let (board, looks) = (Arc::<Board>::default(), Arc::<AtomicUsize>::default());
        let counted = Arc::clone(&looks);
        let publisher = Publisher {
            store: Store::open(directory.path()).unwrap(),
            doors: Doors::new(&loaded.config),
            board: Arc::clone(&board),
            has_matter: Box::new(move || {
                assert!(counted.fetch_add(1, Ordering::SeqCst) > 0, "a mistake, for the test");
                false
            }),
            loaded,
        };
        let runs = std::thread::spawn(move || publisher.run());
        let until = Instant::now() + Duration::from_secs(30);
        while looks.load(Ordering::SeqCst) < 2 && Instant::now() < until {
            board.publisher.ring();
            std::thread::sleep(Duration::from_millis(5));
        }
        board.stop();
        runs.join().unwrap();
        assert!(looks.load(Ordering::SeqCst) >= 2);
        let publishing = board.publishing();
        assert_eq!(publishing.stage, Stage::Failed);
        assert_eq!(publishing.failure.unwrap().reason, Reason::Internal);
    }
}
