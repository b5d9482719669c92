//! What changed since the snapshot, read by `lookup`: joins, leaves and consents that came by the doors, people the snapshot
//! does not know, who objects, exposures, who was seen; and flips, the joins and leaves that windows make due between builds.
//!
//! An [`Overlay`] belongs to one snapshot, because it speaks in ordinals; only [`Blocked`] is shared by all. One thread writes,
//! readers take no lock and wait for nobody. Must not know protocols, files or rules.

pub mod blocked;
pub mod changes;
pub mod daily;
pub mod exposures;
pub mod flips;
mod seen;

#[cfg(test)]
mod tests;

pub use blocked::Blocked;
pub use changes::Change;
pub use daily::Daily;
pub use exposures::Exposures;

use crate::log::Block;
use crate::log::blocklist::HashedState;
use crate::schema::{KeyHasher, ProfileKey, Timestamp};
use papaya::HashMap;
use seen::Seen;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// What a changed profile takes beside its changes: entries of the map and of the allocator, as measured.
const BYTES_PER_CHANGED: usize = 64;
/// What a stranger takes.
const BYTES_PER_STRANGER: usize = 80;

/// Everything that changed since one snapshot.
#[derive(Debug)]
pub struct Overlay {
    /// Profiles of the snapshot: strangers are numbered from here on.
    profiles: u32,
    keys: KeyHasher,
    /// Who objects and who was deleted.
    pub blocked: Arc<Blocked>,
    /// What campaigns said to whom since the snapshot.
    pub exposures: Exposures,
    /// Who was seen in the bidstream, by day: shared by the generations of one index.
    pub daily: Arc<Daily>,
    /// Raised before the first change of any kind.
    any: AtomicBool,
    seen: Seen,
    changes: HashMap<u32, Box<[Change]>>,
    consents: HashMap<u32, bool>,
    strangers: HashMap<ProfileKey, u32, HashedState>,
    /// The audiences of somebody of whom nothing is known.
    nobody: OnceLock<Box<[u32]>>,
    changed: AtomicUsize,
    /// Bytes of `changes`' lists.
    listed: AtomicUsize,
    behind: AtomicBool,
}

impl Overlay {
    /// Nothing has changed since a snapshot of so many profiles, whose keys `keys` made.
    pub fn new(profiles: u32, keys: KeyHasher, blocked: Arc<Blocked>) -> Self {
        Overlay {
            profiles,
            keys,
            blocked,
            exposures: Exposures::default(),
            daily: Arc::default(),
            any: AtomicBool::new(false),
            seen: Seen::default(),
            changes: HashMap::new(),
            consents: HashMap::new(),
            strangers: HashMap::default(),
            nobody: OnceLock::new(),
            changed: AtomicUsize::new(0),
            listed: AtomicUsize::new(0),
            behind: AtomicBool::new(false),
        }
    }

    /// The same with exposures that follow a snapshot's campaigns.
    #[must_use]
    pub fn with_exposures(self, exposures: Exposures) -> Self {
        Overlay { exposures, ..self }
    }

    /// Nothing has changed, and nobody objects: for asking a snapshot alone.
    pub fn empty() -> Self {
        Overlay::new(0, KeyHasher::new([0; 16]), Arc::default())
    }

