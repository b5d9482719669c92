//! Bodies of HTTP requests and answers: read within bounds of time and size, also after decompression.

use super::Doors;
use super::admission::{PLACE_KEPT, UnderWay};
use crate::wire::{Code, Failure};
use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::read::{GzEncoder, MultiGzDecoder};
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Incoming};
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue};
use std::future::poll_fn;
use std::io::Read;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

/// Whether a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// What a request's body comes in.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None => Ok(Encoding::Identity),
            Some(name) if name.eq_ignore_ascii_case(b"identity") => Ok(Encoding::Identity),
            // Two names of the same (RFC 9110, 8.4.1.3).
            Some(name) if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => {
                Ok(Encoding::Gzip)
            }
            Some(_) => {
                Err(Failure::new(Code::UnsupportedMediaType, "the body may be compressed with gzip, with nothing else"))
            }
        }
    }

    /// What an answer may go out in: gzip where it is asked for by name.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let names_gzip = |value: &HeaderValue| {
            let codings = value.to_str().unwrap_or_default().split(',');
            codings.map(|coding| coding.split(';')).any(|mut parts| {
                let gzip = parts.next().unwrap_or_default().trim().eq_ignore_ascii_case("gzip");
                gzip && !parts.any(|weight| matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
        };
        if headers.get_all(ACCEPT_ENCODING).iter().any(names_gzip) { Encoding::Gzip } else { Encoding::Identity }
    }
}

pub(super) fn too_large(max: usize) -> Failure {
    Failure::new(Code::TooLarge, format!("the body is larger than {max} bytes (server.max_body_bytes)"))
}

/// The whole body, decompressed. A client that is slow to send it loses its request's `place`.
pub(super) async fn read(
    body: Incoming,
    encoding: Encoding,
    doors: &Doors,
    place: &mut Option<UnderWay<&Doors>>,
) -> Result<Bytes, Failure> {
    let max = doors.limits.max_body_bytes;
    if body.size_hint().lower() > max as u64 {
        return Err(too_large(max));
    }
    let mut collected = pin!(collect(body, max));
    let at_once = poll_fn(|context| Poll::Ready(collected.as_mut().poll(context))).await;
    let collected = match at_once {
        // A body that came with its head needs no timer, as almost all do.
        Poll::Ready(collected) => collected?,
        Poll::Pending => wait(collected, Duration::from_millis(doors.limits.body_timeout_ms), place).await?,
    };
    match encoding {
        Encoding::Identity => Ok(collected),
        Encoding::Gzip => decompress(&collected, max),
    }
}

/// Waits for a body that did not come with its head.
async fn wait(
    mut body: Pin<&mut impl Future<Output = Result<Bytes, Failure>>>,
    limit: Duration,
    place: &mut Option<UnderWay<&Doors>>,
) -> Result<Bytes, Failure> {
    if let Ok(arrived) = tokio::time::timeout(PLACE_KEPT.min(limit), body.as_mut()).await {
        return arrived;
    }
    *place = None;
    let arrived = tokio::time::timeout(limit.saturating_sub(PLACE_KEPT), body).await;
    arrived.unwrap_or_else(|_| {
        Err(Failure::new(Code::Timeout, format!("the body did not arrive within {} ms", limit.as_millis())))
    })
}

/// The whole body; without copying when it came in one piece, as almost all do.
async fn collect(mut body: Incoming, max: usize) -> Result<Bytes, Failure> {
    let (mut first, mut rest) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::invalid("the body broke off before its end"))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > max {
            return Err(too_large(max));
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

/// At most `max` bytes ever come out, whatever the compressed ones promise. Gzip may come in several members, one after
/// the other: they are one body.
fn decompress(compressed: &[u8], max: usize) -> Result<Bytes, Failure> {
    let one_more = (max as u64).saturating_add(1);
    let mut plain = Vec::with_capacity(compressed.len().saturating_mul(4).min(max));
    let read = MultiGzDecoder::new(compressed).take(one_more).read_to_end(&mut plain);
    match read {
        Ok(_) if plain.len() > max => Err(too_large(max)),
        Ok(_) => Ok(plain.into()),
        Err(_) => {
            Err(Failure::invalid("the body is declared as gzip and is not; compress it, or leave out content-encoding"))
        }
    }
}

/// Compresses an answer: quickly rather than well.
pub(super) fn compress(plain: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::with_capacity(plain.len() / 2 + 64);
    // Reading from a slice and growing a vector cannot fail.
    let _ = GzEncoder::new(plain, Compression::fast()).read_to_end(&mut compressed);
    compressed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressed_body_costs_no_more_than_its_limit() {
        let zeros = compress(&vec![0; 50 << 20]);
        assert!(zeros.len() < 1 << 20, "{}", zeros.len());
        assert_eq!(decompress(&zeros, 1 << 20).unwrap_err().code, Code::TooLarge);
        assert_eq!(decompress(&compress(b"{}"), 2).unwrap(), "{}");
        assert_eq!(decompress(b"{}", 2).unwrap_err().code, Code::InvalidArgument);
        let whole = compress(b"something longer");
        assert_eq!(decompress(&whole[..whole.len() - 9], 99).unwrap_err().code, Code::InvalidArgument);
    }

    #[test]
    fn several_members_are_one_body_and_what_follows_them_is_none() {
        let members = |parts: &[&[u8]]| parts.concat();
        let (a, b) = (compress(b"{\"ifa\":"), compress(b"\"x\"}"));
        assert_eq!(decompress(&members(&[&a, &b]), 99).unwrap(), "{\"ifa\":\"x\"}");
        assert_eq!(decompress(&members(&[&a, &b]), 10).unwrap_err().code, Code::TooLarge, "the bound is of all");
        for wrong in [members(&[&a, b"garbage"]), members(&[&a, &b[..b.len() - 1]]), Vec::new()] {
            assert_eq!(decompress(&wrong, 99).unwrap_err().code, Code::InvalidArgument, "{wrong:?}");
        }
    }

    #[test]
    fn gzip_goes_out_only_where_it_was_asked_for() {
        let accepted = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            Encoding::accepted(&headers)
        };
        for asked in ["gzip", "deflate, gzip;q=0.5", "GZIP"] {
            assert_eq!(accepted(asked), Encoding::Gzip, "{asked}");
        }
        for not in ["", "br", "gzip;q=0", "identity"] {
            assert_eq!(accepted(not), Encoding::Identity, "{not}");
        }
        assert_eq!(Encoding::accepted(&HeaderMap::new()), Encoding::Identity);
    }
}
