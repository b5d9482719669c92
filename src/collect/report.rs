//! What a collection read, took and left, by source: for people as a table, for manifests and tools as JSON.

use super::files::InputFile;
use super::plan::Plan;
use super::rejects::{Groups, Tally};
use crate::config::{Loaded, Source, SourceKind};
use crate::error::Problem;
use crate::schema::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The outcome of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectReport {
    /// The instant that ages are counted from.
    pub as_of: Timestamp,
    /// In the order of the configuration.
    pub sources: Vec<SourceReport>,
}

/// The outcome of one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    /// The source's name.
    pub name: String,
    /// What its rows are.
    pub kind: SourceKind,
    /// How many files were read.
    pub files: u32,
    /// Their bytes, as stored.
    pub bytes: u64,
    /// Rows read: accepted + expired + rejected.
    pub rows: u64,
    /// Rows handed on.
    pub accepted: u64,
    /// Rows past the source's retention.
    pub expired: u64,
    /// Values past their trait's retention.
    pub expired_values: u64,
    /// Rows not taken.
    pub rejected: u64,
    /// Rows not taken, by reason and column, most frequent first.
    pub rejected_rows: Vec<Rejects>,
    /// Values not taken of rows that were, by reason and column, most frequent first.
    pub rejected_values: Vec<Rejects>,
    /// Configured columns that no row had (NDJSON has no header to check before).
    pub absent_columns: Vec<String>,
    /// When its newest file was written.
    pub newest: Timestamp,
    /// The age past which it is stale.
    pub max_age: Option<Span>,
    /// Whether the newest file is older than that.
    pub stale: bool,
}

/// What was not taken for one reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rejects {
    /// Why.
    pub reason: String,
    /// The column to blame; absent when it is the row as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// How many.
    pub count: u64,
    /// The first few.
    pub examples: Vec<Example>,
}

/// Where one of them stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The file.
    pub file: String,
    /// 1-based line, or row of a Parquet file.
    pub line: u64,
    /// The value's shape (`9 characters: digits`): never the value.
    pub value: String,
}

impl CollectReport {
    /// Why this must not be built from; empty when it is fit. An empty export must not empty the audiences, and a broken
    /// one must not half-fill them.
    #[must_use]
    pub fn problems(&self, loaded: &Loaded) -> Vec<Problem> {
        let problem = |(source, counts): (&Source, &SourceReport)| {
            let permitted = source.max_rejected_share.unwrap_or(loaded.config.build.max_rejected_share);
            if counts.rows == 0 {
                let message = format!("source `{}` has no rows: {} holds a header at most", counts.name, source.path);
                return Some(Problem::new(message).help(
                    "an empty export would silently empty the audiences built on it: run the export again, or take the \
                     source out of the configuration",
                ));
            }
            (counts.rejected_share() > permitted).then(|| too_many_rejected(counts, permitted))
        };
        loaded.config.sources.iter().zip(&self.sources).filter_map(problem).collect()
    }
}

fn too_many_rejected(counts: &SourceReport, permitted: f64) -> Problem {
    let mut message = format!(
        "source `{}`: {} of {} rows rejected ({:.1} %, at most {:.1} % permitted)",
        counts.name,
        counts.rejected,
        counts.rows,
        counts.rejected_share() * 100.0,
        permitted * 100.0
    );
    for group in &counts.rejected_rows {
        message += &format!("\n    {group}");
    }
    for group in &counts.rejected_values {
        message += &format!("\n    {group} (value only)");
    }
    Problem::new(message).help(
        "mend the export or the source's columns and formats; to go on regardless, raise its `max_rejected_share`",
    )
}

