//! Exports: what a naive reading of the sources finds, in every shape; nobody who said no; deltas through crashes; the port.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[path = "../doors/client.rs"]
#[allow(dead_code, reason = "the doors' tests use more of it")]
mod client;
#[cfg(feature = "faults")]
mod crash;
mod deltas;
mod edge;
mod formats;
#[path = "../../examples/suppression/list.rs"]
mod list;
mod port;
mod scene;
#[cfg(feature = "lake")]
mod store;
mod who;
