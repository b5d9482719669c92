//! The command line: one file a command. A command reads its arguments, calls the rooms below, prints.
//!
//! Exit codes: 0 done, 1 the job failed, 2 wrong usage, configuration or definitions.

mod asked;
pub mod audit;
pub mod build;
pub mod check;
pub mod demo;
pub mod explain;
pub mod export;
pub mod figures;
pub mod generations;
pub mod inspect;
pub mod keys;
pub mod load;
pub mod lookup;
pub mod manifest;
pub mod publish;
pub mod reach;
pub mod rollback;
pub mod serve;
pub mod synth;

use crate::config::{self, Loaded};
use crate::error::{Error, Result};
use crate::schema::Generation;
use crate::snapshot::Store;
use clap::{Parser, Subcommand, ValueEnum};
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// An audience server for the bidstream: whom to speak to, and whom to leave alone.
#[derive(Debug, Parser)]
#[command(name = "vaglio", version, arg_required_else_help = true, after_help = FIRST_STEPS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const FIRST_STEPS: &str = "\
Exit codes: 0 done, 1 the job failed, 2 wrong usage, configuration or definitions.
Logs go to stderr; VAGLIO_LOG=debug shows more.";

#[derive(Debug, Subcommand)]
enum Command {
    Audit(audit::Args),
    Build(build::Args),
    /// Checks definitions: every error with its place, then warnings
    Check(check::Args),
    Publish(publish::Args),
    Serve(serve::Args),
    Lookup(lookup::Args),
    Explain(explain::Args),
    Export(export::Args),
    Reach(reach::Args),
    Inspect(inspect::Args),
    Generations(generations::Args),
    Rollback(rollback::Args),
    Keys(keys::Args),
    Load(Box<load::Args>),
    Synth(synth::Args),
    Demo(demo::Args),
    #[command(hide = true)]
    Manifest(manifest::Args),
}

/// How a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For tools
    Json,
}

/// The `--config` argument that most commands share.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigArg {
    /// The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "vaglio.yaml")]
    pub config: PathBuf,
}

impl ConfigArg {
    /// Reads the configuration with the environment's overrides.
    ///
    /// # Errors
    /// As [`config::load()`].
    pub fn load(&self) -> Result<Loaded> {
        config::load(&self.config)
    }
}

/// The message of a failure that a command has already printed in full.
const SAID: &str = "";

/// Reads the arguments, runs the command, reports a failure on stderr.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match dispatch(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.message() == SAID => ExitCode::from(error.exit_code()),
        Err(error) => {
            // When stderr is gone too, the exit code is all that is left to say.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(command: Command) -> Result<()> {
    match command {
        Command::Audit(args) => audit::run(&args),
        Command::Build(args) => build::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Rollback(args) => rollback::run(&args),
        Command::Lookup(args) => lookup::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Reach(args) => reach::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Generations(args) => generations::run(&args),
        Command::Keys(args) => keys::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Synth(args) => synth::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Manifest(args) => manifest::run(&args),
    }
}

/// Writes text to stdout. Every command prints through here: `println!` panics when the reader has gone.
///
/// # Errors
/// A full disk behind a redirection, or a closed pipe (which [`run`] passes over in silence).
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Error::io("write to stdout", error))
}

/// Writes a value to stdout as JSON.
///
/// # Errors
/// As [`print()`].
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::internal("the report cannot be written as JSON").caused_by(error))?;
    print(&(text + "\n"))
}

/// The generation that was asked for, or the live one.
///
/// # Errors
/// There is none.
pub fn find_generation(store: &Store, wanted: Option<Generation>) -> Result<Generation> {
    let there = store.manifests()?;
    match wanted {
        Some(generation) if there.contains(&generation) => Ok(generation),
        Some(generation) => {
            let known: Vec<String> = there.iter().map(ToString::to_string).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(Error::usage(format!(
                "there is no generation {generation} in {}; there: {known}",
                store.root().display()
            )))
        }
        None => store.current()?.ok_or_else(|| {
            Error::input(format!("there is no generation in {} yet; run `vaglio build`", store.root().display()))
        }),
    }
}

/// Whoever read the output has read enough (`vaglio inspect | head`).
fn is_broken_pipe(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
