//! `LOCK`: one process at a time appends to a log. The kernel releases it when its holder ends, however it ends.

use super::segment::{give_to_owner, private};
use crate::error::{Error, Result};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a process waits for another to end its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a process waits for one that was killed: a child that it was just starting holds what it held until it has
/// become another program.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// The right to append to the log of a directory, while it lives.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes it, or says that it is held.
    pub(super) fn take(directory: &Path) -> Result<Self> {
        let held = || {
            Error::busy(format!(
                "another process writes to the log in {}; one server has a data directory, end the other first",
                directory.display()
            ))
        };
        DirectoryLock::attempt_for(directory, LAST_BREATH)?.ok_or_else(held)
    }

    /// Takes it when it is this process's turn.
    pub(super) fn wait(directory: &Path) -> Result<Self> {
        let held =
            || Error::busy(format!("another process has held {}/LOCK for too long; end it first", directory.display()));
        DirectoryLock::attempt_for(directory, PATIENCE)?.ok_or_else(held)
    }

    fn attempt_for(directory: &Path, patience: Duration) -> Result<Option<Self>> {
        let until = Instant::now() + patience;
        loop {
            let lock = DirectoryLock::attempt(directory)?;
            if lock.is_some() || Instant::now() >= until {
                return Ok(lock);
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
