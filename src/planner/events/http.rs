//! `POST /api/v1/events`: a JSON object a line.

use super::super::Planner;
use super::super::profiles::off_thread;
use super::super::reply::{Peer, Problem, Refused, json};
use super::body::{MAX_LINES, Whole};
use super::line::Line;
use super::vocabulary::Vocabulary;
use super::{Batch, Door, Fate};
use crate::access::{Entry, Role, Who, roles};
use crate::schema::{Clock, ProfileKey};
use crate::wire::Code;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Larger bodies are read by a thread of their own.
const SMALL: usize = 32 << 10;

/// The paths of the door.
pub(in crate::planner) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    let door = Arc::new(Door::new(planner));
    let router = OpenApiRouter::new().routes(routes!(events)).with_state(Arc::clone(&door));
    router.merge(super::stream::routes(door).into())
}

/// What may be asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is the description of what `Results::asked` reads")]
struct Asked {
    /// Which lines the answer lists; `rejected` unless said.
    #[param(inline)]
    results: Option<Results>,
}

/// Which lines an answer lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
enum Results {
    /// Those that were not taken.
    Rejected,
    /// Each of them.
    All,
}

impl Results {
    fn asked(query: Option<&str>) -> Result<Self, Refused> {
        match query {
            None | Some("" | "results=rejected") => Ok(Results::Rejected),
            Some("results=all") => Ok(Results::All),
            Some(_) => Err(Refused::invalid(
                "the query is not understood",
                "write `?results=rejected`, `?results=all`, or none",
            )),
        }
    }
}

/// What became of the lines of a body.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = EventsTaken)]
struct Answer<'a> {
    /// Durable and in force.
    accepted: u64,
    /// Taken before: nothing to do.
    duplicate: u64,
    /// Not taken.
    rejected: u64,
    /// Those that were asked for.
    results: Vec<Listed<'a>>,
}

/// What became of a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventLine)]
struct Listed<'a> {
    /// Its number, from 1.
    line: u32,
    /// `accepted`, `duplicate` or `rejected`.
    status: &'static str,
    /// Its place in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    /// Why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// Takes what happens between builds
///
/// A JSON object a line (docs/events.md). Each line is taken or rejected by itself; what is accepted is durable. A privacy key
/// sends objections alone; they are in the audit trail.
#[utoipa::path(
    post, path = "/api/v1/events", tag = "events", security(("key" = ["ingest", "privacy"])), params(Asked),
    request_body(content = String, content_type = "application/x-ndjson", description = "A JSON object a line; may be gzipped",
        example = "{\"id\":\"o-1\",\"type\":\"objection\",\"scope\":\"marketing\",\"time\":\"2026-11-20T12:00:00Z\",\"eids\":[{\"source\":\"crm\",\"uid\":\"c1\"}]}"),
    responses(
        (status = 200, description = "What became of the lines", body = Answer),
        (status = 408, description = "The body did not arrive in time", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "This server takes no events", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is in a form that is not read", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn events(
    State(door): State<Arc<Door>>,
    Extension(peer): Extension<Peer>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match take(&door, peer, uri.query(), &headers, body).await {
        Ok(response) => response,
        Err(refused) => {
            door.planner.metrics.feed.refused();
            refused.into_response()
        }
    }
}

async fn take(
    door: &Arc<Door>,
    peer: Peer,
    query: Option<&str>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let who = door.planner.may(peer, headers, roles::OBJECT)?;
    let results = Results::asked(query)?;
    let words = door.words()?;
    let whole = door.read(headers, body).await?;
    let sender = who.clone();
    let (batch, _room) = if whole.bytes.len() <= SMALL && !whole.gzip {
        read(door, whole, &words, &who)?
    } else {
        let door = Arc::clone(door);
        let reading = tokio::task::spawn_blocking(move || read(&door, whole, &words, &who)).await;
        reading.map_err(|_| Refused::new(Code::Internal, "reading the body failed; the log says where", ""))??
    };
    if let Some(first) = batch.objections.first().filter(|_| sender.role != Some(Role::Ingest)) {
        let (door, count, first) = (Arc::clone(door), batch.objections.len(), first.keys[0]);
        // Before they are durable: whoever hangs up in between would leave no trace.
        off_thread(move || noted(&door.planner, &sender, count, first)).await?;
    }
    let fates = door.take(batch).await?;
    Ok(json(StatusCode::OK, &answer(&fates, results)))
}

/// Notes in the audit trail who said that people object. Feeds are not noted: each of their objections is a record of the log.
fn noted(planner: &Planner, who: &Who, count: usize, first: ProfileKey) -> Result<(), Refused> {
    let subject = Some(planner.hasher()?.block_key(first));
    planner.log(who, Entry { what: "object", object: format!("{count} objections"), subject, ..Entry::default() })
}

/// Every line of a body; blank ones count as lines and say nothing.
fn read(door: &Door, mut whole: Whole, words: &Vocabulary, who: &Who) -> Result<(Batch, Whole), Refused> {
    door.plain(&mut whole)?;
    let now = Clock::System.now();
    let mut batch = Batch::default();
    let mut rest = whole.bytes.as_slice();
    for number in 1.. {
        let Some(end) = memchr::memchr(b'\n', rest).or((!rest.is_empty()).then_some(rest.len())) else { break };
        let line = rest[..end].trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        if !line.is_empty() {
            if batch.lines.len() == MAX_LINES {
                let message = format!("the body has more than {MAX_LINES} lines; nothing of it was taken");
                return Err(Refused::new(Code::TooLarge, message, "send it in several requests"));
            }
            batch.add(number, Line::read(line), words, who, now);
        }
    }
    Ok((batch, whole))
}

fn answer(fates: &[(u32, Fate)], results: Results) -> Answer<'_> {
    let mut answer = Answer::default();
    for (line, fate) in fates {
        let (status, offset, reason) = match fate {
            Fate::Accepted(offset) => ("accepted", offset.map(|offset| offset.0), None),
            Fate::Duplicate => ("duplicate", None, None),
            Fate::Rejected(reason) => ("rejected", None, Some(reason.as_str())),
        };
        *match fate {
            Fate::Accepted(_) => &mut answer.accepted,
            Fate::Duplicate => &mut answer.duplicate,
            Fate::Rejected(_) => &mut answer.rejected,
        } += 1;
        if results == Results::All || reason.is_some() {
            answer.results.push(Listed { line: *line, status, offset, reason });
        }
    }
    answer
}
