//! What the paths of the port have in common: who asks, and how they are refused: `{"error":{"code","message","help"}}`.

use super::Planner;
use crate::access::{Refusal, Role, Shown, Who};
use crate::schema::Clock;
use crate::wire::{Code, Failure};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Who is at the other end of a connection: an extension of every request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    /// Whether it came to a loopback address.
    pub loopback: bool,
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
}

impl Refused {
    /// A refusal of a sort.
    pub fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Refused { failure: Failure::new(code, message), help: help.into(), retry_after: None }
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
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            code: &'a str,
            message: &'a str,
            help: &'a str,
        }
        let code = self.failure.code;
        let error = Inner { code: code.name(), message: &self.failure.message, help: &self.help };
        let status = StatusCode::from_u16(code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &Body { error });
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
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

/// The key of `Authorization: Bearer KEY`. A header of another form is a key that nobody has.
pub(super) fn shown(authorization: Option<&HeaderValue>, loopback: bool) -> Shown<'_> {
    let key = authorization.map(|value| {
        let bytes = value.as_bytes();
        match bytes.split_at_checked(7) {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case(b"bearer ") => key.trim_ascii(),
            _ => bytes,
        }
    });
    Shown { key, names: &[], loopback }
}

impl Planner {
    /// Who asks, if they may do what the role does. Keys expire by the machine's clock, whatever `as_of` says.
    ///
    /// # Errors
    /// A key that is wrong or of another role, or none where one is needed.
    pub(super) fn may(&self, peer: Peer, headers: &HeaderMap, role: Role) -> Result<Who, Refused> {
        self.permits(&shown(headers.get(AUTHORIZATION), peer.loopback), role)
    }

    /// Who asks, if they may see and delete what is held of people. A person belongs to no owner, so no owner's key may.
    ///
    /// # Errors
    /// As [`Planner::may`], and a key of one owner.
    pub(super) fn may_see_people(&self, peer: Peer, headers: &HeaderMap) -> Result<Who, Refused> {
        let who = self.may(peer, headers, Role::Privacy)?;
        match &who.owner {
            None => Ok(who),
            Some(owner) => {
                let message =
                    format!("the key is for owner `{owner}`, and what is held of a person is not one owner's");
                Err(Refused::new(Code::PermissionDenied, message, made_by(Role::Privacy)))
            }
        }
    }

    /// As [`Planner::may`], for what is shown of who asks.
    ///
    /// # Errors
    /// As [`Planner::may`].
    pub(super) fn permits(&self, shown: &Shown<'_>, role: Role) -> Result<Who, Refused> {
        let allowed = self.standing.access().may(shown, role, Clock::System.now());
        allowed.map_err(|refusal| refused(refusal, role))
    }
}

/// What makes a key that may do what a role does.
fn made_by(role: Role) -> String {
    let owner = if role == Role::Ingest { "OWNER" } else { "\"*\"" };
    format!("`vaglio keys create --role {} --owner {owner}` makes one", role.name())
}

fn refused(refusal: Refusal, role: Role) -> Refused {
    let (make, role) = (made_by(role), role.name());
    match refusal {
        Refusal::Missing => Refused::new(
            Code::Unauthenticated,
            format!("a key of role `{role}` is needed: Authorization: Bearer KEY"),
            make,
        ),
        Refusal::Unknown => {
            let help = "`vaglio keys list` shows those that are";
            Refused::new(Code::Unauthenticated, "the key is not known, or was taken away", help)
        }
        Refusal::Expired => Refused::new(Code::Unauthenticated, "the key has expired", make),
        Refusal::NotABidder | Refusal::OtherRole => {
            Refused::new(Code::PermissionDenied, format!("the key is not of role `{role}`"), make)
        }
    }
}
