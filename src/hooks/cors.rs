//! Which pages may read an answer (CORS): those of `prebid.origins`. No cookies, so no credentials of a browser's.

use crate::config::Prebid;
use crate::wire::{Code, Failure};
use hyper::HeaderMap;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    HeaderValue, ORIGIN, VARY,
};

/// Whom an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reader {
    /// Not a page of another origin: nothing to say.
    NoPage,
    /// Pages of every origin.
    Everybody,
    /// Pages of this one.
    Page(HeaderValue),
}

impl Reader {
    /// Whom a request's answer is for.
    ///
    /// # Errors
    /// A page that may not read it: it is not worth working one out.
    pub fn of(headers: &HeaderMap, settings: &Prebid) -> Result<Self, Failure> {
        let Some(origin) = headers.get(ORIGIN) else { return Ok(Reader::NoPage) };
        if settings.origins.iter().any(|allowed| allowed == "*") {
            return Ok(Reader::Everybody);
        }
        let named = |allowed: &String| allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes());
        if settings.origins.iter().any(named) {
            return Ok(Reader::Page(origin.clone()));
        }
        let message =
            "pages of this origin may not call this door; prebid.origins of the configuration names those that may";
        Err(Failure::new(Code::PermissionDenied, message))
    }

    /// Tells the browser.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let allowed = match self {
            Reader::NoPage => return,
            Reader::Everybody => HeaderValue::from_static("*"),
            Reader::Page(origin) => {
                headers.append(VARY, HeaderValue::from_static("origin"));
                origin.clone()
            }
        };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    }

    /// Answers a browser that asks what the page may send. Two hours is the longest that browsers remember.
    pub fn preflight(&self, headers: &mut HeaderMap) {
        self.tell(headers);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        let sent = "content-type, x-rtd-version, authorization";
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(sent));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(origins: &[&str], origin: Option<&'static str>) -> Result<Reader, Failure> {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Reader::of(&headers, &Prebid { enabled: true, origins })
    }

    #[test]
    fn only_pages_of_the_configured_origins_read() {
        let news = Some("https://news.example");
        assert_eq!(reader(&[], None), Ok(Reader::NoPage));
        assert!(reader(&[], news).is_err());
        assert_eq!(reader(&["*"], news), Ok(Reader::Everybody));
        let page = Reader::Page(HeaderValue::from_static("https://news.example"));
        assert_eq!(reader(&["https://other.example", "https://News.example"], news), Ok(page));
        for other in ["https://news.example.evil.test", "http://news.example", "https://news.example:444", "null"] {
            assert!(reader(&["https://news.example"], Some(other)).is_err(), "{other}");
        }
    }

    #[test]
    fn a_named_page_is_echoed_and_caches_are_told_so() {
        let mut headers = HeaderMap::new();
        reader(&["https://a.test"], Some("https://a.test")).unwrap().preflight(&mut headers);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.test");
        assert_eq!(headers[VARY], "origin");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "POST");
        assert!(headers[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().contains("x-rtd-version"));
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }
}
