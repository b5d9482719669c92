//! Which of a caller's campaigns stand behind a deal of its exchange, and what their decisions make of the deal, of an
//! impression, and of a door that cannot say "unknown". Pure; nothing of a protocol.
//!
//! A verdict over several campaigns is `target` if one of them targets: somebody wants to speak. Else it is `unknown` if
//! one of them is: nobody may be silenced on a guess. Else it is `suppress`. Campaigns that do not speak now (not
//! active, or out of flight) have no voice in it. Where no campaign has a voice:
//! - a deal has no verdict: it is none of our business, and nobody touches it;
//! - an impression is `unknown`: there is nothing to speak of on it and nothing to keep away from it, so whoever asks goes on
//!   as if we had not been asked. It is not `suppress`: that would stop an auction over campaigns that are not in it.

use super::campaigns::CampaignIndex;
use super::verdict::{Decision, Verdict};
use crate::audiences::Catalogue;
use crate::audiences::catalogue::Fallback;
use crate::schema::Timestamp;
use std::collections::HashMap;

/// The caller's campaigns by deal of its exchange.
#[derive(Debug, Default)]
pub struct Deals {
    by_id: HashMap<Box<str>, Deal>,
    /// Campaigns without any deal, on any exchange: they apply to every impression.
    everywhere: Deal,
}

/// A deal that campaigns of the caller run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    /// Whether it serves this advertiser alone: every campaign behind it says so, also one that does not speak now, and none
    /// of an owner whom the caller does not see runs on it.
    pub exclusive: bool,
    /// The campaigns behind it, by number, ascending.
    pub campaigns: Vec<u32>,
}

impl Default for Deal {
    fn default() -> Self {
        Deal { exclusive: true, campaigns: Vec::new() }
    }
}

/// What a door says that cannot say "unknown".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settled {
    /// Speak.
    Target,
    /// Leave alone.
    Suppress,
    /// Say nothing.
    Silent,
}

/// What a decision comes to where "unknown" cannot be said: the campaign's `on_failure`. Without consent nobody is spoken
/// to, whatever the campaign says.
pub const fn settle(decision: Decision, on_failure: Fallback) -> Settled {
    match (decision, decision.verdict()) {
        (Decision::NoConsent, _) | (_, Verdict::Suppress) => Settled::Suppress,
        (_, Verdict::Target) => Settled::Target,
        (_, Verdict::Unknown) => match on_failure {
            Fallback::Target => Settled::Target,
            Fallback::Suppress => Settled::Suppress,
            Fallback::Unknown => Settled::Silent,
        },
    }
}

/// The decisions of a request, and what tells whose voices count.
#[derive(Debug, Clone, Copy)]
pub struct Voices<'a> {
    /// The campaigns that were decided on.
    pub campaigns: &'a CampaignIndex,
    /// One decision a campaign, by its number; none at all without a generation.
    pub decisions: &'a [Decision],
    /// When.
    pub now: Timestamp,
}

impl<'a> Voices<'a> {
    /// The campaigns among these that speak now, with what was decided on them.
    fn of(self, campaigns: &'a [u32]) -> impl Iterator<Item = (u32, Decision)> + 'a {
        let speaking = campaigns.iter().filter(move |&&campaign| self.campaigns.speaks(campaign, self.now));
        speaking.filter_map(move |&campaign| Some((campaign, *self.decisions.get(campaign as usize)?)))
    }
}

impl Deal {
    /// What its campaigns make of it; `None` = no campaign behind it speaks now.
    pub fn verdict(&self, voices: Voices<'_>) -> Option<Verdict> {
        let verdicts = voices.of(&self.campaigns).map(|(_, decision)| decision.verdict());
        verdicts.max_by_key(|&verdict| strength(verdict))
    }

    /// The same for a door that cannot say "unknown": each campaign's own `on_failure` settles what it cannot tell.
    pub fn settled(&self, voices: Voices<'_>) -> Option<Settled> {
        let of = |(campaign, decision)| settle(decision, voices.campaigns.on_failure(campaign));
        voices.of(&self.campaigns).map(of).max_by_key(|settled| match settled {
            Settled::Suppress => 0,
            Settled::Silent => 1,
            Settled::Target => 2,
        })
    }
}

impl Deals {
    /// The deals of an exchange (its name's case does not matter) that campaigns of visible owners run on.
    pub fn new(catalogue: &Catalogue, exchange: Option<&str>, sees: impl Fn(&str) -> bool) -> Self {
        let mut deals = Deals::default();
        let here = |name: &str| exchange.is_some_and(|exchange| exchange.eq_ignore_ascii_case(name));
        let (seen, hidden): (Vec<_>, Vec<_>) =
            (0..).zip(&catalogue.campaigns).partition(|(_, campaign)| sees(campaign.id.owner()));
        for (number, campaign) in seen {
            if campaign.deals.is_empty() {
                deals.everywhere.campaigns.push(number);
            }
            for named in campaign.deals.iter().filter(|deal| here(&deal.exchange)) {
                let deal = deals.by_id.entry(named.id.as_str().into()).or_default();
                deal.exclusive &= named.exclusive;
                if deal.campaigns.last() != Some(&number) {
                    deal.campaigns.push(number);
                }
            }
        }
        for named in hidden.iter().flat_map(|(_, campaign)| &campaign.deals).filter(|deal| here(&deal.exchange)) {
            if let Some(deal) = deals.by_id.get_mut(named.id.as_str()) {
                deal.exclusive = false;
            }
        }
        deals
    }

    /// The deal of this id, if a campaign of the caller runs on it.
    pub fn get(&self, id: &str) -> Option<&Deal> {
        self.by_id.get(id)
    }

    /// Whether a campaign runs without any deal, and so on every impression.
    pub fn is_everywhere(&self, campaign: u32) -> bool {
        self.everywhere.campaigns.binary_search(&campaign).is_ok()
    }

    /// What the campaigns without deals make of every impression; `None` = none of them speaks now.
    pub fn everywhere(&self, voices: Voices<'_>) -> Option<Verdict> {
        self.everywhere.verdict(voices)
    }
}

/// An impression's verdict, from those of the campaigns without deals and of the deals on offer.
pub fn of_impression(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.max_by_key(|&verdict| strength(verdict)).unwrap_or(Verdict::Unknown)
}

const fn strength(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Suppress => 0,
        Verdict::Unknown => 1,
        Verdict::Target => 2,
    }
}

#[cfg(test)]
mod tests;
