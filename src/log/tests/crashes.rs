//! Every state that a crash can leave is repaired, and every damaged byte is found: never a wrong record.

use super::*;
use crate::log::frame::{FOOTER, HEADER, Header};
use proptest::prelude::*;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Files by name.
type Files = Vec<(OsString, Vec<u8>)>;

/// A log of two sealed segments and an open one, and its records.
struct Small {
    directory: tempfile::TempDir,
    records: Vec<Vec<u8>>,
    /// How many of them are in sealed segments.
    sealed: usize,
}

impl Small {
    /// `synced`: whether the last batch was. The open segment ends with a mark then.
    fn new(synced: bool) -> Self {
        static FILES: [OnceLock<Files>; 2] = [OnceLock::new(), OnceLock::new()];
        let records: Vec<Vec<u8>> = (0..9_u8).map(|n| vec![n; 3 + usize::from(n)]).collect();
        let files = FILES[usize::from(synced)].get_or_init(|| Small::written(&records, synced));
        let small = Small { directory: tempfile::tempdir().unwrap(), records, sealed: 4 };
        fs::create_dir(small.path()).unwrap();
        files.iter().for_each(|(name, bytes)| fs::write(small.path().join(name), bytes).unwrap());
        small
    }

    fn written(records: &[Vec<u8>], synced: bool) -> Files {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events");
        let (mut log, _) = Log::open(&path, SETTINGS).unwrap();
        for (at, batch) in records.chunks(2).enumerate() {
            log.append(batch).unwrap();
            if synced || at < 4 {
                log.sync().unwrap();
            }
            if at == 0 || at == 1 {
                log.seal().unwrap();
            }
        }
        let files = fs::read_dir(&path).unwrap().map(Result::unwrap);
        files.map(|file| (file.file_name(), fs::read(file.path()).unwrap())).collect()
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("events")
    }

    fn file(&self, first: u64, sealed: bool) -> PathBuf {
        crate::log::segment::path(&self.path(), first, sealed)
    }

    /// Reads without repairing, opens, reads: each refuses, or tells the first records; how many.
    fn told(&self) -> Result<usize, String> {
        let read = |which| {
            let mut told = Vec::new();
            let end = read(&self.path(), Offset(0), which, &mut |_, payload| {
                told.push(payload.to_vec());
                Ok(())
            });
            assert!(self.records.starts_with(&told), "a wrong record: {told:?}");
            end.map(|end| assert_eq!(end, Offset(told.len() as u64)))
                .map(|()| told.len())
                .map_err(|error| error.to_string())
        };
        let before = read(Which::All);
        let opened =
            Log::open(&self.path(), Settings { reserve_bytes: 0, ..SETTINGS }).map_err(|error| error.to_string());
        match opened {
            Ok((mut log, recovery)) => {
                let told = read(Which::All)?;
                assert_eq!(before, Ok(told), "a reader and a writer see the same end");
                assert_eq!((log.end(), recovery.end), (Offset(told as u64), Offset(told as u64)));
                log.append([b"next"]).unwrap();
                log.sync().unwrap();
                assert_eq!(self.directory_reads(), told + 1);
                Ok(told)
            }
            Err(why) => {
                assert!(before.is_err(), "{why}: {before:?}");
                Err(why)
            }
        }
    }

    fn directory_reads(&self) -> usize {
        all(&self.path(), 0, Which::All).len()
    }
}

#[test]
fn cut_at_any_byte_the_records_before_it_stay() {
    let whole = Small::new(true);
    let bytes = fs::read(whole.file(4, false)).unwrap();
    let mut before = 0;
    for length in 0..=bytes.len() {
        let log = Small::new(true);
        fs::write(log.file(4, false), &bytes[..length]).unwrap();
        let told = log.told().unwrap_or_else(|why| panic!("{length}: {why}"));
        assert!(told >= before && told >= log.sealed, "{length}");
        before = told;
    }
    assert_eq!(before, whole.records.len());
    for first in [0, 2] {
        let bytes = fs::read(whole.file(first, true)).unwrap();
        for length in 0..bytes.len() {
            let log = Small::new(true);
            fs::write(log.file(first, true), &bytes[..length]).unwrap();
            let why = log.told().unwrap_err();
            assert!(why.contains(".log") && why.contains("docs/format.md"), "{length}: {why}");
        }
    }
}

#[test]
fn a_changed_byte_is_found_wherever_it_was_durable() {
    for (first, sealed) in [(0, true), (2, true), (4, false)] {
        let length = fs::metadata(Small::new(true).file(first, sealed)).unwrap().len() as usize;
        for at in 0..length {
            let log = Small::new(true);
            let mut bytes = fs::read(log.file(first, sealed)).unwrap();
            bytes[at] ^= 1 << (at % 8);
            fs::write(log.file(first, sealed), bytes).unwrap();
            // Behind the last mark nothing says that it was durable; and what was durable stands before it.
            match log.told() {
                Ok(told) => assert!(!sealed && at >= length - 24 && told == log.records.len(), "{first}: {at}: {told}"),
                Err(why) => assert!(why.contains(&format!("{first:020}.")), "{why}"),
            }
        }
    }
}

