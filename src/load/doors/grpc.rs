//! Questions over gRPC: places on a connection, one call at a time on each, or one stream a connection.
//!
//! Questions are encoded already, and answers stay bytes: nothing is decoded on the way. That a message fits its method is
//! settled by who wrote it. Below is `h2` itself and not a channel with its queue and its layers: the generator has one
//! core against the server's one (docs/decisions/0015).

use super::{Became, Reply, answer};
use crate::error::{Error, ErrorKind, Result};
use crate::load::requests::Question;
use crate::load::workload::{Door, Workload};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::client::{Builder, SendRequest};
use h2::{RecvStream, SendStream};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, TE};
use hyper::{Method, Request, StatusCode, Uri, Version};
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tonic::{Code, Status};

/// The largest answer that is read, bytes.
const MOST_BYTES: usize = 32 << 20;
/// In front of every message: whether it is compressed (0), and its length.
const PREFIX: usize = 5;

/// A place on a connection, which it shares with others.
#[derive(Debug, Clone)]
pub struct Connection {
    line: Rc<Line>,
    /// The connection as far as this place knows: which one it is, and how to ask on it.
    known: Option<(u64, SendRequest<Bytes>)>,
}

/// What places of a connection share.
#[derive(Debug)]
struct Line {
    address: String,
    uri: Uri,
    headers: HeaderMap,
    /// The newest connection, counted from 1.
    open: Mutex<Option<(u64, SendRequest<Bytes>)>>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there, or an address or key that cannot be used.
    pub async fn open(workload: &Workload, door: Door, key: Option<&str>) -> Result<Connection> {
        let address = &workload.target.grpc;
        let path = match door {
            Door::GrpcBatch => "/vaglio.v1.AudienceService/LookupBatch",
            Door::GrpcStream => "/vaglio.v1.AudienceService/LookupStream",
            Door::GrpcDecide => "/vaglio.v1.AudienceService/Decide",
            Door::Artf => "/com.iabtechlab.bidstream.mutation.services.v1.RTBExtensionPoint/GetMutations",
            _ => "/vaglio.v1.AudienceService/Lookup",
        };
        let uri = format!("http://{address}{path}");
        let uri: Uri = uri.parse().map_err(|error| Error::usage(format!("{address}: {error}")))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        if let Some(key) = key {
            let key = HeaderValue::from_str(&format!("Bearer {key}"));
            let key = key.map_err(|_| Error::usage("the key cannot be put into a header of a request"))?;
            headers.insert(AUTHORIZATION, key);
        }
        let sender = connect(address).await.map_err(|why| {
            let why = format!("cannot connect to {address} (gRPC): {why}; is `vaglio serve` running there?");
            Error::new(ErrorKind::Io, why)
        })?;
        let known = Some((1, sender));
        let line = Line { address: address.clone(), uri, headers, open: Mutex::new(known.clone()) };
        Ok(Connection { line: Rc::new(line), known })
    }

    /// Calls.
    pub async fn ask(&mut self, door: Door, question: &Question, reply: &mut Reply) -> Became {
        match self.call(question).await {
            Ok((said, body)) => {
                reply.body = body;
                // ARTF has no word for it in its message.
                match said.get("x-vaglio-status").and_then(|word| answer::of_word(word.as_bytes())) {
                    Some(Became::Shed) => Became::Shed,
                    _ => answer::proto(door, reply),
                }
            }
            Err(became) => became,
        }
    }

