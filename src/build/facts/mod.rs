//! What came by the doors, as rows of the fold: the `live_facts` of the generation before and the sealed log segments
//! since. What still counts afterwards is the section `live_facts` of the new generation.
//!
//! Records are sorted by the least of their keys, then by their place in the log, in bounded memory ([`runs`]): so all that
//! was said of the same identifiers lies together when [`keep`] decides what still counts, and [`rows`] adds it to the fold.

mod keep;
mod rows;
mod runs;

use super::deletions::Deletions;
use super::fold::Fold;
use super::index::IndexInputs;
use crate::error::{Error, Result};
use crate::log::{self, Record, Which};
use crate::schema::{Offset, ProfileKey};
use crate::snapshot::{LiveFacts, LiveFactsWriter, Plane, SectionRef};
use crate::telemetry::progress::Unit;
use keep::{Keeper, Stays};
use rows::Rows;
use runs::{Merge, Runs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Where the facts are.
pub struct FactInputs<'a> {
    /// Those that the generation before stands on.
    pub before: LiveFacts<'a>,
    /// The directory of the events log; `None` = nothing is taken in since.
    pub log: Option<&'a Path>,
    /// Up to where the generation before has taken the log in.
    pub from: Offset,
}

/// What became of the records.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LiveReport {
    /// Records of the generation before.
    pub carried: u64,
    /// Records of log segments since.
    pub fresh: u64,
    /// Records that the generation stands on.
    pub kept: u64,
    /// They repeated an id.
    pub repeated: u64,
    /// Something later says it anew.
    pub superseded: u64,
    /// Past the retention of their trait or event.
    pub expired: u64,
    /// Memberships that have ended.
    pub ended: u64,
    /// Of deleted people.
    pub deleted: u64,
    /// Kept, and in no column: by the name of the event, trait, property or identifier type that the configuration no
    /// longer knows, or whose value is no longer permitted.
    pub unknown: BTreeMap<String, u64>,
}

/// The facts of a new generation.
pub(super) struct Folded {
    pub(super) section: SectionRef,
    pub(super) report: LiveReport,
    /// Up to where the log is taken in.
    pub(super) cut: Offset,
    /// Whether the log holds something of deleted people behind the cut: then it is not gone with this generation.
    pub(super) deleted_behind: bool,
}

/// Adds what came by the doors to the fold, and writes what still counts.
///
/// # Errors
/// A damaged log or section, or a full disk.
pub(super) fn fold(
    inputs: &IndexInputs<'_>,
    facts: &FactInputs<'_>,
    deletions: &Deletions<'_>,
    fold: &mut Fold,
) -> Result<Folded> {
    let phase = inputs.progress.phase("live facts", None, Unit::Rows);
    let mut stays = Stays::new(inputs.loaded, inputs.lists);
    for (offset, bytes) in facts.before.iter() {
        stays.note(&decode(offset, bytes)?);
    }
    let mut report = LiveReport { carried: facts.before.len(), ..LiveReport::default() };
    let mut runs = Runs::new(inputs.store.root().join("tmp"));
    let mut cut = facts.from;
    let mut deleted_behind = false;
    if let Some(directory) = facts.log {
        cut = log::read(directory, facts.from, Which::Sealed, &mut |offset, bytes| {
            let record = decode(offset, bytes)?;
            stays.note(&record);
            report.fresh += 1;
            phase.add(1);
            runs.push(least(&record), offset, bytes)
        })?;
        log::read(directory, cut, Which::All, &mut |offset, bytes| {
            let record = decode(offset, bytes)?;
            deleted_behind |= record.keys.iter().any(|id| deletions.holds(id.key));
            Ok(())
        })?;
    }
    let mut writer = LiveFactsWriter::new(inputs.store.section("live_facts", Plane::Control)?)?;
    let mut merge = Merge::new(facts.before, runs)?;
    let mut keeper = Keeper::new(inputs, deletions, stays);
    let mut rows = Rows::new(inputs.loaded, fold);
    while let Some(group) = merge.group()? {
        keeper.each(group, &mut report, &mut |offset, record, bytes| {
            rows.add(record)?;
            writer.put(offset, bytes)
        })?;
    }
    report.kept = writer.records();
    report.unknown = rows.unknown;
    phase.done(&report.line());
    Ok(Folded { section: writer.finish()?, report, cut, deleted_behind })
}

impl LiveReport {
    /// What the user reads.
    fn line(&self) -> String {
        let mut line = format!("{} of the generation before, {} since, {} kept", self.carried, self.fresh, self.kept);
        let unknown: u64 = self.unknown.values().sum();
        for (count, what) in [
            (self.repeated, "repeated an id"),
            (self.superseded, "superseded"),
            (self.expired, "past retention"),
            (self.ended, "memberships had ended"),
            (self.deleted, "of deleted people"),
            (unknown, "names or values that the configuration does not know"),
        ] {
            if count > 0 {
                line += &format!("; {count} {what}");
            }
        }
        line
    }
}

/// Reads a record of the log or of `live_facts`.
fn decode(offset: Offset, bytes: &[u8]) -> Result<Record<'_>> {
    Record::decode(bytes).map_err(|error| {
        Error::input(format!("record {offset} of the events log cannot be read; nothing was published"))
            .caused_by(error)
    })
}

/// What records are sorted by.
fn least(record: &Record<'_>) -> ProfileKey {
    record.keys.iter().map(|id| id.key).min().unwrap_or_default()
}

#[cfg(test)]
mod tests;
