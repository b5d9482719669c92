//! What changed since the snapshot, read by `lookup`. Today: flips, the joins and leaves that windows make due between builds.
//!
//! Must not know protocols, files or rules.

pub mod flips;
