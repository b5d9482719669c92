//! `/api/v1/session`: signs in with a key, and out.

use super::{cookie, kept};
use crate::access::{Entry, KeyHash, Shown, Who, roles};
use crate::planner::Planner;
use crate::planner::keys::{Whoami, told};
use crate::planner::profiles::{off_thread, read_within};
use crate::planner::reply::{Peer, Problem, Refused, json};
use crate::wire::Code;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// A key and what stands around it, in bytes.
const MAX_BODY_BYTES: usize = 4 << 10;

/// The paths of this file.
pub(in crate::planner) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(sign_in, sign_out)).with_state(planner)
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The text of a key.
    #[schema(example = "vaglio_9f3a01bc_secret")]
    key: String,
}

/// Signs in
///
/// For pages in a browser. A key is exchanged for a cookie (`HttpOnly`, `SameSite=Strict`) that stands for it at every path below `/api/`, where
/// no `Authorization` is sent: for 12 hours after it was last used, for 7 days at most, and no longer than the key is valid. What
/// changes something must come from this server's own page (`Sec-Fetch-Site` or `Origin`). Wrong keys are slowed down.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "keys", security((), ("key" = ["planner", "approver", "bidder", "ingest", "privacy", "operator"])), request_body = SignIn,
    responses(
        (status = 200, description = "Who is signed in; `Set-Cookie` has the session", body = Whoami),
        (status = 401, description = "The key is unknown, expired or taken away", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts from this address", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn sign_in(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    planner.sessions.attempts.begin(peer.address).map_err(|seconds| {
        let help = "wait as long as Retry-After says";
        Refused::new(Code::Overloaded, "too many attempts to sign in from this address", help).retry_after(seconds)
    })?;
    let help = "send {\"key\":\"vaglio_...\"}";
    let body = read_within(body, MAX_BODY_BYTES, help).await?;
    // What serde says of a value could quote the key, so only the place is told.
    let SignIn { key } = serde_json::from_slice(&body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Refused::invalid(format!("the body is not of this form (line {line}, column {column})"), help)
    })?;
    let key = key.trim().as_bytes();
    let shown = Shown { key: Some(key), loopback: peer.loopback, ..Shown::default() };
    let known = planner.permits(&shown, roles::ANY).and_then(|who| {
        let hash = KeyHash::of_shown(key).ok_or_else(|| Refused::invalid("this is no key", help))?;
        Ok((who, hash))
    });
    let (who, hash) = known.inspect_err(|_| planner.sessions.attempts.wrong(peer.address))?;
    off_thread(move || {
        note(&planner, &who, "sign in")?;
        // Another session begins: nobody goes on with one that somebody may have put there before.
        planner.sessions.end_all(&headers);
        let token = planner.sessions.kept.open(hash, Instant::now());
        let token = token.ok_or_else(|| Refused::new(Code::Internal, "the machine has no random numbers", ""))?;
        let mut response = json(StatusCode::OK, &told(&who));
        set(&mut response, &cookie::set(&token, kept::LONGEST.as_secs(), cookie::is_secure(&headers, peer.tls)));
        Ok(response)
    })
    .await
}

/// Signs out
///
/// The session is forgotten, whoever has its cookie. To do it twice, or without one, is no harm.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "keys",
    security((), ("key" = ["planner", "approver", "bidder", "ingest", "privacy", "operator"])),
    responses((status = 204, description = "Nobody is signed in"))
)]
async fn sign_out(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    off_thread(move || {
        let mut response = StatusCode::NO_CONTENT.into_response();
        set(&mut response, &cookie::set("", 0, cookie::is_secure(&headers, peer.tls)));
        // It is done in any case; the trail's disk may be full.
        if planner.sessions.end_all(&headers)
            && let Ok(who) = planner.may(peer, &headers, roles::ANY)
            && let Err(refused) = note(&planner, &who, "sign out")
        {
            tracing::warn!("a signing out is not in the audit trail: {}", refused.failure.message);
        }
        Ok(response)
    })
    .await
}

fn note(planner: &Planner, who: &Who, what: &'static str) -> Result<(), Refused> {
    planner.log(who, Entry { what, object: "session".to_owned(), ..Entry::default() })
}

fn set(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
}
