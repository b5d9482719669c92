//! A workload file: whom to ask, about whom, how often, and what would be good enough.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A workload: everything a run is determined by. Same file, same seed: same requests at the same instants.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Its name in reports.
    pub name: String,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub about: String,
    /// Where the server listens.
    #[serde(default)]
    pub target: Target,
    /// What is asked there; several doors share the arrivals by weight.
    pub doors: BTreeMap<Door, f64>,
    /// When requests are due.
    pub arrivals: Arrivals,
    /// Seconds of load at the first rate before anything counts.
    #[serde(default = "warm")]
    pub warm_seconds: f64,
    /// Whom requests are about.
    #[serde(default)]
    pub users: Users,
    /// What requests look like.
    #[serde(default)]
    pub request: Request,
    /// The same seed asks the same questions at the same instants.
    #[serde(default = "seed")]
    pub seed: u64,
    /// What must hold for the run to pass; checked over everything measured unless a phase has its own.
    #[serde(default)]
    pub goals: Goals,
}

fn warm() -> f64 {
    2.0
}

fn seed() -> u64 {
    7
}

/// Where the server listens, and how it is spoken to.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// Bid HTTP: host and port.
    pub http: String,
    /// gRPC.
    pub grpc: String,
    /// Planner and ingest.
    pub planner: String,
    /// The environment variable that holds the key to show. Never the key itself: workload files are shared.
    pub key_env: Option<String>,
    /// Connections a door. With HTTP/1.1 no more requests are under way than there are connections.
    pub connections: usize,
    /// Requests under way on one gRPC connection at most.
    pub streams: usize,
}

impl Default for Target {
    fn default() -> Self {
        Target {
            http: "127.0.0.1:8080".to_owned(),
            grpc: "127.0.0.1:50051".to_owned(),
            planner: "127.0.0.1:8081".to_owned(),
            key_env: None,
            connections: 64,
            streams: 100,
        }
    }
}

/// A question at a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// `POST /v1/lookup`
    Lookup,
    /// `POST /v1/decide`
    Decide,
    /// `POST /openrtb2/enrich`
    Enrich,
    /// `POST /openrtb2/decide`
    OpenrtbDecide,
    /// gRPC `Lookup`
    GrpcLookup,
    /// gRPC `LookupBatch`: `request.batch` lookups a message
    GrpcBatch,
    /// gRPC `LookupStream`: one stream a connection, `request.batch` lookups a message, numeric ids
    GrpcStream,
    /// gRPC `Decide`
    GrpcDecide,
    /// ARTF `GetMutations`
    Artf,
    /// `POST /api/v1/events` on the planner's port: `request.batch` events a request
    Events,
}

impl Door {
    /// Every door.
    pub const ALL: [Door; 10] = [
        Door::Lookup,
        Door::Decide,
        Door::Enrich,
        Door::OpenrtbDecide,
        Door::GrpcLookup,
        Door::GrpcBatch,
        Door::GrpcStream,
        Door::GrpcDecide,
        Door::Artf,
        Door::Events,
    ];

    /// As a workload file names it.
    pub fn name(self) -> &'static str {
        match self {
            Door::Lookup => "lookup",
            Door::Decide => "decide",
            Door::Enrich => "enrich",
            Door::OpenrtbDecide => "openrtb-decide",
            Door::GrpcLookup => "grpc-lookup",
            Door::GrpcBatch => "grpc-batch",
            Door::GrpcStream => "grpc-stream",
            Door::GrpcDecide => "grpc-decide",
            Door::Artf => "artf",
            Door::Events => "events",
        }
    }
}

/// When requests are due. A rate counts *requests*, not the lookups in a batch.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(from = "Plans", into = "Plans")]
pub struct Arrivals {
    /// How far apart.
    pub spacing: Spacing,
    /// The plan.
    pub plan: Plan,
}

/// Arrivals as a file says them: exactly one plan (`check` says so; of several the first counts, of none nothing is due).
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Plans {
    spacing: Spacing,
    #[serde(skip_serializing_if = "Option::is_none")]
    phases: Option<Vec<Phase>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saturation: Option<Saturation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overload: Option<Overload>,
}

impl From<Plans> for Arrivals {
    fn from(plans: Plans) -> Self {
        let plan = match plans {
            Plans { phases: Some(phases), .. } => Plan::Phases(phases),
            Plans { saturation: Some(saturation), .. } => Plan::Saturation(saturation),
            Plans { overload: Some(overload), .. } => Plan::Overload(overload),
            _ => Plan::Phases(Vec::new()),
        };
        Arrivals { spacing: plans.spacing, plan }
    }
}

impl From<Arrivals> for Plans {
    fn from(arrivals: Arrivals) -> Self {
        let plans = Plans { spacing: arrivals.spacing, ..Plans::default() };
        match arrivals.plan {
            Plan::Phases(phases) => Plans { phases: Some(phases), ..plans },
            Plan::Saturation(saturation) => Plans { saturation: Some(saturation), ..plans },
            Plan::Overload(overload) => Plans { overload: Some(overload), ..plans },
        }
    }
}

