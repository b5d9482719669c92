//! How a log's directory is found fit for writing: every state that a crash can leave is finished or undone, and what is no
//! such state is refused.
//!
//! A write that was torn is told from bytes that were damaged later by what stands behind the first bad one. Records that
//! are synced are followed by a mark, and a segment that is sealed by a footer, both written only after what precedes them is
//! durable. So a bad byte with a sound mark or footer behind it was sound once: that is damage, and the log is refused.
//! Without one nothing from there on was ever said to be durable: it is cut off.

use super::frame::{Footer, HEADER, Header, Piece, Pieces};
use super::segment::{SegmentFile, create_directory, damaged, ends, follows, header, list, private, read_whole};
use super::writer::{OpenSegment, Writer, name_sealed};
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{Clock, Offset};
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;
use xxhash_rust::xxh3::Xxh3;

/// What was found when a log was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The offset of the first record that is still there.
    pub oldest: Offset,
    /// The offset that the next record gets.
    pub end: Offset,
    /// Bytes of a write that a crash had torn: cut off, never acknowledged.
    pub torn_bytes: u64,
}

/// Opens the directory of a log for writing, for whoever holds its lock.
pub(super) fn recover(directory: &Path, segment_bytes: u64) -> Result<(Writer, Recovery)> {
    create_directory(directory)?;
    let segments = list(directory)?;
    let mut recovery = Recovery::default();
    let (mut end, mut last_sealed, mut open) = (0, i64::MIN, None);
    for (at, segment) in segments.iter().enumerate() {
        if at == 0 {
            recovery.oldest = Offset(segment.first);
        } else {
            follows(segment, end)?;
        }
        let found = match segment.sealed {
            true => Found::sealed(segment, ends(segment)?.1),
            false => mend(directory, segment, at + 1 == segments.len())?,
        };
        end = found.end;
        last_sealed = last_sealed.max(found.sealed);
        recovery.torn_bytes += found.torn;
        open = found.open;
    }
    recovery.end = Offset(end);
    let unmarked = open.as_ref().is_some_and(|open| open.dirty);
    let mut writer = Writer::new(directory, segment_bytes, open, end, last_sealed);
    if unmarked {
        writer.put_mark()?;
    }
    match writer.begin() {
        Err(error) if error.kind == ErrorKind::NoRoom => {}
        begun => drop(begun?),
    }
    Ok((writer, recovery))
}

/// What is known of a segment.
struct Found {
    /// The offset behind its last record.
    end: u64,
    /// When it was sealed.
    sealed: i64,
    /// What goes on being written.
    open: Option<OpenSegment>,
    /// Bytes that were cut off.
    torn: u64,
}

impl Found {
    fn sealed(segment: &SegmentFile, footer: Footer) -> Self {
        Found { end: segment.first.saturating_add(footer.records), sealed: footer.sealed, open: None, torn: 0 }
    }

    fn open(open: OpenSegment, end: u64, torn: u64) -> Self {
        Found { end, sealed: i64::MIN, open: Some(open), torn }
    }
}

/// Looks at a segment that was being written.
fn mend(directory: &Path, segment: &SegmentFile, last: bool) -> Result<Found> {
    let doing = |doing: &'static str| {
        let path = segment.path.display().to_string();
        move |error: io::Error| Error::io(format!("{doing} the log segment {path}"), error)
    };
    let mut bytes = Vec::new();
    read_whole(&segment.path, &mut bytes).map_err(doing("read"))?;
    let mut file = disk::open(private().append(true), &segment.path).map_err(doing("open"))?;
    if bytes.len() <= HEADER && last && Header::read(&bytes).is_err() {
        // Records come only behind a durable header: there are none.
        let header = Header { first: segment.first, created: Clock::System.now().0 }.to_bytes();
        let written = disk::truncate(&file, 0).and_then(|()| disk::append(&mut file, &header));
        written.and_then(|()| disk::sync(&file)).map_err(doing("begin"))?;
        return Ok(Found::open(continued(file, segment, &header), segment.first, 0));
    }
    header(segment, &bytes)?;
    let mut pieces = Pieces::new(&bytes, segment.first);
    let mut marked = HEADER;
    let torn = loop {
        match pieces.advance() {
            Ok(Some(Piece::Record(_))) => {}
            Ok(Some(Piece::Mark)) => marked = pieces.at,
            Ok(Some(Piece::End(footer))) => {
                disk::sync(&file).and_then(|()| name_sealed(directory, segment.first)).map_err(doing("seal"))?;
                return Ok(Found::sealed(segment, footer));
            }
            Ok(None) => break None,
            Err(why) => break Some(why),
        }
    };
    if let Some(why) = torn.filter(|_| !last || pieces.was_durable()) {
        return Err(damaged(&segment.path, pieces.at as u64, pieces.offset, why));
    }
    if !last {
        return Err(damaged(
            &segment.path,
            bytes.len() as u64,
            pieces.offset,
            "it was never sealed, and another follows",
        ));
    }
    let (whole, cut) = (&bytes[..pieces.at], bytes.len() - pieces.at);
    if cut > 0 {
        disk::truncate(&file, whole.len() as u64).map_err(doing("cut"))?;
    }
    let unmarked = cut > 0 || marked < whole.len();
    if unmarked {
        harden(segment, &file, &whole[marked..], marked).map_err(doing("sync"))?;
    }
    let mut open = continued(file, segment, whole);
    open.dirty = unmarked;
    Ok(Found::open(open, pieces.offset, cut as u64))
}

/// What no mark stands behind may never have reached the disk, even where it can be read: a sync that failed leaves it in
/// memory and forgets it. So it is written again before it counts.
fn harden(segment: &SegmentFile, file: &File, tail: &[u8], at: usize) -> io::Result<()> {
    let mut again = disk::open(private().write(true), &segment.path)?;
    again.seek(SeekFrom::Start(at as u64))?;
    disk::append(&mut again, tail)?;
    disk::sync(file)
}

fn continued(file: File, segment: &SegmentFile, bytes: &[u8]) -> OpenSegment {
    let mut sum = Xxh3::new();
    sum.update(bytes);
    OpenSegment { file, first: segment.first, bytes: bytes.len() as u64, sum, dirty: false }
}
