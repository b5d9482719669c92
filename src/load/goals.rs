//! What is passed or failed: goals against what was found.

use super::measured::{Counts, Latency, Measured, Peak, Run, Verdict};
use super::workload::{Goals, Saturation};

/// A step of a search keeps up when at least this share of its requests is accepted; unless a goal says otherwise.
const KEEPS_UP: f64 = 0.99;

/// What goals are relative to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Against {
    /// `request.tmax_ms`; 0 = none.
    pub tmax_ms: u64,
    /// p99 of the phase named `idle`, microseconds.
    pub idle_p99_us: Option<u64>,
    /// What goodput is a share of: the most that was accepted beside the phase or in it, requests a second.
    pub peak: Option<f64>,
}

/// The goals of a step of a search: those that tell how much a server bears, and that it keeps up. Whether it is right is
/// another matter: see [`wrong_in_all`].
pub fn of_a_step(goals: &Goals) -> Goals {
    Goals {
        accepted_share: Some(goals.accepted_share.unwrap_or(KEEPS_UP)),
        goodput_share_of_peak: None,
        p99_times_idle: None,
        wrong_verdicts: None,
        ..goals.clone()
    }
}

/// The goals of a step of the search for the peak, whatever a workload wants of the phases that follow: a peak below what the
/// server bears would make "five times the peak" less than that, and a share of it easily reached.
pub fn of_a_peak() -> Goals {
    Goals { accepted_share: Some(KEEPS_UP), ..Goals::default() }
}

/// Every goal that was set, with whether a phase meets it.
pub fn verdicts(measured: &Measured, goals: &Goals, against: Against) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut say = |goal: String, found: String, met: bool| {
        verdicts.push(Verdict { phase: measured.name.clone(), goal, found, met });
    };
    for (name, permille, goal) in
        [("p50", 500, goals.p50_ms), ("p99", 990, goals.p99_ms), ("p99.9", 999, goals.p999_ms)]
    {
        if let Some(ms) = goal {
            let (found, met) = within(measured, permille, ms);
            say(format!("{name} <= {}", shown_ms(ms)), found, met);
        }
    }
    let counts = &measured.counts;
    if let Some(most) = goals.errors {
        let (found, met) = failed(counts, most);
        say(format!("errors <= {most}"), found, met);
    }
    if let Some(least) = goals.accepted_share {
        let share = if counts.due == 0 { 0.0 } else { counts.accepted as f64 / counts.due as f64 };
        say(format!("accepted >= {} of due", percent(least)), percent(share), share >= least);
    }
    if let (Some(least), Some(peak)) = (goals.goodput_share_of_peak, against.peak) {
        let share = if peak > 0.0 { goodput(measured) / peak } else { 0.0 };
        say(format!("goodput >= {} of peak", percent(least)), percent(share), share >= least);
    }
    if goals.within_deadline == Some(true) {
        let (found, met) = in_time(measured);
        say(format!("accepted p99.9 within {} ms", against.tmax_ms), found, met);
    }
    if let Some(most) = goals.wrong_verdicts {
        let wrong = counts.wrong_suppress + counts.wrong_target;
        let (found, met) = match counts.checked {
            0 => ("none was checked".to_owned(), false),
            checked => (format!("{wrong} of {checked}"), wrong <= most),
        };
        say(format!("wrong verdicts <= {most}"), found, met);
    }
    if let (Some(most), Some(idle)) = (goals.p99_times_idle, against.idle_p99_us)
        && measured.name != "idle"
    {
        let (found, met) = times_idle(measured, idle, most);
        say(format!("p99 <= {most} x idle"), found, met);
    }
    verdicts
}

/// Requests accepted in time, a second.
pub fn goodput(measured: &Measured) -> f64 {
    measured.counts.accepted as f64 / measured.seconds.max(1e-9)
}

/// Whether few enough failed. Where nobody answers, nothing has failed, and nothing is right either.
fn failed(counts: &Counts, most: u64) -> (String, bool) {
    match counts {
        Counts { due: 0, .. } => ("nothing was due".to_owned(), false),
        Counts { accepted: 0, too_late: 0, shed: 0, errors: 0, .. } => ("nobody answered".to_owned(), false),
        Counts { errors, .. } => (errors.to_string(), *errors <= most),
    }
}

/// Whether a quantile is within a limit. Requests that were given up or answered too late waited longer than any that was
/// accepted: left out, they would make a slow server look quick.
fn within(measured: &Measured, permille: u64, ms: f64) -> (String, bool) {
    let slow = slow(measured);
    match quantile(&measured.latency, slow, permille) {
        Some(us) => (waited(us), us as f64 <= ms * 1e3),
        None => (without_end(measured, slow, "were not answered in time"), false),
    }
}

/// Whether of all that were answered with substance or waited for in vain, 99.9 % were answered before the deadline. Of those
/// alone that count as accepted, every one was.
fn in_time(measured: &Measured) -> (String, bool) {
    let late = measured.counts.too_late + measured.counts.unanswered;
    match quantile(&measured.latency, late, 999) {
        Some(us) => (waited(us), true),
        None => (without_end(measured, late, "came later or not at all"), false),
    }
}

