//! Why a build failed, in a word that programs can rely on.

use crate::error::{Error, ErrorKind};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a build failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A definition is wrong: every mistake is listed.
    DefinitionsInvalid,
    /// The configuration is wrong.
    ConfigurationInvalid,
    /// The disk is full.
    DiskFull,
    /// A source is not there.
    SourceMissing,
    /// A source has more rows that were not taken than it may.
    TooManyRejects,
    /// Somebody else builds, rolls back or sweeps.
    Busy,
    /// What there is on disk is damaged.
    SnapshotDamaged,
    /// Anything else: the message and the server's log say what.
    Internal,
}

/// What a build's last words hold, and what that means; the first that is found counts.
const WORDS: &[(&str, Reason)] = &[
    ("No space left", Reason::DiskFull),
    ("the disk is full", Reason::DiskFull),
    ("free some space", Reason::DiskFull),
    ("max_rejected_share", Reason::TooManyRejects),
    ("is held by", Reason::Busy),
    ("the definitions have", Reason::DefinitionsInvalid),
    ("definitions: no file", Reason::DefinitionsInvalid),
    ("the files of some sources", Reason::SourceMissing),
    ("no file matches", Reason::SourceMissing),
    ("No such file", Reason::SourceMissing),
    ("the configuration", Reason::ConfigurationInvalid),
    ("is damaged", Reason::SnapshotDamaged),
];

impl Reason {
    /// Of the last words of a build in another process.
    pub fn of_words(words: &str) -> Reason {
        let found = WORDS.iter().find(|(part, _)| words.contains(part));
        found.map_or(Reason::Internal, |(_, reason)| *reason)
    }

    /// Of a failure in this process.
    pub fn of(error: &Error) -> Reason {
        match error.kind {
            ErrorKind::NoRoom => Reason::DiskFull,
            ErrorKind::Busy => Reason::Busy,
            ErrorKind::Snapshot => Reason::SnapshotDamaged,
            ErrorKind::Usage | ErrorKind::Input | ErrorKind::Io => Reason::of_words(&error.to_string()),
            ErrorKind::Internal => Reason::Internal,
        }
    }
}
