//! Servers that answer `POST /v1/lookup` as they are told to: at once, after a while, badly, or not at all any more.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How a stand-in behaves.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Every answer takes so long.
    pub takes: Duration,
    /// The whole server stands still for so long, once, so long after its first request.
    pub stalls: Option<(Duration, Duration)>,
    /// It is gone so long after its first request.
    pub dies_after: Option<Duration>,
    /// The status of every n-th answer is 500.
    pub fails_every: Option<u64>,
    /// Every n-th answer is `overloaded`.
    pub sheds_every: Option<u64>,
}

/// What a stand-in has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// When the first request came.
    pub first: Option<Instant>,
    /// The bodies, in order of arrival.
    pub bodies: Vec<Bytes>,
    stalled: bool,
}

/// A running stand-in. Its thread ends with the process, or when it dies as it was told to.
pub struct StandIn {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it has seen.
    pub seen: Arc<Mutex<Seen>>,
}

const MATCHED: &str = r#"{"status":"matched","audiences":["a/b"],"segments":[],"generation":42,"as_of":"2026-11-01T09:00:00Z","stale":false}"#;
const OVERLOADED: &str = r#"{"status":"overloaded","audiences":[],"segments":[],"generation":42,"as_of":"2026-11-01T09:00:00Z","stale":false}"#;

impl StandIn {
    /// Starts one on a thread of its own.
    pub fn start(manner: Manner) -> StandIn {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let theirs = Arc::clone(&seen);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let accepting = accept(tokio::net::TcpListener::from_std(listener).unwrap(), &manner, &theirs);
                tokio::select! { () = accepting => {}, () = death(&manner, &theirs) => {} }
            });
        });
        StandIn { address, seen }
    }
}

async fn death(manner: &Manner, seen: &Mutex<Seen>) {
    let Some(after) = manner.dies_after else { return std::future::pending().await };
    loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if seen.lock().unwrap().first.is_some_and(|first| first.elapsed() > after) {
            return;
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, manner: &Manner, seen: &Arc<Mutex<Seen>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (manner, seen) = (manner.clone(), Arc::clone(seen));
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(manner.clone(), Arc::clone(&seen), request));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    manner: Manner,
    seen: Arc<Mutex<Seen>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let number = {
        let mut seen = seen.lock().unwrap();
        let first = *seen.first.get_or_insert_with(Instant::now);
        seen.bodies.push(body);
        if let Some((after, stall)) = manner.stalls
            && first.elapsed() > after
            && !std::mem::replace(&mut seen.stalled, true)
        {
            // The thread, not the task: nobody at all is answered meanwhile.
            std::thread::sleep(stall);
        }
        seen.bodies.len() as u64
    };
    if !manner.takes.is_zero() {
        tokio::time::sleep(manner.takes).await;
    }
    let every = |n: Option<u64>| n.is_some_and(|n| number.is_multiple_of(n));
    let text = if every(manner.sheds_every) { OVERLOADED } else { MATCHED };
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    if every(manner.fails_every) {
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
    }
    Ok(response)
}
