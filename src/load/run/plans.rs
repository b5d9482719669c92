//! Carries out a workload's plan: one phase after the other, a search for what a server bears, or more than it bears.

use super::engine::Engine;
use super::{Segment, Watch, Writes};
use crate::error::Result;
use crate::load::goals::{self, Against};
use crate::load::measured::{Measured, Peak, Verdict};
use crate::load::reading::MOST_PER_SECOND;
use crate::load::record::MOST_GENERATIONS;
use crate::load::schedule::Stretch;
use crate::load::search::{Climb, Search};
use crate::load::workload::{Goals, Overload, Phase, Plan, Saturation, Workload};
use std::time::Duration;

/// The generator's own lateness above which latencies are not to be trusted.
const LATE_US: u64 = 1_000;
/// The share of the time the generator is busy above which it, not the server, sets the limit.
const BUSY: f64 = 0.95;
/// No machine becomes slower than this share of itself: below it the server has collapsed, the steps beside a phase with it.
const DRIFT: f64 = 0.6;
/// Between two steps of a search: for what the server still has in its queues.
const REST: Duration = Duration::from_millis(300);

/// What a plan found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub phases: Vec<Measured>,
    pub peak: Option<Peak>,
    pub verdicts: Vec<Verdict>,
    pub remarks: Vec<String>,
}

/// Carries out a workload's plan.
pub(super) async fn carry_out<W: Writes>(
    engine: &Engine<W>,
    workload: &Workload,
    watch: &mut dyn Watch,
) -> Result<Found> {
    let mut found = Found::default();
    match &workload.arrivals.plan {
        Plan::Phases(phases) => one_after_the_other(engine, workload, phases, watch, &mut found).await?,
        Plan::Saturation(settings) => {
            warm(engine, workload, settings.from, watch).await?;
            let goals = goals::of_a_step(&workload.goals);
            let peak = search(engine, workload, settings, &goals, watch, &mut found).await?;
            judge_search(engine, workload, peak, settings, &mut found);
        }
        Plan::Overload(overload) => overloaded(engine, workload, overload, watch, &mut found).await?,
    }
    if engine.stopped() {
        found.remarks.push("interrupted: the run ended early".to_owned());
        found.verdicts.push(Verdict {
            phase: String::new(),
            goal: "the plan is carried out".to_owned(),
            found: "interrupted".to_owned(),
            met: false,
        });
    }
    remark(&mut found);
    if engine.watches_processes() && found.phases.iter().any(|phase| phase.server_cpu_seconds.is_none()) {
        found.remarks.push("a process of --server-pid ended during the run".to_owned());
    }
    Ok(found)
}

async fn drive<W: Writes>(engine: &Engine<W>, segments: &[Segment], watch: &mut dyn Watch) -> Result<Vec<Measured>> {
    let measured = engine.drive(segments, watch).await?;
    measured.iter().for_each(|measured| watch.ends(measured));
    Ok(measured)
}

fn warm_up(seconds: f64, per_second: f64) -> Option<Segment> {
    let stretch = Stretch::constant(per_second, seconds);
    (seconds > 0.0).then(|| Segment { name: "warm-up".to_owned(), stretch, counted: false, step: false })
}

async fn warm<W: Writes>(engine: &Engine<W>, workload: &Workload, rate: f64, watch: &mut dyn Watch) -> Result<()> {
    let segments: Vec<Segment> = warm_up(workload.warm_seconds, rate).into_iter().collect();
    if !segments.is_empty() {
        drive(engine, &segments, watch).await?;
    }
    Ok(())
}

async fn one_after_the_other<W: Writes>(
    engine: &Engine<W>,
    workload: &Workload,
    phases: &[Phase],
    watch: &mut dyn Watch,
    found: &mut Found,
) -> Result<()> {
    let first = phases.first().map_or(0.0, |phase| phase.per_second);
    let mut segments: Vec<Segment> = warm_up(workload.warm_seconds, first).into_iter().collect();
    segments.extend(phases.iter().map(|phase| Segment {
        name: phase.name.clone(),
        stretch: Stretch {
            from: phase.per_second,
            to: phase.to_per_second.unwrap_or(phase.per_second),
            seconds: phase.seconds,
        },
        counted: true,
        step: false,
    }));
    found.phases = drive(engine, &segments, watch).await?;
    let idle = found.phases.iter().find(|phase| phase.name == "idle").map(|phase| phase.latency.p99_us);
    for measured in &found.phases {
        let own = phases.iter().find(|phase| phase.name == measured.name).and_then(|phase| phase.goals.as_ref());
        let against = Against { tmax_ms: workload.request.tmax_ms, idle_p99_us: idle, peak: None };
        found.verdicts.extend(goals::verdicts(measured, own.unwrap_or(&workload.goals), against));
    }
    Ok(())
}

