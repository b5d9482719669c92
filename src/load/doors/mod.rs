//! Sends questions and reads as much of the answers as it takes to tell what became of them.
//!
//! Contents: `http` and `grpc` the transports, `answer` what of an answer is looked at. What must not live here: when a question is
//! due, and how long its answer is waited for.

mod answer;
mod grpc;
mod http;

use super::requests::Question;
use super::workload::{Door, Workload};
use crate::error::{Error, Result};
use bytes::Bytes;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// Answered with substance.
    Accepted,
    /// Answered `overloaded`, `late` or `not_ready`.
    Shed,
    /// Not answered, or not validly.
    Failed {
        /// The sort of failure: `connect`, `closed`, `http 500`, `grpc UNAVAILABLE`, `unreadable`, ...
        kind: &'static str,
        /// What was said.
        message: String,
    },
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// What became of the request.
    pub became: Became,
    /// Lookups or events that were answered with substance.
    pub items: u32,
    /// Lookups that a message of many answers, shed ones too.
    pub results: u32,
    /// The generation that answered; 0 = none, or the door does not say.
    pub generation: u64,
    /// The answer's body as it came, for the truth.
    pub body: Bytes,
    /// Where it was asked.
    pub door: Door,
}

impl Default for Reply {
    fn default() -> Self {
        Reply {
            became: Became::Failed { kind: "unanswered", message: String::new() },
            items: 0,
            results: 0,
            generation: 0,
            body: Bytes::new(),
            door: Door::Lookup,
        }
    }
}

/// One request at a time: an HTTP/1.1 connection, one of `target.streams` places on a gRPC connection, or a stream.
#[derive(Debug)]
pub struct Slot {
    door: Door,
    line: Line,
}

#[derive(Debug)]
enum Line {
    Http(Box<http::Connection>),
    Call(Box<grpc::Connection>),
    Stream(Box<grpc::Stream>),
}

/// Opens the connections of a door.
///
/// # Errors
/// Nobody listens there, or a key that is not set.
pub async fn connect(workload: &Workload, door: Door) -> Result<Vec<Slot>> {
    let key = key(workload)?;
    let mut slots = Vec::new();
    for _ in 0..workload.target.connections.max(1) {
        match door {
            Door::Lookup | Door::Decide | Door::Enrich | Door::OpenrtbDecide | Door::Events => {
                let connection = http::Connection::open(workload, door, key.as_deref()).await?;
                slots.push(Slot { door, line: Line::Http(Box::new(connection)) });
            }
            Door::GrpcStream => {
                let connection = grpc::Connection::open(workload, door, key.as_deref()).await?;
                slots.push(Slot { door, line: Line::Stream(Box::new(grpc::Stream::new(connection))) });
            }
            Door::GrpcLookup | Door::GrpcBatch | Door::GrpcDecide | Door::Artf => {
                let connection = grpc::Connection::open(workload, door, key.as_deref()).await?;
                let places = workload.target.streams.max(1);
                slots.extend((0..places).map(|_| Slot { door, line: Line::Call(Box::new(connection.clone())) }));
            }
        }
    }
    Ok(slots)
}

fn key(workload: &Workload) -> Result<Option<String>> {
    let Some(name) = &workload.target.key_env else { return Ok(None) };
    match std::env::var(name) {
        Ok(key) if !key.is_empty() => Ok(Some(key)),
        _ => Err(Error::usage(format!("`target.key_env` says that the key is in ${name}, and it is not set"))),
    }
}

impl Slot {
    /// Asks, and tells what became of it. May be given up at any await: the next question then begins anew.
    pub async fn ask(&mut self, question: &Question, reply: &mut Reply) {
        reply.items = 0;
        reply.results = 0;
        reply.generation = 0;
        reply.body = Bytes::new();
        reply.door = self.door;
        reply.became = match &mut self.line {
            Line::Http(connection) => connection.ask(self.door, question, reply).await,
            Line::Call(connection) => connection.ask(self.door, question, reply).await,
            Line::Stream(stream) => stream.ask(self.door, question, reply).await,
        };
        answer::complete(question.items, reply);
    }
}
