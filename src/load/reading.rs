//! Reads a workload file, and says everything that is wrong in it at once.

use super::workload::{Door, Goals, Overload, Phase, Plan, Request, Saturation, Target, Users, Workload};
use crate::config::read::{self, Written};
use crate::error::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// No generator sends more requests a second.
pub const MOST_PER_SECOND: f64 = 10_000_000.0;
/// A message of lookups carries no more.
const MOST_IN_A_BATCH: usize = 256;
/// Nor does a request more events.
const MOST_EVENTS: usize = 10_000;
/// More connections than a machine has ports to start them from.
pub const MOST_CONNECTIONS: usize = 20_000;
/// Connections times streams: each place is a task with buffers of its own.
const MOST_PLACES: usize = 100_000;
/// Nothing lasts longer than a week.
pub const MOST_SECONDS: f64 = 604_800.0;
/// A report has no more phases.
const MOST_PHASES: usize = 1_000;
/// Steps until a search has risen to its end: the rest of a report's phases is for those between and for an overload.
const MOST_RISES: f64 = 500.0;
/// Phases of an overload.
const MOST_MULTIPLES: usize = 400;
/// A phase has no more than so many times the peak.
const MOST_TIMES: f64 = 1_000.0;
/// Plans: exactly one of them.
const PLANS: [&str; 3] = ["phases", "saturation", "overload"];

/// Reads a workload file. Phases without a name are named by their number.
///
/// # Errors
/// A file that cannot be read, or all mistakes in it, each with its line and column.
pub fn read(file: &Path) -> Result<Workload> {
    read::read(file, "workload", check).map(named)
}

/// As [`read`], from the text; `file` is its name in messages.
///
/// # Errors
/// As [`read`].
pub fn from_text(text: &str, file: &Path) -> Result<Workload> {
    read::from_text(text, file, "workload", check).map(named)
}

fn named(mut workload: Workload) -> Workload {
    if let Plan::Phases(phases) = &mut workload.arrivals.plan {
        for (at, phase) in phases.iter_mut().enumerate().filter(|(_, phase)| phase.name.is_empty()) {
            phase.name = (at + 1).to_string();
        }
    }
    workload
}

fn check(workload: &Workload, written: &mut Written) {
    if workload.name.trim().is_empty() {
        written.wrong("name", "may not be empty", "reports are told apart by it");
    }
    if workload.doors.is_empty() {
        written.wrong("doors", "nothing is asked", "name a door and its weight, such as `enrich: 1`");
    }
    for (door, weight) in &workload.doors {
        positive(*weight, &format!("doors.{}", door.name()), "a weight", written);
    }
    if !(0.0..=MOST_SECONDS).contains(&workload.warm_seconds) {
        written.wrong("warm_seconds", format!("must be from 0 to {MOST_SECONDS}, a week"), "");
    }
    check_target(workload, written);
    check_plan(workload, written);
    check_users(&workload.users, written);
    check_request(workload, &workload.request, written);
    check_goals(workload, &workload.goals, "goals", written);
}

fn check_target(workload: &Workload, written: &mut Written) {
    let target = &workload.target;
    for (key, address) in [("http", &target.http), ("grpc", &target.grpc), ("planner", &target.planner)] {
        if !is_address(address) {
            let path = format!("target.{key}");
            written.wrong(&path, format!("`{address}` is not HOST:PORT"), "write one such as 127.0.0.1:8080");
        }
    }
    if target.connections == 0 || target.connections > MOST_CONNECTIONS {
        written.wrong("target.connections", format!("must be from 1 to {MOST_CONNECTIONS}"), "");
    }
    if target.streams == 0 || target.streams > 1_000 {
        written.wrong("target.streams", "must be from 1 to 1000", "");
    } else if let Some(problem) = too_many_places(target, &workload.doors) {
        written.wrong("target.connections", problem, "");
    }
}

/// What is wrong where doors of calls have more places for a request than a generator can tend.
pub fn too_many_places(target: &Target, doors: &BTreeMap<Door, f64>) -> Option<String> {
    let calls = [Door::GrpcLookup, Door::GrpcBatch, Door::GrpcDecide, Door::Artf];
    let places = target.connections.saturating_mul(target.streams);
    (places > MOST_PLACES && calls.iter().any(|door| doors.contains_key(door))).then(|| {
        let (connections, streams) = (target.connections, target.streams);
        format!(
            "{connections} connections of {streams} streams are more than {MOST_PLACES} requests under way at a door"
        )
    })
}

/// Whether a text is a host and a port.
pub fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

