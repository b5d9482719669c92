//! `POST /api/v1/lists/{owner}/{id}/members`: puts people on a list and takes them off, by a file.
//!
//! Contents: [`body`] a request's bytes as they come, [`lines`] what a line asks for, [`take`] lines -> hashed entries, [`apply`]
//! entries -> records that are durable and in force. A file is read to its end before anything of it is in force. What must
//! not live here: identifiers, beyond the line in hand.

mod apply;
mod body;
mod lines;
mod take;

use super::Planner;
use super::profiles::{off_thread, refused};
use super::reply::{Fault, Peer, Problem, Refused, json};
use super::view::View;
use crate::access::{Entry, Who, roles};
use crate::audiences::Audience;
use crate::schema::Clock;
use crate::wire::Code;
use axum::Extension;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use take::{List, Taken};
use tokio::sync::Semaphore;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Uploads that may be under way at once: each holds its entries in memory.
const AT_ONCE: usize = 2;

/// The paths of this file.
pub(super) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    // Later than whatever a server before this one took.
    let now = Clock::System.now().0;
    let door = Door { planner, turn: Mutex::new(now), room: Arc::new(Semaphore::new(AT_ONCE)) };
    // A body has bounds of its own, which are told in words.
    OpenApiRouter::new().routes(routes!(upload_members)).layer(DefaultBodyLimit::disable()).with_state(Arc::new(door))
}

/// What uploads share.
struct Door {
    planner: Arc<Planner>,
    /// One is applied at a time; the second at which the last was, so that what comes later wins.
    turn: Mutex<i64>,
    room: Arc<Semaphore>,
}

/// How a file changes a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Who is in the file joins; who is on the list stays.
    #[default]
    Add,
    /// Who is in the file leaves.
    Remove,
    /// Who is in the file is on the list, and nobody else.
    Replace,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// A header, and a line a row.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

/// How to read and apply it.
#[derive(Debug, Clone, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// How the file changes the list.
    #[param(inline)]
    mode: Mode,
    /// For how many days who joins stays, where a line does not say. Default: what the list says, otherwise 30; for lists of kind
    /// `suppress` without end. At most 180 for lists of kind `target`.
    #[param(minimum = 1, maximum = 36500)]
    ttl_days: Option<u32>,
    /// What the body is; default: as it looks.
    #[param(inline)]
    format: Option<Format>,
    /// The type of identifiers of which a line does not say it.
    #[param(rename = "type")]
    id_type: Option<String>,
    /// Tells what would be, and does nothing.
    dry_run: bool,
}

/// What became of an upload.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Uploaded {
    /// The list, `owner/id`.
    list: String,
    #[schema(inline)]
    mode: Mode,
    dry_run: bool,
    /// Lines with something in them, a header not counted.
    lines: u64,
    /// Memberships that begin or are renewed.
    joined: u64,
    /// Memberships that are ended: those the file ends, and with `replace` those of whoever is not in it.
    removed: u64,
    /// Identifiers that the file names again further down: what it says last counts, here and below.
    repeated: u64,
    /// Identifiers of people who have a profile.
    matched: u64,
    /// Identifiers nobody is known by so far: kept, and theirs as soon as they are.
    unmatched: u64,
    /// Lines that were not taken.
    rejected: u64,
    /// The same by type of identifier; lines whose type is not known are at `?`.
    by_type: BTreeMap<String, OfType>,
    /// The first hundred lines that were not taken.
    rejects: Vec<Reject>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct OfType {
    matched: u64,
    unmatched: u64,
    rejected: u64,
}

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Reject {
    /// From 1, of the file as it is after decompression.
    line: u64,
    /// The column or field.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// Why; holds nothing of the line.
    reason: String,
}

/// Puts people on a list or takes them off, by a file
///
/// The body is CSV or NDJSON, as it is or gzipped, or a form with the file in a field `file`. CSV has a header: `uid` (or `id`) and
/// `source` (or `type`; or `?type=`), and where wanted `ttl_minutes` (or `expiration`; 0 = the longest, -1 = remove), `remove`,
/// `segment`. NDJSON has the same fields, or is of the shapes of Xandr (`segments`) and The Trade Desk (`data`, `items`). E-mail
/// addresses and phone numbers may be in the clear: they are hashed at once, and written nowhere. Everything is read before
/// anything is in force; `replace` is refused if any line is.
#[utoipa::path(post, path = "/api/v1/lists/{owner}/{id}/members", tag = "lists",
    params(("owner" = String, Path), ("id" = String, Path), Asked),
    request_body(content = String, content_type = "text/csv"),
    security(("key" = ["planner", "approver", "ingest"])),
    responses(
        (status = 200, body = Uploaded),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 408, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
        (status = 429, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
        (status = 507, body = Problem, content_type = "application/problem+json"),
    ))]
