//! Reads sources into validated rows: CSV, NDJSON, Parquet; plain, gzip, zstd; local or S3.
//!
//! Harmonises values (trimming, value maps, dates, numbers), turns identifiers into `ProfileKey`s at once, counts every
//! rejected row by source and reason. Knows nothing of profiles, ordinals or audiences' rules. Rows leave in [`Batch`]es.

pub mod batch;

pub use batch::{Batch, Cell, ConsentKind, Row, RowKind};
