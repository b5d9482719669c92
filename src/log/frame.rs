//! The bytes of a log segment (`docs/format.md` draws them): a header, a frame a record, marks, and a footer once it is
//! sealed. Pure: slices in, pieces out; nothing here opens a file, and no bytes can make it panic.

use crate::disk::{self, Bug};
use memchr::memmem;
use xxhash_rust::xxh3::xxh3_128;

/// The bytes of a segment's header.
pub const HEADER: usize = 40;
/// The bytes of a footer.
pub const FOOTER: usize = 48;
/// The most bytes of a record in a log.
pub const LONGEST: usize = 1 << 20;

const MAGIC: [u8; 8] = *b"VAGLIOLG";
const END_MAGIC: [u8; 8] = *b"VAGLOEND";
const FORMAT: u32 = 1;
/// Stands where a frame's length would: a mark, the footer.
const MARK: u32 = u32::MAX - 1;
const END: u32 = u32::MAX;
/// Length and checksum.
const FRAME: usize = 8;
const MARK_BYTES: usize = 24;

/// How a segment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// How many records stand before its first, in the log.
    pub first: u64,
    /// When it was begun: seconds since the epoch.
    pub created: i64,
}

/// How a sealed segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footer {
    /// Its records.
    pub records: u64,
    /// When it was sealed, seconds since the epoch: no record of it came later.
    pub sealed: i64,
    /// XXH3-128 of every byte before the footer.
    pub checksum: u128,
}

/// What stands in a segment behind its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A record.
    Record(&'a [u8]),
    /// Everything before it was durable when it was written.
    Mark,
    /// The end of a sealed segment.
    End(Footer),
}

impl Header {
    /// Its bytes.
    pub fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.created.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..32]);
        bytes[32..36].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads it from the start of a segment.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Header, String> {
        let header: &[u8; HEADER] = bytes.first_chunk().ok_or("its header is cut off")?;
        let format = u32_at(header, 8);
        if header[..8] != MAGIC {
            return Err("it does not begin as a log segment does".to_owned());
        }
        if crc32fast::hash(&header[..32]) != u32_at(header, 32) || header[36..] != [0; 4] {
            return Err("its header fails its checksum".to_owned());
        }
        if format != FORMAT || header[12..16] != [0; 4] {
            return Err(format!("it is of format {format}, and this version reads {FORMAT}"));
        }
        Ok(Header { first: u64_at(header, 16), created: u64_at(header, 24) as i64 })
    }
}