    /// Whether there is nothing to look for: a snapshot's answers are the whole.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        !self.any.load(Ordering::Acquire) && self.blocked.is_empty()
    }

    /// What the block list says of an identifier.
    #[inline]
    pub fn block(&self, key: ProfileKey, now: Timestamp) -> Option<Block> {
        if self.blocked.is_empty() {
            return None;
        }
        self.blocked.find(self.keys.block_key(key), now)
    }

    /// The number of somebody whom the snapshot does not know.
    #[inline]
    pub fn stranger(&self, key: ProfileKey) -> Option<u32> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        self.strangers.pin().get(&key).copied()
    }

    /// The audiences of somebody of whom nothing is known, ascending.
    #[inline]
    pub fn nobody(&self) -> &[u32] {
        self.nobody.get().map_or(&[], |audiences| audiences)
    }

    /// Applies what holds at `now` of a profile's changes to its audiences, which are ascending and stay so.
    #[inline]
    pub fn apply(&self, profile: u32, now: Timestamp, audiences: &mut Vec<u32>) {
        if self.has_changed(profile)
            && let Some(found) = self.changes.pin().get(&profile)
        {
            changes::apply(found.iter().copied(), now.minute(), audiences);
        }
    }

    /// Whether a profile consented (`true`) or refused since the snapshot, if it did either.
    #[inline]
    pub fn consent(&self, profile: u32) -> Option<bool> {
        if !self.has_changed(profile) {
            return None;
        }
        self.consents.pin().get(&profile).copied()
    }

    #[inline]
    fn has_changed(&self, profile: u32) -> bool {
        profile >= self.profiles || self.seen.has(profile)
    }

    /// Whether what was acknowledged is applied later than it should be: caps are not known then.
    #[inline]
    pub fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    /// The profiles that changed, strangers included.
    pub fn changed(&self) -> usize {
        self.changed.load(Ordering::Relaxed)
    }

    /// The people whom the snapshot does not know.
    pub fn strangers(&self) -> usize {
        self.strangers.len()
    }

    /// Roughly how many bytes of memory it takes, without exposures and the block list.
    pub fn bytes(&self) -> usize {
        let lists = self.listed.load(Ordering::Relaxed);
        lists + self.changed() * BYTES_PER_CHANGED + self.strangers() * BYTES_PER_STRANGER + self.seen.bytes()
    }
}

/// For the one thread that writes.
impl Overlay {
    /// Says in which audiences somebody is of whom nothing is known: once, before the first stranger.
    pub fn start_strangers_with(&self, audiences: Box<[u32]>) {
        // Whoever says it again says the same: it depends on the snapshot's rules alone.
        let _ = self.nobody.set(audiences);
    }

    /// What a profile's changes are from now on, ascending; those that were are forgotten.
    pub fn change(&self, profile: u32, changes: Box<[Change]>) {
        let added = changes.len() * size_of::<Change>();
        let map = self.changes.pin();
        let removed = if changes.is_empty() { map.remove(&profile) } else { map.insert(profile, changes) };
        let removed = removed.map(|before| before.len() * size_of::<Change>());
        self.listed.fetch_add(added, Ordering::Relaxed);
        self.listed.fetch_sub(removed.unwrap_or(0), Ordering::Relaxed);
        match (removed.is_some(), added > 0) {
            (false, true) => {
                self.changed.fetch_add(1, Ordering::Relaxed);
                self.note(profile);
            }
            (true, false) => drop(self.changed.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
    }

    /// A profile has consented, or has refused.
    pub fn say_consent(&self, profile: u32, consents: bool) {
        self.consents.pin().insert(profile, consents);
        self.note(profile);
    }

    /// Lets readers find somebody whom the snapshot does not know by a key, under the next free number or one given before:
    /// after his changes were written.
    pub fn admit(&self, key: ProfileKey, number: u32) {
        self.strangers.pin().insert(key, number);
        self.any.store(true, Ordering::Release);
    }

    /// Takes out what is known of somebody, and the key by which a stranger is found.
    pub fn forget(&self, key: ProfileKey, profile: u32) {
        self.strangers.pin().remove(&key);
        self.change(profile, Box::default());
        self.consents.pin().remove(&profile);
        self.exposures.forget(profile);
    }

    /// Says whether what was acknowledged is applied later than it should be.
    pub fn set_behind(&self, behind: bool) {
        self.behind.store(behind, Ordering::Relaxed);
    }

    /// Lets readers find what was written of a profile.
    fn note(&self, profile: u32) {
        if profile < self.profiles {
            self.seen.raise(self.profiles, profile);
        }
        self.any.store(true, Ordering::Release);
    }
}
