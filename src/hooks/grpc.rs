//! The gRPC port: `vaglio.v1.AudienceService`, health and reflection. What each method
//! answers is put together in [`lookup_proto`] and [`decide_proto`].

use super::call::Call;
use super::grpc_port::{Incoming, PeerInfo};
use super::health::Readiness;
use super::http::begun;
use super::routes::bearer;
use super::{Door, Doors, decide_proto, lookup_proto};
use crate::access::Shown;
use crate::wire::Failure;
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
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::{Request, Response, Status, Streaming};
use tonic_health::ServingStatus;

/// The largest answer that is sent, in bytes.
const MAX_ANSWER: usize = 32 << 20;

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
    let max_body = doors.limits.max_body_bytes;
    let body_timeout = Duration::from_millis(doors.limits.body_timeout_ms);
    let incoming = Incoming::new(listener, tls, Arc::clone(&doors));
    let (reporter, health) = tonic_health::server::health_reporter();
    let mirror = tokio::spawn(mirror(doors.health.watch(), reporter));
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let audiences = AudienceServiceServer::new(AudienceDoor { doors, drain: drain.clone() })
        .max_decoding_message_size(max_body)
        .max_encoding_message_size(MAX_ANSWER);
    let served = tonic::transport::Server::builder()
        // Until the answer begins: the message of a call, and not the messages of a stream, must have arrived.
        .timeout(body_timeout)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .http2_max_header_list_size(16 << 10)
        .max_concurrent_streams(1_024)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .add_service(Arriving(audiences))
        .add_service(health)
        .add_service(reflection)
        .serve_with_incoming_shutdown(incoming, begun(drain))
        .await;
    mirror.abort();
    Ok(served?)
}

/// Keeps the gRPC health service saying what the HTTP probes say.
async fn mirror(mut readiness: watch::Receiver<Readiness>, reporter: tonic_health::server::HealthReporter) {
    loop {
        let ready = *readiness.borrow_and_update() == Readiness::Ready;
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in ["", <AudienceServiceServer<AudienceDoor> as NamedService>::NAME] {
            reporter.set_service_status(service, status).await;
        }
        if readiness.changed().await.is_err() {
            return;
        }
    }
}

/// Notes when a request's headers arrived, so that `tmax_ms` counts from there.
#[derive(Debug, Clone)]
struct Arriving<S>(S);

#[derive(Debug, Clone, Copy)]
struct Arrived(Instant);

impl<S, B> Service<http::Request<B>> for Arriving<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> S::Future {
        request.extensions_mut().insert(Arrived(Instant::now()));
        self.0.call(request)
    }
}

impl<S: NamedService> NamedService for Arriving<S> {
    const NAME: &'static str = S::NAME;
}

/// Who sends a request, since when, and how long it waits.
fn call<T>(request: &Request<T>) -> Result<Call<'_>, Failure> {
    let arrived = request.extensions().get::<Arrived>().map_or_else(Instant::now, |arrived| arrived.0);
    let peer = request.extensions().get::<PeerInfo>();
    let key = match request.metadata().get("authorization") {
        Some(value) => bearer(Some(value.as_encoded_bytes()))?,
        None => None,
    };
    let names: &[String] = peer.map_or(&[], |peer| &peer.names);
    let shown = Shown { key, names, loopback: peer.is_some_and(|peer| peer.loopback) };
    let timeout = request.metadata().get("grpc-timeout").and_then(|value| timeout(value.to_str().ok()?));
    Ok(Call { shown, arrived, timeout, shed: false })
}

/// `grpc-timeout`: up to eight digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3_600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// The service's implementation.
#[derive(Debug)]
pub struct AudienceDoor {
    doors: Arc<Doors>,
    drain: watch::Receiver<bool>,
}

/// A stream that ends, in good order, when the server goes away: what has arrived is answered first.
struct UntilDrained<S> {
    answers: S,
    draining: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<S: Stream + Unpin> Stream for UntilDrained<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        match Pin::new(&mut self.answers).poll_next(context) {
            Poll::Pending => self.draining.as_mut().poll(context).map(|()| None),
            answer => answer,
        }
    }
}

#[tonic::async_trait]
impl AudienceService for AudienceDoor {
    type LookupStreamStream = Pin<Box<dyn Stream<Item = Result<Encoded, Status>> + Send>>;

    async fn lookup(&self, request: Request<v1::LookupRequest>) -> Result<Response<Encoded>, Status> {
        Ok(Response::new(lookup_proto::answer(&self.doors, request.get_ref(), &call(&request)?)?))
    }

    async fn lookup_batch(&self, request: Request<v1::LookupBatchRequest>) -> Result<Response<Encoded>, Status> {
        let (call, message) = (call(&request)?, request.get_ref());
        let mut known = message.known_generation;
        let answer = lookup_proto::answer_batch(&self.doors, Door::GrpcLookupBatch, message, &call, &mut known)?;
        Ok(Response::new(answer))
    }

    async fn lookup_stream(
        &self,
        request: Request<Streaming<v1::LookupBatchRequest>>,
    ) -> Result<Response<Self::LookupStreamStream>, Status> {
        let doors = Arc::clone(&self.doors);
        doors.identify(&call(&request)?.shown)?;
        let (head, extensions, messages) = request.into_parts();
        let head = Request::from_parts(head, extensions, ());
        let mut known = 0;
        let answers = messages.map(move |message| {
            let message = message?;
            // Every message is a request of its own: what a stream waits for is not how long each may take.
            let call = Call { arrived: Instant::now(), timeout: None, ..call(&head)? };
            if message.known_generation != 0 {
                known = message.known_generation;
            }
            Ok(lookup_proto::answer_batch(&doors, Door::GrpcLookupStream, &message, &call, &mut known)?)
        });
        let draining = Box::pin(begun(self.drain.clone()));
        Ok(Response::new(Box::pin(UntilDrained { answers, draining })))
    }

    async fn decide(&self, request: Request<v1::DecideRequest>) -> Result<Response<Encoded>, Status> {
        Ok(Response::new(decide_proto::answer(&self.doors, request.get_ref(), &call(&request)?)?))
    }
}
