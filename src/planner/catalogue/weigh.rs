//! What a change does to those who are in audiences and to campaigns, as far as somebody must confirm it; and the token that
//! confirms exactly this change.

use super::super::View;
use super::base::Base;
use crate::audiences::order::references;
use crate::audiences::versions::{Item, Kind, State};
use crate::audiences::{Audience, AudienceKind, Catalogue, Expr};
use crate::evaluate::Plan;
use crate::evaluate::survey::Watch;
use crate::schema::AudienceId;
use roaring::RoaringBitmap;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How many audiences are evaluated at once: their members are held in memory.
const AT_ONCE: usize = 16;
/// For how long members are counted. What is not counted by then must be confirmed unseen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why something must be confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// A stable name for tools.
    pub code: &'static str,
    /// What it is about.
    pub kind: Kind,
    /// `owner/id`.
    pub id: AudienceId,
    /// A sentence.
    pub detail: String,
    /// Members before, joins, leaves.
    pub moved: Option<(u64, u64, u64)>,
}

/// What a change touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Affected {
    /// Audiences that were changed, and those that refer to them.
    pub audiences: BTreeSet<AudienceId>,
    /// Campaigns that were changed, and those that use these audiences.
    pub campaigns: BTreeSet<AudienceId>,
}

/// What differs between two catalogues.
pub fn affected(before: &Catalogue, after: &Catalogue, items: &[Item]) -> Affected {
    let changed = |kind: Kind| items.iter().filter(move |item| item.kind == kind).map(|item| item.id.clone());
    let mut audiences: BTreeSet<AudienceId> = changed(Kind::Audience).collect();
    for catalogue in [before, after] {
        dependants(catalogue, &mut audiences);
    }
    let mut campaigns: BTreeSet<AudienceId> = changed(Kind::Campaign).collect();
    for campaign in before.campaigns.iter().chain(&after.campaigns) {
        let excluded = campaign.exclude.iter().map(|exclude| &exclude.audience);
        if campaign.include.iter().chain(excluded).any(|id| audiences.contains(id)) {
            campaigns.insert(campaign.id.clone());
        }
    }
    Affected { audiences, campaigns }
}

/// Adds those that refer to some of these audiences, directly or not.
fn dependants(catalogue: &Catalogue, some: &mut BTreeSet<AudienceId>) {
    let references = references(catalogue);
    let order = crate::audiences::order::evaluation_order(catalogue);
    let mut touched: Vec<bool> = catalogue.audiences.iter().map(|audience| some.contains(&audience.id)).collect();
    for at in order {
        touched[at as usize] |= references[at as usize].iter().any(|other| touched[*other as usize]);
    }
    let ids = catalogue.audiences.iter().zip(touched).filter(|(_, touched)| *touched);
    some.extend(ids.map(|(audience, _)| audience.id.clone()));
}

/// Everything that must be confirmed.
pub fn reasons(
    before: &Catalogue,
    after: &Catalogue,
    items: &[Item],
    affected: &Affected,
    view: Option<&View>,
    share: f64,
) -> Vec<Reason> {
    let mut reasons = exclusions(before, after, items);
    reasons.extend(archived(before, items));
    if let Some(view) = view {
        reasons.extend(moved(before, after, affected, view, share));
    }
    reasons
}

/// Exclusions that campaigns lose.
fn exclusions(before: &Catalogue, after: &Catalogue, items: &[Item]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for item in items.iter().filter(|item| item.kind == Kind::Campaign) {
        let of = |catalogue: &'_ Catalogue| catalogue.campaign(&item.id).map(|at| at as usize);
        let (Some(old), Some(new)) = (of(before), of(after)) else { continue };
        let (old, new) = (&before.campaigns[old], &after.campaigns[new]);
        for exclude in &old.exclude {
            let audience = &exclude.audience;
            let reason = |code, what: String| Reason {
                code,
                kind: Kind::Campaign,
                id: item.id.clone(),
                detail: format!("the campaign `{}` {what}", item.id),
                moved: None,
            };
            match new.exclude.iter().find(|now| now.audience == *audience) {
                None => reasons.push(reason("exclusion_removed", format!("excludes `{audience}` no more"))),
                Some(now) if exclude.hard && !now.hard => {
                    let what = format!(
                        "may speak while it is not known who is in `{audience}`: its exclusion is hard no more"
                    );
                    reasons.push(reason("exclusion_softened", what));
                }
                Some(_) => {}
            }
        }
    }
    reasons
}

