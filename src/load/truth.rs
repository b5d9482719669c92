//! What a right answer is: for each line of a users file what an evaluator over the columns says, which knows nothing of the bid
//! path. `vaglio load truth` writes it; a run reads it and compares every answer with it.
//!
//! What must not live here: how the truth is found (`cli`).

use super::doors::Reply;
use super::measured::Counts;
use super::requests::Question;
use super::users::lines;
use super::workload::Door;
use crate::error::{Error, Result};
use crate::wire::v1;
use prost::Message;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

/// The format of the file.
pub const FORMAT: u32 = 1;
/// Reasons of limits (how often, how much, one voice a group), of which the truth knows nothing.
const LIMITS: [&str; 3] = ["capped", "pressure", "outranked"];

/// The first line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`].
    pub format: u32,
    /// Which generation was evaluated.
    pub generation: u64,
    /// From when to when it is right (RFC 3339).
    pub from: String,
    /// As `from`.
    pub until: String,
    /// Target audiences, `owner/id`; others are not looked at.
    pub audiences: Vec<String>,
    /// Campaigns that speak.
    pub campaigns: Vec<Campaign>,
    /// What is right of somebody whom nobody knows.
    pub stranger: Person,
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// `owner/id`.
    pub id: String,
    /// Whether it has limits or stands in a group: then it may be silent for reasons that are not known here.
    pub limited: bool,
}

/// What is right of somebody: a line of the file behind the first, in the order of the users file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The status of a lookup; empty = it cannot be said (events came since the generation).
    pub status: String,
    /// Positions in `Head::audiences`, ascending: those they are in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<u32>,
    /// Those that they are in for a part of the time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sometimes: Vec<u32>,
    /// Positions in `Head::campaigns`, ascending: those that may speak. All others are to be silent ...
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<u32>,
    /// ... but for these, of which it cannot be said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsure: Vec<u32>,
}

/// What `vaglio load truth` wrote.
#[derive(Debug)]
pub struct Truth {
    head: Head,
    people: Vec<Person>,
    audiences: HashMap<String, u32>,
    campaigns: HashMap<String, u32>,
    /// The audiences that any answer has named: those that the caller may see.
    seen: RefCell<Vec<bool>>,
    /// The campaigns that any answer has named, ascending: those of the caller's.
    decided: RefCell<Vec<u32>>,
}

/// A verdict of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Target,
    Suppress,
    Unknown,
}

/// An answer of an HTTP door.
#[derive(Debug, Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    audiences: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    campaigns: Vec<Said<'a>>,
}

#[derive(Debug, Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    verdict: Verdict,
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
}

impl Truth {
    /// Reads it.
    ///
    /// # Errors
    /// No such file, another format, or lines that are none of a truth.
    pub fn read(path: &Path) -> Result<Truth> {
        let (mut head, mut people) = (None, Vec::new());
        lines(path, |line| {
            match head {
                None => head = Some(serde_json::from_slice::<Head>(line)?),
                Some(_) => people.push(serde_json::from_slice(line)?),
            }
            Ok(())
        })?;
        match head {
            Some(head) if head.format == FORMAT => Ok(Truth::new(head, people)),
            _ => Err(Error::input(format!(
                "{}: not a truth of this version; write one with `vaglio load truth`",
                path.display()
            ))),
        }
    }

    /// From what it says.
    pub fn new(head: Head, people: Vec<Person>) -> Truth {
        let numbered = |names: Vec<String>| names.into_iter().zip(0..).collect();
        Truth {
            audiences: numbered(head.audiences.clone()),
            campaigns: numbered(head.campaigns.iter().map(|campaign| campaign.id.clone()).collect()),
            seen: RefCell::new(vec![false; head.audiences.len()]),
            decided: RefCell::default(),
            head,
            people,
        }
    }

    /// Its first line.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// How many lines of the users file it knows.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether it knows nobody.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Whether a line of the users file is somebody whom the server knows.
    pub fn knows(&self, line: u32) -> bool {
        self.people.get(line as usize).is_some_and(|person| !["no_profile", "no_id"].contains(&person.status.as_str()))
    }

    /// The status of a lookup of a line of the users file; empty = it cannot be said.
    pub fn status(&self, line: u32) -> Option<&str> {
        self.people.get(line as usize).map(|person| person.status.as_str())
    }

    /// Whether answers at a door are compared: streams name audiences by numbers, enriched requests and mutations what a
    /// caller may see.
    pub fn checks(door: Door) -> bool {
        !matches!(door, Door::GrpcStream | Door::Enrich | Door::Artf | Door::Events)
    }

