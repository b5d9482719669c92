//! The port's description as OpenAPI 3.1: collected from the paths themselves, served at `/api/v1/openapi.json`, kept in
//! `docs/openapi.json` (`tests/openapi.rs` compares).
//!
//! Each operation names the roles that may ask it in its `security`; a test asks every operation with every role.

use super::reply::{Fault, Problem};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Router, http::StatusCode};
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vaglio planner API",
        description = "Define audiences and campaigns, see whom they reach, publish, roll back. Errors are RFC 9457 problem details.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem, Fault)),
    modifiers(&Key)
)]
struct Description;

/// `Authorization: Bearer KEY`
struct Key;

impl utoipa::Modify for Key {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description =
            Some("A key that `vaglio keys create` made. Operations name the roles that may ask them.".to_owned());
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
    }
}

/// What every path is added to.
pub(super) fn router() -> OpenApiRouter {
    OpenApiRouter::with_openapi(Description::openapi())
}

/// The paths, and the description of them at a path of its own.
pub(super) fn described(paths: OpenApiRouter) -> Router {
    let (router, mut description) = paths.split_for_parts();
    description.paths.paths.values_mut().flat_map(operations).for_each(document);
    let text = text(&description);
    router.route("/api/v1/openapi.json", get(async move || served(text.clone())))
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = path;
    [get, put, post, delete, options, head, patch, trace].into_iter().flatten()
}

/// What every operation can answer, whatever it does: an operation's own words about a status win.
fn document(operation: &mut Operation) {
    const ALWAYS: [(&str, &str); 3] = [
        ("400", "The request is not as it must be"),
        ("500", "A mistake of ours, or a file that cannot be read"),
        ("503", "There is nothing to answer from yet, or it cannot be had now"),
    ];
    const WITH_KEYS: [(&str, &str); 2] = [
        ("401", "The key is missing, unknown, expired or taken away"),
        ("403", "The key is not for that, or another web page asks without one"),
    ];
    let keys = operation.security.as_ref().is_some_and(|some| !some.is_empty());
    for (status, description) in ALWAYS.into_iter().chain(WITH_KEYS.into_iter().filter(|_| keys)) {
        let problem = || {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let said = ResponseBuilder::new().description(description).content("application/problem+json", content);
            RefOr::T(said.build())
        };
        operation.responses.responses.entry(status.to_owned()).or_insert_with(problem);
    }
}

fn text(description: &utoipa::openapi::OpenApi) -> String {
    description.to_pretty_json().map(|text| text + "\n").unwrap_or_default()
}

fn served(text: String) -> impl IntoResponse {
    (StatusCode::OK, [(CONTENT_TYPE, "application/json")], text)
}
