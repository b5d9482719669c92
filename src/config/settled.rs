//! Finds and reads files that somebody may be writing.
//!
//! Editors and copies truncate a file and then write it, piece by piece, or put another into its place. Half of the definitions can
//! be valid YAML, and would take the other half out of service. So a file counts once nobody has touched it for a moment, nor did
//! while it was read. A writer that rests for longer is not noticed: whoever writes slowly renames a whole file into its place.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// What was left alone for so long is written.
const QUIET: Duration = Duration::from_millis(50);
/// So long it is waited for, all files together.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Names that come and go for ever hold nobody up.
const LISTINGS: usize = 3;

/// The text of a file that nobody has touched for a moment; of a pipe what comes.
///
/// # Errors
/// A file that cannot be read or is no UTF-8; [`ErrorKind::TimedOut`]: it is still being written at `until`.
pub fn read(path: &Path, until: Instant) -> Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return std::fs::read_to_string(path);
    }
    read_by(path, QUIET, until, |path| std::fs::read_to_string(path))
}

/// The files that a pattern names, once nobody has moved files in their directories for a moment: an editor that puts a new
/// file into the place of an old one leaves none there in between.
pub(super) fn list(pattern: &str, until: Instant) -> Vec<PathBuf> {
    list_by(pattern, QUIET, until)
}

fn list_by(pattern: &str, quiet: Duration, until: Instant) -> Vec<PathBuf> {
    let listed = || glob::glob(pattern).into_iter().flatten().flatten().collect::<Vec<PathBuf>>();
    let mut found = listed();
    for _ in 1..LISTINGS {
        let before = directories(pattern, &found);
        let rest = before.iter().map(|(_, state)| state.rest(quiet, Instant::now())).max().unwrap_or_default();
        if Instant::now() + rest >= until {
            break;
        }
        std::thread::sleep(rest);
        found = listed();
        if directories(pattern, &found) == before {
            break;
        }
    }
    found
}

/// The directories of a pattern and of what it names, as they are.
fn directories(pattern: &str, found: &[PathBuf]) -> Vec<(PathBuf, State)> {
    let mut all: Vec<&Path> =
        found.iter().map(PathBuf::as_path).chain([Path::new(pattern)]).filter_map(Path::parent).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().filter_map(|path| Some((path.to_owned(), State::of(path).ok()?))).collect()
}

fn read_by(path: &Path, quiet: Duration, until: Instant, text: impl Fn(&Path) -> Result<String>) -> Result<String> {
    let mut last = (State::of(path)?, Instant::now());
    loop {
        let (state, since) = last;
        let rest = state.rest(quiet, since);
        if rest.is_zero() {
            let text = text(path);
            if State::of(path)? == state {
                return text;
            }
        }
        if Instant::now() >= until {
            return Err(Error::new(ErrorKind::TimedOut, "somebody is still writing it; try again"));
        }
        std::thread::sleep(rest);
        let now = State::of(path)?;
        if now != state {
            last = (now, Instant::now());
        }
    }
}

/// What changes when somebody writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    bytes: u64,
    modified: SystemTime,
}

impl State {
    fn of(path: &Path) -> Result<State> {
        let metadata = std::fs::metadata(path)?;
        Ok(State { bytes: metadata.len(), modified: metadata.modified()? })
    }

    /// What is left of `quiet`, when it has been like this since `since` at least.
    fn rest(&self, quiet: Duration, since: Instant) -> Duration {
        let age = match self.modified.elapsed() {
            // ext4 tells of the new size of a truncated file before it tells when that was.
            Ok(age) if self.bytes > 0 => age,
            // And a time in the future is another machine's clock.
            _ => since.elapsed(),
        };
        quiet.saturating_sub(age)
    }
}

#[cfg(test)]
mod tests;
