//! `rejects.json` of the data directory: what a collection read and did not take, for people and tools. Written before
//! anybody judges it: a build that stops over rejected rows is the one whose report is wanted most.

use crate::collect::CollectReport;
use crate::error::{Error, Result};
use crate::snapshot::Store;
use std::fs;
use std::path::PathBuf;

/// Writes the report, whole or not at all, and returns where it is. No value is in it. The caller holds the lock.
///
/// # Errors
/// A full disk.
pub(super) fn write(store: &Store, collected: &CollectReport) -> Result<PathBuf> {
    let path = store.root().join("rejects.json");
    let temporary = store.root().join("tmp").join(format!("rejects-{}", std::process::id()));
    let text =
        serde_json::to_vec_pretty(collected).map_err(|error| Error::internal(format!("rejects.json: {error}")))?;
    let written = fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, &path));
    written.map_err(|error| Error::io(format!("write {}", path.display()), error))?;
    Ok(path)
}
