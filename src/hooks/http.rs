//! The bid HTTP port: an accept loop of our own, because every wait on a client needs a bound. What is asked on a
//! connection goes to [`super::routes`].
//!
//! Bounds: headers and idleness, the body's time and size, the number of connections. A connection over the limit is
//! answered too: validly, with `overloaded`, once.

use super::Doors;
use super::routes::{Peer, handle};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Connections over the limit that are still told so; beyond them, connections are closed unheard.
const TOLD: i64 = 256;

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
    let loopback = stream.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let peer = Arc::new(Peer { names: Vec::new(), loopback, shed });
    connections.spawn(converse(stream, counted, peer, drain.clone()));
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

async fn converse(stream: TcpStream, counted: Counted, peer: Arc<Peer>, drain: watch::Receiver<bool>) {
    let doors = Arc::clone(&counted.0);
    let service = service_fn(|request| handle(request, Arc::clone(&doors), Arc::clone(&peer)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(counted.0.limits.idle_timeout_ms))
        .max_header_size(counted.0.limits.max_header_bytes)
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
