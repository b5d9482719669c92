//! The connections of the gRPC port: bounded in number, and cut when they do not shake hands or say in time that they
//! speak HTTP/2.
//!
//! What they say afterwards is bounded by keepalive and by the service (see [`super::grpc`]).

use super::Doors;
use super::preface::Begins;
use super::tls::{self, Opened, Stream as Bytes};
use super::unread::Unread;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;
use tonic::transport::server::Connected;

/// The wait after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepted connections. Those over `max_connections` are closed unheard: to a gRPC client that is `UNAVAILABLE`.
pub(super) struct Incoming {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    doors: Arc<Doors>,
    /// Clients that are being made ready: none keeps another waiting.
    opening: JoinSet<Option<Connection>>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Incoming {
    pub(super) fn new(listener: TcpListener, tls: Option<TlsAcceptor>, doors: Arc<Doors>) -> Self {
        Incoming { listener, tls, doors, opening: JoinSet::new(), pause: None }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.opening.poll_join_next(context) {
                Poll::Ready(Some(Ok(Some(connection)))) => return Poll::Ready(Some(Ok(connection))),
                Poll::Ready(Some(_)) => continue,
                Poll::Ready(None) | Poll::Pending => {}
            }
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(self.listener.poll_accept(context)) {
                Ok((stream, _)) => {
                    if let Some(counted) = Counted::admit(&self.doors) {
                        let tls = self.tls.clone();
                        self.opening.spawn(open(stream, tls, counted));
                    }
                }
                Err(error) => {
                    // Out of file descriptors, most likely: try again when some connections have ended.
                    tracing::warn!(%error, "cannot accept a connection on the gRPC port");
                    self.pause = Some(Box::pin(sleep(PAUSE)));
                }
            }
        }
    }
}

/// Counted as open until it is dropped.
struct Counted(Arc<Doors>);

impl Counted {
    fn admit(doors: &Arc<Doors>) -> Option<Self> {
        let open = doors.metrics.grpc_connections.fetch_add(1, Ordering::Relaxed) + 1;
        let counted = Counted(Arc::clone(doors));
        if open > doors.limits.max_connections as i64 {
            doors.metrics.connections_shed.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.metrics.grpc_connections.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn open(stream: TcpStream, tls: Option<TlsAcceptor>, counted: Counted) -> Option<Connection> {
    // A client that went away already is found out by the first read.
    let _ = stream.set_nodelay(true);
    let stream = Unread::new(stream, Duration::from_millis(counted.0.limits.write_timeout_ms));
    let limit = Duration::from_millis(counted.0.limits.idle_timeout_ms);
    let Opened { stream, names, loopback, .. } = tls::open(stream, tls, &counted.0).await.ok()?;
    let peer = PeerInfo { names: names.into(), loopback };
    Some(Connection { stream: Begins::within(limit, stream), peer, _counted: counted })
}

/// An open connection.
pub(super) struct Connection {
    stream: Begins<Bytes>,
    peer: PeerInfo,
    _counted: Counted,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub(super) struct PeerInfo {
    /// The names in its verified certificate.
    pub names: Arc<[String]>,
    /// Whether it came to a loopback address.
    pub loopback: bool,
}

impl Connected for Connection {
    type ConnectInfo = PeerInfo;

    fn connect_info(&self) -> PeerInfo {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
