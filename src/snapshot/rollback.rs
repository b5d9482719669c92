//! Going back to an earlier generation, and staying there until somebody says otherwise.

use super::manifest::Planes;
use super::store::Store;
use crate::disk;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::Generation;
use std::io;

impl Store {
    /// Makes `to` (or the generation before the live one) live and pins it: builds go on writing generations, and none
    /// goes live until [`unpin`](Store::unpin). The target's bid sections are verified first.
    ///
    /// # Errors
    /// A generation that is not there, or is damaged.
    pub fn rollback(&self, to: Option<Generation>) -> Result<Generation> {
        let target = match to {
            Some(generation) => generation,
            None => self.before_current()?,
        };
        self.check_known(target)?;
        // Gigabytes are read before the lock is taken: whose manifest is still there then has its sections, too.
        self.open_snapshot(target, Planes::Bid, None)?;
        let _publishing = self.publishing("rollback")?;
        self.check_known(target)?;
        // The pin first: if we are stopped in between, the live generation is still a good one.
        self.set_pin(target)?;
        self.set_current(target)?;
        Ok(target)
    }

    /// Lets builds go live again. The live generation stays until the next build publishes.
    pub fn unpin(&self) -> Result<()> {
        let _publishing = self.publishing("unpin")?;
        self.remove_pin()
    }

    /// For whoever holds `PUBLISH`.
    pub(super) fn remove_pin(&self) -> Result<()> {
        let path = self.root().join("PIN");
        match disk::remove(&path) {
            Ok(()) => super::store::sync_directory(self.root()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io(format!("remove {}", path.display()), error)),
        }
    }

    fn check_known(&self, target: Generation) -> Result<()> {
        let known = self.manifests()?;
        if known.contains(&target) {
            return Ok(());
        }
        let known: Vec<String> = known.iter().map(Generation::to_string).collect();
        let message = format!("there is no generation {target}; there are: {}", known.join(", "));
        Err(Error::new(ErrorKind::Usage, message))
    }

    fn before_current(&self) -> Result<Generation> {
        let current = self
            .current()?
            .ok_or_else(|| Error::usage("there is no generation to go back from; build one with `vaglio build`"))?;
        let before = self.manifests()?.into_iter().rev().find(|generation| *generation < current);
        before.ok_or_else(|| Error::usage(format!("there is no generation before {current} to go back to")))
    }
}
