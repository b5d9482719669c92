//! A campaign's funnel: everybody -> in target -> not excluded -> permitted -> under the caps -> seen lately, and how many are
//! lost at each step. What limits say is `decide`'s.

mod limits;
mod permitted;

use super::ask::{is_foreign, rule_of};
use super::reach::bitmap;
use super::remark::{Remark, fault};
use super::{Ground, Over, Wrong};
use crate::audiences::{Campaign, Catalogue, Expr};
use crate::planner::protect::{Teller, Told};
use crate::schema::AudienceId;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::time::Instant;
use utoipa::ToSchema;

/// Whom does a campaign reach, and where are the others lost?
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = FunnelQuestion)]
#[serde(deny_unknown_fields, default)]
pub struct Question {
    /// A published campaign: `owner/id`, or `id` of the asker's own.
    pub campaign: Option<String>,
    /// A campaign's definition, published or not: an object, or a text in YAML.
    #[schema(value_type = Option<Object>)]
    pub definition: Option<Box<RawValue>>,
    /// The last step: who was seen in the bidstream within so many days; default 7.
    #[schema(minimum = 1, maximum = 400)]
    pub seen_days: Option<u32>,
}

/// A campaign's funnel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FunnelAnswer)]
pub struct Answer {
    /// The campaign.
    #[schema(value_type = String)]
    pub campaign: AudienceId,
    /// Everybody first; each step looks at those that the one before left.
    pub steps: Vec<Step>,
    /// What each exclusion takes from those in target.
    pub excludes: Vec<Excluded>,
    /// What is legal and probably not meant.
    pub lint: Vec<Remark>,
    /// Over what they were counted. Whom limits and objections leave is looked at now.
    #[serde(flatten)]
    pub over: Over,
}

/// A step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FunnelStep)]
pub struct Step {
    /// `everybody`, `in_target`, `not_excluded`, `permitted`, `under_caps` or `seen`.
    pub step: &'static str,
    /// Who is left; `null` when nobody knows.
    pub left: Option<Told>,
    /// Who was lost at this step.
    pub lost: Option<Told>,
}

/// What an exclusion takes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FunnelExcluded)]
pub struct Excluded {
    /// The audience.
    #[schema(value_type = String)]
    pub audience: AudienceId,
    /// Whether it is hard.
    pub hard: bool,
    /// How many of those in target are in it.
    pub lost: Told,
    /// How many are in no other exclusion: what removing this one would give back.
    pub lost_by_it_alone: Told,
}

/// Counts.
///
/// # Errors
/// What is wrong with the question, or nobody waits any more.
pub fn funnel(ground: &Ground<'_>, question: &Question) -> Result<Answer, Wrong> {
    let since = Instant::now();
    let (campaign, catalogue, lint) = campaign(ground, question)?;
    let teller = ground.teller(is_foreign(ground.who, &catalogue, &rule_of(&campaign)), 6 + campaign.exclude.len())?;
    let target = rule_of(&Campaign { exclude: Vec::new(), ..campaign.clone() });
    let excludes: Vec<Expr> = campaign.exclude.iter().map(|it| Expr::InAudience(it.audience.clone())).collect();
    let rules: Vec<&Expr> = std::iter::once(&target).chain(&excludes).collect();
    let mut sets = ground.members(&rules, &catalogue)?;
    let in_target = sets.remove(0);
    let excluded = sets.iter().fold(RoaringBitmap::new(), |all, set| all | set);
    let not_excluded = &in_target - &excluded;
    let permitted = permitted::permitted(ground, &not_excluded)?;
    let under_caps = limits::under(ground, &campaign, &catalogue, &permitted)?;
    let days = question.seen_days.unwrap_or(7);
    let seen = (ground.seen)(days).map(|mask| &under_caps & bitmap(&mask));
    let everybody = (0..ground.view.columns().ordinals()).collect::<RoaringBitmap>();
    let excludes = by_exclude(&campaign, &in_target, &sets, &teller);
    let sets = [
        ("everybody", Some(everybody)),
        ("in_target", Some(in_target)),
        ("not_excluded", Some(not_excluded)),
        ("permitted", Some(permitted)),
        ("under_caps", Some(under_caps)),
        ("seen", seen),
    ];
    let steps = steps(&sets, &teller);
    Ok(Answer { campaign: campaign.id, steps, excludes, lint, over: ground.over(since) })
}

fn steps(sets: &[(&'static str, Option<RoaringBitmap>)], teller: &Teller<'_>) -> Vec<Step> {
    let mut steps = Vec::with_capacity(sets.len());
    for (at, (step, set)) in sets.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| sets[before].1.as_ref());
        let left = set.as_ref().map(|set| match before {
            // How many profiles there are is no secret.
            None => Told::exactly(set.len()),
            Some(_) => teller.tell(set),
        });
        let lost = set.as_ref().map(|set| before.map_or(Told::exactly(0), |before| teller.tell(&(before - set))));
        steps.push(Step { step, left, lost });
    }
    steps
}

fn by_exclude(
    campaign: &Campaign,
    in_target: &RoaringBitmap,
    sets: &[RoaringBitmap],
    teller: &Teller<'_>,
) -> Vec<Excluded> {
    let lost: Vec<RoaringBitmap> = sets.iter().map(|set| in_target & set).collect();
    let alone = |at: usize| {
        let others = lost.iter().enumerate().filter(|(other, _)| *other != at);
        others.fold(lost[at].clone(), |alone, (_, other)| alone - other)
    };
    let told = campaign.exclude.iter().enumerate().map(|(at, exclude)| Excluded {
        audience: exclude.audience.clone(),
        hard: exclude.hard,
        lost: teller.tell(&lost[at]),
        lost_by_it_alone: teller.tell(&alone(at)),
    });
    told.collect()
}

/// The campaign that is asked about, and what its audiences are.
fn campaign<'v>(
    ground: &Ground<'v>,
    question: &Question,
) -> Result<(Campaign, Cow<'v, Catalogue>, Vec<Remark>), Wrong> {
    match (&question.campaign, &question.definition) {
        (Some(name), None) => {
            let catalogue = ground.view.catalogue();
            let owner = ground.who.owner.as_deref().unwrap_or_default();
            let same = |campaign: &&Campaign| campaign.id.id() == name && ground.who.sees(campaign.id.owner());
            let mut of_name = catalogue.campaigns.iter().filter(same);
            let id = match (of_name.next(), of_name.next()) {
                (Some(only), None) => only.id.clone(),
                _ => AudienceId::resolve(name, owner),
            };
            let number = catalogue.campaign(&id).filter(|_| ground.who.sees(id.owner()));
            let number = number.ok_or_else(|| ground.absent("campaign", &id, ""))?;
            Ok((catalogue.campaigns[number as usize].clone(), Cow::Borrowed(catalogue), Vec::new()))
        }
        (None, Some(definition)) => {
            let field = "/definition";
            let (catalogue, defines, lint) = ground.defined(definition, field)?;
            match defines.campaigns.as_slice() {
                [id] => {
                    let number = catalogue.campaign(id).ok_or(Wrong::BrokenOff)?;
                    Ok((catalogue.campaigns[number as usize].clone(), Cow::Owned(catalogue), lint))
                }
                _ => {
                    let detail = "the definition of one campaign is expected";
                    Err(Wrong::Asked(vec![fault("wrong-shape", field, detail, "")]))
                }
            }
        }
        _ => {
            let detail = "one of `campaign` and `definition` is expected";
            Err(Wrong::Asked(vec![fault("missing-key", "", detail, "such as {\"campaign\":\"acme/upgrade\"}")]))
        }
    }
}
