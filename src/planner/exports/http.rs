//! `/api/v1/exports`: has an audience leave the house, tells how far that is, and breaks it off.

use super::{Exports, Full, Job, Order, State as Where, entry};
use crate::access::{Entry, Who, roles};
use crate::audiences::order::resting_on_others;
use crate::build::exports::{Ask, EXPIRES_DAYS, Format, Place, Report, below_floor, floor};
use crate::planner::Planner;
use crate::planner::profiles::{off_thread, refused};
use crate::planner::reply::{Fault, Peer, Problem, Refused, json};
use crate::schema::{AudienceId, Timestamp};
use crate::wire::Code;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path as Named, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The paths of this file.
pub(in crate::planner) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_exports, request_export))
        .routes(routes!(show_export, cancel_export))
        .with_state(planner)
}

/// What to export, and where to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExportRequest {
    /// `owner/id`; an owner's key may leave its owner out.
    #[schema(example = "acme/gold")]
    audience: String,
    /// The shape of the files.
    format: Format,
    /// One of the configuration's `destinations`.
    #[schema(example = "partner")]
    destination: String,
    /// Only what changed since the last export of the same audience, format and types to the same destination.
    #[serde(default)]
    delta: bool,
    /// Identifier types; none = all.
    #[serde(default)]
    ids: Vec<String>,
    /// For suppress audiences: members who object stay in it, and everybody else who objects to marketing comes in.
    #[serde(default)]
    include_objectors: bool,
    /// After how many days a suppression list may not be used any more.
    #[serde(default = "expires_days")]
    #[schema(minimum = 1, maximum = 90, default = 7)]
    expires_days: u32,
    /// Why, for the audit trail.
    #[serde(default)]
    comment: Option<String>,
}

fn expires_days() -> u32 {
    EXPIRES_DAYS.0
}

/// An export.
#[derive(Debug, Serialize, ToSchema)]
struct ExportAnswer {
    id: String,
    state: Where,
    /// How much of the sources was read, from 0 to 1.
    #[schema(minimum = 0.0, maximum = 1.0)]
    progress: f64,
    #[schema(value_type = String)]
    audience: AudienceId,
    destination: String,
    format: Format,
    delta: bool,
    ids: Vec<String>,
    include_objectors: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    /// Whose key asked for it.
    by: String,
    #[schema(value_type = String, format = DateTime)]
    requested: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended: Option<Timestamp>,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// What became of it; the names of its files are those in the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
}

/// Exports, the last first.
#[derive(Debug, Serialize, ToSchema)]
struct ExportsAnswer {
    exports: Vec<ExportAnswer>,
    /// The names of the configuration's destinations that the key's owner may export to; with a key for every owner all of them.
    destinations: Vec<String>,
}

impl ExportAnswer {
    /// As it is told: whoever has a key of one owner is not told where files of this machine are, nor of its sources.
    fn of(job: &Job, who: &Who) -> ExportAnswer {
        let end = job.end.lock().clone();
        let (all, state) = (who.owner.is_none(), end.as_ref().map_or(Where::Running, |end| end.state));
        let message = end.as_ref().and_then(|end| end.message.clone()).map(|message| match state {
            Where::Failed if !all => {
                "it failed, or was refused; whoever has a key for every owner is told why".to_owned()
            }
            _ => message,
        });
        let report = end.as_ref().and_then(|end| end.report.clone()).map(|mut report| {
            for file in &mut report.files {
                file.name = file.name.rsplit('/').next().unwrap_or_default().to_owned();
            }
            report
        });
        ExportAnswer {
            id: job.id.clone(),
            state,
            progress: if state == Where::Done { 1.0 } else { job.share.get() },
            audience: job.audience.clone(),
            destination: job.destination.clone(),
            format: job.ask.format,
            delta: job.ask.delta,
            ids: job.ask.ids.clone(),
            include_objectors: job.ask.include_objectors,
            comment: job.comment.clone(),
            by: job.by.clone(),
            requested: job.requested,
            ended: end.map(|end| end.at),
            message,
            report,
        }
    }
}

