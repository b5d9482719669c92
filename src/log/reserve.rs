//! `reserve`: a file beside the logs that only takes room. When the disk is full the control log gives it up, so that
//! objections and deletions still fit; the events log takes nothing until it could be made again.

use super::segment::{give_to_owner, private};
use super::writer::is_no_room;
use crate::disk;
use crate::error::{Error, Result};
use rustix::fs::{FallocateFlags, fallocate};
use std::io;
use std::path::{Path, PathBuf};

/// Disk space that is kept for who must not be refused.
#[derive(Debug)]
pub(super) struct Reserve {
    directory: PathBuf,
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    /// The reserve beside a log's directory.
    pub(super) fn beside(log: &Path, bytes: u64) -> Self {
        let directory = log.parent().unwrap_or(log).to_path_buf();
        Reserve { path: directory.join("reserve"), directory: log.to_path_buf(), bytes }
    }

    /// The log that leaves the reserve alone.
    pub(super) fn whose(&self) -> &Path {
        &self.directory
    }

    /// Whether the reserve is there; makes it where there is room.
    pub(super) fn keep(&mut self) -> Result<bool> {
        let there = std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() >= self.bytes);
        if there || self.bytes == 0 {
            return Ok(true);
        }
        match self.make() {
            Ok(()) => Ok(true),
            Err(error) if is_no_room(&error) => {
                // What there is of it would only be in the way.
                let _ = disk::remove(&self.path);
                Ok(false)
            }
            Err(error) => Err(Error::io(format!("reserve {} bytes in {}", self.bytes, self.path.display()), error)),
        }
    }

    fn make(&self) -> io::Result<()> {
        let mut file = disk::open(private().write(true).create(true).truncate(true), &self.path)?;
        give_to_owner(&file, &self.directory);
        match fallocate(&file, FallocateFlags::empty(), 0, self.bytes) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
            Err(errno) => return Err(errno.into()),
        }
        // A file system that cannot promise room: zeros take it.
        let zeros = vec![0; 64 << 10];
        let mut left = self.bytes;
        while left > 0 {
            let some = usize::try_from(left).unwrap_or(zeros.len()).min(zeros.len());
            disk::append(&mut file, &zeros[..some])?;
            left -= some as u64;
        }
        disk::sync(&file)
    }

    /// Gives it up: whether there was one.
    pub(super) fn give_up(log: &Path) -> bool {
        disk::remove(&Reserve::beside(log, 0).path).is_ok()
    }
}
