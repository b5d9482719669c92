//! Reads a file that somebody may be writing.
//!
//! Editors and copies truncate a file and then write it, piece by piece. Half of the definitions can be valid YAML, and would take
//! the other half out of service. So a file counts once nobody has touched it for a moment, and did not while it was read.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// What is this old is written.
pub(super) const QUIET: Duration = Duration::from_millis(50);
/// So long it is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The text of a file that was left alone for `quiet`.
///
/// # Errors
/// A file that cannot be read, is no UTF-8, or is still being written when `patience` is over.
pub(super) fn read(path: &Path, quiet: Duration, patience: Duration) -> Result<String> {
    let until = Instant::now() + patience;
    let mut emptied = None;
    loop {
        let before = State::of(path)?;
        let mut rest = before.rest(quiet);
        // ext4 tells of the new size of a truncated file before it tells when that was.
        if before.bytes == 0 {
            let since = emptied.get_or_insert_with(Instant::now);
            rest = rest.max(quiet.saturating_sub(since.elapsed()));
        }
        if rest.is_zero() {
            let text = std::fs::read_to_string(path)?;
            if State::of(path)? == before {
                return Ok(text);
            }
        }
        if Instant::now() >= until {
            let message = format!("it has been written all the time for {} s; try again", patience.as_secs());
            return Err(Error::new(ErrorKind::TimedOut, message));
        }
        std::thread::sleep(rest);
    }
}

/// What changes when somebody writes.
#[derive(PartialEq, Eq)]
struct State {
    bytes: u64,
    modified: SystemTime,
}

impl State {
    fn of(path: &Path) -> Result<State> {
        let metadata = std::fs::metadata(path)?;
        Ok(State { bytes: metadata.len(), modified: metadata.modified()? })
    }

    /// What is left of `quiet`. A time in the future is another machine's clock and says nothing.
    fn rest(&self, quiet: Duration) -> Duration {
        self.modified.elapsed().map_or(Duration::ZERO, |age| quiet.saturating_sub(age))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn a_file_is_read_once_its_writer_is_done() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audiences.yaml");
        fs::write(&path, "before").unwrap();
        let mut file = fs::File::create(&path).unwrap();
        let reads = {
            let path = path.clone();
            std::thread::spawn(move || read(&path, Duration::from_secs(2), Duration::from_secs(60)))
        };
        for piece in ["audi", "ences", ": []"] {
            std::thread::sleep(Duration::from_millis(20));
            file.write_all(piece.as_bytes()).unwrap();
        }
        assert_eq!(reads.join().unwrap().unwrap(), "audiences: []");
    }

    #[test]
    fn who_never_stops_writing_is_told_of() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audiences.yaml");
        fs::write(&path, "audiences: []").unwrap();
        let error = read(&path, Duration::from_secs(3_600), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("try again"), "{error}");
    }

    #[test]
    fn a_file_that_is_empty_may_just_have_been_emptied() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audiences.yaml");
        let long_ago = SystemTime::now() - Duration::from_secs(86_400);
        let file = fs::File::create(&path).unwrap();
        file.set_modified(long_ago).unwrap();
        assert!(read(&path, Duration::from_secs(3_600), Duration::ZERO).is_err());
        assert_eq!(read(&path, QUIET, PATIENCE).unwrap(), "");
    }

    #[test]
    fn another_machines_clock_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audiences.yaml");
        fs::write(&path, "audiences: []").unwrap();
        let later = SystemTime::now() + Duration::from_secs(86_400);
        fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        assert_eq!(read(&path, QUIET, Duration::ZERO).unwrap(), "audiences: []");
    }
}
