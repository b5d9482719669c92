//! A log of one writer: the lock of its directory for life, and the room that it leaves for others.

use super::lock::DirectoryLock;
use super::recover::{Recovery, recover};
use super::reserve::Reserve;
use super::writer::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Offset, Timestamp};
use std::path::Path;

/// How a log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The size at which a segment is sealed and the next begun, in bytes.
    pub segment_bytes: u64,
    /// Disk space that this log leaves to the control log beside it, in bytes.
    pub reserve_bytes: u64,
}

/// A log that this process alone appends to.
#[derive(Debug)]
pub struct Log {
    writer: Writer,
    reserve: Reserve,
    _lock: DirectoryLock,
}

impl Log {
    /// Opens the log in a directory, which need not exist: takes its lock, finishes or undoes what a crash has left.
    ///
    /// # Errors
    /// Another process writes to it; bytes that were durable are damaged; the machine refuses.
    pub fn open(directory: &Path, settings: Settings) -> Result<(Self, Recovery)> {
        super::segment::create_directory(directory)?;
        let lock = DirectoryLock::take(directory)?;
        let (writer, recovery) = recover(directory, settings.segment_bytes)?;
        let mut reserve = Reserve::beside(directory, settings.reserve_bytes);
        reserve.keep()?;
        Ok((Log { writer, reserve, _lock: lock }, recovery))
    }

    /// Appends all payloads (1 byte to 1 MiB each) or none; returns the offset of the first. They are not durable before
    /// [`Log::sync`].
    ///
    /// # Errors
    /// [`ErrorKind::NoRoom`]: the disk is full but for the reserve; nothing was appended, try again later. Anything else: the
    /// log takes nothing any more.
    pub fn append<P: AsRef<[u8]>>(&mut self, payloads: impl IntoIterator<Item = P>) -> Result<Offset> {
        if !self.reserve.keep()? {
            let message = format!(
                "the disk is full: only what is kept free for objections and deletions is left, so {} takes nothing; free \
                 some space, nothing that was acknowledged is lost",
                self.reserve.whose().display()
            );
            return Err(Error::new(ErrorKind::NoRoom, message));
        }
        self.writer.append(payloads)
    }

    /// Makes everything that was appended durable: only then it may be acknowledged.
    ///
    /// # Errors
    /// A failure is never tried again: the log takes nothing any more.
    pub fn sync(&mut self) -> Result<()> {
        self.writer.sync()
    }

    /// Ends the segment that is written, if it has records, durably. Returns the cut: every record before it is in a sealed
    /// segment.
    ///
    /// # Errors
    /// As [`Log::append`] and [`Log::sync`].
    pub fn seal(&mut self) -> Result<Offset> {
        self.writer.seal()
    }

    /// The offset that the next record gets.
    pub fn end(&self) -> Offset {
        self.writer.end()
    }

    /// Removes the sealed segments of which every record stands before `before` and came before `newest_needed`; returns
    /// how many.
    ///
    /// # Errors
    /// A damaged segment, a machine that refuses.
    pub fn release(&mut self, before: Offset, newest_needed: Timestamp) -> Result<usize> {
        self.writer.release(before, newest_needed)
    }

    /// Goes on at `offset` where a log without a record ends before it: a generation of another machine says that so many
    /// records are in it.
    ///
    /// # Errors
    /// The log has records, and ends before `offset`: some that were acknowledged are missing.
    pub fn skip_to(&mut self, offset: Offset) -> Result<()> {
        self.writer.skip_to(offset)
    }
}
