//! The question itself, whatever door it came through: permission, deadline and identifiers first, then one lookup.
//!
//! Order of what is checked: objected or deleted by a door, no permission, no generation, shed, late, no identifier; only
//! then is a profile read. What a person has refused or objected to wins over every failure.

use super::call::{Call, Party};
use super::ids::{Eid, Rules};
use super::live::{Scratch, Served};
use super::{Door, Doors};
use crate::decide::{Answering, Decision, Past, Status, Verdict};
use crate::lookup::{Answer, Outcome};
use crate::privacy::Signals;
use crate::schema::{Clock, ProfileKey, Timestamp, Use};
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
    /// A test: answered, and counted in no statistic of lookups, denials and decisions.
    pub test: bool,
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
    /// This is the answer, but an objection or a stored refusal would win over it, and the keys are there to look for one.
    UnlessRefused(Status),
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

    /// Whether there is no room or no time for a request. Those that came too late are counted here.
    fn hurry(&self, call: &Call<'_>, tmax_ms: u64) -> Option<Status> {
        if call.shed {
            return Some(Status::Overloaded);
        }
        let patience = self.patience(call, tmax_ms)?;
        let late = call.arrived.elapsed() >= patience;
        if late {
            self.metrics.late(call.door as usize);
        }
        late.then_some(Status::Late)
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
        let rules = Rules { sources: &self.sources, max_ids: self.limits.max_ids };
        rules.check(ask.eids.len())?;
        let permission = self.policy.permission(&ask.signals, party.caller.settings.privacy);
        let denied = permission.first_denied(uses);
        scratch.may_cap = permission.allows(Use::Cap);
        if let Some(reason) = denied.filter(|_| !ask.test) {
            self.metrics.denied(reason as usize);
        }
        let hurry = if denied.is_none() && party.served.is_some() { self.hurry(call, ask.tmax_ms) } else { None };
        scratch.keys.clear();
        let keys = party.served.map(|served| &served.keys).or(self.refusals.keys.get());
        let is_read = denied.is_none() && party.served.is_some() || !self.refusals.blocked.is_empty();
        let refused = keys.filter(|_| is_read).and_then(|keys| {
            rules.collect(ask.eids, ask.ifa, keys, scratch);
            self.refusals.of(&scratch.keys, keys)
        });
        Ok(match (denied, party.served) {
            _ if refused == Some(Status::Blocked) => Before::Answer(Status::Blocked),
            (Some(_), _) => Before::Answer(Status::NoConsent),
            (None, None) => Before::Answer(refused.unwrap_or(Status::NotReady)),
            (None, Some(_)) if scratch.keys.is_empty() => Before::Answer(hurry.unwrap_or(Status::NoId)),
            // The profile may say more: that the same person objects to marketing, too.
            (None, Some(_)) => refused.or(hurry).map_or(Before::Look, Before::UnlessRefused),
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
        let test = ask.test;
        let status = match (self.before(ask, LOOKUP, call, party, scratch)?, party.served) {
            (Before::Look, Some(served)) => look(served, now, test, scratch),
            (Before::Look, None) => Status::NotReady,
            (Before::UnlessRefused(Status::NoConsent), Some(served)) => {
                refused_or(Status::NoConsent, look(served, now, test, scratch))
            }
            (Before::Answer(status) | Before::UnlessRefused(status), _) => status,
        };
        self.count_lookup(call.door, status, test, scratch);
        remember(party, status, test, now, &scratch.answer);
        Ok(status)
    }

    /// Decides on every campaign for one user: the verdicts are in `scratch.decisions`, and in `scratch.person` what their tokens
    /// are made of. `is_candidate`: which campaigns compete for this request, where only one of a group may speak. An objection or a refusal is looked
    /// for even when there is no time for anything else. Without a generation there are no decisions.
    pub(super) fn decide<'a>(
        &self,
        ask: Ask<'a, impl ExactSizeIterator<Item = Eid<'a>>>,
        call: &Call<'_>,
        party: Party<'_>,
        now: Timestamp,
        is_candidate: impl Fn(u32) -> bool,
        scratch: &mut Scratch,
    ) -> Result<Status, Failure> {
        let test = ask.test;
        scratch.person.clear();
        let status = match (self.before(ask, DECIDE, call, party, scratch)?, party.served) {
            (Before::Look, Some(served)) => look(served, now, test, scratch),
            (Before::UnlessRefused(status), Some(served)) => refused_or(status, look(served, now, test, scratch)),
            (Before::Look | Before::UnlessRefused(_), None) => Status::NotReady,
            (Before::Answer(status), _) => status,
        };
        self.count_lookup(call.door, status, test, scratch);
        remember(party, status, test, now, &scratch.answer);
        if let Some(served) = party.served {
            let Answering { campaigns, snapshot } = &*served.answering;
            let Scratch { answer, decisions, .. } = scratch;
            campaigns.decide(status, &answer.audiences, &answer.excluded_by, now, decisions);
            let past = match (scratch.may_cap, served.overlay.is_behind()) {
                (false, _) => Past::NotPermitted,
                (true, true) => Past::Behind,
                (true, false) => {
                    Past::Known { matched: answer.matched(), before: snapshot.caps(), since: &served.overlay.exposures }
                }
            };
            campaigns.limit(&past, now, is_candidate, decisions);
            let is_told = !test && scratch.may_cap && self.reports.are_taken();
            if is_told && decisions.all.iter().any(|decision| decision.verdict() == Verdict::Target) {
                self.seal(served, scratch);
            }
        }
        Ok(status)
    }

    /// Begins the tokens of a decision: whom it is about. The identifiers that are known tell; of a stranger, the first.
    fn seal(&self, served: &Served, scratch: &mut Scratch) {
        let Scratch { ranked, answer, person, .. } = scratch;
        let is_known = |at: u32| answer.known.checked_shr(at).unwrap_or(0) & 1 == 1;
        let numbered = || (0u32..).zip(ranked.iter());
        let known = numbered().filter(|(at, _)| is_known(*at)).filter_map(|(_, id)| self.sources.bound(id));
        let stranger = numbered().filter(|_| answer.known == 0).filter_map(|(_, id)| self.sources.bound(id)).take(1);
        // By the machine's clock: a token outlives the request.
        served.tokens.seal(known.chain(stranger), Clock::System.now(), person);
    }

    /// Counts a lookup, unless it is a test.
    fn count_lookup(&self, door: Door, status: Status, test: bool, scratch: &Scratch) {
        if !test {
            self.metrics.lookup(status as usize);
            scratch.count_lookup(door, status);
        }
    }

    /// Counts decisions: a test's are not handed in.
    pub(super) fn count_decisions(&self, decisions: impl Iterator<Item = Decision>) {
        let mut counts = [0u64; Decision::ALL.len()];
        decisions.for_each(|decision| counts[decision as usize] += 1);
        for (decision, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            self.metrics.decided(decision, count);
        }
    }

    /// Whether a generation is older than answers should be, or what came since is applied too late.
    pub(super) fn stale(&self, served: &Served, now: Timestamp) -> bool {
        served.overlay.is_behind() || now.0 - served.as_of().0 > self.limits.max_age_seconds as i64
    }
}

