//! What is built, seen from the planner's port: what runs, what waits and why, what became of the last ones, and whether
//! what was published answers at the bid doors.
//!
//! The values here are what the server's builder says of itself; the paths over them are in [`http`].

pub mod http;
pub mod reason;

use crate::error::Problem;
use crate::schema::{Generation, Timestamp};
pub use reason::Reason;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who builds.
pub trait Builds: Send + Sync {
    /// The definitions have changed: it looks at once. Several wakes become one.
    fn wake(&self);
    /// A rollback was made or ended: it looks which generation is live at once.
    fn look(&self);
    /// What it does.
    fn state(&self) -> BuildState;
    /// Ends what runs; whether anything did.
    fn cancel(&self) -> bool;
    /// Asks for a build now, whether or not one is due.
    fn request(&self, what: What);
}

/// A build that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BuildWhat)]
pub enum What {
    /// The sources are read again.
    Full,
    /// The rules are evaluated again.
    Activate,
}

/// A sort of build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A few definitions that changed, over the generation in service.
    Fresh,
    /// Every rule, over the index that there is.
    Activate,
    /// Sources, index and rules.
    Full,
}

impl From<What> for Kind {
    fn from(what: What) -> Kind {
        match what {
            What::Full => Kind::Full,
            What::Activate => Kind::Activate,
        }
    }
}

/// What the builder does.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildState {
    /// At most one fresh generation, and one build beside it.
    pub running: Vec<Running>,
    /// What is to be built next.
    pub queued: Vec<Queued>,
    /// What has ended, the last first.
    pub ended: Vec<Ended>,
    /// Where the published definitions are on their way to the bid doors.
    pub publishing: Publishing,
}

/// A build that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// What sort.
    pub kind: Kind,
    /// What it is at: `collect`, `audiences`, ...; empty when that is not known yet.
    pub phase: String,
    /// How much of the phase is done, from 0 to 1; `None` where that is not known.
    pub progress: Option<f64>,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub why: Why,
    /// The definitions it is for, where it is for certain ones.
    pub definitions: Option<String>,
}

/// A build that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// What sort.
    pub kind: Kind,
    /// Why.
    pub why: Why,
    /// Since when.
    pub since: Timestamp,
    /// Not before; `None` = as soon as what runs has ended.
    pub not_before: Option<Timestamp>,
}

/// Why something is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Somebody asked for it.
    Requested,
    /// Its time has come: the configured interval, or the first generation.
    Due,
    /// Definitions were published.
    Published,
    /// More definitions were published than a fresh generation takes.
    PublishedMany,
    /// The first or the last minute of a definition has passed.
    Validity,
    /// Deletions or a full overlay ask for it.
    Upkeep,
    /// The last one failed.
    Retry,
}

/// How a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There is a generation of it.
    Done,
    /// It failed: what served before still does.
    Failed,
    /// Somebody ended it, or something newer took its place.
    Cancelled,
}

/// A build that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// What sort.
    pub kind: Kind,
    /// How.
    pub outcome: Outcome,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// The generation it made.
    pub generation: Option<Generation>,
    /// Why it was started.
    pub why: Why,
    /// The definitions it was for, where it was for certain ones.
    pub definitions: Option<String>,
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub seconds: f64,
    /// When it was asked for, where somebody published.
    pub requested: Option<Timestamp>,
    /// When the bid doors answered from it; `None` = they have not.
    pub in_service: Option<Timestamp>,
    /// From the request to the bid doors.
    pub seconds_to_service: Option<f64>,
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For programs.
    pub reason: Reason,
    /// For people.
    pub message: String,
    /// Everything that is wrong, each at its place.
    pub problems: Vec<Problem>,
}

/// Where the published definitions are on their way to the bid doors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Publishing {
    /// How far they are.
    pub stage: Stage,
    /// Which they are; `None` = not read yet, or they cannot be read.
    pub definitions: Option<String>,
    /// When they were published, or when it was seen that they were.
    pub requested: Option<Timestamp>,
    /// The generation in service.
    pub generation: Option<Generation>,
    /// Whose pin they wait behind.
    pub pinned: Option<Generation>,
    /// Why they go no further.
    pub failure: Option<Failure>,
}

/// How far published definitions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// They are waited for: by another build, or by the first generation.
    Waiting,
    /// A generation of them is being made.
    Building,
    /// There is a generation of them, and it is being taken into service.
    Built,
    /// The bid doors answer from them.
    InService,
    /// A rollback pins an earlier generation: they stay published, and go live once it is unpinned.
    Pinned,
    /// They cannot go live: the failure says why. What served before still does.
    Failed,
}
