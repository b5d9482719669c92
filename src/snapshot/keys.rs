//! Section `keys`: the identifiers of every profile, for everything that must outlive an ordinal.
//!
//! Profiles (u64), identifiers (u64); where each profile's identifiers start (u32, one more than there are profiles),
//! zeros to the next multiple of 16; the keys, 16 bytes each; their types, a u16 each. The identifiers of a profile are in
//! ascending order of key.

use crate::error::{Error, Result};
use crate::schema::ProfileKey;
use std::io::{self, Write};
use zerocopy::FromBytes;
use zerocopy::little_endian::{U16, U32};

const HEADER: usize = 16;

/// Writes the section. The identifiers of ordinal `o` are those at `starts[o]..starts[o + 1]`, in the order of
/// `identifiers`, which is walked twice.
pub fn write_keys(
    starts: &[u32],
    identifiers: impl Iterator<Item = (ProfileKey, u16)> + Clone,
    out: &mut impl Write,
) -> io::Result<()> {
    let total = starts.last().copied().unwrap_or(0);
    out.write_all(&(starts.len() as u64 - 1).to_le_bytes())?;
    out.write_all(&u64::from(total).to_le_bytes())?;
    starts.iter().try_for_each(|start| out.write_all(&start.to_le_bytes()))?;
    out.write_all(&[0; 16][..padding(starts.len())])?;
    identifiers.clone().try_for_each(|(key, _)| out.write_all(&key.to_bytes()))?;
    identifiers.clone().try_for_each(|(_, id_type)| out.write_all(&id_type.to_le_bytes()))
}

fn padding(starts: usize) -> usize {
    (starts * 4).next_multiple_of(16) - starts * 4
}

/// The section, opened.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    starts: &'a [U32],
    keys: &'a [[u8; 16]],
    types: &'a [U16],
}

impl<'a> Keys<'a> {
    /// Opens the bytes of a section.
    ///
    /// # Errors
    /// A wrong length, or starts out of order.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| {
            Error::snapshot("section `keys` is damaged: its lengths and offsets do not fit together; build again")
        })
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let number = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let profiles = usize::try_from(number(0)?).ok()?.checked_add(1)?;
        let identifiers = usize::try_from(number(8)?).ok()?;
        let (starts, rest) = bytes.get(HEADER..)?.split_at_checked(profiles.checked_mul(4)?)?;
        let (keys, types) = rest.get(padding(profiles)..)?.split_at_checked(identifiers.checked_mul(16)?)?;
        let starts = <[U32]>::ref_from_bytes(starts).ok()?;
        let types = <[U16]>::ref_from_bytes(types).ok()?;
        let in_order = starts.is_sorted() && starts.first()?.get() == 0 && starts.last()?.get() as usize == identifiers;
        let (keys, _) = keys.as_chunks::<16>();
        (in_order && types.len() == identifiers).then_some(Keys { starts, keys, types })
    }

    /// Number of profiles.
    pub fn profiles(&self) -> u32 {
        self.starts.len() as u32 - 1
    }

    /// Number of identifiers.
    pub fn identifiers(&self) -> usize {
        self.keys.len()
    }

    /// The identifiers of a profile and their types, by ascending key; none for an ordinal beyond the last.
    pub fn of(&self, ordinal: u32) -> impl Iterator<Item = (ProfileKey, u16)> + Clone + 'a {
        let at = ordinal as usize;
        let range = match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(start), Some(end)) => start.get() as usize..end.get() as usize,
            _ => 0..0,
        };
        let (keys, types) = (&self.keys[range.clone()], &self.types[range]);
        keys.iter().zip(types).map(|(bytes, id_type)| (ProfileKey::from_bytes(*bytes), id_type.get()))
    }

    /// The least key of a profile: what stands for it outside its snapshot.
    pub fn least(&self, ordinal: u32) -> Option<ProfileKey> {
        self.of(ordinal).next().map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> (Vec<Vec<(ProfileKey, u16)>>, Vec<u8>) {
        let people: Vec<Vec<_>> =
            (1..=5u16).map(|n| (0..n).map(|id| (ProfileKey(u128::from(n * 100 + id) << 70), id)).collect()).collect();
        let mut starts = vec![0];
        people.iter().for_each(|ids| starts.push(starts[starts.len() - 1] + ids.len() as u32));
        let mut bytes = Vec::new();
        write_keys(&starts, people.iter().flatten().copied(), &mut bytes).unwrap();
        (people, bytes)
    }

    #[test]
    fn every_profile_finds_its_identifiers() {
        let (people, bytes) = section();
        let keys = Keys::open(&bytes).unwrap();
        assert_eq!((keys.profiles(), keys.identifiers()), (5, 15));
        for (ordinal, ids) in people.iter().enumerate() {
            assert_eq!(&keys.of(ordinal as u32).collect::<Vec<_>>(), ids);
            assert_eq!(keys.least(ordinal as u32), Some(ids[0].0));
        }
        assert_eq!(keys.of(5).count(), 0);
        assert_eq!(keys.of(u32::MAX).count(), 0);
    }

    #[test]
    fn damage_is_refused_or_harmless() {
        let (_, bytes) = section();
        for end in 0..bytes.len() {
            assert!(Keys::open(&bytes[..end]).is_err(), "{end} bytes");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            if let Ok(keys) = Keys::open(&damaged) {
                assert!((0..6).map(|ordinal| keys.of(ordinal).count()).sum::<usize>() <= bytes.len());
            }
        }
    }
}
