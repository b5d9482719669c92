//! Section `blocked`: every identifier that an objection names, with or without a profile, and what it objects to.
//!
//! A count (u64), then so many keys of 16 bytes in ascending order, then as many bytes of scope.

use super::consents::{OBJECTS_TO_MARKETING, OBJECTS_TO_PROFILING};
use crate::error::{Error, Result};
use crate::schema::ProfileKey;
use std::io::{self, Write};

/// Writes the section. `entries` are sorted by key, without repetition; a scope is [`OBJECTS_TO_MARKETING`],
/// [`OBJECTS_TO_PROFILING`] or both.
pub fn write_blocked(entries: &[(ProfileKey, u8)], out: &mut impl Write) -> io::Result<()> {
    out.write_all(&(entries.len() as u64).to_le_bytes())?;
    entries.iter().try_for_each(|(key, _)| out.write_all(&key.to_bytes()))?;
    entries.iter().try_for_each(|&(_, scope)| out.write_all(&[scope]))
}

/// The section, opened.
#[derive(Debug, Clone, Copy)]
pub struct Blocked<'a> {
    keys: &'a [[u8; 16]],
    scopes: &'a [u8],
}

impl<'a> Blocked<'a> {
    /// Opens the bytes of a section.
    ///
    /// # Errors
    /// A wrong length, keys out of order, or a scope this format does not have.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| {
            Error::snapshot("section `blocked` is damaged: expected sorted keys and their scopes; build again")
        })
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first_chunk::<8>()?;
        let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
        let (keys, scopes) = rest.split_at_checked(count.checked_mul(16)?)?;
        let (keys, _) = keys.as_chunks::<16>();
        let sorted = keys.windows(2).all(|pair| u128::from_le_bytes(pair[0]) < u128::from_le_bytes(pair[1]));
        let known = |scope: &u8| (OBJECTS_TO_MARKETING..=OBJECTS_TO_MARKETING | OBJECTS_TO_PROFILING).contains(scope);
        (sorted && scopes.len() == count && scopes.iter().all(known)).then_some(Blocked { keys, scopes })
    }

    /// What an identifier objects to; 0 = nothing.
    pub fn scope(&self, key: ProfileKey) -> u8 {
        self.keys.binary_search_by(|bytes| ProfileKey::from_bytes(*bytes).cmp(&key)).map_or(0, |at| self.scopes[at])
    }

    /// Every objecting identifier, by ascending key.
    pub fn iter(&self) -> impl Iterator<Item = (ProfileKey, u8)> + 'a {
        self.keys.iter().zip(self.scopes).map(|(bytes, &scope)| (ProfileKey::from_bytes(*bytes), scope))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether nobody objects.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_who_objects_and_nobody_else() {
        let entries: Vec<_> = (0..100u128).map(|n| (ProfileKey((n * 7) << 90), 1 + (n % 3) as u8)).collect();
        let mut bytes = Vec::new();
        write_blocked(&entries, &mut bytes).unwrap();
        let blocked = Blocked::open(&bytes).unwrap();
        assert_eq!(blocked.iter().collect::<Vec<_>>(), entries);
        for &(key, scope) in &entries {
            assert_eq!(blocked.scope(key), scope);
            assert_eq!(blocked.scope(ProfileKey(key.0 + 1)), 0);
        }
    }

    #[test]
    fn damage_is_refused() {
        let mut bytes = Vec::new();
        write_blocked(&[(ProfileKey(1), 1), (ProfileKey(2), 3)], &mut bytes).unwrap();
        assert!(Blocked::open(&bytes).is_ok());
        for end in 0..bytes.len() {
            assert!(Blocked::open(&bytes[..end]).is_err(), "{end} bytes");
        }
        let mut unsorted = bytes.clone();
        unsorted[8] = 9;
        assert!(Blocked::open(&unsorted).is_err());
        *bytes.last_mut().unwrap() = 4;
        assert!(Blocked::open(&bytes).is_err());
        assert!(Blocked::open(&[255; 40]).is_err());
    }
}
