//! Latency and goodput against the rate that was asked for: where the knee is, and where the peak.

use super::super::figures::{rate, short_rate, wait};
use super::super::parts::Table;
use super::super::{deadline_us, goodput};
use super::axes;
use super::canvas::{ALIKE, Ink, Panel, Shape};
use super::{Picture, Swatch};
use crate::load::measured::{Measured, Run};

/// Named runs over one another; one alone shows its p50 too. `None` where no run has anything to show.
pub fn saturation(runs: &[(String, &Run)], id: &str) -> Option<Picture> {
    let runs: Vec<(&str, &Run, Vec<&Measured>)> = runs
        .iter()
        .map(|(name, run)| (name.as_str(), *run, by_rate(run)))
        .filter(|it| !it.2.is_empty())
        .take(ALIKE)
        .collect();
    let points = || runs.iter().flat_map(|it| &it.2);
    let fastest = points().map(|it| it.offered_per_second).reduce(f64::max)?;
    let alone = runs.len() == 1;
    let limit = runs.iter().filter_map(|it| deadline_us(it.1)).max();
    let answered = || points().filter(|it| it.latency.count > 0);
    let limit = limit.filter(|limit| answered().any(|it| it.latency.p99_us >= limit / 10));
    let waits = answered().flat_map(|it| [it.latency.p50_us, it.latency.p99_us]);
    let x = axes::upwards(fastest, short_rate);
    let best = points().map(|it| goodput(it)).fold(0.0, f64::max);
    let mut upper = Panel { x: x.clone(), y: axes::waits(waits.chain(limit)), shapes: Vec::new(), height: 1 };
    let mut lower = Panel { x, y: axes::upwards(best, short_rate), shapes: Vec::new(), height: 1 };
    upper.shapes.extend(
        limit.map(|limit| Shape::Level(Ink::Limit, axes::log(limit), format!("deadline {} ms", limit / 1_000))),
    );
    let ideal = lower.y.to.min(lower.x.to);
    lower.shapes.push(Shape::Line(Ink::Due, vec![(0.0, 0.0), (ideal, ideal)]));
    for (nth, (_, run, points)) in runs.iter().enumerate() {
        let (high, good) = if alone { (Ink::High, Ink::Accepted) } else { (Ink::Nth(nth), Ink::Nth(nth)) };
        let waits = |of: fn(&Measured) -> u64| {
            let points = points.iter().filter(|it| it.latency.count > 0);
            points.map(|it| (it.offered_per_second, axes::log(of(it)))).collect()
        };
        if alone {
            upper.shapes.extend(dotted(Ink::Median, waits(|it| it.latency.p50_us)));
        }
        upper.shapes.extend(dotted(high, waits(|it| it.latency.p99_us)));
        lower.shapes.extend(dotted(good, points.iter().map(|it| (it.offered_per_second, goodput(it))).collect()));
        if let Some(peak) = run.peak.filter(|_| alone) {
            mark(peak.sustained_per_second, peak.goodput_per_second, &mut upper, &mut lower);
        }
    }
    Some(Picture {
        id: format!("{id}-saturation"),
        title: "Saturation".to_owned(),
        note: "Across: requests a second that were offered. Above: latency of the accepted answers, logarithmic. Below: goodput, \
               requests accepted in time a second, and the line on which everything would be."
            .to_owned(),
        words: runs.iter().map(|(name, run, _)| said(name, run, alone)).collect::<Vec<_>>().join(" "),
        key: key(&runs),
        panels: vec![upper, lower],
        height: 520,
        table: table(&runs),
    })
}

fn by_rate(run: &Run) -> Vec<&Measured> {
    let mut points: Vec<&Measured> =
        if super::super::has_saturation(run) { run.phases.iter().collect() } else { Vec::new() };
    points.sort_by(|one, other| one.offered_per_second.total_cmp(&other.offered_per_second));
    points
}

fn dotted(ink: Ink, points: Vec<(f64, f64)>) -> [Shape; 2] {
    [Shape::Line(ink, points.clone()), Shape::Dots(ink, points)]
}

fn mark(sustained: f64, peak: f64, upper: &mut Panel, lower: &mut Panel) {
    if sustained > 0.0 {
        upper.shapes.push(Shape::Place(Ink::Mark, sustained, format!("goals hold up to {}/s", short_rate(sustained))));
        lower.shapes.push(Shape::Place(Ink::Mark, sustained, String::new()));
    }
    if peak > 0.0 {
        lower.shapes.push(Shape::Level(Ink::Mark, peak, format!("peak {}/s", short_rate(peak))));
    }
}

fn said(name: &str, run: &Run, alone: bool) -> String {
    let whose = if alone { String::new() } else { format!("{name}: ") };
    match run.peak {
        None => format!("{whose}{} rates.", run.phases.len()),
        Some(peak) if peak.sustained_per_second > 0.0 => format!(
            "{whose}The goals hold up to {} requests a second; the highest goodput is {} a second.",
            rate(peak.sustained_per_second),
            rate(peak.goodput_per_second)
        ),
        Some(peak) => format!(
            "{whose}The goals held at no rate; the highest goodput is {} a second.",
            rate(peak.goodput_per_second)
        ),
    }
}

fn key(runs: &[(&str, &Run, Vec<&Measured>)]) -> Vec<(Ink, Swatch, String)> {
    let line = |ink, words: &str| (ink, Swatch::Line, words.to_owned());
    let mut key = match runs {
        [_] => vec![line(Ink::Median, "p50"), line(Ink::High, "p99"), line(Ink::Accepted, "goodput, below")],
        _ => runs.iter().enumerate().map(|(nth, it)| line(Ink::Nth(nth), &format!("{}: p99, goodput", it.0))).collect(),
    };
    key.push(line(Ink::Due, "everything offered"));
    key
}

fn table(runs: &[(&str, &Run, Vec<&Measured>)]) -> Table {
    let head = ["run", "phase", "offered/s", "goodput/s", "p50", "p99"];
    let rows = runs.iter().flat_map(|(name, _, points)| {
        points.iter().map(|it| {
            let waits = [it.latency.p50_us, it.latency.p99_us];
            let waits = waits.map(|us| if it.latency.count > 0 { wait(us) } else { "-".to_owned() });
            let own = [(*name).to_owned(), it.name.clone(), rate(it.offered_per_second), rate(goodput(it))];
            own.into_iter().chain(waits).collect()
        })
    });
    Table::new("Saturation, by the rate offered".to_owned(), &head, rows.collect())
}
