//! A [`Record`] as bytes (`docs/format.md` draws them): bounded, borrowed when read, one encoding a record.

use super::{Identifier, Record, Said, Stay, Value};
use crate::error::Result;
use crate::log::coding::{Bytes, LONGEST_TEXT, bounded, put_signed, put_text, put_varint, refused};
use crate::schema::ProfileKey;
use smallvec::SmallVec;
use std::borrow::Cow;

/// The most identifiers of a record.
pub const MOST_KEYS: usize = 64;
/// The most properties of an event, traits of a record, tags of a value.
pub const MOST_ENTRIES: usize = 256;
/// The most bytes of a record.
pub const LONGEST: usize = 64 << 10;

const EVENT: u8 = 1;
const TRAITS: u8 = 2;
const MEMBERSHIP: u8 = 3;
const LINK: u8 = 4;
const CONSENT: u8 = 5;

const NONE: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;
const NUMBER: u8 = 3;
const DATE: u8 = 4;
const TEXT: u8 = 5;
const TAGS: u8 = 6;

const BY_DEFAULT: u8 = 0;
const ENDS: u8 = 1;
const MINUTES: u8 = 2;

impl<'a> Record<'a> {
    /// Adds its bytes to `out`, or leaves `out` as it is.
    ///
    /// # Errors
    /// What is not within bounds: 1 to [`MOST_KEYS`] keys, at most [`MOST_ENTRIES`] properties, traits or tags, texts of
    /// at most 4 KiB, [`LONGEST`] bytes in all; a number that is not finite; a value of no tags.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        let encoded = self.put(out).and_then(|()| match out.len() - start {
            bytes if bytes > LONGEST => Err(refused(&format!("{bytes} bytes, at most {LONGEST} are kept"))),
            _ => Ok(()),
        });
        if encoded.is_err() {
            out.truncate(start);
        }
        encoded
    }

    /// Adds what is kept of it beside whom it is about: when and what, without id, receipt and keys. Read back by
    /// [`Record::decode_fact`]; several may stand behind each other.
    ///
    /// # Errors
    /// As [`Record::encode`].
    pub fn encode_fact(&self, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        out.push(self.kind());
        put_signed(out, self.time);
        let put = self.put_said(out);
        if put.is_err() {
            out.truncate(start);
        }
        put
    }

    /// Reads one that [`Record::encode_fact`] wrote off the front of `bytes`: it has neither id nor keys, and counts as received
    /// when it happened.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn decode_fact(bytes: &mut &'a [u8]) -> Result<Self> {
        let mut rest = Bytes(bytes);
        let (kind, time) = (rest.byte()?, rest.signed()?);
        let said = said(kind, &mut rest)?;
        *bytes = rest.0;
        Ok(Record { id: 0, time, received: time, keys: SmallVec::new(), said })
    }

    fn kind(&self) -> u8 {
        match &self.said {
            Said::Event { .. } => EVENT,
            Said::Traits(_) => TRAITS,
            Said::Membership { .. } => MEMBERSHIP,
            Said::Link => LINK,
            Said::Consent(_) => CONSENT,
        }
    }

    fn put(&self, out: &mut Vec<u8>) -> Result<()> {
        out.push(self.kind());
        out.extend_from_slice(&self.id.to_le_bytes());
        put_signed(out, self.received);
        put_signed(out, self.time.wrapping_sub(self.received));
        bounded("keys", self.keys.len(), MOST_KEYS)?;
        put_varint(out, self.keys.len() as u64);
        for identifier in &self.keys {
            out.extend_from_slice(&identifier.key.to_bytes());
            put_text(out, &identifier.id_type, LONGEST_TEXT)?;
        }
        self.put_said(out)
    }

    fn put_said(&self, out: &mut Vec<u8>) -> Result<()> {
        match &self.said {
            Said::Event { name, properties } => {
                put_text(out, name, LONGEST_TEXT)?;
                put_entries(out, properties, |out, value| put_value(out, value))
            }
            Said::Traits(traits) => put_entries(out, traits, |out, value| match value {
                Some(value) => put_value(out, value),
                None => {
                    out.push(NONE);
                    Ok(())
                }
            }),
            Said::Membership { list, stay } => {
                put_text(out, list, LONGEST_TEXT)?;
                put_stay(out, *stay);
                Ok(())
            }
            Said::Link => Ok(()),
            Said::Consent(consents) => {
                out.push(u8::from(*consents));
                Ok(())
            }
        }
    }

    /// Reads what [`Record::encode`] wrote, and nothing else: texts are borrowed.
    ///
    /// # Errors
    /// Bytes that are no record, that are out of bounds, or that are left over.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        if bytes.len() > LONGEST {
            return Err(refused(&format!("{} bytes, at most {LONGEST} are kept", bytes.len())));
        }
        let mut bytes = Bytes(bytes);
        let kind = bytes.byte()?;
        let id = bytes.u128()?;
        let received = bytes.signed()?;
        let time = received.wrapping_add(bytes.signed()?);
        let mut keys = SmallVec::new();
        for _ in 0..bytes.count("keys", MOST_KEYS)? {
            let key = ProfileKey::from_bytes(bytes.fixed()?);
            keys.push(Identifier { key, id_type: text(&mut bytes)? });
        }
        let said = said(kind, &mut bytes)?;
        bytes.end()?;
        Ok(Record { id, time, received, keys, said })
    }
}

