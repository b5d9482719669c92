//! The question itself, whatever door it came through: permission, deadline and identifiers first, then one lookup.
//!
//! Order of what is checked: no generation, shed, late, no permission, no identifier; only then is a profile read.

use super::Doors;
use super::call::{Call, Party};
use super::ids::{Eid, Rules};
use super::live::{Scratch, Served};
use crate::decide::Status;
use crate::lookup::{Answer, Outcome};
use crate::privacy::Signals;
use crate::schema::{ProfileKey, Timestamp, Use};
use crate::wire::Failure;
use std::time::Duration;

/// A question about one user, as a door decoded it.
#[derive(Debug, Clone)]
pub struct Ask<'a, I> {
    /// Its identifiers.
    pub eids: I,
    /// The mobile advertising id; empty = none.
    pub ifa: &'a str,
    /// What privacy signals it carries.
    pub signals: Signals<'a>,
    /// Milliseconds the answer is worth waiting for, network included; 0 = not said.
    pub tmax_ms: u64,
}

/// What a lookup reads a profile for.
pub(super) const LOOKUP: &[Use] = &[Use::Target];
/// What a decision reads a profile for.
pub(super) const DECIDE: &[Use] = &[Use::Target, Use::Suppress];

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
    /// How long an answer is worth waiting for; `None` = without end.
    fn patience(&self, call: &Call<'_>, tmax_ms: u64) -> Option<Duration> {
        let deadline = &self.limits.deadline;
        let share = (tmax_ms as f64 * deadline.tmax_share) as u64;
        let ours = (tmax_ms > 0).then(|| Duration::from_millis(share.saturating_sub(deadline.network_ms)));
        let cap = (deadline.cap_ms > 0).then(|| Duration::from_millis(deadline.cap_ms));
        [ours, call.timeout, cap].into_iter().flatten().min()
    }

    /// Whether there is no room or no time for a request.
    fn hurry(&self, call: &Call<'_>, tmax_ms: u64) -> Option<Status> {
        if call.shed {
            return Some(Status::Overloaded);
        }
        let patience = self.patience(call, tmax_ms)?;
        (call.arrived.elapsed() >= patience).then_some(Status::Late)
    }

    /// Hashes the identifiers into `scratch.keys` and says whether a profile may and can be read for these uses.
    ///
    /// # Errors
    /// Too many identifiers.
    pub(super) fn before<'a>(
        &self,
        ask: Ask<'a, impl ExactSizeIterator<Item = Eid<'a>>>,
        uses: &[Use],
        call: &Call<'_>,
        party: Party<'_>,
        scratch: &mut Scratch,
    ) -> Result<Before, Failure> {
        let rules = Rules { precedence: &self.precedence, max_ids: self.limits.max_ids };
        rules.check(ask.eids.len())?;
        let Some(served) = party.served else {
            return Ok(Before::Answer(Status::NotReady));
        };
        let hurry = self.hurry(call, ask.tmax_ms);
        let permission = self.policy.permission(&ask.signals, party.caller.settings.privacy);
        if !uses.iter().all(|&wanted| permission.allows(wanted)) {
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
        call: &Call<'_>,
        party: Party<'_>,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Result<Status, Failure> {
        let status = match (self.before(ask, LOOKUP, call, party, scratch)?, party.served) {
            (Before::Look, Some(served)) => look(served, now, scratch),
            (Before::Look, None) => Status::NotReady,
            (Before::Answer(status) | Before::UnlessObjected(status), _) => status,
        };
        self.metrics.lookup(status as usize);
        Ok(status)
    }

    /// Decides on every campaign for one user: the verdicts are in `scratch.decisions`. An objection is looked for even
    /// when there is no time for anything else. Without a generation there are no decisions.
    pub(super) fn decide<'a>(
        &self,
        ask: Ask<'a, impl ExactSizeIterator<Item = Eid<'a>>>,
        call: &Call<'_>,
        party: Party<'_>,
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Result<Status, Failure> {
        let before = self.before(ask, DECIDE, call, party, scratch)?;
        let Some(served) = party.served else {
            self.metrics.lookup(Status::NotReady as usize);
            return Ok(Status::NotReady);
        };
        let status = match before {
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
