//! The gRPC port: `vaglio.v1.AudienceService`, ARTF, health and reflection. What each method answers is put together in
//! [`lookup_proto`], [`decide_proto`] and [`super::artf`].

use super::admission::enter;
use super::artf::ArtfDoor;
use super::call::Call;
use super::grpc_call::{Arriving, call, shown};
use super::grpc_port::Incoming;
use super::health::Readiness;
use super::http::begun;
use super::{Door, Doors, decide_proto, lookup_proto};
use crate::wire::artf_service::rtb_extension_point_server::RtbExtensionPointServer;
use crate::wire::artf_service_before::rtb_extension_point_server::RtbExtensionPointServer as BeforeServer;
use crate::wire::codec::Encoded;
use crate::wire::service::audience_service_server::{AudienceService, AudienceServiceServer};
use crate::wire::{DESCRIPTORS, v1};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_stream::{Stream, StreamExt};
use tonic::codegen::CompressionEncoding;
use tonic::server::NamedService;
use tonic::{Request, Response, Status, Streaming};
use tonic_health::ServingStatus;

/// The largest answer that is sent, in bytes.
const MAX_ANSWER: usize = 32 << 20;

/// What every service has in common. The bound of a request holds also after decompression.
macro_rules! bounded {
    ($service:expr, $limits:expr) => {
        $service
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size($limits.max_body_bytes)
            .max_encoding_message_size(MAX_ANSWER)
    };
}

/// Accepts until `drain` becomes true, then lets the requests under way end. The caller bounds how long.
///
/// # Errors
/// What tonic cannot start with.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    doors: Arc<Doors>,
    drain: watch::Receiver<bool>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let limits = doors.limits.clone();
    let incoming = Incoming::new(listener, tls, Arc::clone(&doors));
    let (reporter, health) = tonic_health::server::health_reporter();
    let mirror = tokio::spawn(mirror(doors.health.watch(), reporter));
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let artf = ArtfDoor(Arc::clone(&doors));
    let before = bounded!(BeforeServer::new(artf.clone()), limits);
    let artf = bounded!(RtbExtensionPointServer::new(artf), limits);
    let audiences = AudienceDoor { doors: Arc::clone(&doors), drain: drain.clone() };
    let audiences = bounded!(AudienceServiceServer::new(audiences), limits);
    let served = tonic::transport::Server::builder()
        // Until the answer begins: the message of a call, and not the messages of a stream, must have arrived.
        .timeout(Duration::from_millis(limits.body_timeout_ms))
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .http2_max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.max_streams)
        // A caller with a deadline gives up by a reset, and under overload many do at once: with the library's twenty the
        // connection was cut, and everybody else's requests on it with it.
        .http2_max_pending_accept_reset_streams(Some(limits.max_streams as usize))
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .add_service(Arriving { service: audiences, doors: Arc::clone(&doors) })
        .add_service(Arriving { service: artf, doors: Arc::clone(&doors) })
        .add_service(Arriving { service: before, doors })
        .add_service(health)
        .add_service(reflection().build_v1()?)
        // What Python's and older tools' clients ask.
        .add_service(reflection().build_v1alpha()?)
        .serve_with_incoming_shutdown(incoming, begun(drain))
        .await;
    mirror.abort();
    Ok(served?)
}

/// Whose health is told; the empty name is the whole server's.
const SERVICES: [&str; 4] = [
    "",
    <AudienceServiceServer<AudienceDoor> as NamedService>::NAME,
    <RtbExtensionPointServer<ArtfDoor> as NamedService>::NAME,
    <BeforeServer<ArtfDoor> as NamedService>::NAME,
];

/// Keeps the gRPC health service saying what the HTTP probes say.
async fn mirror(mut readiness: watch::Receiver<Readiness>, reporter: tonic_health::server::HealthReporter) {
    loop {
        let ready = *readiness.borrow_and_update() == Readiness::Ready;
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in SERVICES {
            reporter.set_service_status(service, status).await;
        }
        if readiness.changed().await.is_err() {
            return;
        }
    }
}

/// The service's implementation.
#[derive(Debug)]
pub struct AudienceDoor {
    doors: Arc<Doors>,
    drain: watch::Receiver<bool>,
}

/// A stream that ends, in good order, when the server goes away: after the answer it is at, however much has been asked.
struct UntilDrained<S> {
    answers: S,
    draining: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<S: Stream + Unpin> Stream for UntilDrained<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        match self.draining.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => Pin::new(&mut self.answers).poll_next(context),
        }
    }
}

#[tonic::async_trait]
impl AudienceService for AudienceDoor {
    type LookupStreamStream = Pin<Box<dyn Stream<Item = Result<Encoded, Status>> + Send>>;

    async fn lookup(&self, request: Request<v1::LookupRequest>) -> Result<Response<Encoded>, Status> {
        let call = call(&self.doors, Door::GrpcLookup, &request)?;
        Ok(Response::new(lookup_proto::answer(&self.doors, request.get_ref(), &call)?))
    }

    async fn lookup_batch(&self, request: Request<v1::LookupBatchRequest>) -> Result<Response<Encoded>, Status> {
        let (call, message) = (call(&self.doors, Door::GrpcLookupBatch, &request)?, request.get_ref());
        let mut known = message.known_generation;
        let answer = lookup_proto::answer_batch(&self.doors, Door::GrpcLookupBatch, message, &call, &mut known)?;
        Ok(Response::new(answer))
    }

    async fn lookup_stream(
        &self,
        request: Request<Streaming<v1::LookupBatchRequest>>,
    ) -> Result<Response<Self::LookupStreamStream>, Status> {
        let doors = Arc::clone(&self.doors);
        let identified = shown(&request).and_then(|shown| doors.identify(&shown));
        identified.inspect_err(|failure| doors.count(Door::GrpcLookupStream, Instant::now(), Some(failure)))?;
        let (head, extensions, messages) = request.into_parts();
        let head = Request::from_parts(head, extensions, ());
        let mut known = 0;
        let answers = messages.map(move |message| {
            let message = message?;
            // Every message is a request of its own: what a stream waits for is not how long each may take.
            let (door, (entry, _until_answered)) = (Door::GrpcLookupStream, enter(&*doors, false));
            let shed = doors.sheds(door, entry);
            let call = Call { door, shown: shown(&head)?, arrived: entry.arrived, timeout: None, shed };
            if message.known_generation != 0 {
                known = message.known_generation;
            }
            Ok(lookup_proto::answer_batch(&doors, door, &message, &call, &mut known)?)
        });
        let draining = Box::pin(begun(self.drain.clone()));
        Ok(Response::new(Box::pin(UntilDrained { answers, draining })))
    }

    async fn decide(&self, request: Request<v1::DecideRequest>) -> Result<Response<Encoded>, Status> {
        let call = call(&self.doors, Door::GrpcDecide, &request)?;
        Ok(Response::new(decide_proto::answer(&self.doors, request.get_ref(), &call)?))
    }
}
