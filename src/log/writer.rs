//! Appends to the segments of one directory: records, marks, footers. Whoever holds a writer holds the directory's lock;
//! `log` and `control_log` see to that. How a directory is found fit for writing is in `recover`.

use super::frame::{Footer, HEADER, Header, LONGEST, mark, put_record};
use super::segment::{SegmentFile, ends, give_to_owner, list, path, private};
use crate::disk::{self, Bug};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Clock, Offset, Timestamp};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// A buffer that grew beyond is not kept.
const KEPT_BYTES: usize = 4 << 20;

/// The end of a log, to which it is appended.
#[derive(Debug)]
pub(super) struct Writer {
    directory: PathBuf,
    segment_bytes: u64,
    /// The segment that is written; `None` while there is no room for a new one.
    open: Option<OpenSegment>,
    /// How many records there are in all.
    end: u64,
    /// When the last segment was sealed: clocks go back, this does not.
    last_sealed: i64,
    /// Why nothing is written any more.
    stopped: Option<String>,
    /// Frames on their way.
    frames: Vec<u8>,
}

/// The segment that is written.
pub(super) struct OpenSegment {
    pub file: File,
    pub first: u64,
    pub bytes: u64,
    /// Of all its bytes.
    pub sum: Xxh3,
    /// Whether it holds what no mark stands behind.
    pub dirty: bool,
}

impl std::fmt::Debug for OpenSegment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenSegment({}, {} bytes)", self.first, self.bytes)
    }
}

impl Writer {
    /// Behind what `recover` found.
    pub(super) fn new(
        directory: &Path,
        segment_bytes: u64,
        open: Option<OpenSegment>,
        end: u64,
        last_sealed: i64,
    ) -> Self {
        let directory = directory.to_path_buf();
        Writer { directory, segment_bytes, open, end, last_sealed, stopped: None, frames: Vec::new() }
    }

    pub(super) fn end(&self) -> Offset {
        Offset(self.end)
    }

    /// Whether the segment that is written is what somebody else has left alone since.
    pub(super) fn is_alone(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let Some(open) = self.open.as_ref().filter(|_| self.stopped.is_none()) else { return false };
        let same = |file: io::Result<std::fs::Metadata>, path: io::Result<std::fs::Metadata>| match (file, path) {
            (Ok(file), Ok(path)) => (file.ino(), path.len()) == (path.ino(), open.bytes),
            _ => false,
        };
        same(open.file.metadata(), std::fs::metadata(path(&self.directory, open.first, false)))
    }

    /// Begins a segment unless there is one.
    pub(super) fn begin(&mut self) -> Result<&mut OpenSegment> {
        self.not_stopped()?;
        if self.open.is_none() {
            let first = self.end;
            let begun = begin(&self.directory, first);
            let path = path(&self.directory, first, false);
            self.open =
                Some(begun.map_err(|error| refused(&format!("begin the log segment {}", path.display()), error))?);
        }
        self.open.as_mut().ok_or_else(|| Error::internal("a segment that was begun is not there"))
    }

    /// Appends all of them or none; returns the offset of the first. They are not durable before [`Writer::sync`].
    pub(super) fn append<P: AsRef<[u8]>>(&mut self, payloads: impl IntoIterator<Item = P>) -> Result<Offset> {
        self.not_stopped()?;
        if self.open.as_ref().is_some_and(|open| open.bytes >= self.segment_bytes && open.first < self.end) {
            self.seal()?;
        }
        self.begin()?;
        let (first, mut offset) = (self.end, self.end);
        let mut frames = std::mem::take(&mut self.frames);
        frames.clear();
        for payload in payloads {
            let payload = payload.as_ref();
            if payload.is_empty() || payload.len() > LONGEST {
                return Err(Error::internal(format!("a record of {} bytes is not for a log", payload.len())));
            }
            put_record(&mut frames, offset, payload);
            offset += 1;
        }
        let written = self.write(&frames);
        if frames.capacity() < KEPT_BYTES {
            self.frames = frames;
        }
        written?;
        self.end = offset;
        Ok(Offset(first))
    }

    /// Makes everything that was appended durable. What was appended before a failure is never said to be.
    pub(super) fn sync(&mut self) -> Result<()> {
        self.not_stopped()?;
        let Some(open) = self.open.as_mut().filter(|open| open.dirty) else { return Ok(()) };
        let synced = if disk::bug(Bug::AckBeforeSync) { Ok(()) } else { disk::sync(&open.file) };
        synced.map_err(|error| self.stop("sync the log", error))?;
        self.put_mark()
    }

    /// Says in the file that all before it is durable. For whoever repairs: without it nothing is lost.
    pub(super) fn put_mark(&mut self) -> Result<()> {
        let end = self.end;
        let Some(open) = self.open.as_mut() else { return Ok(()) };
        let bytes = mark(open.bytes, end);
        match self.write(&bytes) {
            Err(error) if self.stopped.is_some() => return Err(error),
            Err(_) | Ok(()) => {}
        }
        if let Some(open) = self.open.as_mut() {
            open.dirty = false;
        }
        Ok(())
    }

