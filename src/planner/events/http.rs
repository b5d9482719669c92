//! `POST /api/v1/events`: a JSON object a line.

use super::super::Planner;
use super::super::reply::{Peer, Refused, json};
use super::body::{MAX_LINES, Whole};
use super::line::Line;
use super::vocabulary::Vocabulary;
use super::{Batch, Door, Fate};
use crate::access::{Who, roles};
use crate::schema::Clock;
use crate::wire::Code;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use serde::Serialize;
use std::sync::Arc;

/// Larger bodies are read by a thread of their own.
const SMALL: usize = 32 << 10;

/// The paths of the door.
pub(in crate::planner) fn routes(planner: Arc<Planner>) -> Router {
    let door = Arc::new(Door::new(planner));
    let router = Router::new().route("/api/v1/events", post(events)).with_state(Arc::clone(&door));
    router.merge(super::stream::routes(door))
}

/// Which lines an answer lists: `?results=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Results {
    Rejected,
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

/// What is answered.
#[derive(Debug, Default, Serialize)]
struct Answer<'a> {
    accepted: u64,
    duplicate: u64,
    rejected: u64,
    results: Vec<Listed<'a>>,
}

/// A line of the answer.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    line: u32,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

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
    let who = door.planner.may(peer, headers, roles::INGEST)?;
    let results = Results::asked(query)?;
    let words = door.words()?;
    let whole = door.read(headers, body).await?;
    let (batch, _room) = if whole.bytes.len() <= SMALL && !whole.gzip {
        read(door, whole, &words, &who)?
    } else {
        let door = Arc::clone(door);
        let reading = tokio::task::spawn_blocking(move || read(&door, whole, &words, &who)).await;
        reading.map_err(|_| Refused::new(Code::Internal, "reading the body failed; the log says where", ""))??
    };
    let fates = door.take(batch).await?;
    Ok(json(StatusCode::OK, &answer(&fates, results)))
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
