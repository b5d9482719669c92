//! Questions over HTTP/1.1: a connection that is kept, one question at a time on it.
//!
//! No client library: the generator has one core against the server's one, and a general client costs it twice what the
//! question itself does (docs/decisions/0015). The head of an answer is read by `httparse`; answers say their length.

use super::{Became, Reply, answer};
use crate::error::{Error, ErrorKind, Result};
use crate::load::requests::Question;
use crate::load::workload::{Door, Workload};
use bytes::{Bytes, BytesMut};
use hyper::StatusCode;
use hyper::header::HeaderValue;
use smallvec::SmallVec;
use std::io::{self, Write};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The most headers that an answer may have.
const MOST_HEADERS: usize = 64;
/// The longest head of an answer, bytes.
const MOST_HEAD: usize = 64 << 10;
/// The largest body of an answer, bytes.
const MOST_BODY: usize = 32 << 20;

/// An HTTP/1.1 connection.
#[derive(Debug)]
pub struct Connection {
    address: String,
    /// The request line and the headers, up to the value of `content-length`.
    head: Vec<u8>,
    stream: Option<TcpStream>,
    /// The request that is sent, and the answer as far as it has come.
    sent: Vec<u8>,
    came: BytesMut,
}

/// The head of an answer.
#[derive(Debug)]
struct Head {
    status: StatusCode,
    /// Bytes of the head, and of the body after it.
    bytes: usize,
    body: usize,
    /// The connection ends with this answer.
    last: bool,
    /// The headers `x-vaglio-status` and `x-vaglio-generation`.
    said: Option<SmallVec<[u8; 16]>>,
    generation: u64,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(workload: &Workload, door: Door, key: Option<&str>) -> Result<Connection> {
        let target = &workload.target;
        let (address, path) = match door {
            Door::Decide => (&target.http, "/v1/decide"),
            Door::Enrich => (&target.http, "/openrtb2/enrich"),
            Door::OpenrtbDecide => (&target.http, "/openrtb2/decide"),
            Door::Events => (&target.planner, "/api/v1/events"),
            _ => (&target.http, "/v1/lookup"),
        };
        let mut headers = vec![("host", address.clone()), ("content-type", "application/json".to_owned())];
        headers.extend(key.map(|key| ("authorization", format!("Bearer {key}"))));
        if matches!(door, Door::Enrich | Door::OpenrtbDecide) {
            headers.push(("x-openrtb-version", "2.6".to_owned()));
        }
        let mut head = format!("POST {path} HTTP/1.1\r\n");
        for (name, value) in headers {
            // What a header may not hold would be read as another header, or as a request of its own.
            HeaderValue::from_str(&value).map_err(|_| {
                Error::usage(format!("{name}: what it is to be cannot be put into a header of a request"))
            })?;
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("content-length: ");
        let stream = connect(address).await.map_err(|why| {
            let why = format!("cannot connect to {address}: {why}; is `vaglio serve` running there?");
            Error::new(ErrorKind::Io, why)
        })?;
        let (sent, came) = (Vec::new(), BytesMut::new());
        Ok(Connection { address: address.clone(), head: head.into_bytes(), stream: Some(stream), sent, came })
    }

    /// Asks.
    pub async fn ask(&mut self, door: Door, question: &Question, reply: &mut Reply) -> Became {
        // Taken, and put back with the answer: who gives up in between closes the connection.
        let mut stream = match self.stream.take().filter(still_open) {
            Some(stream) => stream,
            None => match connect(&self.address).await {
                Ok(stream) => stream,
                Err(error) => return Became::Failed { kind: "connect", message: error.to_string() },
            },
        };
        self.write(question);
        let head = match stream.write_all(&self.sent).await {
            Ok(()) => read(&mut stream, &mut self.came).await,
            Err(error) => Err(error),
        };
        let head = match head {
            Ok(head) => head,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Became::Failed { kind: "unreadable", message: error.to_string() };
            }
            Err(error) => return Became::Failed { kind: "closed", message: error.to_string() },
        };
        reply.body = Bytes::copy_from_slice(&self.came[head.bytes..head.bytes + head.body]);
        if !head.last && self.came.len() == head.bytes + head.body {
            self.stream = Some(stream);
        }
        if !head.status.is_success() {
            return refused(head.status, &reply.body);
        }
        // The OpenRTB doors say it in headers: of a request that comes back there is nothing else to tell it from.
        answer::json(door, head.said.as_deref().map(|status| (status, head.generation)), question.items, reply)
    }

