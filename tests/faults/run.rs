//! Running the program with a fault in it, over and over from the same state.

use crate::trace::{self, Step};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// What can be done to one operation.
pub const EFFECTS: [&str; 4] = ["kill", "short", "eio", "enospc"];

/// The program over a directory that has a `vaglio.yaml`; of our own environment it sees nothing.
pub fn vaglio(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VAGLIO_")) {
        command.env_remove(name);
    }
    command
}

/// Runs it to its end, which must be a good one.
#[track_caller]
pub fn done(mut command: Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    output
}

/// What it complained about.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A copy of a directory, in memory, gone with the value.
pub fn copy_of(directory: &Path) -> TempDir {
    let copy = in_memory();
    copy_into(directory, copy.path());
    copy
}

/// A directory in memory where there is one: a kill does not ask what is on the disk.
pub fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Copies a directory's files.
pub fn copy_into(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_into(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A fault and the operation that it hits.
#[derive(Debug)]
pub struct Fault {
    /// As `FAULTS_HIT` has it.
    pub setting: String,
    /// What is hit.
    pub place: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.setting, self.place)
    }
}

impl Fault {
    /// Whether it ends the process.
    pub fn ends(&self) -> bool {
        self.setting.starts_with("kill") || self.setting.starts_with("short")
    }
}

/// What a run does without a fault: in an order that forgives a power cut, or this fails.
#[track_caller]
pub fn traced(mut command: Command) -> Vec<Step> {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("trace");
    command.env("FAULTS_TRACE", &file);
    done(command);
    let steps = trace::read(&file);
    assert_eq!(trace::complaints(&steps, true), Vec::<String>::new());
    steps
}

/// Every fault of every operation in a trace. Half an append is only of appends.
pub fn faults(steps: &[Step]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (at, step) in trace::operations(steps).into_iter().enumerate() {
        let place = format!("{} {}", step.operation, step.path.display());
        for effect in EFFECTS.iter().filter(|effect| **effect != "short" || step.operation == "append") {
            faults.push(Fault { setting: format!("{effect}@{}", at + 1), place: place.clone() });
        }
    }
    faults
}
