//! The events door: `POST /api/v1/events`, and the same as a gRPC stream. Lines are read, checked, hashed, and handed to the
//! intake; objections go another way, before everything else of their batch.
//!
//! Contents: [`line`] what a sender writes, [`check`] a line -> a record (with [`values`] and [`vocabulary`]), [`body`] a
//! request's bytes within bounds, [`http`] and [`stream`] the two ways in.

mod body;
mod check;
mod http;
mod line;
mod stream;
mod values;
mod vocabulary;

#[cfg(test)]
mod tests;

use super::Planner;
use super::reply::Refused;
use crate::access::Who;
use crate::config::Loaded;
use crate::live::{Incoming, Objection, Outcome, Stopped};
use crate::schema::{Generation, KeyHasher, Offset, Timestamp};
use crate::wire::Code;
use check::{Taken, check};
pub(super) use http::routes;
use line::Line;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::Semaphore;
pub(super) use vocabulary::Vocabulary;

/// What the lines of a body become without a generation: the bytes of their records, an objection's none, or why they are
/// rejected. For benches and fuzzing.
pub fn checked(body: &[u8], loaded: &Loaded, keys: &KeyHasher, now: Timestamp) -> Vec<Result<Vec<u8>, String>> {
    let words = Vocabulary::new(loaded, keys.clone(), None);
    let who = Who { name: String::new(), owner: None, role: None };
    let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let taken = lines.map(|line| Line::read(line).and_then(|line| check(&line, &words, &who, now)));
    let bytes = taken.map(|taken| match taken? {
        Taken::Event(event) => Ok(event.encoded),
        Taken::Objection(_) => Ok(Vec::new()),
    });
    bytes.collect()
}

/// What both ways in share.
pub(super) struct Door {
    planner: Arc<Planner>,
    /// The words of the generation that was in service when a batch last came.
    words: Mutex<Option<(Option<Generation>, Arc<Vocabulary>)>>,
    /// How many KiB of bodies may be under way.
    room: Arc<Semaphore>,
}

/// Some lines, checked: what is taken, and what became of each so far.
#[derive(Debug, Default)]
struct Batch {
    events: Vec<Incoming>,
    objections: Vec<Objection>,
    /// The number of each line and what it asks for, or why it is rejected.
    lines: Vec<(u32, Result<Sort, String>)>,
}

/// Which way a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Event,
    Objection,
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// Durable and in force; an event's place in the log.
    Accepted(Option<Offset>),
    /// Its id was taken before.
    Duplicate,
    /// Not taken, and why.
    Rejected(String),
}

impl Batch {
    /// Notes what a line says.
    fn add(&mut self, number: u32, line: Result<Line<'_>, String>, words: &Vocabulary, who: &Who, now: Timestamp) {
        let taken = line.and_then(|line| check(&line, words, who, now));
        let sort = taken.map(|taken| match taken {
            Taken::Event(event) => {
                self.events.push(event);
                Sort::Event
            }
            Taken::Objection(objection) => {
                self.objections.push(objection);
                Sort::Objection
            }
        });
        self.lines.push((number, sort));
    }

    /// What became of each line, when its events ended so.
    fn fates(self, outcomes: Vec<Outcome>) -> Vec<(u32, Fate)> {
        let mut outcomes = outcomes.into_iter();
        let fate = |sort| match sort {
            Err(reason) => Fate::Rejected(reason),
            Ok(Sort::Objection) => Fate::Accepted(None),
            Ok(Sort::Event) => match outcomes.next() {
                Some(Outcome::Accepted(offset)) => Fate::Accepted(Some(offset)),
                _ => Fate::Duplicate,
            },
        };
        let (numbers, sorts): (Vec<u32>, Vec<_>) = self.lines.into_iter().unzip();
        numbers.into_iter().zip(sorts.into_iter().map(fate)).collect()
    }
}

impl Door {
    pub fn new(planner: Arc<Planner>) -> Self {
        let bytes = planner.loaded.config.ingest.queue_bytes.max(body::MAX_BODY_BYTES * 2);
        Door { planner, words: Mutex::new(None), room: Arc::new(Semaphore::new(bytes / 1_024)) }
    }

