//! What requests say: the n-th question at a door, written from pieces that were encoded beforehand.

mod own;

use super::users::{self, Draws, People};
use super::workload::{Door, Request, Workload};
use crate::error::Result;
use own::Own;
use smallvec::SmallVec;
use std::path::Path;

/// A question as it goes over the wire, used again for the next one.
#[derive(Debug, Default)]
pub struct Question {
    /// The encoded body: JSON, protobuf or NDJSON, without a frame.
    pub body: Vec<u8>,
    /// How many lookups or events are in it.
    pub items: u32,
    /// Whom each is about: the line of the users file (from 0, blank ones not counted); `None` = somebody made up.
    pub people: SmallVec<[Option<u32>; 1]>,
}

/// Everything that questions are made of.
#[derive(Debug)]
pub struct Questions {
    people: People,
    own: Own,
    request: Request,
    seed: u64,
    remarks: Vec<String>,
}

impl Questions {
    /// Reads the users and templates that a workload names, relative to `beside`, the directory of the workload file.
    ///
    /// # Errors
    /// Files that cannot be read, and a workload whose users or requests make no sense.
    pub fn new(workload: &Workload, beside: &Path) -> Result<Questions> {
        let mut remarks = Vec::new();
        let file = match &workload.users.file {
            Some(file) => users::read(&beside.join(file))?,
            None => {
                remarks.push("no users file: everybody asked about was made up, and no server knows them".to_owned());
                Vec::new()
            }
        };
        let people = People::new(&workload.users, workload.seed, &file)?;
        Ok(Questions {
            own: Own::new(&file, &people.sources, &workload.request),
            people,
            request: workload.request.clone(),
            seed: workload.seed,
            remarks,
        })
    }

    /// Asks only about those of the users file for whom `known` holds; see [`People::keep`].
    pub fn keep(&mut self, known: impl Fn(u32) -> bool) {
        self.people.keep(known);
    }

    /// What a reader of the report must know of the questions.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Writes the n-th question at a door: the same for the same seed, whoever asks and whenever.
    pub fn write(&self, door: Door, n: u64, into: &mut Question) {
        into.body.clear();
        into.people.clear();
        into.items = 1;
        let mut draws = Draws::new(self.seed, n, 0);
        let whom = self.people.draw(&mut draws);
        into.people.push(whom.line);
        self.own.write(door == Door::Decide, whom, n, &self.request, &mut draws, &mut into.body);
    }
}
