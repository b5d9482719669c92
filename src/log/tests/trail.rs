//! The chain of the audit trail: whatever is changed, taken out or moved is found; what a compaction does is not.

use super::codes::entries;
use super::*;
use crate::log::compact::Standing;
use proptest::prelude::*;

const YEAR: i64 = 366 * 86_400;

/// A chain of these entries, at rising times.
fn chained(entries: &[AuditEntry]) -> Vec<Control> {
    let mut link = Link::FIRST;
    let seal = |(at, entry): (usize, &AuditEntry)| {
        let time = 1_700_000_000 + 86_400 * at as i64;
        let entry = AuditEntry { time, ..entry.clone() }.sealed(at as u64 + 1, link).unwrap();
        link = entry.link;
        Control::Audited(Box::new(entry))
    };
    entries.iter().enumerate().map(seal).collect()
}

fn trail(records: &[Control]) -> Trail {
    let mut trail = Trail::default();
    records.iter().enumerate().for_each(|(at, record)| trail.note(Offset(at as u64), record));
    trail
}

fn compacted(records: &[Control], now: i64) -> Vec<Control> {
    let mut standing = Standing::new();
    records.iter().cloned().for_each(|record| standing.note(record));
    standing.into_records(Timestamp(now)).collect()
}

fn time(record: &Control) -> i64 {
    match record {
        Control::Audited(entry) => entry.time,
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_holds_and_every_change_of_it_is_found(
        entries in prop::collection::vec(entries(), 3..12),
        at in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        stranger in super::codes::entries(),
        byte in any::<prop::sample::Index>(),
    ) {
        let whole = chained(&entries);
        let told = trail(&whole);
        prop_assert_eq!(told.broken(), None);
        prop_assert_eq!(told.entries().len(), entries.len());
        prop_assert_eq!(told.head().0, entries.len() as u64);
        // In the middle: the last one may be cut off unseen, unless its link was noted elsewhere.
        let at = at.index(whole.len() - 1);
        let mut removed = whole.clone();
        removed.remove(at);
        prop_assert_eq!(trail(&removed).broken().map(|broken| broken.number), Some(at as u64 + 2), "removed");
        let other = other.index(whole.len());
        if other != at {
            let mut moved = whole.clone();
            moved.swap(at, other);
            prop_assert!(trail(&moved).broken().is_some(), "moved");
        }
        let mut bytes = Vec::new();
        whole[at].encode(&mut bytes).unwrap();
        let byte = 1 + byte.index(bytes.len() - 1);
        bytes[byte] ^= 1;
        if let Ok(changed) = Control::decode(&bytes) {
            let mut records = whole.clone();
            records[at] = changed;
            prop_assert!(trail(&records).broken().is_some(), "byte {byte} changed");
        }
        let mut put_in = whole.clone();
        put_in.insert(at + 1, Control::Audited(Box::new(stranger)));
        prop_assert!(trail(&put_in).broken().is_some(), "put in");
        prop_assert!(compacted(&put_in, i64::MAX).ends_with(&put_in), "a compaction hides nothing");
    }

    /// Wherever a compaction is cut short, before or while it removes what it said again, the chain holds.
    #[test]
    fn a_compaction_breaks_no_chain(
        entries in prop::collection::vec(entries(), 1..12),
        days in 0..14_i64,
        said in any::<prop::sample::Index>(),
        removed in any::<prop::sample::Index>(),
        again in 0..14_i64,
    ) {
        let whole = chained(&entries);
        // As if the newest record of the log were so many days younger than a year and the first entry.
        let now = |days: i64| Control::Deletion { keys: vec![BlockKey(1)], time: 1_700_000_000 + YEAR + days * 86_400, until: None };
        let mut log = whole.clone();
        log.push(now(days));
        let kept = compacted(&log, i64::MAX);
        let told = trail(&kept);
        prop_assert_eq!(told.broken(), None);
        prop_assert_eq!(told.head(), trail(&whole).head(), "also when everything was dropped");
        let since = 1_700_000_000 + days * 86_400;
        let expected: Vec<&Control> = whole.iter().filter(|record| time(record) > since).collect();
        let found: Vec<&Control> = kept.iter().filter(|record| matches!(record, Control::Audited(_))).collect();
        prop_assert_eq!(found, expected);
        // Cut short while it says everything again; then the log goes on.
        let next = |records: &[Control]| {
            let (number, link) = trail(records).head();
            Control::Audited(Box::new(entries[0].clone().sealed(number + 1, link).unwrap()))
        };
        let part = &kept[..said.index(kept.len() + 1)];
        let short = [&log[..], part, &[next(&whole)]].concat();
        prop_assert_eq!(trail(&short).broken(), None, "{:?}", short);
        prop_assert_eq!(trail(&short).entries().len(), entries.len() + 1);
        // Cut short while it removes what it has said again.
        let short = [&log[removed.index(log.len() + 1)..], &kept, &[next(&whole)]].concat();
        prop_assert_eq!(trail(&short).broken(), None, "{:?}", short);
        prop_assert_eq!(trail(&short).head().0, entries.len() as u64 + 1);
        // And another one after it.
        let more = [&short[..], &[now(days + again)]].concat();
        let twice = compacted(&more, i64::MAX);
        prop_assert_eq!(trail(&twice).broken(), None, "{:?}", twice);
        prop_assert_eq!(trail(&twice).head(), trail(&short).head());
    }
}

#[test]
fn several_processes_write_one_chain_also_through_a_compaction() {
    let directory = tempfile::tempdir().unwrap();
    let path = crate::log::control_directory(directory.path());
    let blank = |who: &str| AuditEntry {
        number: 0,
        time: Clock::System.now().0,
        who: who.to_owned(),
        owner: None,
        what: "look".to_owned(),
        object: String::new(),
        subject: None,
        before: None,
        after: None,
        link: Link::FIRST,
    };
    let audit = |log: &mut ControlLog, who: &str| log.turn().unwrap().audit(blank(who), &mut |_, _| Ok(())).unwrap();
    let (mut one, mut other) = (ControlLog::open(&path).unwrap(), ControlLog::open(&path).unwrap());
    for at in 0..6 {
        audit(if at % 2 == 0 { &mut one } else { &mut other }, "somebody");
    }
    for n in 0..10 {
        one.append(&Control::Credentials(format!("{n}").repeat(200_000))).unwrap();
    }
    assert!(one.compact().unwrap());
    audit(&mut other, "after");
    audit(&mut ControlLog::open(&path).unwrap(), "later");
    let trail = Trail::read(directory.path()).unwrap();
    assert_eq!((trail.broken(), trail.entries().len(), trail.head().0), (None, 8, 8));
}