async fn search<W: Writes>(
    engine: &Engine<W>,
    workload: &Workload,
    settings: &Saturation,
    goals: &Goals,
    watch: &mut dyn Watch,
    found: &mut Found,
) -> Result<Peak> {
    let mut search = Search::new(settings);
    let mut goodput: f64 = 0.0;
    while let Some(rate) = search.next()
        && let Some(step) = step(engine, settings, rate, watch, found).await?
    {
        goodput = goodput.max(goals::goodput(step));
        search.tell(holds(step, goals, workload));
    }
    remark_limit(&search, settings, found);
    let peak = Peak { sustained_per_second: search.sustained(), goodput_per_second: goodput };
    found.peak = Some(peak);
    Ok(peak)
}

/// Raises the rate as long as more is accepted for it. Returns the peak, and the rate that brought it.
async fn climb<W: Writes>(
    engine: &Engine<W>,
    workload: &Workload,
    settings: &Saturation,
    watch: &mut dyn Watch,
    found: &mut Found,
) -> Result<(Peak, f64)> {
    let mut climb = Climb::new(settings);
    let mut sustained: f64 = 0.0;
    while let Some(rate) = climb.next()
        && let Some(step) = step(engine, settings, rate, watch, found).await?
    {
        climb.tell(goals::goodput(step));
        sustained = if holds(step, &goals::of_a_peak(), workload) { sustained.max(rate) } else { sustained };
    }
    if climb.grows_still() {
        found.remarks.push(format!(
            "more was accepted up to {:.0}/s, where the climb had to end: the peak may be higher; raise `to`",
            settings.to
        ));
    }
    let peak = Peak { sustained_per_second: sustained, goodput_per_second: climb.highest() };
    found.peak = Some(peak);
    Ok((peak, climb.highest_at()))
}

/// One step at a rate, called by it; `None` when somebody ended the run meanwhile.
async fn step<'f, W: Writes>(
    engine: &Engine<W>,
    settings: &Saturation,
    rate: f64,
    watch: &mut dyn Watch,
    found: &'f mut Found,
) -> Result<Option<&'f Measured>> {
    named_step(engine, settings, (rate, step_name(rate)), watch, found).await
}

/// As [`step`], called otherwise.
async fn named_step<'f, W: Writes>(
    engine: &Engine<W>,
    settings: &Saturation,
    (rate, name): (f64, String),
    watch: &mut dyn Watch,
    found: &'f mut Found,
) -> Result<Option<&'f Measured>> {
    if engine.stopped() {
        return Ok(None);
    }
    let lead = (settings.step_seconds / 4.0).min(0.5);
    let segment = |seconds, counted| Segment {
        name: name.clone(),
        stretch: Stretch::constant(rate, seconds),
        counted,
        step: true,
    };
    let segments = [segment(lead, false), segment(settings.step_seconds, true)];
    found.phases.extend(drive(engine, &segments, watch).await?.pop());
    if engine.stopped() {
        return Ok(None);
    }
    tokio::time::sleep(REST).await;
    Ok(found.phases.last())
}

fn step_name(rate: f64) -> String {
    format!("{rate:.0}/s")
}

fn holds(step: &Measured, goals: &Goals, workload: &Workload) -> bool {
    let against = Against { tmax_ms: workload.request.tmax_ms, idle_p99_us: None, peak: None };
    goals::verdicts(step, goals, against).iter().all(|verdict| verdict.met)
}

/// Whether a search found something, and nothing wrong in it.
fn judge_search<W: Writes>(
    engine: &Engine<W>,
    workload: &Workload,
    peak: Peak,
    settings: &Saturation,
    found: &mut Found,
) {
    // Who ended it before anything was found knows why nothing was.
    if !engine.stopped() || peak.sustained_per_second > 0.0 {
        found.verdicts.push(goals::found_a_rate(peak, settings));
    }
    if found.phases.iter().any(|phase| phase.step) {
        found.verdicts.extend(goals::wrong_in_all(&found.phases, &workload.goals));
    }
}

