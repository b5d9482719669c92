//! A request's body, within bounds of time and size, also after decompression.

use super::super::reply::Refused;
use super::Door;
use crate::wire::Code;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

/// The most bytes of a body, also after decompression.
pub(super) const MAX_BODY_BYTES: usize = 16 << 20;
/// The most lines of a body: what becomes of each is told, and that takes room that a body of empty lines would not have.
pub(super) const MAX_LINES: usize = 200_000;
/// So much of a body takes no room: an objection that is sent by itself is heard whatever else is being sent.
const FREE: usize = 8 << 10;
/// How long a body may take in all.
const WHOLE: Duration = Duration::from_secs(60);

/// A body and the room that it takes.
pub(super) struct Whole {
    pub bytes: Vec<u8>,
    pub gzip: bool,
    room: OwnedSemaphorePermit,
}

/// Whether a body is compressed.
fn gzip(headers: &HeaderMap) -> Result<bool, Refused> {
    match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None => Ok(false),
        Some(name) if name.eq_ignore_ascii_case(b"identity") => Ok(false),
        Some(name) if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => Ok(true),
        Some(_) => {
            let message = "the body may be compressed with gzip, with nothing else";
            Err(Refused::new(Code::UnsupportedMediaType, message, "send it as it is, or with gzip"))
        }
    }
}

fn too_large() -> Refused {
    let message = format!("the body is larger than {MAX_BODY_BYTES} bytes (also after decompression)");
    Refused::new(Code::TooLarge, message, "send it in several requests")
}

fn no_room() -> Refused {
    Refused::new(Code::Overloaded, "too much is being sent at once; nothing of this was taken", "send it again")
        .retry_after(1)
}

impl Door {
    /// Reads a body. Each piece must come within `server.body_timeout_ms`, and all of it within a minute.
    pub(super) async fn read(&self, headers: &HeaderMap, mut body: Body) -> Result<Whole, Refused> {
        let gzip = gzip(headers)?;
        let piece = Duration::from_millis(self.planner.loaded.config.server.body_timeout_ms);
        let end = Instant::now() + WHOLE;
        let mut room = self.more(0).ok_or_else(no_room)?;
        let mut bytes = Vec::new();
        loop {
            let frame = timeout_at(end.min(Instant::now() + piece), body.frame()).await.map_err(|_| {
                Refused::new(Code::Timeout, "the body did not arrive in time (server.body_timeout_ms)", "send it again")
            })?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|_| Refused::invalid("the body broke off before its end", "send it again"))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > MAX_BODY_BYTES {
                return Err(too_large());
            }
            let counted = |length: usize| length.saturating_sub(FREE);
            let more = counted(bytes.len() + data.len()) - counted(bytes.len());
            room.merge(self.more(more).ok_or_else(no_room)?);
            bytes.extend_from_slice(&data);
        }
        Ok(Whole { bytes, gzip, room })
    }

    fn more(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1_024)).ok()?;
        Arc::clone(&self.room).try_acquire_many_owned(kib).ok()
    }

    /// The plain text of a body: at most so many bytes ever come out, whatever the compressed ones promise.
    pub(super) fn plain(&self, whole: &mut Whole) -> Result<(), Refused> {
        if !whole.gzip {
            return Ok(());
        }
        let mut plain = Vec::with_capacity(whole.bytes.len().saturating_mul(4).min(MAX_BODY_BYTES));
        let mut reader = MultiGzDecoder::new(&whole.bytes[..]).take(MAX_BODY_BYTES as u64 + 1);
        let read = reader.read_to_end(&mut plain);
        if plain.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        read.map_err(|_| {
            Refused::invalid("the body is declared as gzip and is not", "compress it, or leave out content-encoding")
        })?;
        whole.room.merge(self.more(plain.len().saturating_sub(FREE)).ok_or_else(no_room)?);
        whole.bytes = plain;
        Ok(())
    }
}