fn check_plan(workload: &Workload, written: &mut Written) {
    let said: Vec<&str> = PLANS.into_iter().filter(|plan| written.has(&format!("arrivals.{plan}"))).collect();
    match said.as_slice() {
        [] => written.wrong("arrivals", "there is no plan", "say one of phases, saturation, overload"),
        [_] => {}
        several => {
            let help = "keep one of them; a run has one plan";
            written.wrong("arrivals", format!("there are {} plans: {}", several.len(), several.join(", ")), help);
        }
    }
    match &workload.arrivals.plan {
        Plan::Phases(phases) => check_phases(workload, phases, written),
        Plan::Saturation(search) => check_search(search, "arrivals.saturation", written),
        Plan::Overload(overload) => check_overload(overload, written),
    }
}

fn check_phases(workload: &Workload, phases: &[Phase], written: &mut Written) {
    if phases.is_empty() && written.has("arrivals.phases") {
        written.wrong("arrivals.phases", "there is none", "such as `- { per_second: 1000, seconds: 10 }`");
    }
    if phases.len() > MOST_PHASES {
        written.wrong("arrivals.phases", format!("there are {}; a run has at most {MOST_PHASES}", phases.len()), "");
    }
    let mut names = BTreeSet::new();
    for (at, phase) in phases.iter().enumerate() {
        let path = format!("arrivals.phases[{at}]");
        let end = phase.to_per_second.unwrap_or(phase.per_second);
        let to = phase.to_per_second.map(|to| ("to_per_second", to));
        for (key, rate) in [("per_second", phase.per_second)].into_iter().chain(to) {
            if !(0.0..=MOST_PER_SECOND).contains(&rate) {
                written.wrong(&format!("{path}.{key}"), format!("must be from 0 to {MOST_PER_SECOND}"), "");
            }
        }
        if phase.per_second == 0.0 && end == 0.0 {
            let help = "only a ramp may start or end at 0";
            written.wrong(&format!("{path}.per_second"), "nothing would ever be due", help);
        }
        duration(phase.seconds, &format!("{path}.seconds"), written);
        let name = if phase.name.is_empty() { (at + 1).to_string() } else { phase.name.clone() };
        if !names.insert(name.clone()) {
            written.wrong(&format!("{path}.name"), format!("there are two phases named `{name}`"), "");
        }
        if let Some(goals) = &phase.goals {
            check_goals(workload, goals, &format!("{path}.goals"), written);
        }
    }
}

fn check_search(search: &Saturation, path: &str, written: &mut Written) {
    positive(search.from, &format!("{path}.from"), "a rate", written);
    duration(search.step_seconds, &format!("{path}.step_seconds"), written);
    if !(search.from..=MOST_PER_SECOND).contains(&search.to) {
        let message = format!("must be from `from` ({}) to {MOST_PER_SECOND}", search.from);
        written.wrong(&format!("{path}.to"), message, "");
    }
    if !(search.factor > 1.0 && search.factor <= 100.0) {
        written.wrong(&format!("{path}.factor"), "must be above 1, and at most 100", "1.5 is a good one");
    }
    let rises = (search.to / search.from).ln() / search.factor.ln();
    if search.from > 0.0 && search.factor > 1.0 && rises > MOST_RISES {
        let help = "raise `factor` or `from`, or lower `to`";
        written.wrong(&format!("{path}.factor"), format!("the search would take {rises:.0} steps to rise"), help);
    }
    if !(search.precision >= 0.001 && search.precision < 1.0) {
        let help = "0.05 stops when the two ends are 5 % apart";
        written.wrong(&format!("{path}.precision"), "must be a share from 0.001 to below 1", help);
    }
}

fn check_overload(overload: &Overload, written: &mut Written) {
    check_search(&overload.peak, "arrivals.overload.peak", written);
    duration(overload.seconds, "arrivals.overload.seconds", written);
    if overload.times.is_empty() {
        written.wrong("arrivals.overload.times", "there is none", "such as `[1, 2, 5, 10]`");
    } else if overload.times.len() > MOST_MULTIPLES {
        let message = format!("there are {}; a run has at most {MOST_MULTIPLES}", overload.times.len());
        written.wrong("arrivals.overload.times", message, "");
    }
    let mut seen = BTreeSet::new();
    for (at, times) in overload.times.iter().enumerate() {
        let path = format!("arrivals.overload.times[{at}]");
        if *times > MOST_TIMES {
            written.wrong(&path, format!("must be at most {MOST_TIMES} times the peak"), "");
        } else {
            positive(*times, &path, "a multiple of the peak", written);
        }
        if !seen.insert(times.to_bits()) {
            written.wrong(&path, format!("{times} stands there twice"), "");
        }
    }
}

