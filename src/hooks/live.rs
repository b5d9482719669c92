//! The generation in service, and each worker's buffers. A request takes the generation once and sees no other.

use super::batch::Place;
use super::labels::{Labels, Visibility};
use crate::decide::{Answering, Decisions};
use crate::lookup::Answer;
use crate::schema::{Generation, KeyHasher, ProfileKey, Timestamp};
use crate::snapshot::{Current, CurrentReader};
use crate::telemetry::shards;
use crate::wire::v1;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;

/// What questions are answered from: a generation, the secret its keys were made with, and its names as each door may
/// say them.
pub struct Served {
    /// Lookups and campaigns.
    pub answering: Answering,
    /// Hashes identifiers as the generation's were.
    pub keys: KeyHasher,
    /// What the HTTP doors may say.
    pub http: Labels,
    /// What the gRPC doors may say.
    pub grpc: Labels,
}

impl Served {
    /// Puts a generation's names into words for both doors.
    pub fn new(answering: Answering, keys: KeyHasher, http: &Visibility, grpc: &Visibility) -> Self {
        let (http, grpc) = (Labels::new(&answering, http), Labels::new(&answering, grpc));
        Served { answering, keys, http, grpc }
    }

    /// The number of the generation.
    pub fn generation(&self) -> Generation {
        self.answering.snapshot.manifest().generation
    }

    /// What instant its data is of.
    pub fn as_of(&self) -> Timestamp {
        self.answering.snapshot.manifest().as_of
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Served(generation {})", self.generation())
    }
}

/// Buffers that a worker uses again for every request.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Rank and key of each identifier.
    pub ranked: Vec<(u32, u32, ProfileKey)>,
    /// Keys in the order in which they are tried.
    pub keys: Vec<ProfileKey>,
    /// The lookup's answer.
    pub answer: Answer,
    /// Labels already said.
    pub segments: Vec<u32>,
    /// The campaigns' verdicts.
    pub decisions: Decisions,
    /// Keys of a batch: one each of the questions that have one.
    pub batch: Vec<ProfileKey>,
    /// What became of each question of a batch.
    pub places: Vec<Place>,
    /// The answers of a batch, in the order of `places`' positions.
    pub answers: Vec<Answer>,
    /// One result of a batch.
    pub result: v1::LookupResult,
    /// Its encoding.
    pub encoded: Vec<u8>,
}

#[derive(Debug)]
struct Worker {
    reader: CurrentReader<Option<Served>>,
    scratch: Scratch,
}

/// The generation in service, for many workers that do not wait for each other nor for a swap.
#[derive(Debug)]
pub struct Live {
    current: Arc<Current<Option<Served>>>,
    workers: Box<[Mutex<Worker>]>,
}

impl Default for Live {
    fn default() -> Self {
        let current = Arc::new(Current::new(Arc::new(None)));
        let worker = || Mutex::new(Worker { reader: current.reader(), scratch: Scratch::default() });
        let workers = (0..shards::copies()).map(|_| worker()).collect();
        Live { current, workers }
    }
}

impl Live {
    /// Runs a request on the generation in service (`None` before the first) with buffers of its own.
    pub fn with<T>(&self, ask: impl FnOnce(Option<&Served>, &mut Scratch) -> T) -> T {
        let mine = shards::worker();
        let at = |offset: usize| &self.workers[(mine + offset) & (self.workers.len() - 1)];
        // A thread's own place is free unless there are more threads than places.
        let free = (0..self.workers.len()).find_map(|offset| at(offset).try_lock());
        let mut worker = free.unwrap_or_else(|| at(0).lock());
        let Worker { reader, scratch } = &mut *worker;
        ask((**reader.get()).as_ref(), scratch)
    }

    /// Takes a generation into service. Requests that began on the one before end on it; then it is unmapped, by the
    /// calling thread.
    pub fn swap(&self, served: Served) {
        let before = self.current.swap(Arc::new(Some(served)));
        for worker in &self.workers {
            worker.lock().reader.get();
        }
        drop(before);
    }

    /// The generation in service.
    pub fn load(&self) -> Arc<Option<Served>> {
        self.current.load()
    }
}
