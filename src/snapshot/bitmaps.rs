//! Section `audiences`: by audience number, who is in it at `as_of`, as a roaring bitmap in the portable format that
//! Java, Spark and C read.
//!
//! ```text
//! 0        magic "VGLROAR1", ordinals (u32), audiences (u32)
//! 16       bitmaps, each starting at a multiple of 8
//! t        by audience: start (u64) and length (u64) of its bitmap
//! end-16   t (u64), magic again
//! ```
//! A bitmap is read on demand and bounded: no more containers than the snapshot has blocks, no ordinal it has not, no
//! bytes left over.

use super::columns::blocks;
use crate::error::{Error, Result};
use roaring::RoaringBitmap;
use std::io::Write;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

const MAGIC: [u8; 8] = *b"VGLROAR1";
const HEADER_BYTES: usize = 16;
/// The portable format's first half-words: with runs, and without.
const WITH_RUNS: u32 = 12_347;
const WITHOUT_RUNS: u32 = 12_346;

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    ordinals: U32,
    audiences: U32,
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Trailer {
    table: U64,
    magic: [u8; 8],
}

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned, Clone, Copy)]
#[repr(C)]
struct Extent {
    start: U64,
    length: U64,
}

/// Writes the section: a bitmap an audience, in the order of their numbers.
///
/// # Errors
/// The disk's.
pub fn write_bitmaps(out: &mut impl Write, ordinals: u32, bitmaps: &[RoaringBitmap]) -> Result<()> {
    let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(|error| Error::io("write section `audiences`", error));
    let header = Header { magic: MAGIC, ordinals: U32::new(ordinals), audiences: U32::new(bitmaps.len() as u32) };
    put(header.as_bytes())?;
    let (mut at, mut table, mut bytes) = (HEADER_BYTES, Vec::with_capacity(bitmaps.len()), Vec::new());
    for bitmap in bitmaps {
        bytes.clear();
        bitmap.serialize_into(&mut bytes).map_err(|error| Error::io("write section `audiences`", error))?;
        table.push(Extent { start: U64::new(at as u64), length: U64::new(bytes.len() as u64) });
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        put(&bytes)?;
        at += bytes.len();
    }
    put(table.as_bytes())?;
    put(Trailer { table: U64::new(at as u64), magic: MAGIC }.as_bytes())
}

/// The section, opened.
#[derive(Debug, Clone, Copy)]
pub struct Bitmaps<'a> {
    bytes: &'a [u8],
    table: &'a [Extent],
    ordinals: u32,
}

impl std::fmt::Debug for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}+{}", self.start, self.length)
    }
}

impl<'a> Bitmaps<'a> {
    /// Checks the header and the table against the length.
    ///
    /// # Errors
    /// Bytes that are no such section.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let damaged =
            || Error::snapshot("section `audiences` is damaged; roll back, or build again with `vaglio build`");
        let (header, _) = Header::read_from_prefix(bytes).map_err(|_| damaged())?;
        let (rest, trailer) = Trailer::read_from_suffix(bytes).map_err(|_| damaged())?;
        if header.magic != MAGIC || trailer.magic != MAGIC {
            return Err(damaged());
        }
        let table = usize::try_from(trailer.table.get()).ok().and_then(|at| rest.get(at..)).ok_or_else(damaged)?;
        let table = <[Extent]>::ref_from_bytes(table).map_err(|_| damaged())?;
        if table.len() != header.audiences.get() as usize {
            return Err(damaged());
        }
        Ok(Bitmaps { bytes, table, ordinals: header.ordinals.get() })
    }

    /// How many audiences.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Number of profiles in the snapshot.
    pub fn ordinals(&self) -> u32 {
        self.ordinals
    }

    /// The portable bytes of an audience's bitmap.
    pub fn portable(&self, audience: u32) -> Option<&'a [u8]> {
        let extent = self.table.get(audience as usize)?;
        let start = usize::try_from(extent.start.get()).ok()?;
        let end = start.checked_add(usize::try_from(extent.length.get()).ok()?)?;
        self.bytes.get(start..end)
    }

    /// Who is in an audience.
    ///
    /// # Errors
    /// No such audience, or a bitmap that is damaged.
    pub fn get(&self, audience: u32) -> Result<RoaringBitmap> {
        let damaged = |what: &str| {
            Error::snapshot(format!("section `audiences` is damaged at audience {audience}: {what}; build again"))
        };
        let mut bytes = self.portable(audience).ok_or_else(|| damaged("it is not there"))?;
        if containers(bytes).is_none_or(|containers| containers > blocks(self.ordinals)) {
            return Err(damaged("it has more containers than there are blocks"));
        }
        let bitmap = RoaringBitmap::deserialize_from(&mut bytes).map_err(|error| damaged(&error.to_string()))?;
        if !bytes.is_empty() {
            return Err(damaged("bytes are left over"));
        }
        if bitmap.max().is_some_and(|last| last >= self.ordinals) {
            return Err(damaged("it names profiles that are not there"));
        }
        Ok(bitmap)
    }
}

