//! A record of the `control` log: what must never be lost, and belongs to no generation. [`audit`] an entry of the audit trail,
//! [`trail`] all of them and whether their chain holds, [`bytes`] records as bytes.

pub mod audit;
pub mod bytes;
pub mod trail;

pub use audit::{AuditEntry, Link};
pub use trail::Trail;

use crate::schema::{BlockKey, Scope};

/// What somebody decided.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Control {
    /// These people object.
    Objection {
        /// Every identifier of theirs that was known.
        keys: Vec<BlockKey>,
        /// To what.
        scope: Scope,
        /// When it was received: seconds since the epoch.
        time: i64,
        /// Until when it holds; `None` = for good.
        until: Option<i64>,
    },
    /// These people are deleted: nothing is known of them, nothing is taken in, nobody speaks to them.
    Deletion {
        /// Every identifier of theirs that was known.
        keys: Vec<BlockKey>,
        /// When it was received: seconds since the epoch.
        time: i64,
        /// Until when they may not be taken in again; `None` = for good.
        until: Option<i64>,
    },
    /// All API keys, hashed, as they stand from here on: the text that `access` reads.
    Credentials(String),
    /// A change of the catalogue, or a part of one where a record is too small for it: the parts follow one another, and
    /// the change counts once the last is there.
    Definitions {
        /// When: seconds since the epoch.
        time: i64,
        /// From 0.
        part: u32,
        /// How many parts the change has.
        parts: u32,
        /// What `audiences` reads, cut at any character.
        text: String,
    },
    /// An entry of the audit trail.
    Audited(Box<AuditEntry>),
    /// The entries of the audit trail up to this one were dropped, it being more than a year old.
    Anchor {
        /// The last that was dropped.
        number: u64,
        /// Its link: the next hangs on it.
        link: Link,
    },
    /// An entry of the audit trail as earlier versions wrote it, in no chain.
    Audit {
        /// When: seconds since the epoch.
        time: i64,
        /// The credential's name.
        who: String,
        /// What was done: `export`, `explain`, `delete`.
        what: String,
        /// Whom it concerned.
        subject: BlockKey,
    },
}
