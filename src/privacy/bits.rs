//! Fields of base64url text, read in place: nothing is allocated and nothing is decoded that nobody asks for.

use super::Undecodable;

/// The value of each base64url character; `NONE` for the others.
const SEXTETS: [u8; 256] = sextets();
const NONE: u8 = 0xff;

const fn sextets() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut table = [NONE; 256];
    let mut at = 0;
    while at < alphabet.len() {
        table[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    table
}

/// A reader at a place in a text of base64url characters, six bits each, the most significant first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits<'a> {
    text: &'a [u8],
    /// The next bit.
    at: usize,
}

impl<'a> Bits<'a> {
    /// A reader at the start. Other characters than base64url's, padding included, make the whole text undecodable.
    pub fn new(text: &'a str) -> Result<Self, Undecodable> {
        let text = text.as_bytes();
        // A sum instead of an early end: strings are nearly always sound.
        let wrong = text.iter().fold(0, |wrong, &byte| wrong | (SEXTETS[byte as usize] & 0xc0));
        if wrong == 0 { Ok(Bits { text, at: 0 }) } else { Err(Undecodable) }
    }

    /// Bits that are left.
    pub fn left(self) -> usize {
        self.text.len() * 6 - self.at
    }

    /// The next `width` bits, at most 32, as a number.
    pub fn number(&mut self, width: usize) -> Result<u32, Undecodable> {
        debug_assert!(width <= 32);
        if self.left() < width {
            return Err(Undecodable);
        }
        let (first, end) = (self.at / 6, (self.at + width).div_ceil(6));
        let sextets = self.text[first..end].iter();
        let value = sextets.fold(0u64, |value, &byte| value << 6 | u64::from(SEXTETS[byte as usize]));
        self.at += width;
        let behind = end * 6 - self.at;
        Ok((value >> behind & ((1 << width) - 1)) as u32)
    }

    /// The next bit.
    pub fn flag(&mut self) -> Result<bool, Undecodable> {
        Ok(self.number(1)? == 1)
    }

    /// The next sixteen bits: a vendor, or how many there are.
    pub fn vendor(&mut self) -> Result<u16, Undecodable> {
        Ok(self.number(16)? as u16)
    }

    /// Passes over bits.
    pub fn skip(&mut self, width: usize) -> Result<(), Undecodable> {
        if self.left() < width {
            return Err(Undecodable);
        }
        self.at += width;
        Ok(())
    }

    /// A number in Fibonacci coding: sums of 1, 2, 3, 5, 8 ..., ended by two ones. At least one, at most 65535.
    pub fn fibonacci(&mut self) -> Result<u16, Undecodable> {
        let (mut value, mut one, mut next, mut before) = (0u32, 1u32, 2u32, false);
        loop {
            let bit = self.flag()?;
            if bit && before {
                return u16::try_from(value).map_err(|_| Undecodable);
            }
            if bit {
                value += one;
            }
            if value > u32::from(u16::MAX) || one > u32::from(u16::MAX) {
                return Err(Undecodable);
            }
            (one, next, before) = (next, one + next, bit);
        }
    }

    /// Ranges of ascending numbers in Fibonacci coding: how many, then each as the distance from the one before, or as a
    /// distance and a length. `each` is told the first and the last of every range.
    pub fn fibonacci_ranges(&mut self, mut each: impl FnMut(u16, u16)) -> Result<(), Undecodable> {
        let mut last = 0u16;
        for _ in 0..self.number(12)? {
            let is_range = self.flag()?;
            let start = last.checked_add(self.fibonacci()?).ok_or(Undecodable)?;
            last = if is_range { start.checked_add(self.fibonacci()?).ok_or(Undecodable)? } else { start };
            each(start, last);
        }
        Ok(())
    }
}
