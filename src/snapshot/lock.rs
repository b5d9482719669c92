//! `LOCK`: one builder, rollback or sweep at a time. The kernel releases it when its holder ends, however it ends.

use crate::error::{Error, Result};
use crate::schema::{Clock, Timestamp};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

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

/// The right to change a data directory, while it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`, or says who holds it. Does not wait.
    pub(super) fn take(path: &Path, purpose: &str) -> Result<Lock> {
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
        Ok(Lock { _file: file })
    }
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