impl Footer {
    /// Its bytes, behind `position` others.
    pub fn to_bytes(self, position: u64) -> [u8; FOOTER] {
        let mut bytes = [0; FOOTER];
        bytes[..4].copy_from_slice(&END.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.records.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.sealed.to_le_bytes());
        bytes[24..40].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[40..].copy_from_slice(&END_MAGIC);
        let sum = checksum(position, END, &bytes[FRAME..]);
        bytes[4..8].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads it from the last bytes of a file of `length` bytes.
    pub fn read(last: &[u8], length: u64) -> Option<Footer> {
        let bytes: &[u8; FOOTER] = last.last_chunk()?;
        let position = length.checked_sub(FOOTER as u64)?;
        let sound = u32_at(bytes, 0) == END
            && bytes[40..] == END_MAGIC
            && checksum(position, END, &bytes[FRAME..]) == u32_at(bytes, 4);
        let sum = bytes[24..40].try_into().map(u128::from_le_bytes).ok()?;
        sound.then(|| Footer { records: u64_at(bytes, 8), sealed: u64_at(bytes, 16) as i64, checksum: sum })
    }
}

/// Adds the frame of a record whose offset is `offset`.
pub fn put_record(out: &mut Vec<u8>, offset: u64, payload: &[u8]) {
    let length = payload.len() as u32;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum(offset, length, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

/// The mark behind `position` bytes of a segment and `offset` records of the log.
pub fn mark(position: u64, offset: u64) -> [u8; MARK_BYTES] {
    let mut bytes = [0; MARK_BYTES];
    bytes[..4].copy_from_slice(&MARK.to_le_bytes());
    bytes[8..16].copy_from_slice(&position.to_le_bytes());
    bytes[16..].copy_from_slice(&offset.to_le_bytes());
    let sum = checksum(position, MARK, &bytes[FRAME..]);
    bytes[4..8].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// The place is part of what is summed: what is sound elsewhere is not sound here.
fn checksum(place: u64, length: u32, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place.to_le_bytes());
    hasher.update(&length.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// Walks over the pieces of a segment.
#[derive(Debug, Clone)]
pub struct Pieces<'a> {
    bytes: &'a [u8],
    first: u64,
    /// Where the next piece begins.
    pub at: usize,
    /// The offset of the next record.
    pub offset: u64,
}

impl<'a> Pieces<'a> {
    /// Over a whole segment whose header says `first`.
    pub fn new(bytes: &'a [u8], first: u64) -> Self {
        Pieces { bytes, first, at: HEADER.min(bytes.len()), offset: first }
    }

    /// The next piece; `None` at the end of the bytes.
    ///
    /// # Errors
    /// What stands there is no piece: `at` stays where it begins.
    pub fn advance(&mut self) -> Result<Option<Piece<'a>>, &'static str> {
        let bytes: &'a [u8] = self.bytes.get(self.at..).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(None);
        }
        let head: &[u8; FRAME] = bytes.first_chunk().ok_or("a frame is cut off")?;
        match u32_at(head, 0) {
            MARK => {
                let sound = mark(self.at as u64, self.offset);
                if !bytes.starts_with(&sound) {
                    return Err("a mark fails its checksum");
                }
                self.at += MARK_BYTES;
                Ok(Some(Piece::Mark))
            }
            END => self.end(bytes).map(|footer| Some(Piece::End(footer))),
            length => self.record(bytes, length).map(|payload| Some(Piece::Record(payload))),
        }
    }

    fn record(&mut self, bytes: &'a [u8], length: u32) -> Result<&'a [u8], &'static str> {
        let end = FRAME + length as usize;
        if length == 0 || length as usize > LONGEST {
            return Err("a frame has an impossible length");
        }
        let payload = bytes.get(FRAME..end).ok_or("a frame is cut off")?;
        if checksum(self.offset, length, payload) != u32_at(bytes, 4) && !disk::bug(Bug::IgnoreChecksum) {
            return Err("a frame fails its checksum");
        }
        self.at += end;
        self.offset += 1;
        Ok(payload)
    }

    fn end(&mut self, bytes: &[u8]) -> Result<Footer, &'static str> {
        if bytes.len() != FOOTER {
            return Err("a footer is cut off, or followed by something");
        }
        let footer = Footer::read(bytes, self.bytes.len() as u64).ok_or("the footer fails its checksum")?;
        if footer.records != self.offset - self.first {
            return Err("the footer counts other records than there are");
        }
        if footer.checksum != xxh3_128(&self.bytes[..self.at]) && !disk::bug(Bug::IgnoreChecksum) {
            return Err("the segment fails its checksum");
        }
        self.at += FOOTER;
        Ok(footer)
    }

    /// Whether something behind the place where no piece stands proves that it had been durable: a later mark, or the
    /// footer. Then bytes were damaged that were whole once; otherwise they never were, and nobody was told that they are.
    pub fn was_durable(&self) -> bool {
        let behind = self.at + 1;
        let rest = self.bytes.get(behind..).unwrap_or_default();
        let sound = |at: &usize| {
            let bytes = &self.bytes[behind + at..];
            bytes.len() >= MARK_BYTES && mark((behind + at) as u64, u64_at(bytes, 16)) == bytes[..MARK_BYTES]
        };
        let marks = memmem::find_iter(rest, &MARK.to_le_bytes()).any(|at| sound(&at));
        marks || (rest.len() >= FOOTER && Footer::read(rest, self.bytes.len() as u64).is_some())
    }
}

/// Callers have checked that four bytes are there.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
