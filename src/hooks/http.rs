//! The bid HTTP port: an accept loop of our own, because every wait on a client needs a bound. What is asked on a
//! connection goes to [`super::routes`]. HTTP/1.1, or HTTP/2 where TLS has agreed on it.
//!
//! Bounds: headers and idleness, the body's time and size, the time until an answer is read, the number of connections. A
//! connection over the limit is answered too: validly, with `overloaded`, once.

use super::Doors;
use super::aside::{Aside, Heard, silence};
use super::preface::Begins;
use super::routes::{Peer, handle};
use super::tls::{self, Opened};
use super::unread::Unread;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Connections over the limit that are still told so; beyond them, connections are closed unheard.
const TOLD: i64 = 256;

/// Accepts until `drain` becomes true, then lets the requests under way end. The caller bounds how long.
pub async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, doors: Arc<Doors>, drain: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let draining = begun(drain.clone());
    tokio::pin!(draining);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => accept(stream, tls.clone(), &doors, &drain, &mut connections),
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

fn accept(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    doors: &Arc<Doors>,
    drain: &watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
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
    let stream = Unread::new(stream, Duration::from_millis(doors.limits.write_timeout_ms));
    let (drain, limit) = (drain.clone(), Duration::from_millis(doors.limits.idle_timeout_ms));
    connections.spawn(async move {
        let opened = tokio::select! {
            opened = tls::open(stream, tls, &counted.0) => opened,
            () = begun(drain.clone()) => return,
        };
        let Ok(Opened { stream, names, loopback, http2 }) = opened else { return };
        let peer = Arc::new(Peer { names, loopback, shed });
        if http2 {
            converse_http2(Begins::within(limit, stream), counted, peer, drain).await;
        } else {
            converse(stream, counted, peer, drain).await;
        }
    });
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

async fn converse<S>(stream: S, counted: Counted, peer: Arc<Peer>, drain: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (doors, peer, heard) = (&*counted.0, &*peer, &Heard::default());
    let connection = http1::Builder::new()
        .max_header_size(doors.limits.max_header_bytes)
        .serve_connection(TokioIo::new(stream), service_fn(move |request| handle(request, doors, peer, heard)));
    let limit = Duration::from_millis(doors.limits.idle_timeout_ms);
    until(begun(drain), silence(heard, limit), connection, |connection| connection.graceful_shutdown()).await;
}

async fn converse_http2<S>(stream: S, counted: Counted, peer: Arc<Peer>, drain: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let doors = &counted.0;
    let service = service_fn(|request| {
        let (doors, peer) = (Arc::clone(doors), Arc::clone(&peer));
        async move { handle(request, &doors, &peer, &Heard::default()).await }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .keep_alive_timeout(Duration::from_secs(20))
        .max_concurrent_streams(doors.limits.max_streams)
        .max_header_list_size(u32::try_from(doors.limits.max_header_bytes).unwrap_or(u32::MAX))
        .serve_connection(TokioIo::new(stream), service);
    let leave = async {
        if peer.shed {
            // Long enough to be told.
            tokio::time::sleep(Duration::from_secs(1)).await;
        } else {
            begun(drain).await;
        }
    };
    until(leave, pending(), connection, |connection| connection.graceful_shutdown()).await;
}

/// Runs a connection until `silent`; from `leave` on it takes no new request. How it ends (reset, timeout, garbage) is the
/// client's affair: requests are counted where they are answered.
async fn until<C: Future>(
    leave: impl Future<Output = ()>,
    silent: impl Future<Output = ()>,
    connection: C,
    shut: impl Fn(Pin<&mut C>),
) {
    tokio::pin!(connection);
    let (mut leave, mut silent, mut leaving) = (Aside::new(leave), Aside::new(silent), false);
    loop {
        tokio::select! {
            biased;
            _ = &mut connection => return,
            () = &mut silent => return,
            () = &mut leave, if !leaving => {
                leaving = true;
                shut(connection.as_mut());
            }
        }
    }
}
