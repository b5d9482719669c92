//! `vaglio load`: asks a running server at a given rate, and says what came back, how soon and whether it was right.

use super::print;
use crate::error::{Error, Result};
use std::path::PathBuf;

/// Put load on a server, and say what it bears
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The workload file
    #[arg(value_name = "FILE")]
    workload: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// A workload that cannot be read, a server that cannot be reached (2 and 1), or goals that were missed (1).
pub fn run(args: &Args) -> Result<()> {
    print("")?;
    Err(Error::usage(format!("{}: not built yet", args.workload.display())))
}