    /// Ends the segment if it has records: what it holds is durable then. Returns the end of what is sealed.
    pub(super) fn seal(&mut self) -> Result<Offset> {
        self.sync()?;
        let end = self.end;
        let Some(open) = self.open.as_mut().filter(|open| open.first < end) else { return Ok(Offset(end)) };
        let sealed = Clock::System.now().0.max(self.last_sealed);
        let footer = Footer { records: end - open.first, sealed, checksum: open.sum.digest128() };
        let (first, bytes) = (open.first, footer.to_bytes(open.bytes));
        self.write(&bytes)?;
        // From here on nothing can be appended to it: a failure ends the writing.
        let Some(open) = self.open.take() else { return Ok(Offset(end)) };
        let named = disk::sync(&open.file).and_then(|()| name_sealed(&self.directory, first));
        named.map_err(|error| self.stop("seal the log segment", error))?;
        self.last_sealed = sealed;
        match self.begin() {
            Err(error) if error.kind == ErrorKind::NoRoom => {}
            begun => drop(begun?),
        }
        Ok(Offset(end))
    }

    /// Removes sealed segments, from the first: those that end at or before `before` and were sealed before
    /// `newest_needed`. The last segment stays, so that the end is known.
    pub(super) fn release(&mut self, before: Offset, newest_needed: Timestamp) -> Result<usize> {
        self.begin()?;
        let mut removed = 0;
        for segment in list(&self.directory)?.iter().filter(|segment| segment.sealed) {
            let (header, footer) = ends(segment)?;
            if header.first + footer.records > before.0 || footer.sealed >= newest_needed.0 {
                break;
            }
            remove(segment)?;
            removed += 1;
        }
        if removed > 0 {
            let failed = |error| Error::io(format!("sync {}", self.directory.display()), error);
            disk::sync_directory(&self.directory).map_err(failed)?;
        }
        Ok(removed)
    }

    /// Goes on at a later offset. Only a log without a record can.
    pub(super) fn skip_to(&mut self, offset: Offset) -> Result<()> {
        let empty = self.open.as_ref().is_some_and(|open| open.first == self.end);
        if offset.0 <= self.end {
            return Ok(());
        }
        if !empty || list(&self.directory)?.len() > 1 {
            let message = format!(
                "the log in {} ends at record {}, and record {offset} is expected: records that were acknowledged are \
                 missing; put back the files of the log, or see `A damaged log` in docs/format.md",
                self.directory.display(),
                self.end
            );
            return Err(Error::new(ErrorKind::Input, message));
        }
        // The empty segment goes first: a crash in between leaves a log without segments, not two that do not fit.
        let before = SegmentFile { first: self.end, sealed: false, path: path(&self.directory, self.end, false) };
        self.open = None;
        remove(&before)?;
        self.end = offset.0;
        self.begin().map(drop)
    }

    /// Writes at the end of the open segment: all of it, or nothing.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(open) = self.open.as_mut().filter(|_| !bytes.is_empty()) else { return Ok(()) };
        match disk::append(&mut open.file, bytes) {
            Ok(()) => {
                open.bytes += bytes.len() as u64;
                open.sum.update(bytes);
                open.dirty = true;
                Ok(())
            }
            Err(error) => {
                let doing = format!("append to {}", path(&self.directory, open.first, false).display());
                // What was written of it must not stand before what comes next.
                let cut = disk::truncate(&open.file, open.bytes);
                if let (true, Ok(())) = (is_no_room(&error), cut) {
                    return Err(refused(&doing, error));
                }
                Err(self.stop("append to the log", error))
            }
        }
    }

    fn not_stopped(&self) -> Result<()> {
        match &self.stopped {
            None => Ok(()),
            Some(why) => Err(Error::new(
                ErrorKind::Io,
                format!(
                    "the log in {} takes nothing any more since it could not {why}; check the disk and start again: what \
                     was acknowledged is kept",
                    self.directory.display()
                ),
            )),
        }
    }

    /// Nothing is written any more: what the disk holds is not known, and asking it again would not tell.
    fn stop(&mut self, doing: &str, error: io::Error) -> Error {
        self.stopped = Some(format!("{doing}: {error}"));
        self.open = None;
        Error::io(format!("{doing} in {}", self.directory.display()), error)
    }
}

/// Makes a segment without records, durably.
fn begin(directory: &Path, first: u64) -> io::Result<OpenSegment> {
    let path = path(directory, first, false);
    let mut file = disk::open(private().append(true).create(true), &path)?;
    give_to_owner(&file, directory);
    let header = Header { first, created: Clock::System.now().0 }.to_bytes();
    // What an attempt that failed has left of it.
    disk::truncate(&file, 0)?;
    disk::append(&mut file, &header)?;
    disk::sync(&file)?;
    disk::sync_directory(directory)?;
    let mut sum = Xxh3::new();
    sum.update(&header);
    Ok(OpenSegment { file, first, bytes: HEADER as u64, sum, dirty: false })
}

/// Gives a segment with a durable footer the name of a sealed one.
pub(super) fn name_sealed(directory: &Path, first: u64) -> io::Result<()> {
    disk::rename(&path(directory, first, false), &path(directory, first, true))?;
    disk::sync_directory(directory)
}

fn remove(segment: &SegmentFile) -> Result<()> {
    disk::remove(&segment.path).map_err(|error| Error::io(format!("remove {}", segment.path.display()), error))
}

pub(super) fn is_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// No room: nothing was written, and it can be tried again.
fn refused(doing: &str, error: io::Error) -> Error {
    let mut error = Error::io(doing, error);
    error.kind = ErrorKind::NoRoom;
    error
}
