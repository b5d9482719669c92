//! How waits are distributed: by quantile, as far out as there were enough of them, and as a histogram.

use super::super::figures::{count, share, wait};
use super::super::parts::Table;
use super::axes;
use super::canvas::{ALIKE, Axis, Ink, Panel, Shape};
use super::{Picture, Swatch};
use crate::load::measured::Latency;

/// Bars in a histogram, about.
const BARS: f64 = 48.0;

/// Latency by quantile, a line for each named distribution; `None` where there is none with a bucket.
pub fn quantiles(of: &[(String, &Latency)], id: &str) -> Option<Picture> {
    let of = drawable(of);
    let most = of.iter().map(|(_, it)| it.count).max()?;
    let ends = of.iter().flat_map(|(_, it)| [it.buckets.first(), it.buckets.last()]).flatten().map(|bucket| bucket.0);
    let y = axes::waits(ends.chain(of.iter().map(|(_, it)| it.max_us)));
    let shapes = of.iter().enumerate().map(|(nth, (_, it))| Shape::Line(Ink::Nth(nth), curve(it))).collect();
    let said = of.iter().map(|(name, it)| {
        format!("{name}: p50 {}, p99 {}, p99.9 {}", wait(it.p50_us), wait(it.p99_us), wait(it.p999_us))
    });
    Some(Picture {
        id: format!("{id}-quantiles"),
        title: "Latency by quantile".to_owned(),
        note: "How long the slowest 10 %, 1 %, 0.1 % ... waited at least: a flat line is a server without stalls. Each line ends \
               where there were not enough answers to say more."
            .to_owned(),
        words: said.collect::<Vec<_>>().join(". ") + ".",
        key: key(&of),
        panels: vec![Panel { x: axes::quantiles(most), y, shapes, height: 1 }],
        height: 320,
        table: quantile_table(&of),
    })
}

/// Those that have buckets, as many as can be told apart.
fn drawable<'a>(of: &[(String, &'a Latency)]) -> Vec<(String, &'a Latency)> {
    of.iter().filter(|(_, it)| it.count > 0 && !it.buckets.is_empty()).take(ALIKE).cloned().collect()
}

fn key(of: &[(String, &Latency)]) -> Vec<(Ink, Swatch, String)> {
    of.iter().enumerate().map(|(nth, (name, _))| (Ink::Nth(nth), Swatch::Line, name.clone())).collect()
}

/// (what is left beyond, wait), both as logarithms.
fn curve(latency: &Latency) -> Vec<(f64, f64)> {
    let buckets = sorted(latency);
    let all: f64 = buckets.iter().map(|bucket| bucket.1 as f64).sum();
    let mut below = 0.0;
    let mut points: Vec<(f64, f64)> = buckets.first().map(|first| (0.0, axes::log(first.0))).into_iter().collect();
    for (end, many) in buckets {
        below += many as f64;
        points.push((axes::beyond(below / all, latency.count), axes::log(end.min(latency.max_us.max(1)))));
    }
    points
}

fn sorted(latency: &Latency) -> Vec<(u64, u64)> {
    let mut buckets = latency.buckets.clone();
    buckets.sort_unstable();
    buckets
}

