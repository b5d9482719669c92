//! A small log damaged: every byte flipped, every length it could be cut to. It is refused, or all of it is read; a cut of
//! the segment that is still written may be what a crash leaves, and then what is read is a beginning. Never a wrong record.

use crate::appender::{SETTINGS, record};
use crate::run::in_memory;
use std::fs;
use std::path::{Path, PathBuf};
use vaglio::log::{Log, Which, read};
use vaglio::schema::Offset;

const RECORDS: u64 = 24;

/// Three segments; the last is open, and two syncs old.
fn small_log(directory: &Path) -> Vec<PathBuf> {
    let (mut log, _) = Log::open(directory, SETTINGS).unwrap();
    for number in 0..RECORDS {
        log.append([record(number)]).unwrap();
        log.sync().unwrap();
        if number % 9 == 8 {
            log.seal().unwrap();
        }
    }
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some());
    files.sort();
    assert!(files.len() == 3 && files[2].ends_with(format!("{:020}.open", 18)), "{files:?}");
    files
}

/// How many records are read; they must be the first ones. An error = `None`.
fn read_back(directory: &Path, what: &str) -> Option<u64> {
    let mut count = 0;
    let outcome = read(directory, Offset(0), Which::All, &mut |offset, bytes| {
        assert_eq!((offset.0, bytes), (count, &record(count)[..]), "a wrong record: {what}");
        count += 1;
        Ok(())
    });
    outcome.ok().map(|end| {
        assert_eq!(end.0, count, "{what}");
        count
    })
}

/// What a process that opens the log for writing makes of it is what was read, or a refusal.
fn reopened(directory: &Path, readable: Option<u64>, what: &str) {
    let copy = crate::run::copy_of(directory);
    match Log::open(copy.path(), SETTINGS) {
        Ok((log, _)) => {
            // Sealed segments are not read by who only appends: their damage is told to who reads.
            assert!(readable.is_none_or(|count| count == log.end().0), "opened at {}: {what}", log.end());
            drop(log);
            assert_eq!(read_back(copy.path(), what), readable, "after opening: {what}");
        }
        Err(_) => assert_eq!(readable, None, "only opening refuses: {what}"),
    }
}

#[test]
fn every_byte_of_a_small_log_that_is_flipped_or_cut_off_is_detected() {
    let folder = in_memory();
    let directory = folder.path().join("events");
    let files = small_log(&directory);
    assert_eq!(read_back(&directory, "sound"), Some(RECORDS));
    let mut tried = 0;
    for file in &files {
        let open = file.extension().is_some_and(|extension| extension == "open");
        let good = fs::read(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for at in 0..good.len() {
            let what = format!("byte {at} of {} of {name} flipped", good.len());
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(file, &bytes).unwrap();
            let count = read_back(&directory, &what);
            assert!(count.is_none() || count == Some(RECORDS), "{what}: {count:?} records are read in silence");
            reopened(&directory, count, &what);
            let what = format!("{name} cut to {at} of {}", good.len());
            fs::write(file, &good[..at]).unwrap();
            let count = read_back(&directory, &what);
            assert!(count.is_none() || (open && count >= Some(18)), "{what}: {count:?} records are read in silence");
            reopened(&directory, count, &what);
            tried += 2;
        }
        fs::write(file, &good).unwrap();
    }
    for file in &files[..2] {
        let good = fs::read(file).unwrap();
        fs::remove_file(file).unwrap();
        assert_eq!(read_back(&directory, "a segment is missing"), None);
        fs::write(file, &good).unwrap();
    }
    println!("{tried} damaged bytes and lengths of a log");
}
