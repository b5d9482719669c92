//! Applies what the intake has made durable, and what time alone changes, to what is in service.

use super::handover::{Guarded, Seat, take_over};
use super::intake::Apply;
use super::tail::{Counts, Tail};
use crate::error::Result;
use crate::log::{self, Which};
use crate::schema::{Offset, ProfileKey, Timestamp};
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The one writer of what is in service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Applier {
    directory: Arc<Path>,
    seat: Arc<Mutex<Seat<Tail>>>,
    /// Records before it are durable. What a log has behind it is being written, and may be taken back.
    durable: Arc<AtomicU64>,
    /// Who was forgotten since a tail began to catch up with the log; `None` while none does.
    forgotten: Arc<Mutex<Option<Vec<ProfileKey>>>>,
}

impl Applier {
    /// For the events log in a directory, which ended at `end` when it was opened. Nothing is in service.
    pub fn new(directory: PathBuf, end: Offset) -> Self {
        let durable = Arc::new(AtomicU64::new(end.0));
        Applier { directory: directory.into(), seat: Arc::default(), durable, forgotten: Arc::default() }
    }

    /// Brings a generation's tail up to date with the log, beside what is in service; then, while nothing is acknowledged,
    /// `install` swaps. To be called by one thread.
    ///
    /// # Errors
    /// A log that does not have the records any more, or is damaged: what is in service stays.
    pub fn take_over(&self, tail: Tail, install: impl FnOnce()) -> Result<()> {
        let catch_up = |tail: &mut Tail| {
            let durable = Offset(self.durable.load(Ordering::Acquire));
            log::read(&self.directory, tail.next(), Which::All, &mut |offset, bytes| {
                if offset < durable {
                    tail.note(offset, bytes);
                }
                Ok(())
            })?;
            tail.settle();
            Ok(())
        };
        *self.forgotten.lock() = Some(Vec::new());
        let taken = take_over(&*self.seat, tail, catch_up, |_| install());
        let forgotten = self.forgotten.lock().take().unwrap_or_default();
        self.forget(&forgotten);
        taken
    }

    /// Swaps to something that nothing can be applied to: events wait in the log for a generation that takes them.
    pub fn give_way(&self, install: impl FnOnce()) {
        let before = self.seat.with(|seat| {
            install();
            seat.leave()
        });
        drop(before);
    }

    /// Does some of what has become due; returns whether there is more. Somebody must call it at every minute.
    pub fn tick(&self) -> bool {
        self.seat.with(|seat| seat.sitting().is_some_and(Tail::tick))
    }

    /// Takes what is known of deleted people out of memory, by their identifiers.
    pub fn forget(&self, keys: &[ProfileKey]) {
        if keys.is_empty() {
            return;
        }
        if let Some(forgotten) = &mut *self.forgotten.lock() {
            forgotten.extend_from_slice(keys);
        }
        self.seat.with(|seat| {
            if let Some(tail) = seat.sitting() {
                tail.forget(keys);
            }
        });
    }

    /// The latest moment of what is applied to what is in service and stands in the log before an offset.
    pub fn latest_before(&self, cut: Offset) -> Option<Timestamp> {
        self.seat.with(|seat| seat.sitting().and_then(|tail| tail.latest_before(cut)))
    }

    /// What is applied to what is in service; all zero without anything.
    pub fn counts(&self) -> Counts {
        self.seat.with(|seat| seat.sitting().map(|tail| tail.counts()).unwrap_or_default())
    }
}

impl Apply for Applier {
    fn apply(&mut self, batch: &[(Offset, Vec<u8>)]) {
        let Some((last, _)) = batch.last() else { return };
        self.seat.with(|seat| {
            seat.apply(batch);
            self.durable.fetch_max(last.0 + 1, Ordering::Release);
        });
    }
}
