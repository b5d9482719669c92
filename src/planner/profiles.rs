//! `/api/v1/profiles`: deletes people, and exports what is held of one. For the privacy role; every use is in the audit trail.

use super::Planner;
use super::export;
use super::named::{Eid, query};
use super::reply::{Peer, Problem, Refused, json};
use crate::access::{Entry, Who};
use crate::error::ErrorKind;
use crate::live::Held;
use crate::schema::{ProfileKey, Timestamp};
use crate::wire::Code;
use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The most bytes of a deletion.
const MAX_BODY_BYTES: usize = 2 << 20;
/// How long its body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The paths of this file.
pub(super) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(export_profile, delete_profiles)).with_state(planner)
}

/// Whom a deletion is about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Deletion)]
struct Whom {
    /// 1 to 10,000 identifiers.
    #[schema(min_items = 1, max_items = 10_000)]
    eids: Vec<Eid>,
}

/// What a deletion came to.
#[derive(Serialize, ToSchema)]
#[schema(as = Deleted)]
struct Done {
    /// Identifiers that are refused at every door from now on.
    identifiers: usize,
    /// Profiles that they belong to.
    profiles: usize,
    /// By when no file holds anything of them.
    #[schema(value_type = String)]
    purged_by: Timestamp,
}

/// Forgets people, now and for good
///
/// All their identifiers are refused at every door from now on. Every use is in the audit trail.
#[utoipa::path(
    delete, path = "/api/v1/profiles", tag = "people", security(("key" = ["privacy"])), request_body = Whom,
    responses(
        (status = 200, description = "They are blocked", body = Done),
        (status = 408, description = "The body did not arrive in time", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn delete_profiles(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    // First of all: nobody else is listened to.
    let who = planner.may_see_people(peer, &headers)?;
    let help = "send {\"eids\":[{\"source\":\"...\",\"uid\":\"...\"}]}";
    let body = read(body, help).await?;
    // What serde says of a value could quote an identifier, so only the place is told.
    let whom: Whom = serde_json::from_slice(&body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Refused::invalid(format!("the body is not of this form (line {line}, column {column})"), help)
    })?;
    let keys = planner.named(&whom.eids)?;
    off_thread(move || {
        let deleted = planner.keeper.delete(&keys).map_err(|error| refused(&error))?;
        let subject = Some(planner.hasher()?.block_key(keys[0]));
        let object = format!("{} identifiers", keys.len());
        planner.log(&who, Entry { what: "delete", object, subject, ..Entry::default() })?;
        let (identifiers, profiles) = (deleted.identifiers, deleted.profiles);
        Ok(json(StatusCode::OK, &Done { identifiers, profiles, purged_by: deleted.purged_by }))
    })
    .await
}

/// A body, within bounds of time and size.
pub(super) async fn read(body: Body, help: &str) -> Result<Bytes, Refused> {
    read_within(body, MAX_BODY_BYTES, help).await
}

/// A body of at most so many bytes.
pub(super) async fn read_within(body: Body, most: usize, help: &str) -> Result<Bytes, Refused> {
    match timeout(PATIENCE, to_bytes(body, most)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Refused::invalid("the body cannot be read, or is too large", help)),
        Err(_) => Err(Refused::new(Code::Timeout, "the body did not arrive within 30 seconds", "send it again")),
    }
}

/// Whom it is about.
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
}

/// What is held of a person
///
/// Every trait, event, list, consent, objection, exposure and audience. Every use is in the audit trail.
#[utoipa::path(
    get, path = "/api/v1/profiles", tag = "people", security(("key" = ["privacy"])), params(Asked),
    responses((status = 200, description = "All that is held", body = Object))
)]
async fn export_profile(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(asked): RawQuery,
) -> Result<Response, Refused> {
    let who = planner.may_see_people(peer, &headers)?;
    let help = "ask /api/v1/profiles?source=SOURCE&uid=UID";
    let [source, uid] = query(asked.as_deref(), ["source", "uid"])
        .ok_or_else(|| Refused::invalid("`source` and `uid` are expected in the query", help))?;
    let keys = planner.named(&[Eid { source, uid }])?;
    off_thread(move || {
        // Nothing is told that leaves no trace.
        planner.log_person(&who, "export", keys[0])?;
        let held = planner.held(&keys)?;
        let all = export::export(&held, &planner.loaded, &planner.keeper).map_err(|error| refused(&error))?;
        Ok(json(StatusCode::OK, &all))
    })
    .await
}

impl Planner {
    /// What is held of whoever has these identifiers.
    pub(super) fn held(&self, keys: &[ProfileKey]) -> Result<Held, Refused> {
        let generation = self.standing.answering().map(|answering| answering.snapshot.generation());
        let now = self.loaded.clock().now();
        Held::of(&self.loaded, self.keeper.store(), generation, keys, now).map_err(|error| match error.kind {
            ErrorKind::Busy => Refused::new(Code::NotReady, error.to_string(), "send it again then").retry_after(5),
            _ => refused(&error),
        })
    }

    /// Makes an entry in the audit trail.
    ///
    /// # Errors
    /// A machine that refuses; then nothing may be told, and nothing changed.
    pub(super) fn log(&self, who: &Who, entry: Entry) -> Result<(), Refused> {
        self.keeper.log(who, entry).map_err(|error| refused(&error))
    }

    /// Notes that somebody looked at, or changed, what is held of a person.
    ///
    /// # Errors
    /// As [`Planner::log`].
    pub(super) fn log_person(&self, who: &Who, what: &'static str, subject: ProfileKey) -> Result<(), Refused> {
        let subject = Some(self.hasher()?.block_key(subject));
        self.log(who, Entry { what, subject, ..Entry::default() })
    }
}

/// Runs what reads or writes files where it holds nobody up.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(Refused::new(Code::Internal, "the server failed on this request; its log says where", "")),
    }
}

/// What a machine or a file refuses.
pub(super) fn refused(error: &crate::error::Error) -> Refused {
    match error.kind {
        ErrorKind::Usage | ErrorKind::Input => Refused::invalid(error.to_string(), ""),
        ErrorKind::NoRoom => Refused::new(Code::StorageFull, error.to_string(), "make room, then send it again"),
        ErrorKind::Busy => Refused::new(Code::Overloaded, error.to_string(), "send it again").retry_after(1),
        _ => Refused::new(Code::Internal, error.to_string(), "nothing was acknowledged; send it again"),
    }
}
