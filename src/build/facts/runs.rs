//! Sorting records by their least key, then by their place in the log, in bounded memory: runs in files, merged.

use super::{decode, least};
use crate::error::{Error, Result};
use crate::schema::{Offset, ProfileKey};
use crate::snapshot::LiveFacts;
use crate::snapshot::live_facts::Frames;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of records that are sorted in memory.
const RUN_BYTES: usize = 64 << 20;
/// A file is read and written so many bytes at a time.
const BUFFER_BYTES: usize = 256 << 10;
/// Bytes of a group that are looked at together. A group of more is looked at piece by piece: less is then found to be
/// superseded, and nothing else changes.
const GROUP_BYTES: usize = 16 << 20;

/// What a record is sorted by.
type Place = (ProfileKey, Offset);

/// Records that are sorted as they come.
pub(super) struct Runs {
    directory: PathBuf,
    limit: usize,
    memory: Memory,
    files: Vec<PathBuf>,
}

/// A run in memory.
#[derive(Default)]
struct Memory {
    bytes: Vec<u8>,
    /// Where each record is in `bytes`.
    entries: Vec<(Place, u32, u32)>,
}

impl Runs {
    /// None yet. Files go to `directory`, which whoever builds clears.
    pub(super) fn new(directory: PathBuf) -> Self {
        Runs { directory, limit: RUN_BYTES, memory: Memory::default(), files: Vec::new() }
    }

    #[cfg(test)]
    pub(super) fn of_bytes(directory: PathBuf, limit: usize) -> Self {
        Runs { limit, ..Runs::new(directory) }
    }

    /// Adds a record.
    pub(super) fn push(&mut self, least: ProfileKey, offset: Offset, record: &[u8]) -> Result<()> {
        let Memory { bytes, entries } = &mut self.memory;
        entries.push(((least, offset), bytes.len() as u32, record.len() as u32));
        bytes.extend_from_slice(record);
        if bytes.len() >= self.limit { self.spill() } else { Ok(()) }
    }

    /// Writes what is in memory as a run.
    fn spill(&mut self) -> Result<()> {
        let path = self.directory.join(format!("live-facts-{}-{}", std::process::id(), self.files.len()));
        self.memory.entries.sort_unstable();
        write_run(&path, &self.memory).map_err(|error| Error::io(format!("write {}", path.display()), error))?;
        self.files.push(path);
        self.memory.bytes.clear();
        self.memory.entries.clear();
        Ok(())
    }
}

fn write_run(path: &Path, memory: &Memory) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
    for &((least, offset), start, length) in &memory.entries {
        out.write_all(&least.to_bytes())?;
        out.write_all(&offset.0.to_le_bytes())?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(&memory.bytes[start as usize..][..length as usize])?;
    }
    out.flush()
}

/// Records in order.
enum Sorted<'a> {
    Section { frames: Frames<'a>, record: &'a [u8] },
    Memory { memory: Memory, next: usize },
    File { file: BufReader<File>, record: Vec<u8>, path: PathBuf },
}

impl Sorted<'_> {
    /// Goes on to the next record, and says what it is sorted by.
    fn advance(&mut self) -> Result<Option<Place>> {
        match self {
            Sorted::Section { frames, record } => {
                let Some((offset, bytes)) = frames.next() else { return Ok(None) };
                *record = bytes;
                Ok(Some((least(&decode(offset, bytes)?), offset)))
            }
            Sorted::Memory { memory, next } => {
                *next += 1;
                Ok(memory.entries.get(*next - 1).map(|(place, ..)| *place))
            }
            Sorted::File { file, record, path } => {
                read_run(file, record).map_err(|error| Error::io(format!("read {}", path.display()), error))
            }
        }
    }

    fn record(&self) -> &[u8] {
        match self {
            Sorted::Section { record, .. } => record,
            Sorted::Memory { memory, next } => {
                let (_, start, length) = memory.entries[*next - 1];
                &memory.bytes[start as usize..][..length as usize]
            }
            Sorted::File { record, .. } => record,
        }
    }
}

fn read_run(file: &mut BufReader<File>, record: &mut Vec<u8>) -> io::Result<Option<Place>> {
    let mut head = [0; 28];
    if file.by_ref().take(1).read(&mut head[..1])? == 0 {
        return Ok(None);
    }
    file.read_exact(&mut head[1..])?;
    let number = |at: usize| head[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let least = u128::from(number(0)) | (u128::from(number(8)) << 64);
    let length = head[24..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    record.resize(length as usize, 0);
    file.read_exact(record)?;
    Ok(Some((ProfileKey(least), Offset(number(16)))))
}

/// All records with the same least key.
#[derive(Default)]
pub(super) struct Group {
    bytes: Vec<u8>,
    items: Vec<(Offset, usize)>,
}

impl Group {
    /// The records by their place in the log.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Offset, &[u8])> {
        let starts = std::iter::once(0).chain(self.items.iter().map(|(_, end)| *end));
        self.items.iter().zip(starts).map(|(&(offset, end), start)| (offset, &self.bytes[start..end]))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    fn push(&mut self, offset: Offset, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.items.push((offset, self.bytes.len()));
    }
}

/// The records of a section and of runs, in order.
pub(super) struct Merge<'a> {
    sorted: Vec<Sorted<'a>>,
    heads: BinaryHeap<Reverse<(Place, usize)>>,
    group: Group,
    files: Vec<PathBuf>,
}

impl<'a> Merge<'a> {
    /// Begins.
    ///
    /// # Errors
    /// A run that cannot be read.
    pub(super) fn new(before: LiveFacts<'a>, runs: Runs) -> Result<Self> {
        let Runs { mut memory, files, .. } = runs;
        memory.entries.sort_unstable();
        let mut sorted =
            vec![Sorted::Section { frames: before.iter(), record: &[] }, Sorted::Memory { memory, next: 0 }];
        for path in &files {
            let file = File::open(path).map_err(|error| Error::io(format!("read {}", path.display()), error))?;
            let file = BufReader::with_capacity(BUFFER_BYTES, file);
            sorted.push(Sorted::File { file, record: Vec::new(), path: path.clone() });
        }
        let mut merge = Merge { sorted, heads: BinaryHeap::new(), group: Group::default(), files };
        for at in 0..merge.sorted.len() {
            merge.advance(at)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, at: usize) -> Result<()> {
        if let Some(place) = self.sorted[at].advance()? {
            self.heads.push(Reverse((place, at)));
        }
        Ok(())
    }

    /// The next group.
    ///
    /// # Errors
    /// A run or record that cannot be read.
    pub(super) fn group(&mut self) -> Result<Option<&Group>> {
        self.group.bytes.clear();
        self.group.items.clear();
        let Some(&Reverse(((least, _), _))) = self.heads.peek() else { return Ok(None) };
        while let Some(&Reverse(((key, offset), at))) = self.heads.peek()
            && key == least
            && self.group.bytes.len() < GROUP_BYTES
        {
            self.heads.pop();
            self.group.push(offset, self.sorted[at].record());
            self.advance(at)?;
        }
        Ok(Some(&self.group))
    }
}

impl Drop for Merge<'_> {
    fn drop(&mut self) {
        // What is left is removed by the next build.
        self.files.iter().for_each(|path| drop(std::fs::remove_file(path)));
    }
}
