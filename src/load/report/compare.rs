//! Several runs next to each other: a table of what matters, and their lines over one another.

use super::figures::{bytes, count, rate, share, wait};
use super::page::outcome;
use super::parts::{Table, figure};
use super::pictures;
use super::{cpu_us_per_accepted, failed, goodput, shown, together, wrong};
use crate::error::Result;
use crate::load::measured::{Latency, Measured, Run};

/// The runs' names; those of one name are numbered.
pub fn names(runs: &[Run]) -> Vec<String> {
    let name = |run: &Run| run.workload.name.clone();
    let numbered = runs.iter().enumerate().map(|(nth, run)| {
        let alike = runs.iter().filter(|other| other.workload.name == run.workload.name).count();
        let before = runs[..nth].iter().filter(|other| other.workload.name == run.workload.name).count();
        if alike > 1 { format!("{} ({})", name(run), before + 1) } else { name(run) }
    });
    numbered.collect()
}

/// The comparison, as a section of the page.
pub fn section(runs: &[Run], named: &[String]) -> Result<String> {
    let mut out = "<section>\n<h2>Comparison</h2>\n".to_owned();
    out.push_str(&whole(runs, named));
    out.push_str(&by_phase(runs, named));
    let waits: Vec<Latency> = runs.iter().map(typical).collect();
    let of: Vec<(String, &Latency)> = named.iter().cloned().zip(&waits).collect();
    let lines: Vec<(String, &Run)> = named.iter().cloned().zip(runs).collect();
    let drawn = [pictures::saturation(&lines, "all"), pictures::quantiles(&of, "all"), pictures::histogram(&of, "all")];
    for picture in drawn.iter().flatten() {
        out.push_str(&figure(picture, 3)?);
    }
    out.push_str("</section>\n");
    Ok(out)
}

/// The waits that stand for a run: of its phases together; of a search, at the highest rate at which the goals held.
fn typical(run: &Run) -> Latency {
    let phases = shown(run);
    if phases.iter().any(|it| it.step) {
        return held(run).map(|it| it.latency.clone()).unwrap_or_default();
    }
    together(phases.iter().map(|it| &it.latency))
}

/// The step with the highest rate that was sustained, or the slowest.
fn held(run: &Run) -> Option<&Measured> {
    let sustained = run.peak.map_or(0.0, |peak| peak.sustained_per_second * 1.001);
    let by_rate = |one: &&Measured, other: &&Measured| one.offered_per_second.total_cmp(&other.offered_per_second);
    let steps = || run.phases.iter();
    steps().filter(|it| it.offered_per_second <= sustained).max_by(by_rate).or_else(|| steps().min_by(by_rate))
}

/// The steps of a search that tell most: the first, the highest that held, the highest goodput, the last.
pub fn telling_steps(run: &Run) -> Vec<(String, &Latency)> {
    let by_rate = |one: &&Measured, other: &&Measured| one.offered_per_second.total_cmp(&other.offered_per_second);
    let by_goodput = |one: &&Measured, other: &&Measured| goodput(one).total_cmp(&goodput(other));
    let steps = || run.phases.iter();
    let wanted = [steps().min_by(by_rate), held(run), steps().max_by(by_goodput), steps().max_by(by_rate)];
    let mut found: Vec<&Measured> = Vec::new();
    for step in wanted.into_iter().flatten() {
        if !found.iter().any(|it| std::ptr::eq(*it, step)) {
            found.push(step);
        }
    }
    found.sort_by(by_rate);
    found.into_iter().map(|it| (format!("at {}/s", rate(it.offered_per_second)), &it.latency)).collect()
}

fn whole(runs: &[Run], named: &[String]) -> String {
    let head = [
        "run",
        "verdict",
        "began",
        "due",
        "accepted",
        "shed",
        "failed",
        "wrong verdicts",
        "goals hold up to",
        "highest goodput",
    ];
    let rows = runs.iter().zip(named).map(|(run, name)| {
        let phases = shown(run);
        let sum = |of: fn(&Measured) -> u64| phases.iter().map(|it| of(it)).fold(0, u64::saturating_add);
        let due = sum(|it| it.counts.due);
        let checked = sum(|it| it.counts.checked);
        let peak = |of: fn(&crate::load::measured::Peak) -> f64| {
            run.peak.as_ref().map_or("-".to_owned(), |it| format!("{}/s", rate(of(it))))
        };
        vec![
            name.clone(),
            outcome(run).1,
            run.began.clone(),
            count(due),
            share(sum(|it| it.counts.accepted), due),
            share(sum(|it| it.counts.shed), due),
            share(sum(|it| failed(&it.counts)), due),
            if checked == 0 { "-".to_owned() } else { count(sum(|it| wrong(&it.counts))) },
            peak(|it| it.sustained_per_second),
            peak(|it| it.goodput_per_second),
        ]
    });
    Table::new("The runs".to_owned(), &head, rows.collect()).without_empty_columns().markup()
}

/// Phases of one name below each other; p99 also as a multiple of the first run that has the phase.
fn by_phase(runs: &[Run], named: &[String]) -> String {
    let mut phases: Vec<&str> = Vec::new();
    for phase in runs.iter().flat_map(|run| &run.phases).filter(|it| !it.step) {
        if !phases.contains(&phase.name.as_str()) {
            phases.push(&phase.name);
        }
    }
    let head = [
        "phase",
        "run",
        "offered/s",
        "accepted/s",
        "p50",
        "p99",
        "p99 x the first",
        "p99.9",
        "max",
        "CPU/accepted",
        "server memory",
    ];
    let mut rows = Vec::new();
    for name in phases {
        let mut first = None;
        for (run, of) in runs.iter().zip(named) {
            for it in run.phases.iter().filter(|it| !it.step && it.name == name) {
                let wait = |us| if it.latency.count > 0 { wait(us) } else { "-".to_owned() };
                let base = *first.get_or_insert(it.latency.p99_us);
                let times = if base > 0 && it.latency.count > 0 {
                    format!("{:.2}", it.latency.p99_us as f64 / base as f64)
                } else {
                    "-".to_owned()
                };
                rows.push(vec![
                    name.to_owned(),
                    of.clone(),
                    rate(it.offered_per_second),
                    rate(goodput(it)),
                    wait(it.latency.p50_us),
                    wait(it.latency.p99_us),
                    times,
                    wait(it.latency.p999_us),
                    wait(it.latency.max_us),
                    cpu_us_per_accepted(it).map_or("-".to_owned(), |us| format!("{us:.1} µs")),
                    it.server_resident_bytes.map_or("-".to_owned(), bytes),
                ]);
            }
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    Table::new("Phase by phase".to_owned(), &head, rows).without_empty_columns().markup()
}
