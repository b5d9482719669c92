//! The control log, to which several processes append: a server, `vaglio keys`. Each takes the lock for one turn.

use super::compact::Standing;
use super::control::{AuditEntry, Control, Link};
use super::lock::DirectoryLock;
use super::reader::{follow, oldest};
use super::recover::recover;
use super::reserve::Reserve;
use super::segment::{SegmentFile, create_directory, list};
use super::writer::Writer;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Clock, Offset, Timestamp};
use std::path::{Path, PathBuf};

/// The size at which a segment of the control log is sealed.
const SEGMENT_BYTES: u64 = 1 << 20;
/// A log of fewer bytes is not compacted.
const WORTH_IT: usize = 1 << 20;
/// How many records a compaction appends at once.
const AT_ONCE: usize = 256;

/// What this process appends to the control log, and how far it has read it.
#[derive(Debug)]
pub struct ControlLog {
    directory: PathBuf,
    /// The end of the log as this process left it.
    writer: Option<Writer>,
    /// What [`ControlLog::catch_up`] tells next.
    next: Offset,
    /// What the directory looked like when everything in it had been told.
    told: Option<Stamp>,
    /// The last entry of the audit trail that was told, and its link.
    audited: (u64, Link),
    /// A record on its way.
    encoded: Vec<u8>,
}

/// What changes when a log does: the last segment, its length and when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    oldest: u64,
    last: PathBuf,
    bytes: u64,
    modified: Option<std::time::SystemTime>,
}

impl Stamp {
    /// That of the log in a directory, at the cost of a listing; `None` without segments.
    ///
    /// # Errors
    /// A directory that cannot be listed.
    pub fn of(directory: &Path) -> Result<Option<Stamp>> {
        let segments = list(directory)?;
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return Ok(None) };
        let metadata = std::fs::metadata(&last.path).ok();
        Ok(Some(Stamp {
            oldest: first.first,
            last: last.path.clone(),
            bytes: metadata.as_ref().map_or(0, std::fs::Metadata::len),
            modified: metadata.and_then(|metadata| metadata.modified().ok()),
        }))
    }
}

impl ControlLog {
    /// The control log in a directory, which need not exist. Nothing is written before something is appended.
    ///
    /// # Errors
    /// A directory that cannot be listed.
    pub fn open(directory: &Path) -> Result<Self> {
        let next = oldest(directory)?;
        let (directory, audited) = (directory.to_path_buf(), (0, Link::FIRST));
        Ok(ControlLog { directory, writer: None, next, told: None, audited, encoded: Vec::new() })
    }

    /// Appends a record durably, behind everything that others have appended; returns its offset. When the disk is full, the
    /// reserve is given up for it.
    ///
    /// # Errors
    /// A record out of bounds, a damaged log, another process that keeps the lock, a machine that refuses.
    pub fn append(&mut self, control: &Control) -> Result<Offset> {
        self.turn()?.append(control)
    }

    /// Tells every record that it has not told yet, also those of this process, in their order. After a compaction what still
    /// holds is told again: whoever follows takes it as it stands.
    ///
    /// # Errors
    /// A damaged log, or what `each` refuses.
    pub fn catch_up(&mut self, each: &mut dyn FnMut(Offset, Control) -> Result<()>) -> Result<()> {
        let stamp = Stamp::of(&self.directory)?;
        if stamp.is_none() || stamp == self.told {
            return Ok(());
        }
        let (next, audited) = (&mut self.next, &mut self.audited);
        // What was compacted away holds no more, or stands again behind it.
        follow(&self.directory, *next, &mut |offset, payload| {
            let control = Control::decode(payload)?;
            match &control {
                Control::Audited(entry) if entry.number > audited.0 => *audited = (entry.number, entry.link),
                Control::Anchor { number, link } if *number > audited.0 => *audited = (*number, *link),
                _ => {}
            }
            each(offset, control)?;
            *next = Offset(offset.0 + 1);
            Ok(())
        })?;
        self.told = stamp;
        Ok(())
    }

