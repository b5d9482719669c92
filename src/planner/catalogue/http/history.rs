//! How a definition came to be: its versions, and what differs between two.

use super::shapes::VersionAnswer;
use super::{Query, absent, named};
use crate::access::roles;
use crate::audiences::versions::{History, Kind};
use crate::planner::Planner;
use crate::planner::catalogue::diff::{Field, Line, by_field, by_line};
use crate::planner::profiles::{off_thread, refused};
use crate::planner::reply::{Peer, Problem, Refused, json};
use crate::schema::AudienceId;
use crate::wire::Code;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The most versions of a page.
const MOST: u64 = 1_000;

/// A page of versions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VersionsAnswer {
    /// The newest first.
    versions: Vec<VersionAnswer>,
    /// What `before` is for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

/// What differs between two versions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DiffAnswer {
    /// The earlier.
    from: u64,
    /// The later.
    to: u64,
    /// The fields that differ.
    fields: Vec<Field>,
    /// Every line of the YAML of both.
    lines: Vec<Line>,
}

/// The versions of a definition, the newest first
#[utoipa::path(get, path = "/api/v1/{kind}/{owner}/{id}/versions", tag = "catalogue",
    security(("key" = ["planner", "approver", "operator"])),
    params(
        ("kind" = String, Path, description = "`audiences`, `campaigns`, `groups` or `pressure`"),
        ("owner" = String, Path, description = "Whose it is"),
        ("id" = String, Path, description = "Its id"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "At most so many; 100 unless given"),
        ("before" = Option<u64>, Query, minimum = 1, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, body = VersionsAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn versions(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path(path): Path<(String, String, String)>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    off_thread(move || {
        let query = Query::read(raw.as_deref(), &["limit", "before"])?;
        let limit = query.number("limit", 1, MOST)?.unwrap_or(100) as usize;
        let before = query.number("before", 1, u64::MAX)?.unwrap_or(u64::MAX);
        of(&planner, &who, &path, |_, _, history| {
            let mut older = history.versions().iter().rev().filter(|version| version.number < before);
            let versions: Vec<_> =
                older.by_ref().take(limit).map(|version| VersionAnswer::of(version, false)).collect();
            let next = versions.last().map(|last| last.version).filter(|_| older.next().is_some());
            Ok(json(StatusCode::OK, &VersionsAnswer { versions, next }))
        })
    })
    .await
}

/// One version of a definition
#[utoipa::path(get, path = "/api/v1/{kind}/{owner}/{id}/versions/{number}", tag = "catalogue",
    security(("key" = ["planner", "approver", "operator"])),
    params(
        ("kind" = String, Path, description = "`audiences`, `campaigns`, `groups` or `pressure`"),
        ("owner" = String, Path, description = "Whose it is"),
        ("id" = String, Path, description = "Its id"),
        ("number" = String, Path, description = "The version's number"),
    ),
    responses(
        (status = 200, body = VersionAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn version(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path((kind, owner, id, number)): Path<(String, String, String, String)>,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    off_thread(move || {
        of(&planner, &who, &(kind, owner, id), |kind, id, history| {
            let version = number.parse().ok().and_then(|number| history.version(number));
            let version = version.ok_or_else(|| no_version(kind, id, &number))?;
            Ok(json(StatusCode::OK, &VersionAnswer::of(version, true)))
        })
    })
    .await
}

/// What differs between two versions of a definition, field by field and line by line
#[utoipa::path(get, path = "/api/v1/{kind}/{owner}/{id}/diff", tag = "catalogue",
    security(("key" = ["planner", "approver", "operator"])),
    params(
        ("kind" = String, Path, description = "`audiences`, `campaigns`, `groups` or `pressure`"),
        ("owner" = String, Path, description = "Whose it is"),
        ("id" = String, Path, description = "Its id"),
        ("from" = Option<u64>, Query, minimum = 1, description = "The earlier version; what is in force unless given, else the one before `to`"),
        ("to" = Option<u64>, Query, minimum = 1, description = "The later version; the last unless given"),
    ),
    responses(
        (status = 200, body = DiffAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn diff(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path(path): Path<(String, String, String)>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    off_thread(move || {
        let query = Query::read(raw.as_deref(), &["from", "to"])?;
        let (from, to) = (query.number("from", 1, u64::MAX)?, query.number("to", 1, u64::MAX)?);
        of(&planner, &who, &path, |kind, id, history| {
            let last = history.last().map_or(0, |last| last.number);
            let to = to.unwrap_or(last);
            let in_force = history.published().map(|version| version.number).filter(|number| *number < to);
            let from = from.or(in_force).unwrap_or(to.saturating_sub(1));
            let text = |number: u64| match number {
                0 => Ok(""),
                _ => {
                    let version = history.version(number).ok_or_else(|| no_version(kind, id, &number.to_string()))?;
                    Ok(version.text.as_deref().unwrap_or(""))
                }
            };
            let (before, after) = (text(from)?, text(to)?);
            let (fields, lines) = (by_field(before, after), by_line(before, after));
            Ok(json(StatusCode::OK, &DiffAnswer { from, to, fields, lines }))
        })
    })
    .await
}

/// The history of a definition that somebody may see whole.
fn of(
    planner: &Planner,
    who: &crate::access::Who,
    (kind, owner, id): &(String, String, String),
    then: impl FnOnce(Kind, &AudienceId, &History) -> Result<Response, Refused>,
) -> Result<Response, Refused> {
    let (kind, id) = named(kind, owner, id)?;
    let versions = planner.definitions.versions(&planner.loaded).map_err(|error| refused(&error))?;
    let history = versions.get(kind, &id).filter(|_| who.sees(id.owner())).ok_or_else(|| absent(kind, &id))?;
    then(kind, &id, history)
}

fn no_version(kind: Kind, id: &AudienceId, number: &str) -> Refused {
    let number: String = number.chars().take(20).collect();
    let help = "`.../versions` lists those that there are";
    Refused::new(Code::NotFound, format!("there is no version {number} of the {kind} `{id}`"), help)
}
