//! A delta that is killed at every operation on files, and then asked for again.

use crate::deltas::Receiver;
use crate::scene::{Id, Scene};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn vaglio(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    // Where tests find real data is no setting of the program's.
    command.env_remove("VAGLIO_DATA_DIR");
    command.args([
        "export",
        "acme/gold",
        "--format",
        "csv",
        "--delta",
        "--to",
        "partner",
        "--quiet",
        "--print",
        "json",
    ]);
    command.current_dir(directory).stdin(Stdio::null());
    command
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to)
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_delta_that_is_killed_anywhere_comes_right_the_next_time() {
    let scene = Scene::new();
    assert!(vaglio(scene.path()).output().unwrap().status.success());
    scene.crm(|n| ["", "gold", "gold", "leave"][n as usize % 4]);
    scene.build();
    // 9 and 6 said no long ago. 1 joins, and objects once the export was broken off.
    let expected = scene.expected("gold", &[9, 6, 1]);
    let kinds = ["kill", "short", "eio"];
    let mut unsure = 0;
    for operation in 1.. {
        let hits: Vec<Hit> = kinds.iter().map(|kind| once(&scene, &format!("{kind}@{operation}"), &expected)).collect();
        unsure += hits.iter().filter(|hit| hit.cannot_remove > 0).count();
        if hits.iter().all(|hit| hit.survived) {
            assert!(operation > 12, "{operation} operations");
            break;
        }
    }
    assert!(unsure > 0, "some of them leave what nobody knows of");
}

/// What a fault came to.
struct Hit {
    survived: bool,
    cannot_remove: u64,
}

fn once(scene: &Scene, fault: &str, expected: &BTreeSet<Id>) -> Hit {
    let folder = tempfile::tempdir_in(if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" }).unwrap();
    copy(scene.path(), folder.path());
    let out = folder.path().join("out");
    let mut receiver = Receiver::default();
    receiver.look(&out);
    let hit = vaglio(folder.path()).env("FAULTS_HIT", fault).output().unwrap();
    receiver.look(&out);
    scene.object_at(folder.path(), "C1");
    let again = vaglio(folder.path()).output().unwrap();
    assert!(again.status.success(), "{fault}: {}", String::from_utf8_lossy(&again.stderr));
    receiver.look(&out);
    let report: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    let cannot_remove = report["cannot_remove"].as_u64().unwrap();
    let more: Vec<&Id> = receiver.has.difference(expected).collect();
    assert!(receiver.has.is_superset(expected) && more.len() as u64 <= cannot_remove, "{fault}: {more:?}");
    Hit { survived: hit.status.success(), cannot_remove }
}
