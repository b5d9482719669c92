//! Questions over gRPC. Messages are encoded once, and the identifiers written into the bytes: the generator must not
//! cost more than the server.

use super::Outcome;
use super::load::Tally;
use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use vaglio::wire::v1::{LookupBatchRequest, LookupRequest};

const CONNECTIONS: usize = 4;
/// Questions under way on a connection.
const CALLS: usize = 16;
/// Messages under way on a stream.
const MESSAGES: usize = 4;
const LOOKUPS: usize = 256;
/// Stands where the user's identifier goes.
const UID: [u8; 36] = [b'U'; 36];

/// Bytes as they are.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = usize;
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

    fn encode(&mut self, item: Bytes, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = usize;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<usize>, Status> {
        let length = buf.remaining();
        buf.advance(length);
        Ok(Some(length))
    }
}

/// An encoded message and where its identifiers stand.
#[derive(Clone)]
struct Template {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Template {
    fn new(message: &impl Message) -> Self {
        let bytes = message.encode_to_vec();
        let places = memchr::memmem::find_iter(&bytes, &UID).collect();
        Template { bytes, places }
    }

    fn filled(&mut self, tally: &Tally) -> Bytes {
        let mut uid = [0; 36];
        for &place in &self.places {
            tally.next(&mut uid);
            self.bytes[place..place + uid.len()].copy_from_slice(&uid);
        }
        Bytes::copy_from_slice(&self.bytes)
    }
}

fn question() -> LookupRequest {
    LookupRequest { ifa: String::from_utf8_lossy(&UID).into(), tmax_ms: 2000, ..Default::default() }
}

async fn connect(address: SocketAddr) -> Outcome<Grpc<Channel>> {
    let channel = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true).connect().await?;
    Ok(Grpc::new(channel))
}

/// Calls, each waiting for its answer.
pub async fn start_unary(address: SocketAddr, tally: &Rc<Tally>) -> Outcome<()> {
    for _ in 0..CONNECTIONS {
        let client = connect(address).await?;
        for _ in 0..CALLS {
            let (client, tally) = (client.clone(), Rc::clone(tally));
            tokio::task::spawn_local(async move {
                if let Err(error) = call(client, &tally).await {
                    eprintln!("a call has failed: {error}");
                }
            });
        }
    }
    Ok(())
}

async fn call(mut client: Grpc<Channel>, tally: &Tally) -> Outcome<()> {
    let mut template = Template::new(&question());
    let path = PathAndQuery::from_static("/vaglio.v1.AudienceService/Lookup");
    loop {
        let (since, message) = (Instant::now(), template.filled(tally));
        client.ready().await?;
        let answer = client.unary(Request::new(message), path.clone(), Raw).await?;
        tally.answered(1, answer.into_inner(), since);
    }
}

/// Streams of messages, a few of them under way on each.
pub async fn start_stream(address: SocketAddr, tally: &Rc<Tally>) -> Outcome<()> {
    for _ in 0..CONNECTIONS {
        let (client, tally) = (connect(address).await?, Rc::clone(tally));
        tokio::task::spawn_local(async move {
            if let Err(error) = stream(client, &tally).await {
                eprintln!("a stream has failed: {error}");
            }
        });
    }
    Ok(())
}

async fn stream(mut client: Grpc<Channel>, tally: &Tally) -> Outcome<()> {
    let batch = LookupBatchRequest { lookups: vec![question(); LOOKUPS], numeric_ids: true, ..Default::default() };
    let mut template = Template::new(&batch);
    let path = PathAndQuery::from_static("/vaglio.v1.AudienceService/LookupStream");
    let (send, receive) = mpsc::channel(MESSAGES);
    client.ready().await?;
    for _ in 0..MESSAGES {
        send.send(template.filled(tally)).await?;
    }
    let mut answers = client.streaming(Request::new(ReceiverStream::new(receive)), path, Raw).await?.into_inner();
    let mut since = Instant::now();
    while let Some(answer) = answers.next().await {
        tally.answered(LOOKUPS as u64, answer?, since);
        since = Instant::now();
        send.send(template.filled(tally)).await?;
    }
    Err("the stream has ended".into())
}
