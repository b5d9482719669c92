//! What changed definitions would do: who joins, leaves and stays, in every audience and campaign that rests on them; and whether
//! publishing would have to be confirmed, and why.

use super::ask::{is_foreign, rule_of};
use super::remark::{Remark, fault};
use super::{Ground, Over, Wrong};
use crate::audiences::order::references;
use crate::audiences::{Campaign, Catalogue, Expr};
use crate::planner::protect::{Teller, Told};
use crate::schema::AudienceId;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::time::Instant;
use utoipa::ToSchema;

/// Audiences and campaigns that one answer tells of.
const MOST: usize = 500;

/// What would they do?
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = PreviewQuestion)]
#[serde(deny_unknown_fields, default)]
pub struct Question {
    /// Changed and new definitions: an object (one definition, or `audiences` and `campaigns`), or a text in YAML.
    #[schema(value_type = Option<Object>)]
    pub definitions: Option<Box<RawValue>>,
    /// Audiences and campaigns (`owner/id`) that would be no more.
    pub remove: Vec<String>,
}

/// What they would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewAnswer)]
pub struct Answer {
    /// Every audience that changes or rests on one that does.
    pub audiences: Vec<OfAudience>,
    /// Every campaign that changes or rests on an audience that does.
    pub campaigns: Vec<OfCampaign>,
    /// How many more there are than are told of here.
    pub left_out: usize,
    /// Whether publishing asks for a confirmation.
    pub needs_confirmation: bool,
    /// Why.
    pub reasons: Vec<String>,
    /// What is legal and probably not meant.
    pub lint: Vec<Remark>,
    /// Over what it was counted.
    #[serde(flatten)]
    pub over: Over,
}

/// What becomes of an audience.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewOfAudience)]
pub struct OfAudience {
    /// The audience.
    #[schema(value_type = String)]
    pub id: AudienceId,
    /// `new`, `changed`, `removed`, or `depends` on one of those.
    pub change: &'static str,
    /// How many join, leave and stay.
    #[serde(flatten)]
    pub moves: Moves,
}

/// What becomes of a campaign: of those in one of its includes and none of its excludes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewOfCampaign)]
pub struct OfCampaign {
    /// The campaign.
    #[schema(value_type = String)]
    pub id: AudienceId,
    /// `new`, `changed`, `removed`, or `depends` on an audience that changes.
    pub change: &'static str,
    /// How many join, leave and stay.
    #[serde(flatten)]
    pub moves: Moves,
    /// Exclusions that it has no more.
    #[schema(value_type = Vec<String>)]
    pub exclusions_removed: Vec<AudienceId>,
}

/// Who moves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreviewMoves)]
pub struct Moves {
    /// In it now.
    pub before: Told,
    /// In it then.
    pub after: Told,
    /// In it then and not now.
    pub join: Told,
    /// In it now and not then.
    pub leave: Told,
    /// In it now and then.
    pub stay: Told,
    /// Joins and leaves as a share of those in it now; `null` when nobody is, or it may not be told.
    pub moved_share: Option<f64>,
}

/// Joins and leaves as a share of those who were in it; `None` when nobody was.
pub fn moved_share(before: &RoaringBitmap, after: &RoaringBitmap) -> Option<f64> {
    let moved = (before ^ after).len();
    (!before.is_empty()).then(|| moved as f64 / before.len() as f64)
}

/// Who is in it before and after.
pub(super) struct Sets {
    pub before: RoaringBitmap,
    pub after: RoaringBitmap,
}

impl Sets {
    fn moves(&self, teller: &Teller<'_>) -> Moves {
        let Sets { before, after } = self;
        let share = moved_share(before, after).filter(|_| !teller.is_guarded());
        Moves {
            before: teller.tell(before),
            after: teller.tell(after),
            join: teller.tell(&(after - before)),
            leave: teller.tell(&(before - after)),
            stay: teller.tell(&(before & after)),
            moved_share: share,
        }
    }
}

