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
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
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
    let (router, description) = paths.split_for_parts();
    let text = text(&description);
    router.route("/api/v1/openapi.json", get(async move || served(text.clone())))
}

fn text(description: &utoipa::openapi::OpenApi) -> String {
    description.to_pretty_json().map(|text| text + "\n").unwrap_or_default()
}

fn served(text: String) -> impl IntoResponse {
    (StatusCode::OK, [(CONTENT_TYPE, "application/json")], text)
}
