//! How often a person may be spoken to: what of the past the campaigns' caps, gaps, groups and pressure need to be told.
//! What is said about it is `decide`'s.

use super::Catalogue;
use super::catalogue::Campaign;
use crate::schema::{Span, Timestamp};
use std::collections::BTreeMap;

/// The event that counts: a message was shown.
pub const IMPRESSION: &str = "impression";
/// Its property that says whose message: a campaign's `owner/id`.
pub const CAMPAIGN: &str = "campaign";

/// What has to be remembered of a campaign's impressions, for each person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The last so many; 0 = nothing asks for them.
    pub keep: u16,
    /// Only those after this instant can still count.
    pub after: Timestamp,
}

impl Catalogue {
    /// For each campaign, by its number, what has to be remembered at `now` and later.
    pub fn memory(&self, now: Timestamp) -> Vec<Memory> {
        let groups: BTreeMap<&str, (u32, Span)> =
            self.groups.iter().map(|group| (group.id.as_str(), (group.at_most, group.per))).collect();
        self.campaigns.iter().map(|campaign| self.memory_of(campaign, &groups, now)).collect()
    }

    fn memory_of(&self, campaign: &Campaign, groups: &BTreeMap<&str, (u32, Span)>, now: Timestamp) -> Memory {
        let group = campaign.group.as_deref().and_then(|name| groups.get(name)).copied();
        let pressure = self.pressure.iter().filter(|it| it.owner == campaign.id.owner());
        let spans = pressure.map(|it| (it.messages, it.per)).chain(group).chain(campaign.min_gap.map(|gap| (1, gap)));
        let since = spans.map(|(most, per)| (most, now.0.saturating_sub(per.0)));
        let begins = campaign.flight.and_then(|flight| flight.from).map_or(i64::MIN, |from| from.0.saturating_sub(1));
        let caps = campaign
            .caps
            .iter()
            .map(|cap| (cap.impressions, cap.per.map_or(begins, |per| now.0.saturating_sub(per.0))));
        let (keep, after) =
            since.chain(caps).fold((0, i64::MAX), |(keep, after), (most, since)| (keep.max(most), after.min(since)));
        Memory { keep: u16::try_from(keep).unwrap_or(u16::MAX), after: Timestamp(after) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audiences::definitions::check;
    use crate::schema::Declarations;
    use jiff::tz::TimeZone;

    #[test]
    fn what_is_remembered_is_the_most_that_anything_asks_for() {
        let text = "
campaigns:
- { id: a, owner: o, status: active, min_gap: 20m, group: g }
- { id: b, owner: o, status: active, group: g, caps: [{ impressions: 3, per: 24h }, { impressions: 10, per: flight }], flight: { from: 1970-01-02 } }
- { id: c, owner: p, status: active, caps: [{ impressions: 7, per: flight }] }
- { id: d, owner: q, status: active }
groups: { g: { at_most: 2, per: 1h } }
pressure: [{ messages: 5, per: 2h }, { messages: 1, per: 1m, owners: [p] }, { messages: 9, per: 3m, owners: [q] }]
";
        let checked = check(&[("f.yaml".into(), text.to_owned())], &Declarations::default(), &TimeZone::UTC);
        assert_eq!(checked.findings, []);
        let now = Timestamp(1_000_000);
        let memory: Vec<(u16, i64)> =
            checked.catalogue.unwrap().memory(now).iter().map(|it| (it.keep, it.after.0)).collect();
        assert_eq!(memory, [(5, now.0 - 7_200), (10, 86_399), (7, i64::MIN), (9, now.0 - 180)]);
    }
}
