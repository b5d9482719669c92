//! The data directory under attack: damage, wrong keys, other versions, two builders, killed builders, a full disk.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod builders;
mod directory;
mod generations;
mod reading;
