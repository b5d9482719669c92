//! Clients that do not read what they are sent: a connection ends when an answer has not left within its time.
//!
//! The clock runs from when the client first makes us wait until everything that was to be sent has been, so that reading
//! a byte now and then does not help. A client that reads costs no timer.
//!
//! And the last words are heard: a connection that is closed while its client still sends would be reset, and what the
//! client has not read yet thrown away. So the sending half is closed first, and what comes is read for a while.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long a client may take to hear the last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A stream whose answers must be read in time.
#[derive(Debug)]
pub(super) struct Unread<S> {
    stream: S,
    limit: Duration,
    /// While something waits to be sent.
    waits: Option<Pin<Box<Sleep>>>,
    /// Once the sending half is closed.
    closing: Option<Pin<Box<Sleep>>>,
}

impl<S> Unread<S> {
    pub(super) fn new(stream: S, limit: Duration) -> Self {
        Unread { stream, limit, waits: None, closing: None }
    }

    /// What lies below.
    pub(super) fn get_ref(&self) -> &S {
        &self.stream
    }

    fn bounded<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            return written;
        }
        let waits = self.waits.get_or_insert_with(|| Box::pin(sleep(self.limit)));
        waits.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unread<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Unread<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, buf);
        self.bounded(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bufs);
        self.bounded(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Flushed is asked for when all of an answer has been written.
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.waits = None;
        }
        self.bounded(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            let shut = Pin::new(&mut self.stream).poll_shutdown(context);
            ready!(self.bounded(context, shut))?;
        }
        let closing = self.closing.get_or_insert_with(|| Box::pin(sleep(LAST_WORDS)));
        if closing.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut bytes = [0; 4096];
        loop {
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(context, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {}
                ended => return ended.map(|_| Ok(())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn who_reads_gets_all_and_who_drips_is_cut() {
        let limit = Duration::from_millis(100);
        let (ours, mut theirs) = duplex(64);
        let mut ours = Unread::new(ours, limit);
        let reader = tokio::spawn(async move {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).await.unwrap();
            all.len()
        });
        for _ in 0..3 {
            ours.write_all(&[1; 1_000]).await.unwrap();
            ours.flush().await.unwrap();
            tokio::time::sleep(limit).await;
        }
        drop(ours);
        assert_eq!(reader.await.unwrap(), 3_000, "idleness between answers is not counted");

        let (ours, mut theirs) = duplex(64);
        let mut ours = Unread::new(ours, limit);
        tokio::spawn(async move {
            while theirs.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let cut = tokio::time::timeout(Duration::from_secs(10), ours.write_all(&[1; 100_000])).await.unwrap();
        assert_eq!(cut.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
