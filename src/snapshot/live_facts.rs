//! Section `live_facts`: the records of the events log that a generation still stands on, so that their log segments need
//! not be kept. What a record means is `log`'s to say; here it is bytes with a place in the log.
//!
//! `VGLFACTS`; so many frames of offset (u64), length (u32) and record; then the number of frames (u64), their bytes (u64)
//! and `VGLFACTS` once more. Whoever writes them sorts them.

use super::manifest::SectionRef;
use super::section::SectionWriter;
use crate::error::{Error, Result};
use crate::schema::Offset;

const MAGIC: [u8; 8] = *b"VGLFACTS";
/// Offset and length.
const FRAME: usize = 12;
const FOOTER: usize = 24;

/// Writes the section, a record after the other.
pub struct LiveFactsWriter {
    out: SectionWriter,
    records: u64,
    bytes: u64,
}

impl LiveFactsWriter {
    /// Begins the section.
    ///
    /// # Errors
    /// A full disk.
    pub fn new(mut out: SectionWriter) -> Result<Self> {
        out.put(&MAGIC)?;
        Ok(LiveFactsWriter { out, records: 0, bytes: 0 })
    }

    /// Adds a record.
    ///
    /// # Errors
    /// A full disk, or a record of 4 GiB.
    pub fn put(&mut self, offset: Offset, record: &[u8]) -> Result<()> {
        let length = u32::try_from(record.len());
        let length = length.map_err(|_| Error::internal("a record of 4 GiB reached the section `live_facts`"))?;
        self.out.put(&offset.0.to_le_bytes())?;
        self.out.put(&length.to_le_bytes())?;
        self.out.put(record)?;
        self.records += 1;
        self.bytes += (FRAME + record.len()) as u64;
        Ok(())
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Ends the section.
    ///
    /// # Errors
    /// A full disk.
    pub fn finish(mut self) -> Result<SectionRef> {
        self.out.put(&self.records.to_le_bytes())?;
        self.out.put(&self.bytes.to_le_bytes())?;
        self.out.put(&MAGIC)?;
        self.out.finish()
    }
}

/// The section, opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct LiveFacts<'a> {
    frames: &'a [u8],
    records: u64,
}

impl<'a> LiveFacts<'a> {
    /// Opens the bytes of a section. Walks over all frames.
    ///
    /// # Errors
    /// Frames that do not add up to what the section says.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        Self::parse(bytes).ok_or_else(|| {
            Error::snapshot(
                "section `live_facts` is damaged: its frames do not add up; what came by the doors is not complete without it",
            )
        })
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?.strip_suffix(&MAGIC)?;
        let (frames, counts) = rest.split_at_checked(rest.len().checked_sub(FOOTER - MAGIC.len())?)?;
        let number = |at: usize| Some(u64::from_le_bytes(*counts.get(at..)?.first_chunk()?));
        let facts = LiveFacts { frames, records: number(0)? };
        let mut walked = facts.iter();
        let found = walked.by_ref().count() as u64;
        (number(8)? == frames.len() as u64 && found == facts.records && walked.rest.is_empty()).then_some(facts)
    }

    /// How many records.
    pub fn len(&self) -> u64 {
        self.records
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The records in the order in which they were written: place in the log and bytes.
    pub fn iter(&self) -> Frames<'a> {
        Frames { rest: self.frames }
    }
}

/// Walks over the records.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Frames<'a> {
    type Item = (Offset, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (offset, rest) = self.rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (record, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        self.rest = rest;
        Some((Offset(u64::from_le_bytes(*offset)), record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Plane, Store};

    fn section(records: &[&[u8]]) -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let _lock = store.lock("test").unwrap();
        let mut writer = LiveFactsWriter::new(store.section("live_facts", Plane::Control).unwrap()).unwrap();
        (7..).zip(records).for_each(|(offset, record)| writer.put(Offset(offset), record).unwrap());
        let section = writer.finish().unwrap();
        store.open_sections(&[section]).unwrap().section("live_facts").unwrap().to_vec()
    }

    #[test]
    fn records_come_back_in_their_order() {
        let records: [&[u8]; 3] = [b"one", b"", b"three"];
        let bytes = section(&records);
        let facts = LiveFacts::open(&bytes).unwrap();
        assert_eq!((facts.len(), facts.is_empty()), (3, false));
        let expected: Vec<_> = (7..).map(Offset).zip(records).collect();
        assert_eq!(facts.iter().collect::<Vec<_>>(), expected);
        assert!(LiveFacts::open(&section(&[])).unwrap().is_empty());
    }

    #[test]
    fn damage_is_refused() {
        let bytes = section(&[b"one", b"two"]);
        for end in 0..bytes.len() {
            assert!(LiveFacts::open(&bytes[..end]).is_err(), "{end} bytes");
        }
        for at in [0, 16, 17, bytes.len() - 24, bytes.len() - 16, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(LiveFacts::open(&damaged).is_err(), "byte {at}");
        }
    }
}
