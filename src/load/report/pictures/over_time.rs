//! Second by second: how long answers took, and what became of the requests.

use super::super::figures::{clock, rate, wait};
use super::super::parts::Table;
use super::super::{deadline_us, figures};
use super::axes;
use super::canvas::{Axis, Ink, Panel, Shape};
use super::{Picture, Swatch};
use crate::load::measured::{Measured, Run, Second};
use std::collections::BTreeMap;

/// As many points as a wide drawing has places for.
const POINTS: u64 = 440;
/// As many rows as somebody reads.
const ROWS: u64 = 30;

/// What is counted of a second.
type Count = fn(&Second) -> u64;

/// Some seconds: counts are sums, waits those of the worst second.
#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    seconds: u64,
    all: Second,
}

impl Stretch {
    fn add(&mut self, second: &Second, another: bool) {
        let all = &mut self.all;
        if self.seconds == 0 {
            all.at = second.at;
        }
        self.seconds += u64::from(another || self.seconds == 0);
        for (sum, more) in [
            (&mut all.due, second.due),
            (&mut all.accepted, second.accepted),
            (&mut all.shed, second.shed),
            (&mut all.failed, second.failed),
        ] {
            *sum = sum.saturating_add(more);
        }
        for (worst, here) in [
            (&mut all.p50_us, second.p50_us),
            (&mut all.p99_us, second.p99_us),
            (&mut all.p999_us, second.p999_us),
            (&mut all.max_us, second.max_us),
        ] {
            *worst = here.max(*worst);
        }
    }

    fn a_second(&self, sum: u64) -> f64 {
        sum as f64 / self.seconds.max(1) as f64
    }
}

/// The seconds of a run, less those at an end that were over before they were whole: they would look as if fewer requests came.
fn whole(run: &Run) -> Vec<&Second> {
    let mut seconds = Vec::new();
    let mut begun = 0.0;
    for (at, phase) in run.phases.iter().enumerate() {
        seconds.extend(&phase.seconds_of);
        let ends = |phase: &Measured| phase.seconds_of.last().map(|second| second.at);
        let begins = |phase: &Measured| phase.seconds_of.first().map(|second| second.at);
        // A phase begins with a second, or in one with which the phase before it has ended.
        let shares = |one: Option<&Measured>, next: Option<&Measured>| {
            one.zip(next).is_some_and(|(one, next)| ends(one).is_some() && ends(one) == begins(next))
        };
        let before = at.checked_sub(1).and_then(|at| run.phases.get(at));
        begun = if shares(before, Some(phase)) { begun } else { 0.0 };
        begun = (begun + phase.seconds).fract();
        let is_part = begun > 1e-6 && begun < 1.0 - 1e-6;
        // One that is all there is of its phase is shown all the same.
        if is_part && !shares(Some(phase), run.phases.get(at + 1)) && phase.seconds_of.len() > 1 {
            seconds.pop();
        }
    }
    seconds
}

/// A run in at most `most` stretches of equal length, which is returned too. Phases may share a second.
fn stretches(run: &Run, most: u64) -> (u64, Vec<Stretch>) {
    let mut seconds = whole(run);
    seconds.sort_by_key(|second| second.at);
    let (Some(first), Some(last)) = (seconds.first(), seconds.last()) else { return (1, Vec::new()) };
    let (from, length) = (first.at, (last.at - first.at + 1).div_ceil(most));
    let mut found: BTreeMap<u64, Stretch> = BTreeMap::new();
    let mut before = None;
    for second in seconds {
        found.entry((second.at - from) / length).or_default().add(second, before != Some(second.at));
        before = Some(second.at);
    }
    (length, found.into_values().collect())
}