impl SourceReport {
    pub(super) fn new(loaded: &Loaded, plan: &Plan, files: &[InputFile], tally: Tally, as_of: Timestamp) -> Self {
        let source = &loaded.config.sources[usize::from(plan.source)];
        let own = || files.iter().filter(|file| file.source == usize::from(plan.source));
        let newest = Timestamp(own().map(|file| file.modified).max().unwrap_or_default());
        let named = |groups: Groups| -> Vec<Rejects> {
            let sorted = groups.sorted().into_iter();
            sorted
                .map(|group| Rejects {
                    reason: group.reason.to_string(),
                    column: group.column.map(|column| plan.columns[column].clone()),
                    count: group.count,
                    examples: group
                        .samples
                        .into_iter()
                        .map(|sample| Example {
                            file: files[sample.file as usize].name.clone(),
                            line: sample.line,
                            value: sample.shape,
                        })
                        .collect(),
                })
                .collect()
        };
        let unseen = plan.columns.iter().zip(&tally.seen).filter(|(_, seen)| !**seen);
        SourceReport {
            name: source.name.clone(),
            kind: source.kind,
            files: own().count() as u32,
            bytes: own().map(|file| file.bytes).sum(),
            rows: tally.rows,
            accepted: tally.accepted,
            expired: tally.expired,
            expired_values: tally.expired_values,
            rejected: tally.rejected.total(),
            absent_columns: unseen.map(|(column, _)| column.clone()).collect(),
            rejected_rows: named(tally.rejected),
            rejected_values: named(tally.values),
            newest,
            max_age: source.max_age,
            stale: is_stale(source, newest, as_of),
        }
    }

    /// The share of rows that was rejected.
    pub fn rejected_share(&self) -> f64 {
        if self.rows == 0 { 0.0 } else { self.rejected as f64 / self.rows as f64 }
    }
}

fn is_stale(source: &Source, newest: Timestamp, as_of: Timestamp) -> bool {
    source.max_age.is_some_and(|age| as_of.0 - newest.0 > age.0)
}

impl fmt::Display for CollectReport {
    /// A table of the sources, then what was not taken and where.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.sources.iter().map(|source| source.name.chars().count()).max().unwrap_or(0).max(6);
        writeln!(
            f,
            "{:width$}  {:>5}  {:>12}  {:>12}  {:>10}  {:>10}  newest file",
            "source", "files", "rows", "accepted", "rejected", "expired"
        )?;
        for source in &self.sources {
            writeln!(
                f,
                "{:width$}  {:>5}  {:>12}  {:>12}  {:>10}  {:>10}  {}{}",
                source.name,
                source.files,
                source.rows,
                source.accepted,
                source.rejected,
                source.expired,
                source.newest,
                if source.stale { " STALE" } else { "" },
            )?;
        }
        self.sources.iter().try_for_each(|source| source.write_rejects(f))
    }
}

impl SourceReport {
    /// The lines below the table; none when everything was taken.
    fn write_rejects(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_groups(f, &self.name, "rows rejected", &self.rejected_rows)?;
        write_groups(f, &self.name, "values rejected, rows kept", &self.rejected_values)?;
        if self.expired_values > 0 {
            writeln!(f, "{}: {} values past their trait's retention", self.name, self.expired_values)?;
        }
        if !self.absent_columns.is_empty() {
            writeln!(f, "{}: in no row: {}", self.name, self.absent_columns.join(", "))?;
        }
        Ok(())
    }
}

fn write_groups(f: &mut fmt::Formatter<'_>, source: &str, title: &str, groups: &[Rejects]) -> fmt::Result {
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(f, "{source}: {title}")?;
    for group in groups {
        writeln!(f, "  {group}")?;
    }
    Ok(())
}

impl fmt::Display for Rejects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8} x {}", self.count, self.reason)?;
        if let Some(column) = &self.column {
            write!(f, " in `{column}`")?;
        }
        if let Some(first) = self.examples.first() {
            write!(f, ", first at {}:{}", first.file, first.line)?;
            if self.column.is_some() {
                write!(f, " ({})", first.value)?;
            }
        }
        Ok(())
    }
}
