//! What the paths of the port have in common: who asks, and how they are refused: a problem as RFC 9457 has it.

use super::Planner;
use crate::access::{KeyHash, Refusal, Role, Shown, Who, roles};
use crate::schema::Clock;
use crate::wire::{Code, Failure};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;

/// Who is at the other end of a connection: an extension of every request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Peer {
    /// Whether it came to a loopback address.
    pub loopback: bool,
    /// Where it comes from.
    pub address: Option<IpAddr>,
    /// Whether it is encrypted.
    pub tls: bool,
    /// The key that its verified certificate stands for.
    pub certificate: Option<KeyHash>,
    /// The key that somebody signed in with ([`session`](super::session)).
    pub session: Option<KeyHash>,
}

/// A request that is refused: why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// What sort, and a sentence.
    pub failure: Failure,
    /// What to do; may be empty.
    pub help: String,
    /// After how many seconds it may be tried again.
    pub retry_after: Option<u32>,
    /// Everything that is wrong, each at its place.
    pub errors: Vec<Fault>,
}

/// Something that is wrong, at its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// A stable name for tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is wrong, and what was expected.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where: a field of the body as a JSON pointer, or a parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Where: a file, as it was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Where: a line of a text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Where: a character of that line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// How many characters it is about, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
}

/// A problem as RFC 9457 has it (`application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// `urn:vaglio:problem:CODE`
    #[serde(rename = "type")]
    kind: String,
    /// What the code means.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What was wrong, what was expected.
    detail: String,
    /// The code alone, for programs.
    code: &'static str,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    help: String,
    /// Everything that is wrong, each at its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

impl Refused {
    /// A refusal of a sort.
    pub fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        let failure = Failure::new(code, message);
        Refused { failure, help: help.into(), retry_after: None, errors: Vec::new() }
    }

    /// The caller's mistake.
    pub fn invalid(message: impl Into<String>, help: impl Into<String>) -> Self {
        Refused::new(Code::InvalidArgument, message, help)
    }

    /// It may be tried again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Everything that is wrong, each at its place.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }
}

impl From<Refused> for Problem {
    fn from(Refused { failure, help, errors, .. }: Refused) -> Problem {
        let code = failure.code;
        Problem {
            kind: format!("urn:vaglio:problem:{}", code.name()),
            title: code.title(),
            status: code.http(),
            detail: failure.message,
            code: code.name(),
            help,
            errors,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (code, retry_after) = (self.failure.code, self.retry_after);
        let status = StatusCode::from_u16(code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &Problem::from(self));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<Refused> for tonic::Status {
    fn from(Refused { mut failure, help, .. }: Refused) -> Self {
        if !help.is_empty() {
            failure.message = format!("{}; {help}", failure.message);
        }
        failure.into()
    }
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(text) => (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The key of `Authorization: Bearer KEY`, or that of the session or the certificate. A header of another form is a key that nobody has.
pub(super) fn shown(authorization: Option<&HeaderValue>, peer: Peer) -> Shown<'_> {
    let key = authorization.map(|value| {
        let bytes = value.as_bytes();
        match bytes.split_at_checked(7) {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case(b"bearer ") => key.trim_ascii(),
            _ => bytes,
        }
    });
    // Who signed in meant that key, whatever certificate the browser has.
    Shown { key, names: &[], loopback: peer.loopback, certificate: peer.session.or(peer.certificate) }
}

impl Planner {
    /// Who asks, if they may do what one of the roles does. Keys expire by the machine's clock, whatever `as_of` says.
    ///
    /// # Errors
    /// A key that is wrong or of another role, or none where one is needed.
    pub(super) fn may(&self, peer: Peer, headers: &HeaderMap, roles: &[Role]) -> Result<Who, Refused> {
        self.permits(&shown(headers.get(AUTHORIZATION), peer), roles)
    }

    /// Who asks, if they may do what concerns every owner: see and delete what is held of people, roll back.
    ///
    /// # Errors
    /// As [`Planner::may`], and a key of one owner.
    pub(super) fn may_for_all(&self, peer: Peer, headers: &HeaderMap, roles: &[Role]) -> Result<Who, Refused> {
        let who = self.may(peer, headers, roles)?;
        match &who.owner {
            None => Ok(who),
            Some(owner) => {
                let message = format!("the key is for owner `{owner}`, and this concerns every owner");
                Err(Refused::new(Code::PermissionDenied, message, made_by(roles)))
            }
        }
    }

    /// Who asks, if they may see and delete what is held of people. A person belongs to no owner, so no owner's key may.
    ///
    /// # Errors
    /// As [`Planner::may_for_all`].
    pub(super) fn may_see_people(&self, peer: Peer, headers: &HeaderMap) -> Result<Who, Refused> {
        self.may_for_all(peer, headers, roles::PEOPLE)
    }

    /// As [`Planner::may`], for what is shown of who asks.
    ///
    /// # Errors
    /// As [`Planner::may`].
    pub(super) fn permits(&self, shown: &Shown<'_>, roles: &[Role]) -> Result<Who, Refused> {
        let allowed = self.standing.access().may(shown, roles, Clock::System.now());
        allowed.map_err(|refusal| refused(refusal, roles))
    }
}

/// What makes a key that may do what one of the roles does.
fn made_by(roles: &[Role]) -> String {
    let role = roles.first().map_or("operator", |role| role.name());
    let owner = if roles.first().is_some_and(|role| matches!(role, Role::Privacy | Role::Operator)) {
        "\"*\""
    } else {
        "OWNER"
    };
    format!("`vaglio keys create --role {role} --owner {owner}` makes one")
}

fn refused(refusal: Refusal, roles: &[Role]) -> Refused {
    let make = made_by(roles);
    let names: Vec<String> = roles.iter().map(|role| format!("`{}`", role.name())).collect();
    let role = names.join(" or ");
    match refusal {
        Refusal::Missing => Refused::new(
            Code::Unauthenticated,
            format!("a key of role {role} is needed: Authorization: Bearer KEY"),
            make,
        ),
        Refusal::Unknown => {
            let help = "`vaglio keys list` shows those that are";
            Refused::new(Code::Unauthenticated, "the key is not known, or was taken away", help)
        }
        Refusal::Expired => Refused::new(Code::Unauthenticated, "the key has expired", make),
        Refusal::NotABidder | Refusal::OtherRole => {
            Refused::new(Code::PermissionDenied, format!("the key is not of role {role}"), make)
        }
    }
}
