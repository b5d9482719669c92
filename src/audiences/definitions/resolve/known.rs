//! Which audiences a definition may name: files all of them; what came through the API its owner's own and those shared with
//! it. To whom an audience is not shared, it is not there.

use crate::audiences::definitions::Drafts;
use crate::schema::AudienceId;
use std::collections::{BTreeMap, BTreeSet};

/// The audiences that there are, for each who may name some of them.
pub(super) struct Known<'a> {
    all: BTreeSet<AudienceId>,
    /// By owner, for those who are told only of what is theirs or shared.
    own: BTreeMap<&'a str, BTreeSet<AudienceId>>,
    restricted: &'a [bool],
}

impl<'a> Known<'a> {
    pub(super) fn of(drafts: &'a Drafts, restricted: &'a [bool]) -> Self {
        let audiences = drafts.audiences.iter().map(|draft| (draft.file, draft.audience.id.owner()));
        let campaigns = drafts.campaigns.iter().map(|draft| (draft.file, draft.campaign.id.owner()));
        let mut own: BTreeMap<&str, BTreeSet<AudienceId>> = audiences
            .chain(campaigns)
            .filter(|(file, _)| restricted[*file])
            .map(|(_, it)| (it, BTreeSet::new()))
            .collect();
        for audience in drafts.audiences.iter().map(|draft| &draft.audience) {
            if let Some(its) = own.get_mut(audience.id.owner()) {
                its.insert(audience.id.clone());
            }
            if audience.share == Default::default() {
                continue;
            }
            for (_, theirs) in own.iter_mut().filter(|(owner, _)| audience.share.permits(owner)) {
                theirs.insert(audience.id.clone());
            }
        }
        let all = drafts.audiences.iter().map(|draft| draft.audience.id.clone()).collect();
        Known { all, own, restricted }
    }

    /// Those that a definition of a file and an owner may name.
    pub(super) fn to(&self, file: usize, owner: &str) -> &BTreeSet<AudienceId> {
        match self.restricted[file] {
            true => self.own.get(owner).unwrap_or(&self.all),
            false => &self.all,
        }
    }
}
