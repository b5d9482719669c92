//! `/api/v1/keys`: makes, lists and takes away keys, as `vaglio keys` does; `/api/v1/whoami`: what one's own opens.

use super::Planner;
use super::profiles::{off_thread, read, refused};
use super::reply::{Peer, Problem, Refused, json};
use crate::access::credentials::Line;
use crate::access::make::{Wanted, expiry};
use crate::access::{Credential, CredentialStore, Credentials, Role, Who, roles};
use crate::schema::Clock;
use crate::wire::Code;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// For how long an answer waits until what it says holds, in milliseconds: a server that takes a generation into service looks
/// at keys behind that.
const SETTLED_MS: u64 = 2_000;

/// The paths of this file.
pub(super) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    let keys = OpenApiRouter::new().routes(routes!(list_keys, create_key)).routes(routes!(revoke_key));
    keys.routes(routes!(whoami)).with_state(planner)
}

/// The key that is wished for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// What it is for.
    role: Role,
    /// Whose it is; `*` = everybody's.
    #[schema(example = "acme", min_length = 1)]
    owner: String,
    /// The caller of the configuration whose settings it uses (role `bidder`).
    #[serde(default)]
    caller: Option<String>,
    /// When it stops being valid: after a time (`90d`), at a date or an instant; never unless said.
    #[serde(default)]
    #[schema(example = "90d")]
    expires: Option<String>,
    /// A note for the list.
    #[serde(default)]
    #[schema(max_length = 256)]
    comment: Option<String>,
    /// The name in a client certificate that stands for it, instead of a text.
    #[serde(default)]
    mtls: Option<String>,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
struct MadeKey<'a> {
    /// Its text: told this once. Absent where a certificate stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(flatten)]
    line: Line<'a>,
}

/// The keys that were made.
#[derive(Serialize, ToSchema)]
struct KeyList<'a> {
    /// Every key that one may see, also those that are valid no more.
    keys: Vec<Line<'a>>,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(super) struct Whoami<'a> {
    /// The key's id, a caller's name, or `loopback`.
    name: &'a str,
    /// The owner whose data it may touch; `*` = everybody's.
    owner: &'a str,
    /// What the key is for; absent without a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    /// What it may do, in words.
    may: Vec<&'static str>,
}

/// Whose key this is, and what it may do
#[utoipa::path(
    get, path = "/api/v1/whoami", tag = "keys",
    security(("key" = ["planner", "approver", "bidder", "ingest", "privacy", "operator"])),
    responses((status = 200, description = "Who asks", body = Whoami))
)]
async fn whoami(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    Ok(json(StatusCode::OK, &told(&planner.may(peer, &headers, roles::ANY)?)))
}

/// What somebody is told of themselves.
pub(super) fn told(who: &Who) -> Whoami<'_> {
    let may = roles::SETS.iter().filter(|(_, set)| who.role.is_none_or(|role| set.contains(&role)));
    let may = may.map(|(words, _)| *words).collect();
    Whoami { name: &who.name, owner: who.owner.as_deref().unwrap_or("*"), role: who.role, may }
}

/// The keys that were made, and what has become of them
#[utoipa::path(
    get, path = "/api/v1/keys", tag = "keys", security(("key" = ["operator"])),
    responses((status = 200, description = "One's own owner's; everybody's for a key of `*`", body = KeyList))
)]
async fn list_keys(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::OPERATE)?;
    off_thread(move || {
        let all = store(&planner).read().map_err(|error| refused(&error))?;
        let now = Clock::System.now();
        let seen = all.all().iter().filter(|made| who.sees(&made.owner));
        Ok(json(StatusCode::OK, &KeyList { keys: seen.map(|made| Line::of(made, now)).collect() }))
    })
    .await
}

