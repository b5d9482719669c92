//! Whether a process did things in an order that a power cut forgives: reads the trace of `src/disk/faults.rs`.
//!
//! 1. What was appended to a file is synced before the file gets its name, and before somebody is told that it is durable.
//! 2. A file that was made or renamed is in its directory durably before `CURRENT` names it, before somebody is told, and
//!    before the process ends well.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One line of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub operation: String,
    pub path: PathBuf,
    pub detail: String,
}

/// The lines of a trace. What is not there had no operation.
pub fn read(file: &Path) -> Vec<Step> {
    parse(&std::fs::read_to_string(file).unwrap_or_default())
}

fn parse(text: &str) -> Vec<Step> {
    let step = |line: &str| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_default().to_owned();
        Step { operation: next(), path: next().into(), detail: next() }
    };
    text.lines().map(step).collect()
}

/// The operations that `FAULTS_HIT` counts.
pub fn operations(steps: &[Step]) -> Vec<&Step> {
    let told = ["synced", "synced_directory", "acknowledge"];
    steps.iter().filter(|step| !told.contains(&step.operation.as_str())).collect()
}

/// The length of a mark in a log segment; no record is as short.
const MARK_BYTES: &str = "24";

#[derive(Default)]
struct Order {
    /// Files with appends that no sync covers yet; true while a sync that began after the last append is under way.
    unsynced: BTreeMap<PathBuf, bool>,
    /// Names whose directory was not synced since they were made; true while one is under way.
    unnamed: BTreeMap<PathBuf, bool>,
    complaints: BTreeSet<String>,
}

/// What a power cut would not have forgiven. `ended_well`: the process said that it had done its work.
pub fn complaints(steps: &[Step], ended_well: bool) -> Vec<String> {
    let mut order = Order::default();
    steps.iter().for_each(|step| order.step(step));
    if ended_well {
        order.nothing_pending("the process ended well", |_| true);
    }
    order.complaints.into_iter().collect()
}

impl Order {
    fn step(&mut self, step: &Step) {
        let path = &step.path;
        match step.operation.as_str() {
            "open" if step.detail == "new" && !may_be_gone(path) => {
                self.unnamed.insert(path.clone(), false);
            }
            // Says that what stands before it is durable, after the fact: nobody needs it.
            "append" if step.detail == MARK_BYTES && path.extension().is_some_and(|it| it == "open") => {}
            "append" | "truncate" => {
                self.unsynced.insert(path.clone(), false);
            }
            "sync" => self.unsynced.iter_mut().filter(|it| it.0 == path).for_each(|it| *it.1 = true),
            "synced" => self.unsynced.retain(|file, under_way| file != path || !*under_way),
            "sync_directory" => {
                self.unnamed.iter_mut().filter(|it| it.0.parent() == Some(path)).for_each(|it| *it.1 = true);
            }
            "synced_directory" => self.unnamed.retain(|file, under_way| file.parent() != Some(path) || !*under_way),
            "rename" => self.rename(path, Path::new(&step.detail)),
            "remove" => {
                self.unnamed.remove(path);
                self.unsynced.remove(path);
            }
            "acknowledge" => {
                self.nothing_pending("it was acknowledged", |file| {
                    file.parent().is_some_and(|directory| directory.ends_with(path))
                });
            }
            _ => {}
        }
    }

    fn rename(&mut self, to: &Path, from: &Path) {
        if self.unsynced.remove(from).is_some() {
            self.complaints.insert(format!("{} got its name before its contents were synced", short(to)));
        }
        self.unnamed.remove(from);
        if to.ends_with("CURRENT") {
            self.nothing_pending("CURRENT was written", |_| true);
        }
        self.unnamed.insert(to.to_path_buf(), false);
    }

    fn nothing_pending(&mut self, when: &str, concerns: impl Fn(&Path) -> bool) {
        for file in self.unsynced.keys().filter(|file| concerns(file)) {
            self.complaints.insert(format!("{} was not synced when {when}", short(file)));
        }
        for file in self.unnamed.keys().filter(|file| concerns(file)) {
            self.complaints.insert(format!("the directory of {} was not synced when {when}", short(file)));
        }
    }
}

/// What is in `tmp` is nobody's yet, and the reserve only takes room.
fn may_be_gone(file: &Path) -> bool {
    file.parent().is_some_and(|directory| directory.ends_with("tmp")) || file.ends_with("log/reserve")
}

/// The end of a path, enough to know it by.
fn short(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .rev()
        .take(3)
        .filter(|part| part.as_os_str() != "/")
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

#[test]
fn the_order_is_judged_as_a_power_cut_would() {
    let said = |text: &str, well| complaints(&parse(&text.replace(' ', "\t")), well);
    let good =
        "open /x/d/tmp/a new\nappend /x/d/tmp/a 3\nsync /x/d/tmp/a\nsynced /x/d/tmp/a\nrename /x/d/a /x/d/tmp/a\n";
    let named = format!("{good}sync_directory /x/d\nsynced_directory /x/d\n");
    assert!(said(&named, true).is_empty());
    assert_eq!(said(good, true), ["the directory of x/d/a was not synced when the process ended well"]);
    assert!(said(good, false).is_empty(), "it may still come");
    let early = named.replace("synced /x/d/tmp/a\n", "");
    assert_eq!(said(&early, true), ["x/d/a got its name before its contents were synced"]);
    let current = format!("{good}rename /x/d/CURRENT /x/d/tmp/c\nsync_directory /x/d\nsynced_directory /x/d\n");
    assert_eq!(said(&current, true), ["the directory of x/d/a was not synced when CURRENT was written"]);
    let log = "append /x/l/1 9\nsync /x/l/1\nappend /x/l/1 9\nsynced /x/l/1\nacknowledge l\n";
    assert_eq!(said(log, false), ["x/l/1 was not synced when it was acknowledged"], "the sync began before the append");
    assert!(said(&log.replace("append /x/l/1 9\nsynced", "synced"), false).is_empty());
    assert_eq!(operations(&parse(&log.replace(' ', "\t"))).len(), 3);
}
