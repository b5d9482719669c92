//! The connections of the planner's port: HTTP/1.1 and HTTP/2 (gRPC) on one, told apart by their first bytes, or by ALPN over TLS. Every wait on a
//! client is bounded: for its first bytes, its headers, its reading of what it is sent; and so is their number.

use super::guard::Names;
use super::reply::Peer;
use crate::wire::certificate::{HTTP2, names};
use axum::{Extension, Router};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// How every HTTP/2 client begins, as far as no HTTP/1.1 request does.
const PREFACE: &[u8] = b"PRI";
/// How long a client may take to say what it speaks, to send its headers, or stay idle.
const IDLE: Duration = Duration::from_secs(60);
/// How long a client may not read what it is sent.
const UNREAD_MS: u32 = 30_000;
/// The most connections; more are closed unheard.
const MOST: usize = 1_024;
/// The most calls of one connection at once.
const STREAMS: u32 = 64;

/// Accepts until the task is dropped.
pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router, max_header_bytes: usize) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        // axum::serve bounds no wait on a client, so the loop is ours.
        let Ok((stream, address)) = listener.accept().await else {
            // Out of file descriptors, most likely: try again when some connections have ended.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let peer = Peer { address: Some(address.ip()), tls: tls.is_some(), ..Peer::default() };
            tokio::spawn(converse((stream, peer), tls.clone(), router.clone(), max_header_bytes, place));
        }
    }
}

async fn converse(
    (stream, mut peer): (TcpStream, Peer),
    tls: Option<TlsAcceptor>,
    router: Router,
    max_header_bytes: usize,
    _place: OwnedSemaphorePermit,
) {
    // A client that went away already is found out by the first read.
    let _ = stream.set_nodelay(true);
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, UNREAD_MS);
    peer.loopback = stream.local_addr().is_ok_and(|address| address.ip().to_canonical().is_loopback());
    let router = router.layer(Extension(peer));
    let Some(tls) = tls else {
        let Ok(Some(http2)) = timeout(IDLE, speaks_http2(&stream)).await else { return };
        return answer(stream, router, http2, max_header_bytes).await;
    };
    let Ok(Ok(stream)) = timeout(IDLE, tls.accept(stream)).await else { return };
    let session = stream.get_ref().1;
    let names = session.peer_certificates().and_then(<[_]>::first).map(|it| names(it)).unwrap_or_default();
    let http2 = session.alpn_protocol() == Some(HTTP2);
    answer(stream, router.layer(Extension(Names(names.into()))), http2, max_header_bytes).await;
}

/// Answers what comes. How a connection ends is the client's affair: requests are answered where they are.
async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    http2: bool,
    max_header_bytes: usize,
) {
    let service = TowerToHyperService::new(router);
    if http2 {
        let _ = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(Duration::from_secs(30)))
            .keep_alive_timeout(Duration::from_secs(20))
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(max_header_bytes).unwrap_or(u32::MAX))
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    } else {
        let _ = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .max_header_size(max_header_bytes)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }
}

/// Looks at the first bytes without taking them; `None` when the client has gone away.
async fn speaks_http2(stream: &TcpStream) -> Option<bool> {
    let mut seen = [0; PREFACE.len()];
    loop {
        match stream.peek(&mut seen).await.ok()? {
            0 => return None,
            n if seen[..n] != PREFACE[..n] => return Some(false),
            n if n == PREFACE.len() => return Some(true),
            // A byte or two of it: what is there already wakes nobody.
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}
