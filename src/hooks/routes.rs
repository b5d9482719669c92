//! What is at which path of the bid HTTP port, and what every door there has in common: method, media type, credential,
//! body, and how a refusal looks.

use super::admission::{Entry, UnderWay, enter};
use super::aside::Heard;
use super::body::{Encoding, compress, read};
use super::call::{Call, Party};
use super::cors::Reader;
use super::health::{LIVE, READY, Readiness, live_json};
use super::pieces::{Pieces, Ready};
use super::{
    Door, Doors, decide_json, exposures, lookup_json, openrtb_decide, openrtb_enrich, prebid_js, prebid_server,
};
use crate::access::Shown;
use crate::decide::Status;
use crate::schema::Timestamp;
use crate::wire::{Code, Failure};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{
    ALLOW, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, VARY,
    WWW_AUTHENTICATE,
};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use std::convert::Infallible;
use std::time::Instant;

/// Who is at the other end of a connection.
#[derive(Debug)]
pub(super) struct Peer {
    /// The names in its verified certificate.
    pub names: Vec<String>,
    /// Whether it came to a loopback address.
    pub loopback: bool,
    /// Whether the connection is over the limit.
    pub shed: bool,
}

/// What a body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/json`, also when nothing is declared.
    Json,
    /// `application/x-protobuf`
    Protobuf,
}

impl Media {
    const fn name(self) -> &'static str {
        match self {
            Media::Json => "application/json",
            Media::Protobuf => "application/x-protobuf",
        }
    }

    /// What a header declares. `curl -d` says `x-www-form-urlencoded` of every body.
    fn declared(headers: &HeaderMap) -> Option<Media> {
        let Some(declared) = headers.get(CONTENT_TYPE) else { return Some(Media::Json) };
        let essence = declared.to_str().ok()?.split(';').next()?.trim();
        let is = |names: &[&str]| names.iter().any(|name| essence.eq_ignore_ascii_case(name));
        match () {
            () if is(&["application/json", "application/x-www-form-urlencoded"]) => Some(Media::Json),
            () if is(&["application/x-protobuf", "application/protobuf"]) => Some(Media::Protobuf),
            () => None,
        }
    }
}

/// A request whose body has been read.
#[derive(Debug)]
pub struct Asked<'a> {
    /// What the body is written in.
    pub media: Media,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// What follows `?` in its target.
    pub query: &'a str,
    /// Its body.
    pub body: Bytes,
}

/// What a door answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The body; `None` = 204, there is nothing to say.
    pub body: Option<Pieces>,
    /// What it is written in.
    pub media: Media,
    /// What headers say of it, where the body cannot.
    pub told: Option<Told>,
}

/// What became of the question, for people who look at an answer's headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `x-vaglio-status`
    pub status: Status,
    /// `x-vaglio-generation`; 0 = none.
    pub generation: HeaderValue,
    /// `x-vaglio-stale: true`; otherwise there is no such header.
    pub stale: bool,
}

// Made once: a name that is given as text is checked and hashed for every answer.
static STATUS: HeaderName = HeaderName::from_static("x-vaglio-status");
static GENERATION: HeaderName = HeaderName::from_static("x-vaglio-generation");
static STALE: HeaderName = HeaderName::from_static("x-vaglio-stale");

impl Told {
    pub(super) fn new(doors: &Doors, status: Status, party: Party<'_>, now: Timestamp) -> Self {
        let generation = party.served.map_or(HeaderValue::from_static("0"), |served| served.told.clone());
        Told { status, generation, stale: party.served.is_some_and(|served| doors.stale(served, now)) }
    }

    fn write(self, headers: &mut HeaderMap) {
        headers.insert(&STATUS, HeaderValue::from_static(self.status.name()));
        headers.insert(&GENERATION, self.generation);
        if self.stale {
            headers.insert(&STALE, HeaderValue::from_static("true"));
        }
    }
}

impl Reply {
    /// JSON.
    pub fn json(body: impl Into<Pieces>) -> Self {
        Reply { body: Some(body.into()), media: Media::Json, told: None }
    }
}

/// A door of the HTTP port.
struct Route {
    path: &'static str,
    door: Door,
    /// What its body may be written in.
    media: &'static [Media],
    /// Whether what it refuses is explained in the body: OpenRTB wants an empty one.
    explains: bool,
    answer: fn(&Doors, &Asked<'_>, &Call<'_>) -> Result<Reply, Failure>,
}

