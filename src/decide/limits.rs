//! How often: caps, gaps, groups and pressure as counters over what was shown, and one voice a group.
//!
//! A counter asks for so many impressions of a campaign, of a group's or of an owner's campaigns since some instant. What was
//! shown to a profile is gone through once, and each impression counts where its campaign is counted: that costs by what was
//! shown, whatever the number of campaigns. Limits belong to a profile: those of any matched one hold.

use super::campaigns::{Decisions, Lists};
use super::verdict::{Decision, Verdict};
use crate::audiences::Catalogue;
use crate::overlay::Exposures;
use crate::schema::Timestamp;
use crate::snapshot::Caps;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, Range};

/// What was shown to the people matched.
#[derive(Debug)]
pub enum Past<'a, B> {
    /// What the generation knows (nothing, if it is an old one) and what came since, of these profiles.
    Known {
        /// Positions in the snapshot, and strangers' numbers.
        matched: &'a [u32],
        /// What was shown before the generation's cut.
        before: Option<&'a Caps<B>>,
        /// What was shown since.
        since: &'a Exposures,
    },
    /// What was reported is not known in time: whatever has a limit is unknown.
    Behind,
    /// It may not be read for this: whatever has a limit is unknown.
    NotPermitted,
}

/// Whom a counter that is full silences.
#[derive(Debug)]
enum Silences {
    /// A campaign.
    One(u32),
    /// The campaigns of a group.
    Several(Box<[u32]>),
    /// The campaigns of an owner: they stand together.
    Owner(Range<u32>),
}

#[derive(Debug)]
struct Counter {
    /// Full at so many.
    most: u32,
    since: Since,
    silences: Silences,
}

#[derive(Debug, Clone, Copy)]
enum Since {
    /// So many seconds ago, excluded.
    Ago(i64),
    /// This instant, included.
    Instant(i64),
}

impl Counter {
    fn counts(&self, time: Timestamp, now: Timestamp) -> bool {
        match self.since {
            Since::Ago(seconds) => time.0 > now.0.saturating_sub(seconds),
            Since::Instant(from) => time.0 >= from,
        }
    }
}

/// The limits of a catalogue's campaigns.
#[derive(Debug, Default)]
pub(super) struct Limits {
    counters: Vec<Counter>,
    /// For each campaign, where its impressions count.
    counted: Lists,
    /// The campaigns that something limits, ascending.
    limited: Vec<u32>,
    /// For each campaign its group, or [`NO_GROUP`].
    group: Vec<u32>,
    groups: usize,
    /// For each campaign its place among all: who speaks within a group is who comes first.
    rank: Vec<u32>,
}

/// Of a campaign that is in no group.
const NO_GROUP: u32 = u32::MAX;

impl Limits {
    pub(super) fn new(catalogue: &Catalogue) -> Self {
        let campaigns = &catalogue.campaigns;
        let mut limits = Limits { group: vec![NO_GROUP; campaigns.len()], ..Limits::default() };
        let mut pairs = Vec::new();
        for (number, campaign) in (0..).zip(campaigns) {
            let begins = campaign.flight.and_then(|flight| flight.from).map_or(i64::MIN, |from| from.0);
            let caps = campaign
                .caps
                .iter()
                .map(|cap| (cap.impressions, cap.per.map_or(Since::Instant(begins), |per| Since::Ago(per.0))));
            for (most, since) in caps.chain(campaign.min_gap.map(|gap| (1, Since::Ago(gap.0)))) {
                limits.count(most, since, Silences::One(number), &[number], &mut pairs);
            }
        }
        let mut members: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (number, campaign) in (0..).zip(campaigns) {
            campaign.group.as_deref().into_iter().for_each(|name| members.entry(name).or_default().push(number));
        }
        for (number, (name, members)) in (0..).zip(&members) {
            members.iter().for_each(|&member| limits.group[member as usize] = number);
            if let Some(group) = catalogue.groups.iter().find(|group| group.id.as_str() == *name) {
                let silences = Silences::Several(members.as_slice().into());
                limits.count(group.at_most, Since::Ago(group.per.0), silences, members, &mut pairs);
            }
        }
        limits.groups = members.len();
        for pressure in &catalogue.pressure {
            let start = campaigns.partition_point(|it| it.id.owner() < pressure.owner.as_str());
            let length = campaigns[start..].partition_point(|it| it.id.owner() == pressure.owner);
            let theirs: Vec<u32> = (start as u32..(start + length) as u32).collect();
            let silences = Silences::Owner(start as u32..(start + length) as u32);
            limits.count(pressure.messages, Since::Ago(pressure.per.0), silences, &theirs, &mut pairs);
        }
        limits.limited = pairs.iter().map(|pair| pair.0).collect::<BTreeSet<u32>>().into_iter().collect();
        limits.counted = Lists::new(campaigns.len(), pairs);
        limits.rank = ranks(catalogue);
        limits
    }

