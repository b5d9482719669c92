//! What there is: the list, and one definition.

use super::shapes::Definition;
use super::{Query, absent, named};
use crate::access::{Who, roles};
use crate::audiences::versions::Kind;
use crate::planner::Planner;
use crate::planner::catalogue::base::Base;
use crate::planner::profiles::{off_thread, refused};
use crate::planner::reply::{Peer, Problem, Refused, json};
use crate::schema::AudienceId;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The most definitions of a page.
const MOST: u64 = 1_000;

/// A page of definitions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listed {
    /// By kind and id.
    definitions: Vec<Definition>,
    /// How many there are on all pages.
    total: usize,
    /// What `after` is for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The kinds by the names that parameters give them.
pub(super) const KINDS: [(&str, Kind); 4] =
    [("audience", Kind::Audience), ("campaign", Kind::Campaign), ("group", Kind::Group), ("pressure", Kind::Pressure)];

/// Lists the definitions that the key may see, of the catalogue and of files
#[utoipa::path(get, path = "/api/v1/definitions", tag = "catalogue",
    security(("key" = ["planner", "approver", "operator"])),
    params(
        ("kind" = Option<String>, Query, description = "`audience`, `campaign`, `group` or `pressure`"),
        ("owner" = Option<String>, Query, description = "Of this owner"),
        ("state" = Option<String>, Query, description = "`published`, `draft` (with a draft) or `archived`; archived ones are listed only then"),
        ("origin" = Option<String>, Query, description = "`catalogue` or `file`"),
        ("folder" = Option<String>, Query, description = "In this folder"),
        ("tag" = Option<String>, Query, description = "With this tag"),
        ("q" = Option<String>, Query, description = "With this text in the id or the name; case does not count"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "At most so many; 100 unless given"),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses(
        (status = 200, body = Listed),
        (status = 500, body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    off_thread(move || {
        let query =
            Query::read(raw.as_deref(), &["kind", "owner", "state", "origin", "folder", "tag", "q", "limit", "after"])?;
        let wanted = Wanted::read(&query)?;
        let limit = query.number("limit", 1, MOST)?.unwrap_or(100) as usize;
        let base = planner.definitions.base(&planner.loaded).map_err(|error| refused(&error))?;
        let mut all: Vec<(Kind, AudienceId, Definition)> = visible(&base, &who);
        all.retain(|(kind, _, definition)| wanted.fits(*kind, definition));
        all.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let total = all.len();
        let name = |kind: Kind, id: &AudienceId| format!("{kind}:{id}");
        let after = query.get("after").map(|after| {
            let (kind, id) = after.split_once(':').unwrap_or((after, ""));
            (KINDS.iter().find(|(word, _)| *word == kind).map(|(_, kind)| *kind), id.to_owned())
        });
        if let Some((None, _)) = after {
            return Err(crate::planner::catalogue::query::wrong("after", "expected `next` of another page".into(), ""));
        }
        let begin = after.map_or(0, |(kind, id)| {
            all.partition_point(|(other, known, _)| (Some(*other), known.as_str()) <= (kind, id.as_str()))
        });
        let mut page: Vec<_> = all.drain(begin..).take(limit + 1).collect();
        let more = page.len() > limit;
        page.truncate(limit);
        let next = page.last().filter(|_| more).map(|(kind, id, _)| name(*kind, id));
        let definitions = page.into_iter().map(|(_, _, definition)| definition).collect();
        Ok(json(StatusCode::OK, &Listed { definitions, total, next }))
    })
    .await
}

/// One definition, with the versions that hold
#[utoipa::path(get, path = "/api/v1/{kind}/{owner}/{id}", tag = "catalogue",
    security(("key" = ["planner", "approver", "operator"])),
    params(
        ("kind" = String, Path, description = "`audiences`, `campaigns`, `groups` or `pressure` (whose id is `pressure`)"),
        ("owner" = String, Path, description = "Whose it is"),
        ("id" = String, Path, description = "Its id"),
    ),
    responses(
        (status = 200, body = Definition, headers(("etag" = String, description = "The last version"))),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn one(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path((kind, owner, id)): Path<(String, String, String)>,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    off_thread(move || {
        let (kind, id) = named(&kind, &owner, &id)?;
        let base = planner.definitions.base(&planner.loaded).map_err(|error| refused(&error))?;
        let definition = definition(&base, &who, kind, &id).ok_or_else(|| absent(kind, &id))?;
        Ok(tagged(definition.version, json(StatusCode::OK, &definition)))
    })
    .await
}

/// With the version as `ETag`.
pub(super) fn tagged(version: Option<u64>, mut response: Response) -> Response {
    let tag = version.and_then(|version| HeaderValue::from_str(&format!("\"{version}\"")).ok());
    if let Some(tag) = tag {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// One definition, as somebody may see it.
pub(super) fn definition(base: &Base, who: &Who, kind: Kind, id: &AudienceId) -> Option<Definition> {
    let of_file = base.owned.get(&(kind, id.clone()));
    if who.sees(id.owner()) {
        return match of_file {
            Some(place) => Some(Definition::of_file(base, kind, id, place, true)),
            None => Some(Definition::of(base, kind, id, base.history(kind, id)?, true)),
        };
    }
    shared(base, who, kind, id)
}

/// What another owner shares.
fn shared(base: &Base, who: &Who, kind: Kind, id: &AudienceId) -> Option<Definition> {
    let with = who.owner.as_deref()?;
    if !base.shares(kind, id, with) {
        return None;
    }
    let text = match base.owned.get(&(kind, id.clone())) {
        Some(place) => place.text.as_str().into(),
        None => Arc::clone(base.history(kind, id)?.published()?.text.as_ref()?),
    };
    Some(Definition::of_other(kind, id, &base.summary(kind, &text)))
}

/// Everything that somebody may see.
fn visible(base: &Base, who: &Who) -> Vec<(Kind, AudienceId, Definition)> {
    let files = base.owned.iter().filter_map(|((kind, id), place)| {
        let definition = match who.sees(id.owner()) {
            true => Definition::of_file(base, *kind, id, place, false),
            false => shared(base, who, *kind, id)?,
        };
        Some((*kind, id.clone(), definition))
    });
    let catalogue = base.versions.iter().filter_map(|(kind, id, history)| {
        if base.file_of(kind, id).is_some() {
            return None;
        }
        let definition = match who.sees(id.owner()) {
            true => Definition::of(base, kind, id, history, false),
            false => shared(base, who, kind, id)?,
        };
        Some((kind, id.clone(), definition))
    });
    files.chain(catalogue).collect()
}

/// What a list is asked for.
struct Wanted<'q> {
    kind: Option<Kind>,
    state: Option<&'static str>,
    origin: Option<&'static str>,
    owner: Option<&'q str>,
    folder: Option<&'q str>,
    tag: Option<&'q str>,
    text: Option<String>,
}

impl<'q> Wanted<'q> {
    fn read(query: &'q Query) -> Result<Self, Refused> {
        let states = [("published", "published"), ("draft", "draft"), ("archived", "archived")];
        Ok(Wanted {
            kind: query.one_of("kind", &KINDS)?,
            state: query.one_of("state", &states)?,
            origin: query.one_of("origin", &[("catalogue", "catalogue"), ("file", "file")])?,
            owner: query.get("owner"),
            folder: query.get("folder"),
            tag: query.get("tag"),
            text: query.get("q").map(str::to_lowercase),
        })
    }

    fn fits(&self, kind: Kind, definition: &Definition) -> bool {
        let in_state = match self.state {
            None => definition.state != Some("archived"),
            Some("draft") => definition.has_draft == Some(true),
            Some(wanted) => definition.state == Some(wanted),
        };
        let text = |wanted: &String| {
            definition.id.to_lowercase().contains(wanted)
                || definition.name.as_ref().is_some_and(|name| name.to_lowercase().contains(wanted))
        };
        in_state
            && self.kind.is_none_or(|wanted| wanted == kind)
            && self.origin.is_none_or(|wanted| definition.origin == Some(wanted))
            && self.owner.is_none_or(|wanted| definition.id.split('/').next() == Some(wanted))
            && self.folder.is_none_or(|wanted| definition.folder.as_deref() == Some(wanted))
            && self.tag.is_none_or(|wanted| definition.tags.iter().any(|tag| tag == wanted))
            && self.text.as_ref().is_none_or(text)
    }
}