const ROUTES: [Route; 4] = [
    Route {
        path: "/v1/lookup",
        door: Door::HttpLookup,
        media: &[Media::Json],
        explains: true,
        answer: |doors, asked, call| lookup_json::answer(doors, &asked.body, call).map(Reply::json),
    },
    Route {
        path: "/v1/decide",
        door: Door::HttpDecide,
        media: &[Media::Json],
        explains: true,
        answer: |doors, asked, call| decide_json::answer(doors, &asked.body, call).map(Reply::json),
    },
    Route {
        path: "/openrtb2/enrich",
        door: Door::OpenRtbEnrich,
        media: &[Media::Json, Media::Protobuf],
        explains: false,
        answer: openrtb_enrich::answer,
    },
    Route {
        path: "/openrtb2/decide",
        door: Door::OpenRtbDecide,
        media: &[Media::Json, Media::Protobuf],
        explains: false,
        answer: openrtb_decide::answer,
    },
];

/// The doors that `prebid.enabled` opens.
const PREBID: [Route; 2] = [
    Route {
        path: prebid_server::PATH,
        door: Door::PrebidServer,
        media: &[Media::Json],
        explains: true,
        answer: |doors, asked, call| prebid_server::answer(doors, &asked.body, call),
    },
    Route {
        path: prebid_js::PATH,
        door: Door::PrebidJs,
        media: &[Media::Json],
        explains: true,
        answer: |doors, asked, call| prebid_js::answer(doors, &asked.body, call),
    },
];

/// The doors that are open.
fn routes(doors: &Doors) -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(PREBID.iter().filter(|_| doors.prebid.enabled))
}

