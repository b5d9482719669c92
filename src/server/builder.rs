//! Builds in a child process at the lowest priority, when a generation is due or somebody asks for one. A failed build leaves
//! everything as it was; its last words are shown in readiness.
//!
//! [`child`] is one such process, [`board`] what is told of builds, [`publish`] how definitions go live without one; [`upkeep`] looks after the log and deletions around builds.
//!
//! A frozen clock (`as_of`) makes every build of the same definitions the same, so then only the first is run, and those that
//! deletions or somebody ask for.

pub(super) mod board;
mod child;
pub(super) mod publish;
mod upkeep;

use crate::build::What;
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::hooks::Doors;
use crate::planner::builds::{Failure, Kind, Outcome, Queued, Reason, What as Asked, Why};
use crate::schema::{Clock, Generation, Timestamp};
use crate::server::bell::Heard;
use crate::snapshot::Store;
use board::Board;
use child::{Ended, Program};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
pub use upkeep::Feeding;
use upkeep::Upkeep;

/// How often it looks whether a build is due.
const LOOK: Duration = Duration::from_secs(1);
/// The wait after the first failure; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// For so long nothing is built that nobody asks for, once somebody has ended a build.
const REST: Duration = Duration::from_secs(600);

/// A generation, when its rules were evaluated, and when its index was built.
#[derive(Debug, Clone, Copy)]
struct Built {
    generation: Generation,
    activated: Timestamp,
    index_created: Timestamp,
}

impl Built {
    /// What is to be built after it, `intervals` (full, activation) in seconds.
    fn due(&self, now: Timestamp, intervals: (u64, u64)) -> Option<What> {
        let passed = |since: Timestamp, interval: u64| {
            interval > 0 && u64::try_from(now.0.saturating_sub(since.0)).is_ok_and(|age| age >= interval)
        };
        if passed(self.index_created, intervals.0) {
            return Some(What::Full);
        }
        passed(self.activated, intervals.1).then_some(What::Activate)
    }
}

pub(super) struct Builder {
    program: Program,
    store: Store,
    doors: Arc<Doors>,
    board: Arc<Board>,
    has_sources: bool,
    frozen: bool,
    /// Seconds between full builds and between activations; 0 = never.
    intervals: (u64, u64),
    /// The newest generation.
    newest: Option<Built>,
    upkeep: Upkeep,
    failures: u32,
    /// Nothing that nobody asks for is built before; why that is.
    not_before: (Instant, Option<Queued>),
}

impl Builder {
    /// `feed`: who writes the events log; `None` where nothing is taken in.
    pub(super) fn new(
        loaded: &Loaded,
        store: Store,
        doors: Arc<Doors>,
        board: Arc<Board>,
        program: Option<PathBuf>,
        feed: Option<Box<dyn Feeding>>,
    ) -> Result<Self> {
        let program = match program {
            Some(program) => program,
            None => std::env::current_exe().map_err(|error| Error::io("find this program for child builds", error))?,
        };
        let absolute = |path: &PathBuf| {
            std::path::absolute(path).map_err(|error| Error::io(format!("resolve {}", path.display()), error))
        };
        let data_dir = absolute(&loaded.config.data_dir)?;
        let key_file = loaded.config.key_file.as_ref().map(absolute).transpose()?;
        let config = absolute(&loaded.file)?;
        let build = &loaded.config.build;
        Ok(Builder {
            program: Program { program, config, data_dir, key_file },
            upkeep: Upkeep::new(loaded.clone(), store.clone(), Arc::clone(&doors), feed),
            store,
            doors,
            board,
            has_sources: !loaded.config.sources.is_empty(),
            frozen: loaded.config.as_of.is_some(),
            intervals: (build.index_interval_seconds, build.activate_interval_seconds),
            newest: None,
            failures: 0,
            not_before: (Instant::now(), None),
        })
    }

