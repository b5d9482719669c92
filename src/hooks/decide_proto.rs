//! `Decide`: a message in, an encoded answer out, put together from pieces that were encoded once a generation.

use super::call::{Call, Party};
use super::decide_json::{asked, candidates, check_asked, each, numbers, without_generation};
use super::labels::DECISIONS;
use super::live::{Scratch, Served};
use super::lookup_proto::{ask, number};
use super::{Door, Doors};
use crate::decide::{Status, Verdict};
use crate::schema::Timestamp;
use crate::wire::codec::{Encoded, append, embed};
use crate::wire::{Failure, v1};

/// The field of `DecideResponse` that holds the verdicts.
const CAMPAIGNS: u32 = 2;
/// The field of `CampaignVerdict` that holds the token.
pub(super) const TOKEN: u32 = 5;

/// Answers a question.
///
/// # Errors
/// Too many identifiers, or a campaign that is not there for this caller; a credential that is refused.
pub fn answer(doors: &Doors, message: &v1::DecideRequest, call: &Call<'_>) -> Result<Encoded, Failure> {
    doors.guarded(Door::GrpcDecide, call.arrived, || {
        check_asked(message.campaigns.len())?;
        let now = doors.clock.now();
        let question = || ask(&message.eids, &message.ifa, message.privacy.as_ref(), message.tmax_ms);
        let names = || message.campaigns.iter().map(String::as_str);
        doors.with_party(call, |party, scratch| {
            let Some(served) = party.served else {
                let status = doors.decide(question(), call, party, now, |_| false, scratch)?;
                return Ok(nothing(status, names()));
            };
            let asked = asked(names(), party.labels)?;
            let is_candidate = candidates(&asked, party.labels);
            let status = doors.decide(question(), call, party, now, is_candidate, scratch)?;
            scratch.count_verdicts(party, status, now, numbers(&asked));
            Ok(verdicts(doors, status, party, served, now, &asked, scratch))
        })
    })
}

fn verdicts(
    doors: &Doors,
    status: Status,
    party: Party<'_>,
    served: &Served,
    now: Timestamp,
    asked: &Option<Vec<super::decide_json::Asked<'_>>>,
    scratch: &mut Scratch,
) -> Encoded {
    let Scratch { decisions, person, encoded, spare, .. } = scratch;
    let mut out = Vec::with_capacity(64 + 64 * asked.as_ref().map_or(decisions.all.len(), Vec::len));
    append(&v1::DecideResponse { status: number(status), ..Default::default() }, &mut out);
    each(doors, party, now, asked, &decisions.all, |campaign, decision, name| {
        let Some(label) = party.labels.campaign(campaign) else { return };
        encoded.clear();
        encoded.extend_from_slice(&label.proto);
        encoded.extend_from_slice(&DECISIONS[decision as usize].proto);
        if decision.verdict() == Verdict::Target && person.is_known() {
            spare.clear();
            served.tokens.write(person, campaign, spare);
            embed(TOKEN, spare, encoded);
        }
        if let Some(name) = name.filter(|name| *name != &*label.id) {
            append(&v1::CampaignVerdict { asked: name.to_owned(), ..Default::default() }, encoded);
        }
        embed(CAMPAIGNS, encoded, &mut out);
    });
    out.extend_from_slice(&party.labels.stamp(doors.stale(served, now)).decide);
    Encoded(out)
}

/// Without a generation there is no telling which campaigns there are: those that were asked for are unknown, or
/// suppressed where the person objects.
fn nothing<'a>(status: Status, names: impl Iterator<Item = &'a str>) -> Encoded {
    let decision = without_generation(status);
    let verdict = match decision.verdict() {
        Verdict::Suppress => v1::Verdict::Suppress,
        // Nobody is spoken to without a generation.
        Verdict::Target | Verdict::Unknown => v1::Verdict::Unknown,
    };
    let campaigns = names.map(|name| v1::CampaignVerdict {
        id: name.to_owned(),
        verdict: verdict.into(),
        reason: decision.reason().to_owned(),
        ..Default::default()
    });
    let answer = v1::DecideResponse { status: number(status), campaigns: campaigns.collect(), ..Default::default() };
    Encoded(prost::Message::encode_to_vec(&answer))
}
