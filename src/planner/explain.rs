//! Why somebody is in an audience or not, and what a campaign may do about them: the rule as a tree with the fact behind each
//! leaf, from the generation or live, and what would change the answer. For `GET /api/v1/explain` and `vaglio explain`.

use super::Planner;
use super::named::{Eid, query};
use super::profiles::{off_thread, refused};
use super::reply::{Peer, Refused, json};
use crate::access::Entry;
use crate::audiences::Catalogue;
use crate::decide::{CampaignIndex, Decisions, Past, Status};
use crate::error::{Error, Result};
use crate::evaluate::{Changes, Tree};
use crate::live::Held;
use crate::log::{Block, Record, Said, Value};
use crate::schema::{AudienceId, BlockKey, Scope, Timestamp};
use crate::snapshot::consents::{Consents, OBJECTS_TO_MARKETING};
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The path of this file.
pub(super) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(explain_one)).with_state(planner)
}

/// An explanation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct Report {
    /// What a lookup says of the person, and why nothing else is told where it is not `matched`.
    pub status: &'static str,
    /// The generation that was asked.
    pub generation: u64,
    /// The minute of the answer.
    pub at: String,
    /// Records that came by the doors since the generation's cut and name the person.
    pub since_the_generation: usize,
    /// What the campaign may do, if one was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Verdict>,
    /// The audiences that matter.
    pub audiences: Vec<Membership>,
}

/// What a campaign may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verdict {
    /// `owner/id`.
    #[schema(value_type = String)]
    pub id: AudienceId,
    /// `target`, `suppress` or `unknown`.
    pub verdict: &'static str,
    /// The reason code; empty for a person in target.
    pub reason: &'static str,
    /// Its caps, as they are defined.
    #[schema(value_type = Vec<Object>)]
    pub caps: Vec<serde_json::Value>,
    /// Its group, in which one campaign speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// When it was shown to the person, as far as that is remembered.
    #[schema(value_type = Vec<String>)]
    pub exposures: Vec<Timestamp>,
}

/// Whether a person is in one audience, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct Membership {
    /// `owner/id`.
    #[schema(value_type = String)]
    pub id: AudienceId,
    /// `include`, `exclude`, or nothing when the audience itself was asked about.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub role: &'static str,
    /// Whether they are in it.
    pub member: bool,
    /// The rule on the facts; absent when nothing may be said of the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub why: Option<Tree>,
    /// What would change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub changes: Option<Changes>,
}

/// Explains an audience or a campaign. `blocks` is what the list says of the person's identifiers.
///
/// # Errors
/// A name that nothing has, or several; a damaged section.
pub fn explain(held: &Held, blocks: &[Block], what: &str) -> Result<Report> {
    let catalogue = held.serving.catalogue();
    let about = About::find(catalogue, what)?;
    let (facts, facts_now) = (held.facts(), held.facts_now());
    let status = status(held, blocks, &facts)?;
    let mut profiles: Vec<Option<u32>> = held.profiles.iter().copied().map(Some).collect();
    if profiles.is_empty() {
        // Nobody of the generation: what the doors told is all there is.
        profiles.push(None);
    }
    let per_profile: Vec<Vec<u32>> = match status {
        Status::Matched => profiles.iter().map(|profile| held.audiences(*profile, &facts_now)).collect(),
        _ => Vec::new(),
    };
    let is_in = |number: u32, all: &[u32]| all.binary_search(&number).is_ok();
    let (question, outranked) = (held.question(), |name: &str| held.outranks(name));
    let membership = |(role, id): (&'static str, AudienceId)| {
        let number = catalogue.number(&id).unwrap_or(u32::MAX);
        // Only the first profile includes; any profile excludes.
        let at = if role == "exclude" { per_profile.iter().position(|all| is_in(number, all)).unwrap_or(0) } else { 0 };
        let subject = per_profile.get(at).map(|_| held.subject(profiles[at], &facts_now, &outranked));
        let why = subject.as_ref().and_then(|subject| question.about(&id, subject));
        let changes = subject.as_ref().and_then(|subject| question.changes(&id, subject));
        Membership { member: per_profile.get(at).is_some_and(|all| is_in(number, all)), role, id, why, changes }
    };
    let audiences = about.audiences(catalogue).into_iter().map(membership).collect();
    let campaign = about.campaign(catalogue).map(|number| verdict(held, number, status, &per_profile, &facts));
    Ok(Report {
        status: status.name(),
        generation: held.snapshot.generation().0,
        at: held.now.to_string(),
        since_the_generation: facts.len(),
        campaign,
        audiences,
    })
}

