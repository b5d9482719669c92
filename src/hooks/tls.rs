//! The stream below a bid port's connection: plain, or TLS with the names of whoever is at the other end. What may be
//! negotiated and who is trusted was settled when the server started (`server/tls.rs`); no file is read here.

use super::Doors;
use super::unread::Unread;
use crate::wire::certificate::{HTTP2, names};
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A connection on which requests may be sent.
pub(super) struct Opened {
    pub stream: Stream,
    /// The names in the client's verified certificate, in lower case.
    pub names: Vec<String>,
    /// Whether it came to a loopback address.
    pub loopback: bool,
    /// Whether both sides agreed on HTTP/2.
    pub http2: bool,
}

/// Makes a connection ready: at once without TLS, with it when the client has shaken hands, within
/// `idle_timeout_ms`.
///
/// # Errors
/// A client that is too slow, speaks plain text, or shows no certificate that holds: counted, and TLS has told it why.
pub(super) async fn open(tcp: Unread<TcpStream>, tls: Option<TlsAcceptor>, doors: &Doors) -> io::Result<Opened> {
    let loopback = tcp.get_ref().local_addr().is_ok_and(|address| address.ip().is_loopback());
    let Some(tls) = tls else {
        return Ok(Opened { stream: Stream::Plain(tcp), names: Vec::new(), loopback, http2: false });
    };
    let limit = Duration::from_millis(doors.limits.idle_timeout_ms);
    let shaken = tokio::time::timeout(limit, tls.accept(tcp)).await;
    let stream = shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).inspect_err(|error| {
        doors.metrics.handshakes_failed.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%error, "a TLS handshake has failed");
    })?;
    let session = stream.get_ref().1;
    let names = session.peer_certificates().and_then(<[_]>::first).map(|it| names(it)).unwrap_or_default();
    let http2 = session.alpn_protocol() == Some(HTTP2);
    Ok(Opened { stream: Stream::Tls(Box::new(stream)), names, loopback, http2 })
}

/// The bytes of a connection.
pub(super) enum Stream {
    Plain(Unread<TcpStream>),
    Tls(Box<TlsStream<Unread<TcpStream>>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(context, bufs),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(context, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
