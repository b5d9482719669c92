//! Mark and sweep: which generations stay, and which files nobody names any more.

use super::lock::{Lock, Publishing};
use super::manifest::{Manifest, Outline};
use super::store::Store;
use crate::disk;
use crate::error::{Error, Result};
use crate::schema::Generation;
use serde::Deserialize;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

/// So many fresh generations are kept beside the others: they share most of their files with those.
pub const FRESH: usize = 20;

/// What of a manifest tells whether its generation stays.
#[derive(Debug, Default, Deserialize)]
struct Kinship {
    #[serde(default)]
    fresh: bool,
    index_of: Option<Generation>,
}

/// What a sweep removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Swept {
    /// The generations that are gone.
    pub generations: Vec<Generation>,
    /// Section files removed.
    pub sections: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Store {
    /// Keeps the `keep` newest generations whose rules were all evaluated, the live one and the pinned one, and of the fresh ones
    /// over the same indexes the newest [`FRESH`]; removes the others and every section that none of the kept names. Readers that have a removed file mapped keep it.
    ///
    /// Who may be writing sections meanwhile is a fresh generation, which holds `PUBLISH` until its manifest names them.
    pub fn sweep(&self, _lock: &Lock, keep: usize) -> Result<Swept> {
        self.sweep_alone(&self.publishing("sweep")?, keep)
    }

    /// For whoever holds both locks.
    pub(super) fn sweep_alone(&self, _publishing: &Publishing, keep: usize) -> Result<Swept> {
        let all = self.manifests()?;
        let kept = self.kept(&all, keep)?;
        let marked = self.mark(&kept)?;
        let mut swept = Swept::default();
        for generation in all.into_iter().filter(|generation| !kept.contains(generation)) {
            remove(&self.manifest_path(generation))?;
            swept.generations.push(generation);
        }
        for_each_file(&self.sections_dir(), |path, name| {
            if !marked.contains(name) {
                swept.bytes += fs::metadata(path).map_or(0, |metadata| metadata.len());
                swept.sections += 1;
                remove(path)?;
            }
            Ok(())
        })?;
        Ok(swept)
    }

    /// Removes what a killed build left half written. Returns how many files that were.
    pub fn clean(&self, _lock: &Lock) -> Result<usize> {
        let _publishing = self.publishing("clean")?;
        let mut removed = 0;
        for_each_file(&self.tmp_dir(), |path, _| {
            removed += 1;
            remove(path)
        })?;
        Ok(removed)
    }

    /// Which of all generations stay. Somebody who publishes often must not push out the index of yesterday.
    fn kept(&self, all: &[Generation], keep: usize) -> Result<HashSet<Generation>> {
        let always = [self.current()?, self.pinned()?];
        let newest: Vec<(Generation, Kinship)> = all.iter().rev().map(|it| (*it, self.kinship(*it))).collect();
        let whole = newest.iter().filter(|(_, kinship)| !kinship.fresh).take(keep.max(1));
        let stays = whole.chain(newest.iter().filter(|(generation, _)| always.contains(&Some(*generation))));
        let (mut kept, mut indexes) = (HashSet::new(), HashSet::new());
        for (generation, kinship) in stays {
            kept.insert(*generation);
            indexes.extend(kinship.index_of);
        }
        let shares = |kinship: &Kinship| kinship.index_of.is_some_and(|index| indexes.contains(&index));
        let fresh = newest.iter().filter(|(_, kinship)| kinship.fresh && shares(kinship)).take(FRESH);
        kept.extend(fresh.map(|(generation, _)| *generation));
        Ok(kept)
    }

    /// Of a manifest of another format, or a damaged one, as if all of its rules had been evaluated.
    fn kinship(&self, generation: Generation) -> Kinship {
        let text = fs::read(self.manifest_path(generation)).ok();
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// The hashes that these generations name. A manifest of another format is asked for its hashes all the same: the
    /// program it belongs to may come back. One that cannot be read stops the sweep: its sections are not known.
    fn mark(&self, kept: &HashSet<Generation>) -> Result<HashSet<String>> {
        let mut marked = HashSet::new();
        for generation in kept {
            let path = self.manifest_path(*generation);
            let text = match fs::read(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io(format!("read {}", path.display()), error)),
            };
            let outline: Outline = serde_json::from_slice(&text).map_err(|_| {
                let place = path.display();
                Error::snapshot(format!("nothing was swept: {place} is damaged; remove that file and run it again"))
            })?;
            if outline.format == Some(super::manifest::FORMAT) {
                Manifest::from_file(&text, &path.display().to_string())?;
            }
            marked.extend(outline.sections.into_iter().map(|section| section.xxh3));
        }
        Ok(marked)
    }
}

fn for_each_file(directory: &Path, mut each: impl FnMut(&Path, &str) -> Result<()>) -> Result<()> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io(format!("list {}", directory.display()), error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| Error::io(format!("list {}", directory.display()), error))?;
        each(&entry.path(), &entry.file_name().to_string_lossy())?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    disk::remove(path).map_err(|error| Error::io(format!("remove {}", path.display()), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(store: &Store) -> Vec<u64> {
        store.manifests().unwrap().into_iter().map(|generation| generation.0).collect()
    }

    #[test]
    fn fresh_ones_do_not_push_out_what_one_goes_back_to() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let publish = |index_of: u64, fresh: bool| {
            let publishing = store.publishing("test").unwrap();
            let generation = store.next_generation().unwrap();
            let manifest = Manifest { generation, index_of: Generation(index_of), fresh, ..Manifest::default() };
            store.publish(&publishing, manifest).unwrap();
        };
        let sweep = |keep| store.sweep(&store.lock("test").unwrap(), keep).unwrap().generations.len();
        publish(1, false);
        publish(1, true);
        publish(3, false);
        publish(3, false);
        (0..7).for_each(|_| publish(3, true));
        assert_eq!((sweep(3), numbers(&store)), (0, (1..=11).collect()));
        // The oldest index goes, and with it what is fresh over it.
        assert_eq!((sweep(2), numbers(&store)), (2, (3..=11).collect()));
        (0..FRESH).for_each(|_| publish(3, true));
        let newest: Vec<u64> = [3, 4].into_iter().chain(12..12 + FRESH as u64).collect();
        assert_eq!((sweep(2), numbers(&store)), (7, newest.clone()));
        // A new index: the one before stays, pinned on a fresh generation even when nothing else of it does.
        store.rollback(Some(Generation(12))).unwrap();
        publish(32, false);
        publish(32, false);
        sweep(1);
        let pinned: Vec<u64> = newest[2..].iter().copied().chain([33]).collect();
        assert_eq!(numbers(&store), pinned);
    }
}