/// What is answered because of `status`, unless a lookup tells of an objection or a refusal.
pub(super) fn refused_or(status: Status, looked_up: Status) -> Status {
    match looked_up {
        refused @ (Status::Blocked | Status::NoConsent) => refused,
        _ => status,
    }
}

fn look(served: &Served, now: Timestamp, test: bool, scratch: &mut Scratch) -> Status {
    let status = look_into(served, &scratch.keys, now, &mut scratch.answer);
    if !test {
        scratch.count_identifiers(scratch.answer.known);
    }
    status
}

/// Remembers who was matched: they were seen today.
pub(super) fn remember(party: Party<'_>, status: Status, test: bool, now: Timestamp, answer: &Answer) {
    if let Some(served) = party.served.filter(|_| status == Status::Matched && !test) {
        served.overlay.daily.mark(answer.matched(), now);
    }
}

pub(super) fn look_into(served: &Served, keys: &[ProfileKey], now: Timestamp, answer: &mut Answer) -> Status {
    served.answering.snapshot.lookup(keys, now, &served.overlay, answer);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Deadline};
    use std::time::Instant;

    const fn ms(ms: u64) -> Option<Duration> {
        Some(Duration::from_millis(ms))
    }

    #[test]
    fn an_answer_is_worth_waiting_for_until_the_first_limit() {
        let patience = |tmax_share, network_ms, cap_ms, timeout, tmax_ms| {
            let mut config = Config::default();
            config.server.deadline = Deadline { tmax_share, network_ms, cap_ms };
            Doors::new(&config).patience(&Call { timeout, ..Call::local() }, tmax_ms)
        };
        for (share, network, cap, timeout, tmax, wanted, why) in [
            (0.8, 2, 0, None, 0, None, "nothing says how long"),
            (0.8, 2, 0, None, 100, ms(78), "our share of tmax, less the way"),
            (1.0, 0, 0, None, 100, ms(100), "all of it"),
            (0.8, 2, 0, None, 2, ms(0), "no time at all"),
            (0.0, 0, 0, None, 100, ms(0), "no share at all"),
            (0.8, 2, 0, ms(30), 0, ms(30), "the transport's"),
            (0.8, 2, 0, ms(30), 100, ms(30), "the transport's is shorter"),
            (0.8, 2, 0, ms(90), 100, ms(78), "tmax is shorter"),
            (0.8, 2, 50, None, 0, ms(50), "the cap holds without a word from the request"),
            (0.8, 2, 50, ms(90), 100, ms(50), "the cap is shorter than both"),
            (0.8, 2, 500, ms(90), 100, ms(78), "the cap is the longest"),
            (0.8, 2, 50, None, u64::MAX, ms(50), "no overflow"),
        ] {
            assert_eq!(patience(share, network, cap, timeout, tmax), wanted, "{why}");
        }
    }

    #[test]
    fn who_is_shed_is_not_late_and_who_came_too_late_is_counted() {
        let doors = Doors::new(&Config::default());
        let arrived = Instant::now().checked_sub(Duration::from_millis(100)).unwrap();
        let late = Call { door: crate::hooks::Door::HttpDecide, arrived, ..Call::local() };
        assert_eq!(doors.hurry(&Call { shed: true, ..late }, 10), Some(Status::Overloaded));
        assert_eq!(doors.hurry(&late, 10), Some(Status::Late));
        assert_eq!(doors.hurry(&late, 60_000), None);
        assert_eq!(doors.hurry(&Call { timeout: ms(50), ..late }, 60_000), Some(Status::Late));
        assert!(doors.metrics.exposition().contains("vaglio_late_total{door=\"http_decide\"} 2\n"));
    }
}
