//! What changed since the snapshot, read by `lookup`. Today: flips, the joins and leaves that windows make due between builds;
//! [`blocked`], who objects and who was deleted; [`exposures`], what was shown.
//!
//! Must not know protocols, files or rules.

pub mod blocked;
pub mod exposures;
pub mod flips;

pub use blocked::Blocked;
pub use exposures::Exposures;
