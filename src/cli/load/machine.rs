//! `vaglio load machine`: what this machine takes away from programs that want a core each.

use crate::cli::print;
use crate::error::{Error, Result};
use crate::load::machine::{self, Taken};
use std::fmt::Write;
use std::time::Duration;

/// Say what this machine takes away from busy cores: no latency is measured better than that
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cores, with commas; all that this program may run on
    #[arg(long, value_name = "CORES", value_delimiter = ',')]
    cores: Vec<usize>,
    /// How long they are kept busy
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    seconds: f64,
}

/// Runs the command.
///
/// # Errors
/// A core that this program may not run on.
pub fn run(args: &Args) -> Result<()> {
    if !(0.1..=3_600.0).contains(&args.seconds) {
        return Err(Error::usage(format!("--seconds {}: from 0.1 to 3600", args.seconds)));
    }
    let cores = if args.cores.is_empty() { machine::cores()? } else { args.cores.clone() };
    print(&describe(&machine::watch(&cores, Duration::from_secs_f64(args.seconds))?))
}

fn describe(all: &[Taken]) -> String {
    let mut text = String::new();
    for Taken { core, times, share, longest_ms } in all {
        let share = share * 100.0;
        let _ =
            writeln!(text, "core {core}: {share:.2} % taken away in {times} pieces, the longest {longest_ms:.1} ms");
    }
    text
}
