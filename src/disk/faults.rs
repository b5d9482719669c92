//! What the fault harness does to the operations of a process, as its environment says:
//!
//! | variable | |
//! |---|---|
//! | `FAULTS_HIT` | `kill@N`: ends the process in place of operation N (from 1). `short@N`: an append writes half, then the process ends. `eio@N`: operation N fails. `enospc@N`: operation N fails, an append after half of its bytes. `N+`: so does every later one |
//! | `FAULTS_TRACE` | a file that gets a line for each operation before it is done, a second one (`synced`, `synced_directory`) after a sync, and one for each acknowledgement; fields are separated by tabs |
//! | `FAULTS_BUG` | `ack_before_sync`, `skip_directory_sync` or `ignore_checksum`: a planted mistake |
//!
//! What must not live here: anything that a release could need. A setting that cannot be read ends the process: a harness
//! that misspells its fault would find nothing.

#[cfg(not(debug_assertions))]
compile_error!("the feature `faults` makes files fail on purpose: it is for tests and never for a release");

use super::Bug;
use rustix::process::{Signal, getpid, kill_process};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

static PLAN: LazyLock<Plan> = LazyLock::new(Plan::of_environment);
static COUNT: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Kill,
    Short,
    Fails(i32),
}

#[derive(Debug, Clone, Copy)]
struct Fault {
    effect: Effect,
    first: u64,
    and_later: bool,
}

struct Plan {
    fault: Option<Fault>,
    trace: Option<Mutex<File>>,
    bug: Option<Bug>,
}

impl Plan {
    fn of_environment() -> Plan {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let fault = set("FAULTS_HIT").map(|text| read_fault(&text).unwrap_or_else(|| give_up("FAULTS_HIT", &text)));
        let bug = set("FAULTS_BUG").map(|text| read_bug(&text).unwrap_or_else(|| give_up("FAULTS_BUG", &text)));
        let trace = set("FAULTS_TRACE").map(|path| {
            let file = OpenOptions::new().append(true).create(true).open(&path);
            Mutex::new(file.unwrap_or_else(|_| give_up("FAULTS_TRACE", &path)))
        });
        Plan { fault, trace, bug }
    }
}

fn read_fault(text: &str) -> Option<Fault> {
    let (effect, number) = text.split_once('@')?;
    let effect = match effect {
        "kill" => Effect::Kill,
        "short" => Effect::Short,
        "eio" => Effect::Fails(rustix::io::Errno::IO.raw_os_error()),
        "enospc" => Effect::Fails(rustix::io::Errno::NOSPC.raw_os_error()),
        _ => return None,
    };
    let first = number.trim_end_matches('+').parse().ok()?;
    Some(Fault { effect, first, and_later: number.ends_with('+') })
}

fn read_bug(text: &str) -> Option<Bug> {
    match text {
        "ack_before_sync" => Some(Bug::AckBeforeSync),
        "skip_directory_sync" => Some(Bug::SkipDirectorySync),
        "ignore_checksum" => Some(Bug::IgnoreChecksum),
        _ => None,
    }
}

fn give_up(variable: &str, text: &str) -> ! {
    eprintln!("{variable}={text} is not understood; see src/disk/faults.rs");
    std::process::exit(2)
}

/// Whether a mistake was planted in this process.
pub fn bug(bug: Bug) -> bool {
    PLAN.bug == Some(bug)
}

/// Notes that somebody is told now that what was appended to a log (the name of its directory) is durable.
pub fn acknowledge(log: &str) {
    note(&format!("acknowledge\t{log}"));
}

/// Counts and notes an operation before it is done, and does to it what was asked for.
pub(super) fn step(operation: &str, names: impl FnOnce() -> String) -> io::Result<()> {
    let effect = count(operation, names);
    match effect {
        None => Ok(()),
        Some(Effect::Kill | Effect::Short) => end_here(),
        Some(Effect::Fails(errno)) => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// As [`step`], for an append: it may write a part of the bytes before it fails.
pub(super) fn append(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let half = &bytes[..bytes.len() / 2];
    match count("append", || format!("{}\t{}", name_of_open(file), bytes.len())) {
        None => Ok(()),
        Some(Effect::Kill) => end_here(),
        Some(Effect::Short) => {
            let _ = file.write_all(half);
            end_here()
        }
        Some(Effect::Fails(errno)) => {
            if errno == rustix::io::Errno::NOSPC.raw_os_error() {
                file.write_all(half)?;
            }
            Err(io::Error::from_raw_os_error(errno))
        }
    }
}

/// Notes that an operation has been done.
pub(super) fn done(operation: &str, names: impl FnOnce() -> String) {
    if PLAN.trace.is_some() {
        note(&format!("{operation}\t{}", names()));
    }
}

/// The name of an open file.
pub(super) fn name_of_open(file: &File) -> String {
    name_of(&fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap_or_default())
}

/// A path in the trace.
pub(super) fn name_of(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_default().display().to_string()
}

fn count(operation: &str, names: impl FnOnce() -> String) -> Option<Effect> {
    let number = COUNT.fetch_add(1, Ordering::SeqCst) + 1;
    done(operation, names);
    let fault = PLAN.fault?;
    let hit = if fault.and_later { number >= fault.first } else { number == fault.first };
    hit.then_some(fault.effect)
}

/// A line a write, so that a process that is killed leaves whole lines.
fn note(line: &str) {
    if let Some(trace) = &PLAN.trace {
        let mut trace = trace.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = trace.write_all(format!("{line}\n").as_bytes());
    }
}

/// As a power cut would: nothing is unwound, nothing flushed.
fn end_here() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort()
}
