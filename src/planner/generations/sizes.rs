//! `/api/v1/sizes`: how large audiences were, generation by generation. Manifests tell it; a generation never changes, so what was
//! read of it once is remembered.

use crate::access::{Who, roles};
use crate::audiences::order::resting_on_others;
use crate::planner::Planner;
use crate::planner::profiles::{off_thread, refused};
use crate::planner::protect::Told;
use crate::planner::reply::{Fault, Peer, Refused, json};
use crate::planner::see::ask::may_name;
use crate::schema::{AudienceId, Generation, Timestamp};
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Audiences that can be named at once.
const MOST_NAMED: usize = 200;
/// Generations that are told, the newest.
const MOST_GENERATIONS: usize = 100;

/// The path of this file.
pub(in crate::planner) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(sizes_of)).with_state(planner)
}

/// What was read of each generation.
#[derive(Debug, Default)]
pub struct Sizes(Mutex<BTreeMap<Generation, Arc<Read>>>);

/// What is remembered of a generation.
#[derive(Debug)]
struct Read {
    as_of: Timestamp,
    members: BTreeMap<AudienceId, u64>,
    /// Those that rest on another owner's: no owner is told their sizes.
    resting: BTreeSet<AudienceId>,
}

/// Whose sizes.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it describes the query, which is read by hand")]
struct Asked {
    /// `owner/id`, or `id` of the asker's own; as often as wanted. Without it: all that the key may see.
    #[param(max_items = 200)]
    audience: Option<Vec<String>>,
}

/// How large audiences were.
#[derive(Debug, Serialize, ToSchema)]
struct SizesAnswer {
    /// The newest 100 generations on disk, the oldest first.
    generations: Vec<Dated>,
    /// By audience.
    sizes: Vec<SizesOf>,
}

/// A generation and the minute it is of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SizesGeneration)]
struct Dated {
    #[schema(value_type = u64)]
    generation: Generation,
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
}

/// How large an audience was.
#[derive(Debug, Serialize, ToSchema)]
struct SizesOf {
    /// `owner/id`
    id: String,
    /// By generation, in their order; `null` where it was not there, or is another owner's or rests on one: `POST /api/v1/reach`
    /// says about how many.
    members: Vec<Option<Told>>,
}

/// How large audiences were, by generation
///
/// Told from what is on disk, without counting anything. What does not exist was nowhere: `null` everywhere.
#[utoipa::path(get, path = "/api/v1/sizes", tag = "generations", params(Asked),
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, body = SizesAnswer),
    ))]
async fn sizes_of(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    let named = named(query.as_deref(), &who)?;
    off_thread(move || Ok(json(StatusCode::OK, &planner.sizes(&who, named)?))).await
}

/// The audiences that are asked about; none = all.
fn named(query: Option<&str>, who: &Who) -> Result<Vec<AudienceId>, Refused> {
    let wrong = |name: &str, detail: &str| {
        let fault = Fault { detail: detail.to_owned(), field: Some(name.to_owned()), ..Fault::default() };
        let help = "/api/v1/sizes?audience=acme/vip&audience=acme/gold, or without any";
        Refused::invalid(format!("`{name}`: {detail}"), help).with_errors(vec![fault])
    };
    let mut named = Vec::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or("").as_bytes()) {
        if name != "audience" {
            return Err(wrong(&name, "there is no such parameter"));
        }
        if named.len() == MOST_NAMED {
            return Err(wrong("audience", "at most 200 can be named at once"));
        }
        let id = AudienceId::resolve(&value, who.owner.as_deref().unwrap_or_default());
        if !named.contains(&id) {
            named.push(id);
        }
    }
    Ok(named)
}

impl Planner {
    fn sizes(&self, who: &Who, named: Vec<AudienceId>) -> Result<SizesAnswer, Refused> {
        let mut there = self.keeper.store().manifests().map_err(|error| refused(&error))?;
        there.drain(..there.len().saturating_sub(MOST_GENERATIONS));
        self.seeing.sizes.0.lock().retain(|generation, _| there.contains(generation));
        let read: Vec<(Generation, Arc<Read>)> =
            there.into_iter().filter_map(|generation| Some((generation, self.read_sizes(generation)?))).collect();
        let ids = if named.is_empty() { self.all_seen(who, &read) } else { named };
        let exact = who.owner.is_none() || !self.loaded.config.protection.everything;
        let told = |id: &AudienceId, read: &Read| {
            let told = exact && who.sees(id.owner()) && (who.owner.is_none() || !read.resting.contains(id));
            read.members.get(id).copied().filter(|_| told).map(Told::exactly)
        };
        let sizes = ids
            .into_iter()
            .map(|id| SizesOf { members: read.iter().map(|(_, read)| told(&id, read)).collect(), id: id.to_string() });
        Ok(SizesAnswer {
            sizes: sizes.collect(),
            generations: read
                .iter()
                .map(|(generation, read)| Dated { generation: *generation, as_of: read.as_of })
                .collect(),
        })
    }

    /// What somebody sees of what there is now, and of what there was of its own.
    fn all_seen(&self, who: &Who, read: &[(Generation, Arc<Read>)]) -> Vec<AudienceId> {
        let own = read.iter().flat_map(|(_, read)| read.members.keys()).filter(|id| who.sees(id.owner())).cloned();
        let mut seen: BTreeSet<AudienceId> = own.collect();
        if let Some(answering) = self.standing.answering() {
            let audiences = answering.snapshot.catalogue().audiences.iter();
            seen.extend(audiences.filter(|audience| may_name(who, audience)).map(|audience| audience.id.clone()));
        }
        seen.into_iter().collect()
    }

    /// What a generation says of its audiences; `None` where it cannot be read: `/api/v1/generations` says why.
    fn read_sizes(&self, generation: Generation) -> Option<Arc<Read>> {
        if let Some(known) = self.seeing.sizes.0.lock().get(&generation) {
            return Some(Arc::clone(known));
        }
        let manifest = self.keeper.store().manifest(generation).ok()?;
        let catalogue = self.catalogue_of(&manifest).ok()?;
        let resting = resting_on_others(&catalogue).into_iter().cloned().collect();
        let members = manifest.audiences.iter().map(|audience| (audience.id.clone(), audience.members)).collect();
        let read = Arc::new(Read { as_of: manifest.as_of, members, resting });
        self.seeing.sizes.0.lock().insert(generation, Arc::clone(&read));
        Some(read)
    }
}
