//! The one thread that writes the events log. It takes whatever was submitted meanwhile, leaves out what it knows already,
//! appends the rest, makes it durable with one sync, has it applied, and only then answers: what is acknowledged is on disk
//! and visible. The more comes, the more one sync covers.
//!
//! A sync that fails stops it for ever: nobody knows what is on the disk then, until the log is opened again.

use super::dedupe::Dedupe;
use crate::error::{Error, Result};
use crate::schema::{Clock, Offset, Timestamp};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// An encoded record and the id by which it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The hash of the event's id: see `KeyHasher::event_id`.
    pub id: u128,
    /// The record: see `log::Record::encode`.
    pub encoded: Vec<u8>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log, at this place, and applied.
    Accepted(Offset),
    /// Its id was taken before; that record is in the log and applied.
    Duplicate,
}

/// Why nothing of a batch was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// So much waits to be written that no more is taken: come back a little later.
    Busy,
    /// The disk is full: come back when that was looked after.
    Full(Arc<str>),
    /// Nothing is taken until the server is started again.
    Failed(Arc<str>),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stopped::Busy => f.write_str("more comes than can be written; nothing of this was taken: send it again"),
            Stopped::Full(why) => write!(f, "nothing of this was taken, the log cannot be written: {why}"),
            Stopped::Failed(why) => write!(f, "events are not taken any more until a restart: {why}"),
        }
    }
}

/// What is answered: the outcome of each record of a batch, in its order.
pub type Said = std::result::Result<Vec<Outcome>, Stopped>;
/// Where it is answered.
pub type Answer = oneshot::Receiver<Said>;

/// Takes what is in the log into what is in service. Runs in the intake's thread.
pub trait Apply: Send {
    /// Applies records, in the order of the log, each once.
    fn apply(&mut self, batch: &[(Offset, Vec<u8>)]);
}

/// The log as its one writer sees it.
pub trait Journal: Send {
    /// Writes records behind each other; returns the offset of the first.
    ///
    /// # Errors
    /// `NoRoom`: the disk is full, and nothing of it stays. Anything else: nothing can be appended any more.
    fn append(&mut self, records: &[(Offset, Vec<u8>)]) -> Result<Offset>;
    /// Makes everything appended durable.
    ///
    /// # Errors
    /// A machine that refuses; then nothing can be appended any more.
    fn sync(&mut self) -> Result<()>;
    /// Ends the present log segment; returns the offset behind it.
    ///
    /// # Errors
    /// A machine that refuses.
    fn seal(&mut self) -> Result<Offset>;
    /// Removes sealed log segments that end before the offset and hold nothing that was received since the time.
    ///
    /// # Errors
    /// A machine that refuses.
    fn release(&mut self, before: Offset, newest_needed: Timestamp) -> Result<()>;
    /// The offset of the next record.
    fn end(&self) -> Offset;
}

/// How an intake works.
#[derive(Debug)]
pub struct Settings {
    /// Bytes of records that may wait.
    pub queue_bytes: usize,
    /// For how many hours an id is remembered.
    pub dedupe_hours: u32,
    /// The ids that are known from the log.
    pub known: Dedupe,
    /// Where "now" comes from.
    pub clock: Clock,
}

/// How an intake does.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Bytes that wait, or are being written.
    pub queued_bytes: usize,
    /// For how long the oldest that was submitted waits to be applied.
    pub behind: Duration,
    /// Why it takes nothing until a restart.
    pub stopped: Option<Arc<str>>,
    /// Why the last append was refused, until one succeeds.
    pub refusing: Option<Arc<str>>,
    /// The offset of the next record.
    pub end: Offset,
    /// Records taken since the start.
    pub accepted: u64,
    /// Records left out since the start, because they were known.
    pub duplicate: u64,
    /// Syncs since the start.
    pub syncs: u64,
    /// Ids that are remembered, and about how many bytes they take.
    pub remembered: (usize, usize),
}

/// What the thread is asked to do.
enum Order {
    Take(Batch),
    Seal(mpsc::SyncSender<Result<Offset>>),
    Release(Offset, Timestamp, mpsc::SyncSender<Result<()>>),
}

struct Batch {
    records: Vec<Incoming>,
    bytes: usize,
    submitted: Instant,
    answer: oneshot::Sender<Said>,
}

