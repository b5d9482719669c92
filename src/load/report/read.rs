//! Reads what `vaglio load --json FILE` wrote. The file is somebody else's: its size, its format and its figures are checked.

use crate::error::{Error, Problem, Result};
use crate::load::measured::{Latency, Measured, Run};
use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The format of a run that this program writes and reads.
pub const FORMAT: u32 = 1;

/// Far more than a day, second by second.
const MOST_BYTES: u64 = 64 << 20;
/// Beyond this no figure was measured: pictures would have nothing but noughts to show.
const MOST: f64 = 1e15;
const MOST_PHASES: usize = 1_000;

/// The one field that every format has.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// Reads a run.
///
/// # Errors
/// A file that cannot be read, is too large, is no run, is of another format, or has figures that nobody measured: each with the
/// file and the place in it.
pub fn read(path: &Path) -> Result<Run> {
    let file = File::open(path).map_err(|error| Error::io(format!("open {}", path.display()), error))?;
    let mut text = Vec::new();
    let read = file.take(MOST_BYTES + 1).read_to_end(&mut text);
    read.map_err(|error| Error::io(format!("read {}", path.display()), error))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(refused(path, Problem::new(format!("longer than {} MiB", MOST_BYTES >> 20))));
    }
    parse(&text).map_err(|problem| refused(path, problem))
}

fn refused(path: &Path, problem: Problem) -> Error {
    Error::usage("no run can be read").with_problems(vec![problem.in_file(path)])
}

fn parse(text: &[u8]) -> std::result::Result<Run, Problem> {
    let misread = |error: serde_json::Error| {
        let problem =
            Problem::new(format!("not a run: {error}")).help("write one with `vaglio load WORKLOAD.yaml --json FILE`");
        if error.line() > 0 { problem.at(error.line(), error.column()) } else { problem }
    };
    // The number first: a later format may have other fields.
    let head: Head = serde_json::from_slice(text).map_err(misread)?;
    if head.format != FORMAT {
        let help = if head.format > FORMAT {
            "it was written by a later version: read it with that"
        } else {
            "run the workload again"
        };
        return Err(Problem::new(format!("format {}, and this program reads format {FORMAT}", head.format)).help(help));
    }
    let run: Run = serde_json::from_slice(text).map_err(misread)?;
    check(&run)?;
    Ok(run)
}

fn check(run: &Run) -> std::result::Result<(), Problem> {
    if run.phases.len() > MOST_PHASES {
        return Err(Problem::new(format!("{} phases; at most {MOST_PHASES} are read", run.phases.len())));
    }
    let peak = run.peak.iter().flat_map(|peak| [peak.sustained_per_second, peak.goodput_per_second]);
    sane("peak", peak)?;
    run.phases.iter().try_for_each(|phase| sane(&phase.name, figures(phase)))
}

fn sane(whose: &str, mut figures: impl Iterator<Item = f64>) -> std::result::Result<(), Problem> {
    match figures.find(|figure| !(0.0..=MOST).contains(figure)) {
        Some(figure) => Err(Problem::new(format!("{whose}: {figure} is no figure that was measured (0 to {MOST:e})"))),
        None => Ok(()),
    }
}

/// Every figure of a phase that is drawn.
fn figures(phase: &Measured) -> impl Iterator<Item = f64> {
    let counts = &phase.counts;
    let whole = [phase.offered_per_second, phase.seconds, phase.server_cpu_seconds.unwrap_or(0.0)];
    let counted = [
        counts.due,
        counts.accepted,
        counts.too_late,
        counts.shed,
        counts.unsent,
        counts.unanswered,
        counts.errors,
        counts.wrong_suppress,
        counts.wrong_target,
    ];
    let by_second = phase.seconds_of.iter().flat_map(|it| [it.at, it.due, it.accepted, it.shed, it.failed, it.max_us]);
    let waits = [&phase.latency, &phase.service, &phase.shed_latency].into_iter().flat_map(waits);
    whole.into_iter().chain(counted.into_iter().chain(by_second).map(|it| it as f64)).chain(waits)
}

fn waits(latency: &Latency) -> impl Iterator<Item = f64> {
    let buckets = latency.buckets.iter().flat_map(|&(end, many)| [end, many]);
    [latency.count, latency.max_us].into_iter().chain(buckets).map(|it| it as f64).chain([latency.mean_us])
}

#[cfg(test)]
mod tests {
    use super::super::made_up;
    use super::*;

    fn why(text: &str) -> String {
        parse(text.as_bytes()).expect_err("refused").to_string()
    }

    #[test]
    fn what_was_written_is_read() {
        for run in [made_up::steady(), made_up::saturation(), made_up::overload()] {
            let text = serde_json::to_string(&run).expect("JSON");
            let again = parse(text.as_bytes()).expect("a run");
            // Fractions may lose their last bit on the way.
            assert_eq!(super::super::table(&again), super::super::table(&run));
            assert_eq!(again.phases[0].latency.buckets, run.phases[0].latency.buckets);
        }
    }

    #[test]
    fn what_is_no_run_is_refused_with_its_place_and_what_to_do() {
        let misplaced = why("{\n \"format\": x }");
        assert!(misplaced.starts_with("2:12: not a run") && misplaced.contains("--json"), "{misplaced}");
        assert!(why("{}").contains("missing field `format`"));
        assert!(why("{\"format\": 1}").contains("missing field `workload`"));
        assert!(why("{\"format\": 2, \"rows\": []}").contains("later version"));
        assert!(why("{\"format\": 0}").contains("run the workload again"));
    }

    #[test]
    fn figures_that_nobody_measured_are_refused() {
        let spoilt = |spoil: fn(&mut Run)| {
            let mut run = made_up::steady();
            spoil(&mut run);
            why(&serde_json::to_string(&run).expect("JSON"))
        };
        assert!(spoilt(|run| run.phases[0].offered_per_second = 1e300).contains("no figure that was measured"));
        assert!(spoilt(|run| run.phases[0].seconds = -1.0).contains("-1"));
        assert!(spoilt(|run| run.phases[0].seconds_of[0].at = u64::MAX).contains("no figure"));
        assert!(spoilt(|run| run.phases[0].latency.buckets[0].1 = u64::MAX).contains("no figure"));
    }
}
