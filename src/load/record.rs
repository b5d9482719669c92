//! What became of requests, while it happens: counts, distributions of waits, and second by second.
//!
//! Cheap enough to be asked for every request: a few additions each. Nothing here knows of a clock or of a connection:
//! instants are nanoseconds since the run began.

use super::measured::{Counts, Latency, Measured, Second};
use crate::error::{Error, Result};
use hdrhistogram::{Counter, Histogram};
use std::collections::{BTreeMap, VecDeque};

/// Waits are told apart up to this many microseconds: longer than anybody waits.
const LONGEST_US: u64 = 120_000_000;
/// A report draws no more buckets of a distribution.
const MOST_BUCKETS: usize = 200;
/// Different sorts of failures that are kept: what an unruly server can make us remember.
const MOST_KINDS: usize = 64;
/// Different generations that are kept: more than a server puts into service while somebody looks, and still no burden.
pub const MOST_GENERATIONS: usize = 10_000;
const SECOND: u64 = 1_000_000_000;

/// How one request ended.
#[derive(Debug, Clone, Copy)]
pub enum End<'a> {
    /// Answered with substance.
    Accepted {
        /// Lookups or events in it.
        items: u32,
        /// Lookups or events in its question.
        asked: u32,
        /// The generation that answered; 0 = not said.
        generation: u64,
    },
    /// Shed by the server.
    Shed,
    /// Given up before it was sent.
    Unsent,
    /// Sent, and given up.
    Unanswered,
    /// Failed.
    Failed {
        /// The sort of failure.
        kind: &'static str,
        /// What was said.
        message: &'a str,
    },
}

/// The instants of a request, nanoseconds since the run began.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// When it was meant to be sent.
    pub due: u64,
    /// When it was sent.
    pub sent: u64,
    /// When it had ended.
    pub ended: u64,
}

/// Waits of one sort, in microseconds.
#[derive(Debug)]
struct Waits {
    histogram: Histogram<u64>,
    max: u64,
}

impl Waits {
    fn new() -> Result<Self> {
        Ok(Waits { histogram: histogram(3)?, max: 0 })
    }

    fn record(&mut self, us: u64) {
        self.histogram.saturating_record(us);
        self.max = self.max.max(us);
    }

    fn latency(&self) -> Latency {
        let at = |quantile| self.histogram.value_at_quantile(quantile).min(self.max);
        Latency {
            count: self.histogram.len(),
            mean_us: self.histogram.mean(),
            p50_us: at(0.5),
            p90_us: at(0.9),
            p99_us: at(0.99),
            p999_us: at(0.999),
            p9999_us: at(0.9999),
            max_us: self.max,
            buckets: self.buckets(),
        }
    }

    /// The distribution in buckets whose ends grow by one factor.
    fn buckets(&self) -> Vec<(u64, u64)> {
        let mut buckets: Vec<(u64, u64)> = Vec::new();
        let low = self.histogram.min().max(1) as f64;
        let growth = (self.max.max(1) as f64 / low).powf(1.0 / (MOST_BUCKETS - 2) as f64).max(1.000_001);
        let mut end = 0.0_f64;
        for value in self.histogram.iter_recorded() {
            let upper = value.value_iterated_to().min(self.max.max(1));
            match buckets.last_mut() {
                Some(last) if upper as f64 <= end => *last = (upper, last.1 + value.count_since_last_iteration()),
                _ => {
                    buckets.push((upper, value.count_since_last_iteration()));
                    end = (upper as f64).max(1.0) * growth;
                }
            }
        }
        buckets
    }
}

fn histogram<T: Counter>(digits: u8) -> Result<Histogram<T>> {
    Histogram::new_with_bounds(1, LONGEST_US, digits)
        .map_err(|error| Error::internal("a distribution of waits cannot be made").caused_by(error))
}

/// A second that may still get answers.
#[derive(Debug)]
struct Open {
    second: Second,
    waits: Histogram<u32>,
}

impl Open {
    fn close(&self) -> Second {
        let at = |quantile| self.waits.value_at_quantile(quantile).min(self.second.max_us);
        let Second { due, accepted, shed, .. } = self.second;
        let failed = due.saturating_sub(accepted + shed);
        Second { failed, p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999), ..self.second }
    }
}

/// Records a stretch of a run.
#[derive(Debug)]
pub struct Recorder {
    began: u64,
    deadline_us: u64,
    patience: u64,
    counts: Counts,
    items: u64,
    items_asked: u64,
    latency: Waits,
    service: Waits,
    shed: Waits,
    late: Waits,
    open: VecDeque<Open>,
    closed: Vec<Second>,
    spare: Vec<Histogram<u32>>,
    /// One without waits, to make others of.
    blank: Histogram<u32>,
    failures: BTreeMap<&'static str, (u64, String)>,
    generations: BTreeMap<u64, u64>,
    /// The generation that answered last, with how many answers since it was put into the map: it seldom changes.
    generation: (u64, u64),
}