#[derive(Default)]
struct Queue {
    orders: VecDeque<Order>,
    /// When the oldest of those being written was submitted.
    writing: Option<Instant>,
    closed: bool,
    state: State,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// The way to the thread: any number may use it at once. Ends it when dropped, once everything submitted is written.
pub struct Intake {
    shared: Arc<Shared>,
    queue_bytes: usize,
    dedupe_hours: u32,
    clock: Clock,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Intake {
    /// Starts the thread.
    ///
    /// # Errors
    /// A machine that refuses a thread.
    pub fn start(journal: impl Journal + 'static, settings: Settings, apply: impl Apply + 'static) -> Result<Self> {
        let Settings { queue_bytes, dedupe_hours, known, clock } = settings;
        let shared = Arc::new(Shared::default());
        shared.queue.lock().state.end = journal.end();
        let writer = Writer { shared: Arc::clone(&shared), journal, apply, known, clock: clock.clone(), stopped: None };
        let thread = std::thread::Builder::new().name("intake".to_owned()).spawn(move || {
            let_bids_go_first();
            writer.run();
        });
        let thread = thread.map_err(|error| Error::io("start the `intake` thread", error))?;
        Ok(Intake { shared, queue_bytes, dedupe_hours, clock, thread: Mutex::new(Some(thread)) })
    }

    /// Hands in records: all of them are taken, or none. The answer comes when they are durable and applied.
    pub fn submit(&self, records: Vec<Incoming>) -> Answer {
        self.offer(records).unwrap_or_else(|_| {
            let (answer, answered) = oneshot::channel();
            // The other half is here.
            let _ = answer.send(Err(Stopped::Busy));
            answered
        })
    }

    /// As [`Intake::submit`], for whoever can wait.
    ///
    /// # Errors
    /// The records, when too much waits to be written already.
    pub fn offer(&self, records: Vec<Incoming>) -> std::result::Result<Answer, Vec<Incoming>> {
        let (answer, answered) = oneshot::channel();
        let bytes = records.iter().map(|record| record.encoded.len() + size_of::<Incoming>()).sum();
        let mut queue = self.shared.queue.lock();
        let refusal = match (&queue.state.stopped, queue.closed) {
            (Some(why), _) => Some(Stopped::Failed(Arc::clone(why))),
            (None, true) => Some(Stopped::Failed("the server is going down".into())),
            (None, false) => None,
        };
        if let Some(refusal) = refusal {
            // Whoever asked may have gone away.
            let _ = answer.send(Err(refusal));
            return Ok(answered);
        }
        // A batch that alone is more than may wait is taken when nothing else does.
        if queue.state.queued_bytes > 0 && queue.state.queued_bytes + bytes > self.queue_bytes {
            return Err(records);
        }
        queue.state.queued_bytes += bytes;
        queue.orders.push_back(Order::Take(Batch { records, bytes, submitted: Instant::now(), answer }));
        drop(queue);
        self.shared.changed.notify_one();
        Ok(answered)
    }

    /// Ends the present log segment behind everything that was submitted before; returns the cut. Blocks.
    ///
    /// # Errors
    /// A machine that refuses, or an intake that has stopped.
    pub fn seal(&self) -> Result<Offset> {
        self.order(Order::Seal)
    }

    /// Removes log segments that end before the offset and whose ids need not be remembered any more. Blocks.
    ///
    /// # Errors
    /// As [`Intake::seal`].
    pub fn release(&self, before: Offset) -> Result<()> {
        let kept = (i64::from(self.dedupe_hours) + 1) * 3_600;
        let needed = Timestamp(self.clock.now().0.saturating_sub(kept));
        self.order(|done| Order::Release(before, needed, done))
    }

    fn order<T>(&self, order: impl FnOnce(mpsc::SyncSender<Result<T>>) -> Order) -> Result<T> {
        let (done, answer) = mpsc::sync_channel(1);
        {
            let mut queue = self.shared.queue.lock();
            if let Some(why) = &queue.state.stopped {
                return Err(Error::busy(Stopped::Failed(Arc::clone(why)).to_string()));
            }
            if queue.closed {
                return Err(Error::busy("the server is going down"));
            }
            queue.orders.push_back(order(done));
        }
        self.shared.changed.notify_one();
        answer.recv().map_err(|_| Error::internal("the `intake` thread is gone"))?
    }

    /// How it does.
    pub fn state(&self) -> State {
        let queue = self.shared.queue.lock();
        let waiting = queue.orders.iter().find_map(|order| match order {
            Order::Take(batch) => Some(batch.submitted),
            Order::Seal(_) | Order::Release(..) => None,
        });
        let oldest = queue.writing.or(waiting);
        State { behind: oldest.map_or(Duration::ZERO, |oldest| oldest.elapsed()), ..queue.state.clone() }
    }

    /// Takes nothing more, writes what was submitted, and closes the log. Blocks.
    pub fn close(&self) {
        self.shared.queue.lock().closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            // A panic in it was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Intake({:?})", self.state())
    }
}

mod writer;
use writer::Writer;

/// Puts the calling thread behind the bids' where both want the same core: an acknowledgement can wait for a lookup, a
/// lookup for nothing. Where the machine refuses, it shares evenly.
pub fn let_bids_go_first() {
    const NICENESS: i32 = 10;
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::warn!(%error, "events are taken at the bids' priority");
    }
}

#[cfg(test)]
mod tests;
