//! What is written into the audit trail: who did what to what. The chain itself is in `log::control`.

use super::Who;
use crate::error::Result;
use crate::log::{AuditEntry, Control, ControlLog, Link, control_directory};
use crate::schema::{BlockKey, Clock, Offset};
use std::path::Path;

/// The longest text of an entry, in bytes; what is longer is cut.
const LONGEST: usize = 256;

/// What somebody did. No raw identifier, no key: texts are short values or digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// What was done, such as `publish`.
    pub what: &'static str,
    /// What it was done to, such as `audience acme/vip`; may be empty.
    pub object: String,
    /// Whom it concerned.
    pub subject: Option<BlockKey>,
    /// What stood there before.
    pub before: Option<String>,
    /// What stands there now.
    pub after: Option<String>,
}

impl Entry {
    /// As a record of somebody, which has no place in the chain yet.
    pub fn by(self, who: &Who) -> AuditEntry {
        AuditEntry {
            number: 0,
            time: Clock::System.now().0,
            who: short(&who.name),
            owner: who.owner.as_deref().map(short),
            what: self.what.to_owned(),
            object: short(&self.object),
            subject: self.subject,
            before: self.before.as_deref().map(short),
            after: self.after.as_deref().map(short),
            link: Link::FIRST,
        }
    }
}

/// One line, within bounds.
fn short(text: &str) -> String {
    let cut = text.floor_char_boundary(LONGEST);
    text[..cut].chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

/// Whether an entry is shown to an owner: what its own keys did, and what was done to what is its own.
pub fn concerns(entry: &AuditEntry, owner: &str) -> bool {
    let of = |word: &str| word.split_once('/').is_some_and(|(of, _)| of == owner);
    entry.owner.as_deref() == Some(owner) || entry.object.split_whitespace().any(of)
}

/// Writes an entry into the audit trail of a data directory: for commands. A server has its own way, `live::Keeper::log`.
///
/// # Errors
/// A damaged log, another process that keeps it, a machine that refuses.
pub fn log(data_dir: &Path, who: &Who, entry: Entry) -> Result<()> {
    let mut log = ControlLog::open(&control_directory(data_dir))?;
    let mut nothing = |_: Offset, _: Control| Ok(());
    log.turn()?.audit(entry.by(who), &mut nothing).map(drop)
}
