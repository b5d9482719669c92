//! Generations on disk: checksummed sections named by their hash, manifests, the swap.
//!
//! The bytes are drawn in `docs/format.md`.

pub mod blocked;
pub mod columns;
pub mod consents;
pub mod keys;
