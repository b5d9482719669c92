//! A [`Control`] as bytes (`docs/format.md` draws them): bounded, one encoding a record.

use super::{AuditEntry, Control, Link};
use crate::error::Result;
use crate::log::coding::{Bytes, LONGEST_TEXT, bounded, put_signed, put_text, put_varint, refused};
use crate::schema::{BlockKey, Scope};

/// The most identifiers that one objection or deletion names.
pub const MOST_KEYS: usize = 1024;
/// The most bytes of one part of a change of the catalogue.
pub const LONGEST_PART: usize = 768 << 10;
/// The most parts of one.
pub const MOST_PARTS: u32 = 64;
/// The most bytes of all credentials together.
pub const LONGEST_CREDENTIALS: usize = 768 << 10;

const OBJECTION: u8 = 1;
const DELETION: u8 = 2;
const CREDENTIALS: u8 = 3;
const AUDIT: u8 = 4;
const DEFINITIONS: u8 = 5;
const AUDITED: u8 = 6;
const ANCHOR: u8 = 7;

impl Control {
    /// Adds its bytes to `out`, or leaves `out` as it is.
    ///
    /// # Errors
    /// What is not within bounds: 1 to [`MOST_KEYS`] keys, texts of at most 4 KiB, credentials of at most
    /// [`LONGEST_CREDENTIALS`] bytes.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        let encoded = self.put(out);
        if encoded.is_err() {
            out.truncate(start);
        }
        encoded
    }

    fn put(&self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Control::Objection { keys, scope, time, until } => {
                out.push(OBJECTION);
                put_keys(out, keys)?;
                out.push(match scope {
                    Scope::Marketing => 1,
                    Scope::Profiling => 2,
                    Scope::All => 3,
                });
                put_signed(out, *time);
                put_until(out, *until);
            }
            Control::Deletion { keys, time, until } => {
                out.push(DELETION);
                put_keys(out, keys)?;
                put_signed(out, *time);
                put_until(out, *until);
            }
            Control::Credentials(text) => {
                out.push(CREDENTIALS);
                put_text(out, text, LONGEST_CREDENTIALS)?;
            }
            Control::Definitions { time, part, parts, text } => {
                out.push(DEFINITIONS);
                place(*part, *parts)?;
                put_signed(out, *time);
                put_varint(out, u64::from(*part));
                put_varint(out, u64::from(*parts));
                put_text(out, text, LONGEST_PART)?;
            }
            Control::Audited(entry) => {
                out.push(AUDITED);
                entry.encode(out)?;
            }
            Control::Anchor { number, link } => {
                out.push(ANCHOR);
                put_varint(out, *number);
                out.extend_from_slice(&link.0);
            }
            Control::Audit { time, who, what, subject } => {
                out.push(AUDIT);
                put_signed(out, *time);
                put_text(out, who, LONGEST_TEXT)?;
                put_text(out, what, LONGEST_TEXT)?;
                out.extend_from_slice(&subject.0.to_le_bytes());
            }
        }
        Ok(())
    }

    /// Reads what [`Control::encode`] wrote, and nothing else.
    ///
    /// # Errors
    /// Bytes that are no record, that are out of bounds, or that are left over.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut bytes = Bytes(bytes);
        let control = match bytes.byte()? {
            OBJECTION => Control::Objection {
                keys: keys(&mut bytes)?,
                scope: scope(bytes.byte()?)?,
                time: bytes.signed()?,
                until: until(&mut bytes)?,
            },
            DELETION => Control::Deletion { keys: keys(&mut bytes)?, time: bytes.signed()?, until: until(&mut bytes)? },
            CREDENTIALS => Control::Credentials(bytes.text(LONGEST_CREDENTIALS)?.to_owned()),
            DEFINITIONS => {
                let time = bytes.signed()?;
                let number = |it: u64| u32::try_from(it).unwrap_or(u32::MAX);
                let (part, parts) = (number(bytes.varint()?), number(bytes.varint()?));
                place(part, parts)?;
                Control::Definitions { time, part, parts, text: bytes.text(LONGEST_PART)?.to_owned() }
            }
            AUDITED => Control::Audited(Box::new(AuditEntry::decode(&mut bytes)?)),
            ANCHOR => Control::Anchor { number: bytes.varint()?, link: Link(bytes.fixed()?) },
            AUDIT => Control::Audit {
                time: bytes.signed()?,
                who: bytes.text(LONGEST_TEXT)?.to_owned(),
                what: bytes.text(LONGEST_TEXT)?.to_owned(),
                subject: BlockKey(bytes.u128()?),
            },
            other => return Err(refused(&format!("kind {other} is unknown; a newer version may have written it"))),
        };
        bytes.end()?;
        Ok(control)
    }
}

/// A part's place among the parts.
fn place(part: u32, parts: u32) -> Result<()> {
    if part < parts && parts <= MOST_PARTS { Ok(()) } else { Err(refused(&format!("part {part} of {parts}"))) }
}

fn scope(byte: u8) -> Result<Scope> {
    match byte {
        1 => Ok(Scope::Marketing),
        2 => Ok(Scope::Profiling),
        3 => Ok(Scope::All),
        other => Err(refused(&format!("a scope of kind {other}"))),
    }
}

fn put_keys(out: &mut Vec<u8>, keys: &[BlockKey]) -> Result<()> {
    bounded("keys", keys.len(), MOST_KEYS)?;
    put_varint(out, keys.len() as u64);
    keys.iter().for_each(|key| out.extend_from_slice(&key.0.to_le_bytes()));
    Ok(())
}

fn keys(bytes: &mut Bytes<'_>) -> Result<Vec<BlockKey>> {
    let number = bytes.count("keys", MOST_KEYS)?;
    (0..number).map(|_| bytes.u128().map(BlockKey)).collect()
}

fn put_until(out: &mut Vec<u8>, until: Option<i64>) {
    out.push(u8::from(until.is_some()));
    if let Some(until) = until {
        put_signed(out, until);
    }
}

fn until(bytes: &mut Bytes<'_>) -> Result<Option<i64>> {
    option(bytes, Bytes::signed)
}

/// Whether there is something, and what.
pub(super) fn put_option<T>(
    out: &mut Vec<u8>,
    value: Option<T>,
    put: impl FnOnce(&mut Vec<u8>, T) -> Result<()>,
) -> Result<()> {
    out.push(u8::from(value.is_some()));
    value.map_or(Ok(()), |value| put(out, value))
}

pub(super) fn option<'a, T>(
    bytes: &mut Bytes<'a>,
    read: impl FnOnce(&mut Bytes<'a>) -> Result<T>,
) -> Result<Option<T>> {
    if bytes.flag()? { read(bytes).map(Some) } else { Ok(None) }
}