    /// A call from its beginning to its end: the headers of the answer, and its one message.
    async fn call(&mut self, question: &Question) -> std::result::Result<(HeaderMap, Bytes), Became> {
        let (answered, mut body) = self.begin().await?;
        body.send_data(framed(&question.body), true).map_err(|error| failed(&error))?;
        let (head, mut answers) = answered.await.map_err(|error| failed(&error))?.into_parts();
        if head.status != StatusCode::OK {
            return Err(Became::Failed { kind: "grpc", message: format!("HTTP status {}", head.status) });
        }
        let mut came = BytesMut::new();
        while more(&mut answers, &mut came).await? {}
        let trailers = answers.trailers().await.map_err(|error| failed(&error))?;
        match status(trailers.as_ref().unwrap_or(&head.headers)) {
            Some(status) if status.code() != Code::Ok => return Err(refused(&status)),
            Some(_) => {}
            None => return Err(unreadable("a call that ended without `grpc-status`")),
        }
        match message(&mut came)? {
            Some(message) if came.is_empty() => Ok((head.headers, message)),
            _ => Err(unreadable("an answer that is not one whole message")),
        }
    }

    /// Begins a call.
    async fn begin(&mut self) -> std::result::Result<(h2::client::ResponseFuture, SendStream<Bytes>), Became> {
        let mut sender = self.sender().await.map_err(|message| Became::Failed { kind: "connect", message })?;
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = self.line.uri.clone();
        *request.headers_mut() = self.line.headers.clone();
        sender.send_request(request, false).map_err(|error| failed(&error))
    }

    /// The connection, when it can take a call; another one where it has ended. Of places that find it ended, one connects.
    async fn sender(&mut self) -> std::result::Result<SendRequest<Bytes>, String> {
        // The newest may have ended, too, before anybody asked on it.
        for _ in 0..3 {
            if let Some((_, sender)) = &self.known
                && let Ok(sender) = sender.clone().ready().await
            {
                return Ok(sender);
            }
            let mut open = self.line.open.lock().await;
            let ended = self.known.as_ref().map_or(0, |(number, _)| *number);
            let newest = open.as_ref().map_or(0, |(number, _)| *number);
            if newest <= ended {
                *open = Some((ended + 1, connect(&self.line.address).await?));
            }
            self.known.clone_from(&open);
        }
        Err("connections end as soon as they are open".to_owned())
    }
}

/// Connects; the connection's own task ends with it.
async fn connect(address: &str) -> std::result::Result<SendRequest<Bytes>, String> {
    let limit = Duration::from_secs(5);
    let stream = tokio::time::timeout(limit, TcpStream::connect(address)).await;
    let stream = stream.map_err(|_| "no answer within 5 s".to_owned())?.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let mut builder = Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(16 << 20).enable_push(false);
    // Who gives up resets; an answer that comes afterwards is no fault of the connection.
    builder.max_concurrent_reset_streams(10_000).max_local_error_reset_streams(None);
    let (sender, connection) = builder.handshake(stream).await.map_err(|error| error.to_string())?;
    tokio::task::spawn_local(async move {
        // Its end is told to whoever asks next.
        let _ = connection.await;
    });
    Ok(sender)
}

/// A message with its prefix.
fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

/// Takes the first message out of what came, if it is there whole.
fn message(came: &mut BytesMut) -> std::result::Result<Option<Bytes>, Became> {
    if came.len() < PREFIX {
        return Ok(None);
    }
    let (compressed, length) = (came[0], u32::from_be_bytes([came[1], came[2], came[3], came[4]]) as usize);
    if compressed != 0 {
        return Err(unreadable("a compressed message, which was not asked for"));
    }
    if length > MOST_BYTES {
        return Err(unreadable("a message of more than 32 MiB"));
    }
    if came.len() < PREFIX + length {
        return Ok(None);
    }
    came.advance(PREFIX);
    Ok(Some(came.split_to(length).freeze()))
}

/// Waits for more of an answer; false at its end.
async fn more(answers: &mut RecvStream, came: &mut BytesMut) -> std::result::Result<bool, Became> {
    let Some(data) = answers.data().await else { return Ok(false) };
    let data = data.map_err(|error| failed(&error))?;
    let _ = answers.flow_control().release_capacity(data.len());
    if came.len() + data.len() > PREFIX + MOST_BYTES {
        return Err(unreadable("a message of more than 32 MiB"));
    }
    came.extend_from_slice(&data);
    Ok(true)
}

