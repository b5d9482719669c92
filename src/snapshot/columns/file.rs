//! The container all three column sections share: arrays one after another, then a JSON directory, then a trailer.
//!
//! ```text
//! 0        magic "VGLCOL01"
//! 8        arrays, each starting at a multiple of 8, little-endian
//! d        directory: JSON (ordinals, columns: names, kinds, where their arrays lie)
//! end-24   d (u64), length of the directory (u64), magic again
//! ```
//! The directory comes last so that a column can be written as soon as it is known. Which columns there are is the
//! business of `traits`, `events` and `lists`.

use crate::error::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::Write;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

const MAGIC: &[u8; 8] = b"VGLCOL01";
const TRAILER: usize = 24;
/// Elements converted at a time: a few hundred kilobytes whatever the column's length.
const CHUNK: usize = 65_536;

// The arrays are used in place, so the machine must store numbers as the format does.
const _: () = assert!(cfg!(target_endian = "little"), "the snapshot format is little-endian");

/// Where an array lies: bytes from the section's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extent(pub u64, pub u64);

/// Writes arrays, remembering where they went.
#[derive(Debug)]
pub(super) struct FileWriter<W> {
    out: W,
    section: &'static str,
    at: u64,
}

impl<W: Write> FileWriter<W> {
    pub fn new(out: W, section: &'static str) -> Result<Self> {
        let mut writer = FileWriter { out, section, at: 0 };
        writer.bytes(MAGIC)?;
        Ok(writer)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|error| Error::io(format_args!("write section {}", self.section), error))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn align(&mut self) -> Result<()> {
        let gap = self.at.next_multiple_of(8) - self.at;
        self.bytes(&[0; 8][..gap as usize])
    }

    /// Writes an array that is already in the form of the file.
    pub fn array<T: IntoBytes + Immutable>(&mut self, values: &[T]) -> Result<Extent> {
        let start = self.at;
        self.bytes(values.as_bytes())?;
        self.align()?;
        Ok(Extent(start, size_of_val(values) as u64))
    }

    /// Writes what an iterator yields, a chunk at a time.
    pub fn stream<T: IntoBytes + Immutable>(&mut self, values: impl IntoIterator<Item = T>) -> Result<Extent> {
        let start = self.at;
        let mut chunk = Vec::with_capacity(CHUNK);
        for value in values {
            chunk.push(value);
            if chunk.len() == CHUNK {
                self.bytes(chunk.as_bytes())?;
                chunk.clear();
            }
        }
        self.bytes(chunk.as_bytes())?;
        let length = self.at - start;
        self.align()?;
        Ok(Extent(start, length))
    }

    /// Writes the directory and the trailer; returns what was written to.
    pub fn finish(mut self, directory: &impl Serialize) -> Result<W> {
        let json = serde_json::to_vec(directory).map_err(|error| {
            Error::internal(format!("section {}: the directory is not JSON", self.section)).caused_by(error)
        })?;
        let start = self.at;
        self.bytes(&json)?;
        self.align()?;
        self.bytes(&start.to_le_bytes())?;
        self.bytes(&(json.len() as u64).to_le_bytes())?;
        self.bytes(MAGIC)?;
        Ok(self.out)
    }
}

/// Reads arrays in place. Every access is checked; what is out of bounds or misaligned is an error, never a panic.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileView<'a> {
    bytes: &'a [u8],
    section: &'static str,
}

impl<'a> FileView<'a> {
    /// Finds the directory.
    pub fn open<D: DeserializeOwned>(bytes: &'a [u8], section: &'static str) -> Result<(Self, D)> {
        let view = FileView { bytes, section };
        let trailer = bytes.len().checked_sub(TRAILER).and_then(|at| bytes.get(at..));
        let trailer = trailer.ok_or_else(|| view.damaged("it is too short"))?;
        if !bytes.starts_with(MAGIC) || &trailer[16..] != MAGIC {
            return Err(view.damaged("it is not a column section of this format"));
        }
        let word = |at: usize| trailer[at..at + 8].iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        let json = view.slice(Extent(word(0), word(8)))?;
        let directory = serde_json::from_slice(json)
            .map_err(|error| view.damaged(&format!("its directory cannot be read ({error})")))?;
        Ok((view, directory))
    }

    /// The error for bytes that contradict themselves.
    pub fn damaged(&self, what: &str) -> Error {
        Error::snapshot(format!("section {} is damaged: {what}; roll back, or build again", self.section))
    }

    fn slice(&self, Extent(at, length): Extent) -> Result<&'a [u8]> {
        let end = at.checked_add(length).and_then(|end| usize::try_from(end).ok());
        let range = end.map(|end| at as usize..end);
        range.and_then(|range| self.bytes.get(range)).ok_or_else(|| self.damaged("an array lies beyond its end"))
    }

    /// An array in place.
    pub fn array<T: FromBytes + Immutable + KnownLayout>(&self, extent: Extent) -> Result<&'a [T]> {
        <[T]>::ref_from_bytes(self.slice(extent)?).map_err(|_| self.damaged("an array is misaligned or torn"))
    }

    /// An array in place whose length is known.
    pub fn sized<T: FromBytes + Immutable + KnownLayout>(&self, extent: Extent, length: usize) -> Result<&'a [T]> {
        let array = self.array(extent)?;
        self.require(array.len() == length, "an array has the wrong length")?;
        Ok(array)
    }

    /// Offsets that start at 0, never fall, and end at `total`.
    pub fn offsets(&self, extent: Extent, length: usize, total: usize) -> Result<&'a [u64]> {
        let offsets: &[u64] = self.sized(extent, length)?;
        let sound = offsets.first() == Some(&0)
            && offsets.last() == Some(&(total as u64))
            && offsets.windows(2).all(|pair| pair[0] <= pair[1]);
        self.require(sound, "a table of offsets is not in order")?;
        Ok(offsets)
    }

    /// An error unless `sound`.
    pub fn require(&self, sound: bool, otherwise: &str) -> Result<()> {
        if sound { Ok(()) } else { Err(self.damaged(otherwise)) }
    }

    /// Names must be sorted and distinct: they are found by bisection.
    pub fn require_sorted<'n>(&self, names: impl Iterator<Item = &'n str>) -> Result<()> {
        let names: Vec<&str> = names.collect();
        self.require(names.is_sorted_by(|a, b| a < b), "its columns are not sorted by name")
    }
}
