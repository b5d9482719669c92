//! One build in a child process at the lowest priority: what it says, how it ends, why it failed.

use super::board::Board;
use crate::build::What;
use crate::evaluate::survey::Watch;
use crate::planner::builds::{Failure, Kind, Reason};
use crate::server::bell::Heard;
use rustix::process::{Pid, Signal};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it looks whether a build has ended.
const TICK: Duration = Duration::from_millis(100);
/// How long a build may take to end when told to.
const GRACE: Duration = Duration::from_secs(1);
/// Lines of a build's output that are kept to tell why it failed.
const LAST_WORDS: usize = 20;
/// How wide the name of a phase is in its lines.
const NAME_WIDTH: usize = 12;

/// How a build ended.
#[derive(Debug)]
pub(super) enum Ended {
    Done,
    Failed(Failure),
    /// Somebody ended it.
    Cancelled,
    /// The server goes away.
    Stopped,
}

/// What builds, for which configuration.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) program: PathBuf,
    pub(super) config: PathBuf,
    /// Where this server serves from, which may not be where the file says.
    pub(super) data_dir: PathBuf,
    pub(super) key_file: Option<PathBuf>,
}

impl Program {
    /// Runs a build until it ends, somebody ends it, or the server goes away.
    pub(super) fn build(&self, what: What, board: &Arc<Board>, watch: &Watch) -> Ended {
        tracing::info!("build: started ({})", if what == What::Full { "full" } else { "activation" });
        let mut command = Command::new(&self.program);
        command.arg("build").arg("--config").arg(&self.config);
        command.env("VAGLIO_DATA_DIR", &self.data_dir).env_remove("VAGLIO_KEY_FILE");
        if let Some(key_file) = &self.key_file {
            command.env("VAGLIO_KEY_FILE", key_file);
        }
        if what == What::Activate {
            command.arg("--activate-only");
        }
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                let message = format!("cannot start {}: {error}", self.program.display());
                return Ended::Failed(Failure { reason: Reason::Internal, message, problems: Vec::new() });
            }
        };
        if let Err(error) = rustix::process::setpriority_process(Some(Pid::from_child(&child)), 19) {
            tracing::warn!(%error, "the build runs at normal priority");
        }
        let kind = if what == What::Full { Kind::Full } else { Kind::Activate };
        let tell = |board: &Arc<Board>| {
            let board = Arc::clone(board);
            move |line: &str| {
                if let Some((phase, share)) = progress(line) {
                    board.progress(kind, phase, share);
                }
            }
        };
        let out = child.stdout.take().map(|pipe| relay(pipe, |_: &str| ()));
        let err = child.stderr.take().map(|pipe| relay(pipe, tell(board)));
        let status = match wait(&mut child, board, watch) {
            Ok(status) => status,
            Err(ended) => {
                end(&mut child);
                return ended;
            }
        };
        let last_words = |relay: Option<JoinHandle<VecDeque<String>>>| relay.and_then(|relay| relay.join().ok());
        let (_, err) = (last_words(out), last_words(err).unwrap_or_default());
        if status.success() { Ended::Done } else { Ended::Failed(failure(status, &err)) }
    }
}

/// Writes what a child says to the log, and keeps its last words.
fn relay(pipe: impl Read + Send + 'static, tell: impl Fn(&str) + Send + 'static) -> JoinHandle<VecDeque<String>> {
    std::thread::spawn(move || {
        let mut last = VecDeque::new();
        for line in BufReader::new(pipe).split(b'\n').map_while(std::result::Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            tracing::info!("build: {line}");
            tell(&line);
            if last.len() == LAST_WORDS {
                last.pop_front();
            }
            last.push_back(line);
        }
        last
    })
}

/// Waits for a child; says how it ended when it is told to end first.
fn wait(child: &mut Child, board: &Board, watch: &Watch) -> Result<ExitStatus, Ended> {
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Ok(status);
        }
        if board.builder.wait(TICK) == Heard::Stop {
            return Err(Ended::Stopped);
        }
        if watch.is_cancelled() {
            return Err(Ended::Cancelled);
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
fn failure(status: ExitStatus, last: &VecDeque<String>) -> Failure {
    let from = last.iter().rposition(|line| line.starts_with("error:")).unwrap_or(last.len().saturating_sub(1));
    let words: Vec<&str> = last.iter().skip(from).map(|line| line.trim()).collect();
    let words = words.join(" ");
    let words = words.strip_prefix("error:").unwrap_or(&words).trim();
    let message = if words.is_empty() { format!("the build ended with {status}") } else { words.to_owned() };
    Failure { reason: Reason::of_words(&message), message, problems: Vec::new() }
}

/// The phase and how much of it is done, where a line tells of that (as `telemetry::progress` writes plain lines).
fn progress(line: &str) -> Option<(&str, Option<f64>)> {
    if let Some((phase, _)) = line.split_once(" done in ") {
        return Some((phase.trim(), Some(1.0)));
    }
    let (phase, rest) = line.split_at_checked(NAME_WIDTH)?;
    if let Some((percent, _)) = rest.split_once(" %: ") {
        return Some((phase.trim(), Some(percent.trim().parse::<f64>().ok()?.min(100.0) / 100.0)));
    }
    let counts = rest.ends_with("/s") && rest.trim_start().starts_with(|first: char| first.is_ascii_digit());
    counts.then(|| (phase.trim(), None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn progress_is_read_from_what_a_build_writes() {
        let line = "collect       25 %: 1.00 GiB of 4.00 GiB, 256.00 MiB/s, 12 seconds left";
        assert_eq!(progress(line), Some(("collect", Some(0.25))));
        assert_eq!(progress("columns      5,000 rows, 5,000 rows/s"), Some(("columns", None)));
        assert_eq!(progress("live facts   done in 0.1 s: 7 facts"), Some(("live facts", Some(1.0))));
        assert_eq!(progress("warning: audience acme/x is in nobody's campaign"), None);
        assert_eq!(progress("error: the disk is full"), None);
        assert_eq!(progress("short"), None);
    }

    #[test]
    fn a_failure_has_a_reason_and_the_last_words() {
        let told = |lines: &[&str]| {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            let failure = failure(ExitStatus::from_raw(256), &lines);
            (failure.reason, failure.message)
        };
        let full = told(&["collect done", "error: cannot write data/tmp/x: No space left on device (os error 28)"]);
        assert_eq!(full.0, Reason::DiskFull);
        assert!(full.1.starts_with("cannot write"), "{}", full.1);
        assert_eq!(told(&["error: the definitions have 2 errors", "  a.yaml:1:2: x"]).0, Reason::DefinitionsInvalid);
        let missing = "error: the files of some sources cannot be found\n  source `crm`: no file matches crm*.csv";
        assert_eq!(told(&[missing]).0, Reason::SourceMissing);
        let rejects = "error: too many rows\n  source `crm`: 9 of 10 rows rejected; raise its `max_rejected_share`";
        assert_eq!(told(&[rejects]).0, Reason::TooManyRejects);
        assert_eq!(told(&["error: data/LOCK is held by process 7 (build, since now)"]).0, Reason::Busy);
        assert_eq!(told(&[]), (Reason::Internal, "the build ended with exit status: 1".to_owned()));
    }
}
