//! The catalogue as one YAML file, which uploads again without a change.

use super::Query;
use super::see::KINDS;
use crate::access::roles;
use crate::audiences::definitions::canonical::file;
use crate::planner::Planner;
use crate::planner::profiles::{off_thread, refused};
use crate::planner::reply::{Peer, Problem, Refused};
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use utoipa::ToSchema;

/// A definition file. What stands in it is in `docs/language.md`; `POST /api/v1/definitions` says what is wrong with one.
#[derive(ToSchema)]
#[schema(as = DefinitionFile)]
#[allow(dead_code, reason = "describes a text that is written elsewhere")]
struct File {
    /// Audiences.
    #[schema(required = false)]
    audiences: Vec<serde_json::Map<String, serde_json::Value>>,
    /// Campaigns.
    #[schema(required = false)]
    campaigns: Vec<serde_json::Map<String, serde_json::Value>>,
    /// Groups of campaigns.
    #[schema(required = false)]
    groups: Vec<serde_json::Map<String, serde_json::Value>>,
    /// How much is said to a person at most.
    #[schema(required = false)]
    pressure: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// What of the catalogue is the key's own, as YAML that uploads again without a change; what files define is in the files
#[utoipa::path(get, path = "/api/v1/definitions.yaml", tag = "catalogue",
    security(("key" = ["planner", "approver", "operator"])),
    params(
        ("kind" = Option<String>, Query, description = "`audience`, `campaign`, `group` or `pressure`"),
        ("owner" = Option<String>, Query, description = "Of this owner"),
        ("drafts" = Option<bool>, Query, description = "Drafts where there are any, instead of what is in force alone"),
    ),
    responses(
        (status = 200, body = File, content_type = "application/yaml"),
        (status = 500, body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn download(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::SEE)?;
    off_thread(move || {
        let query = Query::read(raw.as_deref(), &["kind", "owner", "drafts"])?;
        let (kind, drafts) = (query.one_of("kind", &KINDS)?, query.flag("drafts")?);
        let base = planner.definitions.base(&planner.loaded).map_err(|error| refused(&error))?;
        let items = base.versions.iter().filter_map(|(of, id, history)| {
            let wanted = who.sees(id.owner())
                && kind.is_none_or(|kind| kind == of)
                && query.get("owner").is_none_or(|owner| owner == id.owner())
                && base.file_of(of, id).is_none();
            let version = history.draft().filter(|_| drafts).or_else(|| history.published())?;
            wanted.then(|| Some((of, id, version.text.as_deref()?))).flatten()
        });
        let text = Some(file(items)).filter(|text| !text.is_empty());
        // Where there is nothing, an object all the same.
        let text = text.unwrap_or_else(|| "audiences: []\n".to_owned());
        Ok((StatusCode::OK, [(CONTENT_TYPE, "application/yaml")], text).into_response())
    })
    .await
}
