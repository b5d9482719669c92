//! The generator: a closed loop on one thread. It asks as fast as it is answered, and counts.

use crate::Outcome;
use crate::artf::com::iabtechlab::bidstream::mutation::v1::{Lifecycle, RtbRequest};
use crate::artf::com::iabtechlab::openrtb::v2::BidRequest;
use crate::artf::com::iabtechlab::openrtb::v2::bid_request::{Device, Imp};
use crate::people::asked;
use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// A bid request for a banner and a video, 2.5 KB.
pub const TEMPLATE: &str = include_str!("../request.json");
/// Stands in it where the identifier goes.
pub const UID: &str = "UUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUU";
/// One question at a time on each.
const HTTP_CONNECTIONS: usize = 32;
const GRPC_CONNECTIONS: usize = 4;
/// Questions under way on each of these.
const CALLS: usize = 16;
/// Until it is warm.
const WARM: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Tally {
    asked: Cell<u64>,
    answered: Cell<u64>,
    bytes: Cell<u64>,
    waits: RefCell<Vec<u32>>,
}

impl Tally {
    fn next(&self, uid: &mut [u8]) {
        let mut whom = [0; 36];
        asked(self.asked.replace(self.asked.get() + 1), &mut whom);
        uid.copy_from_slice(&whom);
    }

    fn answered(&self, bytes: usize, since: Instant) {
        self.answered.set(self.answered.get() + 1);
        self.bytes.set(self.bytes.get() + bytes as u64);
        self.waits.borrow_mut().push(since.elapsed().as_micros() as u32);
    }
}

/// Asks; prints `warm` when it is, and then answers, bytes of their bodies, and the waits' median and 99th percentile in
/// microseconds.
pub fn run(what: &str, address: SocketAddr, seconds: f64) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tally = Rc::new(Tally::default());
    // The people of another run are not those whom the processor's caches still hold.
    tally.asked.set(crate::synthetic::mix(u64::from(std::process::id())) >> 24);
    LocalSet::new().block_on(&runtime, async {
        match what {
            "enrich" => http(address, &tally).await?,
            "artf" => grpc(address, &tally).await?,
            _ => return Err(format!("no door `{what}`").into()),
        }
        // The generator never sleeps: on one machine a server's CPU would pay for waking it, and the more the slower the
        // server is, because a fast one does not let it fall asleep. The slowest peer would look worse than it is.
        tokio::task::spawn_local(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        tokio::time::sleep(WARM).await;
        tally.answered.set(0);
        tally.bytes.set(0);
        tally.waits.borrow_mut().clear();
        println!("warm");
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        let (answered, bytes) = (tally.answered.get(), tally.bytes.get());
        let mut waits = tally.waits.take();
        waits.sort_unstable();
        let quantile = |share: f64| waits.get((waits.len() as f64 * share) as usize).copied().unwrap_or(0);
        println!("{answered} {bytes} {} {}", quantile(0.5), quantile(0.99));
        Ok(())
    })
}

async fn http(address: SocketAddr, tally: &Rc<Tally>) -> Outcome<()> {
    let body = TEMPLATE.trim_end();
    let request = format!(
        "POST /openrtb2/enrich HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx-openrtb-version: 2.6\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let at = request.find(UID).ok_or("no place for the identifier")?;
    for _ in 0..HTTP_CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (request, tally) = (request.clone().into_bytes(), Rc::clone(tally));
        tokio::task::spawn_local(async move {
            if let Err(error) = converse(stream, request, at, &tally).await {
                eprintln!("a connection has failed: {error}");
                std::process::exit(1);
            }
        });
    }
    Ok(())
}

async fn converse(mut stream: TcpStream, mut request: Vec<u8>, at: usize, tally: &Tally) -> Outcome<()> {
    let mut answer = vec![0; 64 << 10];
    loop {
        tally.next(&mut request[at..at + UID.len()]);
        let since = Instant::now();
        stream.write_all(&request).await?;
        let (mut read, mut whole) = (0, None);
        while whole.is_none_or(|(_, end)| read < end) {
            let count = stream.read(&mut answer[read..]).await?;
            if count == 0 {
                return Err("the server closed it".into());
            }
            read += count;
            whole = whole.or_else(|| bounds(&answer[..read]));
        }
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(&answer[..read]).into());
        }
        let (body, end) = whole.unwrap_or_default();
        tally.answered(end - body, since);
    }
}

/// Where an answer's body begins and ends, once its head is there.
fn bounds(answer: &[u8]) -> Option<(usize, usize)> {
    const LENGTH: &[u8] = b"content-length: ";
    let body = memchr::memmem::find(answer, b"\r\n\r\n")? + 4;
    let length = memchr::memmem::find(&answer[..body], LENGTH)? + LENGTH.len();
    let digits = answer[length..body].iter().take_while(|byte| byte.is_ascii_digit());
    Some((body, body + digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))))
}

/// Bytes as they are: encoding must not cost the generator more than the server.
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

async fn grpc(address: SocketAddr, tally: &Rc<Tally>) -> Outcome<()> {
    for _ in 0..GRPC_CONNECTIONS {
        let channel = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true).connect().await?;
        for _ in 0..CALLS {
            let (client, tally) = (Grpc::new(channel.clone()), Rc::clone(tally));
            tokio::task::spawn_local(async move {
                if let Err(error) = call(client, &tally).await {
                    eprintln!("a call has failed: {error}");
                    std::process::exit(1);
                }
            });
        }
    }
    Ok(())
}

async fn call(mut client: Grpc<Channel>, tally: &Tally) -> Outcome<()> {
    let device = Device { ifa: Some(UID.to_owned()), ..Default::default() };
    let imp = Imp { id: Some("1".to_owned()), ..Default::default() };
    let request = BidRequest { id: Some("1".to_owned()), imp: vec![imp], device: Some(device), ..Default::default() };
    let message = RtbRequest {
        id: Some("1".to_owned()),
        lifecycle: Some(Lifecycle::PublisherBidRequest.into()),
        tmax: Some(2_000),
        bid_request: Some(request),
        ..Default::default()
    };
    let mut bytes = message.encode_to_vec();
    let at = memchr::memmem::find(&bytes, UID.as_bytes()).ok_or("no place for the identifier")?;
    let path =
        PathAndQuery::from_static("/com.iabtechlab.bidstream.mutation.services.v1.RTBExtensionPoint/GetMutations");
    loop {
        let since = Instant::now();
        tally.next(&mut bytes[at..at + UID.len()]);
        client.ready().await?;
        let answer = client.unary(Request::new(Bytes::copy_from_slice(&bytes)), path.clone(), Raw).await?;
        tally.answered(answer.into_inner(), since);
    }
}
