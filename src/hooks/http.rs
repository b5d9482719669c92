//! The bid HTTP port: an accept loop of our own, because every wait on a client needs a bound, and the routes.
//!
//! Bounds: headers and idleness, the body's time and size, the number of connections. A connection over the limit is
//! answered too: validly, with `overloaded`, once.

use super::health::{Readiness, live_json};
use super::{Door, Doors, decide_json, lookup_json};
use crate::wire::{Code, Failure};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Connections over the limit that are still told so; beyond them, connections are closed unheard.
const TOLD: i64 = 256;

/// What a body may be declared as: JSON, or what `curl -d` says of every body.
const JSON_TYPES: [&str; 2] = ["application/json", "application/x-www-form-urlencoded"];

/// Accepts until `drain` becomes true, then lets the requests under way end. The caller bounds how long.
pub async fn serve(listener: TcpListener, doors: Arc<Doors>, drain: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let draining = begun(drain.clone());
    tokio::pin!(draining);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => accept(stream, &doors, &drain, &mut connections),
                Err(error) => {
                    // Out of file descriptors, most likely: try again when some connections have ended.
                    tracing::warn!(%error, "cannot accept a connection on the HTTP port");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = &mut draining => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

fn accept(stream: TcpStream, doors: &Arc<Doors>, drain: &watch::Receiver<bool>, connections: &mut JoinSet<()>) {
    let open = doors.metrics.connections.fetch_add(1, Ordering::Relaxed) + 1;
    let counted = Counted(Arc::clone(doors));
    let shed = open > doors.limits.max_connections as i64;
    if shed {
        doors.metrics.connections_shed.fetch_add(1, Ordering::Relaxed);
    }
    if open > doors.limits.max_connections as i64 + TOLD {
        return;
    }
    // A client that went away already is found out by the first read.
    let _ = stream.set_nodelay(true);
    connections.spawn(converse(stream, counted, shed, drain.clone()));
}

/// An open connection: counted until it is dropped.
struct Counted(Arc<Doors>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.metrics.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Ends when the drain begins, or when nobody is left who could begin it.
pub(super) async fn begun(mut drain: watch::Receiver<bool>) {
    let _ = drain.wait_for(|drain| *drain).await;
}

async fn converse(stream: TcpStream, counted: Counted, shed: bool, drain: watch::Receiver<bool>) {
    let doors = Arc::clone(&counted.0);
    let service = service_fn(|request| handle(request, Arc::clone(&doors), shed));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(counted.0.limits.idle_timeout_ms))
        .max_header_size(32 << 10)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // How a connection ends (reset, timeout, garbage) is the client's affair; requests are counted where they are answered.
    tokio::select! {
        _ = &mut connection => {}
        () = begun(drain) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn handle(
    request: Request<Incoming>,
    doors: Arc<Doors>,
    shed: bool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let arrived = Instant::now();
    let mut response = match route(request, &doors, arrived, shed).await {
        Ok(response) => response,
        Err(failure) => refusal(&failure),
    };
    if shed {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

async fn route(
    request: Request<Incoming>,
    doors: &Doors,
    arrived: Instant,
    shed: bool,
) -> Result<Response<Full<Bytes>>, Failure> {
    type Answer = fn(&Doors, &[u8], Instant, bool) -> Result<Vec<u8>, Failure>;
    let (door, answer): (Door, Answer) = match request.uri().path() {
        "/v1/lookup" => (Door::HttpLookup, lookup_json::answer),
        "/v1/decide" => (Door::HttpDecide, decide_json::answer),
        _ => return other(&request, doors).inspect_err(|failure| doors.count(Door::HttpOther, arrived, Some(failure))),
    };
    // What `answer` refuses, it counts itself.
    let refused = |failure: &Failure| doors.count(door, arrived, Some(failure));
    check(&request, doors.limits.max_body_bytes).inspect_err(refused)?;
    let body = read(request.into_body(), doors).await.inspect_err(refused)?;
    Ok(json(StatusCode::OK, answer(doors, &body, arrived, shed)?))
}

/// Probes, and paths that lead nowhere.
fn other(request: &Request<Incoming>, doors: &Doors) -> Result<Response<Full<Bytes>>, Failure> {
    let probe = matches!(*request.method(), Method::GET | Method::HEAD);
    match request.uri().path() {
        "/health/live" | "/health/ready" if !probe => {
            Err(Failure::new(Code::MethodNotAllowed, "the probes take GET").with_details(vec!["GET, HEAD".to_owned()]))
        }
        "/health/live" => Ok(json(StatusCode::OK, live_json(doors.health.readiness() == Readiness::Ready))),
        "/health/ready" => {
            let (ready, body) = doors.health.ready_json(&doors.live);
            Ok(json(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body))
        }
        _ => Err(Failure::new(
            Code::NotFound,
            "there is nothing at this path; the doors are /v1/lookup, /v1/decide, /health/live and /health/ready",
        )),
    }
}

/// What can be refused before the body is read.
fn check(request: &Request<Incoming>, max_body_bytes: usize) -> Result<(), Failure> {
    if request.method() != Method::POST {
        let failure = Failure::new(Code::MethodNotAllowed, "this door takes POST with a JSON body");
        return Err(failure.with_details(vec!["POST".to_owned()]));
    }
    let headers = request.headers();
    if let Some(declared) = headers.get(CONTENT_TYPE) {
        let essence = declared.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !JSON_TYPES.iter().any(|json| essence.eq_ignore_ascii_case(json)) {
            return Err(Failure::new(Code::UnsupportedMediaType, "the body must be declared as application/json"));
        }
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Failure::new(Code::UnsupportedMediaType, "the body must not be compressed"));
    }
    let declared = request.body().size_hint().lower();
    if declared > max_body_bytes as u64 { Err(too_large(max_body_bytes)) } else { Ok(()) }
}

fn too_large(max: usize) -> Failure {
    Failure::new(Code::TooLarge, format!("the body is larger than {max} bytes (server.max_body_bytes)"))
}

async fn read(body: Incoming, doors: &Doors) -> Result<Bytes, Failure> {
    let limit = Duration::from_millis(doors.limits.body_timeout_ms);
    match tokio::time::timeout(limit, collect(body, doors.limits.max_body_bytes)).await {
        Ok(collected) => collected,
        Err(_) => {
            let limit = limit.as_millis();
            Err(Failure::new(Code::Timeout, format!("the body did not arrive within {limit} ms")))
        }
    }
}

/// The whole body; without copying when it came in one piece, as almost all do.
async fn collect(mut body: Incoming, max: usize) -> Result<Bytes, Failure> {
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::invalid("the body broke off before its end"))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > max {
            return Err(too_large(max));
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

fn json(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refusal(failure: &Failure) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(failure.code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, failure.to_json());
    let headers = response.headers_mut();
    match failure.code {
        Code::MethodNotAllowed => {
            let allowed = failure.details.first().and_then(|methods| HeaderValue::from_str(methods).ok());
            headers.insert(ALLOW, allowed.unwrap_or(HeaderValue::from_static("POST")));
        }
        // The rest of the body is not read, so nothing that follows it can be.
        Code::TooLarge | Code::Timeout => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}
