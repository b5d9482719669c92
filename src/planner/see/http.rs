//! The paths of what planners see: bodies in, the functions over a [`View`](crate::planner::View) asked where they hold nobody
//! up, answers out.

use super::{Ground, Wrong, funnel, lint, overlap, preview, reach, rule, sample, vocabulary};
use crate::access::audit::Entry;
use crate::access::{Who, roles};
use crate::evaluate::survey::Watch;
use crate::planner::Planner;
use crate::planner::long;
use crate::planner::profiles::refused;
use crate::planner::protect::Spent;
use crate::planner::reply::{Peer, Problem, Refused};
use crate::wire::Code;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most bytes of a question: a rule has 64 KiB at most, definitions may be many.
const MOST_BYTES: usize = 4 << 20;

/// The paths of this file.
pub(in crate::planner) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(reach_of))
        .routes(routes!(overlap_of))
        .routes(routes!(funnel_of))
        .routes(routes!(preview_of))
        .routes(routes!(sample_of))
        .routes(routes!(rule_of))
        .routes(routes!(lint_of))
        .routes(routes!(vocabulary_of))
        .with_state(planner)
}

/// Who asks, with what.
struct Asked<T> {
    planner: Arc<Planner>,
    who: Who,
    question: T,
}

impl<T: DeserializeOwned + Send + 'static> Asked<T> {
    async fn read(planner: Arc<Planner>, peer: Peer, headers: &HeaderMap, body: Body) -> Result<Self, Refused> {
        let who = planner.may(peer, headers, roles::SEE)?;
        let body = long::read(body, MOST_BYTES).await?;
        let question = serde_json::from_slice(&body).map_err(|error| {
            let fault = crate::planner::reply::Fault {
                code: Some("wrong-body".to_owned()),
                detail: error.to_string(),
                line: Some(error.line()),
                column: Some(error.column()),
                ..Default::default()
            };
            let help = "send JSON as /api/v1/openapi.json describes it";
            Refused::invalid("the body is not a question of this form", help).with_errors(vec![fault])
        })?;
        Ok(Asked { planner, who, question })
    }

    /// Answers over the generation in service.
    async fn answer<A: Serialize + Send + 'static>(
        self,
        headers: &HeaderMap,
        ask: impl FnOnce(&Ground<'_>, T) -> Result<A, Wrong> + Send + 'static,
    ) -> Result<Response, Refused> {
        let Asked { planner, who, question } = self;
        let (shared, asker) = (Arc::clone(&planner), who.clone());
        long::answer(&planner.seeing.places, &asker, headers, move |watch| {
            shared.ground(&who, watch, |ground| ask(ground, question))
        })
        .await
    }
}

impl Planner {
    /// Asks over the generation in service.
    fn ground<A>(
        &self,
        who: &Who,
        watch: &Watch,
        ask: impl FnOnce(&Ground<'_>) -> Result<A, Wrong>,
    ) -> Result<A, Refused> {
        let view = self.view()?;
        let generation = view.generation();
        let ground = Ground {
            view: &view,
            loaded: &self.loaded,
            who,
            watch,
            protect: &self.seeing.protect,
            keys: self.hasher()?,
            now: self.loaded.clock().now(),
            seen: &|days| self.standing.seen_within(generation, days),
            overlay: self.standing.overlay(generation),
            blocked: Some(self.keeper.blocked()),
        };
        ask(&ground).map_err(Wrong::refused)
    }
}

impl Wrong {
    /// As a path answers it.
    fn refused(self) -> Refused {
        match self {
            Wrong::Asked(faults) => {
                let detail = match faults.as_slice() {
                    [one] => one.detail.clone(),
                    several => format!("{} things are wrong with the question", several.len()),
                };
                Refused::invalid(detail, "mend what `errors` names").with_errors(faults)
            }
            Wrong::Absent(message, help) => Refused::new(Code::NotFound, message, help),
            Wrong::Withheld(message, help) => Refused::new(Code::PermissionDenied, message, help),
            Wrong::Spent(Spent { retry_after }) => {
                let message = "as much as may be asked within an hour of other owners' audiences was asked";
                Refused::new(Code::Overloaded, message, "ask again later, or about your own").retry_after(retry_after)
            }
            Wrong::BrokenOff => long::broken_off(),
            Wrong::Failed(error) => refused(&error),
        }
    }
}

/// How many people a rule, an audience or a definition reaches
///
/// Exact, over the generation in service, at its minute. Where it depends on another owner's audience an owner's key is told
/// about how many, and nothing of few. With `Accept: application/x-ndjson`: lines of progress, then the result.
#[utoipa::path(post, path = "/api/v1/reach", tag = "see", request_body = reach::Question,
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, description = "How many", body = reach::Answer),
        (status = 404, description = "No such audience", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much at once, or within the hour", body = Problem, content_type = "application/problem+json"),
    ))]
async fn reach_of(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    Asked::read(planner, peer, &headers, body).await?.answer(&headers, reach::reach).await
}

