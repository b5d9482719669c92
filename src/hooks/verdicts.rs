//! Verdicts by campaign and reason, counted by each worker for itself, in plain memory that nobody else touches meanwhile.
//!
//! Most campaigns get what they get of everybody in the same situation. So a [`Sheet`] knows, for every status of a lookup, what
//! is said of somebody in no audience (the *common* verdicts), and counts how often each caller's question was of that status;
//! campaign by campaign it counts only what differs: one more of the verdict that was said, one less of the common one. Both
//! together give every count exactly ([`total`]), and a decision costs a comparison of bytes, not a count a campaign.
//! Must not do: files, waiting.

use super::call::Party;
use super::live::{Scratch, Served};
use crate::decide::{CampaignIndex, Decision, Decisions, Status};
use crate::schema::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

#[cfg(test)]
mod tests;

const DECISIONS: usize = Decision::ALL.len();
const STATUSES: usize = Status::ALL.len();
/// A question about every campaign.
pub(super) const EVERY: Option<std::iter::Empty<u32>> = None;
/// Verdicts that are compared at once.
const BLOCK: usize = 64;

/// What the numbers of a sheet stand for: a generation's campaigns, and which of them each caller is told.
#[derive(Debug)]
pub struct Counted {
    campaigns: Arc<CampaignIndex>,
    ids: Box<[Arc<str>]>,
    /// By caller's number, then by campaign.
    told: Vec<Arc<[bool]>>,
}

impl Counted {
    /// Of a generation. `told`: by caller's number, for each campaign whether the caller may know of it.
    pub(super) fn new<'a>(
        campaigns: Arc<CampaignIndex>,
        ids: impl Iterator<Item = &'a str>,
        told: Vec<Arc<[bool]>>,
    ) -> Self {
        Counted { campaigns, ids: ids.map(Arc::from).collect(), told }
    }
}

/// What a worker counts of the decisions of one generation, from one change of what is said of everybody to the next.
#[derive(Debug)]
pub struct Sheet {
    of: Arc<Counted>,
    /// From when (included) to when (excluded) the common verdicts hold.
    holds: (i64, i64),
    /// The common verdicts: by status, then by campaign.
    common: Box<[Decision]>,
    /// Questions about every campaign: by caller, then by status.
    asked: Box<[u64]>,
    /// How often more than is common each verdict was said; less than never wraps. By campaign, then by verdict.
    extra: Box<[i32]>,
}

impl Sheet {
    fn new(of: &Arc<Counted>, now: Timestamp) -> Self {
        let (mut common, mut said) = (Vec::new(), Decisions::default());
        for status in Status::ALL {
            of.campaigns.decide(status, &[], &[], now, &mut said);
            common.extend_from_slice(&said.all);
        }
        Sheet {
            of: Arc::clone(of),
            holds: of.campaigns.steady(now),
            common: common.into(),
            asked: vec![0; of.told.len() * STATUSES].into(),
            extra: vec![0; of.ids.len() * DECISIONS].into(),
        }
    }

    fn is_of(&self, of: &Arc<Counted>, now: Timestamp) -> bool {
        Arc::ptr_eq(&self.of, of) && self.holds.0 <= now.0 && now.0 < self.holds.1
    }

    fn common(&self, status: Status) -> &[Decision] {
        let campaigns = self.of.ids.len();
        &self.common[status as usize * campaigns..][..campaigns]
    }

    /// Counts what was said of every campaign that a caller is told.
    fn count_all(&mut self, caller: usize, status: Status, said: &[Decision]) {
        let Some(told) = self.of.told.get(caller) else { return };
        self.asked[caller * STATUSES + status as usize] += 1;
        let campaigns = self.of.ids.len();
        let common = &self.common[status as usize * campaigns..][..campaigns];
        let blocks = said.chunks(BLOCK).zip(common.chunks(BLOCK));
        for (block, (said, common)) in blocks.enumerate() {
            // Without leaving early, so that the processor compares many at once.
            let differ = said.iter().zip(common).fold(false, |differ, (said, common)| differ | (said != common));
            if !differ {
                continue;
            }
            let pairs = (block * BLOCK..).zip(said.iter().zip(common)).filter(|(_, (said, common))| said != common);
            for (campaign, (said, common)) in pairs {
                if told[campaign] {
                    let row = &mut self.extra[campaign * DECISIONS..][..DECISIONS];
                    row[*said as usize] = row[*said as usize].wrapping_add(1);
                    row[*common as usize] = row[*common as usize].wrapping_sub(1);
                }
            }
        }
    }