    /// Adds a counter of these campaigns' impressions.
    fn count(&mut self, most: u32, since: Since, silences: Silences, of: &[u32], pairs: &mut Vec<(u32, u32)>) {
        let number = self.counters.len() as u32;
        pairs.extend(of.iter().map(|&campaign| (campaign, number)));
        self.counters.push(Counter { most, since, silences });
    }

    /// Whether a campaign is in a group.
    pub(super) fn is_grouped(&self, campaign: u32) -> bool {
        self.group.get(campaign as usize).is_some_and(|&group| group != NO_GROUP)
    }

    /// The campaigns in groups.
    pub(super) fn grouped(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.group.len() as u32).filter(|&campaign| self.is_grouped(campaign))
    }

    /// Silences whoever has spoken often enough, or says that it cannot be told.
    pub(super) fn cap<B: Deref<Target = [u8]>>(&self, past: &Past<'_, B>, now: Timestamp, out: &mut Decisions) {
        match past {
            _ if self.counters.is_empty() => {}
            Past::Known { matched, before, since } => {
                out.counts.resize(self.counters.len(), 0);
                for &profile in *matched {
                    let mut seen = |campaign: u32, time: Timestamp| {
                        for &number in self.counted.of(campaign) {
                            if self.counters[number as usize].counts(time, now) {
                                let count = &mut out.counts[number as usize];
                                if *count == 0 {
                                    out.counting.push(number);
                                }
                                *count = count.saturating_add(1);
                            }
                        }
                    };
                    before
                        .iter()
                        .flat_map(|caps| caps.of(profile))
                        .for_each(|it| seen(it.campaign, Timestamp(it.time)));
                    since.of(profile, seen);
                    self.silence(out);
                }
            }
            Past::Behind => self.doubt(Decision::CapsUnknown, out),
            Past::NotPermitted => self.doubt(Decision::NoConsent, out),
        }
    }

    /// Silences by the counters that are full, and empties all.
    fn silence(&self, out: &mut Decisions) {
        let Decisions { all, counts, counting, .. } = out;
        for number in counting.drain(..) {
            let counter = &self.counters[number as usize];
            if std::mem::take(&mut counts[number as usize]) < counter.most {
                continue;
            }
            let cap = |decision: &mut Decision| {
                if decision.verdict() == Verdict::Target || *decision == Decision::Pressure {
                    *decision = Decision::Capped;
                }
            };
            match &counter.silences {
                Silences::One(campaign) => cap(&mut all[*campaign as usize]),
                Silences::Several(group) => group.iter().for_each(|&campaign| cap(&mut all[campaign as usize])),
                Silences::Owner(theirs) => {
                    for decision in &mut all[theirs.start as usize..theirs.end as usize] {
                        if decision.verdict() == Verdict::Target {
                            *decision = Decision::Pressure;
                        }
                    }
                }
            }
        }
    }

    fn doubt(&self, doubt: Decision, out: &mut Decisions) {
        for &campaign in &self.limited {
            let decision = &mut out.all[campaign as usize];
            if decision.verdict() == Verdict::Target {
                *decision = doubt;
            }
        }
    }

    /// One voice: of a group's candidates that would speak, the first by priority and id.
    pub(super) fn one_voice(&self, is_candidate: impl Fn(u32) -> bool, out: &mut Decisions) {
        let Decisions { all, voices, best, .. } = out;
        if voices.is_empty() {
            return;
        }
        best.resize(self.groups.max(best.len()), u32::MAX);
        voices.retain(|&campaign| all[campaign as usize].verdict() == Verdict::Target && is_candidate(campaign));
        for &campaign in voices.iter() {
            let best = &mut best[self.group[campaign as usize] as usize];
            *best = (*best).min(self.rank[campaign as usize]);
        }
        for &campaign in voices.iter() {
            if self.rank[campaign as usize] != best[self.group[campaign as usize] as usize] {
                all[campaign as usize] = Decision::Outranked;
            }
        }
        voices.drain(..).for_each(|campaign| best[self.group[campaign as usize] as usize] = u32::MAX);
    }
}

/// For each campaign its place by priority, the highest first, then by id.
fn ranks(catalogue: &Catalogue) -> Vec<u32> {
    let mut order: Vec<usize> = (0..catalogue.campaigns.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(catalogue.campaigns[at].priority), at));
    let mut ranks = vec![0; order.len()];
    (0..).zip(order).for_each(|(rank, at)| ranks[at] = rank);
    ranks
}

#[cfg(test)]
mod tests;
