//! The web console as this port serves it: the page with its strict policy, its files, and what is said where none was built.
//! It holds nobody's data: whoever sits before it asks `/api/v1` for that, with a key or a session.

use super::INDEX;
use super::reply::Refused;
use crate::console::{self, Asset, NONCE};
use crate::wire::Code;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// What a page may not do here beyond what [`policy`] says.
const HARDENING: [(HeaderName, &str); 4] = [
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Whether a request can only be for the page or a file of it. A link of another page may lead there.
pub(super) fn is_for_page(method: &Method, path: &str) -> bool {
    matches!(*method, Method::GET | Method::HEAD) && !is_api(path)
}

fn is_api(path: &str) -> bool {
    ["/api", "/metrics"]
        .iter()
        .any(|of| path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Answers every path that is no operation's: a file of the console, or the page for paths that only the console knows.
pub(super) async fn fallback(request: Request) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    if is_for_page(method, path) {
        if let Some(asset) = console::asset(path.trim_start_matches('/')) {
            return file(&asset, request.headers());
        }
        if !path.starts_with("/assets/") && wants_html(request.headers()) {
            return page();
        }
    }
    Refused::new(Code::NotFound, "there is no such path", "/api/v1/openapi.json describes those that there are")
        .into_response()
}

/// A browser that goes somewhere says so; a script that misspells a path does not.
fn wants_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok()).any(|accept| accept.contains("text/html"))
}

/// The page, with a nonce of its own.
pub(super) fn page() -> Response {
    let mut nonce = [0; 16];
    if aws_lc_rs::rand::fill(&mut nonce).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let nonce = BASE64_STANDARD.encode(nonce);
    let text = match console::index() {
        Some(index) => index.replace(NONCE, &nonce),
        None => not_built(&nonce),
    };
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(policy) = HeaderValue::try_from(policy(&nonce)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in HARDENING {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What the page may load: its own files, and style elements that carry this answer's nonce. No script stands in it.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn not_built(nonce: &str) -> String {
    format!(
        "<!doctype html>
<html lang=\"en\">
  <head>
    <meta charset=\"utf-8\" />
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />
    <meta name=\"color-scheme\" content=\"light dark\" />
    <title>Vaglio</title>
    <style nonce=\"{nonce}\">
      body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
      pre {{ overflow-x: auto; }}
    </style>
  </head>
  <body>
    <h1>Console not built</h1>
    <p>This program was built without its web console. Run <code>make console</code> (it needs Node.js 20.19 or newer with
      npm), then build it again. Everything else works:</p>
    <pre>{INDEX}</pre>
  </body>
</html>
"
    )
}

/// A file of the console: compressed unless that is unwelcome, and not at all where the browser has it.
fn file(asset: &Asset, asked: &HeaderMap) -> Response {
    let compressed = takes_gzip(asked);
    // Two forms of a file are two things to a cache.
    let tag = format!("\"{}{}\"", asset.tag, if compressed { "-gzip" } else { "" });
    let known = asked.get_all(IF_NONE_MATCH).iter().filter_map(|it| it.to_str().ok());
    let known = known.flat_map(|it| it.split(',')).map(|it| it.trim().trim_start_matches("W/")).any(|it| it == tag);
    let mut response = match (known, compressed) {
        (true, _) => StatusCode::NOT_MODIFIED.into_response(),
        (false, true) => Body::from(asset.gzip.clone()).into_response(),
        (false, false) => match asset.plain() {
            Some(plain) => Body::from(plain).into_response(),
            // Nobody is to keep that for ever.
            None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
    };
    let headers = response.headers_mut();
    let keep = if asset.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
    if !known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
        if compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    for (name, value) in HARDENING {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether gzip is welcome: named, or meant by `*`, and not with a weight of nothing.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|it| it.to_str().ok());
    let mut any = false;
    for coding in named.flat_map(|it| it.split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        let welcome = weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case("gzip") => return welcome,
            "*" => any = welcome,
            _ => {}
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_whoever_wants_it() {
        let asked = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
            takes_gzip(&headers)
        };
        for value in ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.8", "*", "deflate, *;q=0.1"] {
            assert!(asked(value), "{value}");
        }
        for value in ["", "br", "identity", "gzip;q=0", "gzip; q=0.0, *", "x-gzip2", "*;q=0", "gzip;q=no"] {
            assert!(!asked(value), "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn only_reading_a_page_is_free_of_what_guards_the_api() {
        for path in ["/", "/audiences/telco/haters", "/assets/x.js", "/apis", "/metrics.html"] {
            assert!(is_for_page(&Method::GET, path) && is_for_page(&Method::HEAD, path), "{path}");
            assert!(!is_for_page(&Method::POST, path), "{path}");
        }
        for path in ["/api", "/api/", "/api/v1/keys", "/metrics", "/metrics/x"] {
            assert!(!is_for_page(&Method::GET, path), "{path}");
        }
    }

    #[test]
    fn a_page_has_a_nonce_that_no_other_has() {
        let nonce = || {
            let policy = page().headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
            policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned()
        };
        let (one, other) = (nonce(), nonce());
        assert_ne!(one, other);
        assert_eq!(BASE64_STANDARD.decode(one).unwrap().len(), 16);
    }
}
