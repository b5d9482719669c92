//! Between builds: takes what came by the doors into the log, acknowledges it, and applies it to what is in service, so that
//! the next bid request sees it. One writer; readers never wait for it.
//!
//! Contents: [`intake`] the one thread that writes the events log, [`dedupe`] what it knows already (`bloom` in front of it), `journal`
//! both on the log itself; [`objections`] who objects and who is deleted, [`people`] whose an identifier is, [`held`] all that is held of a person.
//! [`Applier`] takes what is in the log into what is in service: [`Ground`] the generation as records are applied to it, [`Tail`]
//! what came since and what follows from it (`facts` of one profile, `retention` what of it may be used), [`handover`] how one tail takes over from another.
//! What must not live here: protocols (see `planner`), the bid path's reading (see `overlay`), building.

mod applier;
mod bloom;
pub mod dedupe;
mod facts;
mod ground;
pub mod handover;
pub mod held;
pub mod intake;
mod journal;
pub mod objections;
pub mod people;
mod retention;
mod tail;

use crate::error::Result;
use crate::schema::{ProfileKey, Scope, Timestamp};

pub use applier::Applier;
pub use dedupe::Dedupe;
pub use ground::{Ground, Known, Reading};
pub use held::Held;
pub use intake::{Answer, Apply, Incoming, Intake, Journal, Outcome, Settings, State, Stopped, let_bids_go_first};
pub use objections::Keeper;
pub use tail::{Counts, Room, Tail};

/// Somebody objects, by hashed identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Whom it is about: at least one.
    pub keys: Vec<ProfileKey>,
    /// To what.
    pub scope: Scope,
    /// When they said so.
    pub time: Timestamp,
}

/// Where objections go: not behind events, and also where no events are taken.
pub trait Objections: Send + Sync {
    /// Takes objections: when it returns they are durable and in force at every door. Blocks. To object twice is no harm.
    ///
    /// # Errors
    /// A machine that refuses; then none of them is acknowledged.
    fn object(&self, objections: &[Objection]) -> Result<()>;
}
