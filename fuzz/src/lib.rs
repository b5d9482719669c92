//! What the fuzz targets share with `tests/fuzz_smoke.rs`: the entries, and sound input to start from.

pub mod entries;
pub mod seeds;
