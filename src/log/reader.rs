//! Reads a log's records in their order, while another process may append to it.

use super::frame::{HEADER, Piece, Pieces};
use super::segment::{SegmentFile, damaged, follows, header, list, read_whole};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Offset;
use std::io;
use std::path::Path;

/// Which segments are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that never change any more.
    Sealed,
    /// Also the one that is written, as far as it is written.
    All,
}

/// How often a list of segments is made anew when one of them was sealed or removed meanwhile.
const ATTEMPTS: usize = 10;

/// Reads the records from an offset on, with the offset of each. Returns the offset behind the last.
///
/// # Errors
/// Records that are missing: before, between or within the segments, or a log that ends before `from`. What `each` refuses.
/// A write that a crash has torn, or that is being made, is the end.
pub fn read(
    directory: &Path,
    from: Offset,
    which: Which,
    each: &mut dyn FnMut(Offset, &[u8]) -> Result<()>,
) -> Result<Offset> {
    Reading { next: from.0, which, each, skips: false, bytes: Vec::new() }.all(directory)
}

/// As [`read`] of all segments, but begins with the oldest record where `from` was removed: for logs that are compacted.
pub(super) fn follow(
    directory: &Path,
    from: Offset,
    each: &mut dyn FnMut(Offset, &[u8]) -> Result<()>,
) -> Result<Offset> {
    Reading { next: from.0, which: Which::All, each, skips: true, bytes: Vec::new() }.all(directory)
}

/// The offset of the first record that a log still has: where [`read`] can begin.
///
/// # Errors
/// A directory that cannot be listed.
pub fn oldest(directory: &Path) -> Result<Offset> {
    Ok(list(directory)?.first().map_or(Offset(0), |segment| Offset(segment.first)))
}

struct Reading<'a> {
    next: u64,
    which: Which,
    each: &'a mut dyn FnMut(Offset, &[u8]) -> Result<()>,
    /// Whether what was removed before the first segment is not missed.
    skips: bool,
    bytes: Vec<u8>,
}

impl Reading<'_> {
    fn all(&mut self, directory: &Path) -> Result<Offset> {
        for _ in 0..ATTEMPTS {
            if self.segments(directory)? {
                return Ok(Offset(self.next));
            }
        }
        let message = format!("the log segments in {} change too fast to be read; try again", directory.display());
        Err(Error::busy(message))
    }

    /// Reads all segments from `next` on; `false` when one of them got another name, or none, after it was listed.
    fn segments(&mut self, directory: &Path) -> Result<bool> {
        let mut segments = list(directory)?;
        let begun = segments.last().map(|last| last.first);
        segments.retain(|segment| segment.sealed || self.which == Which::All);
        self.starts_in(directory, segments.first())?;
        let mut end = begun.unwrap_or(self.next);
        let nexts = segments.iter().skip(1).map(|segment| Some(segment.first)).chain([None]);
        for (segment, next) in segments.iter().zip(nexts) {
            // Of a segment that ends before, nothing is wanted.
            if next.is_some_and(|next| next <= self.next) {
                continue;
            }
            if segment.first > self.next {
                follows(segment, self.next)?;
            }
            match read_whole(&segment.path, &mut self.bytes).map(|()| self.segment(segment)) {
                Ok(read) => end = end.max(read?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(error) => {
                    return Err(Error::io(format!("read the log segment {}", segment.path.display()), error));
                }
            }
        }
        if end < self.next { Err(ends_before(directory, end, self.next)) } else { Ok(true) }
    }

    /// That the first record that is wanted is there, or the next to come. A directory without a log has nothing to miss.
    fn starts_in(&mut self, directory: &Path, first: Option<&SegmentFile>) -> Result<()> {
        match first {
            Some(first) if self.next < first.first && self.skips => {
                self.next = first.first;
                Ok(())
            }
            Some(first) if self.next < first.first => {
                let message = format!(
                    "the log in {} begins with record {}, and record {} is asked for: it was removed",
                    directory.display(),
                    first.first,
                    self.next
                );
                Err(Error::new(ErrorKind::Input, message))
            }
            _ => Ok(()),
        }
    }

    /// Reads one, again if it seems damaged while another process writes it; returns where its records end.
    fn segment(&mut self, segment: &SegmentFile) -> Result<u64> {
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut outcome = self.pieces(segment, &bytes);
        if !segment.sealed && outcome.is_err() && read_whole(&segment.path, &mut bytes).is_ok() {
            outcome = self.pieces(segment, &bytes);
        }
        self.bytes = bytes;
        outcome
    }

    fn pieces(&mut self, segment: &SegmentFile, bytes: &[u8]) -> Result<u64> {
        if !segment.sealed && bytes.len() <= HEADER {
            // A header that is being written; records come behind a durable one.
            return Ok(segment.first);
        }
        header(segment, bytes)?;
        let mut pieces = Pieces::new(bytes, segment.first);
        loop {
            let offset = pieces.offset;
            match pieces.advance() {
                Ok(Some(Piece::Record(payload))) if offset >= self.next => {
                    (self.each)(Offset(offset), payload)?;
                    self.next = offset + 1;
                }
                Ok(Some(Piece::Record(_) | Piece::Mark)) => {}
                Ok(Some(Piece::End(_))) => return Ok(offset),
                Ok(None) if segment.sealed => {
                    return Err(damaged(&segment.path, bytes.len() as u64, offset, "its footer is missing"));
                }
                Err(why) if segment.sealed || pieces.was_durable() => {
                    return Err(damaged(&segment.path, pieces.at as u64, offset, why));
                }
                Ok(None) | Err(_) => return Ok(offset),
            }
        }
    }
}

fn ends_before(directory: &Path, end: u64, asked: u64) -> Error {
    let message = format!(
        "the log in {} ends at record {end}, and record {asked} is asked for: records that were acknowledged are missing; \
         put back the files of the log, or see `A damaged log` in docs/format.md",
        directory.display()
    );
    Error::new(ErrorKind::Input, message)
}
