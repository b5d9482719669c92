//! The campaigns of a generation, indexed by audience: a decision starts from a template of what is said of a user who is
//! in no audience, and touches only the campaigns that name one of the user's audiences.

use super::limits::{Limits, Past};
use super::verdict::{Decision, Status};
use crate::audiences::Catalogue;
use crate::audiences::catalogue::{Campaign, Fallback, Status as Speaking};
use crate::schema::Timestamp;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every index has its own number, so that buffers know whose template they hold.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// What a decision needs to know of every campaign. A campaign's position is its number in the catalogue.
#[derive(Debug)]
pub struct CampaignIndex {
    number: u64,
    /// From when (included) to when (excluded) each speaks; an empty range = never.
    flights: Vec<(i64, i64)>,
    /// Whom each speaks to when nothing is known of the user's audiences.
    everybody: Vec<bool>,
    no_profile: Vec<Fallback>,
    on_failure: Vec<Fallback>,
    include: Lists,
    exclude: Lists,
    limits: Limits,
}

/// A list of numbers for each number: for an audience, the campaigns that name it.
#[derive(Debug, Default)]
pub(super) struct Lists {
    starts: Vec<u32>,
    numbers: Vec<u32>,
}

impl Lists {
    pub(super) fn new(count: usize, mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let starts = (0..=count as u32).map(|number| pairs.partition_point(|pair| pair.0 < number) as u32);
        Lists { starts: starts.collect(), numbers: pairs.iter().map(|pair| pair.1).collect() }
    }

    /// The list of a number; none for one that is not in the catalogue.
    pub(super) fn of(&self, number: u32) -> &[u32] {
        let at = number as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&start), Some(&end)) => &self.numbers[start as usize..end as usize],
            _ => &[],
        }
    }
}

/// Reused buffers: the decision on every campaign, and the template they start from.
#[derive(Debug, Default)]
pub struct Decisions {
    /// One a campaign, by its number.
    pub all: Vec<Decision>,
    template: Vec<Decision>,
    /// Whose template it is, and from when to when it holds.
    template_of: (u64, i64, i64),
    /// The template's campaigns that would speak and are in groups.
    template_voices: Vec<u32>,
    /// The campaigns in groups that may have become [`Decision::Target`].
    pub(super) voices: Vec<u32>,
    /// The place of each group's first voice; `u32::MAX` between decisions.
    pub(super) best: Vec<u32>,
    /// How many impressions each counter has counted; 0 between decisions.
    pub(super) counts: Vec<u32>,
    /// The counters that have counted some.
    pub(super) counting: Vec<u32>,
}

impl CampaignIndex {
    /// Indexes a catalogue. An `include` or `exclude` that names no audience of it matches nobody.
    pub fn new(catalogue: &Catalogue) -> Self {
        let campaigns = &catalogue.campaigns;
        let (mut include, mut exclude) = (Vec::new(), Vec::new());
        for (number, campaign) in campaigns.iter().enumerate() {
            let pair = |audience: u32| (audience, number as u32);
            include.extend(campaign.include.iter().filter_map(|id| catalogue.number(id)).map(pair));
            exclude.extend(campaign.exclude.iter().filter_map(|it| catalogue.number(&it.audience)).map(pair));
        }
        CampaignIndex {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            flights: campaigns.iter().map(flight).collect(),
            everybody: campaigns.iter().map(|campaign| campaign.include.is_empty()).collect(),
            no_profile: campaigns.iter().map(|campaign| campaign.no_profile).collect(),
            on_failure: campaigns.iter().map(|campaign| campaign.on_failure).collect(),
            include: Lists::new(catalogue.audiences.len(), include),
            exclude: Lists::new(catalogue.audiences.len(), exclude),
            limits: Limits::new(catalogue),
        }
    }

    /// How many campaigns there are.
    pub fn len(&self) -> usize {
        self.flights.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }

    /// Whether a campaign speaks at `now`: active, and within its flight.
    pub fn speaks(&self, campaign: u32, now: Timestamp) -> bool {
        self.flights.get(campaign as usize).is_some_and(|&(from, to)| from <= now.0 && now.0 < to)
    }

    /// What a door says of it that cannot say "unknown".
    pub fn on_failure(&self, campaign: u32) -> Fallback {
        self.on_failure.get(campaign as usize).copied().unwrap_or(Fallback::Suppress)
    }

