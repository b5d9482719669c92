//! What changes the catalogue: a draft, an upload of many, publishing, archiving.

use super::see::{definition, tagged};
use super::shapes::{Changed, Definition};
use super::{Query, absent, named};
use crate::access::{Who, roles};
use crate::audiences::versions::Kind;
use crate::planner::Planner;
use crate::planner::catalogue::wish::{Asked, Expected, Wish};
use crate::planner::profiles::{off_thread, refused};
use crate::planner::reply::{Fault, Peer, Problem, Refused, json};
use crate::schema::{AudienceId, names::is_name};
use crate::wire::Code;
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use utoipa::ToSchema;

/// The most bytes of a body.
const MAX_BODY_BYTES: usize = 16 << 20;
/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What shall be published.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Publish {
    /// At once: all of it or nothing.
    items: Vec<PublishItem>,
    /// Why.
    #[serde(default)]
    comment: Option<String>,
    /// What confirms it, where it must be.
    #[serde(default)]
    confirm: Option<String>,
    /// Whether it shall only be looked at.
    #[serde(default)]
    dry_run: bool,
}

/// A definition that shall be published or archived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishItem {
    /// `audience`, `campaign`, `group` or `pressure`.
    kind: String,
    /// `owner/id`.
    id: String,
    /// Which version; the draft unless given. An older one may be published again.
    #[serde(default)]
    version: Option<u64>,
    /// Whether it shall be no more.
    #[serde(default)]
    archive: bool,
}

