//! Mark and sweep: which generations stay, and which files nobody names any more.

use super::lock::{Lock, Publishing};
use super::manifest::{Manifest, Outline};
use super::store::Store;
use crate::disk;
use crate::error::{Error, Result};
use crate::schema::Generation;
use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

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
    /// Keeps the `keep` newest generations, the live one and the pinned one; removes the others and every section that
    /// none of the kept names. Readers that have a removed file mapped keep it.
    ///
    /// Who may be writing sections meanwhile is a fresh generation, which holds `PUBLISH` until its manifest names them.
    pub fn sweep(&self, _lock: &Lock, keep: usize) -> Result<Swept> {
        self.sweep_alone(&self.publishing("sweep")?, keep)
    }

    /// For whoever holds both locks.
    pub(super) fn sweep_alone(&self, _publishing: &Publishing, keep: usize) -> Result<Swept> {
        let all = self.manifests()?;
        let mut kept: HashSet<Generation> = all.iter().rev().take(keep.max(1)).copied().collect();
        kept.extend(self.current()?);
        kept.extend(self.pinned()?);
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
