//! Reads sources into validated rows: CSV, NDJSON, Parquet; plain, gzip, zstd; local or S3.
//!
//! Harmonises values (trimming, value maps, dates, numbers), turns identifiers into `ProfileKey`s at once, counts every
//! rejected row by source and reason. Knows nothing of profiles, ordinals or audiences' rules. Rows leave in [`Batch`]es.
//!
//! A file's way: `files` finds and opens it, `header` checks its columns, `from_csv`, `from_ndjson` or `from_parquet`
//! take it apart into a `record` of raw values, `rows` makes a validated row of it by the source's `plan` (with
//! `identifiers`, `values`, `times`), `rejects` counts what is left behind, `run` drives it all, `report` tells.

pub mod batch;
mod files;
mod from_csv;
mod from_ndjson;
#[cfg(feature = "lake")]
mod from_parquet;
mod header;
mod identifiers;
#[cfg(feature = "lake")]
mod objects;
mod plan;
mod record;
mod rejects;
mod report;
mod rows;
mod run;
#[cfg(test)]
mod tests;
mod times;
mod values;
mod window;

pub use batch::{Batch, Cell, ConsentKind, Found, Row, RowKind};
pub use identifiers::{Class as IdClass, canonical_as, canonical_uid, is_unset_ifa, normalised};
pub use report::{CollectReport, Example, Rejects, SourceReport};
pub use run::{collect, identifiers};
pub use times::{date, instant};