pub(super) async fn handle(
    request: Request<Incoming>,
    doors: &Doors,
    peer: &Peer,
    heard: &Heard,
) -> Result<Response<Ready>, Infallible> {
    heard.turn();
    let path = request.uri().path();
    let mut response = match routes(doors).find(|route| route.path == path) {
        Some(route) if route.path == prebid_js::PATH => paged(route, request, doors, peer).await,
        Some(route) => asked(route, request, doors, peer).await,
        None if path.starts_with(exposures::PREFIX) => exposures::answer(&request, doors, peer).await,
        None => other(&request, doors, peer).unwrap_or_else(|failure| {
            doors.count(Door::HttpOther, Instant::now(), Some(&failure));
            refusal(&failure, true)
        }),
    };
    if peer.shed {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    heard.turn();
    Ok(response)
}

/// A request to a door that pages of other origins call: their browsers ask first whether they may.
async fn paged(route: &Route, request: Request<Incoming>, doors: &Doors, peer: &Peer) -> Response<Ready> {
    let reader = match Reader::of(request.headers(), &doors.prebid) {
        Ok(reader) => reader,
        Err(failure) => {
            doors.count(route.door, Instant::now(), Some(&failure));
            return refusal(&failure, route.explains);
        }
    };
    if request.method() == Method::OPTIONS {
        let mut response = Response::new(Ready::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        reader.preflight(response.headers_mut());
        return response;
    }
    let mut response = asked(route, request, doors, peer).await;
    reader.tell(response.headers_mut());
    response
}

/// A request to a door, answered or refused.
async fn asked(route: &Route, request: Request<Incoming>, doors: &Doors, peer: &Peer) -> Response<Ready> {
    let (entry, place) = enter(doors, peer.shed);
    let (mut head, body) = request.into_parts();
    let (accepted, mut place) = (Encoding::accepted(&head.headers), Some(place));
    match converse(route, &head, body, doors, peer, entry, &mut place).await {
        Ok(reply) => {
            let told = reply.told.clone();
            // The request's map is used again, and by hyper for the next request: none is made.
            head.headers.clear();
            let mut response = respond(reply, accepted, head.headers);
            if let Some(told) = told {
                told.write(response.headers_mut());
            }
            response
        }
        Err(failure) => refusal(&failure, route.explains),
    }
}

/// One request to a door.
async fn converse(
    route: &Route,
    head: &Parts,
    body: Incoming,
    doors: &Doors,
    peer: &Peer,
    entry: Entry,
    place: &mut Option<UnderWay<&Doors>>,
) -> Result<Reply, Failure> {
    // What `answer` refuses, it counts itself.
    let (door, arrived) = (route.door, entry.arrived);
    let refused = |failure: &Failure| doors.count(door, arrived, Some(failure));
    let (media, encoding) = check(route, &head.method, &head.headers).inspect_err(refused)?;
    let authorization = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let key = bearer(authorization).inspect_err(refused)?;
    let key = key.or_else(|| prebid_server::key(&head.headers).filter(|_| route.path == prebid_server::PATH));
    let shown = Shown { key, names: &peer.names, loopback: peer.loopback, certificate: None };
    doors.identify(&shown).inspect_err(refused)?;
    let body = read(body, encoding, doors, place).await.inspect_err(refused)?;
    let call = Call { door, shown, arrived, timeout: None, shed: doors.sheds(door, entry) };
    let asked = Asked { media, headers: &head.headers, query: head.uri.query().unwrap_or_default(), body };
    (route.answer)(doors, &asked, &call)
}

/// What can be refused before the body is read.
fn check(route: &Route, method: &Method, headers: &HeaderMap) -> Result<(Media, Encoding), Failure> {
    if method != Method::POST {
        let failure = Failure::new(Code::MethodNotAllowed, "this door takes POST");
        return Err(failure.with_details(vec!["POST".to_owned()]));
    }
    match Media::declared(headers).filter(|media| route.media.contains(media)) {
        Some(media) => Ok((media, Encoding::of(headers)?)),
        None => {
            let names: Vec<&str> = route.media.iter().map(|media| media.name()).collect();
            let message = format!("the body must be declared as {}", names.join(" or "));
            Err(Failure::new(Code::UnsupportedMediaType, message))
        }
    }
}

/// The key of `Authorization: Bearer KEY`.
pub(super) fn bearer(authorization: Option<&[u8]>) -> Result<Option<&[u8]>, Failure> {
    let Some(value) = authorization else { return Ok(None) };
    match value.split_at_checked("Bearer ".len()) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case(b"bearer ") => Ok(Some(key.trim_ascii())),
        _ => Err(Failure::new(Code::Unauthenticated, "credentials are sent as `Authorization: Bearer KEY`")),
    }
}

/// Probes, and paths that lead nowhere.
fn other(request: &Request<Incoming>, doors: &Doors, peer: &Peer) -> Result<Response<Ready>, Failure> {
    let probe = matches!(*request.method(), Method::GET | Method::HEAD);
    match request.uri().path() {
        LIVE | READY if !probe => {
            Err(Failure::new(Code::MethodNotAllowed, "the probes take GET").with_details(vec!["GET, HEAD".to_owned()]))
        }
        LIVE => Ok(with_body(StatusCode::OK, Media::Json, live_json(doors.health.readiness() == Readiness::Ready))),
        READY => {
            let (ready, body) = doors.health.ready_json(&doors.live, peer.loopback);
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            Ok(with_body(status, Media::Json, body))
        }
        _ => {
            let doors: Vec<&str> = routes(doors).map(|route| route.path).collect();
            let message = format!(
                "there is nothing at this path; the doors are {}, /health/live and /health/ready",
                doors.join(", ")
            );
            Err(Failure::new(Code::NotFound, message))
        }
    }
}

/// `headers` are those of the answer so far.
fn respond(reply: Reply, accepted: Encoding, headers: HeaderMap) -> Response<Ready> {
    let Some(body) = reply.body else {
        let mut response = Response::new(Ready::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        return response;
    };
    match accepted {
        Encoding::Identity => with_headers(StatusCode::OK, reply.media, body, headers),
        Encoding::Gzip => {
            let mut response = with_headers(StatusCode::OK, reply.media, compress(&body.whole()), headers);
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
            response
        }
    }
}

fn with_body(status: StatusCode, media: Media, body: impl Into<Ready>) -> Response<Ready> {
    with_headers(status, media, body, HeaderMap::new())
}

fn with_headers(status: StatusCode, media: Media, body: impl Into<Ready>, headers: HeaderMap) -> Response<Ready> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media.name()));
    response
}

pub(super) fn refusal(failure: &Failure, explains: bool) -> Response<Ready> {
    let status = StatusCode::from_u16(failure.code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if explains {
        with_body(status, Media::Json, failure.to_json())
    } else {
        let mut response = Response::new(Ready::default());
        *response.status_mut() = status;
        response
    };
    let headers = response.headers_mut();
    match failure.code {
        Code::MethodNotAllowed => {
            let allowed = failure.details.first().and_then(|methods| HeaderValue::from_str(methods).ok());
            headers.insert(ALLOW, allowed.unwrap_or(HeaderValue::from_static("POST")));
        }
        Code::Unauthenticated => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The rest of the body is not read, so nothing that follows it can be.
        Code::TooLarge | Code::Timeout => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}