async fn overloaded<W: Writes>(
    engine: &Engine<W>,
    workload: &Workload,
    overload: &Overload,
    watch: &mut dyn Watch,
    found: &mut Found,
) -> Result<()> {
    warm(engine, workload, overload.peak.from, watch).await?;
    let (peak, at) = climb(engine, workload, &overload.peak, watch, found).await?;
    // Multiples of nothing are nothing.
    let times = if peak.goodput_per_second > 0.0 { overload.times.as_slice() } else { &[] };
    for times in times {
        // A machine's speed changes by the minute: every multiple stands between two steps at the rate that brought the peak.
        let before = (at, format!("{}, before {times}x", step_name(at)));
        if named_step(engine, &overload.peak, before, watch, found).await?.is_none() {
            break;
        }
        let segment = Segment {
            name: format!("{times}x"),
            stretch: Stretch::constant((peak.goodput_per_second * times).min(MOST_PER_SECOND), overload.seconds),
            counted: true,
            step: false,
        };
        found.phases.extend(drive(engine, &[segment], watch).await?);
        tokio::time::sleep(REST).await;
    }
    if let Some(times) = times.last() {
        let after = (at, format!("{}, after {times}x", step_name(at)));
        named_step(engine, &overload.peak, after, watch, found).await?;
    }
    judge_search(engine, workload, peak, &overload.peak, found);
    judge_overload(workload, peak, found);
    if !engine.stopped() {
        tell_of_a_higher_peak(peak, found);
    }
    Ok(())
}

/// Goodput is a share of what the same server accepted just before and just after at the rate that brought the peak, or in
/// the phase itself, whatever was the most; never less than [`DRIFT`] leaves of the climb's.
fn judge_overload(workload: &Workload, searched: Peak, found: &mut Found) {
    let goodput = |at: usize| found.phases.get(at).map(goals::goodput);
    let step = |at: usize| found.phases.get(at).is_some_and(|phase| phase.step);
    let mut verdicts = Vec::new();
    for (at, measured) in found.phases.iter().enumerate().filter(|(_, phase)| !phase.step) {
        let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter(|&at| step(at)).filter_map(goodput);
        let beside = beside.reduce(f64::max).unwrap_or(searched.goodput_per_second);
        let most = beside.max(searched.goodput_per_second * DRIFT).max(goals::goodput(measured));
        let against = Against { tmax_ms: workload.request.tmax_ms, idle_p99_us: None, peak: Some(most) };
        // At exactly the peak nothing is left to make up for what a stall of the machine took: no sign of a collapse.
        let above = measured.offered_per_second > searched.goodput_per_second * 1.001;
        let share = workload.goals.goodput_share_of_peak.filter(|_| above);
        let goals = Goals { goodput_share_of_peak: share, ..workload.goals.clone() };
        verdicts.extend(goals::verdicts(measured, &goals, against));
    }
    found.verdicts.extend(verdicts);
}

/// Where more was accepted later than in the climb.
fn tell_of_a_higher_peak(searched: Peak, found: &mut Found) {
    let highest = found.phases.iter().map(goals::goodput).fold(searched.goodput_per_second, f64::max);
    if highest > searched.goodput_per_second {
        found.peak = Some(Peak { goodput_per_second: highest, ..searched });
        found.remarks.push(format!(
            "the phases are multiples of {:.0}/s, the highest goodput of the climb; later there was up to {highest:.0}/s",
            searched.goodput_per_second
        ));
    }
}

/// What set the limit that a search found, where that was not the server.
fn remark_limit(search: &Search, settings: &Saturation, found: &mut Found) {
    let Some(failed) = search.failed() else {
        if search.sustained() >= settings.to {
            found.remarks.push(format!(
                "the search never failed up to {:.0}/s, where it had to end: the limit may be higher; raise `to`",
                settings.to
            ));
        }
        return;
    };
    let name = step_name(failed);
    let Some(step) = found.phases.iter().rev().find(|step| step.step && step.name == name) else { return };
    if step.generator_busy_share > BUSY || step.generator_late_p99_us > LATE_US {
        let busy = step.generator_busy_share * 100.0;
        found.remarks.push(format!(
            "the goals failed at {name} while the generator was busy for {busy:.0} % of the time: the limit may be the generator's"
        ));
    }
}

/// What a reader must know to trust the phases.
fn remark(found: &mut Found) {
    for phase in found.phases.iter().filter(|phase| !phase.step) {
        let late = phase.generator_late_p99_us;
        if late > LATE_US {
            found.remarks.push(format!(
                "{}: the generator itself was late (99 % within {:.1} ms): its core was too slow, and latencies are too high",
                phase.name,
                late as f64 / 1e3
            ));
        }
        if phase.generations.len() >= MOST_GENERATIONS {
            found.remarks.push(format!(
                "{}: {MOST_GENERATIONS} generations answered or more: later ones are not counted",
                phase.name
            ));
        }
        let server = phase.server_cpu_seconds.map(|used| used / phase.seconds.max(1e-9));
        if phase.generator_busy_share > BUSY && server.is_none_or(|cores| cores < 0.9) {
            let and =
                server.map_or(String::new(), |cores| format!(", and the server used {:.0} % of a core", cores * 100.0));
            found.remarks.push(format!(
                "{}: the generator was busy for {:.0} % of the time{and}: more load than this needs a second generator",
                phase.name,
                phase.generator_busy_share * 100.0
            ));
        }
    }
}

#[cfg(test)]
mod tests;
