//! What is in service: a generation and those who may ask it, and each worker's buffers. A request takes it once and sees
//! no other.

use super::batch::Place;
use super::ids::Ranked;
use super::labels::{Labels, activated};
use super::tallies::Tallies;
use super::token::{Person, Tokens};
use super::verdicts::{Counted, Sheet, Sheets};
use crate::access::{Access, CallerNumber};
use crate::decide::{Answering, Decisions};
use crate::lookup::Answer;
use crate::overlay::Overlay;
use crate::schema::{Generation, KeyHasher, ProfileKey, Timestamp};
use crate::snapshot::{Current, CurrentReader};
use crate::telemetry::shards;
use crate::wire::v1;
use hyper::header::HeaderValue;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;

/// What questions are answered from: a generation, what changed since, the secret its keys were made with, and its names as each caller is
/// told them.
#[derive(Clone)]
pub struct Served {
    /// Lookups and campaigns.
    pub answering: Arc<Answering>,
    /// What changed since the generation.
    pub overlay: Arc<Overlay>,
    /// Hashes identifiers as the generation's were.
    pub keys: KeyHasher,
    /// What tells of an exposure later.
    pub tokens: Arc<Tokens>,
    /// What each caller is told, by its number. Callers who are told the same share it.
    labels: Vec<Arc<Labels>>,
    /// What its verdicts are counted by.
    pub counted: Arc<Counted>,
    /// Its number as answers' headers have it.
    pub told: HeaderValue,
}

impl Served {
    /// Puts a generation's names into words for every caller, but for target audiences of fewer members than `floor`, or than
    /// their own.
    pub fn new(answering: Arc<Answering>, overlay: Arc<Overlay>, keys: KeyHasher, access: &Access, floor: u64) -> Self {
        let activated = activated(&answering, floor);
        let mut labels: Vec<Arc<Labels>> = Vec::with_capacity(access.callers.len());
        for (at, caller) in access.callers.iter().enumerate() {
            let same = access.callers[..at].iter().position(|other| other.is_told_the_same(caller));
            labels.push(match same {
                Some(other) => Arc::clone(&labels[other]),
                None => Arc::new(Labels::new(&answering, caller, &activated)),
            });
        }
        let tokens = Arc::new(Tokens::new(&keys, answering.snapshot.catalogue()));
        let ids = answering.snapshot.catalogue().campaigns.iter().map(|campaign| campaign.id.as_str());
        let counted = Arc::new(Counted::new(Arc::clone(&answering.campaigns), ids, told(&labels)));
        let number = HeaderValue::from(answering.snapshot.manifest().generation.0);
        Served { answering, overlay, keys, tokens, labels, counted, told: number }
    }

    /// What a caller is told.
    pub fn labels(&self, caller: CallerNumber) -> Option<&Labels> {
        self.labels.get(caller as usize).map(|labels| &**labels)
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

/// For each of them, which campaigns it tells of. Those who are told the same share it.
fn told(labels: &[Arc<Labels>]) -> Vec<Arc<[bool]>> {
    let mut told: Vec<Arc<[bool]>> = Vec::with_capacity(labels.len());
    for (at, one) in labels.iter().enumerate() {
        told.push(match labels[..at].iter().position(|other| Arc::ptr_eq(other, one)) {
            Some(same) => Arc::clone(&told[same]),
            None => one.tells_of_campaigns().collect(),
        });
    }
    told
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Served(generation {})", self.generation())
    }
}

/// What is in service: swapped as one, so that an answer is of one moment.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Those who may ask.
    pub access: Arc<Access>,
    /// The generation; `None` before the first.
    pub served: Option<Served>,
}

/// Buffers that a worker uses again for every request.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Who is counted for.
    pub tallies: Tallies,
    /// The verdicts by campaign.
    pub sheets: Sheets,
    /// The identifiers, in the order of `keys`.
    pub ranked: Vec<Ranked>,
    /// Keys in the order in which they are tried.
    pub keys: Vec<ProfileKey>,
    /// The lookup's answer.
    pub answer: Answer,
    /// Labels already said.
    pub segments: Vec<u32>,
    /// Whether the request permits reading what was shown to its user.
    pub may_cap: bool,
    /// The campaigns' verdicts.
    pub decisions: Decisions,
    /// Whom the verdicts' tokens are about.
    pub person: Person,
    /// Keys of a batch: one each of the questions that have one.
    pub batch: Vec<ProfileKey>,
    /// The number of each one's type.
    pub batch_sources: Vec<usize>,
    /// What became of each question of a batch.
    pub places: Vec<Place>,
    /// The answers of a batch, in the order of `places`' positions.
    pub answers: Vec<Answer>,
    /// One result of a batch.
    pub result: v1::LookupResult,
    /// Its encoding.
    pub encoded: Vec<u8>,
    /// Another buffer for something encoded.
    pub spare: Vec<u8>,
}

#[derive(Debug)]
struct Worker {
    reader: CurrentReader<Standing>,
    scratch: Scratch,
}

/// What is in service, for many workers that do not wait for each other nor for a swap.
#[derive(Debug)]
pub struct Live {
    current: Arc<Current<Standing>>,
    workers: Box<[Mutex<Worker>]>,
}

impl Live {
    /// Nothing but those who may ask.
    pub fn new(access: Access) -> Self {
        let standing = Standing { access: Arc::new(access), served: None };
        let current = Arc::new(Current::new(Arc::new(standing)));
        let worker = || Mutex::new(Worker { reader: current.reader(), scratch: Scratch::default() });
        let workers = (0..shards::copies()).map(|_| worker()).collect();
        Live { current, workers }
    }

    /// Runs a request on what is in service with buffers of its own.
    pub fn with<T>(&self, ask: impl FnOnce(&Standing, &mut Scratch) -> T) -> T {
        let mine = shards::worker();
        let at = |offset: usize| &self.workers[(mine + offset) & (self.workers.len() - 1)];
        // A thread's own place is free unless there are more threads than places.
        let free = (0..self.workers.len()).find_map(|offset| at(offset).try_lock());
        let mut worker = free.unwrap_or_else(|| at(0).lock());
        let Worker { reader, scratch } = &mut *worker;
        ask(reader.get(), scratch)
    }

    /// Takes something into service. Requests that began on what was before end on it; then a generation that is no
    /// more used is unmapped, by the calling thread.
    pub fn swap(&self, standing: Standing) {
        let before = self.current.swap(Arc::new(standing));
        for worker in &self.workers {
            worker.lock().reader.get();
        }
        drop(before);
    }

    /// Takes what the workers counted of campaigns since the last time; each goes on with one of the clear sheets, while there
    /// are some. A worker waits for nothing: a request that finds its place taken uses another.
    pub fn take_sheets(&self, mut clear: Vec<Sheet>) -> Vec<Sheet> {
        self.workers.iter().flat_map(|worker| worker.lock().scratch.sheets.take(clear.pop())).collect()
    }

    /// What is in service.
    pub fn load(&self) -> Arc<Standing> {
        self.current.load()
    }
}