#[test]
fn a_changed_byte_behind_the_last_mark_ends_the_log_there() {
    let length = fs::metadata(Small::new(false).file(4, false)).unwrap().len() as usize;
    let (mut kept, mut refused) = (0, 0);
    for at in 0..length {
        let log = Small::new(false);
        let mut bytes = fs::read(log.file(4, false)).unwrap();
        bytes[at] ^= 0x10;
        fs::write(log.file(4, false), bytes).unwrap();
        match log.told() {
            Ok(told) => {
                assert!(told >= log.records.len() - 1, "{at}: {told}");
                kept += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(kept > 8 && refused > 100, "{kept} {refused}");
}

#[test]
fn what_was_written_and_never_synced_may_have_holes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events");
    let (mut log, _) = Log::open(&path, SETTINGS).unwrap();
    log.append([b"acknowledged"]).unwrap();
    log.sync().unwrap();
    let durable = fs::metadata(crate::log::segment::path(&path, 0, false)).unwrap().len() as usize;
    log.append([vec![1; 90], vec![2; 90], vec![3; 90]]).unwrap();
    drop(log);
    let file = crate::log::segment::path(&path, 0, false);
    let mut bytes = fs::read(&file).unwrap();
    bytes[durable..durable + 60].fill(0);
    fs::write(&file, bytes).unwrap();
    let (_, recovery) = Log::open(&path, SETTINGS).unwrap();
    assert_eq!((recovery.end, recovery.torn_bytes), (Offset(1), 3 * 98));
    assert_eq!(all(&path, 0, Which::All), [b"acknowledged"]);
}

#[test]
fn sealing_may_end_anywhere() {
    let whole = Small::new(true);
    let bytes = fs::read(whole.file(2, true)).unwrap();
    for cut in 0..=FOOTER {
        let log = Small::new(true);
        // As if the second were being sealed: the third is not there, its name is the old one.
        fs::remove_file(log.file(4, false)).unwrap();
        fs::remove_file(log.file(2, true)).unwrap();
        fs::write(log.file(2, false), &bytes[..bytes.len() - cut]).unwrap();
        assert_eq!(log.told(), Ok(log.sealed), "{cut}");
    }
    // Renamed, and the next not begun, or its header torn.
    let header = Header { first: 4, created: 1 }.to_bytes();
    for length in 0..=HEADER {
        for header in [&header[..length], &[0; HEADER][..length]] {
            let log = Small::new(true);
            fs::write(log.file(4, false), header).unwrap();
            assert_eq!(log.told(), Ok(log.sealed), "{length}");
        }
    }
    let log = Small::new(true);
    fs::remove_file(log.file(4, false)).unwrap();
    assert_eq!(log.told(), Ok(log.sealed));
    // The rename was lost and the creation behind it was not.
    let log = Small::new(true);
    fs::rename(log.file(2, true), log.file(2, false)).unwrap();
    assert_eq!(log.told(), Ok(log.records.len()));
    assert!(log.file(2, true).exists());
}

#[test]
fn a_file_that_is_missing_is_missed() {
    let log = Small::new(true);
    fs::remove_file(log.file(2, true)).unwrap();
    let why = log.told().unwrap_err();
    assert!(why.contains("records 2 to 3 are missing"), "{why}");
    let log = Small::new(true);
    fs::remove_file(log.file(0, true)).unwrap();
    let error = read(&log.path(), Offset(0), Which::All, &mut |_, _| Ok(())).unwrap_err().to_string();
    assert!(error.contains("begins with record 2, and record 0 is asked for"), "{error}");
    assert_eq!(oldest(&log.path()).unwrap(), Offset(2));
    assert_eq!(all(&log.path(), 2, Which::All), log.records[2..]);
    for which in [Which::All, Which::Sealed] {
        let error = read(&log.path(), Offset(50), which, &mut |_, _| Ok(())).unwrap_err().to_string();
        assert!(error.contains("and record 50 is asked for"), "{error}");
    }
    assert_eq!(read(&log.path().join("none"), Offset(50), Which::All, &mut |_, _| Ok(())).unwrap(), Offset(50));
}

#[test]
fn segments_are_of_their_place_and_version() {
    let log = Small::new(true);
    fs::rename(log.file(2, true), log.file(9, true)).unwrap();
    let why = log.told().unwrap_err();
    assert!(why.contains("begins with record 2") || why.contains("are missing"), "{why}");
    let log = Small::new(true);
    fs::copy(log.file(0, true), log.file(2, true)).unwrap();
    assert!(log.told().is_err());
    let log = Small::new(true);
    let mut bytes = fs::read(log.file(4, false)).unwrap();
    bytes[8] = 2;
    let sum = crc32fast::hash(&bytes[..32]).to_le_bytes();
    bytes[32..36].copy_from_slice(&sum);
    fs::write(log.file(4, false), bytes).unwrap();
    assert!(log.told().unwrap_err().contains("format 2"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is behind the last mark: the log begins again there, or refuses, and no panic.
    #[test]
    fn any_tail_is_cut_or_refused(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let log = Small::new(true);
        let mut bytes = fs::read(log.file(4, false)).unwrap();
        bytes.extend(tail);
        fs::write(log.file(4, false), bytes).unwrap();
        prop_assert_eq!(log.told(), Ok(log.records.len()));
    }
}
