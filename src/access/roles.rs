//! What a key is for at the planner's port: each path there asks for a role. (Who asks at the bid doors: [`Access::bidder`].)

use super::{Access, Credential, Refusal, Role, Shown};
use crate::schema::Timestamp;

/// Who does something at the planner's port, for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The key's id, a caller's name, or `loopback`: never a key.
    pub name: String,
    /// The owner whose data it may touch; `None` = everybody's.
    pub owner: Option<String>,
}

impl Who {
    /// Whoever has a key that `vaglio keys` made.
    pub(super) fn of(made: &Credential) -> Self {
        Who { name: made.id.clone(), owner: (made.owner != "*").then(|| made.owner.clone()) }
    }

    /// Whoever is on this machine, while there are no keys.
    fn loopback() -> Self {
        Who { name: "loopback".to_owned(), owner: None }
    }

    /// Whether it may touch what belongs to this owner.
    pub fn sees(&self, owner: &str) -> bool {
        self.owner.as_deref().is_none_or(|own| own == owner)
    }
}

impl Access {
    /// Whether somebody may do what a role does. Without a key only this machine may, and only while there are no keys:
    /// whoever made one tells people apart.
    ///
    /// # Errors
    /// A key that is wrong or of another role, or none where one is needed.
    pub fn may(&self, shown: &Shown<'_>, role: Role, now: Timestamp) -> Result<Who, Refusal> {
        let Some(key) = shown.key else {
            return if shown.loopback && !self.has_keys { Ok(Who::loopback()) } else { Err(Refusal::Missing) };
        };
        let known = self.valid(key, now)?;
        if known.role == role { Ok(known.who.clone()) } else { Err(Refusal::OtherRole) }
    }
}
