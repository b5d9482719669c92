//! Vaglio under faults: every operation on files made to fail or to be the last, processes killed at any moment, damaged
//! bytes, full disks, moved clocks and power cuts; and proof that this harness finds what it looks for.
//!
//! What was acknowledged is written down outside the process that is hit: what it says of itself counts for nothing.
//! `VAGLIO_TORTURE_ROUNDS` asks for more rounds than `make test` has time for.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod appender;
mod clock;
mod damage;
mod damaged_log;
mod dice;
mod exposures;
mod full_disk;
mod http;
mod ledger;
mod log;
mod planted;
mod power;
mod run;
mod server;
mod serving;
mod statistics;
mod store;
mod trace;
#[path = "../world/mod.rs"]
mod world;
