//! `vaglio load show`: a question as it would be sent, for whoever wants to see what a workload asks.

use super::overrides::from_here;
use crate::cli::print;
use crate::error::{Error, Result};
use crate::load::reading;
use crate::load::requests::{Question, Questions};
use crate::load::run::checked;
use crate::load::workload::Door;
use crate::wire::{artf, v1};
use prost::Message;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

/// Print a question as it would be sent
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The workload file
    #[arg(value_name = "WORKLOAD")]
    workload: PathBuf,
    /// At which door; default the workload's first
    #[arg(long, value_name = "DOOR")]
    door: Option<String>,
    /// Which question, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    number: u64,
    /// People to ask about, one `POST /v1/lookup` body a line
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// What `vaglio load truth` wrote of the same users: a run with it asks only about those whom it knows
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A workload, users or a truth that cannot be read, or a door that the workload does not ask at.
pub fn run(args: &Args) -> Result<()> {
    let mut workload = reading::read(&args.workload)?;
    if let Some(users) = &args.users {
        workload.users.file = Some(from_here(users));
    }
    let doors: Vec<&str> = workload.doors.keys().map(|door| door.name()).collect();
    let door = match &args.door {
        None => workload.doors.keys().next(),
        Some(name) => workload.doors.keys().find(|door| door.name() == name),
    };
    let Some(door) = door.copied() else {
        let asked = args.door.as_deref().unwrap_or_default();
        return Err(Error::usage(format!("the workload does not ask at `{asked}`; it asks at {}", doors.join(", "))));
    };
    let beside = args.workload.parent().unwrap_or(Path::new(""));
    let mut questions = Questions::new(&workload, beside)?;
    checked::truth(&workload, args.truth.as_deref(), &mut questions, &mut Vec::new())?;
    let mut question = Question::default();
    questions.write(door, args.number, &mut question);
    let people: Vec<String> = question.people.iter().map(|line| told(*line)).collect();
    print(&format!(
        "{}: {} bytes, about {}\n{}\n",
        door.name(),
        question.body.len(),
        people.join(", "),
        text(door, &question.body)
    ))
}

fn told(line: Option<u32>) -> String {
    line.map_or_else(|| "somebody made up".to_owned(), |line| format!("person {} of the users file", line + 1))
}

/// A body for people: JSON as it is, protobuf decoded.
fn text(door: Door, body: &[u8]) -> String {
    match door {
        Door::GrpcLookup => decoded::<v1::LookupRequest>(body),
        Door::GrpcBatch | Door::GrpcStream => decoded::<v1::LookupBatchRequest>(body),
        Door::GrpcDecide => decoded::<v1::DecideRequest>(body),
        Door::Artf => decoded::<artf::RtbRequest>(body),
        _ => String::from_utf8_lossy(body).trim_end().to_owned(),
    }
}

fn decoded<M: Message + Default + Debug>(body: &[u8]) -> String {
    M::decode(body).map_or_else(|error| format!("cannot be decoded: {error}"), |message| format!("{message:#?}"))
}
