//! What was exported to a place already, so that the next export can say what changed: by keyed hash, so that it tells nothing
//! of anybody to whoever has not the installation's secret, and nothing of the deleted to anybody.
//!
//! A file an audience, format, types and place, in `<data_dir>/exports/`, in `docs/exports.md`: replaced as a whole, once what
//! it says is true. Little-endian:
//!
//! ```text
//! 0     magic "VGLSENT1"
//! 8     when it was confirmed (seconds since the epoch, i64), the generation it was of (u64)
//! 24    confirmed entries (u64), pending entries (u64)
//! 40    entries of 24 bytes, ascending, the confirmed first: hash of the key (16), hash of what was written of it (8)
//! end-8 xxh3-64 of everything before
//! ```
//! Pending is what an export was about to make appear when it broke off: nobody knows whether the receiver has it. It is written
//! again while its people are to be there; otherwise it is counted, and never taken out: perhaps it was never added.

use crate::disk;
use crate::error::{Error, Result};
use crate::schema::{KeyHasher, ProfileKey, Timestamp};
use siphasher::sip::SipHasher24 as Sip64;
use siphasher::sip128::{Hasher128, SipHasher24 as Sip128};
use std::fs::{self, OpenOptions};
use std::hash::Hasher;
use std::io;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 8] = *b"VGLSENT1";
const HEADER: usize = 40;
const ENTRY: usize = 24;

/// An identifier that was written: the hash of its key, then that of the text that was written of it.
pub(super) type Entry = [u8; ENTRY];

/// Turns keys and texts into entries.
pub(super) struct Marks {
    who: Sip128,
    form: Sip64,
}

/// What was exported, by the last export that was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sent {
    /// When it was confirmed.
    pub(super) confirmed: Timestamp,
    /// The generation it was of.
    pub(super) generation: u64,
    /// Ascending, each identifier once.
    pub(super) entries: Vec<Entry>,
    /// What the receiver may have, and nobody knows: ascending, none of it among the entries.
    pub(super) pending: Vec<Entry>,
}

impl Marks {
    pub(super) fn new(hasher: &KeyHasher) -> Self {
        let secret = hasher.derive(b"vaglio exports");
        let (who, form) = secret.split_at(16);
        let half = |bytes: &[u8]| bytes.try_into().unwrap_or([0; 16]);
        Marks { who: Sip128::new_with_key(&half(who)), form: Sip64::new_with_key(&half(form)) }
    }

    /// What stands for an identifier.
    pub(super) fn who(&self, key: ProfileKey) -> [u8; 16] {
        let mut hasher = self.who;
        hasher.write(&key.to_bytes());
        let hash = hasher.finish128();
        ((u128::from(hash.h2) << 64) | u128::from(hash.h1)).to_be_bytes()
    }

    /// What stands for an identifier and the text that was written of it.
    pub(super) fn entry(&self, key: ProfileKey, form: &str) -> Entry {
        let mut hasher = self.form;
        hasher.write(form.as_bytes());
        let mut entry = [0; ENTRY];
        entry[..16].copy_from_slice(&self.who(key));
        entry[16..].copy_from_slice(&hasher.finish().to_le_bytes());
        entry
    }
}

impl Sent {
    /// Where an identifier is among the entries.
    pub(super) fn find(&self, who: &[u8; 16]) -> Option<usize> {
        self.entries.binary_search_by(|entry| entry[..16].cmp(who)).ok()
    }

    /// Notes what is about to appear at the receiver.
    pub(super) fn expect(&mut self, more: &[Entry]) {
        let known = |entry: &&Entry| self.find(&who_of(entry)).is_none();
        let new: Vec<Entry> = more.iter().filter(known).copied().collect();
        self.pending = union(std::mem::take(&mut self.pending), new);
    }

    /// Takes in what appeared there.
    pub(super) fn confirm(&mut self, more: Vec<Entry>) {
        self.entries = union(std::mem::take(&mut self.entries), more);
        let pending = std::mem::take(&mut self.pending);
        self.pending = pending.into_iter().filter(|entry| self.find(&who_of(entry)).is_none()).collect();
    }