    /// Counts what was said of a campaign that was asked about by its name.
    fn count_one(&mut self, campaign: u32, said: Decision) {
        if let Some(cell) = self.extra.get_mut(campaign as usize * DECISIONS + said as usize) {
            *cell = cell.wrapping_add(1);
        }
    }

    /// Begins again at nothing.
    fn clear(&mut self) {
        self.asked.fill(0);
        self.extra.fill(0);
    }

    /// Every count of it.
    fn each(&self, mut see: impl FnMut(&Arc<str>, Decision, i64)) {
        let then = Timestamp(self.holds.0);
        for (caller, told) in self.of.told.iter().enumerate() {
            for status in Status::ALL {
                let asked = self.asked[caller * STATUSES + status as usize];
                if asked == 0 {
                    continue;
                }
                for (number, said) in (0u32..).zip(self.common(status)) {
                    if told[number as usize] && self.of.campaigns.speaks(number, then) {
                        see(&self.of.ids[number as usize], *said, asked as i64);
                    }
                }
            }
        }
        for (id, row) in self.of.ids.iter().zip(self.extra.chunks(DECISIONS)) {
            for (said, extra) in Decision::ALL.into_iter().zip(row).filter(|(_, extra)| **extra != 0) {
                see(id, said, (*extra).into());
            }
        }
    }
}

/// What a worker counts: the last sheet is in use, those before wait to be taken.
#[derive(Debug, Default)]
pub struct Sheets(Vec<Sheet>);

impl Sheets {
    /// The sheet to count on. A new one is made when what is in service, or what is said of everybody, has changed.
    fn sheet(&mut self, of: &Arc<Counted>, now: Timestamp) -> Option<&mut Sheet> {
        if self.0.last().is_none_or(|sheet| !sheet.is_of(of, now)) {
            self.0.push(Sheet::new(of, now));
        }
        self.0.last_mut()
    }

    /// Takes what was counted, and leaves a clear sheet to go on with, if there is one.
    pub(super) fn take(&mut self, clear: Option<Sheet>) -> Vec<Sheet> {
        std::mem::replace(&mut self.0, clear.into_iter().collect())
    }
}

/// Which of some sheets, all of them clear, serve to go on counting.
pub fn reusable(sheets: Vec<Sheet>, served: Option<&Served>, now: Timestamp) -> Vec<Sheet> {
    sheets.into_iter().filter(|sheet| served.is_some_and(|served| sheet.is_of(&served.counted, now))).collect()
}

/// Adds what sheets counted to `counts`, and leaves them clear.
pub fn total(sheets: &mut [Sheet], counts: &mut BTreeMap<(Arc<str>, Decision), i64>) {
    for sheet in sheets {
        sheet.each(|campaign, said, count| *counts.entry((Arc::clone(campaign), said)).or_default() += count);
        sheet.clear();
    }
}

impl Scratch {
    /// Counts what was decided: on the campaigns in question, or (`None`) on every one that the caller is told and that speaks.
    /// Not to be called for a test.
    pub(super) fn count_verdicts(
        &mut self,
        party: Party<'_>,
        status: Status,
        now: Timestamp,
        asked: Option<impl Iterator<Item = u32>>,
    ) {
        let Some(served) = party.served else { return };
        let (caller, said) = (self.tallies.number(), &self.decisions.all);
        let Some(sheet) = self.sheets.sheet(&served.counted, now) else { return };
        match asked {
            None => sheet.count_all(caller, status, said),
            Some(asked) => asked
                .filter_map(|campaign| Some((campaign, *said.get(campaign as usize)?)))
                .for_each(|(campaign, said)| sheet.count_one(campaign, said)),
        }
    }
}