fn times_idle(measured: &Measured, idle_us: u64, most: f64) -> (String, bool) {
    let slow = slow(measured);
    match quantile(&measured.latency, slow, 990) {
        None => (without_end(measured, slow, "were not answered in time"), false),
        Some(_) if idle_us == 0 => ("nothing was accepted while idle".to_owned(), false),
        Some(us) => {
            let times = us as f64 / idle_us as f64;
            (format!("{times:.2} x"), times <= most)
        }
    }
}

/// Requests that waited longer than any that was accepted.
fn slow(measured: &Measured) -> u64 {
    let counts = &measured.counts;
    counts.too_late + counts.unsent + counts.unanswered
}

/// A quantile, microseconds, of the accepted and of so many that waited longer; `None` = it is one of those, or nothing was
/// accepted.
fn quantile(latency: &Latency, slow: u64, permille: u64) -> Option<u64> {
    let rank = ((slow + latency.count) * permille).div_ceil(1_000).max(1);
    if rank > latency.count {
        return None;
    }
    if slow == 0 {
        return Some(match permille {
            500 => latency.p50_us,
            990 => latency.p99_us,
            _ => latency.p999_us,
        });
    }
    let mut below = 0;
    let bucket = latency.buckets.iter().find(|(_, count)| {
        below += count;
        below >= rank
    });
    Some(bucket.map_or(latency.max_us, |(end, _)| *end))
}

fn without_end(measured: &Measured, slow: u64, what: &str) -> String {
    match measured.latency.count {
        0 => "nothing was accepted".to_owned(),
        count => format!("no end: {} {what}", percent(slow as f64 / (slow + count) as f64)),
    }
}

fn waited(us: u64) -> String {
    shown_ms(us as f64 / 1e3)
}

/// `0.082 ms`, `1.9 ms`, `120 ms`.
fn shown_ms(ms: f64) -> String {
    let text = match ms {
        ms if ms >= 100.0 => format!("{ms:.0}"),
        ms if ms >= 10.0 => format!("{ms:.1}"),
        ms if ms >= 1.0 => format!("{ms:.2}"),
        ms => format!("{ms:.3}"),
    };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} ms")
}

/// `99.99 %`, as goals ask for.
fn percent(share: f64) -> String {
    // Cut, not rounded: 99.9996 % is not 100 %.
    let text = format!("{:.3}", (share * 1e5 + 1e-6).floor() / 1e3);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Whether a search found a rate at which the goals hold.
pub fn found_a_rate(peak: Peak, settings: &Saturation) -> Verdict {
    let met = peak.sustained_per_second > 0.0;
    let found = if met {
        format!("{:.0}/s", peak.sustained_per_second)
    } else {
        format!("not even at {:.0}/s: lower `from`", settings.from)
    };
    Verdict { phase: String::new(), goal: "a rate at which the goals hold".to_owned(), found, met }
}

/// The goal of no wrong verdicts over all steps of a search together, where it was set.
pub fn wrong_in_all(phases: &[Measured], goals: &Goals) -> Vec<Verdict> {
    let mut all = Measured::default();
    for step in phases.iter().filter(|phase| phase.step) {
        all.counts.checked += step.counts.checked;
        all.counts.wrong_suppress += step.counts.wrong_suppress;
        all.counts.wrong_target += step.counts.wrong_target;
    }
    verdicts(&all, &Goals { wrong_verdicts: goals.wrong_verdicts, ..Goals::default() }, Against::default())
}

/// Whether every goal was met.
pub fn passed(run: &Run) -> bool {
    run.verdicts.iter().all(|verdict| verdict.met)
}

/// The last line of a run: `passed: NAME: 3 goals met`, or `failed: NAME:` and every goal that was missed.
pub fn line(run: &Run) -> String {
    let name = &run.workload.name;
    if passed(run) {
        return match run.verdicts.len() {
            0 => format!("passed: {name}: no goals were set"),
            1 => format!("passed: {name}: 1 goal met"),
            n => format!("passed: {name}: {n} goals met"),
        };
    }
    let missed = run.verdicts.iter().filter(|verdict| !verdict.met).map(|verdict| {
        let phase = if verdict.phase.is_empty() { String::new() } else { format!("{}: ", verdict.phase) };
        format!("{phase}{}", missed_goal(&verdict.goal, &verdict.found))
    });
    format!("failed: {name}: {}", missed.collect::<Vec<_>>().join("; "))
}

/// `p99 <= 1 ms` and `1.9 ms` -> `p99 1.9 ms > 1 ms`.
fn missed_goal(goal: &str, found: &str) -> String {
    for (held, missed) in [(" <= ", ">"), (" >= ", "<")] {
        if let Some((what, limit)) = goal.split_once(held)
            && found.starts_with(|first: char| first.is_ascii_digit())
        {
            return format!("{what} {found} {missed} {limit}");
        }
    }
    format!("{goal}: {found}")
}

#[cfg(test)]
mod tests;
