//! The fold of what came by the doors: the same as by files, kept without its log segments, gone with the person.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod cuts;
mod deletions;
mod equal;
mod keeping;
mod world;