/// Suppress audiences in use that go, or that are for targeting from here on.
fn archived(before: &Catalogue, items: &[Item]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for item in items.iter().filter(|item| item.kind == Kind::Audience && item.state == State::Archived) {
        let Some(at) = before.number(&item.id) else { continue };
        if before.audiences[at as usize].kind != AudienceKind::Suppress {
            continue;
        }
        let campaigns =
            before.campaigns.iter().filter(|it| it.exclude.iter().any(|each| each.audience == item.id)).count();
        let rules = references(before).iter().filter(|of| of.contains(&at)).count();
        if campaigns + rules > 0 {
            let detail = format!(
                "the suppress audience `{}` is in use: by {campaigns} campaigns and {rules} audiences",
                item.id
            );
            reasons.push(Reason {
                code: "suppress_archived",
                kind: Kind::Audience,
                id: item.id.clone(),
                detail,
                moved: None,
            });
        }
    }
    reasons
}

/// Audiences whose members move by more than a share of those there were.
fn moved(before: &Catalogue, after: &Catalogue, affected: &Affected, view: &View, share: f64) -> Vec<Reason> {
    let both: Vec<(&Audience, &Audience)> = affected
        .audiences
        .iter()
        .filter_map(|id| {
            Some((&before.audiences[before.number(id)? as usize], &after.audiences[after.number(id)? as usize]))
        })
        .collect();
    let begun = Instant::now();
    let mut reasons = Vec::new();
    for (at, some) in both.chunks(AT_ONCE).enumerate() {
        let counted = (begun.elapsed() < PATIENCE).then(|| {
            Some((
                members(before, some.iter().map(|(old, _)| *old), view)?,
                members(after, some.iter().map(|(_, new)| *new), view)?,
            ))
        });
        let Some((old, new)) = counted.flatten() else {
            let left = both.len() - at * AT_ONCE;
            let detail = format!(
                "the change touches so much that {left} audiences could not be counted: nobody knows how far they move"
            );
            let id = some.first().map(|(old, _)| old.id.clone());
            reasons.extend(id.map(|id| Reason { code: "not_counted", kind: Kind::Audience, id, detail, moved: None }));
            break;
        };
        for (((old, new), (audience, _)), _) in old.iter().zip(&new).zip(some).zip(0..) {
            let (joins, leaves) = ((new - old).len(), (old - new).len());
            if old.is_empty() || (joins + leaves) as f64 <= share * old.len() as f64 {
                continue;
            }
            let percent = (joins + leaves) as f64 / old.len() as f64 * 100.0;
            reasons.push(Reason {
                code: "members_moved",
                kind: Kind::Audience,
                id: audience.id.clone(),
                detail: format!(
                    "of {} in `{}` {leaves} leave and {joins} join: {percent:.0} % move, and more than {:.0} % must be confirmed",
                    old.len(), audience.id, share * 100.0
                ),
                moved: Some((old.len(), joins, leaves)),
            });
        }
    }
    reasons
}

/// Who is in some audiences of a catalogue, over the generation's columns, at its minute.
fn members<'c>(
    catalogue: &Catalogue,
    some: impl Iterator<Item = &'c Audience>,
    view: &View,
) -> Option<Vec<RoaringBitmap>> {
    let some: Vec<&Audience> = some.collect();
    let rules: Vec<Expr> = some.iter().map(|audience| Expr::InAudience(audience.id.clone())).collect();
    let rules: Vec<&Expr> = rules.iter().collect();
    let plan = Plan::of_rules(&rules, catalogue, view.columns(), view.as_of(), view.zone());
    let mut members = plan.members(&Watch::default())?;
    for (audience, members) in some.iter().zip(&mut members) {
        if !audience.is_valid(view.as_of()) {
            members.clear();
        }
    }
    Some(members)
}

/// What confirms exactly this change, made against exactly this state.
pub fn token(base: &Base, items: &[Item], who: Option<&str>) -> String {
    let mut hash = Sha256::new();
    let mut put = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    put(&base.versions.last().to_le_bytes());
    put(who.unwrap_or("*").as_bytes());
    for (file, text) in &base.files {
        put(file.as_os_str().as_encoded_bytes());
        put(text.as_bytes());
    }
    for item in items {
        put(format!("{} {} {:?}", item.kind, item.id, item.state).as_bytes());
        put(item.text.as_deref().unwrap_or("").as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