/// The same line of a panel, broken where nothing was accepted or nothing was asked.
fn line(ink: Ink, length: u64, all: &[Stretch], of: impl Fn(&Stretch) -> Option<f64>) -> Vec<Shape> {
    let (mut shapes, mut points, mut next) = (Vec::new(), Vec::new(), None);
    let mut end = |points: &mut Vec<(f64, f64)>| match points.len() {
        0 => {}
        1 => shapes.push(Shape::Dots(ink, std::mem::take(points))),
        _ => shapes.push(Shape::Line(ink, std::mem::take(points))),
    };
    for stretch in all {
        let high = of(stretch);
        if high.is_none() || next.is_some_and(|next| stretch.all.at > next) {
            end(&mut points);
        }
        points.extend(high.map(|high| (middle(stretch, length), high)));
        next = Some(stretch.all.at + 2 * length);
    }
    end(&mut points);
    shapes
}

fn middle(stretch: &Stretch, length: u64) -> f64 {
    stretch.all.at as f64 + length as f64 / 2.0
}

/// One upon the other, each as an area, broken where nothing was asked.
fn piled(length: u64, all: &[Stretch], layers: &[(Ink, Count)]) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for together in all.chunk_by(|one, next| next.all.at <= one.all.at + 2 * length) {
        let mut ground = vec![0.0; together.len()];
        for (ink, of) in layers {
            let mut points = Vec::with_capacity(together.len() * 2);
            for (stretch, below) in together.iter().zip(&mut ground) {
                let above = *below + stretch.a_second(of(&stretch.all));
                // From the stretch's beginning to its end: a single one is seen too.
                let at = stretch.all.at as f64;
                points.extend([(at, *below, above), (at + length as f64, *below, above)]);
                *below = above;
            }
            if points.iter().any(|(_, below, above)| above > below) {
                shapes.push(Shape::Area(*ink, points));
            }
        }
    }
    shapes
}

fn phases(run: &Run) -> impl Iterator<Item = Shape> + '_ {
    run.phases.iter().filter_map(|phase| {
        let from = phase.seconds_of.iter().map(|it| it.at).min()?;
        let to = phase.seconds_of.iter().map(|it| it.at).max()? + 1;
        Some(Shape::Stretch(from as f64, to as f64, phase.name.clone()))
    })
}

fn time(length: u64, all: &[Stretch]) -> Axis {
    let from = all.first().map_or(0, |it| it.all.at);
    axes::time(from, all.last().map_or(1, |it| it.all.at + length))
}

/// Latency over time, with what was shed or failed below. `None` where seconds were not recorded.
pub fn latency(run: &Run, id: &str) -> Option<Picture> {
    let (length, all) = stretches(run, POINTS);
    let worst = all.iter().max_by_key(|it| it.all.p99_us)?;
    let lines: [(Ink, &str, Count); 4] = [
        (Ink::Highest, "max", |it| it.max_us),
        (Ink::Higher, "p99.9", |it| it.p999_us),
        (Ink::High, "p99", |it| it.p99_us),
        (Ink::Median, "p50", |it| it.p50_us),
    ];
    let highest = all.iter().map(|it| it.all.max_us).max().unwrap_or(0);
    let limit = deadline_us(run).filter(|limit| highest >= limit / 10);
    let y = axes::waits(all.iter().flat_map(|it| [it.all.p50_us, it.all.max_us]).chain(limit));
    let mut shapes: Vec<Shape> = phases(run).collect();
    shapes.extend(
        limit.map(|limit| Shape::Level(Ink::Limit, axes::log(limit), format!("deadline {} ms", limit / 1_000))),
    );
    for (ink, _, of) in lines {
        let of = |it: &Stretch| (it.all.accepted > 0 && of(&it.all) > 0).then(|| axes::log(of(&it.all)));
        shapes.extend(line(ink, length, &all, of));
    }
    let mut panels = vec![Panel { x: time(length, &all), y, shapes, height: 7 }];
    let mut key: Vec<_> = lines.iter().rev().map(|(ink, name, _)| (*ink, Swatch::Line, (*name).to_owned())).collect();
    let lost = all.iter().map(|it| it.a_second(it.all.shed.saturating_add(it.all.failed))).fold(0.0, f64::max);
    if lost > 0.0 {
        let y = axes::upwards(lost, figures::short_rate);
        let shapes = piled(length, &all, &[(Ink::Shed, |it| it.shed), (Ink::Failed, |it| it.failed)]);
        panels.push(Panel {
            x: time(length, &all),
            y,
            shapes: phases(run).map(unnamed).chain(shapes).collect(),
            height: 3,
        });
        key.push((Ink::Shed, Swatch::Area, "shed, a second".to_owned()));
        key.push((Ink::Failed, Swatch::Area, "failed, a second".to_owned()));
    }
    let below = if lost > 0.0 {
        " Below: requests a second that were shed or failed."
    } else {
        " Nothing was shed and nothing failed."
    };
    Some(Picture {
        id: format!("{id}-latency"),
        title: "Latency over time".to_owned(),
        note: format!("Of accepted answers, from the intended start; a logarithmic axis.{}{below}", merged(length)),
        words: format!(
            "From {} to {} after the start. The highest p99 is {}, at {}; the longest wait of all {}.",
            clock(all.first()?.all.at),
            clock(all.last()?.all.at + length),
            wait(worst.all.p99_us),
            clock(worst.all.at),
            wait(highest),
        ),
        key,
        height: if panels.len() > 1 { 460 } else { 340 },
        panels,
        table: table(run, "Latency over time"),
    })
}