/// The distances between requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spacing {
    /// As independent callers arrive: exponential distances.
    #[default]
    Poisson,
    /// Evenly.
    Even,
}

/// How the rate goes over time.
#[derive(Debug, Clone)]
pub enum Plan {
    /// One phase after the other.
    Phases(Vec<Phase>),
    /// Raises the rate step by step until the server does not keep up, then searches between: the highest rate at which the goals
    /// hold, and the highest goodput.
    Saturation(Saturation),
    /// First finds the peak (the highest goodput), then a phase at each multiple of it, between steps at the rate that brought it.
    Overload(Overload),
}

/// A stretch of time at one rate, or rising or falling evenly to another.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its name in reports; default its number.
    #[serde(default)]
    pub name: String,
    /// Requests a second at its beginning.
    pub per_second: f64,
    /// At its end; default the same.
    #[serde(default)]
    pub to_per_second: Option<f64>,
    /// How long.
    pub seconds: f64,
    /// What must hold of it, instead of the workload's goals.
    #[serde(default)]
    pub goals: Option<Goals>,
}

/// A search for the rate a server can bear.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Saturation {
    /// The first rate, requests a second.
    pub from: f64,
    /// Never more than this.
    pub to: f64,
    /// By how much the rate rises while the goals hold.
    pub factor: f64,
    /// How long each step is measured.
    pub step_seconds: f64,
    /// How close the two ends of the search must come, as a share of the rate.
    pub precision: f64,
}

impl Default for Saturation {
    fn default() -> Self {
        Saturation { from: 1_000.0, to: 1_000_000.0, factor: 1.5, step_seconds: 3.0, precision: 0.05 }
    }
}

/// More than a server can bear.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Overload {
    /// How the peak is found.
    #[serde(default)]
    pub peak: Saturation,
    /// Multiples of the peak.
    pub times: Vec<f64>,
    /// How long each is kept up.
    pub seconds: f64,
}

/// Whom requests are about.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Users {
    /// People: one `POST /v1/lookup` body a line (NDJSON), as `vaglio synth` writes to `lookups.ndjson`. Relative to the workload file.
    pub file: Option<PathBuf>,
    /// Of all requests, how many are about somebody made up, whom no server knows.
    pub unknown_share: f64,
    /// How uneven the known ones are asked for: 0 = all alike, 1 = Zipf's law.
    pub zipf: f64,
    /// How many identifiers a request carries: number -> weight. Those beyond a person's own are made up.
    pub ids: BTreeMap<u32, f64>,
}

impl Default for Users {
    fn default() -> Self {
        Users { file: None, unknown_share: 0.4, zipf: 1.0, ids: BTreeMap::from([(1, 0.6), (2, 0.3), (4, 0.1)]) }
    }
}

/// What requests look like.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// OpenRTB bid requests to take turns with (JSON files; relative to the workload file). Default: built in, median 3 KB.
    pub templates: Vec<PathBuf>,
    /// Milliseconds an answer is worth waiting for: said in the request, and how long the caller itself waits. 0 = no limit, 1 s.
    pub tmax_ms: u64,
    /// Campaigns a decide names; 0 = none, which asks for all active ones.
    pub campaigns: usize,
    /// Their ids, taken in turn; needed where `campaigns` is more than 0.
    pub campaign_ids: Vec<String>,
    /// Lookups a message (batch, stream) or events a request.
    pub batch: usize,
    /// The event that `events` reports.
    pub event: String,
}

impl Default for Request {
    fn default() -> Self {
        Request {
            templates: Vec::new(),
            tmax_ms: 50,
            campaigns: 0,
            campaign_ids: Vec::new(),
            batch: 64,
            event: "purchase".to_owned(),
        }
    }
}

/// What must hold. What is not said is not asked for.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Goals {
    /// Of the accepted answers, from the intended start, in milliseconds; what was given up or came too late counts as slower
    /// than all of them.
    pub p50_ms: Option<f64>,
    /// As `p50_ms`.
    pub p99_ms: Option<f64>,
    /// As `p50_ms`.
    pub p999_ms: Option<f64>,
    /// Requests that failed: transport, status 5xx, unreadable answers.
    pub errors: Option<u64>,
    /// Accepted answers as a share of the requests that were due.
    pub accepted_share: Option<f64>,
    /// Goodput (accepted in time, a second) as a share of the higher one of the steps just before and after at the rate that brought
    /// the peak; of phases above the peak that was found: `overload` alone.
    pub goodput_share_of_peak: Option<f64>,
    /// Accepted p99.9 within `request.tmax_ms`: of those that were answered with substance or waited for in vain, 99.9 % were
    /// answered in time.
    pub within_deadline: Option<bool>,
    /// `suppress` where the truth says target, and `target` where it says suppress. Needs `--truth`.
    pub wrong_verdicts: Option<u64>,
    /// p99, as `p99_ms` has it, as a multiple of that of the accepted answers of the phase named `idle` of the same run.
    pub p99_times_idle: Option<f64>,
}
