//! Whom a campaign may still speak to under its caps, its gap, its group and its owner's pressure: `decide`'s own answer, from
//! what the generation and the overlay remember of each profile. Whom a group would choose at an auction is not looked at.

use crate::audiences::catalogue::Status as Speaking;
use crate::audiences::{Campaign, Catalogue};
use crate::decide::{CampaignIndex, Decisions, Past, Status, Verdict};
use crate::overlay::Exposures;
use crate::planner::see::{Ground, Wrong};
use crate::schema::Timestamp;
use crate::snapshot::Caps;
use roaring::RoaringBitmap;

/// Between two looks at whether anybody still waits.
const AT_ONCE: usize = 65_536;
/// Nothing: what was shown is gathered before.
const NOTHING: Option<&Caps<Vec<u8>>> = None;

/// Those of a set whom no limit protects.
pub(super) fn under(
    ground: &Ground<'_>,
    campaign: &Campaign,
    catalogue: &Catalogue,
    set: &RoaringBitmap,
) -> Result<RoaringBitmap, Wrong> {
    let rules = Rules::new(campaign, catalogue, ground.now);
    let before = ground.view.serving().caps();
    let numbered: Vec<&str> = ground.view.catalogue().campaigns.iter().map(|campaign| campaign.id.as_str()).collect();
    let (mut left, mut decisions, mut shown) = (RoaringBitmap::new(), Decisions::default(), Vec::new());
    for (at, ordinal) in set.iter().enumerate() {
        if at % AT_ONCE == 0 && ground.watch.is_cancelled() {
            return Err(Wrong::BrokenOff);
        }
        shown.clear();
        shown.extend(before.into_iter().flat_map(|caps| caps.of(ordinal)).map(|it| (it.campaign, Timestamp(it.time))));
        if let Some(overlay) = &ground.overlay {
            overlay.exposures.of(ordinal, |campaign, time| shown.push((campaign, time)));
        }
        let names = shown.iter().filter_map(|(campaign, time)| Some((*numbered.get(*campaign as usize)?, *time)));
        if shown.is_empty() || rules.permit(ordinal, names, &mut decisions) {
            // Ordinals come in order, so this cannot fail.
            let _ = left.try_push(ordinal);
        }
    }
    Ok(left)
}

/// The limits that touch one campaign.
struct Rules {
    index: CampaignIndex,
    campaigns: Vec<Campaign>,
    /// The campaign's number among them.
    own: u32,
    keep: Vec<u16>,
    now: Timestamp,
}

impl Rules {
    /// Only campaigns of the same owner or group matter.
    fn new(campaign: &Campaign, catalogue: &Catalogue, now: Timestamp) -> Rules {
        let related = |other: &&Campaign| {
            other.id.owner() == campaign.id.owner() || (other.group.is_some() && other.group == campaign.group)
        };
        let mut campaigns: Vec<Campaign> = catalogue.campaigns.iter().filter(related).cloned().collect();
        // A draft is asked about as if it spoke to everybody who is left.
        let as_if = Campaign {
            status: Speaking::Active,
            include: Vec::new(),
            flight: campaign.flight.map(|flight| crate::audiences::catalogue::Flight { to: None, ..flight }),
            ..campaign.clone()
        };
        let own = match campaigns.binary_search_by(|other| other.id.cmp(&campaign.id)) {
            Ok(at) => {
                campaigns[at] = as_if;
                at
            }
            Err(at) => {
                campaigns.insert(at, as_if);
                at
            }
        };
        let begins = campaign.flight.and_then(|flight| flight.from).unwrap_or(now);
        let now = Timestamp(now.0.max(begins.0));
        let part = Catalogue {
            audiences: Vec::new(),
            campaigns: campaigns.clone(),
            groups: catalogue.groups.clone(),
            pressure: catalogue.pressure.clone(),
        };
        let keep = part.memory(now).into_iter().map(|memory| memory.keep).collect();
        Rules { index: CampaignIndex::new(&part), campaigns, own: own as u32, keep, now }
    }

    fn permit<'n>(
        &self,
        ordinal: u32,
        shown: impl Iterator<Item = (&'n str, Timestamp)>,
        decisions: &mut Decisions,
    ) -> bool {
        let names = self.campaigns.iter().map(|campaign| campaign.id.as_str());
        let since = Exposures::new(names.zip(self.keep.iter().copied()), 1);
        for (campaign, time) in shown {
            since.record(ordinal, campaign, time);
        }
        self.index.decide(Status::Matched, &[], &[], self.now, decisions);
        let past = Past::Known { matched: &[ordinal], before: NOTHING, since: &since };
        self.index.limit(&past, self.now, |candidate| candidate == self.own, decisions);
        decisions.all[self.own as usize].verdict() == Verdict::Target
    }
}