    /// Decides for every campaign: `included_by` are the audiences of the first matched profile, `excluded_by` those of
    /// any matched profile; both are looked at only when the status is [`Status::Matched`].
    ///
    /// An objection is said of every campaign, whatever else holds; then a campaign that does not speak is suppressed;
    /// then an exclusion wins over an inclusion.
    pub fn decide(
        &self,
        status: Status,
        included_by: &[u32],
        excluded_by: &[u32],
        now: Timestamp,
        out: &mut Decisions,
    ) {
        out.all.clear();
        out.voices.clear();
        match (Decision::of_status(status), status) {
            (Some(Decision::Objected), _) => out.all.resize(self.len(), Decision::Objected),
            (Some(decision), _) => out.all.extend((0..self.len()).map(|at| self.unless_paused(at, now, decision))),
            (None, Status::NoProfile) => {
                let of = |at: usize| self.unless_paused(at, now, Decision::without_profile(self.no_profile[at]));
                out.all.extend((0..self.len()).map(of));
                out.voices.extend(self.limits.grouped());
            }
            (None, _) => self.decide_matched(included_by, excluded_by, now, out),
        }
    }

    /// What limits make of the decisions: first whoever has spoken often enough falls silent, then of each group's
    /// candidates that would still speak only one does: that of the highest priority, of several the first by id. A candidate
    /// is a campaign that whoever asks could choose now.
    pub fn limit<B: Deref<Target = [u8]>>(
        &self,
        past: &Past<'_, B>,
        now: Timestamp,
        is_candidate: impl Fn(u32) -> bool,
        out: &mut Decisions,
    ) {
        self.limits.cap(past, now, out);
        self.limits.one_voice(is_candidate, out);
    }

    fn decide_matched(&self, included_by: &[u32], excluded_by: &[u32], now: Timestamp, out: &mut Decisions) {
        let (whose, from, to) = out.template_of;
        if whose != self.number || now.0 < from || to <= now.0 {
            self.make_template(now, out);
        }
        out.all.extend_from_slice(&out.template);
        out.voices.extend_from_slice(&out.template_voices);
        for &audience in included_by {
            for &campaign in self.include.of(audience) {
                let decision = &mut out.all[campaign as usize];
                if *decision == Decision::NotInTarget {
                    *decision = Decision::Target;
                    if self.limits.is_grouped(campaign) {
                        out.voices.push(campaign);
                    }
                }
            }
        }
        for &audience in excluded_by {
            for &campaign in self.exclude.of(audience) {
                let decision = &mut out.all[campaign as usize];
                if *decision != Decision::Paused {
                    *decision = Decision::Excluded;
                }
            }
        }
    }

    /// From when (included) to when (excluded) the same campaigns speak as at `now`: no flight begins or ends within.
    pub fn steady(&self, now: Timestamp) -> (i64, i64) {
        let (mut from, mut to) = (i64::MIN, i64::MAX);
        for edge in self.flights.iter().flat_map(|&(start, end)| [start, end]) {
            if edge <= now.0 {
                from = from.max(edge);
            } else {
                to = to.min(edge);
            }
        }
        (from, to)
    }

    /// What is said of a matched user who is in no audience; it holds until a flight begins or ends.
    fn make_template(&self, now: Timestamp, out: &mut Decisions) {
        let (from, to) = self.steady(now);
        let base = |at: usize| if self.everybody[at] { Decision::Target } else { Decision::NotInTarget };
        out.template.clear();
        out.template.extend((0..self.len()).map(|at| self.unless_paused(at, now, base(at))));
        let speaks = |&campaign: &u32| out.template[campaign as usize] == Decision::Target;
        out.template_voices.clear();
        out.template_voices.extend(self.limits.grouped().filter(speaks));
        out.template_of = (self.number, from, to);
    }

    fn unless_paused(&self, at: usize, now: Timestamp, decision: Decision) -> Decision {
        let (from, to) = self.flights[at];
        if from <= now.0 && now.0 < to { decision } else { Decision::Paused }
    }
}

/// When a campaign speaks: its flight if it is active, never otherwise.
fn flight(campaign: &Campaign) -> (i64, i64) {
    if campaign.status != Speaking::Active {
        return (i64::MAX, i64::MAX);
    }
    let edge = |at: Option<Timestamp>, open: i64| at.map_or(open, |at| at.0);
    match campaign.flight {
        None => (i64::MIN, i64::MAX),
        Some(flight) => (edge(flight.from, i64::MIN), edge(flight.to, i64::MAX)),
    }
}