fn unnamed(shape: Shape) -> Shape {
    match shape {
        Shape::Stretch(from, to, _) => Shape::Stretch(from, to, String::new()),
        other => other,
    }
}

fn merged(length: u64) -> String {
    if length == 1 { String::new() } else { format!(" Each point is the worst of {length} seconds.") }
}

/// Throughput over time: what was due, and what became of it.
pub fn throughput(run: &Run, id: &str) -> Option<Picture> {
    let (length, all) = stretches(run, POINTS);
    let highest = all.iter().map(|it| it.a_second(it.all.due).max(it.a_second(it.all.accepted))).fold(0.0, f64::max);
    let layers: [(Ink, Count); 3] =
        [(Ink::Accepted, |it| it.accepted), (Ink::Shed, |it| it.shed), (Ink::Failed, |it| it.failed)];
    let mut shapes = piled(length, &all, &layers);
    shapes.extend(phases(run));
    shapes.extend(line(Ink::Due, length, &all, |it| Some(it.a_second(it.all.due))));
    let sum = |of: fn(&Second) -> u64| all.iter().map(|it| of(&it.all)).fold(0, u64::saturating_add);
    let due = sum(|it| it.due);
    let said = |name: &str, sum| format!("{name} {}", figures::share(sum, due));
    let panel = Panel { x: time(length, &all), y: axes::upwards(highest, figures::short_rate), shapes, height: 1 };
    Some(Picture {
        id: format!("{id}-throughput"),
        title: "Throughput over time".to_owned(),
        note: "Requests a second, by the second in which they were due: accepted, shed and failed upon each other."
            .to_owned(),
        words: format!(
            "Of {} requests that were due, {}, {}, {}; at most {} a second were due.",
            figures::count(due),
            said("accepted", sum(|it| it.accepted)),
            said("shed", sum(|it| it.shed)),
            said("failed", sum(|it| it.failed)),
            rate(all.iter().map(|it| it.a_second(it.all.due)).reduce(f64::max)?),
        ),
        key: vec![
            (Ink::Due, Swatch::Line, "due".to_owned()),
            (Ink::Accepted, Swatch::Area, "accepted".to_owned()),
            (Ink::Shed, Swatch::Area, "shed".to_owned()),
            (Ink::Failed, Swatch::Area, "failed".to_owned()),
        ],
        panels: vec![panel],
        height: 280,
        table: table(run, "Throughput over time"),
    })
}