    /// Builds what is due or asked for until the board's bell stops.
    pub(super) fn run(mut self) {
        loop {
            if !self.turn() || self.board.builder.wait(LOOK) == Heard::Stop {
                return;
            }
        }
    }

    /// Does what there is to do. A mistake of this program's is a failed build: the next may do better.
    fn turn(&mut self) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.work())).unwrap_or_else(|_| {
            let message = "the builder broke off by a mistake of this program; it is tried again".to_owned();
            let failure = Failure { reason: Reason::Internal, message, problems: Vec::new() };
            self.failed(Kind::Full, Why::Retry, failure);
            true
        })
    }

    /// Builds until there is nothing to be built; `false` when the server goes away.
    fn work(&mut self) -> bool {
        while let Some((what, why)) = self.next() {
            if !self.build(what, why) {
                return false;
            }
        }
        true
    }

    /// What is to be built now: what somebody asked for, or what is due.
    fn next(&mut self) -> Option<(What, Why)> {
        let rests = Instant::now() < self.not_before.0;
        self.board.next(self.not_before.1.clone().filter(|_| rests));
        while let Some(asked) = self.board.take_asked() {
            // A build that ran meanwhile may have had what it was asked for.
            if asked.why != Why::PublishedMany || !self.has_what_was_published() {
                return Some((if asked.kind == Kind::Full { What::Full } else { What::Activate }, asked.why));
            }
        }
        if rests {
            return None;
        }
        if let Some(again) = self.not_before.1.take().filter(|again| is_for_definitions(again.why)) {
            self.board.ask(Asked::Activate, again.why);
            return self.next();
        }
        self.due()
    }

    fn has_what_was_published(&self) -> bool {
        let wanted = self.board.publishing().definitions;
        let live = self.store.current().ok().flatten().and_then(|live| self.store.manifest(live).ok());
        live.is_some_and(|live| Some(live.catalogue_version) == wanted)
    }

    /// What is due now. A generation that waits behind a pin counts: it need not be built twice.
    fn due(&mut self) -> Option<(What, Why)> {
        if !self.has_sources && !self.upkeep.has_facts() {
            return None;
        }
        let needed = self.upkeep.look();
        let Some(newest) = self.store.manifests().ok()?.last().copied() else {
            return Some((What::Full, Why::Due));
        };
        if needed {
            return Some((What::Full, Why::Upkeep));
        }
        if self.frozen {
            return None;
        }
        let newest = look_up(&self.store, newest, &mut self.newest)?;
        newest.due(Clock::System.now(), self.intervals).map(|what| (what, Why::Due))
    }

    /// Builds, and tells what came of it. `false` when the server goes away.
    fn build(&mut self, what: What, why: Why) -> bool {
        if what == What::Full {
            self.upkeep.seal();
        }
        let kind = if what == What::Full { Kind::Full } else { Kind::Activate };
        let definitions = self.board.publishing().definitions;
        let watch = self.board.begin(kind, why, definitions);
        match self.program.build(what, &self.board, &watch) {
            Ended::Stopped => return false,
            Ended::Done => {
                let made = self.store.manifests().ok().and_then(|made| made.last().copied());
                self.board.end(kind, Outcome::Done, None, made);
                (self.failures, self.not_before) = (0, (Instant::now(), None));
                self.doors.metrics.builds.fetch_add(1, Ordering::Relaxed);
                self.doors.health.built(None);
                self.board.watcher.ring();
                self.board.publisher.ring();
                self.upkeep.release();
            }
            Ended::Cancelled => {
                self.board.end(kind, Outcome::Cancelled, None, None);
                tracing::info!("the build was ended");
                if !self.board.is_asked() {
                    self.rest(REST, kind, why);
                }
            }
            Ended::Failed(failure) => self.failed(kind, why, failure),
        }
        true
    }

    fn failed(&mut self, kind: Kind, why: Why, failure: Failure) {
        let wait = (FIRST_WAIT * 2u32.saturating_pow(self.failures.min(16))).min(LONGEST_WAIT);
        self.failures += 1;
        self.doors.metrics.build_failures.fetch_add(1, Ordering::Relaxed);
        tracing::error!("the build failed, next try in {} s: {}", wait.as_secs(), failure.message);
        self.doors.health.built(Some(failure.message.clone()));
        if is_for_definitions(why) {
            let definitions = self.board.publishing().definitions;
            self.board.stage(crate::planner::builds::Stage::Failed, definitions, Some(failure.clone()));
        }
        self.board.end(kind, Outcome::Failed, Some(failure), None);
        self.rest(wait, kind, if is_for_definitions(why) { why } else { Why::Retry });
    }

    /// Nothing that nobody asks for is built for a while.
    fn rest(&mut self, wait: Duration, kind: Kind, why: Why) {
        let since = Clock::System.now();
        let not_before = Some(Timestamp(since.0 + wait.as_secs() as i64));
        self.not_before = (Instant::now() + wait, Some(Queued { kind, why, since, not_before }));
    }
}

