//! What requests say: the n-th question at a door, spliced from pieces that were encoded beforehand.
//!
//! Contents: [`template`](Template) bid requests cut where the user goes; `sheet` the pieces of people; `json`, `proto`,
//! `openrtb`, `artf` the forms of the doors. What must not live here: the transport.

mod artf;
mod json;
mod openrtb;
mod proto;
mod sheet;
mod template;
#[cfg(test)]
mod tests;

pub use template::Template;

use super::users::{self, Draws, People, Whom};
use super::workload::{Door, Request, Workload};
use crate::error::Result;
use proto::Proto;
use smallvec::SmallVec;
use std::path::Path;

/// A question as it goes over the wire, used again for the next one.
#[derive(Debug, Default)]
pub struct Question {
    /// The encoded body: JSON, protobuf or NDJSON, without a frame.
    pub body: Vec<u8>,
    /// How many lookups or events are in it.
    pub items: u32,
    /// How many campaigns it names; 0 = none, which asks about all.
    pub campaigns: u32,
    /// Whom each is about: the line of the users file (from 0, blank ones not counted); `None` = somebody made up.
    pub people: SmallVec<[Option<u32>; 1]>,
}

/// Everything that questions are made of.
#[derive(Debug)]
pub struct Questions {
    people: People,
    forms: Forms,
    request: Request,
    seed: u64,
    remarks: Vec<String>,
}

/// The pieces, of the doors that a workload asks at.
#[derive(Debug, Default)]
struct Forms {
    json: Option<json::Json>,
    events: Option<json::Events>,
    proto: Option<Proto>,
    openrtb: Option<openrtb::OpenRtb>,
    artf: Option<artf::Artf>,
}

/// What a question is made from.
#[derive(Debug)]
struct Asked<'d> {
    n: u64,
    whom: Whom,
    draws: &'d mut Draws,
}

impl Asked<'_> {
    /// Which of `all` campaigns is the `at`-th of so many in this question: they are taken in turn.
    fn campaign(&self, campaigns: usize, at: usize, all: usize) -> usize {
        let first = (self.n % all as u64) * (campaigns % all) as u64;
        ((first + at as u64) % all as u64) as usize
    }
}

impl Questions {
    /// Reads the users and templates that a workload names, relative to `beside`, the directory of the workload file.
    ///
    /// # Errors
    /// Files that cannot be read. That the workload itself makes sense is settled by who read it ([`super::reading`]).
    pub fn new(workload: &Workload, beside: &Path) -> Result<Questions> {
        let request = &workload.request;
        let mut remarks = Vec::new();
        let file = match &workload.users.file {
            Some(file) => users::read(&beside.join(file))?,
            None => {
                remarks.push("no users file: everybody asked about was made up, and no server knows them".to_owned());
                Vec::new()
            }
        };
        let people = People::new(&workload.users, workload.seed, &file);
        let asks = |wanted: &[Door]| wanted.iter().any(|door| workload.doors.contains_key(door));
        let mut forms = Forms::default();
        if asks(&[Door::Lookup, Door::Decide]) {
            forms.json = Some(json::Json::new(&file, &people.sources, request));
        }
        if asks(&[Door::Events]) {
            forms.events = Some(json::Events::new(&file, &people.sources, request));
        }
        if asks(&[Door::GrpcLookup, Door::GrpcBatch, Door::GrpcStream, Door::GrpcDecide]) {
            forms.proto = Some(Proto::new(&file, &people.sources, request));
        }
        if asks(&[Door::Enrich, Door::OpenrtbDecide, Door::Artf]) {
            let files: Vec<_> = request.templates.iter().map(|file| beside.join(file)).collect();
            let templates = template::read(&files)?;
            forms.openrtb = Some(openrtb::OpenRtb::new(&file, &people.sources, &templates, request));
            forms.artf = Some(artf::Artf::new(&file, &people.sources, &templates, request));
        }
        Ok(Questions { people, forms, request: request.clone(), seed: workload.seed, remarks })
    }

    /// Asks only about those of the users file for whom `known` holds; see [`People::keep`].
    pub fn keep(&mut self, known: impl Fn(u32) -> bool) {
        self.people.keep(known);
    }

    /// How many people the users file has, and of how many of them it is asked.
    pub fn people(&self) -> (usize, usize) {
        (self.people.all(), self.people.of_file())
    }

    /// What a reader of the report must know of the questions.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Writes the n-th question at a door: the same for the same seed, whoever asks and whenever (but for the ids and
    /// times of events, which nobody takes twice).
    pub fn write(&self, door: Door, n: u64, into: &mut Question) {
        into.body.clear();
        into.people.clear();
        let items = match door {
            Door::GrpcBatch | Door::GrpcStream | Door::Events => self.request.batch.max(1) as u32,
            _ => 1,
        };
        into.items = items;
        into.campaigns = match door {
            Door::Decide | Door::GrpcDecide => self.request.campaigns as u32,
            _ => 0,
        };
        for item in 0..items {
            let mut draws = Draws::new(self.seed, n, item);
            let whom = self.people.draw(&mut draws);
            into.people.push(whom.line);
            self.splice(door, item, &mut Asked { n, whom, draws: &mut draws }, &mut into.body);
        }
        if matches!(door, Door::GrpcBatch | Door::GrpcStream) {
            Proto::end_many(door == Door::GrpcStream, &mut into.body);
        }
    }

    fn splice(&self, door: Door, item: u32, asked: &mut Asked<'_>, into: &mut Vec<u8>) {
        let (forms, campaigns) = (&self.forms, self.request.campaigns);
        match (door, forms) {
            (Door::Lookup, Forms { json: Some(form), .. }) => form.write(asked, 0, into),
            (Door::Decide, Forms { json: Some(form), .. }) => form.write(asked, campaigns, into),
            (Door::Enrich | Door::OpenrtbDecide, Forms { openrtb: Some(form), .. }) => form.write(asked, into),
            (Door::GrpcLookup, Forms { proto: Some(form), .. }) => form.lookup(asked, into),
            (Door::GrpcDecide, Forms { proto: Some(form), .. }) => form.decide(asked, campaigns, into),
            (Door::GrpcBatch | Door::GrpcStream, Forms { proto: Some(form), .. }) => form.one_of_many(asked, into),
            (Door::Artf, Forms { artf: Some(form), .. }) => form.write(asked, into),
            (Door::Events, Forms { events: Some(form), .. }) => form.write(asked, item, into),
            // A door that the workload does not ask at has no pieces, and nobody asks for its questions.
            _ => {}
        }
    }
}