/// Exports an audience's identifiers, as the sources have them, to a destination of the configuration
#[utoipa::path(post, path = "/api/v1/exports", tag = "exports", request_body = ExportRequest,
    security(("key" = ["approver", "operator"])),
    responses(
        (status = 202, body = ExportAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "no such audience in the generation in service"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "below its floor, or another export goes there"),
        (status = 429, body = Problem, content_type = "application/problem+json", description = "too many exports run"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "no generation yet"),
    ))]
async fn request_export(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::EXPORT)?;
    let asked: ExportRequest = serde_json::from_slice(&body).map_err(|error| {
        let fault = Fault {
            detail: error.to_string(),
            line: Some(error.line()),
            column: Some(error.column()),
            ..Fault::default()
        };
        let help = "send {\"audience\":\"owner/id\",\"format\":\"csv\",\"destination\":\"NAME\"}";
        Refused::invalid("the body is not of the expected form", help).with_errors(vec![fault])
    })?;
    off_thread(move || {
        let (who, job) = planner.export(who, asked)?;
        Ok(json(StatusCode::ACCEPTED, &ExportAnswer::of(&job, &who)))
    })
    .await
}

/// A field that is wrong.
fn wrong(field: &str, detail: impl Into<String>) -> Refused {
    let detail = detail.into();
    let fault = Fault { detail: detail.clone(), field: Some(format!("/{field}")), ..Fault::default() };
    Refused::invalid(format!("`{field}`: {detail}"), "docs/exports.md says what can be asked for")
        .with_errors(vec![fault])
}

impl Planner {
    /// Checks what is asked for, and starts it.
    fn export(&self, who: Who, asked: ExportRequest) -> Result<(Who, Arc<Job>), Refused> {
        let view = self.view()?;
        let id = AudienceId::resolve(&asked.audience, who.owner.as_deref().unwrap_or_default());
        let number = view.catalogue().number(&id).filter(|_| who.sees(id.owner()));
        let Some(number) = number else {
            let message = format!("there is no audience `{id}` in the generation in service");
            return Err(Refused::new(Code::NotFound, message, "publish it first, or look at GET /api/v1/definitions"));
        };
        let audience = &view.catalogue().audiences[number as usize];
        if who.owner.is_some() && resting_on_others(view.catalogue()).contains(&id) {
            let message = format!("`{id}` rests on an audience of another owner, and who is in that is not told");
            return Err(Refused::new(
                Code::PermissionDenied,
                message,
                "an operator's key for every owner may export it",
            ));
        }
        let place = self.destination(&asked.destination, id.owner(), &who)?;
        let mut ids: Vec<String> = asked.ids.iter().map(|id| id.to_lowercase()).collect();
        ids.sort();
        ids.dedup();
        let ask = Ask {
            format: asked.format,
            delta: asked.delta,
            ids,
            include_objectors: asked.include_objectors,
            expires_days: asked.expires_days,
        };
        ask.check(audience, &self.loaded).map_err(|(field, detail)| wrong(field, detail))?;
        if ask.include_objectors && who.owner.is_some() {
            let help = "an operator's key for every owner may ask for it";
            return Err(Refused::new(Code::PermissionDenied, "those who object belong to no owner", help));
        }
        let members = view.members(number).map_err(|error| refused(&error))?;
        if let Some(error) = below_floor(audience, members.len(), floor(audience, &self.loaded)) {
            return Err(Refused::new(Code::Refused, error.to_string(), "GET /api/v1/definitions shows its rule"));
        }
        let after = format!(
            "format {}{}{}{}",
            ask.format.name(),
            if ask.delta { ", delta" } else { "" },
            if ask.include_objectors { ", with objectors" } else { "" },
            asked.comment.as_ref().map_or_else(String::new, |comment| format!("; {comment}")),
        );
        // Nothing leaves without a trace.
        self.log(&who, Entry { after: Some(after), ..entry(&id, &asked.destination) })?;
        let order = Order {
            number,
            members,
            place,
            destination: asked.destination,
            ask,
            comment: asked.comment,
            who: who.clone(),
            view,
        };
        let started = self.exports.start(order, self.loaded.clone(), Arc::clone(&self.keeper));
        started.map(|job| (who, job)).map_err(|full| match full {
            Full::Destination => {
                let help = "GET /api/v1/exports shows it; wait for its end, or cancel it";
                Refused::new(Code::Conflict, "another export goes to this destination just now", help).retry_after(10)
            }
            Full::Many => {
                Refused::new(Code::Overloaded, "as many exports run as may at once", "send it again").retry_after(10)
            }
        })
    }

