//! What a key is for at the planner's port: each path there asks for a role. (Who asks at the bid doors: [`Access::bidder`].)

use super::{Access, Credential, KeyHash, Refusal, Role, Shown};
use crate::schema::Timestamp;

/// Sees definitions, reach, generations, statistics: of its own owner.
pub const SEE: &[Role] = &[Role::Planner, Role::Approver, Role::Operator];
/// Writes drafts, uploads definitions, publishes what needs no approver.
pub const DEFINE: &[Role] = &[Role::Planner, Role::Approver];
/// Puts people on lists and takes them off.
pub const LISTS: &[Role] = &[Role::Planner, Role::Approver, Role::Ingest];
/// Has audiences leave the house.
pub const EXPORT: &[Role] = &[Role::Approver, Role::Operator];
/// Sends events.
pub const INGEST: &[Role] = &[Role::Ingest];
/// Notes that people object. (What else `POST /api/v1/events` takes is for [`INGEST`].)
pub const OBJECT: &[Role] = &[Role::Ingest, Role::Privacy];
/// Sees and deletes what is held of people.
pub const PEOPLE: &[Role] = &[Role::Privacy];
/// Reads the audit trail.
pub const AUDIT: &[Role] = &[Role::Privacy, Role::Operator];
/// Ends a build that runs.
pub const CANCEL: &[Role] = &[Role::Approver, Role::Operator];
/// Asks who one is.
pub const ANY: &[Role] = &Role::ALL;
/// Keys, builds, rollback.
pub const OPERATE: &[Role] = &[Role::Operator];

/// Who does something at the planner's port, for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The key's id, a caller's name, or `loopback`: never a key.
    pub name: String,
    /// The owner whose data it may touch; `None` = everybody's.
    pub owner: Option<String>,
    /// What the key is for; `None` = no key, everything.
    pub role: Option<Role>,
}

impl Who {
    /// Whoever has a key that `vaglio keys` made.
    pub(super) fn of(made: &Credential) -> Self {
        Who { name: made.id.clone(), owner: (made.owner != "*").then(|| made.owner.clone()), role: Some(made.role) }
    }

    /// Whoever is on this machine, while there are no keys.
    fn loopback() -> Self {
        Who { name: "loopback".to_owned(), owner: None, role: None }
    }

    /// Whoever runs a command on the machine of the data directory: there file permissions say who may what.
    pub fn command_line() -> Self {
        Who { name: "command line".to_owned(), owner: None, role: None }
    }

    /// Whether it may touch what belongs to this owner.
    pub fn sees(&self, owner: &str) -> bool {
        self.owner.as_deref().is_none_or(|own| own == owner)
    }
}

/// What each set lets one do, in words: for `whoami` and the documents.
pub const SETS: [(&str, &[Role]); 9] = [
    ("see definitions, reach, generations and statistics", SEE),
    ("define and publish", DEFINE),
    ("change lists", LISTS),
    ("export audiences", EXPORT),
    ("send events", INGEST),
    ("note objections", OBJECT),
    ("see and delete people", PEOPLE),
    ("read the audit trail", AUDIT),
    ("keys, builds, rollback", OPERATE),
];

impl Access {
    /// Whether anybody is asked for a key: one was made and is not taken away.
    pub fn has_keys(&self) -> bool {
        self.has_keys
    }

    /// Whether somebody may do what one of the roles does. Without a key only this machine may, and only while there are no keys:
    /// whoever made one tells people apart.
    ///
    /// # Errors
    /// A key that is wrong or of another role, or none where one is needed.
    pub fn may(&self, shown: &Shown<'_>, roles: &[Role], now: Timestamp) -> Result<Who, Refusal> {
        let hash = match (shown.key, shown.certificate) {
            (Some(key), _) => KeyHash::of_shown(key),
            (None, Some(certificate)) => Some(certificate),
            (None, None) if shown.loopback && !self.has_keys => return Ok(Who::loopback()),
            (None, None) => return Err(Refusal::Missing),
        };
        let known = self.valid(hash, shown.loopback, now)?;
        if roles.contains(&known.role) { Ok(known.who.clone()) } else { Err(Refusal::OtherRole) }
    }
}
