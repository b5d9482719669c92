//! What stands before every path: browsers are not used against whoever sits before them, and answers are not kept on the way.
//!
//! A key in `Authorization` is sent by nobody by mistake. Without one, a request may be another web page's: browsers say so
//! (`Origin`, `Sec-Fetch-Site`), and a name that was bent to this machine (DNS rebinding) shows in `Host`. A session's cookie is
//! sent by the browser without being asked, so what changes something must prove that our own page wants it. Here, and nowhere
//! else, a cookie becomes a key.

use super::Planner;
use super::page::is_for_page;
use super::reply::{Peer, Refused};
use crate::wire::Code;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// The names in the verified certificate of whoever is at the other end: an extension of every request.
#[derive(Debug, Clone)]
pub(super) struct Names(pub Arc<[String]>);

/// Lets a request through, or answers it.
pub(super) async fn guard(State(planner): State<Arc<Planner>>, mut request: Request, next: Next) -> Response {
    let names = request.extensions().get::<Names>().map(|names| Arc::clone(&names.0));
    let certificate = names.and_then(|names| planner.standing.access().of_certificate(&names));
    let mut peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
    peer.certificate = certificate;
    let path = request.uri().path();
    let api = path.starts_with("/api/");
    if api {
        peer.session = planner.session(peer, request.headers());
    }
    let (method, headers, uri) = (request.method(), request.headers(), request.uri());
    // What the page says is nobody's secret, and a link from another page may lead there.
    let foreign = if is_for_page(method, path) {
        None
    } else {
        // Where a key is asked for, a bent name opens nothing; then a proxy may call this machine as it likes. The metrics never
        // ask this machine for one.
        let open = !api || !planner.standing.access().has_keys();
        let here = open.then(|| planner.loaded.config.server.planner.ip());
        foreign(&peer, headers, uri, here).or_else(|| unproven(&peer, method, headers))
    };
    request.extensions_mut().insert(peer);
    let mut response = match foreign {
        Some(refused) => refused.into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if api {
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

/// Why a request is another page's, if it is. Where nobody asks this machine for a key, `here` is the address that the
/// configuration names.
fn foreign(peer: &Peer, headers: &HeaderMap, uri: &Uri, here: Option<IpAddr>) -> Option<Refused> {
    if headers.contains_key(AUTHORIZATION) {
        return None;
    }
    let refused = |message: String, help: &str| Some(Refused::new(Code::PermissionDenied, message, help));
    let host = match headers.get(HOST) {
        Some(host) => host.to_str().unwrap_or("?").to_owned(),
        None => uri.authority().map(Authority::to_string).unwrap_or_default(),
    };
    if let Some(site) = headers.get("sec-fetch-site")
        && !matches!(site.as_bytes(), b"same-origin" | b"none")
    {
        let help = "another page may not ask without a key: send `Authorization: Bearer KEY`";
        return refused("the request was made by another web page (`Sec-Fetch-Site`)".to_owned(), help);
    }
    if let Some(origin) = headers.get(ORIGIN) {
        let own =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).is_some_and(|(_, from)| from == host);
        if !own {
            let help = "another page may not ask without a key: send `Authorization: Bearer KEY`";
            return refused("the request was made by another web page (`Origin`)".to_owned(), help);
        }
    }
    // A machine elsewhere is asked for a key in any case.
    if let Some(configured) = here
        && peer.loopback
        && peer.certificate.is_none()
        && !is_here(&host, configured)
    {
        let help = "without a key, ask 127.0.0.1, [::1] or localhost; from elsewhere, send `Authorization: Bearer KEY`";
        return refused("`Host` is not this machine's own name".to_owned(), help);
    }
    None
}

/// Why a request of somebody who signed in may not change anything: it does not say that it is our own page's. What it says
/// has been looked at by [`foreign`].
fn unproven(peer: &Peer, method: &Method, headers: &HeaderMap) -> Option<Refused> {
    if peer.session.is_none() || matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    let own = headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"same-origin");
    if own || headers.contains_key(ORIGIN) {
        return None;
    }
    let message = "with a session's cookie, only this server's own page may change anything";
    let help = "send `Origin` as browsers do, or `Authorization: Bearer KEY` instead of the cookie";
    Some(Refused::new(Code::PermissionDenied, message, help))
}

/// Whether a `Host` is this machine as it calls itself. None at all is no browser's.
fn is_here(host: &str, configured: IpAddr) -> bool {
    if host.is_empty() {
        return true;
    }
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let own = |address: IpAddr| address.to_canonical().is_loopback() || address == configured;
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(headers: &[(&'static str, &str)]) -> bool {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let peer = Peer { loopback: true, ..Peer::default() };
        foreign(&peer, &all, &Uri::from_static("/api/v1/keys"), "10.0.0.7".parse().ok()).is_none()
    }

    #[test]
    fn a_request_of_another_page_is_told_from_ones_own() {
        for host in ["localhost", "LocalHost:8081", "127.0.0.1:8081", "127.0.1.1", "[::1]:8081", "10.0.0.7:8081"] {
            assert!(asked(&[("host", host)]), "{host}");
            assert!(asked(&[("host", host), ("origin", &format!("http://{host}")), ("sec-fetch-site", "same-origin")]));
        }
        for host in
            ["evil.test", "localhost.evil.test", "127.0.0.1.nip.io:8081", "10.0.0.8", "a b", "127.0.0.1@evil.test"]
        {
            assert!(!asked(&[("host", host)]), "{host}");
            assert!(asked(&[("host", host), ("authorization", "Bearer x")]), "a key is nobody's mistake");
        }
        let here = ("host", "127.0.0.1:8081");
        for origin in ["http://evil.test", "null", "http://127.0.0.1:8080", "http://localhost:8081", ""] {
            assert!(!asked(&[here, ("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "anything"] {
            assert!(!asked(&[here, ("sec-fetch-site", site)]), "{site}");
        }
        assert!(asked(&[here, ("sec-fetch-site", "none")]) && asked(&[]));
    }
}
