//! Campaigns against the catalogue: references, kinds, groups.

use super::Found;
use super::known::Known;
use crate::audiences::catalogue::Group;
use crate::audiences::definitions::Drafts;
use crate::audiences::definitions::campaign::CampaignDraft;
use crate::audiences::definitions::group::GroupDraft;
use crate::audiences::typecheck::unknown_audience;
use crate::audiences::{AudienceKind, Catalogue, Diagnostic};
use crate::schema::AudienceId;
use std::collections::{BTreeMap, BTreeSet};

/// Checks every campaign's references.
pub(super) fn check(catalogue: &Catalogue, drafts: &Drafts, known: &Known, found: &mut Found) {
    for draft in &drafts.campaigns {
        let campaign = &draft.campaign;
        let known = known.to(draft.file, campaign.id.owner());
        for (id, span) in campaign.include.iter().zip(&draft.include_spans) {
            match catalogue.number(id).filter(|_| known.contains(id)) {
                None => found.push((draft.file, unknown_audience(id, span.clone(), known.iter()))),
                Some(at) if catalogue.audiences[at as usize].kind == AudienceKind::Suppress => {
                    let message = format!("`{id}` is a suppress audience: nobody is spoken to for being in it");
                    let error = Diagnostic::error("include-of-suppress", span.clone(), message);
                    found.push((draft.file, error.help("move it to `exclude`, or define a target audience")));
                }
                Some(_) => {}
            }
        }
        for (exclude, span) in campaign.exclude.iter().zip(&draft.exclude_spans) {
            let id = &exclude.audience;
            if !known.contains(id) {
                found.push((draft.file, unknown_audience(id, span.clone(), known.iter())));
            } else if campaign.include.contains(id) {
                let message = format!("`{id}` is included and excluded: exclusion wins");
                let warning = Diagnostic::warning("included-and-excluded", span.clone(), message);
                found.push((draft.file, warning.help("remove one of the two")));
            }
        }
    }
}

/// The groups by id, those without an owner once for every owner whose campaigns name them.
pub(super) fn groups(drafts: &Drafts, restricted: &[bool], found: &mut Found) -> Vec<Group> {
    let mut named: BTreeMap<&str, Vec<&CampaignDraft>> = BTreeMap::new();
    for draft in &drafts.campaigns {
        if let Some(group) = &draft.campaign.group {
            named.entry(group).or_default().push(draft);
        }
    }
    let mut groups: BTreeMap<AudienceId, Group> = BTreeMap::new();
    for draft in &drafts.groups {
        let owners: BTreeSet<&str> = match &draft.owner {
            Some(owner) => BTreeSet::from([owner.as_str()]),
            None => named
                .keys()
                .filter_map(|id| id.split_once('/'))
                .filter(|(_, id)| *id == draft.name)
                .map(|(o, _)| o)
                .collect(),
        };
        let mut most = 0;
        for owner in owners {
            let id = AudienceId::new(owner, &draft.name);
            most = most.max(named.get(id.as_str()).map_or(0, Vec::len));
            let group = Group { id: id.clone(), at_most: draft.at_most, per: draft.per };
            if groups.insert(id.clone(), group).is_some() {
                let message = format!("the group `{id}` is defined twice");
                let error = Diagnostic::error("repeated-id", draft.span.clone(), message);
                found.push((draft.file, error.help("rename or remove one of them")));
            }
        }
        if most < 2 {
            let who = if most == 0 { "no campaign is" } else { "only one campaign is" };
            let message = format!("{who} in the group `{}`: there is nothing to choose between", draft.name);
            found.push((draft.file, Diagnostic::warning("unused-group", draft.span.clone(), message)));
        }
    }
    for (id, campaigns) in named {
        let there = groups.keys().any(|known| known.as_str() == id);
        for draft in campaigns {
            let own = draft.campaign.id.owner();
            let foreign = restricted[draft.file] && id.split_once('/').is_some_and(|(owner, _)| owner != own);
            if !there || foreign {
                let usable = |group: &&GroupDraft| {
                    !restricted[draft.file] || group.owner.as_deref().is_none_or(|owner| owner == own)
                };
                let names = drafts.groups.iter().filter(usable).map(|group| group.name.as_str());
                let short = id.split_once('/').map_or(id, |(_, name)| name);
                let error =
                    Diagnostic::error("unknown-group", draft.group_span.clone(), format!("there is no group `{id}`"));
                let error = error.nearest(short, names);
                let help = error
                    .help
                    .is_empty()
                    .then(|| format!("define it: `groups: {{ {short}: {{ at_most: 1, per: 24h }} }}`"));
                found.push((draft.file, error.maybe_help(help)));
            }
        }
    }
    groups.into_values().collect()
}
