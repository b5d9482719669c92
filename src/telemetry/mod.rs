//! Logs, metrics and progress. No personal data, nothing per bid.
