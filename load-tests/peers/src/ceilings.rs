//! Servers that do as little as a server can: what is left when every lookup is free.

use crate::Outcome;
use crate::artf::com::iabtechlab::bidstream::mutation;
use crate::door::{accept, until_input_ends};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;

use mutation::services::v1::rtb_extension_point_server::{RtbExtensionPoint, RtbExtensionPointServer};
use mutation::v1::{IDsPayload, Intent, Mutation, Operation, RtbRequest, RtbResponse, mutation::Value};

/// Reads bodies and returns as many bytes.
pub fn bare(address: SocketAddr) -> Outcome<()> {
    until_input_ends(accept(address, |stream| async {
        let service = service_fn(|request: Request<Incoming>| async {
            let body = request.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::new(body)))
        });
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }))
}

/// An ARTF agent that says the same to everybody.
struct Constant(RtbResponse);

#[tonic::async_trait]
impl RtbExtensionPoint for Constant {
    async fn get_mutations(
        &self,
        _: tonic::Request<RtbRequest>,
    ) -> Result<tonic::Response<RtbResponse>, tonic::Status> {
        Ok(tonic::Response::new(self.0.clone()))
    }
}

/// Reads ARTF requests as the generated code does, and proposes so many segments to everybody.
pub fn artf(address: SocketAddr, segments: usize) -> Outcome<()> {
    let id = (0..segments).map(|at| (1_000 + at).to_string()).collect();
    let proposal = Mutation {
        intent: Some(Intent::ActivateSegments.into()),
        op: Some(Operation::Add.into()),
        path: Some("/user/data/segment".to_owned()),
        value: Some(Value::Ids(IDsPayload { id })),
    };
    let answer = RtbResponse { id: Some("1".to_owned()), mutations: vec![proposal], metadata: None };
    let service = RtbExtensionPointServer::new(Constant(answer));
    until_input_ends(async move {
        let listener = TcpListener::bind(address).await?;
        println!("ready");
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        Ok(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming).await?)
    })
}
