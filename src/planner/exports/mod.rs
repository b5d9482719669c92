//! Exports as jobs: each runs on a thread of its own at low priority, one at a time to a destination and a few in all; how far
//! they are, what became of them, and a way to break them off. What is exported and how is `build::exports`' business.
//!
//! Contents: `http` the paths.

pub(super) mod http;

use super::view::View;
use crate::access::{Entry, Who};
use crate::build::exports::{Ask, Inputs, Place, Report, export};
use crate::config::Loaded;
use crate::error::{Error, ErrorKind, Result};
use crate::evaluate::survey::Watch;
use crate::live::Keeper;
use crate::schema::{AudienceId, Clock, Timestamp};
use crate::telemetry::progress::{Progress, Share};
use parking_lot::Mutex;
use roaring::RoaringBitmap;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use utoipa::ToSchema;

/// So many run at once.
const AT_ONCE: usize = 4;
/// So many are remembered, the running ones among them.
const REMEMBERED: usize = 200;
/// Behind everything else on this machine.
const NICENESS: i32 = 15;

/// The exports that run or ran since the server was started.
#[derive(Debug, Default)]
pub struct Exports {
    jobs: Mutex<VecDeque<Arc<Job>>>,
    number: AtomicU64,
}

/// One export.
#[derive(Debug)]
struct Job {
    id: String,
    audience: AudienceId,
    destination: String,
    ask: Ask,
    comment: Option<String>,
    by: String,
    requested: Timestamp,
    watch: Watch,
    share: Arc<Share>,
    end: Mutex<Option<End>>,
}

/// How an export ended.
#[derive(Debug, Clone)]
struct End {
    at: Timestamp,
    state: State,
    /// Why it failed.
    message: Option<String>,
    report: Option<Report>,
}

/// Where an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Under way.
    Running,
    /// Every file is there.
    Done,
    /// Nothing new is there, or not all: see `message`.
    Failed,
    /// Somebody broke it off.
    Cancelled,
}

/// What a job is started with.
struct Order {
    view: Arc<View>,
    number: u32,
    members: RoaringBitmap,
    place: Place,
    destination: String,
    ask: Ask,
    comment: Option<String>,
    who: Who,
}

/// Why a job cannot start.
enum Full {
    /// One goes to the same destination.
    Destination,
    /// Too many run.
    Many,
}

impl Exports {
    /// Starts a job, unless another goes to the same destination or too many run.
    fn start(&self, order: Order, loaded: Loaded, keeper: Arc<Keeper>) -> std::result::Result<Arc<Job>, Full> {
        let mut jobs = self.jobs.lock();
        let running = jobs.iter().filter(|job| job.end.lock().is_none()).collect::<Vec<_>>();
        if running.iter().any(|job| job.destination == order.destination) {
            return Err(Full::Destination);
        }
        if running.len() >= AT_ONCE {
            return Err(Full::Many);
        }
        let now = Clock::System.now();
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let job = Arc::new(Job {
            id: format!("{}-{number}", now.0),
            audience: order.view.catalogue().audiences[order.number as usize].id.clone(),
            destination: order.destination.clone(),
            ask: order.ask.clone(),
            comment: order.comment.clone(),
            by: order.who.name.clone(),
            requested: now,
            watch: Watch::default(),
            share: Arc::default(),
            end: Mutex::new(None),
        });
        jobs.push_front(Arc::clone(&job));
        if jobs.len() > REMEMBERED
            && let Some(oldest) = jobs.iter().rposition(|job| job.end.lock().is_some())
        {
            jobs.remove(oldest);
        }
        drop(jobs);
        let running = Arc::clone(&job);
        let started = std::thread::Builder::new().name("export".to_owned()).spawn(move || {
            if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
                tracing::debug!(%error, "an export runs at the priority of everything else");
            }
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&running, &order, &loaded)));
            let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("the export failed; the log says where")));
            running.finish(outcome, &order.who, &keeper);
        });
        if let Err(error) = started {
            job.end(Err(Error::io("start a thread for the export", error)));
        }
        Ok(job)
    }

    /// Those of audiences that somebody sees, the last first.
    fn list(&self, who: &Who) -> Vec<Arc<Job>> {
        self.jobs.lock().iter().filter(|job| who.sees(job.audience.owner())).cloned().collect()
    }

    /// One of them.
    fn find(&self, who: &Who, id: &str) -> Option<Arc<Job>> {
        self.list(who).into_iter().find(|job| job.id == id)
    }
}

fn run(job: &Job, order: &Order, loaded: &Loaded) -> Result<Report> {
    let hasher = loaded.key_hasher(false)?;
    export(&Inputs {
        loaded,
        hasher: &hasher,
        serving: order.view.serving(),
        audience: &order.view.catalogue().audiences[order.number as usize],
        members: &order.members,
        ask: &order.ask,
        place: &order.place,
        receiver: &order.destination,
        watch: &job.watch,
        progress: &Progress::shared(Arc::clone(&job.share)),
    })
}

impl Job {
    fn end(&self, outcome: Result<Report>) {
        let state = match &outcome {
            Ok(_) => State::Done,
            Err(error) if error.kind == ErrorKind::Busy && self.watch.is_cancelled() => State::Cancelled,
            Err(_) => State::Failed,
        };
        let message = outcome.as_ref().err().map(ToString::to_string);
        if let (State::Failed, Some(message)) = (state, &message) {
            tracing::error!(export = self.id, audience = %self.audience, "{message}");
        }
        *self.end.lock() = Some(End { at: Clock::System.now(), state, message, report: outcome.ok() });
    }

    /// Ends it, and has the audit trail say how.
    fn finish(&self, outcome: Result<Report>, who: &Who, keeper: &Keeper) {
        let after = match &outcome {
            Ok(report) => ended(&self.id, report),
            Err(_) => format!("{}: not done", self.id),
        };
        if let Err(error) = keeper
            .log(who, Entry { what: "export end", after: Some(after), ..entry(&self.audience, &self.destination) })
        {
            tracing::error!(%error, export = self.id, "the end of an export is not in the audit trail");
        }
        self.end(outcome);
    }
}

/// What the audit trail says of an export.
pub fn entry(audience: &AudienceId, destination: &str) -> Entry {
    Entry { what: "export", object: format!("audience {audience} to {destination}"), ..Entry::default() }
}

/// What it says of its end.
pub fn ended(id: &str, report: &Report) -> String {
    let (profiles, files) = (report.profiles.exported, report.files.len());
    let (written, removed) = (report.written(), report.removed);
    format!("{id}: {profiles} profiles, {written} identifiers written, {removed} to be removed, {files} files")
}
