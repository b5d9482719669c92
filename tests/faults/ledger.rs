//! What was acknowledged, written down outside the process that acknowledged it, and held against what the logs say.

use crate::appender::{control, number};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use vaglio::log::{ControlLog, Which, oldest, read};

/// Every acknowledgement of every process so far.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By offset, the number of the record.
    durable: BTreeMap<u64, u64>,
    /// Numbers in the control log.
    controls: Vec<u64>,
    /// Before this offset the log may have let records go.
    released: u64,
    /// The number that no process has used yet.
    pub next: u64,
    /// What went wrong while we listened.
    pub complaints: Vec<String>,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// What it said last when it failed.
    pub error: Option<String>,
}

impl Ledger {
    /// Runs a process to its end and takes down what it acknowledges; `each` hears of every line and may hit it.
    pub fn listen(&mut self, mut command: Command, mut each: impl FnMut(u64, &mut Child)) -> Ended {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut error, mut told) = (None, 0);
        each(0, &mut child);
        for line in lines.map_while(Result::ok) {
            let Some((_, line)) = line.split_once("ledger ") else { continue };
            told += 1;
            if let Some(text) = line.strip_prefix("error ") {
                error = Some(text.to_owned());
            } else {
                self.take_down(line);
            }
            each(told, &mut child);
        }
        Ended { status: child.wait().unwrap(), error }
    }

    fn take_down(&mut self, line: &str) {
        let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
        let numbers: Vec<u64> = rest.split(' ').filter_map(|number| number.parse().ok()).collect();
        match (what, numbers[..].first_chunk(), numbers[..].first_chunk()) {
            ("durable", Some(&[offset, number, count]), _) => {
                let records = (0..count).map(|at| (offset + at, number + at));
                for (offset, number) in records {
                    if self.durable.insert(offset, number).is_some() {
                        self.complaints.push(format!("offset {offset} was given twice"));
                    }
                }
            }
            ("control", _, Some(&[number])) => self.controls.push(number),
            ("releasing", _, Some(&[before])) => self.released = self.released.max(before),
            ("open" | "sealed", _, Some(&[end])) => {
                if self.durable.last_key_value().is_some_and(|(last, _)| *last >= end) {
                    self.complaints.push(format!("after `{line}`: what was acknowledged is lost"));
                }
            }
            ("no", ..) => {}
            _ => self.complaints.push(format!("it said `{line}`")),
        }
    }

    /// What is wrong with the logs below `data/log`: lost, doubled, damaged, out of place. Empty = nothing.
    pub fn against(&self, data: &Path) -> Vec<String> {
        let mut wrong = self.complaints.clone();
        let mut found = BTreeMap::new();
        let mut numbers = BTreeMap::new();
        let directory = data.join("log/events");
        let outcome = oldest(&directory).and_then(|from| {
            read(&directory, from, Which::All, &mut |offset, bytes| {
                let number = number(bytes);
                if number.is_none_or(|number| numbers.insert(number, offset.0).is_some()) {
                    wrong.push(format!("record {offset} is doubled or not what was appended: {number:?}"));
                }
                found.insert(offset.0, number.unwrap_or(u64::MAX));
                Ok(())
            })
        });
        wrong.extend(outcome.err().map(|error| format!("the log cannot be read: {error}")));
        let kept = self.durable.range(self.released..);
        let lost = kept.filter(|(offset, number)| found.get(offset) != Some(number));
        wrong
            .extend(lost.map(|(offset, number)| format!("record {number} at {offset}: what was acknowledged is lost")));
        wrong.extend(self.against_control(&data.join("log/control")));
        wrong
    }

    fn against_control(&self, directory: &Path) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut found = BTreeMap::new();
        let outcome = ControlLog::open(directory).and_then(|mut log| {
            log.catch_up(&mut |_, record| {
                if let vaglio::log::Control::Audit { time, .. } = &record
                    && record == control(*time as u64)
                {
                    *found.entry(*time as u64).or_insert(0) += 1;
                }
                Ok(())
            })
        });
        wrong.extend(outcome.err().map(|error| format!("the control log cannot be read: {error}")));
        for number in &self.controls {
            match found.get(number) {
                Some(1) => {}
                Some(times) => wrong.push(format!("control record {number} is there {times} times")),
                None => wrong.push(format!("control record {number}: what was acknowledged is lost")),
            }
        }
        wrong
    }

    /// How many records were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.durable.len() + self.controls.len()
    }
}
