//! A run: `lanes` and slots, the open loop (`engine`) that hands out requests and records what became of them, the
//! plans that drive it (`plans`), and what answers are held against (`checked`).
//!
//! One thread: a generator is one core, and who needs more starts two of them.

pub mod checked;
mod engine;
mod lanes;
mod plans;

use super::doors::{self, Reply};
use super::measured::{Measured, Run, Second};
use super::process;
use super::requests::{Question, Questions};
use super::schedule::Stretch;
use super::truth::Truth;
use super::workload::{Door, Workload};
use crate::error::{Error, Result};
use engine::{Engine, Plan};
use lanes::Lane;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What to run, and how.
#[derive(Debug, Clone)]
pub struct Order {
    /// The workload, with everything the command line overrode.
    pub workload: Workload,
    /// The directory that its paths start from.
    pub beside: PathBuf,
    /// What `vaglio load truth` wrote.
    pub truth: Option<PathBuf>,
    /// The server's processes.
    pub server_pids: Vec<u32>,
}

/// Where questions come from.
pub trait Writes: 'static {
    /// Writes the n-th question at a door.
    fn write(&self, door: Door, n: u64, into: &mut Question);
}

/// Where questions can be asked, one at a time.
pub trait Place: 'static {
    /// Asks. Dropped when it takes too long; must bear to be asked again then.
    fn ask(&mut self, question: &Question, reply: &mut Reply) -> impl Future<Output = ()>;
}

impl Writes for Questions {
    fn write(&self, door: Door, n: u64, into: &mut Question) {
        Questions::write(self, door, n, into);
    }
}

impl Place for doors::Slot {
    async fn ask(&mut self, question: &Question, reply: &mut Reply) {
        doors::Slot::ask(self, question, reply).await;
    }
}

/// How long is waited for what; nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// An answer is worth something until then, from the intended start; 0 = always.
    deadline: u64,
    /// A request that waited longer for a slot is given up.
    unsent: u64,
    /// An answer that is waited for longer is given up.
    unanswered: u64,
    /// How often is looked for what is to be given up.
    sweep: u64,
}

impl Limits {
    fn of(tmax_ms: u64) -> Self {
        let deadline = tmax_ms * 1_000_000;
        if deadline == 0 {
            return Limits { deadline, unsent: 1_000_000_000, unanswered: 1_000_000_000, sweep: 20_000_000 };
        }
        // A quarter of the time may go by in waiting for a slot: what is sent later is hardly answered in time where the
        // server is late, too, and the oldest first would then mean that under overload answers come too late.
        Limits {
            deadline,
            unsent: deadline / 4,
            unanswered: deadline,
            sweep: (deadline / 20).clamp(1_000_000, 20_000_000),
        }
    }
}

/// A stretch of a run, with its name.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The phase's name.
    pub name: String,
    /// When requests arrive.
    pub stretch: Stretch,
    /// Whether it is reported.
    pub counted: bool,
    /// Whether it is a step of a search.
    pub step: bool,
}

/// Somebody who watches a run.
pub trait Watch {
    /// A phase, a step or a warm-up begins: its first request was due just now.
    fn begins(&mut self, segment: &Segment);
    /// A second of it is over.
    fn second(&mut self, segment: &Segment, second: Second);
    /// It is over.
    fn ends(&mut self, measured: &Measured);
}

/// Runs a workload against a server, until its plan is done or somebody interrupts it (Ctrl-C).
///
/// # Errors
/// Users, templates or a truth that cannot be read, processes that are not there, a server that cannot be reached.
pub fn run(order: &Order, watch: &mut dyn Watch) -> Result<Run> {
    process::check(&order.server_pids)?;
    let mut questions = Questions::new(&order.workload, &order.beside)?;
    let mut remarks = questions.remarks().to_vec();
    let truth = checked::truth(&order.workload, order.truth.as_deref(), &mut questions, &mut remarks)?;
    let generation = truth.as_ref().map(|truth| truth.head().generation);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::io("start the generator's runtime", error))?;
    let local = tokio::task::LocalSet::new();
    let began = crate::schema::Clock::System.now().to_string();
    let found = local.block_on(&runtime, async {
        let stop = Rc::new(Cell::new(false));
        interruptible(Rc::clone(&stop));
        let mut places = Vec::new();
        for door in order.workload.doors.keys() {
            places.push((*door, doors::connect(&order.workload, *door).await?));
        }
        let engine = start(&order.workload, questions, truth, places, stop, order.server_pids.clone());
        let found = plans::carry_out(&engine, &order.workload, watch).await;
        engine.close();
        found
    })?;
    remarks.extend(found.remarks);
    remarks.extend(checked::remarks(generation, &found.phases));
    Ok(Run {
        format: super::report::FORMAT,
        workload: order.workload.clone(),
        began,
        generator: generator(),
        phases: found.phases,
        peak: found.peak,
        verdicts: found.verdicts,
        remarks,
    })
}

/// Sets `stop` at the first Ctrl-C; at the second the process ends.
fn interruptible(stop: Rc<Cell<bool>>) {
    tokio::task::spawn_local(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if stop.replace(true) {
                std::process::exit(130);
            }
        }
    });
}

/// Gives every place a slot's life.
fn start<W: Writes, P: Place>(
    workload: &Workload,
    questions: W,
    truth: Option<Truth>,
    places: Vec<(Door, Vec<P>)>,
    stop: Rc<Cell<bool>>,
    pids: Vec<u32>,
) -> Rc<Engine<W>> {
    let lanes = places.iter().map(|(door, places)| Lane::new(*door, places.len())).collect();
    let plan = Plan {
        spacing: workload.arrivals.spacing,
        weights: places.iter().map(|(door, _)| workload.doors.get(door).copied().unwrap_or(1.0)).collect(),
        seed: workload.seed,
    };
    let limits = Limits::of(workload.request.tmax_ms);
    let engine = Rc::new(Engine::new(lanes, questions, truth, limits, plan, stop, pids));
    for (lane, (_, places)) in places.into_iter().enumerate() {
        for (seat, place) in places.into_iter().enumerate() {
            tokio::task::spawn_local(Rc::clone(&engine).serve(lane, seat, place));
        }
    }
    engine
}

/// What the generator runs on.
fn generator() -> std::collections::BTreeMap<String, String> {
    let mut facts = std::collections::BTreeMap::new();
    facts.insert("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    facts.insert("cores".to_owned(), cores.to_string());
    let processor = std::fs::read_to_string(Path::new("/proc/cpuinfo")).unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    if let Some((_, model)) = model {
        facts.insert("processor".to_owned(), model.to_owned());
    }
    facts
}
