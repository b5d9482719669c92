//! The doors of a real server: HTTP and gRPC, every status and every wrong input, swaps, drains and failing builds.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod client;
mod deletion;
mod grpc;
mod http;
mod life;
mod policy;
mod privacy;
mod protocol;
mod slow;
mod whole;
mod world;