/// How a call ended, of its trailers.
fn status(trailers: &HeaderMap) -> Option<Status> {
    match trailers.get("grpc-status") {
        Some(number) if number == "0" => Some(Status::ok("")),
        _ => Status::from_header_map(trailers),
    }
}

fn unreadable(what: &str) -> Became {
    Became::Failed { kind: "unreadable", message: what.to_owned() }
}

fn failed(error: &h2::Error) -> Became {
    let kind = if error.is_reset() && error.is_remote() { "reset" } else { "closed" };
    Became::Failed { kind, message: error.to_string() }
}

/// What a status that is not OK means.
fn refused(status: &Status) -> Became {
    let kind = match status.code() {
        Code::InvalidArgument => "grpc INVALID_ARGUMENT",
        Code::Unauthenticated => "grpc UNAUTHENTICATED",
        Code::PermissionDenied => "grpc PERMISSION_DENIED",
        Code::NotFound => "grpc NOT_FOUND",
        Code::OutOfRange => "grpc OUT_OF_RANGE",
        Code::ResourceExhausted => "grpc RESOURCE_EXHAUSTED",
        Code::DeadlineExceeded => "grpc DEADLINE_EXCEEDED",
        Code::Unavailable => "grpc UNAVAILABLE",
        Code::Unimplemented => "grpc UNIMPLEMENTED",
        Code::Internal => "grpc INTERNAL",
        Code::Cancelled => "grpc CANCELLED",
        _ => "grpc",
    };
    Became::Failed { kind, message: status.message().to_owned() }
}

/// A stream: a message out, a message in.
#[derive(Debug)]
pub struct Stream {
    connection: Connection,
    open: Option<Open>,
}

/// A stream that has begun, and what of its answers has come and was not taken yet.
#[derive(Debug)]
struct Open {
    questions: SendStream<Bytes>,
    answers: RecvStream,
    came: BytesMut,
}

impl Stream {
    /// On a connection; it begins with the first question.
    pub fn new(connection: Connection) -> Self {
        Stream { connection, open: None }
    }

    /// Asks.
    pub async fn ask(&mut self, door: Door, question: &Question, reply: &mut Reply) -> Became {
        // Taken, and put back with the answer: who gives up in between begins another stream, on which no answer is owed.
        let open = match self.open.take() {
            Some(mut open) => match open.questions.send_data(framed(&question.body), false) {
                Ok(()) => Ok(open),
                // The server ended it, in good order; what was sent into it was not looked at.
                Err(_) => self.begin(question).await,
            },
            None => self.begin(question).await,
        };
        let mut open = match open {
            Ok(open) => open,
            Err(became) => return became,
        };
        match open.answer().await {
            Ok(answered) => {
                reply.body = answered;
                self.open = Some(open);
                answer::proto(door, reply)
            }
            Err(became) => became,
        }
    }

    /// Begins a stream with its first message.
    async fn begin(&mut self, question: &Question) -> std::result::Result<Open, Became> {
        let (answered, mut questions) = self.connection.begin().await?;
        questions.send_data(framed(&question.body), false).map_err(|error| failed(&error))?;
        let (head, answers) = answered.await.map_err(|error| failed(&error))?.into_parts();
        match status(&head.headers) {
            Some(status) => Err(refused(&status)),
            None if head.status != StatusCode::OK => {
                Err(Became::Failed { kind: "grpc", message: format!("HTTP status {}", head.status) })
            }
            None => Ok(Open { questions, answers, came: BytesMut::new() }),
        }
    }
}

impl Open {
    /// The next answer.
    async fn answer(&mut self) -> std::result::Result<Bytes, Became> {
        loop {
            if let Some(message) = message(&mut self.came)? {
                return Ok(message);
            }
            if !more(&mut self.answers, &mut self.came).await? {
                let trailers = self.answers.trailers().await.map_err(|error| failed(&error))?;
                return Err(match trailers.as_ref().and_then(status) {
                    Some(status) if status.code() != Code::Ok => refused(&status),
                    _ => Became::Failed { kind: "closed", message: "the server ended the stream".to_owned() },
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
