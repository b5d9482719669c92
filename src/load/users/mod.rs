//! Whom requests are about: the people of a users file, how often each is met, and people made up whom no server knows.
//!
//! A users file has a body of `POST /v1/lookup` a line, as `vaglio synth` writes to `lookups.ndjson`. Somebody of the file always
//! comes with all of their own identifiers and signals, because that is whom the truth is about; further identifiers are
//! made up. `unknown_share` comes on top of the strangers that a file holds itself, unless [`People::keep`] has dropped
//! those (which a run does that has the truth): then it is exact.
//!
//! What must not live here: how a request is written (`requests`), the wire of a door (`doors`).

mod draws;
mod file;
#[cfg(test)]
mod tests;

pub use draws::{Draws, Shape, write_uid};
pub use file::{Eid, Person, Privacy, lines, read};

use super::workload;
use rand_distr::{Distribution, Zipf};

/// What made-up identifiers are of when no file says what a server knows.
const SOURCES: [&str; 4] = [IFA, "uidapi.com", "id5-sync.com", "pubcid.org"];
/// The source whose identifier has a field of its own.
pub const IFA: &str = "ifa";

/// Whom a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whom {
    /// Somebody of the file (their line, blank ones not counted, from 0), or somebody made up.
    pub line: Option<u32>,
    /// How many identifiers of theirs are to be made up.
    pub made_up: u32,
}

/// The people of a workload and how often each is met.
#[derive(Debug)]
pub struct People {
    /// Of the file, by line.
    own_ids: Vec<u16>,
    /// From the most to the least popular: lines. Shuffled, so that popularity is nothing that the file's order says.
    ranks: Vec<u32>,
    law: Option<Zipf<f64>>,
    unknown_share: f64,
    /// (share of all requests up to and with this number, number of identifiers).
    ids: Vec<(f64, u32)>,
    /// Sources of made-up identifiers.
    pub sources: Vec<String>,
    zipf: f64,
    seed: u64,
}

impl People {
    /// `people` are those of the file; none = everybody is made up.
    pub fn new(users: &workload::Users, seed: u64, people: &[Person]) -> People {
        let weights: f64 = users.ids.values().sum();
        let mut upto = 0.0;
        let ids = users.ids.iter().map(|(number, weight)| {
            upto += weight / weights;
            (upto, *number)
        });
        let mut all = People {
            own_ids: people.iter().map(|person| person.ids().min(usize::from(u16::MAX)) as u16).collect(),
            ranks: (0..people.len() as u32).collect(),
            law: None,
            unknown_share: users.unknown_share,
            ids: ids.collect(),
            sources: sources(people),
            zipf: users.zipf,
            seed,
        };
        all.rank();
        all
    }

    /// Shuffles the ranks and adapts the law to how many there are.
    fn rank(&mut self) {
        let mut draws = Draws::new(self.seed, u64::MAX, 0);
        for at in (1..self.ranks.len()).rev() {
            self.ranks.swap(at, draws.below(at + 1));
        }
        self.law = match self.ranks.len() {
            0 => None,
            many => Zipf::new(many as f64, self.zipf).ok(),
        };
    }

    /// Asks only for those of the file for whom `known` holds, by line: with strangers dropped, `unknown_share` is exact.
    pub fn keep(&mut self, known: impl Fn(u32) -> bool) {
        self.ranks = (0..self.own_ids.len() as u32).filter(|line| known(*line)).collect();
        self.rank();
    }

    /// How many the file has.
    pub fn all(&self) -> usize {
        self.own_ids.len()
    }

    /// How many of the file may be asked for.
    pub fn of_file(&self) -> usize {
        self.ranks.len()
    }

    /// The next person to draw.
    pub fn draw(&self, draws: &mut Draws) -> Whom {
        let share = draws.share();
        let ids = self.ids.iter().find(|(upto, _)| share < *upto).or(self.ids.last()).map_or(1, |(_, number)| *number);
        let line = match &self.law {
            Some(law) if draws.share() >= self.unknown_share => {
                let rank = law.sample(draws) as usize;
                self.ranks.get(rank.clamp(1, self.ranks.len()) - 1).copied()
            }
            _ => None,
        };
        let own = line.and_then(|line| self.own_ids.get(line as usize)).map_or(0, |own| u32::from(*own));
        // Who is nobody (a line without identifiers) stays nobody.
        let made_up = if line.is_some() && own == 0 { 0 } else { ids.saturating_sub(own) };
        Whom { line, made_up }
    }
}

/// The sources that the file's people have, `ifa` among them, and those of [`SOURCES`] when there is nobody.
fn sources(people: &[Person]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for person in people {
        let ifa = (!person.ifa.is_empty()).then_some(IFA);
        for source in ifa.into_iter().chain(person.eids.iter().map(|eid| eid.source.as_str())) {
            if found.len() < 64 && !found.iter().any(|there| there == source) {
                found.push(source.to_owned());
            }
        }
    }
    if found.is_empty() { SOURCES.map(str::to_owned).to_vec() } else { found }
}
