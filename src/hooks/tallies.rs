//! Each worker's hold on the counters of the callers, so that counting waits for nobody.

use super::Door;
use super::live::Scratch;
use crate::access::CallerNumber;
use crate::decide::Status;
use crate::telemetry::callers::{Callers, Tally};
use std::sync::Arc;

/// The counters of the callers that this worker has served, by their number, and whose request it is now.
#[derive(Debug, Default)]
pub struct Tallies {
    by_number: Vec<Option<(String, Arc<Tally>)>>,
    now: usize,
}

impl Tallies {
    /// What follows is counted for this caller. Numbers may stand for others after a swap; names never do.
    pub(super) fn serve(&mut self, number: CallerNumber, name: &str, callers: &Callers) {
        self.now = number as usize;
        if self.by_number.len() <= self.now {
            self.by_number.resize_with(self.now + 1, || None);
        }
        let held = &mut self.by_number[self.now];
        if held.as_ref().is_none_or(|(of, _)| of != name) {
            *held = Some((name.to_owned(), callers.tally(name)));
        }
    }

    /// The number of whoever is served now.
    pub(super) fn number(&self) -> usize {
        self.now
    }

    /// The counters of whoever is served now.
    pub(super) fn tally(&self) -> Option<&Tally> {
        self.by_number.get(self.now)?.as_ref().map(|(_, tally)| &**tally)
    }
}

impl Scratch {
    /// Counts a lookup for the caller.
    pub(super) fn count_lookup(&self, door: Door, status: Status) {
        if let Some(tally) = self.tallies.tally() {
            tally.lookup(door as usize, status as usize);
        }
    }

    /// Counts the identifiers that were looked up, and which of them are known.
    pub(super) fn count_identifiers(&self, known: u128) {
        let Some(tally) = self.tallies.tally() else { return };
        for (at, identifier) in (0..u128::BITS).zip(&self.ranked) {
            tally.identifier(identifier.source, known >> at & 1 == 1);
        }
    }
}
