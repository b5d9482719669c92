//! Between builds: takes what came by the doors into the log, acknowledges it, and applies it to what is in service, so that
//! the next bid request sees it. One writer; readers never wait for it.
//!
//! Contents: [`intake`] the one thread that writes the events log, [`dedupe`] what it knows already (`bloom` in front of it).
//! What must not live here: protocols (see `planner`), the bid path's reading (see `overlay`), building.

mod bloom;
pub mod dedupe;
pub mod intake;

pub use dedupe::Dedupe;
pub use intake::{Apply, Incoming, Intake, Journal, Outcome, Settings, State, Stopped};