    /// Makes the log smaller where at least half of it holds no more: ended objections, credentials that others replaced, an
    /// audit trail of more than a year. Reads the whole log, and others wait meanwhile: for the start of a server. Returns
    /// whether it did.
    ///
    /// # Errors
    /// As [`ControlLog::append`]; what holds is kept all the same.
    pub fn compact(&mut self) -> Result<bool> {
        let bytes = |segment: &SegmentFile| std::fs::metadata(&segment.path).map_or(0, |metadata| metadata.len());
        let worth_it = list(&self.directory)?.iter().map(bytes).sum::<u64>() >= WORTH_IT as u64;
        if worth_it { self.turn()?.compact() } else { Ok(false) }
    }

    /// The lock, until it is dropped: what is read and appended meanwhile has nothing of others between it.
    ///
    /// # Errors
    /// As [`ControlLog::append`].
    pub fn turn(&mut self) -> Result<Turn<'_>> {
        create_directory(&self.directory)?;
        let lock = DirectoryLock::wait(&self.directory)?;
        if !self.writer.as_ref().is_some_and(Writer::is_alone) {
            self.writer = None;
            self.writer = Some(with_reserve(&self.directory, || recover(&self.directory, SEGMENT_BYTES))?.0);
        }
        Ok(Turn { log: self, _lock: lock })
    }
}

/// A process's turn at the control log.
#[derive(Debug)]
pub struct Turn<'a> {
    log: &'a mut ControlLog,
    _lock: DirectoryLock,
}

impl Turn<'_> {
    /// As [`ControlLog::catch_up`]: up to the end, while nobody else appends.
    ///
    /// # Errors
    /// As [`ControlLog::catch_up`].
    pub fn catch_up(&mut self, each: &mut dyn FnMut(Offset, Control) -> Result<()>) -> Result<()> {
        self.log.catch_up(each)
    }

    /// Appends a record durably; returns its offset.
    ///
    /// # Errors
    /// As [`ControlLog::append`].
    pub fn append(&mut self, control: &Control) -> Result<Offset> {
        let ControlLog { directory, writer, encoded, .. } = &mut *self.log;
        let writer = writer.as_mut().ok_or_else(|| Error::internal("a turn without a writer"))?;
        encoded.clear();
        control.encode(encoded)?;
        let offset = with_reserve(directory, || writer.append([&encoded]))?;
        writer.sync()?;
        disk::acknowledge("control");
        Ok(offset)
    }

    /// Appends an entry of the audit trail, hung on the one before it; `each` is told what others appended meanwhile, as
    /// [`Turn::catch_up`] tells it.
    ///
    /// # Errors
    /// As [`ControlLog::append`], and what `each` refuses.
    pub fn audit(&mut self, entry: AuditEntry, each: &mut dyn FnMut(Offset, Control) -> Result<()>) -> Result<Offset> {
        self.catch_up(each)?;
        let (number, link) = self.log.audited;
        let entry = entry.sealed(number.saturating_add(1), link)?;
        self.append(&Control::Audited(Box::new(entry)))
    }

    /// Appends what still holds and removes what stands before it.
    fn compact(&mut self) -> Result<bool> {
        let (mut standing, mut bytes) = (Standing::new(), 0);
        let ControlLog { directory, writer, encoded, .. } = &mut *self.log;
        let writer = writer.as_mut().ok_or_else(|| Error::internal("a turn without a writer"))?;
        follow(directory, Offset(0), &mut |_, payload| {
            bytes += payload.len();
            standing.note(Control::decode(payload)?);
            Ok(())
        })?;
        let mut records = Vec::new();
        for control in standing.into_records(Clock::System.now()) {
            encoded.clear();
            control.encode(encoded)?;
            records.push(encoded.clone());
        }
        if bytes < WORTH_IT || records.iter().map(Vec::len).sum::<usize>() > bytes / 2 {
            return Ok(false);
        }
        let cut = writer.seal()?;
        for some in records.chunks(AT_ONCE) {
            writer.append(some)?;
        }
        writer.seal()?;
        writer.release(cut, Timestamp(i64::MAX))?;
        Ok(true)
    }
}

/// Does it again, once, with the room of the reserve when there is no other.
fn with_reserve<T>(directory: &Path, mut doing: impl FnMut() -> Result<T>) -> Result<T> {
    match doing() {
        Err(error) if error.kind == ErrorKind::NoRoom && Reserve::give_up(directory) => doing(),
        done => done,
    }
}
