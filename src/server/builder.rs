//! Builds in a child process at the lowest priority, when a generation is due. A failed build leaves everything as it
//! was; its last words are shown in readiness. [`upkeep`] looks after the log and deletions around builds.
//!
//! A frozen clock (`as_of`) makes every build the same, so then only the first is run, and those that deletions ask for.

mod upkeep;

use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::hooks::Doors;
use crate::schema::{Clock, Generation, Timestamp};
use crate::snapshot::Store;
use rustix::process::{Pid, Signal};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
pub use upkeep::Feeding;
use upkeep::Upkeep;

/// How often it looks whether a build is due.
const LOOK: Duration = Duration::from_secs(1);
/// How often it looks whether a build has ended.
const TICK: Duration = Duration::from_millis(100);
/// The wait after the first failure; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// How long a build may take to end when told to.
const GRACE: Duration = Duration::from_secs(1);
/// Lines of a build's output that are kept to tell why it failed.
const LAST_WORDS: usize = 20;

/// What to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Read the sources again.
    Full,
    /// Evaluate the rules again.
    Activate,
}

/// A generation, when it was built, and when its index was.
#[derive(Debug, Clone, Copy)]
struct Built {
    generation: Generation,
    created: Timestamp,
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
        passed(self.created, intervals.1).then_some(What::Activate)
    }
}

/// How a build ended.
#[derive(Debug)]
enum Ended {
    Done,
    Failed(String),
    /// The server goes away.
    Stopped,
}

pub(super) struct Builder {
    program: PathBuf,
    config: PathBuf,
    store: Store,
    doors: Arc<Doors>,
    has_sources: bool,
    frozen: bool,
    /// Seconds between full builds and between activations; 0 = never.
    intervals: (u64, u64),
    /// The newest generation.
    newest: Option<Built>,
    upkeep: Upkeep,
}

impl Builder {
    /// `feed`: who writes the events log; `None` where nothing is taken in.
    pub(super) fn new(
        loaded: &Loaded,
        store: Store,
        doors: Arc<Doors>,
        program: Option<PathBuf>,
        feed: Option<Box<dyn Feeding>>,
    ) -> Result<Self> {
        let program = match program {
            Some(program) => program,
            None => std::env::current_exe().map_err(|error| Error::io("find this program for child builds", error))?,
        };
        let config = std::path::absolute(&loaded.file)
            .map_err(|error| Error::io(format!("resolve {}", loaded.file.display()), error))?;
        let build = &loaded.config.build;
        Ok(Builder {
            program,
            config,
            upkeep: Upkeep::new(loaded.clone(), store.clone(), Arc::clone(&doors), feed),
            store,
            doors,
            has_sources: !loaded.config.sources.is_empty(),
            frozen: loaded.config.as_of.is_some(),
            intervals: (build.index_interval_seconds, build.activate_interval_seconds),
            newest: None,
        })
    }

