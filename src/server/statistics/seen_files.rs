//! The files of seen bits: one a day, in a directory named by the index whose ordinals they speak of.
//!
//! `seen/<index>/<day>`: a magic word, the index's number, when it was built, its profiles, the day (all 8 bytes, little-endian),
//! the words of the bits, and the xxh3-64 of everything before. Written whole, renamed into place.

use crate::disk;
use crate::error::{Error, Result};
use crate::schema::{Generation, Timestamp};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: u64 = u64::from_le_bytes(*b"VGLSEEN1");
const HEADER_WORDS: usize = 5;

/// What tells an index from every other, also from one of a data directory that was emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Index {
    pub number: Generation,
    pub created: Timestamp,
    pub profiles: u32,
}

impl Index {
    fn header(self, day: i64) -> [u64; HEADER_WORDS] {
        [MAGIC, self.number.0, self.created.0 as u64, self.profiles.into(), day as u64]
    }
}

/// The files of one installation.
#[derive(Debug, Clone)]
pub(super) struct SeenFiles(pub PathBuf);

impl SeenFiles {
    fn of(&self, number: Generation) -> PathBuf {
        self.0.join(number.0.to_string())
    }

    /// Writes a day, durably.
    ///
    /// # Errors
    /// A machine that refuses.
    pub fn write(&self, index: Index, day: i64, words: &[u64]) -> Result<()> {
        let directory = self.of(index.number);
        let (path, fresh) = (directory.join(day.to_string()), directory.join("fresh"));
        let failed = |error| Error::io(format!("write {}", path.display()), error);
        let is_new = !directory.exists();
        fs::create_dir_all(&directory).map_err(failed)?;
        let mut bytes: Vec<u8> = index.header(day).iter().chain(words).flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
        let mut file =
            disk::open(OpenOptions::new().write(true).create(true).truncate(true), &fresh).map_err(failed)?;
        disk::append(&mut file, &bytes).map_err(failed)?;
        disk::sync(&file).map_err(failed)?;
        disk::rename(&fresh, &path).map_err(failed)?;
        disk::sync_directory(&directory).map_err(failed)?;
        if is_new {
            disk::sync_directory(&self.0).map_err(failed)?;
        }
        Ok(())
    }

    /// The days that are kept of an index. A file that is damaged, or of another index of that number, is passed over.
    pub fn read(&self, index: Index) -> Vec<(i64, Vec<u64>)> {
        let days = names(&self.of(index.number));
        days.into_iter().filter_map(|day| Some((day, self.read_day(index, day)?))).collect()
    }

    fn read_day(&self, index: Index, day: i64) -> Option<Vec<u64>> {
        let path = self.of(index.number).join(day.to_string());
        let bytes = fs::read(&path).ok()?;
        let words = parse(&bytes, &index.header(day));
        let is_whole = words.as_ref().is_some_and(|words| words.len() == index.profiles.div_ceil(64) as usize);
        if !is_whole {
            tracing::warn!("{} is damaged or of another index: who was seen that day is forgotten", path.display());
        }
        words.filter(|_| is_whole)
    }

    /// The numbers of the indexes that there are files of, ascending.
    pub fn indexes(&self) -> Vec<Generation> {
        names(&self.0).into_iter().map(|number| Generation(number as u64)).collect()
    }

    /// Removes what is older than a day, and what is of other indexes.
    ///
    /// # Errors
    /// A machine that refuses.
    pub fn sweep(&self, index: Index, oldest: i64) -> Result<()> {
        for other in self.indexes().into_iter().filter(|other| *other != index.number) {
            let directory = self.of(other);
            names(&directory).into_iter().try_for_each(|day| remove(&directory.join(day.to_string())))?;
            let _ = fs::remove_file(directory.join("fresh"));
            fs::remove_dir(&directory).map_err(|error| Error::io(format!("remove {}", directory.display()), error))?;
        }
        let own = self.of(index.number);
        names(&own).into_iter().filter(|day| *day < oldest).try_for_each(|day| remove(&own.join(day.to_string())))
    }
}

fn remove(path: &Path) -> Result<()> {
    disk::remove(path).map_err(|error| Error::io(format!("remove {}", path.display()), error))
}

/// The entries of a directory whose names are numbers, ascending.
fn names(directory: &Path) -> Vec<i64> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<i64> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    names.sort_unstable();
    names
}

fn parse(bytes: &[u8], header: &[u64; HEADER_WORDS]) -> Option<Vec<u64>> {
    let (body, checksum) = bytes.split_last_chunk::<8>()?;
    let (words, rest) = body.as_chunks::<8>();
    if !rest.is_empty() || xxh3_64(body) != u64::from_le_bytes(*checksum) {
        return None;
    }
    let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
    words.strip_prefix(header).map(<[u64]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_back_and_damage_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let files = SeenFiles(directory.path().join("seen"));
        let index = Index { number: Generation(3), created: Timestamp(77), profiles: 70 };
        files.write(index, 20_000, &[1, 2]).unwrap();
        files.write(index, 20_001, &[3, 4]).unwrap();
        assert_eq!(files.read(index), [(20_000, vec![1, 2]), (20_001, vec![3, 4])]);
        assert!(files.read(Index { created: Timestamp(78), ..index }).is_empty(), "another index of that number");
        let path = directory.path().join("seen/3/20001");
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert_eq!(files.read(index), [(20_000, vec![1, 2])], "byte {at}");
        }
        let other = Index { number: Generation(4), ..index };
        files.write(other, 20_001, &[5, 6]).unwrap();
        files.sweep(other, 20_001).unwrap();
        assert_eq!(files.indexes(), [Generation(4)]);
        assert_eq!(files.read(other), [(20_001, vec![5, 6])]);
    }
}