fn said<'a>(kind: u8, bytes: &mut Bytes<'a>) -> Result<Said<'a>> {
    Ok(match kind {
        EVENT => Said::Event {
            name: text(bytes)?,
            properties: entries(bytes, |bytes| value(bytes)?.ok_or_else(|| refused("a property without a value")))?,
        },
        TRAITS => Said::Traits(entries(bytes, value)?),
        MEMBERSHIP => Said::Membership { list: text(bytes)?, stay: stay(bytes)? },
        LINK => Said::Link,
        CONSENT => Said::Consent(bytes.flag()?),
        other => return Err(refused(&format!("kind {other} is unknown; a newer version may have written it"))),
    })
}

fn text<'a>(bytes: &mut Bytes<'a>) -> Result<Cow<'a, str>> {
    bytes.text(LONGEST_TEXT).map(Cow::Borrowed)
}

fn put_entries<T>(
    out: &mut Vec<u8>,
    entries: &[(Cow<'_, str>, T)],
    put: impl Fn(&mut Vec<u8>, &T) -> Result<()>,
) -> Result<()> {
    if entries.len() > MOST_ENTRIES {
        return Err(refused(&format!("{} properties or traits, at most {MOST_ENTRIES} are kept", entries.len())));
    }
    put_varint(out, entries.len() as u64);
    entries.iter().try_for_each(|(name, value)| {
        put_text(out, name, LONGEST_TEXT)?;
        put(out, value)
    })
}

fn entries<'a, T>(bytes: &mut Bytes<'a>, read: impl Fn(&mut Bytes<'a>) -> Result<T>) -> Result<Vec<(Cow<'a, str>, T)>> {
    let number = bytes.varint()?;
    if number > MOST_ENTRIES as u64 {
        return Err(refused(&format!("{number} properties or traits, at most {MOST_ENTRIES} are kept")));
    }
    (0..number).map(|_| Ok((text(bytes)?, read(bytes)?))).collect()
}

fn put_value(out: &mut Vec<u8>, value: &Value<'_>) -> Result<()> {
    match value {
        Value::Flag(yes) => out.push(if *yes { YES } else { NO }),
        Value::Number(number) if !number.is_finite() => return Err(refused("a number that is not finite")),
        Value::Number(number) => {
            out.push(NUMBER);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Date(day) => {
            out.push(DATE);
            put_signed(out, i64::from(*day));
        }
        Value::Text(text) => {
            out.push(TEXT);
            put_text(out, text, LONGEST_TEXT)?;
        }
        Value::Tags(tags) => {
            out.push(TAGS);
            bounded("tags", tags.len(), MOST_ENTRIES)?;
            put_varint(out, tags.len() as u64);
            tags.iter().try_for_each(|tag| put_text(out, tag, LONGEST_TEXT))?;
        }
    }
    Ok(())
}

fn value<'a>(bytes: &mut Bytes<'a>) -> Result<Option<Value<'a>>> {
    Ok(Some(match bytes.byte()? {
        NONE => return Ok(None),
        NO => Value::Flag(false),
        YES => Value::Flag(true),
        NUMBER => match f64::from_le_bytes(bytes.fixed()?) {
            number if number.is_finite() => Value::Number(number),
            _ => return Err(refused("a number that is not finite")),
        },
        DATE => Value::Date(i32::try_from(bytes.signed()?).map_err(|_| refused("a date out of range"))?),
        TEXT => Value::Text(text(bytes)?),
        TAGS => {
            let number = bytes.count("tags", MOST_ENTRIES)?;
            Value::Tags((0..number).map(|_| text(bytes)).collect::<Result<_>>()?)
        }
        other => return Err(refused(&format!("a value of kind {other}"))),
    }))
}

fn put_stay(out: &mut Vec<u8>, stay: Stay) {
    match stay {
        Stay::ByDefault => out.push(BY_DEFAULT),
        Stay::Ends => out.push(ENDS),
        Stay::Minutes(minutes) => {
            out.push(MINUTES);
            put_varint(out, u64::from(minutes));
        }
    }
}

fn stay(bytes: &mut Bytes<'_>) -> Result<Stay> {
    Ok(match bytes.byte()? {
        BY_DEFAULT => Stay::ByDefault,
        ENDS => Stay::Ends,
        MINUTES => Stay::Minutes(u32::try_from(bytes.varint()?).map_err(|_| refused("too many minutes"))?),
        other => return Err(refused(&format!("a stay of kind {other}"))),
    })
}