    /// Builds what is due until the sender of `stop` is dropped.
    pub(super) fn run(mut self, stop: &Receiver<()>) {
        let mut failures = 0u32;
        let mut not_before = Instant::now();
        loop {
            let due = if Instant::now() >= not_before { self.due() } else { None };
            if let Some(what) = due {
                if what == What::Full {
                    self.upkeep.seal();
                }
                match self.build(what, stop) {
                    Ended::Stopped => return,
                    Ended::Done => {
                        failures = 0;
                        self.doors.metrics.builds.fetch_add(1, Ordering::Relaxed);
                        self.doors.health.built(None);
                        self.upkeep.release();
                    }
                    Ended::Failed(why) => {
                        let wait = (FIRST_WAIT * 2u32.saturating_pow(failures.min(16))).min(LONGEST_WAIT);
                        failures += 1;
                        not_before = Instant::now() + wait;
                        self.doors.metrics.build_failures.fetch_add(1, Ordering::Relaxed);
                        tracing::error!("the build failed, next try in {} s: {why}", wait.as_secs());
                        self.doors.health.built(Some(why));
                    }
                }
            }
            if stop.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// What is due now. A generation that waits behind a pin counts: it need not be built twice.
    fn due(&mut self) -> Option<What> {
        if !self.has_sources && !self.upkeep.has_facts() {
            return None;
        }
        let needed = self.upkeep.look();
        let Some(newest) = self.store.manifests().ok()?.last().copied() else {
            return Some(What::Full);
        };
        if needed {
            return Some(What::Full);
        }
        if self.frozen {
            return None;
        }
        let newest = look_up(&self.store, newest, &mut self.newest)?;
        newest.due(Clock::System.now(), self.intervals)
    }

    fn build(&self, what: What, stop: &Receiver<()>) -> Ended {
        tracing::info!("build: started ({})", if what == What::Full { "full" } else { "activation" });
        let mut command = Command::new(&self.program);
        command.arg("build").arg("--config").arg(&self.config);
        if what == What::Activate {
            command.arg("--activate-only");
        }
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return Ended::Failed(format!("cannot start {}: {error}", self.program.display())),
        };
        if let Err(error) = rustix::process::setpriority_process(Some(Pid::from_child(&child)), 19) {
            tracing::warn!(%error, "the build runs at normal priority");
        }
        let out = child.stdout.take().map(|pipe| relay(pipe, "build"));
        let err = child.stderr.take().map(|pipe| relay(pipe, "build"));
        let Some(status) = wait(&mut child, stop) else {
            end(&mut child);
            return Ended::Stopped;
        };
        let last_words = |relay: Option<JoinHandle<VecDeque<String>>>| relay.and_then(|relay| relay.join().ok());
        let (_, err) = (last_words(out), last_words(err).unwrap_or_default());
        if status.success() { Ended::Done } else { Ended::Failed(reason(status, &err)) }
    }
}

/// Reads a manifest, unless it is the one that was read last.
fn look_up(store: &Store, generation: Generation, known: &mut Option<Built>) -> Option<Built> {
    if known.is_none_or(|known| known.generation != generation) {
        let read = store.manifest(generation).ok();
        let built = |manifest: crate::snapshot::Manifest| Built {
            generation,
            created: manifest.created,
            index_created: manifest.index_created,
        };
        *known = read.map(built);
    }
    *known
}

/// Writes what a child says to the log, and keeps its last words.
fn relay(pipe: impl Read + Send + 'static, name: &'static str) -> JoinHandle<VecDeque<String>> {
    std::thread::spawn(move || {
        let mut last = VecDeque::new();
        for line in BufReader::new(pipe).split(b'\n').map_while(std::result::Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            tracing::info!("{name}: {line}");
            if last.len() == LAST_WORDS {
                last.pop_front();
            }
            last.push_back(line);
        }
        last
    })
}

/// Waits for a child; `None` when told to stop first.
fn wait(child: &mut Child, stop: &Receiver<()>) -> Option<ExitStatus> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if stop.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
            return None;
        }
    }
}

/// Asks a child to end, then ends it. Nothing is lost: a build publishes last, and the next one cleans up.
fn end(child: &mut Child) {
    let _ = rustix::process::kill_process(Pid::from_child(child), Signal::TERM);
    let until = Instant::now() + GRACE;
    while Instant::now() < until {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Why a build failed: from its `error:` on, or its last line.
fn reason(status: ExitStatus, last: &VecDeque<String>) -> String {
    let from = last.iter().rposition(|line| line.starts_with("error:")).unwrap_or(last.len().saturating_sub(1));
    let words: Vec<&str> = last.iter().skip(from).map(|line| line.trim()).collect();
    let words = words.join(" ");
    let words = words.strip_prefix("error:").unwrap_or(&words).trim();
    if words.is_empty() { format!("the build ended with {status}") } else { words.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_due_by_its_own_age_whoever_shares_it() {
        let built = Built { generation: Generation(9), created: Timestamp(1_000), index_created: Timestamp(100) };
        let due = |now, intervals| built.due(Timestamp(now), intervals);
        assert_eq!(due(1_000, (1_000, 100)), None);
        assert_eq!(due(1_100, (1_000, 100)), Some(What::Full), "it is older than what was activated from it");
        assert_eq!(due(1_099, (0, 100)), None);
        assert_eq!(due(1_100, (2_000, 100)), Some(What::Activate));
        assert_eq!(due(1_100, (2_000, 0)), None);
        assert_eq!(due(50, (1_000, 100)), None, "a clock that went back");
    }
}