/// Whether a build is what definitions wait for: then it is asked for again until it is done.
fn is_for_definitions(why: Why) -> bool {
    matches!(why, Why::PublishedMany | Why::Validity)
}

/// Reads a manifest, unless it is the one that was read last.
fn look_up(store: &Store, generation: Generation, known: &mut Option<Built>) -> Option<Built> {
    if known.is_none_or(|known| known.generation != generation) {
        let read = store.manifest(generation).ok();
        *known = read.map(|manifest| Built {
            generation,
            activated: manifest.activated(),
            index_created: manifest.index_created,
        });
    }
    *known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_due_by_its_own_age_whoever_shares_it() {
        let built = Built { generation: Generation(9), activated: Timestamp(1_000), index_created: Timestamp(100) };
        let due = |now, intervals| built.due(Timestamp(now), intervals);
        assert_eq!(due(1_000, (1_000, 100)), None);
        assert_eq!(due(1_100, (1_000, 100)), Some(What::Full), "it is older than what was activated from it");
        assert_eq!(due(1_099, (0, 100)), None);
        assert_eq!(due(1_100, (2_000, 100)), Some(What::Activate));
        assert_eq!(due(1_100, (2_000, 0)), None);
        assert_eq!(due(50, (1_000, 100)), None, "a clock that went back");
    }

    /// Makes a mistake the first time it is asked anything.
    struct Mistaken(Arc<std::sync::atomic::AtomicUsize>);

    impl Feeding for Mistaken {
        fn seal(&self) -> Result<crate::schema::Offset> {
            Ok(crate::schema::Offset(0))
        }

        fn release(&self, _before: crate::schema::Offset) -> Result<()> {
            Ok(())
        }

        fn has_facts(&self) -> bool {
            assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "a mistake, for the test");
            false
        }

        fn pressure(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_mistake_of_ours_is_a_failed_build_and_does_not_end_the_builder() {
        let directory = tempfile::tempdir().unwrap();
        let text = format!("data_dir: {}\n", directory.path().display());
        let file = directory.path().join("vaglio.yaml");
        let loaded = crate::config::load::from_text(&text, &file, std::iter::empty()).unwrap();
        let store = Store::open(directory.path()).unwrap();
        let (doors, board) = (Doors::new(&loaded.config), Arc::<Board>::default());
        let asked = Arc::<std::sync::atomic::AtomicUsize>::default();
        let feed: Option<Box<dyn Feeding>> = Some(Box::new(Mistaken(Arc::clone(&asked))));
        let program = Some(PathBuf::from("/no/such/program"));
        let mut builder = Builder::new(&loaded, store, Arc::clone(&doors), Arc::clone(&board), program, feed).unwrap();
        assert!(builder.turn());
        assert_eq!(doors.metrics.build_failures.load(Ordering::Relaxed), 1);
        builder.not_before.0 = Instant::now();
        assert!(builder.turn());
        assert_eq!((asked.load(Ordering::SeqCst), builder.failures), (2, 1));
    }
}
