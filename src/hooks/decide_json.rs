//! `POST /v1/decide`: JSON in, JSON out. Also which campaigns a question is about, for both decide doors.

use super::call::{Call, Party};
use super::labels::{DECISIONS, Labels, Named};
use super::live::{Scratch, Served};
use super::lookup_json::{NO_GENERATION, ask, begin, comma, read};
use super::{Door, Doors};
use crate::decide::{Decision, Status, Verdict};
use crate::schema::Timestamp;
use crate::wire::{Code, Failure};

/// The most campaigns that a question may name: an answer is larger than what asks for it.
const MAX_ASKED: usize = 10_000;

/// A campaign in question, and the name it was asked by.
pub(super) type Asked<'a> = (u32, Option<&'a str>);

/// Answers a body.
///
/// # Errors
/// A body that is no question, asks too much, or names a campaign that is not there for this caller; a credential that
/// is refused.
pub fn answer(doors: &Doors, body: &[u8], call: &Call<'_>) -> Result<Vec<u8>, Failure> {
    doors.guarded(Door::HttpDecide, call.arrived, || {
        let question = read(body)?;
        let names = question.campaigns.as_deref().unwrap_or_default();
        check_asked(names.len())?;
        let names = || names.iter().map(|name| &**name);
        let now = doors.clock.now();
        doors.with_party(call, |party, scratch| {
            let Some(served) = party.served else {
                let status = doors.decide(ask(&question), call, party, now, |_| false, scratch)?;
                return Ok(write_nothing(status, names()));
            };
            let asked = asked(names(), party.labels)?;
            let is_candidate = candidates(&asked, party.labels);
            let status = doors.decide(ask(&question), call, party, now, is_candidate, scratch)?;
            scratch.count_verdicts(party, status, now, numbers(&asked));
            Ok(write(doors, status, party, served, now, &asked, scratch))
        })
    })
}

/// Refuses a question that names too many campaigns.
pub(super) fn check_asked(count: usize) -> Result<(), Failure> {
    if count > MAX_ASKED {
        return Err(Failure::invalid(format!(
            "{count} campaigns in one question; at most {MAX_ASKED} are accepted: name none to ask about all that speak"
        )));
    }
    Ok(())
}

/// The campaigns that names stand for; `None` = every one that the caller may see and that speaks now.
///
/// # Errors
/// Names of no campaign or of several. Another owner's campaign and one that does not exist look the same.
pub(super) fn asked<'a>(
    names: impl ExactSizeIterator<Item = &'a str>,
    labels: &Labels,
) -> Result<Option<Vec<Asked<'a>>>, Failure> {
    if names.len() == 0 {
        return Ok(None);
    }
    let (mut asked, mut absent, mut ambiguous) = (Vec::with_capacity(names.len()), Vec::new(), Vec::new());
    for name in names {
        match labels.named(name) {
            Some(Named::One(campaign)) => asked.push((campaign, Some(name))),
            Some(Named::Several) => ambiguous.push(name.to_owned()),
            None => absent.push(name.to_owned()),
        }
    }
    if !absent.is_empty() {
        let message = "there are no such campaigns; ask by `owner/id`, a unique id, or a line item of `refs`";
        return Err(Failure::new(Code::NotFound, message).with_details(absent));
    }
    if !ambiguous.is_empty() {
        let message = "several campaigns have these names; ask by `owner/id` or `system:line_item`";
        return Err(Failure::invalid(message).with_details(ambiguous));
    }
    Ok(Some(asked))
}

/// The numbers of the campaigns that were asked about by name.
pub(super) fn numbers<'a>(asked: &'a Option<Vec<Asked<'_>>>) -> Option<impl Iterator<Item = u32> + use<'a>> {
    asked.as_ref().map(|asked| asked.iter().map(|one| one.0))
}

