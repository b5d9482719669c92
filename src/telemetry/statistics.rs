//! What is kept of answers, minute by minute: what is counted under which names, and the bytes of a minute.
//!
//! A day is a file: a magic word, then a frame a minute: its length (u32, little-endian), the xxh3-64 of its body, and the
//! body: zstd of the minute, the names that no frame before it said, and a number for each count. A frame that is torn or
//! damaged ends the file. Must not know files: bytes in, bytes out.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

#[cfg(test)]
mod tests;

const MAGIC: [u8; 8] = *b"VGLSTAT1";
const FRAME: usize = 12;
/// The most bytes of a minute, unpacked: a bound for what is read.
const LONGEST: usize = 256 << 20;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum What {
    /// Lookups, decisions' own among them: by caller, door, outcome.
    Lookups,
    /// Identifiers that were looked up: by caller, type, `known` or `unknown`.
    Matches,
    /// Verdicts on campaigns: by campaign, verdict, reason (empty for a user in target).
    Verdicts,
    /// Exposures that were taken: by campaign and kind; the third name is empty.
    Exposures,
}

impl What {
    const ALL: [What; 4] = [What::Lookups, What::Matches, What::Verdicts, What::Exposures];
}

/// What a count is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What is counted.
    pub what: What,
    /// Under which names: see [`What`].
    pub names: [Arc<str>; 3],
}

/// Counts by what they are of.
pub type Counts = BTreeMap<Key, u64>;

/// What was counted within a minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Minute {
    /// Minutes since 1970.
    pub minute: i64,
    /// The counts; none is 0.
    pub counts: Counts,
}

/// Writes the minutes of a day.
#[derive(Debug, Default)]
pub struct Encoder {
    numbers: HashMap<Arc<str>, u64>,
    started: bool,
}

impl Encoder {
    /// Goes on behind bytes that were written before. Returns how many of them are good: what follows must be cut off.
    pub fn resume(bytes: &[u8]) -> (Self, usize) {
        let mut decoder = Decoder::default();
        let good = decoder.read(bytes, &mut |_| {});
        let numbers = decoder.names.into_iter().zip(0..).collect();
        (Encoder { numbers, started: good > 0 }, good)
    }

    /// The bytes to append for a minute; `None` where it cannot be packed.
    pub fn append(&mut self, minute: &Minute) -> Option<Vec<u8>> {
        let mut fresh: Vec<Arc<str>> = Vec::new();
        let mut entries = Vec::with_capacity(minute.counts.len() * 6 + 16);
        put(minute.counts.len() as u64, &mut entries);
        for (key, count) in &minute.counts {
            entries.push(key.what as u8);
            for name in &key.names {
                let next = self.numbers.len() as u64;
                let number = *self.numbers.entry(Arc::clone(name)).or_insert(next);
                if number == next {
                    fresh.push(Arc::clone(name));
                }
                put(number, &mut entries);
            }
            put(*count, &mut entries);
        }
        let mut plain = Vec::with_capacity(entries.len() + 64);
        put(minute.minute as u64, &mut plain);
        put(fresh.len() as u64, &mut plain);
        for name in fresh {
            put(name.len() as u64, &mut plain);
            plain.extend_from_slice(name.as_bytes());
        }
        plain.extend_from_slice(&entries);
        let body = zstd::bulk::compress(&plain, 1).ok().filter(|_| plain.len() <= LONGEST)?;
        let mut bytes = if std::mem::replace(&mut self.started, true) { Vec::new() } else { MAGIC.to_vec() };
        bytes.extend_from_slice(&u32::try_from(body.len()).ok()?.to_le_bytes());
        bytes.extend_from_slice(&xxh3_64(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        Some(bytes)
    }
}

/// Reads the minutes of a day.
#[derive(Debug, Default)]
pub struct Decoder {
    names: Vec<Arc<str>>,
}

impl Decoder {
    /// Hands every minute of a day's bytes to `each`, up to what is torn or damaged; returns how many bytes are good.
    pub fn read(&mut self, bytes: &[u8], each: &mut dyn FnMut(Minute)) -> usize {
        if !bytes.starts_with(&MAGIC) {
            return 0;
        }
        let mut good = MAGIC.len();
        while let Some(body) = frame(&bytes[good..]) {
            let Some(minute) = self.minute(body) else { break };
            good += FRAME + body.len();
            each(minute);
        }
        good
    }

    fn minute(&mut self, body: &[u8]) -> Option<Minute> {
        let size = zstd::zstd_safe::get_frame_content_size(body).ok()??;
        let plain = zstd::bulk::decompress(body, usize::try_from(size).ok().filter(|size| *size <= LONGEST)?).ok()?;
        let mut rest = plain.as_slice();
        let minute = take(&mut rest)? as i64;
        let known = self.names.len();
        let counts = self.counts(&mut rest).filter(|_| rest.is_empty());
        if counts.is_none() {
            self.names.truncate(known);
        }
        Some(Minute { minute, counts: counts? })
    }

    fn counts(&mut self, rest: &mut &[u8]) -> Option<Counts> {
        for _ in 0..take(rest)? {
            let length = usize::try_from(take(rest)?).ok()?;
            let (name, after) = rest.split_at_checked(length)?;
            self.names.push(std::str::from_utf8(name).ok()?.into());
            *rest = after;
        }
        let mut counts = Counts::new();
        for _ in 0..take(rest)? {
            let (&what, after) = rest.split_first()?;
            *rest = after;
            let what = *What::ALL.get(usize::from(what))?;
            let mut name = || Some(Arc::clone(self.names.get(usize::try_from(take(rest)?).ok()?)?));
            let names = [name()?, name()?, name()?];
            *counts.entry(Key { what, names }).or_default() += take(rest)?;
        }
        Some(counts)
    }
}

/// The body of the frame that bytes begin with, if it is whole.
fn frame(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<8>()?;
    let body = rest.get(..u32::from_le_bytes(*length) as usize)?;
    (xxh3_64(body) == u64::from_le_bytes(*checksum)).then_some(body)
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