/// What a lookup says of the person.
fn status(held: &Held, blocks: &[Block], facts: &[Record<'_>]) -> Result<Status> {
    let manifest = held.snapshot.manifest();
    let consents = Consents::open(held.snapshot.section("consents")?, manifest.profiles)?;
    let flags = held.profiles.iter().fold(0, |all, profile| all | consents.of(*profile));
    let said = facts
        .iter()
        .filter_map(|fact| if let Said::Consent(granted) = fact.said { Some((fact.time, granted)) } else { None });
    let newest = said.max_by_key(|(time, granted)| (*time, !granted)).map(|(_, granted)| granted);
    let marketing = blocks.iter().any(|block| block.scope != Scope::Profiling) || flags & OBJECTS_TO_MARKETING != 0;
    Ok(match (held.profiles.is_empty() && facts.is_empty(), newest) {
        _ if marketing => Status::Blocked,
        _ if !blocks.is_empty() => Status::NoConsent,
        (true, _) => Status::NoProfile,
        (_, Some(false)) => Status::NoConsent,
        // A refusal of the generation ends with a consent that came since; an objection does not.
        (_, Some(true)) if flags & crate::snapshot::consents::OBJECTS_TO_PROFILING == 0 => Status::Matched,
        (_, _) if flags != 0 => Status::NoConsent,
        _ => Status::Matched,
    })
}

fn verdict(held: &Held, number: u32, status: Status, per_profile: &[Vec<u32>], facts: &[Record<'_>]) -> Verdict {
    let catalogue = held.serving.catalogue();
    let campaign = &catalogue.campaigns[number as usize];
    let matched: Vec<u32> = if held.profiles.is_empty() { vec![u32::MAX] } else { held.profiles.clone() };
    let since = held.serving.exposures(matched.len());
    let mut exposures: Vec<Timestamp> = Vec::new();
    for (name, time) in facts.iter().filter_map(impression) {
        for profile in &matched {
            since.record(*profile, name, time);
        }
        exposures.extend((name == campaign.id.as_str()).then_some(time));
    }
    let before = held.serving.caps();
    let shown = before.into_iter().flat_map(|caps| held.profiles.iter().flat_map(|profile| caps.of(*profile)));
    exposures.extend(shown.filter(|it| it.campaign == number).map(|it| Timestamp(it.time)));
    exposures.sort_unstable();
    let first = per_profile.first().map_or(&[][..], Vec::as_slice);
    let mut any: Vec<u32> = per_profile.concat();
    any.sort_unstable();
    any.dedup();
    let index = CampaignIndex::new(catalogue);
    let mut decisions = Decisions::default();
    index.decide(status, first, &any, held.now, &mut decisions);
    index.limit(&Past::Known { matched: &matched, before, since: &since }, held.now, |_| true, &mut decisions);
    let decision = decisions.all[number as usize];
    let caps = campaign.caps.iter().map(|cap| serde_json::to_value(cap).unwrap_or_default()).collect();
    Verdict {
        id: campaign.id.clone(),
        verdict: decision.verdict().name(),
        reason: decision.reason(),
        caps,
        group: campaign.group.clone(),
        exposures,
    }
}

fn impression<'f>(fact: &'f Record<'_>) -> Option<(&'f str, Timestamp)> {
    use crate::audiences::frequency::{CAMPAIGN, IMPRESSION};
    let Said::Event { name, properties } = &fact.said else { return None };
    let campaign = properties.iter().find(|(property, _)| property == CAMPAIGN).filter(|_| name == IMPRESSION)?;
    if let Value::Text(campaign) = &campaign.1 { Some((campaign, Timestamp(fact.time))) } else { None }
}

/// What the audit trail keeps of it. A name that nothing has may be anything, also an identifier: it is not kept.
pub fn entry(held: &Held, what: &str, subject: Option<BlockKey>) -> Entry {
    let object = match About::find(held.serving.catalogue(), what) {
        Ok(About::Audience(id)) => format!("audience {id}"),
        Ok(About::Campaign(id)) => format!("campaign {id}"),
        Err(_) => "an unknown name".to_owned(),
    };
    Entry { what: "explain", object, subject, ..Entry::default() }
}

/// What is asked about.
enum About {
    Audience(AudienceId),
    Campaign(AudienceId),
}

impl About {
    fn find(catalogue: &Catalogue, name: &str) -> Result<About> {
        let fits = |id: &AudienceId| id.as_str() == name || id.id() == name;
        let audiences = catalogue.audiences.iter().map(|audience| &audience.id).filter(|id| fits(id));
        let campaigns = catalogue.campaigns.iter().map(|campaign| &campaign.id).filter(|id| fits(id));
        let audiences = audiences.map(|id| About::Audience(id.clone()));
        let mut found: Vec<About> = audiences.chain(campaigns.map(|id| About::Campaign(id.clone()))).collect();
        match (found.len(), found.pop()) {
            (1, Some(only)) => Ok(only),
            (0, _) => Err(Error::usage(format!("no audience or campaign is called `{name}`{}", near(catalogue, name)))),
            _ => Err(Error::usage(format!("`{name}` is the name of several audiences or campaigns; write `owner/id`"))),
        }
    }

    fn campaign(&self, catalogue: &Catalogue) -> Option<u32> {
        match self {
            About::Campaign(id) => catalogue.campaign(id),
            About::Audience(_) => None,
        }
    }

    /// The audiences that matter, with their part.
    fn audiences(&self, catalogue: &Catalogue) -> Vec<(&'static str, AudienceId)> {
        let number = match self {
            About::Audience(id) => return vec![("", id.clone())],
            About::Campaign(id) => catalogue.campaign(id),
        };
        let Some(campaign) = number.map(|number| &catalogue.campaigns[number as usize]) else { return Vec::new() };
        let include = campaign.include.iter().map(|id| ("include", id.clone()));
        include.chain(campaign.exclude.iter().map(|exclude| ("exclude", exclude.audience.clone()))).collect()
    }
}

fn near(catalogue: &Catalogue, name: &str) -> String {
    let audiences = catalogue.audiences.iter().map(|audience| &audience.id);
    let ids = audiences.chain(catalogue.campaigns.iter().map(|campaign| &campaign.id));
    let known = ids.flat_map(|id| [id.as_str(), id.id()]);
    match crate::audiences::diagnostic::nearest(name, known) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => "; `vaglio inspect` lists the audiences".to_owned(),
    }
}

