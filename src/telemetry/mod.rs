//! Logs, metrics and progress. No personal data, nothing per bid.
//!
//! Contents: [`logs`] the log; [`metrics`] what is counted and scraped; [`shards`] counters that workers do not share;
//! [`progress`] what a person sees while a long job runs.

pub mod logs;
pub mod metrics;
pub mod progress;
pub mod shards;

pub use metrics::Metrics;
