//! Who was deleted: rows that name them are dropped as a whole, wherever they come from, so that uploading a file again
//! brings nobody back. And who objects: marks every identifier that a row names.

use super::fold::Fold;
use crate::collect::{Batch, Row};
use crate::log::Blocklist;
use crate::schema::{KeyHasher, ProfileKey, Scope, Timestamp};

/// The list of those who object or were deleted, as a build asks it.
pub struct Deletions<'a> {
    list: &'a Blocklist,
    hasher: &'a KeyHasher,
    /// Whether anybody is deleted: hashing every identifier once more is not for nothing then.
    any: bool,
}

impl<'a> Deletions<'a> {
    /// What holds at `now`.
    pub fn new(list: &'a Blocklist, hasher: &'a KeyHasher, now: Timestamp) -> Self {
        let any = list.iter().any(|(_, said)| said.at(now).is_some_and(|block| block.deleted));
        Deletions { list, hasher, any }
    }

    /// Whether the person with this identifier was deleted.
    pub fn holds(&self, key: ProfileKey) -> bool {
        self.any && self.list.get(self.hasher.block_key(key)).is_some_and(|block| block.deleted)
    }

    /// Takes the rows of deleted people out of a batch, their identifiers with them. Returns how many rows that were.
    pub(super) fn strike(&self, batch: &mut Batch) -> u64 {
        if !self.any {
            return 0;
        }
        let deleted: Vec<bool> = batch.keys.iter().map(|id| self.holds(id.key)).collect();
        if !deleted.contains(&true) {
            return 0;
        }
        let range = |row: &Row| row.keys_start as usize..row.keys_end as usize;
        let before = batch.rows.len();
        batch.rows.retain(|row| !deleted[range(row)].contains(&true));
        let old = std::mem::take(&mut batch.keys);
        for row in &mut batch.rows {
            let start = batch.keys.len() as u32;
            batch.keys.extend_from_slice(&old[range(row)]);
            (row.keys_start, row.keys_end) = (start, batch.keys.len() as u32);
        }
        (before - batch.rows.len()) as u64
    }

    /// Makes the objections of the list rows of the fold: whoever has an identifier that objects, objects.
    pub(super) fn object(&self, fold: &mut Fold) {
        if self.list.is_empty() {
            return;
        }
        for (key, id) in fold.graph.identifiers() {
            if let Some(block) = self.list.get(self.hasher.block_key(key)) {
                fold.consents.object(id, block.scope != Scope::Profiling, block.scope != Scope::Marketing);
            }
        }
    }
}
