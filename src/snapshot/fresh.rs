//! Section `fresh`: what a new catalogue changes about an earlier forward index, so that a published change need not wait for an
//! activation. The numbers that the forward index's audiences have now, or that they are gone; and by ordinal which of at
//! most [`MOST`] audiences, evaluated anew, the profile is in.
//!
//! ```text
//! 0    "VAGFRESH", ordinals u32, audiences of the forward index u32, of the catalogue u32, evaluated anew u32
//! 64   numbers in the catalogue of the forward index's audiences, u32; 2^32 - 1 = gone, or evaluated anew
//! ..   numbers of the audiences that were evaluated anew, u32, ascending
//! ..   zeros to a multiple of 64
//! ..   lanes, u16 an ordinal: bit i = in the i-th of them at `as_of`, bit 8 = has flips of them
//! ..   JSON to the end: what the forward index was written by, and the others, { written: [{ id, digest, members }], anew: [digest] }
//! ```
//! Lanes are there only where audiences were evaluated anew. One load tells all eight: a bitmap each would be a dozen.

use super::mmap::prefetch;
use crate::error::{Error, Result};
use crate::schema::AudienceId;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::ops::Deref;
use zerocopy::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The most audiences that a fresh generation has evaluated anew.
pub const MOST: usize = 8;

const MAGIC: [u8; 8] = *b"VAGFRESH";
const HEADER_BYTES: usize = 64;
const GONE: u32 = u32::MAX;
/// The profile has flips of audiences that were evaluated anew.
const FLIPS: u16 = 1 << MOST;

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    ordinals: U32,
    forward: U32,
    catalogue: U32,
    anew: U32,
    padding: [u8; 40],
}

/// An audience as the forward index has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// `owner/id`.
    pub id: AudienceId,
    /// Of its rule and of everything that it refers to.
    pub digest: String,
    /// Profiles in it.
    pub members: u64,
}

/// What the section is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FreshWriter {
    /// How many audiences the catalogue has.
    pub audiences: u32,
    /// By audience of the forward index: its number in the catalogue, ascending; `None` = gone, or evaluated anew.
    pub numbers: Vec<Option<u32>>,
    /// The numbers of the audiences that were evaluated anew, ascending.
    pub anew: Vec<u32>,
    /// By ordinal; see [`mark`](FreshWriter::mark). Empty where nothing was evaluated anew.
    pub lanes: Vec<u16>,
    /// What all of it was written by.
    pub origin: Origin,
}

/// What the forward index was written by, and what the audiences evaluated anew were.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Origin {
    /// In the order of the forward index's numbers.
    pub written: Vec<Written>,
    /// Digests of the others.
    pub anew: Vec<String>,
}

impl FreshWriter {
    /// Notes that a profile is in the `at`-th of the audiences evaluated anew.
    pub fn mark(&mut self, ordinal: u32, at: usize) {
        self.lanes[ordinal as usize] |= 1 << at;
    }

    /// Notes that a profile has flips.
    pub fn mark_flips(&mut self, ordinal: u32) {
        self.lanes[ordinal as usize] |= FLIPS;
    }

    /// Writes the section, for a snapshot of so many profiles.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, ordinals: u32, out: &mut impl Write) -> Result<()> {
        let failed = |error| Error::io("write section `fresh`", error);
        let header = Header {
            magic: MAGIC,
            ordinals: U32::new(ordinals),
            forward: U32::new(self.numbers.len() as u32),
            catalogue: U32::new(self.audiences),
            anew: U32::new(self.anew.len() as u32),
            padding: [0; 40],
        };
        let numbers = self.numbers.iter().map(|number| number.unwrap_or(GONE)).chain(self.anew.iter().copied());
        let numbers: Vec<U32> = numbers.map(U32::new).collect();
        let padding = vec![0; lanes_at(self.numbers.len() + self.anew.len()) - HEADER_BYTES - numbers.len() * 4];
        for bytes in [header.as_bytes(), numbers.as_bytes(), &padding] {
            out.write_all(bytes).map_err(failed)?;
        }
        for lanes in self.lanes.chunks(32_768) {
            let lanes: Vec<U16> = lanes.iter().map(|lane| U16::new(*lane)).collect();
            out.write_all(lanes.as_bytes()).map_err(failed)?;
        }
        let origin = serde_json::to_vec(&self.origin).map_err(|error| failed(error.into()))?;
        out.write_all(&origin).map_err(failed)
    }
}

/// Where the lanes begin behind so many numbers.
fn lanes_at(numbers: usize) -> usize {
    (HEADER_BYTES + numbers * 4).next_multiple_of(64)
}

/// The section, on verified bytes.
#[derive(Debug, Clone)]
pub struct Fresh<B> {
    bytes: B,
    numbers: Box<[u32]>,
    anew: Box<[u32]>,
    audiences: u32,
    ordinals: u32,
    lanes_at: usize,
    origin_at: usize,
}

