//! The connections of the gRPC port: bounded in number, and cut when they do not say in time that they speak HTTP/2.
//!
//! What they say afterwards is bounded by keepalive and by the service (see [`super::grpc`]).

use super::Doors;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};
use tokio_stream::Stream;
use tonic::transport::server::Connected;

/// The bytes with which every HTTP/2 client begins.
const PREFACE: usize = 24;
/// The wait after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepted connections. Those over `max_connections` are closed unheard: to a gRPC client that is `UNAVAILABLE`.
pub(super) struct Incoming {
    listener: TcpListener,
    doors: Arc<Doors>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Incoming {
    pub(super) fn new(listener: TcpListener, doors: Arc<Doors>) -> Self {
        Incoming { listener, doors, pause: None }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            match ready!(self.listener.poll_accept(context)) {
                Ok((stream, _)) => {
                    if let Some(connection) = Connection::admit(stream, &self.doors) {
                        return Poll::Ready(Some(Ok(connection)));
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

/// An open connection: counted until it is dropped.
pub(super) struct Connection {
    stream: TcpStream,
    doors: Arc<Doors>,
    /// Until the client has begun: the bytes it still owes, and when it must have sent them.
    beginning: Option<(usize, Pin<Box<Sleep>>)>,
}

impl Connection {
    fn admit(stream: TcpStream, doors: &Arc<Doors>) -> Option<Self> {
        let metrics = &doors.metrics;
        let open = metrics.grpc_connections.fetch_add(1, Ordering::Relaxed) + 1;
        let limit = Duration::from_millis(doors.limits.idle_timeout_ms);
        let beginning = Some((PREFACE, Box::pin(sleep(limit))));
        let connection = Connection { stream, doors: Arc::clone(doors), beginning };
        if open > doors.limits.max_connections as i64 {
            metrics.connections_shed.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        // A client that went away already is found out by the first read.
        let _ = connection.stream.set_nodelay(true);
        Some(connection)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.doors.metrics.grpc_connections.fetch_sub(1, Ordering::Relaxed);
    }
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
        let loopback = self.stream.local_addr().is_ok_and(|address| address.ip().is_loopback());
        PeerInfo { names: Arc::default(), loopback }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buf);
        let Some((owed, limit)) = &mut self.beginning else { return read };
        *owed = owed.saturating_sub(buf.filled().len() - before);
        if *owed == 0 {
            self.beginning = None;
        } else if limit.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
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
