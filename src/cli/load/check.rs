//! `vaglio load check`: reads a workload file, and says what it would send.

use crate::cli::print;
use crate::error::Result;
use crate::load::reading;
use crate::load::workload::{Overload, Phase, Plan, Saturation, Workload};
use std::fmt::Write;
use std::path::PathBuf;

/// Read a workload file, and say what it would send
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The workload file
    #[arg(value_name = "WORKLOAD")]
    workload: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Everything that is wrong in the file.
pub fn run(args: &Args) -> Result<()> {
    print(&describe(&reading::read(&args.workload)?))
}

fn describe(workload: &Workload) -> String {
    let mut text = format!("{}: ", workload.name);
    if !workload.about.is_empty() {
        text += &workload.about;
    }
    text.push('\n');
    let sum: f64 = workload.doors.values().sum();
    for (door, weight) in &workload.doors {
        let _ = writeln!(text, "  {:<15} {:.0} % of the requests", door.name(), weight / sum * 100.0);
    }
    match &workload.arrivals.plan {
        Plan::Phases(phases) => describe_phases(workload, phases, &mut text),
        Plan::Saturation(search) => describe_search(workload, search, &mut text),
        Plan::Overload(overload) => describe_overload(workload, overload, &mut text),
    }
    text
}

fn expected(phase: &Phase) -> f64 {
    (phase.per_second + phase.to_per_second.unwrap_or(phase.per_second)) / 2.0 * phase.seconds
}

fn describe_phases(workload: &Workload, phases: &[Phase], text: &mut String) {
    for phase in phases {
        let to = phase.to_per_second.map_or(String::new(), |to| format!(" to {to}"));
        let (name, rate, seconds) = (&phase.name, phase.per_second, phase.seconds);
        let _ = writeln!(text, "  {name:<15} {rate}{to} a second for {seconds} s: {:.0} requests", expected(phase));
    }
    let warm = phases.first().map_or(0.0, |phase| phase.per_second) * workload.warm_seconds;
    let all: f64 = phases.iter().map(expected).sum();
    let seconds: f64 = phases.iter().map(|phase| phase.seconds).sum::<f64>() + workload.warm_seconds;
    let _ = writeln!(text, "About {:.0} requests in {seconds} s, {warm:.0} of them to warm up.", all + warm);
}

fn describe_search(workload: &Workload, search: &Saturation, text: &mut String) {
    let _ = writeln!(
        text,
        "  rises from {} a second by a factor of {} to {} at most, {} s a step, then searches to {:.1} %",
        search.from,
        search.factor,
        search.to,
        search.step_seconds,
        search.precision * 100.0
    );
    let rises = ((search.to / search.from).ln() / search.factor.ln()).ceil().max(0.0) + 1.0;
    let halvings = (search.factor.ln() / (1.0 + search.precision).ln()).log2().ceil().max(0.0);
    let steps = rises + 1.0 + halvings;
    let _ = writeln!(
        text,
        "At most {steps:.0} steps, {:.0} s; how many requests depends on the server.",
        steps * (search.step_seconds + 1.0) + workload.warm_seconds
    );
}

fn describe_overload(workload: &Workload, overload: &Overload, text: &mut String) {
    describe_search(workload, &overload.peak, text);
    let times: Vec<String> = overload.times.iter().map(|times| format!("{times}x")).collect();
    let _ = writeln!(text, "Then {} of the peak that was found, {} s each.", times.join(", "), overload.seconds);
}
