//! Numbers and texts as bytes: varints and length-prefixed strings, bounded, one encoding a value. What must not live here:
//! what the numbers mean.

use crate::error::{Error, ErrorKind, Result};

/// The longest text, in bytes.
pub(super) const LONGEST_TEXT: usize = 4 << 10;

/// Something that is too long, too many or empty: it is not written, or not read.
pub(super) fn refused(what: &str) -> Error {
    Error::new(ErrorKind::Input, format!("a record of the log cannot be: {what}"))
}

/// Whether a number of things is within `1..=most`.
pub(super) fn bounded(what: &str, number: usize, most: usize) -> Result<()> {
    match number {
        0 => Err(refused(&format!("no {what}"))),
        number if number > most => Err(refused(&format!("{number} {what}, at most {most} are kept"))),
        _ => Ok(()),
    }
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A number that may be below zero: small ones are short.
pub(super) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(out, (value.wrapping_shl(1) ^ (value >> 63)) as u64);
}

/// A text behind its length.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str, longest: usize) -> Result<()> {
    if text.len() > longest {
        return Err(refused(&format!("a text of {} bytes, at most {longest} are kept", text.len())));
    }
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// What is left to read.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or_else(|| refused("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(|| refused("it ends too early"))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        self.fixed::<1>().map(|[byte]| byte)
    }

    pub(super) fn u128(&mut self) -> Result<u128> {
        self.fixed().map(u128::from_le_bytes)
    }

    pub(super) fn flag(&mut self) -> Result<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(refused(&format!("{other} is neither yes nor no"))),
        }
    }

    /// Every number has one encoding: what could be written shorter is refused.
    pub(super) fn varint(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for at in 0..10 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if at == 9 && bits > 1 {
                break;
            }
            value |= bits << (7 * at);
            if byte < 0x80 {
                let shortest = byte != 0 || at == 0;
                return if shortest { Ok(value) } else { Err(refused("a number in a longer form than its own")) };
            }
        }
        Err(refused("a number of more than 64 bits"))
    }

    pub(super) fn signed(&mut self) -> Result<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A number of things, `1..=most`.
    pub(super) fn count(&mut self, what: &str, most: usize) -> Result<usize> {
        let number = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        bounded(what, number, most).map(|()| number)
    }

    pub(super) fn text(&mut self, longest: usize) -> Result<&'a str> {
        let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        if length > longest {
            return Err(refused(&format!("a text of {length} bytes, at most {longest} are kept")));
        }
        std::str::from_utf8(self.take(length)?).map_err(|_| refused("a text that is not UTF-8"))
    }

    /// That nothing is left over.
    pub(super) fn end(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(refused(&format!("{} bytes are left over", self.0.len()))) }
    }
}
