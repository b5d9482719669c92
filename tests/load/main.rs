//! The load generator against servers that were made for it: what it says must be what they did.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod asking;
