//! Axes: waits and quantiles as logarithms, rates and time evenly; and where something is written on them.

use super::super::figures;
use super::canvas::Axis;

/// The place of a wait on a logarithmic axis; nobody waited for less than a microsecond.
pub fn log(us: u64) -> f64 {
    (us.max(1) as f64).log10()
}

/// Waits from the shortest to the longest of some, on round figures.
pub fn waits(some: impl IntoIterator<Item = u64>) -> Axis {
    let (low, high) = some
        .into_iter()
        .filter(|&us| us > 0)
        .fold((f64::MAX, f64::MIN), |(low, high), us| (log(us).min(low), log(us).max(high)));
    let (low, high) = if low > high { (2.0, 4.0) } else { (low, high) };
    let steps = round(low.floor() as i32 - 1, high.ceil() as i32 + 1);
    let from = steps.iter().copied().filter(|&at| at <= low + 1e-9).fold(low.floor(), f64::max);
    let to = steps.iter().copied().filter(|&at| at >= high - 1e-9 && at > from + 0.5).fold(high.ceil() + 1.0, f64::min);
    let decades = to - from > 3.2;
    let ticks = steps.into_iter().filter(|at| (from - 1e-9..=to + 1e-9).contains(at));
    let ticks = ticks.filter(|at| !decades || (at - at.round()).abs() < 1e-9);
    Axis { from, to, ticks: ticks.map(|at| (at, tick(at))).collect() }
}

/// The logarithms of 1, 2 and 5 in every decade.
fn round(from: i32, to: i32) -> Vec<f64> {
    (from..=to).flat_map(|decade| [1.0f64, 2.0, 5.0].map(|step| f64::from(decade) + step.log10())).collect()
}

/// `20 µs`, `1 ms`: without the noughts behind the point.
fn tick(at: f64) -> String {
    let us = 10f64.powf(at).round();
    let (value, unit) = if us < 1e3 {
        (us, "µs")
    } else if us < 1e6 {
        (us / 1e3, "ms")
    } else {
        (us / 1e6, "s")
    };
    format!("{value} {unit}")
}

/// From nought to a little more than the highest.
pub fn upwards(highest: f64, words: fn(f64) -> String) -> Axis {
    let highest = if highest > 0.0 { highest } else { 1.0 };
    let step = nice(highest / 4.0);
    let to = (highest / step * 1.02).ceil() * step;
    let many = (to / step).round() as u32;
    Axis { from: 0.0, to, ticks: (0..=many).map(|n| (f64::from(n) * step, words(f64::from(n) * step))).collect() }
}

/// 1, 2, 2.5 or 5 times a power of ten, at least as large.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let share = step / power;
    [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|&nice| share <= nice + 1e-9).unwrap_or(10.0) * power
}

/// Seconds since the run began.
pub fn time(from: u64, to: u64) -> Axis {
    let to = to.max(from + 1);
    let steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400];
    let step = steps.into_iter().find(|step| (to - from) / step <= 8).unwrap_or((to - from) / 8);
    let ticks = (from.div_ceil(step)..=to / step).map(|n| n * step);
    let words = |at: u64| if to < 120 { format!("{at} s") } else { figures::clock(at) };
    Axis { from: from as f64, to: to as f64, ticks: ticks.map(|at| (at as f64, words(at))).collect() }
}

/// Quantiles by what is left beyond them, as far as `count` waits can tell: 0, 90 %, 99 %, 99.9 %, ... evenly apart.
pub fn quantiles(count: u64) -> Axis {
    let to = beyond(1.0, count);
    let written = [
        (0.0, "0 %"),
        (0.5, "50 %"),
        (0.9, "90 %"),
        (0.99, "99 %"),
        (0.999, "99.9 %"),
        (0.9999, "99.99 %"),
        (0.99999, "99.999 %"),
    ];
    let ticks = written.into_iter().map(|(q, words)| (-(1.0f64 - q).log10(), words.to_owned()));
    Axis { from: 0.0, to, ticks: ticks.filter(|(at, _)| *at <= to + 1e-6).collect() }
}

/// The place of a quantile on that axis.
pub fn beyond(quantile: f64, count: u64) -> f64 {
    let deepest = (count.max(10) as f64).log10().clamp(1.0, 5.0);
    (-(1.0 - quantile).max(1e-12).log10()).clamp(0.0, deepest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.1.as_str()).collect()
    }

    #[test]
    fn axes_have_round_figures_and_hold_what_is_drawn() {
        assert_eq!(words(&waits([120, 900])), ["100 µs", "200 µs", "500 µs", "1 ms"]);
        assert_eq!(words(&waits([80, 400_000])), ["100 µs", "1 ms", "10 ms", "100 ms"]);
        assert_eq!(words(&upwards(37_000.0, figures::short_rate)), ["0", "10k", "20k", "30k", "40k"]);
        assert_eq!(words(&time(0, 60)), ["0 s", "10 s", "20 s", "30 s", "40 s", "50 s", "60 s"]);
        assert_eq!(words(&time(0, 3_600)), ["0:00", "10:00", "20:00", "30:00", "40:00", "50:00", "1:00:00"]);
        assert_eq!(words(&quantiles(20_000)), ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
    }

    #[test]
    fn axes_bear_nothing_and_everything() {
        for some in [vec![], vec![0], vec![1], vec![1_000_000_000_000_000], vec![1, 1_000_000_000_000_000]] {
            let axis = waits(some.clone());
            assert!(axis.from < axis.to && axis.ticks.len() < 30, "{some:?}: {axis:?}");
            assert!(
                some.iter().filter(|&&us| us > 0).all(|&us| axis.from <= log(us) && log(us) <= axis.to),
                "{some:?}: {axis:?}"
            );
        }
        for highest in [0.0, 1e-9, 0.3, 1.0, 1e15] {
            let axis = upwards(highest, figures::short_rate);
            assert!(axis.to >= highest && axis.to > 0.0 && axis.ticks.len() < 12, "{highest}: {axis:?}");
        }
        for (from, to) in [(0, 0), (0, 1_000_000_000_000_000), (7, 8)] {
            let axis = time(from, to);
            assert!(axis.from < axis.to && axis.ticks.len() < 12, "{axis:?}");
        }
        assert_eq!((beyond(1.0, 0), beyond(1.0, 1_000), beyond(0.0, 5)), (1.0, 3.0, 0.0));
    }
}
