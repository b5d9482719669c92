//! The control log: several writers, compaction, a full disk, a disk that fails.

use super::codes::controls;
use super::*;
use crate::error::ErrorKind;
use crate::log::segment::private;
use crate::log::writer::Writer;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn objection(n: u128) -> Control {
    Control::Objection { keys: vec![BlockKey(n)], scope: Scope::All, time: n as i64, until: None }
}

fn told(log: &mut ControlLog) -> Vec<Control> {
    let mut told = Vec::new();
    log.catch_up(&mut |_, control| {
        told.push(control);
        Ok(())
    })
    .unwrap();
    told
}

#[test]
fn several_append_and_each_is_told_everything_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log/control");
    let (mut one, mut other) = (ControlLog::open(&path).unwrap(), ControlLog::open(&path).unwrap());
    assert!(told(&mut one).is_empty() && !path.exists(), "nothing is made before it is needed");
    for n in 0..20 {
        let log = if n % 3 == 0 { &mut one } else { &mut other };
        assert_eq!(log.append(&objection(n)).unwrap(), Offset(n as u64));
        if n == 7 {
            assert_eq!(told(&mut one).len(), 8);
        }
    }
    assert_eq!(told(&mut one), (8..20).map(objection).collect::<Vec<_>>());
    assert_eq!(told(&mut other), (0..20).map(objection).collect::<Vec<_>>());
    assert!(told(&mut one).is_empty() && told(&mut other).is_empty());
    for entry in fs::read_dir(&path).unwrap() {
        let metadata = entry.unwrap().metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn nothing_is_lost_between_threads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control");
    std::thread::scope(|scope| {
        for thread in 0..4_u128 {
            let path = &path;
            scope.spawn(move || {
                let mut log = ControlLog::open(path).unwrap();
                for n in 0..25 {
                    log.append(&objection(thread * 100 + n)).unwrap();
                }
            });
        }
    });
    let mut all = told(&mut ControlLog::open(&path).unwrap());
    all.sort_by_key(|control| format!("{control:?}"));
    all.dedup();
    assert_eq!(all.len(), 100);
}

#[test]
fn who_waits_for_a_turn_sees_what_was_done_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control");
    let (mut one, mut other) = (ControlLog::open(&path).unwrap(), ControlLog::open(&path).unwrap());
    let mut turn = one.turn().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| other.append(&objection(2)).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(30));
        turn.append(&objection(1)).unwrap();
        drop(turn);
        assert_eq!(waiting.join().unwrap(), Offset(1));
    });
}

/// Many that end, few that hold; more bytes than are left alone.
fn worn(path: &Path) -> (ControlLog, usize) {
    let mut log = ControlLog::open(path).unwrap();
    let mut turn = log.turn().unwrap();
    for n in 0..10 {
        turn.append(&Control::Credentials(format!("{n}").repeat(200_000))).unwrap();
    }
    turn.append(&objection(1)).unwrap();
    let ended = Control::Deletion { keys: vec![BlockKey(2)], time: 0, until: Some(1) };
    let old = Control::Audit { time: 0, who: "a".into(), what: "b".into(), subject: BlockKey(3) };
    for gone in [&ended, &old] {
        turn.append(gone).unwrap();
    }
    let recent = Control::Audit { time: 400 * 86_400, who: "a".into(), what: "b".into(), subject: BlockKey(3) };
    turn.append(&recent).unwrap();
    drop(turn);
    (log, 14)
}

#[test]
fn a_compaction_keeps_what_holds_and_offsets_grow() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control");
    let (mut log, records) = worn(&path);
    let mut follower = ControlLog::open(&path).unwrap();
    assert_eq!(told(&mut follower).len(), records);
    let mut late = ControlLog::open(&path).unwrap();
    assert!(log.compact().unwrap());
    assert!(!log.compact().unwrap(), "there is nothing left to gain");
    let left = told(&mut late);
    assert_eq!(left.len(), 3, "{left:?}");
    assert_eq!(left[0], objection(1));
    assert!(matches!(&left[1], Control::Audit { time, .. } if *time > 0));
    assert_eq!(left[2], Control::Credentials("9".repeat(200_000)));
    assert_eq!(told(&mut follower), left, "it is told again what holds");
    assert_eq!(oldest(&path).unwrap(), Offset(records as u64));
    assert_eq!(follower.append(&objection(7)).unwrap(), Offset(records as u64 + 3));
    assert_eq!(told(&mut log).last(), Some(&objection(7)));
    let bytes: u64 = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 250_000, "{bytes}");
}

