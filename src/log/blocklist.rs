//! Who objects and who was deleted: the control log, folded into a value. It belongs to no generation.
//!
//! What was said of an identifier only ever grows: every objection and deletion counts until its own end, whatever came after
//! it, so the order of records does not matter.

use super::Control;
use super::reader::follow;
use crate::error::Result;
use crate::schema::{BlockKey, Offset, Scope, Timestamp};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::path::Path;

/// The end of what holds for good.
const FOR_GOOD: i64 = i64::MAX;
/// The end of what was never said.
const NEVER: i64 = i64::MIN;

/// What holds of an identifier at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// What is objected to. A deleted person counts as objecting to everything.
    pub scope: Scope,
    /// Whether the person was deleted: nothing is known, nothing is taken in.
    pub deleted: bool,
    /// When it was last said: seconds since the epoch.
    pub since: i64,
    /// Until when exactly this holds; what is then left may be less. `None` = for good.
    pub until: Option<i64>,
}

/// Everything that was said of one identifier, each with its own end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    marketing: i64,
    profiling: i64,
    deleted: i64,
    since: i64,
}

impl Said {
    /// An objection.
    pub fn objection(scope: Scope, time: i64, until: Option<i64>) -> Self {
        let end = |meant: bool| if meant { until.unwrap_or(FOR_GOOD) } else { NEVER };
        let (marketing, profiling) = (end(scope != Scope::Profiling), end(scope != Scope::Marketing));
        Said { marketing, profiling, deleted: NEVER, since: time }
    }

    /// A deletion.
    pub fn deletion(time: i64, until: Option<i64>) -> Self {
        Said { marketing: NEVER, profiling: NEVER, deleted: until.unwrap_or(FOR_GOOD), since: time }
    }

    /// Both: whatever ends later.
    #[must_use]
    pub fn and(self, other: Said) -> Said {
        Said {
            marketing: self.marketing.max(other.marketing),
            profiling: self.profiling.max(other.profiling),
            deleted: self.deleted.max(other.deleted),
            since: self.since.max(other.since),
        }
    }

    /// Whether everything that `other` says stands here, and ends no earlier.
    pub fn holds_as_long_as(&self, other: &Said) -> bool {
        self.marketing >= other.marketing && self.profiling >= other.profiling && self.deleted >= other.deleted
    }

    /// What of it holds at a moment. A deletion wins over objections; those to marketing and to profiling add up.
    pub fn at(&self, now: Timestamp) -> Option<Block> {
        let holds = |end: i64| now.0 < end;
        let block = |scope, deleted, end: i64| {
            Some(Block { scope, deleted, since: self.since, until: (end != FOR_GOOD).then_some(end) })
        };
        if holds(self.deleted) {
            return block(Scope::All, true, self.deleted);
        }
        match (holds(self.marketing), holds(self.profiling)) {
            (true, true) => block(Scope::All, false, self.marketing.min(self.profiling)),
            (true, false) => block(Scope::Marketing, false, self.marketing),
            (false, true) => block(Scope::Profiling, false, self.profiling),
            (false, false) => None,
        }
    }
}

/// Nothing to mix: the keys are hashes.
#[derive(Debug, Default, Clone, Copy)]
pub struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}

/// Builds [`AlreadyHashed`].
pub type HashedState = BuildHasherDefault<AlreadyHashed>;

/// What the control log says of people.
#[derive(Debug, Clone)]
pub struct Blocklist {
    said: HashMap<BlockKey, Said, HashedState>,
    /// Where in the log, and when.
    deletions: Vec<(Offset, i64)>,
    now: Timestamp,
}

impl Blocklist {
    /// Nobody, seen from `now`: what has ended by then counts no more.
    pub fn new(now: Timestamp) -> Self {
        Blocklist { said: HashMap::default(), deletions: Vec::new(), now }
    }

    /// Everything that a control log says, seen from `now`, and where it ends. A directory without a log says nothing.
    ///
    /// # Errors
    /// A damaged log.
    pub fn read(directory: &Path, now: Timestamp) -> Result<(Self, Offset)> {
        let mut list = Blocklist::new(now);
        let end = follow(directory, Offset(0), &mut |offset, payload| {
            list.note(offset, &Control::decode(payload)?);
            Ok(())
        })?;
        Ok((list, end))
    }

    /// Takes in a record.
    pub fn note(&mut self, offset: Offset, record: &Control) {
        let Some((keys, said)) = of(record) else { return };
        if matches!(record, Control::Deletion { .. }) {
            self.deletions.push((offset, said.since));
        }
        for key in keys {
            self.said.entry(*key).and_modify(|known| *known = known.and(said)).or_insert(said);
        }
    }

