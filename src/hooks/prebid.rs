//! What both Prebid doors tell: words for an ad server's line items. Each door writes them in its own shape.
//!
//! Only to target: an ad server tests whether one of the words is there, so these doors have nothing to say of whom to
//! leave alone. Suppression is the absence of `ok-<campaign>`. When there is nothing to tell, for whatever reason, the
//! answer is the same empty one.

use super::call::{Call, Party};
use super::live::Scratch;
use super::routes::Told;
use super::verdicts::EVERY;
use super::{Doors, openrtb};
use crate::access::Caller;
use crate::audiences::catalogue::{Audience, AudienceKind, Campaign};
use crate::decide::{Status, Verdict};
use crate::schema::Timestamp;
use crate::wire::Failure;
use crate::wire::openrtb::BidRequest;
use crate::wire::openrtb::json::{self, What};
use std::fmt;

/// How a word begins that lets a campaign speak.
const GO: &str = "ok-";

/// A word for an ad server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// The user is in an audience: the caller's own name for it, else its label's id, else `owner/id`.
    Segment(&'a str),
    /// A campaign may speak: `ok-<campaign>`.
    Go(&'a str),
}

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Segment(name) => f.write_str(name),
            Word::Go(campaign) => write!(f, "{GO}{campaign}"),
        }
    }
}

/// What may be told of a user.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Targeting<'a> {
    /// The segments first, each word once.
    pub words: Vec<Word<'a>>,
    /// The deals of the caller's exchange that a campaign may speak on, each once.
    pub deals: Vec<&'a str>,
}

impl<'a> Targeting<'a> {
    /// What became of a decision, in words. Nothing without a profile that may be read, unless a campaign's own
    /// `no_profile` lets it speak to everybody.
    pub fn new(status: Status, party: Party<'a>, now: Timestamp, scratch: &'a Scratch) -> Self {
        let Some(served) = party.served.filter(|_| matches!(status, Status::Matched | Status::NoProfile)) else {
            return Targeting::default();
        };
        let catalogue = served.answering.snapshot.catalogue();
        let mut targeting = Targeting::default();
        if status == Status::Matched {
            let audiences = scratch.answer.audiences.iter().filter(|&&number| party.labels.audience(number).is_some());
            let audiences = audiences.filter_map(|&number| catalogue.audiences.get(number as usize));
            targeting.add_segments(audiences, party.caller);
        }
        let decided = party.campaigns(&scratch.decisions.all, now);
        let go = decided.filter(|(_, _, decision)| decision.verdict() == Verdict::Target);
        go.filter_map(|(number, ..)| catalogue.campaigns.get(number as usize))
            .for_each(|campaign| targeting.add_campaign(campaign, party.caller));
        targeting
    }

    fn add_segments(&mut self, audiences: impl Iterator<Item = &'a Audience>, caller: &'a Caller) {
        for audience in audiences.filter(|audience| audience.kind == AudienceKind::Target) {
            let own = caller.settings.external_ids.get(audience.id.as_str()).map(String::as_str);
            let label = audience.segment.as_ref().map(|segment| segment.id.as_str());
            let name = own.or(label).unwrap_or(audience.id.as_str());
            let word = Word::Segment(name);
            let tells = !passes_for_go(name) && !self.words.contains(&word);
            if tells && self.words.len() < caller.settings.max_segments {
                self.words.push(word);
            }
        }
    }

    /// Campaigns are not counted in `max_segments`: a word that is missing would suppress.
    fn add_campaign(&mut self, campaign: &'a Campaign, caller: &'a Caller) {
        let whole = campaign.id.as_str();
        self.words.push(Word::Go(if is_of_one_owner(caller) { campaign.id.id() } else { whole }));
        let Some(exchange) = &caller.settings.exchange else { return };
        for deal in campaign.deals.iter().filter(|deal| deal.exchange.eq_ignore_ascii_case(exchange)) {
            if !self.deals.contains(&deal.id.as_str()) {
                self.deals.push(&deal.id);
            }
        }
    }

    /// The words for audiences.
    pub fn segments(&self) -> impl Iterator<Item = &Word<'a>> {
        self.words.iter().filter(|word| matches!(word, Word::Segment(_)))
    }
}

/// Whether an audience's name could be taken for a campaign that may speak: ad servers do not tell cases apart, and the
/// modules join words by commas.
fn passes_for_go(name: &str) -> bool {
    let begins = |part: &str| part.get(..GO.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(GO));
    name.split(',').any(|part| begins(part.trim_start()))
}

/// Whether ids are unique for it: then they need no owner. By its settings, not by what is published, so that a word
/// never changes under an ad server's line item.
fn is_of_one_owner(caller: &Caller) -> bool {
    matches!(caller.settings.owners.as_slice(), [one] if one != "*")
}

/// Decides for the user of a bid request, and writes what that comes to.
pub(super) fn decide(
    doors: &Doors,
    request: &BidRequest<'_>,
    call: &Call<'_>,
    write: impl FnOnce(&Targeting<'_>, Party<'_>) -> Vec<u8>,
) -> Result<(Vec<u8>, Told), Failure> {
    let now = doors.clock.now();
    doors.with_party(call, |party, scratch| {
        let ids = openrtb::ids(request, &party.caller.settings);
        let ask = openrtb::ask(request, &ids);
        // Every campaign that may speak is told to the ad server, which chooses.
        let is_candidate = |campaign| party.labels.campaign(campaign).is_some();
        let status = doors.decide(ask, call, party, now, is_candidate, scratch)?;
        if !request.test {
            scratch.count_verdicts(party, status, now, EVERY);
        }
        let targeting = Targeting::new(status, party, now, scratch);
        if !request.test {
            let decided = party.campaigns(&scratch.decisions.all, now);
            doors.count_decisions(decided.map(|(_, _, decision)| decision));
        }
        Ok((write(&targeting, party), Told::new(doors, status, party, now)))
    })
}

/// Reads a bid request.
pub(super) fn read(body: &[u8]) -> Result<BidRequest<'_>, Failure> {
    json::read(body, What::Decide).map(|(request, _)| request).map_err(openrtb::malformed)
}

/// `"a","b"`
pub(super) fn list(items: impl Iterator<Item = impl fmt::Display>, out: &mut Vec<u8>) {
    let mut first = true;
    for item in items {
        super::lookup_json::comma(&mut first, out);
        quoted(item, out);
    }
}

/// A JSON string.
pub(super) fn quoted(text: impl fmt::Display, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(out, &format_args!("{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_taken_for_a_campaigns_word() {
        for name in ["ok-upgrade", "OK-upgrade", "Ok-", "x,ok-upgrade", "x, oK-upgrade,y"] {
            assert!(passes_for_go(name), "{name}");
        }
        for name in ["", "ok", "o\u{212a}-a", "560", "acme/ok-people", "book-readers", "x,"] {
            assert!(!passes_for_go(name), "{name}");
        }
    }
}