/// How many containers a portable bitmap says it has, before anything is allocated for them.
fn containers(bytes: &[u8]) -> Option<usize> {
    let word = |at: usize| U32::read_from_bytes(bytes.get(at..at + 4)?).ok().map(U32::get);
    let cookie = word(0)?;
    if cookie & 0xffff == WITH_RUNS {
        Some((cookie >> 16) as usize + 1)
    } else if cookie == WITHOUT_RUNS {
        Some(word(4)? as usize)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn section() -> (Vec<RoaringBitmap>, Vec<u8>) {
        let mut everyone = RoaringBitmap::from_iter(0..200_000u32);
        everyone.optimize();
        let bitmaps = vec![RoaringBitmap::new(), everyone, RoaringBitmap::from_iter((0..200_000).step_by(977))];
        let mut bytes = Vec::new();
        write_bitmaps(&mut bytes, 200_000, &bitmaps).unwrap();
        (bitmaps, bytes)
    }

    #[test]
    fn bitmaps_come_back() {
        let (bitmaps, bytes) = section();
        let read = Bitmaps::open(&bytes).unwrap();
        assert_eq!((read.len(), read.ordinals()), (3, 200_000));
        for (number, bitmap) in (0..).zip(&bitmaps) {
            assert_eq!(read.get(number).unwrap(), *bitmap);
        }
        assert!(read.get(3).is_err());
    }

    #[test]
    fn bitmaps_beyond_the_snapshot_are_refused() {
        let mut bytes = Vec::new();
        let beyond = RoaringBitmap::from_iter([70_000u32]);
        write_bitmaps(&mut bytes, 65_536, &[beyond, RoaringBitmap::from_iter([65_535u32])]).unwrap();
        let read = Bitmaps::open(&bytes).unwrap();
        assert!(read.get(0).is_err());
        assert!(read.get(1).is_ok());
        let mut bytes = Vec::new();
        let bomb = RoaringBitmap::from_iter((0..1_000u32).map(|block| block << 16));
        write_bitmaps(&mut bytes, 65_536, &[bomb]).unwrap();
        let error = Bitmaps::open(&bytes).unwrap().get(0).unwrap_err();
        assert!(error.message().contains("more containers"), "{error}");
    }

    proptest! {
        #[test]
        fn damaged_bytes_never_panic(at in any::<prop::sample::Index>(), bit in 0..8u32, cut in 1usize..64) {
            let (_, mut bytes) = section();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(read) = Bitmaps::open(&bytes) {
                (0..read.len() as u32).for_each(|number| drop(read.get(number)));
            }
            prop_assert!(Bitmaps::open(&bytes[..bytes.len() - cut]).is_err());
        }
    }
}