    /// What holds of an identifier.
    pub fn get(&self, key: BlockKey) -> Option<Block> {
        self.said.get(&key)?.at(self.now)
    }

    /// Whether nobody was ever heard of.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Everybody, with all that was said of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (BlockKey, Said)> {
        self.said.iter().map(|(key, said)| (*key, *said))
    }

    /// When the first deletion at or after a place in the log was received: what a generation with that cut still holds
    /// must be gone so many days later.
    pub fn first_deletion(&self, from: Offset) -> Option<i64> {
        self.deletions.iter().filter(|(offset, _)| *offset >= from).map(|(_, time)| *time).min()
    }
}

/// Whom a record of the control log is about, and what it says of them; `None` = of nobody.
pub fn of(record: &Control) -> Option<(&[BlockKey], Said)> {
    match record {
        Control::Objection { keys, scope, time, until } => Some((keys, Said::objection(*scope, *time, *until))),
        Control::Deletion { keys, time, until } => Some((keys, Said::deletion(*time, *until))),
        Control::Credentials(_)
        | Control::Definitions { .. }
        | Control::Audited(_)
        | Control::Anchor { .. }
        | Control::Audit { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record((kind, time, length): (u8, i64, Option<i64>)) -> Control {
        let (keys, until) = (vec![BlockKey(7)], length.map(|length| time + length));
        match kind {
            0 => Control::Objection { keys, scope: Scope::Marketing, time, until },
            1 => Control::Objection { keys, scope: Scope::Profiling, time, until },
            2 => Control::Objection { keys, scope: Scope::All, time, until },
            _ => Control::Deletion { keys, time, until },
        }
    }

    /// The definition, word by word: any record that has not ended counts.
    fn obvious(records: &[Control], now: i64) -> Option<(Scope, bool)> {
        let open = |until: &Option<i64>| until.is_none_or(|until| now < until);
        let deleted = records.iter().any(|it| matches!(it, Control::Deletion { until, .. } if open(until)));
        let objects = |to: Scope| {
            records.iter().any(|it| {
                matches!(it, Control::Objection { scope, until, .. } if (*scope == to || *scope == Scope::All) && open(until))
            })
        };
        match (deleted, objects(Scope::Marketing), objects(Scope::Profiling)) {
            (true, _, _) => Some((Scope::All, true)),
            (_, true, true) => Some((Scope::All, false)),
            (_, true, false) => Some((Scope::Marketing, false)),
            (_, false, true) => Some((Scope::Profiling, false)),
            _ => None,
        }
    }

    proptest! {
        #[test]
        fn every_record_counts_until_its_end(
            said in prop::collection::vec((0u8..4, 0i64..50, prop::option::of(0i64..50)), 0..6),
            now in 0i64..110,
        ) {
            let records: Vec<Control> = said.into_iter().map(record).collect();
            let mut list = Blocklist::new(Timestamp(now));
            (0..).zip(&records).for_each(|(at, record)| list.note(Offset(at), record));
            let block = list.get(BlockKey(7));
            prop_assert_eq!(block.map(|block| (block.scope, block.deleted)), obvious(&records, now));
            if let Some(until) = block.and_then(|block| block.until) {
                prop_assert_eq!(obvious(&records, until - 1), obvious(&records, now));
                prop_assert_ne!(obvious(&records, until), obvious(&records, now));
            }
            prop_assert_eq!(list.get(BlockKey(8)), None);
        }
    }

    #[test]
    fn what_is_in_the_log_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let (nobody, end) = Blocklist::read(directory.path(), Timestamp(0)).unwrap();
        assert!(nobody.is_empty() && end == Offset(0));
        let mut log = crate::log::ControlLog::open(directory.path()).unwrap();
        log.append(&record((1, 5, None))).unwrap();
        log.append(&Control::Credentials("{}".to_owned())).unwrap();
        log.append(&record((3, 6, Some(10)))).unwrap();
        let at = |now| Blocklist::read(directory.path(), Timestamp(now)).unwrap();
        assert_eq!(
            at(15).0.get(BlockKey(7)),
            Some(Block { scope: Scope::All, deleted: true, since: 6, until: Some(16) })
        );
        assert_eq!(at(16).0.get(BlockKey(7)).map(|block| block.scope), Some(Scope::Profiling));
        assert_eq!(at(0).1, Offset(3));
    }

    #[test]
    fn the_first_deletion_after_a_cut_is_found() {
        let mut list = Blocklist::new(Timestamp(0));
        for (offset, kind, time) in [(0, 3, 10), (1, 0, 20), (2, 3, 40), (3, 3, 30)] {
            list.note(Offset(offset), &record((kind, time, None)));
        }
        assert_eq!([0, 1, 3, 4].map(|from| list.first_deletion(Offset(from))), [Some(10), Some(30), Some(30), None]);
    }
}
