//! Reading JSON bid requests and putting entries into them, against serde_json as the oracle: generated, damaged, nasty
//! and real ones.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agree;
mod generated;
mod nasty;
mod obvious;
#[path = "../real/mod.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod real;
mod requests;