/// How audiences overlap
///
/// 2 to 12 sets: their sizes, the pairwise matrix, and who is in exactly which of them. Exact.
#[utoipa::path(post, path = "/api/v1/overlap", tag = "see", request_body = overlap::Question,
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, description = "How they meet", body = overlap::Answer),
        (status = 404, description = "No such audience", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much at once, or within the hour", body = Problem, content_type = "application/problem+json"),
    ))]
async fn overlap_of(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let asked = Asked::<overlap::Question>::read(planner, peer, &headers, body).await?;
    asked.answer(&headers, |ground, question| overlap::overlap(ground, &question)).await
}

/// Where a campaign loses whom
///
/// Everybody, in target, not excluded, permitted, under the caps, seen lately; and how many are lost at each step.
#[utoipa::path(post, path = "/api/v1/funnel", tag = "see", request_body = funnel::Question,
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, description = "Step by step", body = funnel::Answer),
        (status = 404, description = "No such campaign", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much at once, or within the hour", body = Problem, content_type = "application/problem+json"),
    ))]
async fn funnel_of(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let asked = Asked::<funnel::Question>::read(planner, peer, &headers, body).await?;
    asked.answer(&headers, |ground, question| funnel::funnel(ground, &question)).await
}

/// What changed definitions would do
///
/// Who joins, leaves and stays, in each audience and campaign that rests on them; and whether publishing asks for a confirmation.
#[utoipa::path(post, path = "/api/v1/preview", tag = "see", request_body = preview::Question,
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, description = "What would become of each", body = preview::Answer),
        (status = 404, description = "No such audience to remove", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much at once, or within the hour", body = Problem, content_type = "application/problem+json"),
    ))]
async fn preview_of(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let asked = Asked::<preview::Question>::read(planner, peer, &headers, body).await?;
    asked.answer(&headers, |ground, question| preview::preview(ground, &question)).await
}

/// A few people of a set, and why they are in it
///
/// Under pseudonyms that hold within one answer. Every use is in the audit trail.
#[utoipa::path(post, path = "/api/v1/sample", tag = "see", request_body = sample::Question,
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, description = "A few people", body = sample::Answer),
        (status = 403, description = "Not for this key, or another owner's people", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such audience", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much at once", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "No room for the audit trail", body = Problem, content_type = "application/problem+json"),
    ))]
async fn sample_of(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let Asked { planner, who, question } = Asked::<sample::Question>::read(planner, peer, &headers, body).await?;
    let (shared, asker) = (Arc::clone(&planner), who.clone());
    let object = question.audience.as_deref().map(|id| format!("audience {id}")).or(question.rule.clone());
    long::answer(&planner.seeing.places, &asker, &headers, move |watch| {
        let answer = shared.ground(&who, watch, |ground| sample::sample(ground, question))?;
        // Nothing is told that leaves no trace.
        let object = object.or_else(|| answer.id.as_ref().map(|id| format!("definition {id}"))).unwrap_or_default();
        let after = Some(format!("{} people", answer.people.len()));
        shared.log(&who, Entry { what: "sample", object, after, ..Entry::default() })?;
        Ok(answer)
    })
    .await
}

/// A rule as a text and as a tree
///
/// Whichever is sent, both are answered. Errors are part of the answer, so that an editor can ask at every pause.
#[utoipa::path(post, path = "/api/v1/rule", tag = "see", request_body = rule::Question,
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, description = "Both, and what is to be said of them", body = rule::Answer),
        (status = 408, description = "The body did not arrive", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much at once", body = Problem, content_type = "application/problem+json"),
    ))]
async fn rule_of(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let asked = Asked::<rule::Question>::read(planner, peer, &headers, body).await?;
    asked.answer(&headers, |ground, question| rule::rule(ground, &question)).await
}

/// What is wrong with a rule or with definitions, or probably not meant
///
/// Errors are part of the answer, so that an editor can ask at every pause.
#[utoipa::path(post, path = "/api/v1/lint", tag = "see", request_body = lint::Question,
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, description = "Errors and warnings, each at its place", body = lint::Answer),
        (status = 400, description = "No text", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much at once", body = Problem, content_type = "application/problem+json"),
    ))]
async fn lint_of(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let asked = Asked::<lint::Question>::read(planner, peer, &headers, body).await?;
    asked.answer(&headers, |ground, question| lint::lint(ground, &question)).await
}

/// What a rule may speak of
///
/// Traits and their values, events and their properties, the audiences that whoever asks may name.
#[utoipa::path(get, path = "/api/v1/vocabulary", tag = "see",
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, description = "The vocabulary", body = vocabulary::Answer),
        (status = 429, description = "Too much at once", body = Problem, content_type = "application/problem+json"),
    ))]
async fn vocabulary_of(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    let asked = Asked { planner, who, question: () };
    asked.answer(&headers, |ground, ()| vocabulary::vocabulary(ground)).await
}
