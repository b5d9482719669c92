//! Files that are written, replaced, emptied and touched while they are read.

use super::*;
use std::cell::Cell;
use std::fs;
use std::io::Write;

const HOUR: Duration = Duration::from_secs(3_600);

fn whole(path: &Path) -> Result<String> {
    fs::read_to_string(path)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// A file in a directory of its own, last touched so long ago.
fn file(text: &str, age: Duration) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audiences.yaml");
    fs::write(&path, text).unwrap();
    touch(&path, SystemTime::now() - age);
    (directory, path)
}

fn touch(path: &Path, at: SystemTime) {
    fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
}

#[test]
fn a_file_is_read_once_its_writer_is_done() {
    let (_directory, path) = file("before", HOUR);
    let mut writer = fs::File::create(&path).unwrap();
    let reads = {
        let path = path.clone();
        std::thread::spawn(move || read_by(&path, Duration::from_secs(2), soon(), whole))
    };
    for piece in ["audi", "ences", ": []"] {
        std::thread::sleep(Duration::from_millis(20));
        writer.write_all(piece.as_bytes()).unwrap();
    }
    assert_eq!(reads.join().unwrap().unwrap(), "audiences: []");
}

#[test]
fn what_is_written_while_it_is_read_is_read_again() {
    let (_directory, path) = file("audiences: [", HOUR);
    let reads = Cell::new(0);
    let text = read_by(&path, Duration::from_millis(1), soon(), |path| {
        reads.set(reads.get() + 1);
        let text = whole(path);
        if reads.get() == 1 {
            fs::write(path, "audiences: []")?;
            // Half of a letter, at that moment.
            return Err(ErrorKind::InvalidData.into());
        }
        text
    });
    assert_eq!((text.unwrap().as_str(), reads.get()), ("audiences: []", 2));
}

#[test]
fn what_is_still_written_in_the_end_is_told_of() {
    let (_directory, path) = file("audiences: []", Duration::ZERO);
    let error = read_by(&path, HOUR, Instant::now(), whole).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn a_file_that_is_empty_may_just_have_been_emptied() {
    let (_directory, path) = file("", 2 * HOUR);
    assert!(read_by(&path, HOUR, Instant::now(), whole).is_err());
    assert_eq!(read(&path, soon()).unwrap(), "");
}

#[test]
fn another_machines_clock_says_nothing() {
    let (_directory, path) = file("audiences: []", Duration::ZERO);
    touch(&path, SystemTime::now() + HOUR);
    assert!(read_by(&path, 2 * HOUR, Instant::now(), whole).is_err());
    assert_eq!(read(&path, soon()).unwrap(), "audiences: []");
}

#[test]
fn a_file_that_is_replaced_is_found_again() {
    let (directory, path) = file("audiences: []", HOUR);
    fs::write(directory.path().join("others.yaml"), "audiences: []").unwrap();
    let (moved, pattern) = (directory.path().join("audiences.yaml~"), directory.path().join("*.yaml"));
    let editor = {
        let path = path.clone();
        fs::rename(&path, &moved).unwrap();
        std::thread::spawn(move || fs::write(&path, "audiences: []").unwrap())
    };
    let found = list_by(pattern.to_str().unwrap(), Duration::from_secs(2), soon());
    editor.join().unwrap();
    assert!(found.contains(&path), "{found:?}");
    let gone = fs::remove_file(&path).map(|()| list(pattern.to_str().unwrap(), soon()));
    assert_eq!(gone.unwrap().len(), 1, "what stays away is not waited for");
}
