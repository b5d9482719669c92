//! Who objects and who was deleted, as every bid sees it: written by one thread, read by all without a lock. It belongs to no
//! generation: all share one.

use crate::log::blocklist::{self, HashedState};
use crate::log::{Block, Control};
use crate::schema::{BlockKey, Timestamp};
use papaya::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// The list. What was said once stays; whether it still holds is decided when it is read.
#[derive(Debug, Default)]
pub struct Blocked {
    said: HashMap<BlockKey, blocklist::Said, HashedState>,
    /// Raised before the first is added; the map itself would have to count.
    any: AtomicBool,
}

impl Blocked {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a record of the control log. Once this returns, whoever asks is told.
    pub fn note(&self, record: &Control) {
        let Some((keys, said)) = blocklist::of(record) else { return };
        self.any.store(true, Ordering::Release);
        let map = self.said.pin();
        for key in keys {
            map.update_or_insert(*key, |known| known.and(said), said);
        }
    }

    /// What holds of an identifier at `now`.
    pub fn find(&self, key: BlockKey, now: Timestamp) -> Option<Block> {
        self.said.pin().get(&key)?.at(now)
    }

    /// Whether as much is known of an identifier already.
    pub fn covers(&self, key: BlockKey, said: blocklist::Said) -> bool {
        self.said.pin().get(&key).is_some_and(|known| known.holds_as_long_as(&said))
    }

    /// Whether nobody was ever heard of: then there is nothing to look for.
    #[inline]
    pub fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    /// How many identifiers.
    pub fn len(&self) -> usize {
        self.said.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Scope;

    fn objection(key: u128, scope: Scope, until: Option<i64>) -> Control {
        Control::Objection { keys: vec![BlockKey(key)], scope, time: 0, until }
    }

    #[test]
    fn says_what_the_log_says_and_no_longer_than_it_says() {
        let blocked = Blocked::new();
        assert!(blocked.is_empty());
        blocked.note(&objection(1, Scope::Profiling, Some(100)));
        blocked.note(&Control::Deletion { keys: vec![BlockKey(1), BlockKey(2)], time: 5, until: Some(50) });
        let find = |key, now| blocked.find(BlockKey(key), Timestamp(now)).map(|block| (block.scope, block.deleted));
        assert_eq!(find(1, 10), Some((Scope::All, true)));
        assert_eq!(find(1, 50), Some((Scope::Profiling, false)));
        assert_eq!(find(1, 100), None);
        assert_eq!((find(2, 49), find(2, 50), find(3, 0)), (Some((Scope::All, true)), None, None));
        assert_eq!(blocked.len(), 2);
    }

    #[test]
    fn whoever_was_acknowledged_is_found_by_all_who_ask_while_others_are_added() {
        let blocked = Blocked::new();
        let told = std::sync::atomic::AtomicU64::new(0);
        let people = 20_000u64;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for person in 1..=people {
                    blocked.note(&objection(u128::from(person) << 64 | u128::from(person), Scope::All, None));
                    told.store(person, std::sync::atomic::Ordering::Release);
                }
            });
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let last = told.load(std::sync::atomic::Ordering::Acquire);
                        for person in last.saturating_sub(50)..=last {
                            let key = BlockKey(u128::from(person) << 64 | u128::from(person));
                            assert_eq!(blocked.find(key, Timestamp(0)).is_some(), person > 0, "{person} of {last}");
                        }
                        if last == people {
                            return;
                        }
                    }
                });
            }
        });
    }
}