    /// The request, in one piece: one write, one packet.
    fn write(&mut self, question: &Question) {
        self.sent.clear();
        self.sent.extend_from_slice(&self.head);
        let _ = write!(self.sent, "{}\r\n\r\n", question.body.len());
        self.sent.extend_from_slice(&question.body);
    }
}

async fn connect(address: &str) -> io::Result<TcpStream> {
    let limit = tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(address)).await;
    let stream = limit.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 s"))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Whether nothing came on a connection since the last answer: neither its end nor what was not asked for. No call of
/// the system, as long as nothing has been heard.
fn still_open(stream: &TcpStream) -> bool {
    matches!(stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// Reads an answer to its end: `came` begins with its head.
async fn read(stream: &mut TcpStream, came: &mut BytesMut) -> io::Result<Head> {
    came.clear();
    let mut found = None;
    loop {
        came.reserve(8 << 10);
        if stream.read_buf(came).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        if found.is_none() {
            found = head(came)?;
        }
        match &found {
            Some(head) if came.len() >= head.bytes + head.body => break,
            None if came.len() > MOST_HEAD => return Err(unreadable("its head does not end")),
            _ => {}
        }
    }
    found.ok_or_else(|| unreadable("it has no head"))
}

/// The head of an answer, once it has come whole.
fn head(came: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let bytes = match response.parse(came) {
        Ok(httparse::Status::Complete(bytes)) => bytes,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(unreadable(&error.to_string())),
    };
    let status =
        response.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or_else(|| unreadable("no status"))?;
    let empty = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let mut body = empty.then_some(0);
    let (mut last, mut said, mut generation) = (response.version == Some(0), None, 0);
    for httparse::Header { name, value } in response.headers {
        let number = || std::str::from_utf8(value).ok().and_then(|text| text.trim().parse::<u64>().ok());
        if name.eq_ignore_ascii_case("content-length") {
            let length = number().filter(|length| *length <= MOST_BODY as u64);
            body = Some(length.ok_or_else(|| unreadable("its length is no number, or too large"))? as usize);
        } else if name.eq_ignore_ascii_case("connection") {
            last |= value.eq_ignore_ascii_case(b"close");
        } else if name.eq_ignore_ascii_case("x-vaglio-status") {
            said = Some(SmallVec::from_slice(value));
        } else if name.eq_ignore_ascii_case("x-vaglio-generation") {
            generation = number().unwrap_or(0);
        }
    }
    let body = body.ok_or_else(|| unreadable("it does not say its length (content-length)"))?;
    Ok(Some(Head { status, bytes, body, last, said, generation }))
}

fn unreadable(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("an answer that cannot be read: {why}"))
}

/// What a status that is not 2xx means. The events door sheds with 429, and with 503 while there is no key yet.
fn refused(status: StatusCode, body: &[u8]) -> Became {
    let kind = match status.as_u16() {
        429 => return Became::Shed,
        400 => "http 400",
        401 => "http 401",
        403 => "http 403",
        404 => "http 404",
        408 => "http 408",
        409 => "http 409",
        413 => "http 413",
        415 => "http 415",
        500 => "http 500",
        503 => "http 503",
        507 => "http 507",
        _ => "http",
    };
    let said = String::from_utf8_lossy(&body[..body.len().min(300)]);
    Became::Failed { kind, message: format!("{status} {said}").trim_end().to_owned() }
}

#[cfg(test)]
mod tests;
