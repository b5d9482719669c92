//! Logs, metrics and progress. No personal data, nothing per bid.
//!
//! Contents: [`progress`] what a person sees while a long job runs.

pub mod progress;
