//! The log: everything acknowledged is a record in an append-only file of checksummed frames. Two of one kind: `events`
//! (behaviour, exposures, traits, consents) and `control` (objections, deletions, credentials, the audit trail).
//!
//! Contents: [`record`] what came by the doors, as bytes; [`control`] what the control log says; [`blocklist`] who objects
//! and who was deleted, folded from it. What must not live here:
//! rules, profiles, protocols; a raw identifier (keys are hashed at the door).

pub mod blocklist;
pub mod control;
pub mod record;

pub use blocklist::{Block, Blocklist};
pub use control::Control;
pub use record::{Identifier, Record, Said, Stay, Value};
