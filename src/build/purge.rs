//! What must be gone by when: generations and log segments that hold deleted people, and log segments that no generation
//! needs any more.
//!
//! A deletion has `purge_days`. In the first half of them an index without the person is built (whoever builds on a
//! schedule has one by then); from the middle on, generations from before are removed, rollback targets and a pinned one
//! included. The second half is for what fails and has to be done again.

use super::before;
use crate::config::Loaded;
use crate::error::Result;
use crate::log::{Blocklist, Log};
use crate::schema::{Clock, Generation, Offset, Timestamp};
use crate::snapshot::{Lock, Store};

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// What there is to do about deletions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing, for now.
    Nothing,
    /// A full build: the newest generation still holds somebody.
    Build,
    /// [`purge`]: only earlier generations do.
    Purge,
}

/// What a purge removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purged {
    /// Generations that held deleted people.
    pub generations: Vec<Generation>,
    /// The one among them that a rollback had pinned; nothing is pinned any more.
    pub unpinned: Option<Generation>,
}

impl Purged {
    /// What it says in the log, and in readiness; `None` when nothing was removed that somebody had asked to keep.
    pub fn warning(&self) -> Option<String> {
        let pinned = self.unpinned?;
        Some(format!(
            "generation {pinned}, which a rollback had pinned, held deleted people whose purge_days end and was removed; the \
             newest generation serves and nothing is pinned any more"
        ))
    }

    /// Writes it to the log.
    pub fn tell(&self) {
        if !self.generations.is_empty() {
            let numbers: Vec<String> = self.generations.iter().map(Generation::to_string).collect();
            tracing::info!("removed the generations {} because they held deleted people", numbers.join(", "));
        }
        if let Some(warning) = self.warning() {
            tracing::warn!("{warning}");
        }
    }
}

/// The list of those who object or were deleted, and its end in the control log.
///
/// # Errors
/// A damaged log.
pub fn blocklist(loaded: &Loaded, now: Timestamp) -> Result<(Blocklist, Offset)> {
    Blocklist::read(&crate::log::control_directory(&loaded.config.data_dir), now)
}

/// What there is to do at `now`.
///
/// # Errors
/// A damaged control log. Manifests that cannot be read count as gone.
pub fn due(loaded: &Loaded, store: &Store, now: Timestamp) -> Result<Due> {
    let (list, _) = blocklist(loaded, now)?;
    let (newest, earlier) = overdue(loaded, store, &list, now)?;
    Ok(match (newest, earlier.is_empty()) {
        (true, _) => Due::Build,
        (false, false) => Due::Purge,
        (false, true) => Due::Nothing,
    })
}

/// Whether the newest generation holds somebody for too long, and which of the others do.
fn overdue(loaded: &Loaded, store: &Store, list: &Blocklist, now: Timestamp) -> Result<(bool, Vec<Generation>)> {
    let half = half_of_purge(loaded);
    let holds = |generation: &Generation| {
        let cut = store.manifest(*generation).ok().map(|manifest| manifest.control_cut);
        cut.and_then(|cut| list.first_deletion(cut)).is_some_and(|deleted| deleted.saturating_add(half) <= now.0)
    };
    let mut all = store.manifests()?;
    let newest = all.pop().is_some_and(|newest| holds(&newest));
    all.retain(holds);
    Ok((newest, all))
}

/// Seconds from a deletion to the moment from which it is dealt with.
fn half_of_purge(loaded: &Loaded) -> i64 {
    i64::from(loaded.config.privacy.objections.purge_days) * DAY / 2
}

/// Removes every generation that holds deleted people for too long, if there is a newer one without them. What then
/// serves is that newer one.
///
/// # Errors
/// A damaged control log or newer generation; then nothing is removed. The machine refuses.
pub fn purge(loaded: &Loaded, store: &Store, lock: &Lock, now: Timestamp) -> Result<Purged> {
    let (list, _) = blocklist(loaded, now)?;
    let (newest_too, gone) = overdue(loaded, store, &list, now)?;
    if newest_too || gone.is_empty() {
        return Ok(Purged::default());
    }
    let pinned = store.pinned()?.filter(|pinned| gone.contains(pinned));
    store.forget(lock, &gone)?;
    Ok(Purged { generations: gone, unpinned: pinned })
}

/// Up to where log segments may go, and how old their newest record must be for it.
///
/// # Errors
/// A generation whose manifest cannot be read: what it needs is not known.
pub fn releasable(loaded: &Loaded, store: &Store, now: Timestamp) -> Result<(Offset, Timestamp)> {
    let mut cut: Option<Offset> = None;
    for generation in store.manifests()? {
        let needed = store.manifest(generation)?.events_cut;
        cut = Some(cut.map_or(needed, |known| known.min(needed)));
    }
    // Ids are remembered by reading the log again; what must be gone is not kept for it.
    let remembered = (i64::from(loaded.config.ingest.dedupe_hours) * HOUR).min(half_of_purge(loaded));
    Ok((cut.unwrap_or(Offset(0)), Timestamp(now.0.saturating_sub(remembered))))
}

/// Releases log segments where no server writes to the log.
pub(super) fn release(loaded: &Loaded, store: &Store) -> Result<usize> {
    let Some(mut log): Option<Log> = before::own_log(loaded)? else { return Ok(0) };
    let (cut, newest_needed) = releasable(loaded, store, Clock::System.now())?;
    log.release(cut, newest_needed)
}
