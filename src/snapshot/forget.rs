//! Removing generations that must not be there any more, whoever pinned them or serves from them.

use super::lock::Lock;
use super::manifest::Planes;
use super::store::Store;
use crate::disk;
use crate::error::{Error, Result};
use crate::schema::Generation;
use std::io;

impl Store {
    /// Removes these generations and the sections that only they name. Where the live one is among them, the newest of the
    /// others goes live; where the pinned one is, nothing is pinned any more. Readers that have a file mapped keep it until
    /// they swap.
    ///
    /// # Errors
    /// No other generation, or one that cannot be opened: then nothing is removed. The machine refuses.
    pub fn forget(&self, _lock: &Lock, gone: &[Generation]) -> Result<()> {
        let publishing = self.publishing("purge")?;
        if self.current()?.is_none_or(|current| gone.contains(&current)) {
            let next = self.manifests()?.into_iter().rev().find(|generation| !gone.contains(generation));
            let next = next.ok_or_else(|| Error::internal("all generations would be removed"))?;
            self.open_snapshot(next, Planes::Bid, None)?;
            self.set_current(next)?;
        }
        if self.pinned()?.is_some_and(|pinned| gone.contains(&pinned)) {
            self.remove_pin()?;
        }
        for generation in gone {
            let path = self.manifest_path(*generation);
            match disk::remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io(format!("remove {}", path.display()), error));
                }
                _ => {}
            }
        }
        super::store::sync_directory(&self.generations_dir())?;
        self.sweep_alone(&publishing, usize::MAX).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Manifest;

    fn store(generations: u64) -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let publishing = store.publishing("test").unwrap();
        for number in 1..=generations {
            let generation = Generation(number);
            store.publish(&publishing, Manifest { generation, ..Manifest::default() }).unwrap();
        }
        drop(publishing);
        (directory, store)
    }

    #[test]
    fn the_live_and_the_pinned_one_go_too() {
        let (_directory, store) = store(3);
        let lock = store.lock("test").unwrap();
        store.rollback(Some(Generation(1))).unwrap();
        store.forget(&lock, &[Generation(1), Generation(2)]).unwrap();
        assert_eq!(store.manifests().unwrap(), [Generation(3)]);
        assert_eq!((store.current().unwrap(), store.pinned().unwrap()), (Some(Generation(3)), None));
    }

    #[test]
    fn not_everything_goes() {
        let (_directory, store) = store(1);
        let lock = store.lock("test").unwrap();
        assert!(store.forget(&lock, &[Generation(1)]).is_err());
        assert_eq!(store.manifests().unwrap(), [Generation(1)]);
    }
}
