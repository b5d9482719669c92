//! `LOCK`: one process at a time appends to a log. The kernel releases it when its holder ends, however it ends.

use super::segment::{give_to_owner, private};
use crate::error::{Error, Result};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a process waits for another to end its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The right to append to the log of a directory, while it lives.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes it, or says that it is held. Does not wait.
    pub(super) fn take(directory: &Path) -> Result<Self> {
        DirectoryLock::attempt(directory)?.ok_or_else(|| {
            let message = format!(
                "another process writes to the log in {}; one server has a data directory, end the other first",
                directory.display()
            );
            Error::busy(message)
        })
    }

    /// Takes it when it is this process's turn.
    pub(super) fn wait(directory: &Path) -> Result<Self> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(lock) = DirectoryLock::attempt(directory)? {
                return Ok(lock);
            }
            if Instant::now() >= until {
                let message =
                    format!("another process has held {}/LOCK for too long; end it first", directory.display());
                return Err(Error::busy(message));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn attempt(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join("LOCK");
        let doing = || format!("lock {}", path.display());
        let open = private().write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(|error| Error::io(doing(), error))?;
        give_to_owner(&file, directory);
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(DirectoryLock { _file: file })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(errno) => Err(Error::io(doing(), errno.into())),
        }
    }
}
