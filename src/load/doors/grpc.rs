//! Questions over gRPC: places on a connection, one call at a time on each, or one stream a connection.
//!
//! Questions are encoded already, and answers stay bytes: nothing is decoded on the way. That a message fits its method is
//! settled by who wrote it.

use super::{Became, Reply, answer};
use crate::error::{Error, ErrorKind, Result};
use crate::load::requests::Question;
use crate::load::workload::{Door, Workload};
use bytes::{Buf, BufMut, Bytes};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status, Streaming};

/// The largest answer that is read, bytes.
const MOST_BYTES: usize = 32 << 20;

/// Bytes as they are.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buf: &mut EncodeBuf<'_>) -> std::result::Result<(), Status> {
        buf.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> std::result::Result<Option<Bytes>, Status> {
        Ok(Some(buf.copy_to_bytes(buf.remaining())))
    }
}

/// A connection, shared by its places.
#[derive(Debug, Clone)]
pub struct Connection {
    client: Grpc<Channel>,
    path: PathAndQuery,
    key: Option<MetadataValue<Ascii>>,
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
        let wrong = |why: String| Error::usage(format!("{address}: {why}"));
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|error| wrong(error.to_string()))?;
        let endpoint = endpoint
            .tcp_nodelay(true)
            .connect_timeout(Duration::from_secs(5))
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(16 << 20);
        let channel = endpoint.connect().await.map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Error::new(
                ErrorKind::Io,
                format!("cannot connect to {address} (gRPC): {why}; is `vaglio serve` running there?"),
            )
        })?;
        let key = match key {
            Some(key) => Some(
                MetadataValue::try_from(format!("Bearer {key}"))
                    .map_err(|_| Error::usage("the key cannot be put into a header of a request"))?,
            ),
            None => None,
        };
        let client = Grpc::new(channel).max_decoding_message_size(MOST_BYTES);
        Ok(Connection { client, path: PathAndQuery::from_static(path), key })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(key) = &self.key {
            request.metadata_mut().insert("authorization", key.clone());
        }
        request
    }

    /// Calls.
    pub async fn ask(&mut self, door: Door, question: &Question, reply: &mut Reply) -> Became {
        if let Err(error) = self.client.ready().await {
            return Became::Failed { kind: "connect", message: error.to_string() };
        }
        let request = self.request(Bytes::copy_from_slice(&question.body));
        match self.client.unary(request, self.path.clone(), Raw).await {
            Ok(answered) => {
                reply.body = answered.into_inner();
                answer::proto(door, reply)
            }
            Err(status) => refused(&status),
        }
    }
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
    open: Option<(mpsc::Sender<Bytes>, Streaming<Bytes>)>,
}

impl Stream {
    /// On a connection; it begins with the first question.
    pub fn new(connection: Connection) -> Self {
        Stream { connection, open: None }
    }

    /// Asks.
    pub async fn ask(&mut self, door: Door, question: &Question, reply: &mut Reply) -> Became {
        let message = Bytes::copy_from_slice(&question.body);
        // Taken, and put back with the answer: who gives up in between begins another stream, on which no answer is owed.
        let (sender, mut answers) = match self.open.take() {
            Some((sender, answers)) => match sender.send(message.clone()).await {
                Ok(()) => (sender, answers),
                // The server ended it, in good order; what was sent into it was not looked at.
                Err(_) => match self.begin(message).await {
                    Ok(open) => open,
                    Err(became) => return became,
                },
            },
            None => match self.begin(message).await {
                Ok(open) => open,
                Err(became) => return became,
            },
        };
        match answers.message().await {
            Ok(Some(answered)) => {
                reply.body = answered;
                self.open = Some((sender, answers));
                answer::proto(door, reply)
            }
            Ok(None) => Became::Failed { kind: "closed", message: "the server ended the stream".to_owned() },
            Err(status) => refused(&status),
        }
    }

    /// Begins a stream with its first message.
    async fn begin(&mut self, message: Bytes) -> std::result::Result<(mpsc::Sender<Bytes>, Streaming<Bytes>), Became> {
        let connection = &mut self.connection;
        if let Err(error) = connection.client.ready().await {
            return Err(Became::Failed { kind: "connect", message: error.to_string() });
        }
        let (sender, receiver) = mpsc::channel(1);
        // There is room for one.
        let _ = sender.try_send(message);
        let request = connection.request(ReceiverStream::new(receiver));
        let answers = connection.client.streaming(request, connection.path.clone(), Raw).await;
        answers.map(|answers| (sender, answers.into_inner())).map_err(|status| refused(&status))
    }
}