/// The campaigns that compete: those that were asked about, or all that the caller may see.
pub(super) fn candidates<'s>(asked: &Option<Vec<Asked<'_>>>, labels: &'s Labels) -> impl Fn(u32) -> bool + use<'s> {
    let mut named: Option<Vec<u32>> = asked.as_ref().map(|asked| asked.iter().map(|one| one.0).collect());
    named.iter_mut().for_each(|named| named.sort_unstable());
    move |campaign| match &named {
        Some(named) => named.binary_search(&campaign).is_ok(),
        None => labels.campaign(campaign).is_some(),
    }
}

/// How a verdict's token begins in JSON.
pub(super) const TOKEN_JSON: &[u8] = b",\"exposure_token\":\"";

/// Appends a JSON field of plain text, unless there is nothing to write.
pub(super) fn field(begin: &[u8], out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let before = out.len();
    out.extend_from_slice(begin);
    let empty = out.len();
    write(out);
    if out.len() == empty {
        out.truncate(before);
    } else {
        out.push(b'"');
    }
}

/// Hands every campaign in question to `write`, with its decision, and counts the decisions.
pub(super) fn each(
    doors: &Doors,
    party: Party<'_>,
    now: Timestamp,
    asked: &Option<Vec<Asked<'_>>>,
    decisions: &[Decision],
    mut write: impl FnMut(u32, Decision, Option<&str>),
) {
    let mut one = |campaign: u32, name: Option<&str>| {
        let decision = decisions[campaign as usize];
        write(campaign, decision, name);
        decision
    };
    match asked {
        Some(asked) => doors.count_decisions(asked.iter().map(|&(campaign, name)| one(campaign, name))),
        None => doors.count_decisions(party.campaigns(decisions, now).map(|(campaign, ..)| one(campaign, None))),
    }
}

fn write(
    doors: &Doors,
    status: Status,
    party: Party<'_>,
    served: &Served,
    now: Timestamp,
    asked: &Option<Vec<Asked<'_>>>,
    scratch: &Scratch,
) -> Vec<u8> {
    let labels = party.labels;
    let mut out = Vec::with_capacity(128 + 96 * asked.as_ref().map_or(scratch.decisions.all.len(), Vec::len));
    begin(status, &mut out);
    out.extend_from_slice(b",\"campaigns\":[");
    let mut first = true;
    each(doors, party, now, asked, &scratch.decisions.all, |campaign, decision, name| {
        let Some(label) = labels.campaign(campaign) else { return };
        comma(&mut first, &mut out);
        out.extend_from_slice(label.json.as_bytes());
        out.extend_from_slice(DECISIONS[decision as usize].json.as_bytes());
        if decision.verdict() == Verdict::Target {
            field(TOKEN_JSON, &mut out, |out| served.tokens.write(&scratch.person, campaign, out));
        }
        if let Some(name) = name.filter(|name| *name != &*label.id) {
            out.extend_from_slice(b",\"asked\":");
            quote(name, &mut out);
        }
        out.push(b'}');
    });
    out.extend_from_slice(b"],");
    out.extend_from_slice(labels.stamp(doors.stale(served, now)).json.as_bytes());
    out
}

/// What is said of every campaign without a generation.
pub(super) fn without_generation(status: Status) -> Decision {
    Decision::of_status(status).unwrap_or(Decision::NotReady)
}

/// Without a generation there is no telling which campaigns there are: those that were asked for are unknown, or
/// suppressed where the person objects.
fn write_nothing<'a>(status: Status, names: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let decision = &DECISIONS[without_generation(status) as usize];
    let mut out = Vec::with_capacity(256);
    begin(status, &mut out);
    out.extend_from_slice(b",\"campaigns\":[");
    let mut first = true;
    for name in names {
        comma(&mut first, &mut out);
        out.extend_from_slice(b"{\"id\":");
        quote(name, &mut out);
        out.extend_from_slice(decision.json.as_bytes());
        out.push(b'}');
    }
    out.extend_from_slice(b"],");
    out.extend_from_slice(NO_GENERATION.as_bytes());
    out
}

fn quote(text: &str, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}
