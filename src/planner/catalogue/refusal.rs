//! Why a change of the catalogue is refused, for every way in: the port and the command line.

use super::weigh::Reason;
use crate::audiences::definitions::Finding;
use crate::audiences::versions::Kind;
use crate::error::Error;
use crate::schema::AudienceId;
use std::path::PathBuf;

/// Why not.
#[derive(Debug)]
pub enum Refusal {
    /// Definitions are wrong, each error at its place.
    Wrong(Vec<Finding>),
    /// What is in force would break, each error at its place.
    Breaks(Vec<Finding>),
    /// There is no such definition, or no such version of it.
    Absent(String),
    /// It is defined in a file, which is changed there.
    InFile(Vec<Held>),
    /// They belong to another owner: kind, id, line.
    Foreign(Vec<(Kind, AudienceId, usize)>),
    /// It is not the version that was expected: what it is.
    Stale(Option<u64>),
    /// Others changed the catalogue again and again meanwhile.
    Busy,
    /// Only an approver may; what must be confirmed, if it is for that.
    Approver(Vec<Reason>),
    /// It must be confirmed: why, and by what.
    Confirm(Vec<Reason>, String),
    /// What is asked makes no sense.
    Senseless(String, &'static str),
    /// A machine or a file refuses.
    Failed(Error),
}

/// A definition that a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What sort.
    pub kind: Kind,
    /// Its name.
    pub id: AudienceId,
    /// The file.
    pub file: PathBuf,
    /// Its line there.
    pub line: usize,
    /// The line of what was sent; 0 = not known.
    pub sent: usize,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Failed(error)
    }
}
