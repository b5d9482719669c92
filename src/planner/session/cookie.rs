//! The session's cookie: its name, what is said with it, and how it is found among others.

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, ORIGIN};

/// Its name where the connection is not encrypted.
const PLAIN: &str = "vaglio_session";
/// Its name where it is: browsers take that from nobody but this very host, over TLS.
const SECURE: &str = "__Host-vaglio_session";

/// The cookie of a request, if it has one. Over TLS only that which came over TLS counts.
pub(super) fn of(headers: &HeaderMap, tls: bool) -> Option<&[u8]> {
    named(headers, SECURE).next().or_else(|| if tls { None } else { named(headers, PLAIN).next() })
}

/// Every cookie of a request that could be one, also where another counts: whoever signs in or out leaves none of them behind.
pub(super) fn all(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    named(headers, SECURE).chain(named(headers, PLAIN))
}

fn named<'h>(headers: &'h HeaderMap, wanted: &'static str) -> impl Iterator<Item = &'h [u8]> {
    let cookies = headers.get_all(COOKIE).iter().flat_map(|it| it.as_bytes().split(|byte| *byte == b';'));
    cookies.filter_map(|cookie| cookie.trim_ascii().strip_prefix(wanted.as_bytes())?.strip_prefix(b"="))
}

/// Whether the browser has the page over TLS: from here, or from a proxy before us. No other page can pretend so.
pub(super) fn is_secure(headers: &HeaderMap, tls: bool) -> bool {
    tls || headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// What sets it, for so many seconds; 0 takes it away.
pub(super) fn set(token: &str, seconds: u64, secure: bool) -> String {
    let (name, more) = if secure { (SECURE, "; Secure") } else { (PLAIN, "") };
    format!("{name}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn found(cookies: &[&str], tls: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        of(&headers, tls).map(|it| String::from_utf8(it.to_vec()).unwrap())
    }

    #[test]
    fn it_is_found_among_others_and_by_its_whole_name() {
        assert_eq!(found(&["a=b; vaglio_session=x; c=d"], false).as_deref(), Some("x"));
        assert_eq!(found(&["a=b", "vaglio_session=x"], false).as_deref(), Some("x"), "HTTP/2 may send them apart");
        assert_eq!(found(&["vaglio_session=plain; __Host-vaglio_session=x"], false).as_deref(), Some("x"));
        assert_eq!(found(&["vaglio_session=x"], true), None, "a neighbour without TLS may have set it");
        assert_eq!(found(&["__Host-vaglio_session=x"], true).as_deref(), Some("x"));
        for none in ["", "vaglio_session", "my_vaglio_session=x", "vaglio_session2=x", "VAGLIO_SESSION=x"] {
            assert_eq!(found(&[none], false), None, "{none}");
        }
    }

    #[test]
    fn what_is_said_with_it() {
        let plain = "vaglio_session=t; HttpOnly; SameSite=Strict; Path=/; Max-Age=60";
        assert_eq!(set("t", 60, false), plain);
        assert_eq!(set("t", 60, true), format!("__Host-{plain}; Secure"));
    }
}
