//! The servers: ours, and two that do as little as a server can.

use super::Outcome;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio_stream::Stream;
use tonic::{Status, Streaming};
use vaglio::config;
use vaglio::hooks::{Doors, http};
use vaglio::server::{Options, Server};
use vaglio::wire::codec::Encoded;
use vaglio::wire::service::audience_service_server::{AudienceService, AudienceServiceServer};
use vaglio::wire::v1::{DecideRequest, LookupBatchRequest, LookupRequest};

/// Pins this process and what it starts from now on.
pub fn pin(cores: &str) -> Outcome<()> {
    let mut set = rustix::thread::CpuSet::new();
    for core in cores.split(',') {
        set.set(core.parse()?);
    }
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

/// Serves until standard input ends. `argument`: the directory to serve, or the bytes of the constant.
pub fn run(what: &str, cores: &str, workers: usize, argument: &str) -> Outcome<()> {
    pin(cores)?;
    match what {
        "ours" => ours(workers, Path::new(argument)),
        "hyper" => {
            let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
            let address = listener.local_addr()?;
            runtime.spawn(bare(listener));
            serve(&[address])
        }
        "tonic" => constant(workers, argument.parse()?),
        _ => Err(format!("no server `{what}`").into()),
    }
}

fn serve(addresses: &[SocketAddr]) -> Outcome<()> {
    let addresses: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    println!("{}", addresses.join(" "));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Our server: gRPC, HTTP on one runtime, and HTTP on a runtime a worker.
fn ours(workers: usize, directory: &Path) -> Outcome<()> {
    let file = directory.join(format!("vaglio-{workers}.yaml"));
    let text = format!(
        "data_dir: data\nserver: {{ grpc: 127.0.0.1:0, http: 127.0.0.1:0, planner: 127.0.0.1:0, workers: {workers}, \
         max_queue_ms: 0 }}\n"
    );
    std::fs::write(&file, text)?;
    let server = Server::start(config::load_file(&file)?, Options { build: false, ..Options::default() })?;
    while server.doors().live.load().served.is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let at = server.addresses();
    let (drain, _) = watch::channel(false);
    let mut apart = SocketAddr::from(([127, 0, 0, 1], 0));
    for _ in 0..workers {
        apart = runtime_apart(apart, server.doors(), drain.subscribe())?;
    }
    serve(&[at.grpc, at.http, apart])
}

/// A thread with a runtime and a listening socket of its own; the kernel shares connections out among those of one port.
fn runtime_apart(address: SocketAddr, doors: &Arc<Doors>, drain: watch::Receiver<bool>) -> Outcome<SocketAddr> {
    let runtime: Runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _entered = runtime.enter();
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseport(true)?;
        socket.bind(address)?;
        socket.listen(1_024)?
    };
    let (address, doors) = (listener.local_addr()?, Arc::clone(doors));
    std::thread::spawn(move || runtime.block_on(http::serve(listener, None, doors, drain)));
    Ok(address)
}

/// Reads bodies and returns as many bytes.
async fn bare(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request: Request<Incoming>| async {
            let body = request.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::new(body)))
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

/// Answers every question with the same bytes.
struct Constant(Vec<u8>);

type Answer = Result<tonic::Response<Encoded>, Status>;

#[tonic::async_trait]
impl AudienceService for Constant {
    type LookupStreamStream = std::pin::Pin<Box<dyn Stream<Item = Result<Encoded, Status>> + Send>>;

    async fn lookup(&self, _: tonic::Request<LookupRequest>) -> Answer {
        Ok(tonic::Response::new(Encoded(self.0.clone())))
    }

    async fn lookup_batch(&self, _: tonic::Request<LookupBatchRequest>) -> Answer {
        Err(Status::unimplemented("only Lookup"))
    }

    async fn lookup_stream(
        &self,
        _: tonic::Request<Streaming<LookupBatchRequest>>,
    ) -> Result<tonic::Response<Self::LookupStreamStream>, Status> {
        Err(Status::unimplemented("only Lookup"))
    }

    async fn decide(&self, _: tonic::Request<DecideRequest>) -> Answer {
        Err(Status::unimplemented("only Lookup"))
    }
}

fn constant(workers: usize, bytes: usize) -> Outcome<()> {
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    let service = AudienceServiceServer::new(Constant(vec![0; bytes]));
    runtime.spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
    serve(&[address])
}
