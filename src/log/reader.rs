//! Reads a log's records in their order, while another process may append to it.

use super::frame::{Piece, Pieces};
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
    let mut reading = Reading { next: from.0, which, each, bytes: Vec::new() };
    for _ in 0..ATTEMPTS {
        if reading.segments(directory)? {
            return Ok(Offset(reading.next));
        }
    }
    let message = format!("the segments of the log in {} change too fast to be read; try again", directory.display());
    Err(Error::busy(message))
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
    bytes: Vec<u8>,
}

impl Reading<'_> {
    /// Reads all segments from `next` on; `false` when one of them got another name, or none, after it was listed.
    fn segments(&mut self, directory: &Path) -> Result<bool> {
        let mut segments = list(directory)?;
        segments.retain(|segment| segment.sealed || self.which == Which::All);
        self.starts_in(directory, &segments)?;
        let ends = segments.iter().skip(1).map(|segment| Some(segment.first)).chain([None]);
        for (segment, end) in segments.iter().zip(ends) {
            // Of a segment that ends before, nothing is wanted.
            if end.is_some_and(|end| end <= self.next) {
                continue;
            }
            if segment.first > self.next {
                follows(segment, self.next)?;
            }
            match read_whole(&segment.path, &mut self.bytes) {
                Ok(()) => self.segment(segment)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(error) => {
                    return Err(Error::io(format!("read the log segment {}", segment.path.display()), error));
                }
            }
        }
        Ok(true)
    }

    /// That the first record that is wanted is there, or the next to come.
    fn starts_in(&self, directory: &Path, segments: &[SegmentFile]) -> Result<()> {
        match segments.first() {
            Some(first) if self.next < first.first => {
                let message = format!(
                    "the log in {} begins with record {}, and record {} is asked for: it was removed",
                    directory.display(),
                    first.first,
                    self.next
                );
                Err(Error::new(ErrorKind::Input, message))
            }
            None if self.next > 0 && self.which == Which::All => Err(ends_before(directory, 0, self.next)),
            _ => Ok(()),
        }
    }

    fn segment(&mut self, segment: &SegmentFile) -> Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        let outcome = self.pieces(segment, &bytes);
        self.bytes = bytes;
        outcome
    }

    fn pieces(&mut self, segment: &SegmentFile, bytes: &[u8]) -> Result<()> {
        if !segment.sealed && bytes.len() < super::frame::HEADER {
            return Ok(());
        }
        header(segment, bytes)?;
        let mut pieces = Pieces::new(bytes, segment.first);
        loop {
            let offset = pieces.offset;
            match pieces.next() {
                Ok(Some(Piece::Record(payload))) if offset >= self.next => {
                    (self.each)(Offset(offset), payload)?;
                    self.next = offset + 1;
                }
                Ok(Some(Piece::Record(_) | Piece::Mark)) => {}
                Ok(Some(Piece::End(_))) => return Ok(()),
                Ok(None) if segment.sealed => {
                    return Err(damaged(&segment.path, bytes.len() as u64, offset, "its footer is missing"));
                }
                Err(why) if segment.sealed || pieces.was_durable() => {
                    return Err(damaged(&segment.path, pieces.at as u64, offset, why));
                }
                Ok(None) | Err(_) => return Ok(()),
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
