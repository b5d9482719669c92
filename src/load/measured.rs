//! What a run found: the value that the table, the JSON file and the HTML report are made of.

use super::workload::Workload;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run. `vaglio load --json FILE` writes it; `vaglio load report FILE` reads it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Run {
    /// The format of this value; raised when a field changes its meaning.
    pub format: u32,
    /// The workload as it was run, with everything the command line overrode.
    pub workload: Workload,
    /// When it began (RFC 3339).
    pub began: String,
    /// What the generator ran on: cores, version.
    pub generator: BTreeMap<String, String>,
    /// In the order in which they were run; steps of a search too.
    pub phases: Vec<Measured>,
    /// What a search found.
    pub peak: Option<Peak>,
    /// Passed or failed, one a goal and phase.
    pub verdicts: Vec<Verdict>,
    /// What a reader must know to trust it: the generator could not keep up, the truth was not checked, ...
    pub remarks: Vec<String>,
}

/// The highest rate of a search.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
pub struct Peak {
    /// The highest rate, requests a second, at which all goals held; 0 = none did.
    pub sustained_per_second: f64,
    /// The highest goodput seen: requests accepted in time, a second.
    pub goodput_per_second: f64,
}

/// A phase, or a step of a search.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// Whether it is a step of a search, which may miss goals without failing the run.
    pub step: bool,
    /// Requests a second that were meant to be sent, on average.
    pub offered_per_second: f64,
    /// How long it lasted.
    pub seconds: f64,
    /// What became of the requests.
    pub counts: Counts,
    /// Lookups or events in the accepted answers.
    pub items: u64,
    /// Lookups or events in their questions: more than `items` where a part of an accepted answer was shed.
    #[serde(default)]
    pub items_asked: u64,
    /// Of accepted answers, from the intended start.
    pub latency: Latency,
    /// Of accepted answers, from when they were really sent: what the caller's own queue does not explain.
    pub service: Latency,
    /// Of shed answers (`overloaded`, `late`), from the intended start.
    pub shed_latency: Latency,
    /// Second by second.
    pub seconds_of: Vec<Second>,
    /// CPU seconds the server's process used, where `--server-pid` says which it is.
    pub server_cpu_seconds: Option<f64>,
    /// Its resident memory at the end, bytes.
    pub server_resident_bytes: Option<u64>,
    /// How late the generator itself was, microseconds: its 99th percentile. Large = its core was too slow, and latencies are too high.
    pub generator_late_p99_us: u64,
    /// Of the time, how much the generator had something to do; near 1 = its core was at its end.
    #[serde(default)]
    pub generator_busy_share: f64,
    /// Kinds of failures, with the first message of each.
    pub failures: BTreeMap<String, (u64, String)>,
    /// Generations that answered, with how many answers.
    pub generations: BTreeMap<u64, u64>,
}

/// What became of requests: `due` is the sum of all others but `wrong` and `unknown_verdicts`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Counts {
    /// Meant to be sent.
    pub due: u64,
    /// Answered with substance (`matched`, `no_profile`, `no_id`, `no_consent`, `blocked`; for decide: verdicts) in time.
    pub accepted: u64,
    /// Answered with substance, after the caller's deadline.
    pub too_late: u64,
    /// Answered `overloaded`, `late` or `not_ready`: shed, validly.
    pub shed: u64,
    /// Given up by the caller before they could be sent: no connection or stream was free before half the deadline was over.
    pub unsent: u64,
    /// Sent, and no answer before the caller gave up.
    pub unanswered: u64,
    /// Transport, 4xx, 5xx, unreadable answers.
    pub errors: u64,
    /// Verdicts checked against the truth.
    pub checked: u64,
    /// `suppress` where the truth says target.
    pub wrong_suppress: u64,
    /// `target` where the truth says suppress.
    pub wrong_target: u64,
    /// `unknown`: never wrong, counted apart.
    pub unknown_verdicts: u64,
}

/// A distribution of waits: quantiles in microseconds, and the histogram itself.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// Microseconds.
    pub mean_us: f64,
    /// Microseconds.
    pub p50_us: u64,
    /// Microseconds.
    pub p90_us: u64,
    /// Microseconds.
    pub p99_us: u64,
    /// Microseconds.
    pub p999_us: u64,
    /// Microseconds.
    pub p9999_us: u64,
    /// Microseconds.
    pub max_us: u64,
    /// (upper end in microseconds, how many up to it and above the one before), for drawing; at most 200 buckets, none empty.
    pub buckets: Vec<(u64, u64)>,
}

/// One second of a phase, by the intended start.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
pub struct Second {
    /// Seconds since the run began.
    pub at: u64,
    /// Due in it.
    pub due: u64,
    /// Accepted.
    pub accepted: u64,
    /// Shed.
    pub shed: u64,
    /// Everything else.
    pub failed: u64,
    /// Microseconds, of the accepted.
    pub p50_us: u64,
    /// Microseconds.
    pub p99_us: u64,
    /// Microseconds.
    pub p999_us: u64,
    /// Microseconds.
    pub max_us: u64,
}

/// Whether a goal was met.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Verdict {
    /// The phase; empty = the whole run.
    pub phase: String,
    /// The goal in words: `p99 <= 1 ms`.
    pub goal: String,
    /// What was found: `0.82 ms`.
    pub found: String,
    /// Whether it holds.
    pub met: bool,
}