/// Counts.
///
/// # Errors
/// What is wrong with the definitions, or nobody waits any more.
pub fn preview(ground: &Ground<'_>, question: &Question) -> Result<Answer, Wrong> {
    let since = Instant::now();
    let before = ground.view.catalogue();
    let (mut after, defines, mut lint) = match &question.definitions {
        Some(definitions) => ground.defined(definitions, "/definitions")?,
        None if question.remove.is_empty() => {
            let detail = "`definitions` or `remove` is expected";
            return Err(Wrong::Asked(vec![fault("missing-key", "", detail, "send the definitions that change")]));
        }
        None => (before.clone(), Default::default(), Vec::new()),
    };
    let removed = remove(ground, &mut after, &question.remove)?;
    lint.extend(still_named(ground, &after, &removed));
    let mut touched: BTreeSet<AudienceId> = defines.audiences.iter().chain(&removed).cloned().collect();
    spread(before, &mut touched);
    spread(&after, &mut touched);
    let own = |id: &&AudienceId| ground.who.sees(id.owner());
    let is_audience = |id: &&AudienceId| before.number(id).is_some() || after.number(id).is_some();
    let audiences: Vec<AudienceId> = touched.iter().filter(is_audience).filter(own).cloned().collect();
    let campaigns = campaigns(before, &after, &touched, &defines.campaigns, &removed);
    let campaigns: Vec<AudienceId> = campaigns.into_iter().filter(|id| ground.who.sees(id.owner())).collect();
    let left_out = audiences.len().saturating_sub(MOST) + campaigns.len().saturating_sub(MOST);
    let (audiences, campaigns) = (&audiences[..audiences.len().min(MOST)], &campaigns[..campaigns.len().min(MOST)]);
    let rules = |catalogue: &Catalogue| -> Vec<Expr> {
        let of_campaign = |id| catalogue.campaign(id).map(|at| rule_of(&catalogue.campaigns[at as usize]));
        let nobody = || Expr::Not(Box::new(Expr::Everyone));
        let audiences = audiences.iter().cloned().map(Expr::InAudience);
        audiences.chain(campaigns.iter().map(|id| of_campaign(id).unwrap_or_else(nobody))).collect()
    };
    let (rules_before, rules_after) = (rules(before), rules(&after));
    let foreign = |catalogue: &Catalogue, rules: &[Expr]| rules.iter().any(|it| is_foreign(ground.who, catalogue, it));
    let foreign = foreign(before, &rules_before) || foreign(&after, &rules_after);
    let teller = ground.teller(foreign, rules_after.len())?;
    let sets_before = ground.members(&rules_before.iter().collect::<Vec<_>>(), before)?;
    let sets_after = ground.members(&rules_after.iter().collect::<Vec<_>>(), &after)?;
    let mut sets = sets_before.into_iter().zip(sets_after).map(|(before, after)| Sets { before, after });
    let mut reasons = Vec::new();
    let change = |id: &AudienceId, defined: &[AudienceId], was: bool| match (removed.contains(id), defined.contains(id))
    {
        (true, _) => "removed",
        (_, true) if was => "changed",
        (_, true) => "new",
        _ => "depends",
    };
    let audiences: Vec<OfAudience> = audiences
        .iter()
        .zip(&mut sets)
        .map(|(id, sets)| {
            reasons.extend(too_far(ground, id, &sets, &teller));
            let change = change(id, &defines.audiences, before.number(id).is_some());
            OfAudience { id: id.clone(), change, moves: sets.moves(&teller) }
        })
        .collect();
    let campaigns: Vec<OfCampaign> = campaigns
        .iter()
        .zip(sets)
        .map(|(id, sets)| {
            let exclusions_removed = exclusions_removed(before, &after, id);
            let lost = exclusions_removed.iter();
            reasons.extend(lost.map(|audience| format!("the campaign `{id}` would no longer exclude `{audience}`")));
            let change = change(id, &defines.campaigns, before.campaign(id).is_some());
            OfCampaign { id: id.clone(), change, moves: sets.moves(&teller), exclusions_removed }
        })
        .collect();
    let (needs_confirmation, over) = (!reasons.is_empty(), ground.over(since));
    Ok(Answer { audiences, campaigns, left_out, needs_confirmation, reasons, lint, over })
}

/// Why a change of this audience asks for a confirmation, if it does. Whether protected counts pass a threshold would tell of
/// one person with one question: there it is always asked for.
fn too_far(ground: &Ground<'_>, id: &AudienceId, sets: &Sets, teller: &Teller<'_>) -> Option<String> {
    if teller.is_guarded() {
        return Some(format!("`{id}` is told of with audiences of another owner: how far it moves is not told"));
    }
    let most = ground.loaded.config.publishing.confirm_moved_share;
    let moved = moved_share(&sets.before, &sets.after).filter(|moved| *moved > most)?;
    let (moved, most) = (moved * 100.0, most * 100.0);
    Some(format!("{moved:.0} % of the members of `{id}` would join or leave: more than {most:.0} %"))
}

