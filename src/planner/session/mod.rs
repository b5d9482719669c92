//! Sessions of the console: a key is shown once, to sign in, and a cookie that no script can read stands for it from then on.
//!
//! Contents: [`http`] the two paths, [`cookie`] the cookie's form, [`kept`] who is signed in, [`attempts`] how often that may be
//! tried. The one place where a cookie becomes a key is [`guard`](super::guard); so `Authorization` wins, and only paths below
//! `/api/` have sessions: no gRPC, no metrics, no bid door.

mod attempts;
mod cookie;
mod http;
mod kept;

use super::Planner;
use super::reply::Peer;
use crate::access::KeyHash;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use std::time::Instant;

pub(super) use http::routes;

/// Who is signed in, and who tries to be. In memory alone: when the server ends, everybody signs in anew.
#[derive(Debug, Default)]
pub struct Sessions {
    kept: kept::Kept,
    attempts: attempts::Attempts,
}

impl Sessions {
    /// Forgets every session that a request shows a cookie of; whether there was one. (Signing in over TLS before a proxy and
    /// without it makes two cookies: when one is taken away, the other would come to count.)
    fn end_all(&self, headers: &HeaderMap) -> bool {
        cookie::all(headers).filter(|token| self.kept.end(token)).count() > 0
    }
}

impl Planner {
    /// The key of the session that a request is of. One whose key was taken away meanwhile ends here: what it asks is refused
    /// as of a key that nobody knows.
    pub(super) fn session(&self, peer: Peer, headers: &HeaderMap) -> Option<KeyHash> {
        if headers.contains_key(AUTHORIZATION) {
            return None;
        }
        let token = cookie::of(headers, peer.tls)?;
        let key = self.sessions.kept.key(token, Instant::now())?;
        if !self.standing.access().knows(&key) {
            self.sessions.kept.end(token);
        }
        Some(key)
    }
}
