//! `GET /api/v1/audit`: the audit trail, the newest entry first.

use super::Planner;
use super::profiles::{off_thread, refused};
use super::reply::{Peer, Refused, json};
use crate::access::audit::concerns;
use crate::access::{Who, roles};
use crate::log::{AuditEntry, Trail};
use crate::schema::Timestamp;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How many entries an answer has unless it is said.
const FEW: usize = 100;
/// The most entries of an answer.
const MOST: usize = 1_000;

/// The path of this file.
pub(super) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(audit)).with_state(planner)
}

/// Which entries.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// Of this credential only.
    pub who: Option<String>,
    /// Of this deed only, such as `publish`.
    #[param(example = "explain")]
    pub what: Option<String>,
    /// Of what was done to this only: the whole text, or its last word, such as `acme/vip`.
    pub object: Option<String>,
    /// From this instant on.
    #[param(value_type = Option<String>, example = "2026-11-20T12:00:00Z")]
    pub since: Option<Timestamp>,
    /// Before this instant.
    #[param(value_type = Option<String>)]
    pub until: Option<Timestamp>,
    /// Before the entry of this number: `next` of the answer before.
    pub before: Option<u64>,
    /// How many; 100 unless said, at most 1000.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

/// An entry as it is shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct Line<'a> {
    /// From 1, without gaps.
    pub number: u64,
    /// When.
    #[schema(value_type = String)]
    pub time: Timestamp,
    /// The credential.
    pub who: &'a str,
    /// The owner whose the credential is; absent = everybody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<&'a str>,
    /// What was done.
    pub what: &'a str,
    /// What it was done to.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub object: &'a str,
    /// The keyed hash of whom it concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What stood there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<&'a str>,
    /// What stands there since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<&'a str>,
    /// The hash of the entry before it and of everything above.
    pub link: String,
}

/// Some entries.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditTrail)]
struct Told<'a> {
    /// The newest first.
    entries: Vec<Line<'a>>,
    /// What `before` must be for the next ones; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// Whether the chain holds, of all entries.
    holds: bool,
}

impl<'a> Line<'a> {
    /// That of an entry.
    pub fn of(entry: &'a AuditEntry) -> Self {
        Line {
            number: entry.number,
            time: Timestamp(entry.time),
            who: &entry.who,
            owner: entry.owner.as_deref(),
            what: &entry.what,
            object: &entry.object,
            subject: entry.subject.map(|key| format!("{:032x}", key.0)),
            before: entry.before.as_deref(),
            after: entry.after.as_deref(),
            link: entry.link.to_string(),
        }
    }
}

impl Asked {
    /// Reads the query: every parameter once, no other.
    fn read(raw: Option<&str>) -> Result<Self, Refused> {
        let mut asked = Asked::default();
        for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
            let wrong = |expected: &str| {
                let known = "who, what, object, since, until, before and limit can be asked for, each once";
                Refused::invalid(format!("`{name}` must be {expected}"), known)
            };
            let again = match &*name {
                "who" => asked.who.replace(value.to_string()).is_some(),
                "what" => asked.what.replace(value.to_string()).is_some(),
                "object" => asked.object.replace(value.to_string()).is_some(),
                "since" | "until" => {
                    let time =
                        Timestamp::parse(&value).ok_or_else(|| wrong("an instant such as 2026-11-20T12:00:00Z"))?;
                    if name == "since" {
                        asked.since.replace(time).is_some()
                    } else {
                        asked.until.replace(time).is_some()
                    }
                }
                "before" => asked.before.replace(value.parse().map_err(|_| wrong("a number"))?).is_some(),
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    asked.limit.replace(limit.ok_or_else(|| wrong("1 to 1000"))?).is_some()
                }
                _ => return Err(wrong("left out: it is not known here")),
            };
            if again {
                return Err(wrong("said once"));
            }
        }
        Ok(asked)
    }

    /// Whether an entry is meant.
    pub fn fits(&self, entry: &AuditEntry) -> bool {
        let is = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted == text);
        let object = entry.object.as_str();
        let last = object.rsplit(' ').next().unwrap_or_default();
        is(&self.who, &entry.who)
            && is(&self.what, &entry.what)
            && (is(&self.object, object) || is(&self.object, last))
            && self.since.is_none_or(|since| entry.time >= since.0)
            && self.until.is_none_or(|until| entry.time < until.0)
            && self.before.is_none_or(|before| entry.number < before)
    }
}

/// Who did what, the newest first
///
/// An owner's key sees what its owner's keys did, and what was done to what is its owner's.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit", security(("key" = ["privacy", "operator"])), params(Asked),
    responses((status = 200, description = "The entries", body = Told))
)]
async fn audit(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::AUDIT)?;
    let asked = Asked::read(query.as_deref())?;
    off_thread(move || {
        let trail = Trail::read(&planner.loaded.config.data_dir).map_err(|error| refused(&error))?;
        Ok(json(StatusCode::OK, &told(&trail, &who, &asked)))
    })
    .await
}

fn told<'a>(trail: &'a Trail, who: &Who, asked: &Asked) -> Told<'a> {
    let seen = |entry: &&AuditEntry| who.owner.as_deref().is_none_or(|owner| concerns(entry, owner));
    let limit = asked.limit.unwrap_or(FEW);
    let mut fitting = trail.entries().iter().rev().filter(seen).filter(|entry| asked.fits(entry));
    let entries: Vec<Line<'_>> = fitting.by_ref().take(limit).map(Line::of).collect();
    let next = fitting.next().and(entries.last().map(|line| line.number));
    Told { entries, next, holds: trail.broken().is_none() }
}
