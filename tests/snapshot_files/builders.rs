//! Builders: two at a time, killed ones, and one whose disk is full.

use super::directory::{bid_sections, files, one_generation, open, publish, write};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use vaglio::error::ErrorKind;
use vaglio::schema::Generation;
use vaglio::snapshot::{Plane, Store};

#[test]
fn a_second_builder_is_told_who_holds_the_lock() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let lock = store.lock("build").unwrap();
    let error = store.lock("rollback").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Busy);
    let pid = std::process::id().to_string();
    assert!(error.to_string().contains(&pid) && error.to_string().contains("build"), "{error}");
    drop(lock);
    store.lock("rollback").unwrap();
}

#[test]
fn a_killed_builder_frees_the_lock_and_leaves_nothing_that_counts() {
    let (directory, _) = one_generation();
    let mut child = child("builders::killed_builder", directory.path()).spawn().unwrap();
    let temporary = directory.path().join("tmp");
    while !directory.path().join("ready").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.lock("build").unwrap_err().kind, ErrorKind::Busy);
    child.kill().unwrap();
    child.wait().unwrap();
    let lock = store.lock("build").unwrap();
    assert_eq!(files(&temporary).len(), 1, "the section it was writing");
    assert_eq!(store.clean(&lock).unwrap(), 1);
    assert!(files(&temporary).is_empty());
    assert_eq!(store.current().unwrap(), Some(Generation(1)));
    let swept = store.sweep(&lock, 3).unwrap();
    assert_eq!((swept.generations.len(), swept.sections), (0, 1), "the section it had finished");
    open(directory.path()).unwrap();
}

#[test]
#[ignore = "run by a_killed_builder_frees_the_lock_and_leaves_nothing_that_counts"]
fn killed_builder() {
    let Some(directory) = std::env::var_os("VAGLIO_TEST_DIRECTORY") else { return };
    let store = Store::open(&directory).unwrap();
    let _lock = store.lock("build").unwrap();
    write(&store, "finished", b"but never published");
    let mut section = store.section("half", Plane::Bid).unwrap();
    section.write_all(b"written").unwrap();
    section.flush().unwrap();
    fs::write(Path::new(&directory).join("ready"), "").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
}

fn child(test: &str, directory: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test]).env("VAGLIO_TEST_DIRECTORY", directory);
    command
}

/// Needs the right to mount a small file system; says so where it has not.
#[test]
fn a_full_disk_is_a_clear_error_and_the_last_generation_stays() {
    let directory = TempDir::new().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=1m none '{}' || exit 77; exec '{}' --ignored --exact builders::full_disk",
        directory.path().display(),
        std::env::current_exe().unwrap().display()
    );
    let mut command = Command::new("unshare");
    let run = command.args(["-rm", "sh", "-c", &script]).env("VAGLIO_TEST_DIRECTORY", directory.path()).output();
    match run.map(|output| (output.status.code(), output)) {
        Ok((Some(0), output)) => assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed")),
        Ok((Some(1 | 77), output)) if !output.stdout.starts_with(b"\nrunning") => {
            println!("skipped: no right to mount")
        }
        Ok((_, output)) => {
            panic!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
        }
        Err(error) => println!("skipped: {error}"),
    }
}

#[test]
#[ignore = "run by a_full_disk_is_a_clear_error_and_the_last_generation_stays"]
fn full_disk() {
    let Some(directory) = std::env::var_os("VAGLIO_TEST_DIRECTORY") else { return };
    let store = Store::open(&directory).unwrap();
    let lock = store.lock("build").unwrap();
    publish(&store, &lock, bid_sections(&store, true));
    let mut section = store.section("large", Plane::Bid).unwrap();
    let error = (0..64).find_map(|_| section.put(&[1; 1 << 16]).err()).expect("the disk is full");
    let text = error.to_string();
    assert!(text.contains("`large`") && text.contains("free some space"), "{text}");
    drop(section);
    assert!(files(&store.root().join("tmp")).is_empty(), "what was half written is gone");
    open(store.root()).unwrap();
}