/// Makes a key
///
/// Its text stands in the answer, this once. It opens from then on, at other servers of the data directory within a second.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "keys", security(("key" = ["operator"])), request_body = NewKey,
    responses(
        (status = 201, description = "The key", body = MadeKey),
        (status = 408, description = "The body did not arrive in time", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Two of a kind are valid already", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn create_key(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::OPERATE)?;
    let help = "send {\"role\":\"planner\",\"owner\":\"acme\"}";
    let body = read(body, help).await?;
    let wanted: NewKey = serde_json::from_slice(&body).map_err(|error| Refused::invalid(error.to_string(), help))?;
    if !who.sees(&wanted.owner) {
        let message = format!("the key is for owner `{}`, and makes keys for no other", who.owner.unwrap_or_default());
        return Err(Refused::new(Code::PermissionDenied, message, "say `owner` so, or ask an operator of owner \"*\""));
    }
    if let Some(refused) = escalates(&planner, &who, &wanted) {
        return Err(refused);
    }
    off_thread(move || make(&planner, &who, wanted)).await
}

/// A caller's settings are not its key's owner's: whoever may make keys of one owner names none that sees another's.
fn escalates(planner: &Planner, who: &Who, wanted: &NewKey) -> Option<Refused> {
    let (owner, name) = (who.owner.as_ref()?, wanted.caller.as_ref()?);
    let caller = planner.loaded.config.callers.iter().find(|caller| caller.name == *name);
    let own = caller.is_some_and(|caller| caller.owners.iter().all(|seen| seen == owner));
    let message = format!("there is no caller `{name}` that sees what is of owner `{owner}` alone");
    let help = "leave out `caller`, or ask an operator of owner \"*\"";
    (!own).then(|| Refused::new(Code::PermissionDenied, message, help))
}

/// Waits a little until a key that was made opens, or one that was taken away opens nothing: what is answered then holds.
fn settled(planner: &Planner, made: &Credential, opens: bool) {
    for _ in 0..SETTLED_MS / 5 {
        if !planner.standing.look_at_keys() || planner.standing.access().knows(&made.sha256) == opens {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn make(planner: &Planner, who: &Who, wanted: NewKey) -> Result<Response, Refused> {
    let (now, zone) = (Clock::System.now(), planner.loaded.zone());
    let expires = wanted.expires.as_deref().map(|text| expiry(text, now, &zone)).transpose();
    let expires = expires.map_err(|error| refused(&error))?;
    let NewKey { role, owner, caller, comment, mtls, .. } = wanted;
    let wanted = Wanted { role, owner, caller, expires, comment, mtls };
    let (key, made) = wanted.make(&planner.loaded.config, now).map_err(|error| refused(&error))?;
    let add = |all: &mut Credentials| all.add(made.clone(), now).map(|()| ((), made.entry("keys create")));
    store(planner).change(who, add).map_err(|error| match error.kind {
        crate::error::ErrorKind::Input => Refused::new(Code::Conflict, error.to_string(), ""),
        _ => refused(&error),
    })?;
    settled(planner, &made, true);
    let text = made.mtls.is_none().then(|| key.text());
    Ok(json(StatusCode::CREATED, &MadeKey { key: text, line: Line::of(&made, now) }))
}

/// Takes a key away
///
/// It opens nothing from then on, at other servers of the data directory within a second. To do it twice is no harm.
#[utoipa::path(
    delete, path = "/api/v1/keys/{id}", tag = "keys", security(("key" = ["operator"])),
    params(("id" = String, Path, description = "The key's id: the 8 digits behind `vaglio_`", example = "9f3a01bc")),
    responses(
        (status = 200, description = "The key as it is listed now", body = Line),
        (status = 404, description = "There is no such key", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn revoke_key(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let who = planner.may(peer, &headers, roles::OPERATE)?;
    off_thread(move || {
        let (store, now) = (store(&planner), Clock::System.now());
        let all = store.read().map_err(|error| refused(&error))?;
        if !all.all().iter().any(|made| made.id == id && who.sees(&made.owner)) {
            return Err(Refused::new(Code::NotFound, "there is no key of that id", "GET /api/v1/keys lists them"));
        }
        let revoke = |all: &mut Credentials| {
            all.revoke(&id, now).map(|before| {
                let entry = before.entry("keys revoke");
                let revoked = before.revoked.or(Some(now));
                (Credential { revoked, ..before }, entry)
            })
        };
        let made = store.change(&who, revoke).map_err(|error| refused(&error))?;
        settled(&planner, &made, false);
        Ok(json(StatusCode::OK, &Line::of(&made, now)))
    })
    .await
}

fn store(planner: &Planner) -> CredentialStore {
    CredentialStore::of(&planner.loaded.config.data_dir)
}