/// Exclusions of a campaign that it has no more.
pub fn exclusions_removed(before: &Catalogue, after: &Catalogue, campaign: &AudienceId) -> Vec<AudienceId> {
    let Some(was) = before.campaign(campaign).map(|at| &before.campaigns[at as usize]) else { return Vec::new() };
    let Some(is) = after.campaign(campaign).map(|at| &after.campaigns[at as usize]) else { return Vec::new() };
    let kept = |id: &AudienceId| is.exclude.iter().any(|it| it.audience == *id) && after.number(id).is_some();
    was.exclude.iter().map(|it| it.audience.clone()).filter(|id| !kept(id)).collect()
}

/// Takes away what is to be no more.
fn remove(ground: &Ground<'_>, after: &mut Catalogue, names: &[String]) -> Result<Vec<AudienceId>, Wrong> {
    let mut removed = Vec::new();
    for name in names {
        let id = AudienceId::resolve(name, ground.who.owner.as_deref().unwrap_or_default());
        let there = after.number(&id).is_some() || after.campaign(&id).is_some();
        if !there || !ground.who.sees(id.owner()) {
            return Err(ground.absent("audience", &id, "/remove"));
        }
        after.audiences.retain(|audience| audience.id != id);
        after.campaigns.retain(|campaign| campaign.id != id);
        removed.push(id);
    }
    Ok(removed)
}

/// Whatever of the asker's still names what would be no more.
fn still_named(ground: &Ground<'_>, after: &Catalogue, removed: &[AudienceId]) -> Vec<Remark> {
    let gone = |id: &AudienceId| removed.contains(id) && after.number(id).is_none();
    let by_campaign = |campaign: &Campaign| {
        let named = campaign.include.iter().chain(campaign.exclude.iter().map(|it| &it.audience));
        named.filter(|id| gone(id)).cloned().map(|id| (campaign.id.clone(), id)).collect::<Vec<_>>()
    };
    let of_rules = after.audiences.iter().flat_map(|audience| {
        let named = audience.rule.iter().flat_map(|rule| crate::audiences::rule::leaves(&rule.0).audiences);
        named.filter(|id| gone(id)).map(|id| (audience.id.clone(), id.clone())).collect::<Vec<_>>()
    });
    let all = of_rules.chain(after.campaigns.iter().flat_map(by_campaign));
    let remark = |(by, gone): (AudienceId, AudienceId)| Remark {
        severity: "error".to_owned(),
        code: "still-named".to_owned(),
        message: format!("`{by}` still names `{gone}`"),
        help: vec![format!("change `{by}` first, or remove it too")],
        line: 1,
        column: 1,
        length: None,
        field: None,
    };
    all.filter(|(by, _)| ground.who.sees(by.owner())).map(remark).collect()
}

/// Adds whatever rests on an audience that is touched.
fn spread(catalogue: &Catalogue, touched: &mut BTreeSet<AudienceId>) {
    let references = references(catalogue);
    for at in crate::audiences::order::evaluation_order(catalogue) {
        let rests = |to: &u32| touched.contains(&catalogue.audiences[*to as usize].id);
        let by_name = catalogue.audiences[at as usize].rule.iter();
        let named = by_name.flat_map(|rule| crate::audiences::rule::leaves(&rule.0).audiences);
        if references[at as usize].iter().any(rests) || named.into_iter().any(|id| touched.contains(id)) {
            touched.insert(catalogue.audiences[at as usize].id.clone());
        }
    }
}

/// The campaigns that change, or name an audience that is touched.
fn campaigns(
    before: &Catalogue,
    after: &Catalogue,
    touched: &BTreeSet<AudienceId>,
    defined: &[AudienceId],
    removed: &[AudienceId],
) -> BTreeSet<AudienceId> {
    let names = |campaign: &&Campaign| {
        let excluded = campaign.exclude.iter().map(|it| &it.audience);
        campaign.include.iter().chain(excluded).any(|id| touched.contains(id))
    };
    let resting = before.campaigns.iter().chain(&after.campaigns).filter(names).map(|campaign| campaign.id.clone());
    let gone = removed.iter().filter(|id| before.campaign(id).is_some());
    resting.chain(defined.iter().cloned()).chain(gone.cloned()).collect()
}