    /// What a file says; `None` where there is none.
    ///
    /// # Errors
    /// A file that is damaged or cannot be read.
    pub(super) fn load(path: &Path) -> Result<Option<Sent>> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(format!("read {}", path.display()), error)),
        };
        Sent::parse(&bytes).map(Some).ok_or_else(|| {
            Error::input(format!(
                "{} is damaged, so nobody knows what was exported before; export the audience as a whole (without `delta`), and \
                 have the receiver replace what it has",
                path.display()
            ))
        })
    }

    fn parse(bytes: &[u8]) -> Option<Sent> {
        let (rest, sum) = bytes.split_last_chunk::<8>()?;
        let number = |at: usize| Some(u64::from_le_bytes(*rest.get(at..)?.first_chunk()?));
        let whole = disk::bug(disk::Bug::IgnoreChecksum) || u64::from_le_bytes(*sum) == xxh3_64(rest);
        if rest.get(..8)? != MAGIC || !whole {
            return None;
        }
        let (entries, left_over) = rest.get(HEADER..)?.as_chunks::<ENTRY>();
        let (entries, pending) = entries.split_at_checked(usize::try_from(number(24)?).ok()?)?;
        let ascending = |entries: &[Entry]| entries.windows(2).all(|pair| pair[0][..16] < pair[1][..16]);
        let whole = left_over.is_empty() && pending.len() as u64 == number(32)?;
        (whole && ascending(entries) && ascending(pending)).then_some(Sent {
            confirmed: Timestamp(number(8)? as i64),
            generation: number(16)?,
            entries: entries.to_vec(),
            pending: pending.to_vec(),
        })
    }

    /// Replaces what a file says: whole or not at all, and on disk when this returns.
    ///
    /// # Errors
    /// The disk's; then the file says what it said before.
    pub(super) fn save(&self, path: &Path) -> Result<()> {
        let mut bytes = Vec::with_capacity(HEADER + (self.entries.len() + self.pending.len()) * ENTRY + 8);
        bytes.extend(MAGIC);
        bytes.extend(self.confirmed.0.to_le_bytes());
        bytes.extend(self.generation.to_le_bytes());
        bytes.extend((self.entries.len() as u64).to_le_bytes());
        bytes.extend((self.pending.len() as u64).to_le_bytes());
        self.entries.iter().chain(&self.pending).for_each(|entry| bytes.extend(entry));
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        let (temporary, directory) = (path.with_extension("new"), path.parent().unwrap_or(Path::new(".")));
        let written = disk::open(OpenOptions::new().write(true).create(true).truncate(true), &temporary)
            .and_then(|mut file| disk::append(&mut file, &bytes).and_then(|()| disk::sync(&file)))
            .and_then(|()| disk::rename(&temporary, path))
            .and_then(|()| disk::sync_directory(directory));
        written.map_err(|error| Error::io(format!("write {}", path.display()), error))
    }
}

/// Both; of an identifier that is in both, the second's.
fn union(mut first: Vec<Entry>, mut second: Vec<Entry>) -> Vec<Entry> {
    second.sort_unstable();
    second.dedup_by_key(|entry| who_of(entry));
    first.retain(|entry| second.binary_search_by(|other| other[..16].cmp(&entry[..16])).is_err());
    first.extend(second);
    first.sort_unstable();
    first
}

/// The hash of an entry's key.
pub(super) fn who_of(entry: &Entry) -> [u8; 16] {
    entry.first_chunk().copied().unwrap_or_default()
}

/// The file of an audience at a place; what is part of its name are the things that make two exports two.
pub(super) fn file(directory: &Path, parts: &[&str]) -> PathBuf {
    let name = xxhash_rust::xxh3::xxh3_128(parts.join("\0").as_bytes());
    directory.join(format!("{name:032x}.sent"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn entry(who: u8, form: u8) -> Entry {
        let mut entry = [form; ENTRY];
        entry[..16].fill(who);
        entry
    }

    proptest! {
        #[test]
        fn what_is_added_is_what_a_map_holds(rounds in prop::collection::vec(prop::collection::btree_map(0u8..20, any::<u8>(), 0..12), 0..5)) {
            let folder = tempfile::tempdir().unwrap();
            let (path, mut map, mut sent) = (file(folder.path(), &["a"]), BTreeMap::new(), Sent::default());
            prop_assert_eq!(Sent::load(&path).unwrap(), None);
            for round in rounds {
                let more: Vec<Entry> = round.iter().map(|(who, form)| entry(*who, *form)).collect();
                sent.expect(&more);
                sent.save(&path).unwrap();
                let expected = round.keys().filter(|who| !map.contains_key(*who)).count();
                prop_assert_eq!(Sent::load(&path).unwrap().unwrap().pending.len(), expected);
                sent.confirm(more);
                prop_assert!(sent.pending.is_empty());
                map.extend(round);
                sent.save(&path).unwrap();
                sent = Sent::load(&path).unwrap().unwrap();
                let expected: Vec<Entry> = map.iter().map(|(who, form)| entry(*who, *form)).collect();
                prop_assert_eq!(&sent.entries, &expected);
                for who in 0..20 {
                    prop_assert_eq!(sent.find(&[who; 16]).is_some(), map.contains_key(&who));
                }
            }
        }
    }

    #[test]
    fn damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), &["a", "b"]);
        assert_ne!(path, file(folder.path(), &["ab"]));
        Sent {
            confirmed: Timestamp(7),
            generation: 3,
            entries: vec![entry(1, 1), entry(2, 2)],
            pending: vec![entry(3, 3)],
        }
        .save(&path)
        .unwrap();
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert!(Sent::load(&path).unwrap_err().to_string().contains("as a whole"));
            fs::write(&path, &bytes[..at]).unwrap();
            assert!(Sent::load(&path).is_err());
        }
    }

    #[test]
    fn marks_need_the_secret() {
        let of = |secret| Marks::new(&KeyHasher::new([secret; 16])).entry(ProfileKey(5), "a");
        assert_ne!(of(1), of(2));
        let marks = Marks::new(&KeyHasher::new([1; 16]));
        let (a, b) = (marks.entry(ProfileKey(5), "a"), marks.entry(ProfileKey(5), "b"));
        assert!(a[..16] == b[..16] && a != b && a[..16] != marks.entry(ProfileKey(6), "a")[..16]);
        assert_eq!(who_of(&a), marks.who(ProfileKey(5)));
    }
}