/// What holds; not since when, which also tells of what has ended.
fn blocks(controls: &[Control], now: i64) -> Vec<Option<Block>> {
    let mut list = Blocklist::new(Timestamp(now));
    controls.iter().for_each(|control| list.note(Offset(0), control));
    (0..6).map(|key| list.get(BlockKey(key)).map(|block| Block { since: 0, ..block })).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever asks after a compaction is told what was told before, at any moment from its last record on.
    #[test]
    fn a_compaction_changes_nobody_s_standing(controls in prop::collection::vec(controls(), 0..40), later in 0..40_000_000_i64) {
        let mut standing = crate::log::compact::Standing::new();
        controls.iter().cloned().for_each(|control| standing.note(control));
        let kept: Vec<Control> = standing.into_records(Timestamp(i64::MAX)).collect();
        let time = |control: &Control| match control {
            Control::Objection { time, .. } | Control::Deletion { time, .. } => Some(*time),
            Control::Audit { time, .. } | Control::Definitions { time, .. } => Some(*time),
            Control::Audited(entry) => Some(entry.time),
            Control::Credentials(_) | Control::Anchor { .. } => None,
        };
        let now = controls.iter().filter_map(time).max().unwrap_or_default() + later;
        prop_assert_eq!(blocks(&kept, now), blocks(&controls, now));
        let credentials = |all: &[Control]| all.iter().rev().find(|it| matches!(it, Control::Credentials(_))).cloned();
        prop_assert_eq!(credentials(&kept), credentials(&controls));
        let definitions = |all: &[Control]| -> Vec<Control> {
            let mut once = Vec::new();
            for change in all.iter().filter(|it| matches!(it, Control::Definitions { .. })) {
                if !once.contains(change) {
                    once.push(change.clone());
                }
            }
            once
        };
        prop_assert_eq!(definitions(&kept), definitions(&controls), "the whole history");
        let mut again = crate::log::compact::Standing::new();
        controls.iter().chain(&kept).cloned().for_each(|control| again.note(control));
        prop_assert_eq!(again.into_records(Timestamp(i64::MAX)).collect::<Vec<_>>(), kept, "also when it was cut short");
    }
}

#[test]
fn a_clock_that_was_wrong_for_a_moment_ends_no_objection() {
    let (now, year) = (Clock::System.now().0, 366 * 86_400);
    let control = Control::Objection { keys: vec![BlockKey(1)], scope: Scope::All, time: now, until: Some(now + year) };
    let wrong = Control::Audit { time: now + 9 * year, who: "x".into(), what: "y".into(), subject: BlockKey(1) };
    let mut standing = crate::log::compact::Standing::new();
    [&control, &wrong].into_iter().for_each(|it| standing.note(it.clone()));
    assert!(standing.into_records(Timestamp(now)).any(|kept| kept == control));
}

#[test]
fn the_reserve_is_made_given_up_and_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log/events");
    let reserve = directory.path().join("log/reserve");
    let (mut log, _) = Log::open(&path, SETTINGS).unwrap();
    assert_eq!(fs::metadata(&reserve).unwrap().len(), SETTINGS.reserve_bytes);
    assert!(crate::log::reserve::Reserve::give_up(&directory.path().join("log/control")));
    assert!(!reserve.exists());
    log.append([b"there is room"]).unwrap();
    assert_eq!(fs::metadata(&reserve).unwrap().len(), SETTINGS.reserve_bytes);
    drop(log);
    // More than any disk has.
    let (mut log, _) = Log::open(&path, Settings { reserve_bytes: 1 << 60, ..SETTINGS }).unwrap();
    let error = log.append([b"there is none"]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoRoom);
    assert!(error.to_string().contains("objections and deletions"), "{error}");
    assert_eq!(log.end(), Offset(1));
}

/// A writer whose file is something else.
fn writer_on(directory: &Path, file: fs::File) -> Writer {
    let open = crate::log::writer::OpenSegment { file, first: 0, bytes: 40, sum: Default::default(), dirty: false };
    Writer::new(directory, 400, Some(open), 0, 0)
}

#[test]
fn a_failure_is_never_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    // A pipe can be written and not synced.
    let (_reader, pipe) = std::io::pipe().unwrap();
    let mut writer = writer_on(directory.path(), fs::File::from(std::os::fd::OwnedFd::from(pipe)));
    writer.append([b"x"]).unwrap();
    assert_eq!(writer.sync().unwrap_err().kind, ErrorKind::Io);
    for error in [writer.sync().unwrap_err(), writer.append([b"y"]).unwrap_err(), writer.seal().unwrap_err()] {
        assert!(error.to_string().contains("takes nothing any more"), "{error}");
    }
    let read_only = directory.path().join("read-only");
    fs::write(&read_only, "x").unwrap();
    let mut writer = writer_on(directory.path(), private().open(&read_only).unwrap());
    assert_eq!(writer.append([b"x"]).unwrap_err().kind, ErrorKind::Io);
    assert!(writer.append([b"x"]).unwrap_err().to_string().contains("takes nothing any more"));
}
