//! Section `consents`: one byte of flags an ordinal. The same bits open a record of the forward index.

use crate::error::{Error, Result};
use std::io::{self, Write};

/// Never speak to this person.
pub const OBJECTS_TO_MARKETING: u8 = 1;
/// Use no profile of this person.
pub const OBJECTS_TO_PROFILING: u8 = 2;
/// The newest of consent and refusal is a refusal.
pub const REFUSED: u8 = 4;

/// Writes the section.
pub fn write_consents(flags: &[u8], out: &mut impl Write) -> io::Result<()> {
    out.write_all(flags)
}

/// The section, opened.
#[derive(Debug, Clone, Copy)]
pub struct Consents<'a> {
    flags: &'a [u8],
}

impl<'a> Consents<'a> {
    /// Opens the bytes of a section of `ordinals` profiles.
    ///
    /// # Errors
    /// Another number of profiles, or a flag this format does not have.
    pub fn open(bytes: &'a [u8], ordinals: u32) -> Result<Self> {
        const ALL: u8 = OBJECTS_TO_MARKETING | OBJECTS_TO_PROFILING | REFUSED;
        if bytes.len() != ordinals as usize || bytes.iter().any(|flags| flags & !ALL != 0) {
            return Err(Error::snapshot(format!(
                "section `consents` is damaged: expected one byte of flags for each of {ordinals} profiles; build again",
            )));
        }
        Ok(Consents { flags: bytes })
    }

    /// The flags of a profile; an ordinal beyond the last objects to everything.
    pub fn of(&self, ordinal: u32) -> u8 {
        let unknown = OBJECTS_TO_MARKETING | OBJECTS_TO_PROFILING;
        self.flags.get(ordinal as usize).copied().unwrap_or(unknown)
    }

    /// One byte an ordinal.
    pub fn flags(&self) -> &'a [u8] {
        self.flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_back_and_nonsense_is_refused() {
        let mut bytes = Vec::new();
        write_consents(&[0, 1, 6, 7], &mut bytes).unwrap();
        let consents = Consents::open(&bytes, 4).unwrap();
        assert_eq!([0, 1, 2, 3].map(|who| consents.of(who)), [0, 1, 6, 7]);
        assert_eq!(consents.of(4), 3, "what cannot be read is not spoken to");
        assert!(Consents::open(&bytes, 5).is_err());
        assert!(Consents::open(&[0, 8], 2).is_err());
    }
}
