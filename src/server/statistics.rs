//! Statistics, kept: [`tally`] puts together what the bid plane counted, [`book`] keeps it minute by minute; [`seen`] who was seen
//! in the bidstream, by day, in [`seen_files`]. One thread looks after all of it.
//! What must not live here: counting itself, which the bid plane does; questions, which the planner asks.

mod book;
pub(super) mod seen;
mod seen_files;
mod tally;

use crate::config::{Config, Loaded};
use crate::error::Result;
use crate::hooks::Doors;
use crate::snapshot::Store;
use crate::telemetry::statistics::Minute;
use book::Book;
use parking_lot::Mutex;
use seen::Seen;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tally::Tally;

/// How often it looks what has become due: what is counted may be counted for the minute before by so much.
const TICK: Duration = Duration::from_millis(200);
/// How often who was seen is made durable: a crash costs so much of it.
const SEEN_WRITTEN: Duration = Duration::from_secs(300);
/// How often minutes are written while the clock stands still.
const MINUTE: Duration = Duration::from_secs(60);
/// The most minutes that wait for a disk that refuses: the oldest are given up.
const MOST_UNWRITTEN: usize = 180;
const DAY_MINUTES: i64 = 1_440;

/// Where statistics are.
fn directory(config: &Config) -> PathBuf {
    config.statistics.dir.clone().unwrap_or_else(|| config.data_dir.join("statistics"))
}

/// Everything that is kept of answers.
#[derive(Debug)]
pub(super) struct Statistics {
    /// Who was seen.
    pub seen: Arc<Seen>,
    doors: Arc<Doors>,
    keep_days: u32,
    minutes: Mutex<Minutes>,
}

/// What was counted and what of it is on disk.
#[derive(Debug)]
struct Minutes {
    tally: Tally,
    /// Minutes that are over and could not be written, then the one that runs.
    unwritten: Vec<Minute>,
    book: Book,
    /// The day up to which old files were removed.
    swept: i64,
}

impl Statistics {
    /// Of what these doors answer.
    pub fn open(loaded: &Loaded, store: &Store, doors: &Arc<Doors>) -> Arc<Self> {
        let book = Book::new(directory(&loaded.config));
        let minutes = Minutes { tally: Tally::default(), unwritten: Vec::new(), book, swept: i64::MIN };
        Arc::new(Statistics {
            seen: Seen::new(loaded, store, doors.clock.clone()),
            doors: Arc::clone(doors),
            keep_days: loaded.config.statistics.keep_days,
            minutes: Mutex::new(minutes),
        })
    }

    /// Keeps them until the sender of `stop` is dropped.
    pub fn run(&self, stop: &Receiver<()>) {
        let (mut seen_written, mut written) = (Instant::now(), Instant::now());
        let mut minute = self.minute();
        self.collect();
        loop {
            if self.minute() != minute || written.elapsed() >= MINUTE {
                (minute, written) = (self.minute(), Instant::now());
                report(self.write());
            }
            self.seen.tick();
            if seen_written.elapsed() >= SEEN_WRITTEN {
                report(self.seen.write());
                seen_written = Instant::now();
            }
            if stop.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// Makes durable what is not yet, once nobody is answered any more and the thread has ended.
    pub fn close(&self) {
        report(self.write());
        self.seen.tick();
        report(self.seen.write());
    }

    /// Hands out every minute from one (included) to another (excluded) that something was counted in, the running one too:
    /// in pieces and in any order, to be added up. Returns whether statistics are kept at all.
    ///
    /// # Errors
    /// A machine that refuses.
    pub fn minutes(&self, from: i64, to: i64, each: &mut dyn FnMut(&Minute)) -> Result<bool> {
        if self.keep_days == 0 {
            return Ok(false);
        }
        let is_within = |minute: &Minute| (from..to).contains(&minute.minute);
        self.collect();
        let mut tell = |minute: Minute| {
            if is_within(&minute) {
                each(&minute)
            }
        };
        // The days that may still be written are read while nothing is, so that no minute is told twice or not at all.
        let minutes = self.minutes.lock();
        let open = minutes.unwritten.first().map_or(i64::MAX, |minute| minute.minute.div_euclid(DAY_MINUTES));
        let (open, over): (Vec<_>, Vec<_>) =
            minutes.book.pages(from, to).into_iter().partition(|page| page.day >= open);
        open.iter().try_for_each(|page| page.read(&mut tell))?;
        minutes.unwritten.iter().cloned().for_each(&mut tell);
        drop(minutes);
        over.iter().try_for_each(|page| page.read(&mut tell))?;
        Ok(true)
    }

    fn minute(&self) -> i64 {
        self.doors.clock.now().minute()
    }

    /// Adds what was counted since the last time to the minute that runs.
    fn collect(&self) {
        let Minutes { tally, unwritten, .. } = &mut *self.minutes.lock();
        if unwritten.is_empty() {
            unwritten.push(Minute { minute: self.minute(), ..Minute::default() });
        }
        if let Some(running) = unwritten.last_mut() {
            tally.collect(&self.doors, &mut running.counts);
        }
    }

    /// Writes what was counted, and begins the next minute.
    fn write(&self) -> Result<()> {
        self.collect();
        let mut minutes = self.minutes.lock();
        let Minutes { unwritten, book, swept, .. } = &mut *minutes;
        let next = Minute { minute: self.minute(), ..Minute::default() };
        let mut written = Ok(());
        if self.keep_days == 0 {
            unwritten.clear();
        }
        while let Some(minute) = unwritten.first().filter(|_| written.is_ok()) {
            if !minute.counts.is_empty() {
                written = book.append(minute);
            }
            if written.is_ok() {
                unwritten.remove(0);
            }
        }
        let spare = unwritten.len().saturating_sub(MOST_UNWRITTEN);
        unwritten.drain(..spare);
        unwritten.push(next);
        let today = self.minute().div_euclid(DAY_MINUTES);
        if written.is_ok() && today > *swept && self.keep_days > 0 {
            *swept = today;
            written = book.sweep(today - i64::from(self.keep_days));
        }
        written
    }
}

/// Statistics that cannot be written hold nobody up.
fn report(written: Result<()>) {
    if let Err(error) = written {
        tracing::error!("statistics cannot be written: {error}");
    }
}
