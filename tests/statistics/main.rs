//! Statistics of a real server: every figure against counts that the test keeps itself, who was seen from one index to the next
//! and over a restart, and audiences that are too small to leave.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod answers;
#[allow(dead_code, reason = "only its plain requests are used here")]
#[path = "../doors/client.rs"]
mod client;
mod floor;
#[allow(dead_code, reason = "only parts of it are used here")]
#[path = "../doors/world.rs"]
mod scene;
mod seen;
#[path = "../world/mod.rs"]
mod world;
