//! Who objects and who was deleted, at every door: looked for before anything else, whatever state the server is in. It needs
//! no generation, only the secret that identifiers are hashed with.
//!
//! An objection to marketing and a deletion win over everything, also over a request that denies its use: the list has a
//! legal basis of its own, and no profile is read for it.

use crate::decide::Status;
use crate::overlay::Blocked;
use crate::schema::{Clock, KeyHasher, ProfileKey, Scope};
use std::sync::{Arc, OnceLock};

/// The list, and how to look in it.
#[derive(Debug, Default)]
pub struct Refusals {
    /// Who objects and who was deleted.
    pub blocked: Arc<Blocked>,
    /// The installation's, once it is known: there may be no generation to tell it.
    pub keys: Arc<OnceLock<KeyHasher>>,
}

impl Refusals {
    /// Makes the secret known. Only the first counts: one installation has one.
    pub fn hash_with(&self, keys: KeyHasher) {
        let _ = self.keys.set(keys);
    }

    /// What any of these identifiers refuses, the strongest first: [`Status::Blocked`] is not to be spoken to,
    /// [`Status::NoConsent`] is not to be looked at. By the machine's clock, also where answers are of a frozen instant.
    pub(super) fn of(&self, keys: &[ProfileKey], hasher: &KeyHasher) -> Option<Status> {
        if self.blocked.is_empty() {
            return None;
        }
        let now = Clock::System.now();
        let blocks = keys.iter().filter_map(|key| self.blocked.find(hasher.block_key(*key), now));
        let statuses = blocks.map(|block| match block.scope {
            Scope::Marketing | Scope::All => Status::Blocked,
            Scope::Profiling => Status::NoConsent,
        });
        statuses.max_by_key(|status| *status == Status::Blocked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Control;

    #[test]
    fn the_strongest_refusal_of_any_identifier_counts() {
        let (refusals, hasher) = (Refusals::default(), KeyHasher::new([3; 16]));
        let [nobody, profiling, marketing, deleted] = [0, 1, 2, 3].map(ProfileKey);
        assert_eq!(refusals.of(&[profiling], &hasher), None);
        let object = |key, scope| Control::Objection { keys: vec![hasher.block_key(key)], scope, time: 0, until: None };
        refusals.blocked.note(&object(profiling, Scope::Profiling));
        refusals.blocked.note(&object(marketing, Scope::Marketing));
        refusals.blocked.note(&Control::Deletion { keys: vec![hasher.block_key(deleted)], time: 0, until: None });
        for (keys, status) in [
            (vec![nobody], None),
            (vec![nobody, profiling], Some(Status::NoConsent)),
            (vec![marketing, profiling], Some(Status::Blocked)),
            (vec![profiling, deleted, nobody], Some(Status::Blocked)),
            (vec![], None),
        ] {
            assert_eq!(refusals.of(&keys, &hasher), status, "{keys:?}");
        }
        assert_eq!(refusals.of(&[marketing], &KeyHasher::new([4; 16])), None, "another installation's list");
    }
}