/// Whom it is about, and what of them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is the description of what `query` reads")]
struct Asked {
    /// The identifier's type: `ifa`, `email`, an EID source.
    #[param(example = "crm")]
    source: String,
    /// The identifier.
    #[param(example = "c1")]
    uid: String,
    /// An audience or campaign: `owner/id`, or `id` where only one owner has it.
    #[param(example = "acme/vip")]
    what: String,
}

/// Why somebody is in an audience, or why a campaign may speak to them
///
/// Every use is in the audit trail.
#[utoipa::path(
    get, path = "/api/v1/explain", tag = "people", security(("key" = ["privacy"])), params(Asked),
    responses((status = 200, description = "The rule's parts, each with the facts it rests on", body = Report))
)]
async fn explain_one(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(asked): RawQuery,
) -> std::result::Result<Response, Refused> {
    let who = planner.may_see_people(peer, &headers)?;
    let help = "ask /api/v1/explain?source=SOURCE&uid=UID&what=AUDIENCE|CAMPAIGN";
    let [source, uid, what] = query(asked.as_deref(), ["source", "uid", "what"])
        .ok_or_else(|| Refused::invalid("`source`, `uid` and `what` are expected in the query", help))?;
    let keys = planner.named(&[Eid { source, uid }])?;
    off_thread(move || {
        // Nothing is told that leaves no trace.
        let (hasher, now) = (planner.hasher()?, crate::schema::Clock::System.now());
        let held = planner.held(&keys)?;
        planner.log(&who, entry(&held, &what, Some(hasher.block_key(keys[0]))))?;
        let block = |key: &crate::schema::ProfileKey| planner.keeper.blocked().find(hasher.block_key(*key), now);
        let blocks: Vec<Block> = held.keys.iter().filter_map(block).collect();
        let report = explain(&held, &blocks, &what).map_err(|error| refused(&error))?;
        Ok(json(StatusCode::OK, &report))
    })
    .await
}