    /// A destination that an owner's audiences may go to. What others have is not told.
    fn destination(&self, name: &str, owner: &str, who: &Who) -> Result<Place, Refused> {
        let permits = |owners: &[String]| owners.is_empty() || owners.iter().any(|known| known == owner);
        let destinations = &self.loaded.config.destinations;
        let mut known = destinations.iter().filter(|it| permits(&it.owners));
        let Some(found) = known.clone().find(|it| it.name == name) else {
            let names: Vec<&str> = known.by_ref().map(|it| it.name.as_str()).collect();
            let names = if names.is_empty() { "none is configured".to_owned() } else { names.join(", ") };
            return Err(wrong(
                "destination",
                format!("no destination `{name}` for audiences of `{owner}`; there are: {names}"),
            ));
        };
        Place::parse(&found.path).map_err(|error| match who.owner {
            None => refused(&error),
            Some(_) => wrong("destination", "it cannot be used as it is configured"),
        })
    }

    /// An export that somebody sees.
    fn find_export(&self, who: &Who, id: &str) -> Result<Arc<Job>, Refused> {
        let help = "GET /api/v1/exports lists those since the server was started";
        self.exports.find(who, id).ok_or_else(|| Refused::new(Code::NotFound, "there is no such export", help))
    }
}

/// The exports since the server was started, the last first
#[utoipa::path(get, path = "/api/v1/exports", tag = "exports",
    security(("key" = ["approver", "operator"])),
    responses(
        (status = 200, body = ExportsAnswer),
    ))]
async fn list_exports(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::EXPORT)?;
    let exports = Exports::list(&planner.exports, &who).iter().map(|job| ExportAnswer::of(job, &who)).collect();
    let permits = |owners: &[String]| owners.is_empty() || owners.iter().any(|owner| who.sees(owner));
    let all = planner.loaded.config.destinations.iter();
    let destinations = all.filter(|it| permits(&it.owners)).map(|it| it.name.clone()).collect();
    Ok(json(StatusCode::OK, &ExportsAnswer { exports, destinations }))
}

/// How far an export is, or what became of it
#[utoipa::path(get, path = "/api/v1/exports/{id}", tag = "exports", params(("id" = String, Path, description = "The export")),
    security(("key" = ["approver", "operator"])),
    responses(
        (status = 200, body = ExportAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ))]
async fn show_export(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    id: Result<Named<String>, PathRejection>,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::EXPORT)?;
    let job = planner.find_export(&who, &named(id))?;
    Ok(json(StatusCode::OK, &ExportAnswer::of(&job, &who)))
}

/// A path that cannot be read names nothing.
fn named(id: Result<Named<String>, PathRejection>) -> String {
    id.map(|Named(id)| id).unwrap_or_default()
}

/// Breaks an export off: what was not confirmed yet is not there, and is not remembered
#[utoipa::path(delete, path = "/api/v1/exports/{id}", tag = "exports", params(("id" = String, Path, description = "The export")),
    security(("key" = ["approver", "operator"])),
    responses(
        (status = 202, body = ExportAnswer),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "it has ended"),
    ))]
async fn cancel_export(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    id: Result<Named<String>, PathRejection>,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::EXPORT)?;
    let job = planner.find_export(&who, &named(id))?;
    if job.end.lock().is_some() {
        return Err(Refused::new(Code::Conflict, "the export has ended", "what it wrote is at its destination"));
    }
    off_thread(move || {
        let what = Entry { what: "export cancel", ..entry(&job.audience, &job.destination) };
        planner.log(&who, what)?;
        job.watch.cancel();
        Ok(json(StatusCode::ACCEPTED, &ExportAnswer::of(&job, &who)))
    })
    .await
}