impl Recorder {
    /// For a stretch that begins at an instant; `deadline` is how long an answer is worth waiting for (0 = no limit), and
    /// after `patience` nothing of a second changes any more. All in nanoseconds.
    ///
    /// # Errors
    /// None that can happen.
    pub fn new(began: u64, deadline: u64, patience: u64) -> Result<Self> {
        Ok(Recorder {
            began,
            deadline_us: if deadline == 0 { u64::MAX } else { deadline / 1_000 },
            patience,
            counts: Counts::default(),
            items: 0,
            items_asked: 0,
            latency: Waits::new()?,
            service: Waits::new()?,
            shed: Waits::new()?,
            late: Waits::new()?,
            open: VecDeque::new(),
            closed: Vec::new(),
            spare: Vec::new(),
            blank: histogram(2)?,
            failures: BTreeMap::new(),
            generations: BTreeMap::new(),
            generation: (0, 0),
        })
    }

    /// A request is due, and was handed out so many nanoseconds later.
    pub fn due(&mut self, at: u64, late: u64) {
        self.counts.due += 1;
        self.late.record(late / 1_000);
        let number = at / SECOND;
        if self.open.back().is_none_or(|open| open.second.at != number) {
            self.close_before(at.saturating_sub(self.patience) / SECOND);
            let waits = self.spare.pop().unwrap_or_else(|| self.blank.clone());
            self.open.push_back(Open { second: Second { at: number, ..Second::default() }, waits });
        }
        if let Some(open) = self.open.back_mut() {
            open.second.due += 1;
        }
    }

    /// A request has ended.
    pub fn end(&mut self, times: Times, end: End<'_>) {
        let us = |from: u64| (times.ended.saturating_sub(from) + 500) / 1_000;
        match end {
            End::Accepted { items, asked, generation } => {
                self.answered_by(generation);
                let waited = us(times.due);
                if waited > self.deadline_us {
                    self.counts.too_late += 1;
                    return;
                }
                self.counts.accepted += 1;
                self.items += u64::from(items);
                self.items_asked += u64::from(asked);
                self.latency.record(waited);
                self.service.record(us(times.sent));
                if let Some(open) = self.open(times.due) {
                    open.second.accepted += 1;
                    open.second.max_us = open.second.max_us.max(waited);
                    open.waits.saturating_record(waited);
                }
            }
            End::Shed => {
                self.counts.shed += 1;
                self.shed.record(us(times.due));
                if let Some(open) = self.open(times.due) {
                    open.second.shed += 1;
                }
            }
            End::Unsent => self.counts.unsent += 1,
            End::Unanswered => self.counts.unanswered += 1,
            End::Failed { kind, message } => self.failed(kind, message),
        }
    }

    /// To count verdicts that were checked.
    pub fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Whether a request was due yet.
    pub fn any_due(&self) -> bool {
        self.counts.due > 0
    }

    /// What is known so far of a second since the run began.
    pub fn second(&self, number: u64) -> Option<Second> {
        self.open.iter().find(|open| open.second.at == number).map(Open::close)
    }

    fn open(&mut self, due: u64) -> Option<&mut Open> {
        let number = due / SECOND;
        self.open.iter_mut().rev().find(|open| open.second.at == number)
    }

    fn answered_by(&mut self, generation: u64) {
        if self.generation.0 == generation {
            self.generation.1 += 1;
            return;
        }
        self.keep_generation();
        self.generation = (generation, 1);
    }

    fn keep_generation(&mut self) {
        let (generation, answers) = std::mem::take(&mut self.generation);
        if generation != 0 && (self.generations.len() < MOST_GENERATIONS || self.generations.contains_key(&generation))
        {
            *self.generations.entry(generation).or_default() += answers;
        }
    }

    fn failed(&mut self, kind: &'static str, message: &str) {
        self.counts.errors += 1;
        if self.failures.len() < MOST_KINDS || self.failures.contains_key(kind) {
            self.failures.entry(kind).or_insert_with(|| (0, message.to_owned())).0 += 1;
        }
    }

    fn close_before(&mut self, number: u64) {
        while self.open.front().is_some_and(|open| open.second.at < number) {
            if let Some(mut open) = self.open.pop_front() {
                self.closed.push(open.close());
                open.waits.reset();
                self.spare.push(open.waits);
            }
        }
    }

    /// What was found up to `ended`, for a phase of that name.
    pub fn finish(mut self, name: &str, ended: u64) -> Measured {
        self.close_before(u64::MAX);
        self.keep_generation();
        Measured {
            name: name.to_owned(),
            seconds: ended.saturating_sub(self.began) as f64 / 1e9,
            counts: self.counts,
            items: self.items,
            items_asked: self.items_asked,
            latency: self.latency.latency(),
            service: self.service.latency(),
            shed_latency: self.shed.latency(),
            seconds_of: self.closed,
            generator_late_p99_us: self.late.histogram.value_at_quantile(0.99).min(self.late.max),
            failures: self.failures.into_iter().map(|(kind, said)| (kind.to_owned(), said)).collect(),
            generations: self.generations,
            ..Measured::default()
        }
    }
}

#[cfg(test)]
mod tests;
