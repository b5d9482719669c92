//! What a reader gets of runs: a table for a terminal, and a page with pictures.
//!
//! Contents: `figures` waits, rates and counts in words; `table` text; `page` the HTML page, made of `parts`, with `compare` where
//! it shows several runs; `pictures` what is drawn; `read` the files that `--json` wrote.
//!
//! What must not live here: measuring, and whether a goal is met. A [`Run`] says all of that already.

mod compare;
pub mod figures;
mod page;
mod parts;
mod pictures;
mod read;
mod table;

#[cfg(test)]
mod made_up;
#[cfg(test)]
mod tests;

pub use page::html;
pub use read::{FORMAT, read};
pub use table::table;

use super::measured::{Counts, Latency, Measured, Run};
use super::workload::{Plan, Workload};
use std::collections::BTreeMap;

/// Requests accepted in time, a second.
fn goodput(phase: &Measured) -> f64 {
    if phase.seconds > 0.0 { phase.counts.accepted as f64 / phase.seconds } else { 0.0 }
}

/// What an accepted answer cost the server, with everything that was shed or failed beside it; `None` where it was not measured.
fn cpu_us_per_accepted(phase: &Measured) -> Option<f64> {
    let seconds = phase.server_cpu_seconds?;
    (phase.counts.accepted > 0).then(|| seconds * 1e6 / phase.counts.accepted as f64)
}

fn wrong(counts: &Counts) -> u64 {
    counts.wrong_suppress.saturating_add(counts.wrong_target)
}

/// Neither accepted nor shed.
fn failed(counts: &Counts) -> u64 {
    [counts.too_late, counts.unsent, counts.unanswered, counts.errors].into_iter().fold(0, u64::saturating_add)
}

/// `enrich 90 %, decide 10 %`
fn asked(workload: &Workload) -> String {
    let all: f64 = workload.doors.values().sum();
    let share = |weight: f64| if all > 0.0 { weight * 100.0 / all } else { 0.0 };
    let doors = workload.doors.iter();
    let doors: Vec<String> = match workload.doors.len() {
        1 => doors.map(|(&door, _)| door.name().to_owned()).collect(),
        _ => doors.map(|(&door, &weight)| format!("{} {:.0} %", door.name(), share(weight))).collect(),
    };
    doors.join(", ")
}

/// How long an answer is worth waiting for, in microseconds; `None` where the workload does not say.
fn deadline_us(run: &Run) -> Option<u64> {
    match run.workload.request.tmax_ms {
        0 => None,
        ms => Some(ms.saturating_mul(1_000)),
    }
}

/// Whether the phases are points of one line: latency and goodput against the rate.
fn has_saturation(run: &Run) -> bool {
    let search = !matches!(run.workload.arrivals.plan, Plan::Phases(_)) || run.phases.iter().any(|it| it.step);
    search && run.phases.len() >= 3
}

/// The phases a reader looks at: not the steps of a search, unless there is nothing else.
fn shown(run: &Run) -> Vec<&Measured> {
    let phases: Vec<&Measured> = run.phases.iter().filter(|it| !it.step).collect();
    if phases.is_empty() { run.phases.iter().collect() } else { phases }
}

/// Several phases as one. Quantiles are found again in the buckets, so they are as exact as a bucket is wide.
fn together<'a>(phases: impl IntoIterator<Item = &'a Latency>) -> Latency {
    let mut buckets: BTreeMap<u64, u64> = BTreeMap::new();
    let (mut max_us, mut sum) = (0, 0.0);
    for latency in phases {
        max_us = max_us.max(latency.max_us);
        sum += latency.mean_us * latency.count as f64;
        for &(end, many) in &latency.buckets {
            let at = buckets.entry(end).or_default();
            *at = at.saturating_add(many);
        }
    }
    let count = buckets.values().copied().fold(0, u64::saturating_add);
    let buckets: Vec<(u64, u64)> = buckets.into_iter().collect();
    let quantile = |q| quantile(&buckets, q).min(max_us);
    let [p50_us, p90_us, p99_us, p999_us, p9999_us] = [0.5, 0.9, 0.99, 0.999, 0.9999].map(quantile);
    let mean_us = if count > 0 { sum / count as f64 } else { 0.0 };
    Latency { count, mean_us, p50_us, p90_us, p99_us, p999_us, p9999_us, max_us, buckets }
}

/// The upper end of the bucket that holds a quantile; 0 of none.
fn quantile(buckets: &[(u64, u64)], q: f64) -> u64 {
    let all: f64 = buckets.iter().map(|&(_, many)| many as f64).sum();
    let mut below = 0.0;
    for &(end, many) in buckets {
        below += many as f64;
        if below >= q * all {
            return end;
        }
    }
    0
}
