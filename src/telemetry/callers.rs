//! What is counted for each caller: what became of its lookups, and how many of its identifiers are known, by type.
//! Types that are not configured share one label, so that requests cannot make new ones.

use super::shards::Shards;
use parking_lot::Mutex;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The counters of every caller that has asked, by its name.
#[derive(Debug)]
pub struct Callers {
    statuses: Vec<&'static str>,
    sources: Vec<String>,
    tallies: Mutex<BTreeMap<String, Arc<Tally>>>,
}

/// The counters of one caller: its lookups by status, then, for each type, its unknown and its known identifiers.
#[derive(Debug)]
pub struct Tally {
    cells: Shards,
    statuses: usize,
}

impl Tally {
    /// Counts a lookup by its status's number.
    pub fn lookup(&self, status: usize) {
        self.cells.add(status, 1);
    }

    /// Counts an identifier that was looked up, by its type's number.
    pub fn identifier(&self, source: usize, known: bool) {
        self.cells.add(self.cell(source, known), 1);
    }

    fn cell(&self, source: usize, known: bool) -> usize {
        self.statuses + 2 * source + usize::from(known)
    }
}

impl Callers {
    /// Counters with the names of statuses and of identifier types.
    pub fn new(statuses: Vec<&'static str>, sources: Vec<String>) -> Self {
        Callers { statuses, sources, tallies: Mutex::default() }
    }

    /// A caller's counters; they go on where they were, whatever generation or credential it asks with.
    pub fn tally(&self, caller: &str) -> Arc<Tally> {
        let mut tallies = self.tallies.lock();
        if let Some(tally) = tallies.get(caller) {
            return Arc::clone(tally);
        }
        let statuses = self.statuses.len();
        let tally = Arc::new(Tally { cells: Shards::new(statuses + 2 * self.sources.len()), statuses });
        tallies.insert(caller.to_owned(), Arc::clone(&tally));
        tally
    }

    /// What a scrape reads. What never occurred is left out.
    pub(super) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let tallies = self.tallies.lock();
        let help = "Lookups of each caller by what became of them";
        let mut family = encoder.encode_descriptor("vaglio_caller_lookups", help, None, MetricType::Counter)?;
        for (caller, tally) in tallies.iter() {
            for (at, status) in self.statuses.iter().enumerate() {
                let (labels, value) = ([("caller", caller.as_str()), ("status", *status)], tally.cells.sum(at));
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
