//! Applies what the intake has made durable, and what time alone changes, to what is in service.

use super::handover::{Guarded, Seat, take_over};
use super::intake::Apply;
use super::tail::{Counts, Tail};
use crate::error::Result;
use crate::log::{self, Which};
use crate::schema::{Offset, ProfileKey};
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The one writer of what is in service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Applier {
    directory: Arc<Path>,
    seat: Arc<Mutex<Seat<Tail>>>,
}

impl Applier {
    /// For the events log in a directory. Nothing is in service.
    pub fn new(directory: PathBuf) -> Self {
        Applier { directory: directory.into(), seat: Arc::default() }
    }

    /// Brings a generation's tail up to date with the log, beside what is in service; then, while nothing is acknowledged,
    /// `install` swaps. To be called by one thread.
    ///
    /// # Errors
    /// A log that does not have the records any more, or is damaged: what is in service stays.
    pub fn take_over(&self, tail: Tail, install: impl FnOnce()) -> Result<()> {
        let catch_up = |tail: &mut Tail| {
            log::read(&self.directory, tail.next(), Which::All, &mut |offset, bytes| {
                tail.note(offset, bytes);
                Ok(())
            })?;
            tail.settle();
            Ok(())
        };
        take_over(&*self.seat, tail, catch_up, |_| install())
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
        self.seat.with(|seat| {
            if let Some(tail) = seat.sitting() {
                tail.forget(keys);
            }
        });
    }

    /// What is applied to what is in service; all zero without anything.
    pub fn counts(&self) -> Counts {
        self.seat.with(|seat| seat.sitting().map(|tail| tail.counts()).unwrap_or_default())
    }
}

impl Apply for Applier {
    fn apply(&mut self, batch: &[(Offset, Vec<u8>)]) {
        self.seat.with(|seat| seat.apply(batch));
    }
}
