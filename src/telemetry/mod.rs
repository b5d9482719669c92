//! Logs, metrics and progress. No personal data, nothing per bid.
//!
//! Contents: [`callers`] what is counted for each caller; [`exposed`] exposures that were taken; [`logs`] the log; [`overlay`] what came since the generation; [`metrics`] what is counted and scraped; [`shards`] counters that workers do not share;
//! [`statistics`] the bytes of what is kept of answers; [`progress`] what a person sees while a long job runs.

pub mod callers;
pub mod exposed;
pub mod feed;
pub mod logs;
pub mod metrics;
pub mod overlay;
pub mod progress;
pub mod shards;
pub mod statistics;

pub use metrics::Metrics;