    /// Compares an accepted answer with the truth, where the door is one of those that [`Truth::checks`]. Whether it could be
    /// decoded.
    pub fn check(&self, question: &Question, reply: &Reply, counts: &mut Counts) -> bool {
        let whom = question.people.first().copied().flatten();
        match reply.door {
            Door::Lookup => {
                let Ok(answer) = serde_json::from_slice::<Answer<'_>>(&reply.body) else { return false };
                self.lookup(whom, &answer.status, answer.audiences.iter().map(AsRef::as_ref), counts);
            }
            Door::Decide | Door::OpenrtbDecide => {
                let Ok(answer) = serde_json::from_slice::<Answer<'_>>(&reply.body) else { return false };
                let said = answer.campaigns.iter();
                let said = said.map(|it| (it.id.as_ref(), it.verdict, it.reason.as_deref().unwrap_or_default()));
                self.decision(question, whom, said, counts);
            }
            Door::GrpcLookup => {
                let Ok(answer) = v1::LookupResponse::decode(&reply.body[..]) else { return false };
                self.lookup(whom, status(answer.status), answer.audiences.iter().map(String::as_str), counts);
            }
            Door::GrpcBatch => {
                let Ok(answer) = v1::LookupBatchResponse::decode(&reply.body[..]) else { return false };
                for (whom, one) in question.people.iter().zip(&answer.results) {
                    self.lookup(*whom, status(one.status), one.audiences.iter().map(String::as_str), counts);
                }
            }
            Door::GrpcDecide => {
                let Ok(answer) = v1::DecideResponse::decode(&reply.body[..]) else { return false };
                let said = answer.campaigns.iter().map(|it| (it.id.as_str(), verdict(it), it.reason.as_str()));
                self.decision(question, whom, said, counts);
            }
            Door::GrpcStream | Door::Enrich | Door::Artf | Door::Events => {}
        }
        true
    }

    /// Every verdict of an answer, and that none is missing: what was named is answered name by name, and who names nothing
    /// asks about every campaign of theirs.
    fn decision<'a>(
        &self,
        question: &Question,
        whom: Option<u32>,
        said: impl Iterator<Item = (&'a str, Verdict, &'a str)>,
        counts: &mut Counts,
    ) {
        let (mut answered, mut known) = (0u64, SmallVec::<[u32; 16]>::new());
        for (campaign, said, reason) in said {
            answered += 1;
            let number = self.campaigns.get(campaign).copied();
            known.extend(number);
            self.verdict(whom, number, said, reason, counts);
        }
        let missing = match question.campaigns {
            0 => self.missing(&mut known),
            named => u64::from(named).saturating_sub(answered),
        };
        counts.checked += missing;
        counts.wrong_suppress += missing;
    }

    /// How many campaigns that other answers named are not among those of this one.
    fn missing(&self, known: &mut [u32]) -> u64 {
        known.sort_unstable();
        let mut decided = self.decided.borrow_mut();
        if *decided == known {
            return 0;
        }
        for number in known.iter() {
            if let Err(at) = decided.binary_search(number) {
                decided.insert(at, *number);
            }
        }
        decided.iter().filter(|number| known.binary_search(number).is_err()).count() as u64
    }

    /// What is right of somebody; `None` = it cannot be said.
    fn person(&self, whom: Option<u32>) -> Option<&Person> {
        let person = whom.map_or(Some(&self.head.stranger), |line| self.people.get(line as usize));
        person.filter(|person| !person.status.is_empty())
    }

    fn verdict(&self, whom: Option<u32>, campaign: Option<u32>, said: Verdict, reason: &str, counts: &mut Counts) {
        if said == Verdict::Unknown {
            counts.unknown_verdicts += 1;
            return;
        }
        let (Some(person), Some(number)) = (self.person(whom), campaign) else { return };
        let limited = self.head.campaigns.get(number as usize).is_some_and(|campaign| campaign.limited);
        if person.unsure.binary_search(&number).is_ok() || limited && LIMITS.contains(&reason) {
            return;
        }
        counts.checked += 1;
        match (person.target.binary_search(&number).is_ok(), said) {
            (true, Verdict::Suppress) => counts.wrong_suppress += 1,
            (false, Verdict::Target) => counts.wrong_target += 1,
            _ => {}
        }
    }

    /// A lookup says too little where a target would not be found by it, and too much where somebody would be who is none.
    fn lookup<'a>(
        &self,
        whom: Option<u32>,
        status: &str,
        audiences: impl Iterator<Item = &'a str>,
        counts: &mut Counts,
    ) {
        let Some(person) = self.person(whom) else { return };
        let is_shed = ["overloaded", "late", "not_ready"].contains(&status);
        if is_shed {
            return;
        }
        counts.checked += 1;
        let mut seen = self.seen.borrow_mut();
        let mut named: Vec<u32> = audiences.filter_map(|id| self.audiences.get(id).copied()).collect();
        named.sort_unstable();
        named.iter().for_each(|number| seen[*number as usize] = true);
        let is_in = |number: &u32, list: &[u32]| list.binary_search(number).is_ok();
        let too_much = named.iter().any(|it| !is_in(it, &person.audiences) && !is_in(it, &person.sometimes))
            || status == "matched" && person.status != "matched";
        let too_little = person.audiences.iter().any(|it| seen[*it as usize] && !is_in(it, &named))
            || status != "matched" && person.status == "matched";
        counts.wrong_target += u64::from(too_much);
        counts.wrong_suppress += u64::from(too_little && !too_much);
    }
}

fn verdict(said: &v1::CampaignVerdict) -> Verdict {
    match said.verdict() {
        v1::Verdict::Target => Verdict::Target,
        v1::Verdict::Suppress => Verdict::Suppress,
        _ => Verdict::Unknown,
    }
}

fn status(number: i32) -> &'static str {
    match v1::Status::try_from(number) {
        Ok(v1::Status::Matched) => "matched",
        Ok(v1::Status::NoProfile) => "no_profile",
        Ok(v1::Status::NoId) => "no_id",
        Ok(v1::Status::NoConsent) => "no_consent",
        Ok(v1::Status::Blocked) => "blocked",
        _ => "not_ready",
    }
}

#[cfg(test)]
mod tests;