async fn upload_members(
    State(door): State<Arc<Door>>,
    Extension(peer): Extension<Peer>,
    Path((owner, id)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refused> {
    let who = door.planner.may(peer, request.headers(), roles::LISTS)?;
    let asked = asked(request.uri().query())?;
    let full = format!("{owner}/{id}");
    let view = {
        let planner = Arc::clone(&door.planner);
        blocking(move || planner.view()).await?
    };
    let audience = find(&view, &who, &full)?;
    let list = List::of(&audience, &asked)?;
    if !asked.dry_run {
        door.planner.open()?;
    }
    let Ok(_room) = Arc::clone(&door.room).try_acquire_owned() else {
        let message = format!("{AT_ONCE} uploads are under way already");
        return Err(Refused::new(Code::Overloaded, message, "send it again").retry_after(5));
    };
    let patience = std::time::Duration::from_millis(door.planner.loaded.config.server.body_timeout_ms);
    let (pieces, sender) = body::channel();
    let reading = {
        let (door, list) = (Arc::clone(&door), list.clone());
        blocking(move || take::take(pieces, &door.planner.words()?, &list))
    };
    let (sent, taken) = tokio::join!(body::send(request, sender, patience), reading);
    sent?;
    let taken = taken?;
    off_thread(move || {
        // A long file may have outlived the generation it began with.
        let view = door.planner.view()?;
        find(&view, &who, &full)?;
        let done = door.apply(&who, &view, &list, taken)?;
        Ok(json(StatusCode::OK, &done))
    })
    .await
}

fn asked(query: Option<&str>) -> Result<Asked, Refused> {
    let mut asked = Asked::default();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let read = match &*name {
            "mode" => word(&value).map(|mode| asked.mode = mode),
            "format" => word(&value).map(|format| asked.format = Some(format)),
            "ttl_days" => value.parse().ok().map(|days| asked.ttl_days = Some(days)),
            "dry_run" => value.parse().ok().map(|dry_run| asked.dry_run = dry_run),
            "type" => (!value.is_empty()).then(|| asked.id_type = Some(value.into_owned())),
            _ => None,
        };
        if read.is_none() {
            let help = "?mode=add|remove|replace&ttl_days=1..180&format=csv|ndjson&type=TYPE&dry_run=true";
            let known = ["mode", "format", "ttl_days", "dry_run", "type"].contains(&&*name);
            let field = known.then(|| name.into_owned());
            let fault = Fault { detail: "not understood".to_owned(), field, ..Fault::default() };
            return Err(Refused::invalid("the query is not understood", help).with_errors(vec![fault]));
        }
    }
    Ok(asked)
}

fn word<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
}

/// The list, if there is one that the key may touch.
fn find(view: &View, who: &Who, full: &str) -> Result<Audience, Refused> {
    let all = &view.catalogue().audiences;
    let found = all.iter().find(|audience| audience.id.as_str() == full && who.sees(audience.id.owner()));
    found.filter(|audience| audience.rule.is_none()).cloned().ok_or_else(|| {
        let help = "define it with `list: true` and publish it; an audience with a rule has no members of its own";
        Refused::new(Code::NotFound, "there is no such list", help)
    })
}

/// Runs what computes where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refused> + Send + 'static) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Refused::new(Code::Internal, "the server failed on this request; its log says where", ""))
    })
}

impl Planner {
    /// Whether memberships are taken at all.
    fn open(&self) -> Result<(), Refused> {
        if self.intake.is_some() {
            return Ok(());
        }
        Err(match self.loaded.config.as_of {
            Some(as_of) => {
                let message = format!("memberships are not taken: the clock stands still at {as_of} (`as_of`)");
                Refused::new(Code::Refused, message, "take `as_of` out, or upload the list by a source")
            }
            None => {
                let message = "memberships are not taken: `ingest.enabled` is false";
                Refused::new(Code::Refused, message, "set `ingest.enabled: true`, or upload the list by a source")
            }
        })
    }

    /// The words that identifiers are checked against.
    fn words(&self) -> Result<super::events::Vocabulary, Refused> {
        let keys = self.loaded.key_hasher(false).map_err(|error| refused(&error))?;
        let words = super::events::Vocabulary::new(&self.loaded, keys, None);
        Ok(words.without_deleted(Arc::clone(&self.keeper)))
    }
}

impl Door {
    /// Puts a file in force, and tells what became of it.
    fn apply(&self, who: &Who, view: &View, list: &List, taken: Taken) -> Result<Uploaded, Refused> {
        if list.mode == Mode::Replace && taken.rejected > 0 && !list.dry_run {
            let message =
                format!("{} lines were not taken, so nobody is removed for not being in the file", taken.rejected);
            let faults = taken.rejects.iter().map(take::fault).collect();
            let help = "mend these lines, or send the file with mode=add; dry_run=true tells all of this beforehand";
            return Err(Refused::invalid(message, help).with_errors(faults));
        }
        let mut turn = self.turn.lock();
        let who_has = apply::match_all(view, &taken.entries).map_err(|error| refused(&error))?;
        let mut done = taken.told(list, &who_has);
        let leave = match list.mode {
            Mode::Replace => {
                apply::not_in(&self.planner, view, list, &taken, &who_has).map_err(|error| refused(&error))?
            }
            _ => Vec::new(),
        };
        done.removed += leave.len() as u64;
        let Some(intake) = self.planner.intake.as_ref().filter(|_| !list.dry_run) else { return Ok(done) };
        let after =
            format!("{:?}: {} joined, {} removed, {} rejected", list.mode, done.joined, done.removed, done.rejected);
        let entry =
            Entry { what: "upload", object: format!("list {}", list.full), after: Some(after), ..Entry::default() };
        self.planner.log(who, entry)?;
        let time = apply::next_second(&mut turn);
        let hasher = self.planner.loaded.key_hasher(false).map_err(|error| refused(&error))?;
        apply::submit(intake, &hasher, list, &taken, &leave, time)?;
        self.planner.metrics.feed.count([taken.entries.len() as u64 + leave.len() as u64, 0, done.rejected]);
        Ok(done)
    }
}
