//! `/api/v1/builds`: what runs, what waits and why, what became of the last ones; asks for a build, and ends one.

use super::{BuildState, Builds, Ended, Failure, Kind, Outcome, Publishing, Queued, Reason, Running, Stage, What, Why};
use crate::access::roles;
use crate::error::Problem as Wrong;
use crate::planner::Planner;
use crate::planner::reply::{Fault, Peer, Problem, Refused, json};
use crate::schema::{Generation, Timestamp};
use crate::wire::Code;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The paths of this file.
pub(in crate::planner) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(builds, request_build)).routes(routes!(cancel_build)).with_state(planner)
}

/// What is built, and whether what was published is in service.
#[derive(Debug, Serialize, ToSchema)]
struct BuildsAnswer {
    /// Whether this server builds; if not, another process does, and only `publishing.generation` is known here.
    builds: bool,
    /// Where the published definitions are on their way to the bid doors.
    publishing: PublishingAnswer,
    /// What runs: at most one fresh generation, and one build beside it.
    running: Vec<RunningAnswer>,
    /// What is to be built next.
    queued: Vec<QueuedAnswer>,
    /// The last 20 that have ended, the last first.
    ended: Vec<EndedAnswer>,
}

#[derive(Debug, Serialize, ToSchema)]
struct PublishingAnswer {
    state: Stage,
    /// The digest of the published definitions: `catalogue_version` of the generation that has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    definitions: Option<String>,
    /// When they were published.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    requested: Option<Timestamp>,
    /// The generation in service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    generation: Option<Generation>,
    /// The generation that a rollback pins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    pinned: Option<Generation>,
    /// What that means, in a sentence.
    message: String,
    /// Why they go no further.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureAnswer>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RunningAnswer {
    kind: Kind,
    /// `collect`, `identities`, `audiences`, ...
    phase: String,
    /// How much of the phase is done, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 1.0)]
    progress: Option<f64>,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    why: Why,
    /// The digest of the definitions it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    definitions: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct QueuedAnswer {
    kind: Kind,
    why: Why,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
struct EndedAnswer {
    kind: Kind,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureAnswer>,
    /// The generation it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    generation: Option<Generation>,
    why: Why,
    #[serde(skip_serializing_if = "Option::is_none")]
    definitions: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    began: Timestamp,
    seconds: f64,
    /// When somebody published what it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    requested: Option<Timestamp>,
    /// When the bid doors answered from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    in_service: Option<Timestamp>,
    /// From the request until the bid doors answered from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_to_service: Option<f64>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct FailureAnswer {
    reason: Reason,
    message: String,
    /// Everything that is wrong, each at its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

/// What is built now, what waits and why, what became of the last ones, and whether what was published answers at the bid doors
#[utoipa::path(get, path = "/api/v1/builds", tag = "builds",
    security(("key" = ["planner", "approver", "operator"])),
    responses(
        (status = 200, body = BuildsAnswer),
    ))]
async fn builds(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    let generation = planner.standing.answering().map(|answering| answering.snapshot.generation());
    let answer = match &planner.builds {
        Some(builder) => told(builder.state(), generation, who.owner.is_none()),
        None => elsewhere(generation),
    };
    Ok(json(StatusCode::OK, &answer))
}

/// Which build is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BuildRequest {
    what: What,
}

#[derive(Debug, Serialize, ToSchema)]
struct BuildAccepted {
    /// What will be built.
    queued: What,
    /// Where to look.
    look_at: &'static str,
}

/// Builds now: `full` reads the sources again, `activate` evaluates the rules again
#[utoipa::path(post, path = "/api/v1/builds", tag = "builds", request_body = BuildRequest,
    security(("key" = ["operator"])),
    responses(
        (status = 202, body = BuildAccepted),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "this server does not build"),
    ))]
async fn request_build(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    planner.may_for_all(peer, &headers, roles::OPERATE)?;
    let builder = planner.builder()?;
    let asked: BuildRequest = serde_json::from_slice(&body).map_err(|error| {
        let fault = Fault { detail: error.to_string(), field: Some("/what".to_owned()), ..Fault::default() };
        Refused::invalid("the body is not of the expected form", "send {\"what\":\"full\"} or {\"what\":\"activate\"}")
            .with_errors(vec![fault])
    })?;
    builder.request(asked.what);
    Ok(json(StatusCode::ACCEPTED, &BuildAccepted { queued: asked.what, look_at: "/api/v1/builds" }))
}

#[derive(Debug, Serialize, ToSchema)]
struct Cancelled {
    /// Always true: where nothing runs, the answer is 409.
    cancelled: bool,
}

