//! A request's bytes as they come: from a runtime's thread to one that reads.

use super::super::reply::Refused;
use crate::wire::Code;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt;
use std::io::{self, BufRead, BufReader, Read};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel as bounded};
use tokio::time::timeout;

/// Pieces that wait to be read.
const WAITING: usize = 8;

/// The reading end.
pub(super) struct Pieces {
    from: Receiver<Bytes>,
    rest: Bytes,
}

/// A way from one to the other. What is sent waits until it is read.
pub(super) fn channel() -> (Pieces, Sender<Bytes>) {
    let (sender, from) = bounded(WAITING);
    (Pieces { from, rest: Bytes::new() }, sender)
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.from.blocking_recv() {
                Some(piece) => self.rest = piece,
                None => return Ok(0),
            }
        }
        let length = out.len().min(self.rest.len());
        out[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
    }
}

/// The text in it: what looks like gzip is decompressed.
pub(super) fn text(pieces: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut reader = BufReader::with_capacity(64 << 10, pieces);
    // A piece of one byte is no beginning of anything that is worth an upload.
    let is_gzip = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(reader))) } else { Box::new(reader) })
}

fn is_form(headers: &HeaderMap) -> bool {
    let form = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    form.is_some_and(|form| form.trim_start().to_ascii_lowercase().starts_with("multipart/"))
}

fn check_encoding(headers: &HeaderMap) -> Result<(), Refused> {
    let known = |name: &[u8]| [&b"identity"[..], b"gzip", b"x-gzip"].iter().any(|it| name.eq_ignore_ascii_case(it));
    match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes()) {
        Some(name) if !known(name) => {
            let message = "the body may be compressed with gzip, with nothing else";
            Err(Refused::new(Code::UnsupportedMediaType, message, "send it as it is, or with gzip"))
        }
        Some(_) if is_form(headers) => {
            let message = "a form cannot be compressed as a whole";
            Err(Refused::new(Code::UnsupportedMediaType, message, "compress the file in it"))
        }
        _ => Ok(()),
    }
}

/// Sends a request's file, until its end or until nobody reads any more. Each piece must come within `patience`.
pub(super) async fn send(request: Request, to: Sender<Bytes>, patience: Duration) -> Result<(), Refused> {
    check_encoding(request.headers())?;
    let late =
        || Refused::new(Code::Timeout, "the body did not arrive in time (server.body_timeout_ms)", "send it again");
    let broken = || Refused::invalid("the body broke off before its end; nothing of it was taken", "send it again");
    if !is_form(request.headers()) {
        let mut body = request.into_body();
        while let Some(frame) = timeout(patience, body.frame()).await.map_err(|_| late())? {
            if let Ok(data) = frame.map_err(|_| broken())?.into_data()
                && to.send(data).await.is_err()
            {
                break;
            }
        }
        return Ok(());
    }
    let help = "send a form with the file in a field `file`; everything else is in the query";
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|_| Refused::invalid("the body is no form", help))?;
    let field = timeout(patience, form.next_field()).await.map_err(|_| late())?.map_err(|_| broken())?;
    let Some(mut field) = field.filter(|field| field.name() == Some("file") || field.file_name().is_some()) else {
        return Err(Refused::invalid("the form does not begin with a file", help));
    };
    while let Some(data) = timeout(patience, field.chunk()).await.map_err(|_| late())?.map_err(|_| broken())? {
        if to.send(data).await.is_err() {
            break;
        }
    }
    Ok(())
}
