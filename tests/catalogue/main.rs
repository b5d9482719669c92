//! The catalogue through the planner's port of a real server, and by `vaglio publish` beside it: what is defined, published,
//! confirmed, refused, seen by whom.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../doors/client.rs"]
#[allow(dead_code, reason = "shared with the doors' tests")]
mod client;
mod command;
mod confirm;
mod life;
mod many;
mod place;
mod tenants;
mod upload;
#[path = "../world/mod.rs"]
mod world;
