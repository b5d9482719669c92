//! The log: everything acknowledged is a record in an append-only file of checksummed frames. Two of one kind: `events`
//! (behaviour, exposures, traits, consents) and `control` (objections, deletions, credentials, the audit trail).
//!
//! Contents: [`record`] what came by the doors, as bytes; [`control`] what the control log says, [`blocklist`] who objects
//! and who was deleted, folded from it; [`events_log`] a log of one writer, [`control_log`] the log of several, [`compact`]
//! what of it still holds; [`reader`] what is in it; [`frame`] the bytes of a segment, [`segment`] its
//! files, [`writer`] appending, [`recover`] what a crash left, [`reserve`] room for who must not be refused, [`lock`]. What must
//! not live here: rules, profiles, protocols; a raw identifier (keys are hashed at the door).

pub mod blocklist;
pub mod control;
pub mod control_log;
pub mod events_log;
pub mod frame;
pub mod reader;
pub mod record;

mod coding;
mod compact;
mod lock;
mod recover;
mod reserve;
mod segment;
mod writer;

pub use blocklist::{Block, Blocklist};
pub use control::{AuditEntry, Control, Link, Trail};
pub use control_log::ControlLog;
pub use events_log::{Log, Settings};
pub use reader::{Which, oldest, read};
pub use record::{Identifier, Record, Said, Stay, Value};
pub use recover::Recovery;

use std::path::{Path, PathBuf};

/// Where a data directory keeps its events log.
pub fn events_directory(data_dir: &Path) -> PathBuf {
    data_dir.join("log/events")
}

/// Where a data directory keeps its control log.
pub fn control_directory(data_dir: &Path) -> PathBuf {
    data_dir.join("log/control")
}

#[cfg(test)]
mod tests;
