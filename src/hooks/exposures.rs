//! `GET /e/{impression|view|click|bill}?t=TOKEN`: what a decision led to, told by whoever saw it happen, with the token of the
//! decision. Answered once it is durable and counts. No credential and no cookie: browsers ask, and the token says it all.
//!
//! Waiting for the log is asynchronous, and how many wait is bounded apart from everything else: bids are not held up. The
//! same token and kind count once, however often they are sent. What becomes of a record is the [`Sink`]'s.

use super::pieces::Ready;
use super::routes::{Peer, refusal};
use super::token::{Token, Wrong};
use super::{Door, Doors};
use crate::audiences::frequency::CAMPAIGN;
use crate::config::EXPOSURES;
use crate::log::{Identifier, Record, Said, Value};
use crate::schema::{Clock, KeyHasher};
use crate::wire::{Code, Failure};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What the paths begin with.
pub const PREFIX: &str = "/e/";
/// The most reports that wait for the log at once; what comes on top is told to come back.
const MOST_WAITING: usize = 1_024;
/// How long a report waits for the log.
const PATIENCE: Duration = Duration::from_secs(2);
/// One transparent pixel.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x21\xf9\x04\x01\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// It is in the log and counts, or did so before.
    Taken,
    /// It was not taken: why, and what to do.
    Refused(String),
}

/// The answer to a report, when it is there.
pub type Answer = Pin<Box<dyn Future<Output = Reported> + Send>>;

/// Where records go. Handing one in does not wait.
pub trait Sink: fmt::Debug + Send + Sync {
    /// Takes an encoded record with its id.
    fn report(&self, id: u128, encoded: Vec<u8>) -> Answer;
}

/// Where exposures are reported to, if anywhere.
#[derive(Debug, Default)]
pub struct Reports {
    sink: OnceLock<Arc<dyn Sink>>,
    /// For how long a token is good.
    token_seconds: i64,
    waiting: AtomicUsize,
}

impl Reports {
    /// Nothing is taken until there is a sink. Tokens are good for so many hours.
    pub fn new(token_hours: u32) -> Self {
        Reports { token_seconds: i64::from(token_hours) * 3_600, ..Reports::default() }
    }

    /// From now on exposures are taken, and decisions give out tokens. Only the first sink counts.
    pub fn start(&self, sink: Arc<dyn Sink>) {
        let _ = self.sink.set(sink);
    }

    /// Whether exposures are taken.
    pub(super) fn are_taken(&self) -> bool {
        self.sink.get().is_some()
    }
}

/// Answers a report.
pub(super) async fn answer(request: &Request<Incoming>, doors: &Doors, peer: &Peer) -> Response<Ready> {
    let arrived = Instant::now();
    let outcome = report(request, doors, peer).await;
    doors.count(Door::Exposure, arrived, outcome.as_ref().err());
    let mut response = match outcome {
        Ok(()) => done(wants_image(request.headers())),
        Err(failure) => refusal(&failure, true),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn report(request: &Request<Incoming>, doors: &Doors, peer: &Peer) -> Result<(), Failure> {
    let kind = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
    let Some(kind) = EXPOSURES.iter().find(|known| **known == kind) else {
        let message = format!("there is nothing at this path; what can be reported: {}", EXPOSURES.join(", "));
        return Err(Failure::new(Code::NotFound, message));
    };
    if request.method() != Method::GET {
        let failure = Failure::new(Code::MethodNotAllowed, "exposures are reported with GET");
        return Err(failure.with_details(vec!["GET".to_owned()]));
    }
    let off = || Failure::new(Code::NotReady, "exposures are not taken here (`ingest.enabled`, or a frozen clock)");
    let sink = doors.reports.sink.get().ok_or_else(off)?;
    let told = request.uri().query().unwrap_or_default().split('&').find_map(|part| part.strip_prefix("t="));
    let told = told.ok_or_else(|| Failure::invalid("`t` is missing: the `exposure_token` of a decision"))?;
    let Some((id, encoded)) = doors.record(kind, told)? else { return Ok(()) };
    let _waiting = Waiting::one(&doors.reports.waiting).filter(|_| !peer.shed).ok_or_else(|| {
        Failure::new(Code::Overloaded, "too many reports wait to be written; send it again, it counts once")
    })?;
    match tokio::time::timeout(PATIENCE, sink.report(id, encoded)).await {
        Ok(Reported::Taken) => Ok(()),
        Ok(Reported::Refused(why)) => Err(Failure::new(Code::NotReady, why)),
        Err(_) => Err(Failure::new(Code::NotReady, "the log does not answer; send it again, it counts once")),
    }
}

impl Doors {
    /// The record that a token comes to, and its id: the same for the same token and kind. `None` = the person objects by now,
    /// and nothing is written.
    fn record(&self, kind: &'static str, told: &str) -> Result<Option<(u128, Vec<u8>)>, Failure> {
        let standing = self.live.load();
        let not_ready = || Failure::new(Code::NotReady, "no generation is loaded yet; send it again");
        let served = standing.served.as_ref().ok_or_else(not_ready)?;
        let now = Clock::System.now();
        let token = served.tokens.read(told, now, self.reports.token_seconds).map_err(refuse)?;
        let keys: Vec<_> = token.keys.iter().map(|bound| bound.0).collect();
        if self.refusals.of(&keys, &served.keys).is_some() {
            return Ok(None);
        }
        let named = token.keys.iter().filter_map(|&(key, kind)| Some((key, self.sources.of_hash(kind)?)));
        let keys = named.map(|(key, id_type)| Identifier { key, id_type: id_type.into() }).collect();
        let campaign = served.answering.snapshot.catalogue().campaigns.get(token.campaign as usize);
        let campaign = campaign.ok_or_else(|| refuse(Wrong::Over))?.id.as_str();
        let properties = vec![(CAMPAIGN.into(), Value::Text(campaign.into()))];
        let said = Said::Event { name: kind.into(), properties };
        let id = event_id(&token, kind, &served.keys);
        let record = Record { id, time: now.0, received: now.0, keys, said };
        let mut encoded = Vec::with_capacity(128);
        let unwritable = |error| Failure::new(Code::Internal, format!("the report cannot be written: {error}"));
        record.encode(&mut encoded).map_err(unwritable)?;
        Ok(Some((id, encoded)))
    }
}

fn event_id(token: &Token, kind: &str, keys: &KeyHasher) -> u128 {
    // Ids of the events door are text; this is none, so they never meet.
    let mut id = vec![0xff];
    id.extend_from_slice(kind.as_bytes());
    id.extend_from_slice(&token.unique);
    keys.event_id(&id)
}

fn refuse(wrong: Wrong) -> Failure {
    match wrong {
        Wrong::Forged => Failure::invalid("`t` is no exposure token of this installation"),
        Wrong::Over => Failure::new(Code::Gone, "the token's time is over, or its campaign is not defined any more"),
    }
}

/// A report that waits: counted until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn one(waiting: &'a AtomicUsize) -> Option<Self> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        Some(Waiting(waiting)).filter(|_| before < MOST_WAITING)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether what asks shows pictures: the `img` of a page.
fn wants_image(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| range.trim_start().starts_with("image/"))
}

fn done(image: bool) -> Response<Ready> {
    let mut response = Response::new(Ready::from(Bytes::from_static(if image { PIXEL } else { b"" })));
    if image {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("image/gif"));
    } else {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}