fn check_users(users: &Users, written: &mut Written) {
    share(users.unknown_share, "users.unknown_share", written);
    if !(users.zipf >= 0.0 && users.zipf <= 10.0) {
        written.wrong("users.zipf", "must be from 0 (all alike) to 10", "");
    }
    if users.ids.is_empty() {
        written.wrong("users.ids", "there is none", "such as `{ 1: 0.6, 2: 0.4 }`: number of identifiers -> weight");
    }
    for (number, weight) in &users.ids {
        let path = format!("users.ids.{number}");
        positive(*weight, &path, "a weight", written);
        if !(1..=64).contains(number) {
            written.wrong(&path, "a request carries from 1 to 64 identifiers", "");
        }
    }
}

fn check_request(workload: &Workload, request: &Request, written: &mut Written) {
    let given = request.campaign_ids.len();
    if request.campaigns > 0 && given == 0 {
        let help = "list ids to name, or leave `campaigns` out, which asks for all active ones";
        written.wrong("request.campaigns", "there are no `campaign_ids` to take them from", help);
    } else if request.campaigns > given && given > 0 {
        let message = format!("a request cannot name {} of {given} `campaign_ids`", request.campaigns);
        written.wrong("request.campaigns", message, "");
    }
    let lookups = [Door::GrpcBatch, Door::GrpcStream].iter().any(|door| workload.doors.contains_key(door));
    let most = if lookups { MOST_IN_A_BATCH } else { MOST_EVENTS };
    if !(1..=most).contains(&request.batch) {
        written.wrong("request.batch", format!("must be from 1 to {most}"), "");
    }
    if request.tmax_ms > 60_000 {
        written.wrong("request.tmax_ms", "must be at most 60000: nobody waits longer than a minute", "");
    }
    let searches = !matches!(workload.arrivals.plan, Plan::Phases(_));
    if searches && request.tmax_ms == 0 {
        let help = "say how long an answer is worth waiting for, such as `request: { tmax_ms: 50 }`";
        let message = "a search and an overload need a deadline: goodput is what was answered in time";
        written.wrong("request.tmax_ms", message, help);
    }
    if request.event.trim().is_empty() && workload.doors.contains_key(&Door::Events) {
        written.wrong("request.event", "may not be empty", "name an event that the server's configuration declares");
    }
}

fn check_goals(workload: &Workload, goals: &Goals, path: &str, written: &mut Written) {
    let at = |key: &str| format!("{path}.{key}");
    for (key, value) in [
        ("p50_ms", goals.p50_ms),
        ("p99_ms", goals.p99_ms),
        ("p999_ms", goals.p999_ms),
        ("p99_times_idle", goals.p99_times_idle),
    ] {
        if let Some(value) = value {
            positive(value, &at(key), "it", written);
        }
    }
    for (key, value) in
        [("accepted_share", goals.accepted_share), ("goodput_share_of_peak", goals.goodput_share_of_peak)]
    {
        if let Some(value) = value {
            share(value, &at(key), written);
        }
    }
    let plan = &workload.arrivals.plan;
    if goals.goodput_share_of_peak.is_some() && !matches!(plan, Plan::Overload(_)) {
        let help = "say `arrivals: { overload: ... }`, or leave this goal out";
        written.wrong(&at("goodput_share_of_peak"), "only a plan of overload finds a peak first", help);
    }
    if goals.within_deadline == Some(true) && workload.request.tmax_ms == 0 {
        written.wrong(&at("within_deadline"), "there is no deadline", "say `request: { tmax_ms: 50 }`");
    }
    let idle = matches!(plan, Plan::Phases(phases) if phases.iter().any(|phase| phase.name == "idle"));
    if goals.p99_times_idle.is_some() && !idle {
        written.wrong(&at("p99_times_idle"), "there is no phase named `idle` to compare with", "");
    }
}

fn positive(value: f64, path: &str, what: &str, written: &mut Written) {
    if !(value > 0.0 && value.is_finite()) {
        written.wrong(path, format!("{what} must be more than 0"), "");
    }
}

fn duration(seconds: f64, path: &str, written: &mut Written) {
    if seconds > MOST_SECONDS {
        written.wrong(path, format!("must be at most {MOST_SECONDS}, a week"), "");
    } else {
        positive(seconds, path, "a duration", written);
    }
}

fn share(value: f64, path: &str, written: &mut Written) {
    if !(0.0..=1.0).contains(&value) {
        written.wrong(path, format!("must be a share from 0 to 1, not {value}"), "");
    }
}

#[cfg(test)]
mod tests;
