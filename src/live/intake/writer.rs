//! The thread itself: takes orders until it is told to close.

use super::{Apply, Batch, Journal, Order, Outcome, Shared, Stopped};
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::live::dedupe::Dedupe;
use crate::schema::{Clock, Offset};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub(super) struct Writer<J, A> {
    pub shared: Arc<Shared>,
    pub journal: J,
    pub apply: A,
    pub known: Dedupe,
    pub clock: Clock,
    /// Why nothing is taken any more.
    pub stopped: Option<Arc<str>>,
}

impl<J: Journal, A: Apply> Writer<J, A> {
    pub fn run(mut self) {
        while let Some(orders) = self.next() {
            let mut batches = Vec::new();
            for order in orders {
                match order {
                    Order::Take(batch) => batches.push(batch),
                    Order::Seal(done) => {
                        self.take(std::mem::take(&mut batches));
                        let sealed = self.unless_stopped().and_then(|()| self.journal.seal());
                        // Whoever asked may have gone away; the cut is in the log all the same.
                        let _ = done.send(sealed);
                    }
                    Order::Release(before, needed, done) => {
                        let _ = done.send(self.unless_stopped().and_then(|()| self.journal.release(before, needed)));
                    }
                }
            }
            self.take(batches);
        }
    }

    /// Everything that was asked meanwhile; `None` when it is time to end.
    fn next(&self) -> Option<Vec<Order>> {
        let mut queue = self.shared.queue.lock();
        while queue.orders.is_empty() {
            if queue.closed {
                return None;
            }
            self.shared.changed.wait(&mut queue);
        }
        queue.writing = queue.orders.iter().find_map(|order| match order {
            Order::Take(batch) => Some(batch.submitted),
            Order::Seal(_) | Order::Release(..) => None,
        });
        Some(queue.orders.drain(..).collect())
    }

    fn unless_stopped(&self) -> crate::error::Result<()> {
        match &self.stopped {
            None => Ok(()),
            Some(why) => Err(Error::new(ErrorKind::Io, Stopped::Failed(Arc::clone(why)).to_string())),
        }
    }

    /// Takes batches with one sync, then answers them.
    fn take(&mut self, batches: Vec<Batch>) {
        if batches.is_empty() {
            return;
        }
        let bytes: usize = batches.iter().map(|batch| batch.bytes).sum();
        let (mut answers, mut outcomes) = (Vec::with_capacity(batches.len()), Vec::with_capacity(batches.len()));
        let mut fresh = Fresh::default();
        self.known.advance(self.clock.now());
        for batch in batches {
            answers.push(batch.answer);
            outcomes.push(self.choose(batch.records, &mut fresh));
        }
        let duplicate = outcomes.iter().flatten().filter(|new| new.is_none()).count();
        let written = self.write(fresh);
        let syncs = u64::from(matches!(written, Ok((_, 1..))));
        let count = *written.as_ref().map_or(&0, |(_, count)| count);
        {
            let mut queue = self.shared.queue.lock();
            queue.writing = None;
            let state = &mut queue.state;
            state.queued_bytes -= bytes;
            state.end = self.journal.end();
            state.stopped = self.stopped.clone();
            state.refusing = match &written {
                Err(Stopped::Full(why)) => Some(Arc::clone(why)),
                Err(_) => None,
                Ok((_, 0)) => state.refusing.take(),
                Ok(_) => None,
            };
            state.syncs += syncs;
            state.accepted += count as u64;
            state.duplicate += if written.is_ok() { duplicate as u64 } else { 0 };
            state.remembered = (self.known.len(), self.known.bytes());
        }
        if written.is_ok() {
            disk::acknowledge("events");
        }
        for (answer, outcomes) in answers.into_iter().zip(outcomes) {
            let outcome = |first: Offset| {
                move |new: Option<u64>| match new {
                    Some(at) => Outcome::Accepted(Offset(first.0 + at)),
                    None => Outcome::Duplicate,
                }
            };
            let said = written.as_ref().map_err(Clone::clone);
            // Whoever asked may have gone away; the records are in the log all the same.
            let _ = answer.send(said.map(|(first, _)| outcomes.into_iter().map(outcome(*first)).collect()));
        }
    }

    /// Which records are new: for each its place among the new ones.
    fn choose(&mut self, records: Vec<super::Incoming>, fresh: &mut Fresh) -> Vec<Option<u64>> {
        let mut places = Vec::with_capacity(records.len());
        for record in records {
            places.push(self.known.insert(record.id).then_some(fresh.records.len() as u64));
            if places.last().is_some_and(Option::is_some) {
                fresh.ids.push(record.id);
                fresh.records.push((Offset::default(), record.encoded));
            }
        }
        places
    }

    /// Appends, syncs, applies; returns the first offset and how many records it were.
    fn write(&mut self, mut fresh: Fresh) -> Result<(Offset, usize), Stopped> {
        if let Some(why) = &self.stopped {
            return Err(Stopped::Failed(Arc::clone(why)));
        }
        if fresh.records.is_empty() {
            return Ok((self.journal.end(), 0));
        }
        let first = match self.journal.append(&fresh.records) {
            Ok(first) => first,
            Err(error) if error.kind != ErrorKind::NoRoom => {
                return Err(self.stop(format!("{error}; what was acknowledged is safe, start the server again")));
            }
            Err(error) => {
                fresh.ids.iter().for_each(|id| self.known.withdraw(*id));
                tracing::error!("events are refused: {error}");
                return Err(Stopped::Full(error.to_string().into()));
            }
        };
        if let Err(error) = self.journal.sync() {
            return Err(self.stop(format!("{error}; what was acknowledged is safe, start the server again")));
        }
        for (at, record) in (first.0..).zip(&mut fresh.records) {
            record.0 = Offset(at);
        }
        let applied = catch_unwind(AssertUnwindSafe(|| self.apply.apply(&fresh.records)));
        if applied.is_err() {
            return Err(self.stop("applying an event failed, the server's log says where".to_owned()));
        }
        Ok((first, fresh.records.len()))
    }

    fn stop(&mut self, why: String) -> Stopped {
        tracing::error!("events are not taken any more until a restart: {why}");
        let why: Arc<str> = why.into();
        self.stopped = Some(Arc::clone(&why));
        Stopped::Failed(why)
    }
}

/// What is new among the records of some batches.
#[derive(Default)]
struct Fresh {
    ids: Vec<u128>,
    records: Vec<(Offset, Vec<u8>)>,
}
