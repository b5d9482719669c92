//! `POST /openrtb2/decide`: a bid request in; out come the verdicts on the caller's campaigns, on the deals they run on,
//! and on the impressions. One lookup a request. How verdicts come together: [`crate::decide::deals`].

use super::call::{Call, Party};
use super::decide_json::{TOKEN_JSON, field};
use super::labels::{CampaignLabel, DECISIONS};
use super::live::Scratch;
use super::lookup_json::{NO_GENERATION, comma};
use super::openrtb::{ask, candidates, ids};
use super::routes::{Asked, Media, Reply, Told};
use super::token::Person;
use super::verdicts::EVERY;
use super::{Door, Doors};
use crate::decide::deals::{Voices, of_impression};
use crate::decide::{Decision, Status, Verdict};
use crate::schema::Timestamp;
use crate::wire::Failure;
use crate::wire::openrtb::json::{What, read};
use crate::wire::openrtb::{BidRequest, Imp, message};

/// Answers a body.
///
/// # Errors
/// A body that is no bid request, or has too many identifiers; a credential that is refused.
pub fn answer(doors: &Doors, asked: &Asked<'_>, call: &Call<'_>) -> Result<Reply, Failure> {
    doors.guarded(Door::OpenRtbDecide, call.arrived, || match asked.media {
        Media::Json => {
            let (request, _) = read(&asked.body, What::Decide).map_err(super::openrtb::malformed)?;
            decide(doors, &request, Media::Json, call, json)
        }
        Media::Protobuf => {
            let decoded = super::openrtb::decode(&asked.body)?;
            decide(doors, &message::view(&decoded), Media::Protobuf, call, super::openrtb_proto::decided)
        }
    })
}

/// What was decided on a request.
#[derive(Debug)]
pub(super) struct Decided<'s, 'r> {
    pub request: &'s BidRequest<'r>,
    pub status: Status,
    pub party: Party<'s>,
    pub stale: bool,
    decisions: &'s [Decision],
    person: &'s Person,
    now: Timestamp,
}

fn decide(
    doors: &Doors,
    request: &BidRequest<'_>,
    media: Media,
    call: &Call<'_>,
    write: impl FnOnce(&Decided<'_, '_>) -> Vec<u8>,
) -> Result<Reply, Failure> {
    let now = doors.clock.now();
    doors.with_party(call, |party, scratch: &mut Scratch| {
        let is_candidate = candidates(request, party.labels);
        let ids = ids(request, &party.caller.settings);
        let status = doors.decide(ask(request, &ids), call, party, now, is_candidate, scratch)?;
        if !request.test {
            scratch.count_verdicts(party, status, now, EVERY);
        }
        let told = Told::new(doors, status, party, now);
        let decisions = &scratch.decisions.all;
        let decided = Decided { request, status, party, stale: told.stale, decisions, person: &scratch.person, now };
        if !request.test {
            doors.count_decisions(decided.campaigns().map(|(.., decision)| decision));
        }
        let silent = party.caller.settings.no_bid_as_204 && decided.is_no_bid();
        let body = (!silent).then(|| write(&decided).into());
        Ok(Reply { body, media, told: Some(told) })
    })
}

impl<'s> Decided<'s, '_> {
    /// The caller's campaigns that speak now, and what was decided on them.
    pub fn campaigns(&self) -> impl Iterator<Item = (u32, &'s CampaignLabel, Decision)> {
        self.party.campaigns(self.decisions, self.now)
    }

    /// Writes a verdict's token; nothing unless it is to speak and there are tokens.
    pub fn token(&self, campaign: u32, decision: Decision, out: &mut Vec<u8>) {
        if let Some(served) = self.party.served.filter(|_| decision.verdict() == Verdict::Target) {
            served.tokens.write(self.person, campaign, out);
        }
    }

    /// Whether there are campaigns, and nobody may speak.
    fn is_no_bid(&self) -> bool {
        let mut verdicts = self.campaigns().map(|(.., decision)| decision.verdict()).peekable();
        verdicts.peek().is_some() && verdicts.all(|verdict| verdict == Verdict::Suppress)
    }

    /// Each impression with its verdict and with those of its deals that campaigns of the caller run on.
    pub fn for_each_imp(&self, mut write: impl FnMut(&Imp<'_>, Verdict, &[(&str, Verdict)])) {
        let voices = self.party.served.map(|served| Voices {
            campaigns: &served.answering.campaigns,
            decisions: self.decisions,
            now: self.now,
        });
        let everywhere = voices.and_then(|voices| self.party.labels.deals.everywhere(voices));
        // Also where nobody knows which campaigns there are: whoever objects is not spoken to.
        let everywhere =
            everywhere.or((self.party.served.is_none() && self.status == Status::Blocked).then_some(Verdict::Suppress));
        let mut deals: Vec<(&str, Verdict)> = Vec::new();
        for imp in &self.request.imps {
            deals.clear();
            let verdict = |id: &str| self.party.labels.deals.get(id)?.verdict(voices?);
            deals.extend(imp.deals.iter().filter_map(|deal| Some((&*deal.id, verdict(&deal.id)?))));
            let verdicts = deals.iter().map(|deal| deal.1);
            write(imp, of_impression(everywhere.into_iter().chain(verdicts)), &deals);
        }
    }
}

fn json(decided: &Decided<'_, '_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.extend_from_slice(b"{\"id\":");
    quote(&decided.request.id, &mut out);
    out.extend_from_slice(b",\"status\":\"");
    out.extend_from_slice(decided.status.name().as_bytes());
    out.extend_from_slice(b"\",\"campaigns\":[");
    let mut first = true;
    for (campaign, label, decision) in decided.campaigns() {
        comma(&mut first, &mut out);
        out.extend_from_slice(label.json.as_bytes());
        out.extend_from_slice(DECISIONS[decision as usize].json.as_bytes());
        field(TOKEN_JSON, &mut out, |out| decided.token(campaign, decision, out));
        out.push(b'}');
    }
    out.extend_from_slice(b"],\"imp\":[");
    let mut first = true;
    decided.for_each_imp(|imp, verdict, deals| {
        comma(&mut first, &mut out);
        verdict_on(&imp.id, verdict, &mut out);
        out.extend_from_slice(b",\"deals\":[");
        let mut first = true;
        for (id, verdict) in deals {
            comma(&mut first, &mut out);
            verdict_on(id, *verdict, &mut out);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    });
    out.extend_from_slice(b"],");
    match decided.party.served {
        Some(_) => out.extend_from_slice(decided.party.labels.stamp(decided.stale).json.as_bytes()),
        None => out.extend_from_slice(NO_GENERATION.as_bytes()),
    }
    out
}

/// `{"id":"1","verdict":"target"`
fn verdict_on(id: &str, verdict: Verdict, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    quote(id, out);
    out.extend_from_slice(b",\"verdict\":\"");
    out.extend_from_slice(verdict.name().as_bytes());
    out.push(b'"');
}

fn quote(text: &str, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}
