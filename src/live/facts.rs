//! What came by the doors about one profile since the snapshot, as short as it gets, in the order of the log.

use crate::log::{Record, Said};
use crate::schema::Timestamp;
use smallvec::SmallVec;

/// The most bytes that are kept of one profile: what is beyond waits for the next index.
const MOST_BYTES: usize = 64 << 10;

/// The facts of a profile.
#[derive(Debug, Default)]
pub(super) struct Facts {
    bytes: Box<[u8]>,
    /// The minute at which something may turn over by itself; 0 = never.
    pub due: u32,
}

impl Facts {
    /// Adds an encoded fact; `false` when there is no room for it.
    pub fn add(&mut self, fact: &[u8]) -> bool {
        if self.bytes.len() + fact.len() > MOST_BYTES {
            return false;
        }
        let mut bytes = std::mem::take(&mut self.bytes).into_vec();
        // Exactly: what is over would be given back at once, and all of it copied for that.
        bytes.reserve_exact(fact.len());
        bytes.extend_from_slice(fact);
        self.bytes = bytes.into_boxed_slice();
        true
    }

    /// All of them.
    pub fn read<'f>(&'f self, into: &mut Vec<Record<'f>>) {
        let mut rest = &*self.bytes;
        while !rest.is_empty() {
            match Record::decode_fact(&mut rest) {
                Ok(record) => into.push(record),
                // Nobody else writes these bytes.
                Err(_) => return,
            }
        }
    }

    /// How many bytes they take.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// Windows are looked at where a minute starts, so an event that happened since this one started would count from the next on.
/// Nobody is to wait for that: it counts as if it had happened at the start, until the minute is over. Traits and lists
/// have no windows: of what is said of them the last counts, and their times stay what they are. Returns the true times.
pub(super) fn within_the_minute(facts: &mut [Record<'_>], now: Timestamp) -> SmallVec<[(usize, i64); 4]> {
    let start = now.floor_minute().0;
    let is_fresh =
        |fact: &Record<'_>| matches!(fact.said, Said::Event { .. }) && fact.time > start && fact.time <= now.0;
    let mut fresh = SmallVec::new();
    for (at, fact) in facts.iter_mut().enumerate().filter(|(_, fact)| is_fresh(fact)) {
        fresh.push((at, std::mem::replace(&mut fact.time, start)));
    }
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Stay, Value};

    fn record(time: i64, said: Said<'_>) -> Record<'_> {
        Record { id: 0, time, received: time, keys: SmallVec::new(), said }
    }

    fn add(facts: &mut Facts, record: &Record<'_>) -> bool {
        let mut fact = Vec::new();
        record.encode_fact(&mut fact).unwrap();
        facts.add(&fact)
    }

    #[test]
    fn facts_come_back_in_order_and_short() {
        let mut facts = Facts::default();
        let event = |name: &'static str| Said::Event { name: name.into(), properties: Vec::new() };
        let all = [
            record(1_763_000_000, event("device_broken")),
            record(-5, Said::Traits(vec![("plan".into(), None), ("age".into(), Some(Value::Number(4.5)))])),
            record(7, Said::Membership { list: "acme/vip".into(), stay: Stay::Minutes(9) }),
        ];
        assert!(add(&mut facts, &all[0]));
        assert!(facts.len() <= 22, "{} bytes", facts.len());
        assert!(all[1..].iter().all(|record| add(&mut facts, record)));
        let mut read = Vec::new();
        facts.read(&mut read);
        assert_eq!(read, all);
    }

    #[test]
    fn there_is_an_end_to_what_is_kept_of_one_profile() {
        let mut facts = Facts::default();
        let said = |at| record(at, Said::Event { name: "x".repeat(4_000).into(), properties: Vec::new() });
        let taken = (0..100).filter(|at| add(&mut facts, &said(*at))).count();
        assert_eq!(taken, MOST_BYTES / 4_009);
        let mut read = Vec::new();
        facts.read(&mut read);
        assert_eq!(read.len(), taken);
    }

    #[test]
    fn what_happened_within_the_minute_counts_as_of_its_start() {
        let event = || Said::Event { name: "x".into(), properties: Vec::new() };
        let mut facts: Vec<_> = [119, 120, 143, 151].into_iter().map(|time| record(time, event())).collect();
        assert_eq!(within_the_minute(&mut facts, Timestamp(150)).as_slice(), [(2, 143)]);
        assert_eq!(facts.iter().map(|fact| fact.time).collect::<Vec<_>>(), [119, 120, 120, 151]);
    }

    #[test]
    fn within_the_minute_too_the_last_that_is_said_of_a_list_or_a_trait_counts() {
        let of = |stay| Said::Membership { list: "a/b".into(), stay };
        let plan = |text: &'static str| Said::Traits(vec![("plan".into(), Some(Value::Text(text.into())))]);
        // One at the minute's very start, one after: were both moved to the start, removing and the greater text would count.
        let said = [(120, of(Stay::Ends)), (126, of(Stay::ByDefault)), (121, plan("gold")), (125, plan("basic"))];
        let mut facts: Vec<_> = said.into_iter().map(|(time, said)| record(time, said)).collect();
        assert!(within_the_minute(&mut facts, Timestamp(150)).is_empty());
        assert_eq!(facts.iter().map(|fact| fact.time).collect::<Vec<_>>(), [120, 126, 121, 125]);
    }
}