/// Ends the build that runs; what serves stays, and builds that nobody asks for rest for ten minutes
#[utoipa::path(delete, path = "/api/v1/builds/current", tag = "builds",
    security(("key" = ["approver", "operator"])),
    responses(
        (status = 200, body = Cancelled),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "nothing runs, or this server does not build"),
    ))]
async fn cancel_build(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    planner.may_for_all(peer, &headers, roles::CANCEL)?;
    if planner.builder()?.cancel() {
        return Ok(json(StatusCode::OK, &Cancelled { cancelled: true }));
    }
    Err(Refused::new(Code::Conflict, "nothing is built now", "GET /api/v1/builds shows the last ones"))
}

impl Planner {
    /// Who builds.
    ///
    /// # Errors
    /// This server does not.
    pub(in crate::planner) fn builder(&self) -> Result<&Arc<dyn Builds>, Refused> {
        self.builds.as_ref().ok_or_else(|| {
            let help =
                "ask the server or the job that builds for this data directory (`vaglio serve` without `--no-build`)";
            Refused::new(Code::Refused, "this server does not build", help)
        })
    }
}

/// Where another process builds.
fn elsewhere(generation: Option<Generation>) -> BuildsAnswer {
    let publishing = Publishing { generation, ..Publishing::default() };
    let publishing = PublishingAnswer {
        message: "another process builds for this server; what it publishes is taken into service when it is there"
            .to_owned(),
        ..publication(publishing, true)
    };
    BuildsAnswer { builds: false, publishing, running: Vec::new(), queued: Vec::new(), ended: Vec::new() }
}

/// As it is told: whoever has a key for one owner is not told what stands in the definitions and sources of others.
fn told(state: BuildState, generation: Option<Generation>, all: bool) -> BuildsAnswer {
    let running = |it: Running| RunningAnswer {
        kind: it.kind,
        phase: it.phase,
        progress: it.progress,
        since: it.since,
        why: it.why,
        definitions: it.definitions,
    };
    let queued = |it: Queued| QueuedAnswer { kind: it.kind, why: it.why, since: it.since, not_before: it.not_before };
    let ended = |it: Ended| EndedAnswer {
        kind: it.kind,
        outcome: it.outcome,
        failure: it.failure.map(|failure| failed(failure, all)),
        generation: it.generation,
        why: it.why,
        definitions: it.definitions,
        began: it.began,
        seconds: it.seconds,
        requested: it.requested,
        in_service: it.in_service,
        seconds_to_service: it.seconds_to_service,
    };
    BuildsAnswer {
        builds: true,
        publishing: publication(Publishing { generation, ..state.publishing }, all),
        running: state.running.into_iter().map(running).collect(),
        queued: state.queued.into_iter().map(queued).collect(),
        ended: state.ended.into_iter().map(ended).collect(),
    }
}

fn publication(publishing: Publishing, all: bool) -> PublishingAnswer {
    PublishingAnswer {
        message: sentence(&publishing),
        state: publishing.stage,
        definitions: publishing.definitions,
        requested: publishing.requested,
        generation: publishing.generation,
        pinned: publishing.pinned,
        failure: publishing.failure.map(|failure| failed(failure, all)),
    }
}

fn sentence(publishing: &Publishing) -> String {
    match publishing.stage {
        Stage::Unknown => "the definitions have not been looked at yet".to_owned(),
        Stage::Waiting => "the published definitions wait for a build: `queued` and `running` tell which".to_owned(),
        Stage::Building => "a generation with the published definitions is being made".to_owned(),
        Stage::Built => "a generation with the published definitions is being taken into service".to_owned(),
        Stage::InService => "the published definitions are in service".to_owned(),
        Stage::Pinned => {
            let pinned = publishing.pinned.map_or_else(String::new, |pinned| format!(" {pinned}"));
            format!(
                "a rollback pins generation{pinned}: what is published stays published, and goes live once an operator \
                 unpins (POST /api/v1/generations/unpin, or `vaglio rollback --unpin`)"
            )
        }
        Stage::Failed => {
            "the published definitions could not go live; what served before still does: see `failure`".to_owned()
        }
    }
}

fn failed(failure: Failure, all: bool) -> FailureAnswer {
    if !all {
        let message = "whoever has a key for every owner is told what it was".to_owned();
        return FailureAnswer { reason: failure.reason, message, errors: Vec::new() };
    }
    let errors = failure.problems.into_iter().map(fault).collect();
    FailureAnswer { reason: failure.reason, message: failure.message, errors }
}

/// A mistake in a file as a problem's error.
fn fault(problem: Wrong) -> Fault {
    let (line, column) = problem.position.unzip();
    Fault {
        detail: problem.message,
        help: Some(problem.help).filter(|help| !help.is_empty()),
        file: problem.file.map(|file| file.display().to_string()),
        line,
        column,
        ..Fault::default()
    }
}
