//! A GPP string: which sections it holds, and their texts. What they say is `tcf`'s, `us`'s and `canada`'s.

use super::bits::Bits;
use super::{MAX_BYTES, Undecodable};

/// Sections with greater numbers are not known to anybody yet: 27 is the last.
const NUMBERS: usize = 32;

/// The sections of a string, by number.
#[derive(Debug, Clone, Copy)]
pub struct Sections<'a> {
    texts: [Option<&'a str>; NUMBERS],
    /// One bit a section; bit 31 stands for all that are not known.
    there: u32,
}

impl<'a> Sections<'a> {
    /// Reads the header and finds the sections.
    ///
    /// # Errors
    /// A string that is too long, whose header is not of the form, or which has not as many sections as it announces.
    pub fn read(text: &'a str) -> Result<Self, Undecodable> {
        if text.len() > MAX_BYTES {
            return Err(Undecodable);
        }
        let mut parts = text.split('~');
        let mut header = Bits::new(parts.next().ok_or(Undecodable)?)?;
        if header.number(6)? != 3 || header.number(6)? != 1 {
            return Err(Undecodable);
        }
        let mut sections = Sections { texts: [None; NUMBERS], there: 0 };
        let mut short = false;
        header.fibonacci_ranges(|first, last| {
            for number in first..=last {
                let Some(part) = parts.next() else {
                    short = true;
                    return;
                };
                sections.there |= bit(i32::from(number));
                if let Some(text) = sections.texts.get_mut(usize::from(number)) {
                    *text = Some(part);
                }
            }
        })?;
        if short || parts.next().is_some() { Err(Undecodable) } else { Ok(sections) }
    }

    /// The text of a section; `None` = it is not there.
    pub fn get(&self, section: u8) -> Option<&'a str> {
        *self.texts.get(usize::from(section))?
    }

    /// The sections that are there, as [`mask`] has them.
    pub fn mask(&self) -> u32 {
        self.there
    }
}

/// Sections as one bit each: zero and negative numbers are none, and all that are not known are bit 31.
pub fn mask(sections: &[i32]) -> u32 {
    sections.iter().fold(0, |mask, &section| mask | bit(section))
}

fn bit(section: i32) -> u32 {
    if section <= 0 { 0 } else { 1 << section.min(NUMBERS as i32 - 1) }
}

/// The sections of a [`mask`], ascending.
pub(super) fn numbers(mask: u32) -> impl Iterator<Item = u8> {
    (0..NUMBERS as u8).filter(move |&number| mask & 1 << number != 0)
}
