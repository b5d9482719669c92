//! `vaglio load report`: shows runs that were written with `--json`, one or several side by side.

use super::outputs::Output;
use crate::cli::print;
use crate::error::{Error, Problem, Result};
use crate::load::measured::Run;
use crate::load::report;
use std::path::{Path, PathBuf};

/// Show runs that were written with --json, side by side
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vaglio load report monday.json                              its table
  vaglio load report monday.json tuesday.json --html both.html   a page that compares them")]
pub struct Args {
    /// What `vaglio load --json FILE` wrote
    #[arg(value_name = "RUN.json", required = true)]
    runs: Vec<PathBuf>,
    /// Write a page with pictures, instead of tables to stdout
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// More on one page could not be told apart.
const MOST_RUNS: usize = 20;

/// Runs the command.
///
/// # Errors
/// Every file that cannot be read or is no run; a page that cannot be written.
pub fn run(args: &Args) -> Result<()> {
    let runs = read(&args.runs)?;
    match &args.html {
        Some(file) => {
            let page = report::html(&runs)?;
            Output::open(file)?.replace(&page)
        }
        None => print(&runs.iter().map(report::table).collect::<Vec<_>>().join("\n\n")),
    }
}

/// All files, or what is wrong with each of those that cannot be read.
fn read(files: &[PathBuf]) -> Result<Vec<Run>> {
    if files.len() > MOST_RUNS {
        return Err(Error::usage(format!("{} runs; at most {MOST_RUNS} are shown together", files.len())));
    }
    let (mut runs, mut problems) = (Vec::new(), Vec::new());
    for file in files {
        match report::read(file) {
            Ok(run) => runs.push(run),
            Err(error) => problems.extend(of(file, &error)),
        }
    }
    if problems.is_empty() { Ok(runs) } else { Err(Error::usage("not every run can be read").with_problems(problems)) }
}

fn of(file: &Path, error: &Error) -> Vec<Problem> {
    match error.problems() {
        [] => vec![Problem::new(error.to_string()).in_file(file)],
        problems => problems.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let broken = folder.path().join("broken.json");
        std::fs::write(&broken, "{\"format\": 9}").expect("written");
        let error = read(&[broken.clone(), folder.path().join("absent.json")]).expect_err("refused").to_string();
        assert!(error.contains("broken.json: format 9") && error.contains("absent.json"), "{error}");
        assert!(read(&vec![broken; 21]).expect_err("refused").to_string().contains("at most 20"));
    }
}