impl<B: Deref<Target = [u8]>> Fresh<B> {
    /// Checks the header against the length, and the numbers.
    ///
    /// # Errors
    /// Bytes that are no such section.
    pub fn open(bytes: B) -> Result<Self> {
        let malformed = || Error::snapshot("section `fresh` is malformed; rebuild with `vaglio build`");
        let (header, _) = Header::read_from_prefix(&bytes).map_err(|_| malformed())?;
        let (forward, anew) = (header.forward.get() as usize, header.anew.get() as usize);
        let numbers = bytes.get(HEADER_BYTES..).and_then(|rest| rest.get(..(forward + anew).checked_mul(4)?));
        let numbers = numbers.and_then(|numbers| <[U32]>::ref_from_bytes(numbers).ok()).ok_or_else(malformed)?;
        let numbers: Vec<u32> = numbers.iter().map(|number| number.get()).collect();
        let (numbers, anew) = numbers.split_at(forward);
        let audiences = header.catalogue.get();
        let kept: Vec<u32> = numbers.iter().copied().filter(|number| *number != GONE).collect();
        let sound = |list: &[u32]| list.is_sorted_by(|a, b| a < b) && list.last().is_none_or(|last| *last < audiences);
        let disjoint = anew.iter().all(|number| kept.binary_search(number).is_err());
        let whole = kept.len() + anew.len() == audiences as usize;
        let lanes_at = lanes_at(numbers.len() + anew.len());
        let lanes = if anew.is_empty() { 0 } else { header.ordinals.get() as usize * 2 };
        let (numbers, anew): (Box<[u32]>, Box<[u32]>) = (numbers.into(), anew.into());
        let is_sound = header.magic == MAGIC
            && anew.len() <= MOST
            && sound(&kept)
            && sound(&anew)
            && disjoint
            && whole
            && bytes.len() >= lanes_at + lanes;
        if !is_sound {
            return Err(malformed());
        }
        let ordinals = header.ordinals.get();
        Ok(Fresh { numbers, anew, audiences, ordinals, lanes_at, origin_at: lanes_at + lanes, bytes })
    }

    /// Audiences of the forward index that it speaks of.
    pub fn forward(&self) -> usize {
        self.numbers.len()
    }

    /// Audiences of the catalogue.
    pub fn audiences(&self) -> u32 {
        self.audiences
    }

    /// Profiles of the snapshot.
    pub fn ordinals(&self) -> u32 {
        self.ordinals
    }

    /// The numbers of the audiences that were evaluated anew, ascending.
    pub fn anew(&self) -> &[u32] {
        &self.anew
    }

    /// The number in the catalogue of an audience of the forward index; `None` = gone, or evaluated anew.
    pub fn number(&self, forward: u32) -> Option<u32> {
        self.numbers.get(forward as usize).copied().filter(|number| *number != GONE)
    }

    /// The number in the forward index of an audience of the catalogue; `None` = evaluated anew.
    pub fn forward_of(&self, number: u32) -> Option<u32> {
        self.numbers.iter().position(|known| *known == number).map(|at| at as u32)
    }

    /// What all of it was written by.
    ///
    /// # Errors
    /// A damaged section.
    pub fn origin(&self) -> Result<Origin> {
        let origin = serde_json::from_slice::<Origin>(&self.bytes[self.origin_at..]).ok();
        origin
            .filter(|origin| origin.written.len() == self.numbers.len() && origin.anew.len() == self.anew.len())
            .ok_or_else(|| Error::snapshot("section `fresh` is malformed at its end; rebuild with `vaglio build`"))
    }

    /// From a profile's audiences in the forward index, ascending, to those in the catalogue, ascending, at the snapshot's own
    /// minute. Returns whether it has flips of the audiences evaluated anew.
    #[inline]
    pub fn apply(&self, ordinal: u32, audiences: &mut Vec<u32>) -> bool {
        audiences.retain_mut(|audience| {
            *audience = self.numbers.get(*audience as usize).copied().unwrap_or(GONE);
            *audience != GONE
        });
        let lane = self.lane(ordinal);
        let mut members = lane & (FLIPS - 1);
        while members != 0 {
            if let Some(number) = self.anew.get(members.trailing_zeros() as usize)
                && let Err(at) = audiences.binary_search(number)
            {
                audiences.insert(at, *number);
            }
            members &= members - 1;
        }
        lane & FLIPS != 0
    }

    /// Starts loading what [`apply`](Fresh::apply) will read.
    #[inline(always)]
    pub fn prefetch(&self, ordinal: u32) {
        prefetch(&self.bytes, self.lanes_at + ordinal as usize * 2);
    }

    #[inline]
    fn lane(&self, ordinal: u32) -> u16 {
        if self.anew.is_empty() || ordinal >= self.ordinals {
            return 0;
        }
        let at = self.lanes_at + ordinal as usize * 2;
        self.bytes.get(at..at + 2).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
    }
}

#[cfg(test)]
mod tests;