fn table(run: &Run, caption: &str) -> Table {
    let (length, all) = stretches(run, ROWS);
    let worst = if length > 1 { format!("; waits are those of the worst of {length} seconds") } else { String::new() };
    let head = ["from", "due/s", "accepted/s", "shed/s", "failed/s", "p50", "p99", "p99.9", "max"];
    let rows = all.iter().map(|it| {
        let counts = [it.all.due, it.all.accepted, it.all.shed, it.all.failed].map(|sum| rate(it.a_second(sum)));
        let waits = [it.all.p50_us, it.all.p99_us, it.all.p999_us, it.all.max_us];
        let waits = waits.map(|us| if it.all.accepted > 0 { wait(us) } else { "-".to_owned() });
        [clock(it.all.at)].into_iter().chain(counts).chain(waits).collect()
    });
    Table::new(format!("{caption}, in steps of {length} s{worst}"), &head, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::made_up;
    use super::*;

    #[test]
    fn stretches_lose_no_request_and_keep_the_worst() {
        for run in [made_up::steady(), made_up::overload(), made_up::soak()] {
            for most in [1, 7, ROWS, POINTS, 100_000] {
                let (length, found) = stretches(&run, most);
                assert!(found.len() as u64 <= most && length >= 1);
                let seconds = || run.phases.iter().flat_map(|phase| &phase.seconds_of);
                assert_eq!(found.iter().map(|it| it.all.due).sum::<u64>(), seconds().map(|it| it.due).sum::<u64>());
                assert_eq!(found.iter().map(|it| it.all.max_us).max(), seconds().map(|it| it.max_us).max());
                let at: std::collections::BTreeSet<u64> = seconds().map(|it| it.at).collect();
                assert_eq!(found.iter().map(|it| it.seconds).sum::<u64>(), at.len() as u64);
            }
        }
    }

    #[test]
    fn a_second_that_was_not_whole_is_not_drawn_at_an_end() {
        let phase = |seconds: f64, at: &[u64]| {
            let seconds_of = at.iter().map(|at| Second { at: *at, due: 10, ..Second::default() }).collect();
            Measured { seconds, seconds_of, ..Measured::default() }
        };
        let drawn = |phases: Vec<Measured>| -> Vec<u64> {
            whole(&Run { phases, ..made_up::steady() }).iter().map(|second| second.at).collect()
        };
        assert_eq!(drawn(vec![phase(2.5, &[3, 4, 5])]), [3, 4]);
        assert_eq!(drawn(vec![phase(3.0, &[3, 4, 5])]), [3, 4, 5]);
        assert_eq!(
            drawn(vec![phase(1.5, &[3, 4]), phase(1.5, &[4, 5])]),
            [3, 4, 4, 5],
            "one follows in the same second"
        );
        assert_eq!(drawn(vec![phase(1.5, &[3, 4]), phase(2.0, &[4, 5, 6])]), [3, 4, 4, 5], "and is cut in another");
        assert_eq!(drawn(vec![phase(1.5, &[3, 4]), phase(1.0, &[6])]), [3, 6], "a pause");
        assert_eq!(drawn(vec![phase(0.5, &[3])]), [3], "better than nothing");
    }

    #[test]
    fn a_second_without_answers_breaks_the_line() {
        let second =
            |at, accepted| Stretch { seconds: 1, all: Second { at, accepted, p50_us: 100, ..Second::default() } };
        let all = [second(0, 1), second(1, 1), second(2, 0), second(3, 1), second(4, 1), second(9, 1)];
        let shapes = line(Ink::Median, 1, &all, |it| (it.all.accepted > 0).then_some(2.0));
        let lengths: Vec<_> =
            shapes.iter().map(|it| matches!(it, Shape::Line(_, points) if points.len() == 2)).collect();
        assert_eq!(lengths, [true, true, false], "{shapes:?}");
    }
}
