//! What is counted for each caller: what became of its lookups at which door, and how many of its identifiers are known, by type.
//! Types that are not configured share one label, so that requests cannot make new ones.

use super::shards::Shards;
use super::statistics::What;
use parking_lot::Mutex;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The counters of every caller that has asked, by its name.
#[derive(Debug)]
pub struct Callers {
    doors: Vec<&'static str>,
    statuses: Vec<&'static str>,
    sources: Vec<String>,
    tallies: Mutex<BTreeMap<String, Arc<Tally>>>,
}

/// The counters of one caller: its lookups by door and status, then, for each type, its unknown and its known identifiers.
#[derive(Debug)]
pub struct Tally {
    cells: Shards,
    doors: usize,
    statuses: usize,
}

impl Tally {
    /// Counts a lookup by its door's and its status's numbers.
    pub fn lookup(&self, door: usize, status: usize) {
        self.cells.add(door * self.statuses + status, 1);
    }

    /// Counts an identifier that was looked up, by its type's number.
    pub fn identifier(&self, source: usize, known: bool) {
        self.cells.add(self.cell(source, known), 1);
    }

    fn cell(&self, source: usize, known: bool) -> usize {
        self.doors * self.statuses + 2 * source + usize::from(known)
    }

    /// Its lookups of a status, by whatever door.
    fn lookups(&self, status: usize) -> u64 {
        (0..self.doors).map(|door| self.cells.sum(door * self.statuses + status)).sum()
    }
}

impl Callers {
    /// Counters with the names of doors, of statuses and of identifier types.
    pub fn new(doors: Vec<&'static str>, statuses: Vec<&'static str>, sources: Vec<String>) -> Self {
        Callers { doors, statuses, sources, tallies: Mutex::default() }
    }

    /// A caller's counters; they go on where they were, whatever generation or credential it asks with.
    pub fn tally(&self, caller: &str) -> Arc<Tally> {
        let mut tallies = self.tallies.lock();
        if let Some(tally) = tallies.get(caller) {
            return Arc::clone(tally);
        }
        let (doors, statuses) = (self.doors.len(), self.statuses.len());
        let cells = Shards::new(doors * statuses + 2 * self.sources.len());
        let tally = Arc::new(Tally { cells, doors, statuses });
        tallies.insert(caller.to_owned(), Arc::clone(&tally));
        tally
    }

    /// Hands out everything that was counted since the start and is not 0: under which names, and how often.
    pub fn each(&self, mut see: impl FnMut(What, [&str; 3], u64)) {
        let tallies = self.tallies.lock();
        for (caller, tally) in tallies.iter() {
            let mut told = |what, names, value: u64| {
                if value > 0 {
                    see(what, names, value)
                }
            };
            for (door, door_name) in self.doors.iter().enumerate() {
                for (status, name) in self.statuses.iter().enumerate() {
                    let value = tally.cells.sum(door * tally.statuses + status);
                    told(What::Lookups, [caller, door_name, name], value);
                }
            }
            for (at, source) in self.sources.iter().enumerate() {
                told(What::Matches, [caller, source, "known"], tally.cells.sum(tally.cell(at, true)));
                told(What::Matches, [caller, source, "unknown"], tally.cells.sum(tally.cell(at, false)));
            }
        }
    }

    /// What a scrape reads. What never occurred is left out.
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let tallies = self.tallies.lock();
        let help = "Lookups of each caller by what became of them";
        let mut family = encoder.encode_descriptor("vaglio_caller_lookups", help, None, MetricType::Counter)?;
        for (caller, tally) in tallies.iter() {
            for (at, status) in self.statuses.iter().enumerate() {
                let (labels, value) = ([("caller", caller.as_str()), ("status", *status)], tally.lookups(at));
                if value > 0 {
                    family.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, f64>(&value, None)?;
                }
            }
        }
        let help = "Identifiers looked up for each caller, by type and by whether they are known";
        let mut family = encoder.encode_descriptor("vaglio_identifiers", help, None, MetricType::Counter)?;
        for (caller, tally) in tallies.iter() {
            for (at, source) in self.sources.iter().enumerate() {
                for (known, outcome) in [(true, "known"), (false, "unknown")] {
                    let labels = [("caller", caller.as_str()), ("source", source.as_str()), ("outcome", outcome)];
                    let value = tally.cells.sum(tally.cell(at, known));
                    if value > 0 {
                        family.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, f64>(&value, None)?;
                    }
                }
            }
        }
        Ok(())
    }
}
