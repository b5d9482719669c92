//! The two locks of a data directory. `LOCK` is a build's or a sweep's, for its whole length; `PUBLISH` belongs for moments to
//! whoever names a generation, moves `CURRENT` or removes files. Who needs both takes `LOCK` first. The kernel releases them
//! when their holder ends, however it ends. Why there are two: `docs/decisions/0010-publish-lock.md`.

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Clock, Timestamp};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long somebody waits for `PUBLISH`. Who holds it writes some megabytes; only a build whose definitions changed three
/// times evaluates rules under it.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How often it is asked for meanwhile.
const ASK: Duration = Duration::from_millis(5);

/// Who holds the lock, as written in the file. Says nothing once the holder has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// What it does: `build`, `rollback`, ...
    pub purpose: String,
    /// Since when.
    pub since: Timestamp,
}

/// The right to write an index and to say what is removed, while it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`, or says who holds it. Does not wait.
    pub(super) fn take(path: &Path, purpose: &str) -> Result<Lock> {
        Ok(Lock { _file: hold(path, purpose)? })
    }
}

/// The right to name a generation, to move `CURRENT` and to remove files, while it lives: for moments.
#[derive(Debug)]
pub struct Publishing {
    _file: File,
}

impl Publishing {
    /// Takes the lock at `path`; waits while somebody else has it, up to a minute, then says who.
    pub(super) fn take(path: &Path, purpose: &str) -> Result<Publishing> {
        let until = Instant::now() + LONGEST_WAIT;
        loop {
            match hold(path, purpose) {
                Err(error) if error.kind == ErrorKind::Busy && Instant::now() < until => std::thread::sleep(ASK),
                held => return Ok(Publishing { _file: held? }),
            }
        }
    }
}

fn hold(path: &Path, purpose: &str) -> Result<File> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = open.map_err(|error| Error::io(format!("open the lock {}", path.display()), error))?;
    if let Err(errno) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
        if errno == rustix::io::Errno::WOULDBLOCK {
            return Err(Error::busy(held_by(&mut file, path)));
        }
        return Err(Error::io(format!("lock {}", path.display()), errno.into()));
    }
    let holder = Holder { pid: std::process::id(), purpose: purpose.to_owned(), since: Clock::System.now() };
    write_holder(&mut file, &holder).map_err(|error| Error::io(format!("write {}", path.display()), error))?;
    Ok(file)
}

fn write_holder(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    let text = serde_json::to_string(holder).map_err(std::io::Error::other)?;
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

fn held_by(file: &mut File, path: &Path) -> String {
    let mut text = String::new();
    let _ = file.take(4096).read_to_string(&mut text);
    match serde_json::from_str::<Holder>(&text) {
        Ok(holder) => format!(
            "{} is held by process {} ({}, since {}); wait until it ends, or stop it: the lock is released with the process",
            path.display(),
            holder.pid,
            holder.purpose,
            holder.since
        ),
        Err(_) => format!("{} is held by another process; wait until it ends", path.display()),
    }
}
