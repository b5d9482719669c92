//! The fold: sources -> columns (index), columns and rules -> bitmaps, forward index and flips (activate), then a new
//! generation.
//!
//! Contents: [`defined`] what files and the catalogue define; [`job`] one build from lock to sweep; [`fold`] rows into graph and columns; [`index`] their sections;
//! [`facts`] what came by the doors; [`deletions`] who was deleted or objects; [`before`] the generation before and the
//! events log; [`purge`] what must be gone by when; [`activate`] audiences from columns; [`provenance`] what became of the
//! rows; [`fresh`] a published change without either; [`stale`] facts whose sources are too old; [`rejects`] the report of what was not taken; [`memory`] forecast and
//! peak. [`exports`] reads the sources once more, for files elsewhere.

pub mod activate;
mod before;
pub mod defined;
mod deletions;
pub mod exports;
pub mod facts;
mod fold;
pub mod fresh;
pub mod index;
mod job;
pub mod memory;
pub mod provenance;
pub mod purge;
mod rejects;
pub mod stale;

use crate::audiences::Catalogue;
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::snapshot::Manifest;
use crate::telemetry::progress::Progress;

/// How much is built anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Everything, from the sources.
    Full,
    /// Audiences only, from the live generation's columns.
    Activate,
}

impl What {
    fn purpose(self) -> &'static str {
        match self {
            What::Full => "build",
            What::Activate => "activate",
        }
    }
}

/// Builds and publishes a generation. Returns its manifest.
///
/// # Errors
/// [`Busy`](crate::error::ErrorKind::Busy) when another build, rollback or sweep holds the data directory; whatever stops a
/// step. The live generation is untouched by a failure at any moment.
pub fn build(loaded: &Loaded, catalogue: &Catalogue, what: What, progress: &Progress) -> Result<Manifest> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(loaded.config.build.threads).build();
    let pool = pool.map_err(|error| Error::internal(format!("cannot start the build's threads: {error}")))?;
    pool.install(|| job::Job::start(loaded, catalogue, what, progress)?.run(what))
}

#[cfg(test)]
mod tests;