/// Writes down a definition, as YAML or JSON; nothing is in force before it is published
#[utoipa::path(put, path = "/api/v1/{kind}/{owner}/{id}", tag = "catalogue",
    security(("key" = ["planner", "approver"])),
    params(
        ("kind" = String, Path, description = "`audiences`, `campaigns`, `groups` or `pressure` (whose id is `pressure`)"),
        ("owner" = String, Path, description = "Whose it is"),
        ("id" = String, Path, description = "Its id"),
        ("comment" = Option<String>, Query, description = "Why"),
        ("dry_run" = Option<bool>, Query, description = "Only look at it"),
        ("if-match" = Option<String>, Header, description = "The `ETag` it must have; `*` = there must be one"),
        ("if-none-match" = Option<String>, Header, description = "`*` = there must be none"),
    ),
    request_body(content = String, content_type = "application/yaml"),
    responses(
        (status = 200, body = Definition, headers(("etag" = String, description = "The last version"))),
        (status = 201, body = Definition, headers(("etag" = String, description = "The last version"))),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 408, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
        (status = 507, body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn put(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path((kind, owner, id)): Path<(String, String, String)>,
    RawQuery(raw): RawQuery,
    body: Body,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::DEFINE)?;
    let (kind, id) = named(&kind, &owner, &id)?;
    let text = text(&headers, body).await?;
    off_thread(move || {
        let query = Query::read(raw.as_deref(), &["comment", "dry_run"])?;
        let expected = expected(&headers)?;
        let asked = asked(who, &query, false)?;
        let done = planner.change(&asked, &Wish::One(kind, id.clone(), text, expected))?;
        let new = done.change.is_some() && done.items.iter().any(|(_, _, _, new)| *new);
        let base = planner.definitions.base(&planner.loaded).map_err(|error| refused(&error))?;
        match definition(&base, &asked.who, kind, &id) {
            Some(definition) => {
                let status = if new { StatusCode::CREATED } else { StatusCode::OK };
                Ok(tagged(definition.version, json(status, &definition)))
            }
            // A dry run of what is not there yet.
            None => Ok(json(StatusCode::OK, &Definition::of_other(kind, &id, &Default::default()))),
        }
    })
    .await
}

/// Archives a definition: it is in force no more; its versions stay
#[utoipa::path(delete, path = "/api/v1/{kind}/{owner}/{id}", tag = "catalogue",
    security(("key" = ["planner", "approver"])),
    params(
        ("kind" = String, Path, description = "`audiences`, `campaigns`, `groups` or `pressure`"),
        ("owner" = String, Path, description = "Whose it is"),
        ("id" = String, Path, description = "Its id"),
        ("comment" = Option<String>, Query, description = "Why"),
        ("dry_run" = Option<bool>, Query, description = "Only look at it"),
        ("confirm" = Option<String>, Query, description = "What confirms it, where it must be"),
        ("if-match" = Option<String>, Header, description = "The `ETag` it must have"),
    ),
    responses(
        (status = 200, body = Changed),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
        (status = 507, body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn archive(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path((kind, owner, id)): Path<(String, String, String)>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::DEFINE)?;
    let (kind, id) = named(&kind, &owner, &id)?;
    off_thread(move || {
        let query = Query::read(raw.as_deref(), &["comment", "dry_run", "confirm"])?;
        let expected = expected(&headers)?;
        let asked = asked(who, &query, true)?;
        if !asked.who.sees(id.owner()) {
            return Err(absent(kind, &id));
        }
        let done = planner.change(&asked, &Wish::Archive(vec![(kind, id)], expected))?;
        Ok(json(StatusCode::OK, &Changed::of(&done, &asked.who, asked.dry_run)))
    })
    .await
}

/// Takes many definitions at once, as YAML or JSON: all of them or none, with every error at its place
#[utoipa::path(post, path = "/api/v1/definitions", tag = "catalogue",
    security(("key" = ["planner", "approver"])),
    params(
        ("publish" = Option<bool>, Query, description = "Publish them at once, instead of keeping them as drafts"),
        ("dry_run" = Option<bool>, Query, description = "Only look at them"),
        ("comment" = Option<String>, Query, description = "Why"),
        ("confirm" = Option<String>, Query, description = "What confirms it, where it must be"),
    ),
    request_body(content = String, content_type = "application/yaml", description = "As a definition file: `audiences`, `campaigns`, `groups`, `pressure`"),
    responses(
        (status = 200, body = Changed),
        (status = 408, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
        (status = 507, body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn upload(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
    body: Body,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::DEFINE)?;
    let text = text(&headers, body).await?;
    off_thread(move || {
        let query = Query::read(raw.as_deref(), &["publish", "dry_run", "comment", "confirm"])?;
        let publish = query.flag("publish")?;
        let asked = asked(who, &query, publish)?;
        let done = planner.change(&asked, &Wish::Texts(vec![("upload".into(), text)]))?;
        Ok(json(StatusCode::OK, &Changed::of(&done, &asked.who, asked.dry_run)))
    })
    .await
}

/// Publishes drafts, or older versions again, and archives, all at once
#[utoipa::path(post, path = "/api/v1/publish", tag = "catalogue",
    security(("key" = ["planner", "approver"])),
    request_body = Publish,
    responses(
        (status = 200, body = Changed),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 408, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
        (status = 507, body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn publish(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::DEFINE)?;
    let body = bytes(body).await?;
    off_thread(move || {
        let publish: Publish = serde_json::from_slice(&body).map_err(|error| {
            let fault = Fault {
                detail: error.to_string(),
                line: Some(error.line()).filter(|line| *line > 0),
                column: Some(error.column().max(1)).filter(|_| error.line() > 0),
                ..Fault::default()
            };
            let help = "send {\"items\":[{\"kind\":\"audience\",\"id\":\"acme/vip\"}]}";
            Refused::invalid(format!("the body is not of this form: {error}"), help).with_errors(vec![fault])
        })?;
        let mut versions = Vec::new();
        let mut gone = Vec::new();
        for (at, item) in publish.items.iter().enumerate() {
            let (kind, id) = item.named(at)?;
            match (item.archive, item.version) {
                (true, Some(_)) => return Err(wrong(at, "version", "what is archived has no version")),
                (true, None) => gone.push((kind, id)),
                (false, version) => versions.push((kind, id, version)),
            }
        }
        if publish.items.is_empty() {
            return Err(Refused::invalid("`items` names nothing", "name what shall be published"));
        }
        let Publish { comment, confirm, dry_run, .. } = publish;
        let asked = Asked { who, comment, publish: true, dry_run, confirm };
        let done = planner.change(&asked, &Wish::Mixed(versions, gone))?;
        Ok(json(StatusCode::OK, &Changed::of(&done, &asked.who, dry_run)))
    })
    .await
}

impl PublishItem {
    fn named(&self, at: usize) -> Result<(Kind, AudienceId), Refused> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == self.kind || kind.plural() == self.kind);
        let kind = kind.ok_or_else(|| wrong(at, "kind", "expected `audience`, `campaign`, `group` or `pressure`"))?;
        let parts = self.id.split_once('/').filter(|(owner, id)| is_name(owner) && is_name(id));
        let (owner, id) = parts.ok_or_else(|| wrong(at, "id", "expected `owner/id`"))?;
        Ok((kind, AudienceId::new(owner, id)))
    }
}

fn wrong(at: usize, field: &str, detail: &str) -> Refused {
    let fault = Fault { detail: detail.to_owned(), field: Some(format!("/items/{at}/{field}")), ..Fault::default() };
    Refused::invalid(format!("`items[{at}].{field}`: {detail}"), "").with_errors(vec![fault])
}

fn asked(who: Who, query: &Query, publish: bool) -> Result<Asked, Refused> {
    let text = |name: &str| query.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Asked { who, comment: text("comment"), publish, dry_run: query.flag("dry_run")?, confirm: text("confirm") })
}

/// What `If-Match` and `If-None-Match` say.
fn expected(headers: &HeaderMap) -> Result<Expected, Refused> {
    let text = |name| headers.get(name).map(|value: &axum::http::HeaderValue| value.to_str().unwrap_or("?").trim());
    let wrong = |header: &str, expected: &str| {
        let fault =
            Fault { detail: format!("expected {expected}"), field: Some(header.to_owned()), ..Fault::default() };
        Refused::invalid(format!("`{header}`: expected {expected}"), "").with_errors(vec![fault])
    };
    match (text(IF_MATCH), text(IF_NONE_MATCH)) {
        (None, None) => Ok(Expected::Any),
        (Some("*"), None) => Ok(Expected::Some),
        (Some(tag), None) => {
            // A tag of another form is of no version, so it fits none.
            let number = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
            Ok(Expected::Version(number.unwrap_or(0)))
        }
        (None, Some("*")) => Ok(Expected::None),
        (None, Some(_)) => Err(wrong("if-none-match", "`*`")),
        (Some(_), Some(_)) => Err(wrong("if-none-match", "one of `If-Match` and `If-None-Match`")),
    }
}

/// A body within bounds of time and size.
async fn bytes(body: Body) -> Result<Vec<u8>, Refused> {
    match timeout(PATIENCE, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(body)) => Ok(body.into()),
        Ok(Err(_)) => {
            let message = format!("the body cannot be read, or has more than {MAX_BODY_BYTES} bytes");
            Err(Refused::new(Code::TooLarge, message, "send it in several"))
        }
        Err(_) => Err(Refused::new(Code::Timeout, "the body did not arrive within 60 seconds", "send it again")),
    }
}

/// A body as text: YAML, or JSON, which is YAML but for its way of writing characters in two halves.
async fn text(headers: &HeaderMap, body: Body) -> Result<String, Refused> {
    let kind = headers.get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or("?"));
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase());
    const YAML: [&str; 6] = [
        "application/yaml",
        "application/x-yaml",
        "text/yaml",
        "text/x-yaml",
        "text/plain",
        "application/x-www-form-urlencoded",
    ];
    let json = kind.as_deref() == Some("application/json");
    if kind.as_deref().is_some_and(|kind| !json && !YAML.contains(&kind)) {
        let message = "the body is neither YAML nor JSON";
        return Err(Refused::new(Code::UnsupportedMediaType, message, "send it as `Content-Type: application/yaml`"));
    }
    let body = bytes(body).await?;
    let text =
        String::from_utf8(body).map_err(|_| Refused::invalid("the body is not UTF-8 text", "send it as UTF-8"))?;
    if json && text.contains("\\u") {
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
            let fault = Fault {
                code: Some("bad-json".to_owned()),
                detail: error.to_string(),
                line: Some(error.line()),
                column: Some(error.column()),
                ..Fault::default()
            };
            Refused::invalid(format!("this is not JSON: {error}"), "").with_errors(vec![fault])
        })?;
        return Ok(serde_json::to_string_pretty(&value).unwrap_or(text));
    }
    Ok(text)
}
