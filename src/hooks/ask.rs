//! The question itself, whatever door it came through: permission, deadline and identifiers first, then one lookup.
//!
//! Order of what is checked: no generation, shed, late, no permission, no identifier; only then is a profile read.

use super::Doors;
use super::ids::{Eid, Rules};
use super::live::{Scratch, Served};
use crate::decide::Status;
use crate::lookup::{Answer, Outcome};
use crate::privacy::Signals;
use crate::schema::{ProfileKey, Timestamp};
use crate::wire::Failure;
use std::time::{Duration, Instant};

/// A question about one user, as a door decoded it.
#[derive(Debug, Clone)]
pub struct Ask<'a, I> {
    /// Its identifiers.
    pub eids: I,
    /// The mobile advertising id; empty = none.
    pub ifa: &'a str,
    /// What privacy signals it carries.
    pub signals: Signals<'a>,
    /// When it arrived.
    pub arrived: Instant,
    /// Milliseconds the answer is worth waiting for; 0 = no limit.
    pub tmax_ms: u64,
    /// Whether it came over the limit of connections.
    pub shed: bool,
}

impl<'a, I: ExactSizeIterator<Item = Eid<'a>>> Ask<'a, I> {
    fn late(&self) -> bool {
        self.tmax_ms > 0 && self.arrived.elapsed() >= Duration::from_millis(self.tmax_ms)
    }
}

/// What can be said before a profile is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// The keys are in `scratch.keys`: look.
    Look,
    /// This is the answer, but an objection would win over it, and the keys are there to look for one.
    UnlessObjected(Status),
    /// This is the answer.
    Answer(Status),
}

impl Doors {
    /// Hashes the identifiers into `scratch.keys` and says whether a profile may and can be read.
    ///
    /// # Errors
    /// Too many identifiers.
    pub(super) fn before<'a>(
        &self,
        ask: Ask<'a, impl ExactSizeIterator<Item = Eid<'a>>>,
        served: Option<&Served>,
        scratch: &mut Scratch,
    ) -> Result<Before, Failure> {
        let rules = Rules { precedence: &self.precedence, max_ids: self.limits.max_ids };
        rules.check(ask.eids.len())?;
        let Some(served) = served else {
            return Ok(Before::Answer(Status::NotReady));
        };
        let hurry = if ask.shed { Some(Status::Overloaded) } else { ask.late().then_some(Status::Late) };
        if !ask.signals.permission().allowed {
            return Ok(Before::Answer(hurry.unwrap_or(Status::NoConsent)));
        }
        rules.collect(ask.eids, ask.ifa, &served.keys, scratch);
        Ok(match hurry {
            _ if scratch.keys.is_empty() => Before::Answer(hurry.unwrap_or(Status::NoId)),
            Some(status) => Before::UnlessObjected(status),
            None => Before::Look,
        })
    }

    /// Looks one user up: the answer is in `scratch.answer`, and empty unless the status is [`Status::Matched`].
    pub(super) fn lookup<'a>(
        &self,
        ask: Ask<'a, impl ExactSizeIterator<Item = Eid<'a>>>,
        served: Option<&Served>,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Result<Status, Failure> {
        let status = match (self.before(ask, served, scratch)?, served) {
            (Before::Look, Some(served)) => look(served, now, scratch),
            (Before::Look, None) => Status::NotReady,
            (Before::Answer(status) | Before::UnlessObjected(status), _) => status,
        };
        self.metrics.lookup(status as usize);
        Ok(status)
    }

    /// Decides on every campaign for one user: the verdicts are in `scratch.decisions`. An objection is looked for even
    /// when there is no time for anything else.
    pub(super) fn decide<'a>(
        &self,
        ask: Ask<'a, impl ExactSizeIterator<Item = Eid<'a>>>,
        served: &Served,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Result<Status, Failure> {
        let status = match self.before(ask, Some(served), scratch)? {
            Before::Look => look(served, now, scratch),
            Before::UnlessObjected(status) => match look(served, now, scratch) {
                Status::Blocked => Status::Blocked,
                _ => status,
            },
            Before::Answer(status) => status,
        };
        self.metrics.lookup(status as usize);
        let Scratch { answer, decisions, .. } = scratch;
        served.answering.campaigns.decide(status, &answer.audiences, &answer.excluded_by, now, decisions);
        Ok(status)
    }

    /// Whether a generation is older than answers should be.
    pub(super) fn stale(&self, served: &Served, now: Timestamp) -> bool {
        now.0 - served.as_of().0 > self.limits.max_age_seconds as i64
    }
}

fn look(served: &Served, now: Timestamp, scratch: &mut Scratch) -> Status {
    look_into(served, &scratch.keys, now, &mut scratch.answer)
}

pub(super) fn look_into(served: &Served, keys: &[ProfileKey], now: Timestamp, answer: &mut Answer) -> Status {
    served.answering.snapshot.lookup(keys, now, answer);
    status_of(answer.outcome)
}

/// The status of a lookup that was made.
pub(super) fn status_of(outcome: Outcome) -> Status {
    match outcome {
        Outcome::Matched => Status::Matched,
        Outcome::NoProfile => Status::NoProfile,
        Outcome::NoId => Status::NoId,
        Outcome::NoConsent => Status::NoConsent,
        Outcome::Blocked => Status::Blocked,
    }
}
