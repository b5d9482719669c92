//! `vaglio load`: asks a running server at a given rate, and says what came back, how soon and whether it was right.

mod check;
mod machine;
mod outputs;
mod overrides;
mod report;
mod show;
pub mod truth;
mod watch;

use super::{SAID, print};
use crate::error::{Error, ErrorKind, Result};
use crate::load::measured::Run;
use crate::load::report::{html, table};
use crate::load::run::{self, Order};
use crate::load::{goals, reading};
use clap::Subcommand;
use outputs::{Marks, Output};
use overrides::Overrides;
use std::path::{Path, PathBuf};
use watch::Progress;

/// Put load on a server, and say what it bears
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = AFTER)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The workload file
    #[arg(value_name = "WORKLOAD", required = true)]
    workload: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// What `vaglio load truth` wrote of the same users: verdicts are checked against it
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// The server's process, for its CPU time and memory; several with commas
    #[arg(long, value_name = "PID", value_delimiter = ',')]
    server_pid: Vec<u32>,
    /// Write what was found as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a report with pictures
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a line when a phase begins, at its first request: seconds since 1970, and its name
    #[arg(long, value_name = "FILE")]
    marks: Option<PathBuf>,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

const AFTER: &str = "\
The last line of the output is `passed: NAME: ...` or `failed: NAME: ...`.
Exit codes: 0 passed, 1 a goal was missed or the server could not be reached, 2 wrong usage or workload.
Ctrl-C ends a run early and reports what was measured.
--marks FILE is emptied before the run; each phase or step that is reported adds a line when its first request is due, as
`1790000000.125 spike`: with it, something can be done to the server at that moment. Warm-ups are not marked.
What --json and --html name is replaced when the run is over, and stays as it is if the run never began.";

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Machine(machine::Args),
    Report(report::Args),
    Show(show::Args),
    Truth(truth::Args),
}

/// Runs the command.
///
/// # Errors
/// A workload that cannot be read, a server that cannot be reached (2 and 1), or goals that were missed (1).
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Check(args)) => check::run(args),
        Some(Command::Machine(args)) => machine::run(args),
        Some(Command::Report(args)) => report::run(args),
        Some(Command::Show(args)) => show::run(args),
        Some(Command::Truth(args)) => truth::run(args),
        None => load(args),
    }
}

fn load(args: &Args) -> Result<()> {
    let file = args.workload.as_deref().ok_or_else(|| Error::usage("name a workload file"))?;
    let mut workload = reading::read(file)?;
    args.overrides.apply(&mut workload)?;
    outputs::are_distinct(&[
        ("WORKLOAD", Some(file)),
        ("--users", args.overrides.users()),
        ("--truth", args.truth.as_deref()),
        ("--json", args.json.as_deref()),
        ("--html", args.html.as_deref()),
        ("--marks", args.marks.as_deref()),
    ])?;
    // Asked before the run, not after it.
    let json = args.json.as_deref().map(Output::open).transpose()?;
    let page = args.html.as_deref().map(Output::open).transpose()?;
    let mut progress = Progress::new(args.quiet, args.marks.as_deref().map(Marks::open).transpose()?);
    let order = Order {
        workload,
        beside: file.parent().unwrap_or(Path::new("")).to_path_buf(),
        truth: args.truth.clone(),
        server_pids: args.server_pid.clone(),
    };
    let found = run::run(&order, &mut progress)?;
    let marked = progress.end();
    if let Some(file) = json {
        file.replace(&json_text(&found)?)?;
    }
    if let Some(file) = page {
        file.replace(&html(std::slice::from_ref(&found))?)?;
    }
    marked?;
    print(&format!("{}{}\n", table(&found), goals::line(&found)))?;
    if goals::passed(&found) { Ok(()) } else { Err(Error::new(ErrorKind::Input, SAID)) }
}

fn json_text(run: &Run) -> Result<String> {
    let text = serde_json::to_string_pretty(run);
    Ok(text.map_err(|error| Error::internal("the run cannot be written as JSON").caused_by(error))? + "\n")
}