    /// The words of now.
    fn words(&self) -> Result<Arc<Vocabulary>, Refused> {
        let answering = self.planner.standing.answering();
        let generation = answering.as_ref().map(|answering| answering.snapshot.generation());
        let mut words = self.words.lock();
        if let Some((known, words)) = &*words
            && *known == generation
        {
            return Ok(Arc::clone(words));
        }
        let keys = self.keys()?;
        let catalogue = answering.as_ref().map(|answering| answering.snapshot.catalogue());
        let made = Vocabulary::new(&self.planner.loaded, keys, catalogue);
        let made = Arc::new(made.without_deleted(Arc::clone(&self.planner.keeper)));
        *words = Some((generation, Arc::clone(&made)));
        Ok(made)
    }

    fn keys(&self) -> Result<KeyHasher, Refused> {
        self.planner.loaded.key_hasher(false).map_err(|error| {
            let help = "wait for the first build, or copy the key file of the installation";
            Refused::new(Code::NotReady, format!("identifiers cannot be hashed yet: {error}"), help).retry_after(5)
        })
    }

    /// Why no events are taken at all.
    fn closed(&self) -> Option<Refused> {
        if self.planner.intake.is_some() {
            return None;
        }
        Some(match self.planner.loaded.config.as_of {
            Some(as_of) => {
                let message = format!("events are not taken: the clock stands still at {as_of} (`as_of`)");
                Refused::new(Code::Refused, message, "take `as_of` out; objections may be sent by themselves")
            }
            None => {
                let help = "set `ingest.enabled: true`; objections may be sent by themselves";
                Refused::new(Code::Refused, "events are not taken: `ingest.enabled` is false", help)
            }
        })
    }

    /// Puts a batch's objections in force: all of them, or the batch is refused.
    async fn object(&self, batch: &mut Batch) -> Result<(), Refused> {
        if batch.objections.is_empty() {
            return Ok(());
        }
        let Some(objections) = self.planner.objections.clone() else {
            return Err(Refused::new(Code::Unavailable, "objections cannot be taken by this server", ""));
        };
        let said = std::mem::take(&mut batch.objections);
        let done = tokio::task::spawn_blocking(move || objections.object(&said)).await;
        let help = "nothing of this batch was acknowledged: send it again";
        match done {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Refused::new(Code::Unavailable, error.to_string(), help).retry_after(1)),
            Err(_) => Err(Refused::new(Code::Internal, "taking an objection failed; the log says where", help)),
        }
    }

    /// Takes a batch, or nothing of its events.
    async fn take(&self, mut batch: Batch) -> Result<Vec<(u32, Fate)>, Refused> {
        if !batch.events.is_empty() {
            self.closed().map_or(Ok(()), Err)?;
        }
        self.object(&mut batch).await?;
        let events = std::mem::take(&mut batch.events);
        let outcomes = match &self.planner.intake {
            Some(intake) if !events.is_empty() => match intake.submit(events).await {
                Ok(said) => said.map_err(|stopped| refused(&stopped))?,
                Err(_) => return Err(refused(&Stopped::Failed("the intake is gone".into()))),
            },
            _ => Vec::new(),
        };
        let fates = batch.fates(outcomes);
        self.count(&fates);
        Ok(fates)
    }

    fn count(&self, fates: &[(u32, Fate)]) {
        let mut counts = [0u64; 3];
        for (_, fate) in fates {
            counts[match fate {
                Fate::Accepted(_) => 0,
                Fate::Duplicate => 1,
                Fate::Rejected(_) => 2,
            }] += 1;
        }
        self.planner.metrics.feed.count(counts);
    }
}

/// What a sender is told when nothing was taken.
fn refused(stopped: &Stopped) -> Refused {
    let message = stopped.to_string();
    match stopped {
        Stopped::Busy => Refused::new(Code::Overloaded, message, "wait as long as Retry-After says").retry_after(1),
        Stopped::Full(_) => Refused::new(Code::StorageFull, message, "free some space").retry_after(30),
        Stopped::Failed(_) => Refused::new(Code::Unavailable, message, "the server's log says more").retry_after(60),
    }
}
