//! The catalogue: definitions as they are written down, published, archived and gone back to; who may see which.
//!
//! Contents: [`base`] what is in force, read once a change; [`wish`] what somebody wants changed, and what comes of it, `named` the definitions it is about;
//! [`weigh`] what must be confirmed; [`refusal`] why not; `diff` two versions; `query` parameters of paths; `http` the paths.
//! What must not live here: what a definition means (`audiences`), building.

pub mod base;
mod diff;
mod http;
mod named;
mod query;
pub mod refusal;
pub mod weigh;
pub mod wish;

use crate::audiences::versions::{Change, Versions};
use crate::build::defined::Ledger;
use crate::config::Loaded;
use crate::error::Result;
use crate::schema::Timestamp;
use base::Base;
pub use http::entries;
pub(super) use http::routes;
use parking_lot::Mutex;
use std::sync::Arc;

/// The definitions of a data directory, read as far as the control log goes.
#[derive(Debug, Default)]
pub struct Definitions {
    ledger: Mutex<Option<Ledger>>,
    /// What was in force when it was asked last.
    base: Mutex<Option<Arc<Base>>>,
}

impl Definitions {
    /// Every version of everything, as of now.
    ///
    /// # Errors
    /// A damaged log.
    pub fn versions(&self, loaded: &Loaded) -> Result<Arc<Versions>> {
        self.with(loaded, |ledger| {
            ledger.catch_up()?;
            Ok(Arc::clone(ledger.versions()))
        })
    }

    /// What is in force now, checked.
    ///
    /// # Errors
    /// A damaged log, files that cannot be read.
    pub fn base(&self, loaded: &Loaded) -> Result<Arc<Base>> {
        let versions = self.versions(loaded)?;
        let files = loaded.definition_files()?;
        let mut last = self.base.lock();
        if let Some(base) = last.as_ref().filter(|base| base.is_of(&files, &versions)) {
            return Ok(Arc::clone(base));
        }
        Ok(Arc::clone(last.insert(Arc::new(Base::new(loaded, files, versions)))))
    }

    /// As [`Ledger::write`].
    ///
    /// # Errors
    /// As [`Ledger::write`].
    pub fn write(&self, loaded: &Loaded, decided: u64, change: &Change) -> Result<Option<Timestamp>> {
        self.with(loaded, |ledger| ledger.write(decided, change))
    }

    fn with<T>(&self, loaded: &Loaded, work: impl FnOnce(&mut Ledger) -> Result<T>) -> Result<T> {
        let mut ledger = self.ledger.lock();
        let opened = match ledger.take() {
            Some(ledger) => ledger,
            None => Ledger::open(&loaded.config.data_dir)?,
        };
        // A ledger that failed in the middle of the log is opened anew by the next.
        let done = {
            let ledger = ledger.insert(opened);
            work(ledger)
        };
        if done.is_err() {
            *ledger = None;
        }
        done
    }
}
