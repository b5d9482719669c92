//! Vaglio: an audience server for the bidstream. This file is the contents page: rooms from the top floor down.
//!
//! | floor | rooms |
//! |---|---|
//! | arguments | `cli` |
//! | composition | `server` |
//! | doors | `hooks`, `planner`, `load` |
//! | verdicts and folds | `decide`, `build`, `live` |
//! | questions and readers | `lookup`, `evaluate`, `collect` |
//! | matter and people | `profiles`, `audiences`, `overlay`, `access` |
//! | files and rights | `snapshot`, `log`, `privacy`, `console` |
//! | nouns and settings | `schema`, `wire`, `config`, `telemetry`, `disk` |
//! | failures | `error` |
//!
//! Imports go downwards only (`tests/layering.rs`).

pub mod access;
pub mod audiences;
pub mod build;
pub mod cli;
pub mod collect;
pub mod config;
pub mod console;
pub mod decide;
pub mod disk;
pub mod error;
pub mod evaluate;
pub mod hooks;
pub mod live;
pub mod load;
pub mod log;
pub mod lookup;
pub mod overlay;
pub mod planner;
pub mod privacy;
pub mod profiles;
pub mod schema;
pub mod server;
pub mod snapshot;
pub mod telemetry;
pub mod wire;
