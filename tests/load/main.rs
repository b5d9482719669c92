//! The load generator against a server, and against stand-ins that were made for it: what it says must be what they did.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod asking;
mod engine;
mod outputs;
mod scenarios;
mod stand_in;