fn quantile_table(of: &[(String, &Latency)]) -> Table {
    let head = ["of", "answers", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"];
    let rows = of.iter().map(|(name, it)| {
        let waits = [it.mean_us.round() as u64, it.p50_us, it.p90_us, it.p99_us, it.p999_us, it.p9999_us, it.max_us];
        [name.clone(), count(it.count)].into_iter().chain(waits.map(wait)).collect()
    });
    Table::new("Latency by quantile".to_owned(), &head, rows.collect())
}

/// Shares of waits, on a logarithmic axis; `None` where there is no bucket.
pub fn histogram(of: &[(String, &Latency)], id: &str) -> Option<Picture> {
    let of = drawable(of);
    let ends = || of.iter().flat_map(|(_, it)| it.buckets.iter().map(|bucket| axes::log(bucket.0)));
    let (low, high) = (ends().reduce(f64::min)?, ends().reduce(f64::max)?);
    // Never finer than the buckets themselves are.
    let width = ((high - low) / BARS).max(0.04);
    let many = ((high - low) / width) as usize + 1;
    let bars: Vec<Vec<f64>> = of.iter().map(|(_, it)| heights(it, low, width, many)).collect();
    let highest = bars.iter().flatten().copied().fold(0.0, f64::max);
    let mut shapes = Vec::new();
    for (nth, heights) in bars.iter().enumerate() {
        let stairs = stairs(heights, low, width);
        if of.len() == 1 {
            shapes.push(Shape::Area(Ink::Nth(nth), stairs.iter().map(|&(at, high)| (at, 0.0, high)).collect()));
        }
        shapes.push(Shape::Line(Ink::Nth(nth), stairs));
    }
    let ticks = axes::waits([10f64.powf(low) as u64, 10f64.powf(high).ceil() as u64]).ticks;
    let (from, to) = (low - width, low + width * many as f64);
    let ticks = ticks.into_iter().filter(|tick| (from..=to).contains(&tick.0)).collect();
    Some(Picture {
        id: format!("{id}-histogram"),
        title: "Histogram of latency".to_owned(),
        note: "Which share of the accepted answers took how long; the axis across is logarithmic.".to_owned(),
        words: of
            .iter()
            .zip(&bars)
            .map(|((name, _), bars)| highest_bar(name, bars, low, width))
            .collect::<Vec<_>>()
            .join(". "),
        key: key(&of),
        panels: vec![Panel {
            x: Axis { from, to, ticks },
            y: axes::upwards(highest, |percent| format!("{percent} %")),
            shapes,
            height: 1,
        }],
        height: 260,
        table: decade_table(&of),
    })
}

/// The share of each bar, in percent. A bucket belongs to the bar in which it ends.
fn heights(latency: &Latency, low: f64, width: f64, many: usize) -> Vec<f64> {
    let all: f64 = latency.buckets.iter().map(|bucket| bucket.1 as f64).sum();
    let mut heights = vec![0.0; many];
    for &(end, count) in &latency.buckets {
        let bar = ((axes::log(end) - low) / width) as usize;
        heights[bar.min(many - 1)] += count as f64 * 100.0 / all.max(1.0);
    }
    heights
}

fn stairs(heights: &[f64], low: f64, width: f64) -> Vec<(f64, f64)> {
    let steps = heights.iter().enumerate();
    steps
        .flat_map(|(nth, &high)| [(low + width * (nth as f64 - 0.5), high), (low + width * (nth as f64 + 0.5), high)])
        .collect()
}

fn highest_bar(name: &str, bars: &[f64], low: f64, width: f64) -> String {
    let most = bars.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1)).map_or(0, |(nth, _)| nth);
    let at = |bar: f64| wait(10f64.powf(low + width * bar).round() as u64);
    format!("{name}: the highest bar is around {}, with {:.1} %", at(most as f64), bars[most])
}

/// A histogram's rows: 1, 2, 5, 10 ... times a microsecond.
fn decade_table(of: &[(String, &Latency)]) -> Table {
    let limits: Vec<u64> = (0..9u32).flat_map(|decade| [1, 2, 5].map(|step| step * 10u64.pow(decade))).collect();
    let within = |latency: &Latency, from: u64, to: u64| {
        latency
            .buckets
            .iter()
            .filter(|bucket| (from + 1..=to).contains(&bucket.0))
            .map(|bucket| bucket.1)
            .fold(0, u64::saturating_add)
    };
    let mut rows = Vec::new();
    for (from, to) in [0].iter().chain(&limits).zip(limits.iter().chain(&[u64::MAX])).map(|(from, to)| (*from, *to)) {
        let many: Vec<u64> = of.iter().map(|(_, it)| within(it, from, to)).collect();
        if many.iter().any(|&many| many > 0) {
            let label = if to == u64::MAX { format!("> {}", wait(from)) } else { format!("<= {}", wait(to)) };
            rows.push(
                [label].into_iter().chain(many.iter().zip(of).map(|(&many, (_, it))| share(many, it.count))).collect(),
            );
        }
    }
    let head: Vec<&str> = ["took"].into_iter().chain(of.iter().map(|(name, _)| name.as_str())).collect();
    Table::new("Histogram of latency: the share of answers in each row".to_owned(), &head, rows)
}

#[cfg(test)]
mod tests {
    use super::super::super::{made_up, quantile};
    use super::*;

    #[test]
    fn a_curve_says_what_a_count_of_the_buckets_says() {
        let latency = made_up::steady().phases[0].latency.clone();
        let curve = curve(&latency);
        for q in [0.1f64, 0.5, 0.9, 0.99, 0.999] {
            let naive = quantile(&latency.buckets, q);
            let at = -(1.0 - q).log10();
            let drawn = curve.iter().find(|point| point.0 >= at - 1e-9).expect("a point").1;
            assert!((drawn - axes::log(naive)).abs() < 1e-9, "{q}: {drawn} and {naive}");
        }
        assert!(curve.is_sorted_by(|one, next| one.0 <= next.0 && one.1 <= next.1));
    }

    #[test]
    fn bars_are_a_whole() {
        for run in [made_up::steady(), made_up::overload()] {
            for phase in &run.phases {
                let sum: f64 = heights(&phase.latency, 1.0, 0.1, 40).iter().sum();
                assert!((sum - 100.0).abs() < 1e-6, "{sum}");
            }
        }
    }
}
