//! The events door on a real socket, over a real log: JSON lines and the gRPC stream, what is refused and why. What a taken
//! event changes at bid time is proved where it is applied.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../doors/client.rs"]
#[allow(dead_code, reason = "shared with the doors' tests")]
mod client;
mod lines;
mod port;
mod stream;
