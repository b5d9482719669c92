//! Going back to an earlier generation, and staying there until somebody says otherwise.

use super::lock::Lock;
use super::manifest::Planes;
use super::store::Store;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Generation;
use std::io;

impl Store {
    /// Makes `to` (or the generation before the live one) live and pins it: builds go on writing generations, and none
    /// goes live until [`unpin`](Store::unpin). The target's bid sections are verified first.
    pub fn rollback(&self, _lock: &Lock, to: Option<Generation>) -> Result<Generation> {
        let target = match to {
            Some(generation) => generation,
            None => self.before_current()?,
        };
        let known = self.manifests()?;
        if !known.contains(&target) {
            let known: Vec<String> = known.iter().map(Generation::to_string).collect();
            let message = format!("there is no generation {target}; there are: {}", known.join(", "));
            return Err(Error::new(ErrorKind::Usage, message));
        }
        self.open_snapshot(target, Planes::Bid, None)?;
        // The pin first: if we are stopped in between, the live generation is still a good one.
        self.set_pin(target)?;
        self.set_current(target)?;
        Ok(target)
    }

    /// Lets builds go live again. The live generation stays until the next build publishes.
    pub fn unpin(&self, _lock: &Lock) -> Result<()> {
        let path = self.root().join("PIN");
        match disk::remove(&path) {
            Ok(()) => super::store::sync_directory(self.root()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io(format!("remove {}", path.display()), error)),
        }
    }

    fn before_current(&self) -> Result<Generation> {
        let current = self
            .current()?
            .ok_or_else(|| Error::usage("there is no generation to go back from; build one with `vaglio build`"))?;
        let before = self.manifests()?.into_iter().rev().find(|generation| *generation < current);
        before.ok_or_else(|| Error::usage(format!("there is no generation before {current} to go back to")))
    }
}
