//! The bid ports over TLS: HTTP/1.1, HTTP/2 by ALPN, gRPC, clients known by their certificates, and those who do not get
//! that far.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod certificates;
#[allow(dead_code)]
#[path = "../doors/client.rs"]
mod client;
mod planner;
#[allow(dead_code)]
#[path = "../doors/world.rs"]
mod world;

use certificates::{Authority, Pair};
use client::{Answer, Client};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, StreamOwned};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::codegen::{BoxFuture, Service, http};
use vaglio::server::{Options, Server};
use vaglio::wire::v1::audience_service_client::AudienceServiceClient;
use vaglio::wire::v1::{Eid, LookupRequest};
use world::World;

const TLS: &str = "  tls: { certificate: server.pem, key: server.key }\n";
const MUTUAL: &str = "  tls: { certificate: server.pem, key: server.key, client_ca: clients.pem }\n";
const REQUIRED: &str =
    "  tls: { certificate: server.pem, key: server.key, client_ca: clients.pem, client_required: true }\n";
/// A caller that sees only what belongs to `other`.
const CALLERS: &str = "callers:\n  - { name: fans, mtls: [bidder.fans.test], owners: [other] }\n  \
                       - { name: acme, mtls: [Acme Bidder], owners: [acme] }\n";
const ASK: &str = r#"{"eids":[{"source":"id.test","uid":"gamer"},{"source":"id.test","uid":"fan"}]}"#;
const GAMER: &str = r#""audiences":["acme/gamers","acme/movers","acme/odd"]"#;
const FAN: &str = r#"{"eids":[{"source":"id.test","uid":"fan"}]}"#;

fn name() -> ServerName<'static> {
    ServerName::try_from("vaglio.test").unwrap()
}

fn equipped(extra: &str) -> (World, Authority) {
    let (world, authority) = (World::new(extra), Authority::new("an authority"));
    authority.equip(world.path());
    (world, authority)
}

/// A client that speaks HTTP/1.1.
fn https(address: SocketAddr, config: &Arc<ClientConfig>) -> Client<StreamOwned<ClientConnection, TcpStream>> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name()).unwrap();
    Client::over(StreamOwned::new(connection, stream))
}

fn ask(server: &Server, authority: &Authority, who: Option<&Pair>, question: &str) -> Answer {
    https(server.addresses().http, &authority.trusted(who, &[])).post("/v1/lookup", question)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn connect(address: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<TlsStream<tokio::net::TcpStream>> {
    let stream = tokio::net::TcpStream::connect(address).await?;
    TlsConnector::from(config).connect(name(), stream).await
}

/// How tonic gets its connections.
#[derive(Clone)]
struct Connector(SocketAddr, Arc<ClientConfig>);

impl Service<http::Uri> for Connector {
    type Response = TokioIo<TlsStream<tokio::net::TcpStream>>;
    type Error = std::io::Error;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let Connector(address, config) = self.clone();
        Box::pin(async move { Ok(TokioIo::new(connect(address, config).await?)) })
    }
}

/// What the gRPC port tells of a user.
fn audiences(server: &Server, authority: &Authority, who: Option<&Pair>, uid: &str) -> Vec<String> {
    let connector = Connector(server.addresses().grpc, authority.trusted(who, &["h2"]));
    block_on(async {
        let endpoint = tonic::transport::Endpoint::from_static("http://vaglio.test");
        let channel = endpoint.connect_with_connector(connector).await.unwrap();
        let eids = vec![Eid { source: "id.test".to_owned(), uid: uid.to_owned() }];
        let question = LookupRequest { eids, ..LookupRequest::default() };
        AudienceServiceClient::new(channel).lookup(question).await.unwrap().into_inner().audiences
    })
}

#[test]
fn both_ports_answer_over_tls() {
    let (world, authority) = equipped(TLS);
    let server = world.ready();
    let mut client = https(server.addresses().http, &authority.trusted(None, &["http/1.1"]));
    for _ in 0..3 {
        let answer = client.post("/v1/lookup", ASK);
        assert!(answer.status == 200 && answer.body.contains(GAMER), "{answer:?}");
    }
    assert_eq!(ask(&server, &authority, None, ASK).status, 200, "a client that offers no protocol speaks HTTP/1.1");
    assert_eq!(audiences(&server, &authority, None, "gamer"), ["acme/gamers", "acme/movers", "acme/odd"]);
    drop(client);
    assert!(server.shutdown(), "everything ended in time");
}

#[test]
fn http2_is_spoken_where_both_sides_agree_on_it() {
    let (world, authority) = equipped(TLS);
    let server = world.ready();
    let address = server.addresses().http;
    block_on(async {
        let stream = connect(address, authority.trusted(None, &["h2", "http/1.1"])).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let executor = TokioExecutor::new();
        let (sender, connection) = hyper::client::conn::http2::handshake(executor, TokioIo::new(stream)).await.unwrap();
        let driven = tokio::spawn(connection);
        let ask = || {
            let request =
                hyper::Request::post("https://vaglio.test/v1/lookup").body(Full::<bytes::Bytes>::from(ASK)).unwrap();
            let mut sender = sender.clone();
            tokio::spawn(async move {
                let answer = sender.send_request(request).await.unwrap();
                let version = answer.version();
                (answer.status().as_u16(), version, answer.into_body().collect().await.unwrap().to_bytes())
            })
        };
        for asked in [ask(), ask(), ask()] {
            let (status, version, body) = asked.await.unwrap();
            assert_eq!((status, version), (200, hyper::Version::HTTP_2));
            assert!(String::from_utf8_lossy(&body).contains(GAMER), "{body:?}");
        }
        let drained = tokio::task::spawn_blocking(move || server.shutdown());
        assert!(driven.await.unwrap().is_ok(), "the connection ends in good order");
        assert!(drained.await.unwrap(), "everything ended in time");
    });
}

#[test]
fn a_certificate_s_name_is_a_caller() {
    let (world, authority) = equipped(&format!("{MUTUAL}{CALLERS}"));
    let server = world.ready();
    let told = |who: Option<&Pair>| {
        let by_http = |question| ask(&server, &authority, who, question).json()["audiences"].to_string();
        let by_grpc = |uid| audiences(&server, &authority, who, uid);
        let (gamer, fan) = (by_grpc("gamer"), by_grpc("fan"));
        assert_eq!(by_http(ASK), serde_json::to_string(&gamer).unwrap());
        assert_eq!(by_http(FAN), serde_json::to_string(&fan).unwrap());
        (gamer.len(), fan.len())
    };
    assert_eq!(
        told(None),
        (0, 0),
        "without a certificate: the public, which sees nothing where callers are told apart"
    );
    let by_dns = authority.client("whoever", &["other.test", "BIDDER.fans.test"]);
    assert_eq!(told(Some(&by_dns)), (0, 1), "by a DNS name");
    let by_common_name = authority.client("acme bidder", &[]);
    assert_eq!(told(Some(&by_common_name)), (3, 0), "by the common name");
    let nobody = authority.client("nobody", &["nobody.test"]);
    assert_eq!(told(Some(&nobody)), (0, 0), "a certificate that names nobody is the public's");
}

/// Whether the server lets a client speak: TLS 1.3 tells a client that it was refused only when it reads.
fn is_let_in(address: SocketAddr, config: &Arc<ClientConfig>) -> bool {
    let connection = ClientConnection::new(Arc::clone(config), name()).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let sent = stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n");
    sent.is_ok() && stream.read(&mut [0; 16]).is_ok_and(|read| read > 0)
}

#[test]
fn a_client_without_a_certificate_is_turned_away_where_one_is_required() {
    let (world, authority) = equipped(&format!("{REQUIRED}{CALLERS}"));
    let server = world.ready();
    let acme = authority.client("acme bidder", &[]);
    let forged = Authority::new("an authority").client("acme bidder", &[]);
    for address in [server.addresses().http, server.addresses().grpc] {
        assert!(!is_let_in(address, &authority.trusted(None, &["h2", "http/1.1"])), "without a certificate");
        assert!(!is_let_in(address, &authority.trusted(Some(&forged), &["h2", "http/1.1"])), "of another authority");
    }
    assert!(is_let_in(server.addresses().http, &authority.trusted(Some(&acme), &["http/1.1"])));
    assert_eq!(audiences(&server, &authority, Some(&acme), "gamer").len(), 3);
}

/// What a port says to bytes until it closes the connection, and how long that takes.
fn heard(address: SocketAddr, bytes: &[u8]) -> (Vec<u8>, Duration) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let began = Instant::now();
    stream.write_all(bytes).unwrap();
    let mut heard = Vec::new();
    let ended = stream.read_to_end(&mut heard);
    assert!(ended.as_ref().is_ok_and(|_| true) || ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    (heard, began.elapsed())
}

#[test]
fn plain_text_and_slow_handshakes_are_cut_and_hurt_nobody() {
    let (world, authority) = equipped(&format!("{TLS}  idle_timeout_ms: 400\n"));
    let server = world.ready();
    let addresses = [server.addresses().http, server.addresses().grpc];
    for address in addresses {
        let (said, took) = heard(address, b"GET /health/live HTTP/1.1\r\nhost: t\r\n\r\n");
        assert!(!said.starts_with(b"HTTP"), "{said:?}");
        assert!(took < Duration::from_millis(350), "{took:?}");
    }
    let slow: Vec<_> = addresses
        .into_iter()
        .flat_map(|address| [&b""[..], b"\x16\x03\x01\x02\x00\x01"].map(|bytes| (address, bytes)))
        .map(|(address, bytes)| std::thread::spawn(move || heard(address, bytes).1))
        .collect();
    assert_eq!(ask(&server, &authority, None, ASK).status, 200);
    assert_eq!(audiences(&server, &authority, None, "gamer").len(), 3);
    for took in slow.into_iter().map(|slow| slow.join().unwrap()) {
        assert!((Duration::from_millis(350)..Duration::from_secs(5)).contains(&took), "{took:?}");
    }
    let metrics = client::get(server.addresses().planner, "/metrics").body;
    assert!(metrics.contains("vaglio_tls_handshakes_failed_total 6\n"), "two in plain text, four slow: {metrics}");
}

/// Shakes hands and agrees on HTTP/2.
fn agreed(address: SocketAddr, authority: &Authority) -> StreamOwned<ClientConnection, TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut connection = ClientConnection::new(authority.trusted(None, &["h2"]), name()).unwrap();
    connection.complete_io(&mut stream).unwrap();
    assert_eq!(connection.alpn_protocol(), Some(&b"h2"[..]));
    StreamOwned::new(connection, stream)
}

#[test]
fn who_agrees_on_http2_and_says_nothing_is_cut() {
    let (world, authority) = equipped(&format!("{TLS}  idle_timeout_ms: 400\n"));
    let server = world.ready();
    for address in [server.addresses().http, server.addresses().grpc] {
        let began = Instant::now();
        // How it ends does not matter: only that it does.
        let _ = agreed(address, &authority).read_to_end(&mut Vec::new());
        let took = began.elapsed();
        assert!((Duration::from_millis(350)..Duration::from_secs(5)).contains(&took), "{took:?}");
    }
}

#[test]
fn an_http2_connection_over_the_limit_is_told_so_and_ends() {
    let (world, authority) = equipped(&format!("{TLS}  max_connections: 1\n"));
    let server = world.ready();
    let address = server.addresses().http;
    let mut first = https(address, &authority.trusted(None, &[]));
    assert_eq!(first.post("/v1/lookup", ASK).json()["status"], "matched");
    block_on(async {
        let stream = connect(address, authority.trusted(None, &["h2"])).await.unwrap();
        let executor = TokioExecutor::new();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(executor, TokioIo::new(stream)).await.unwrap();
        let driven = tokio::spawn(connection);
        let body = Full::<bytes::Bytes>::from(ASK);
        let request = hyper::Request::post("https://vaglio.test/v1/lookup").body(body).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("overloaded"), "{body:?}");
        let ended = tokio::time::timeout(Duration::from_secs(10), driven).await;
        assert!(ended.is_ok(), "it is not kept");
    });
    assert_eq!(first.post("/v1/lookup", ASK).json()["status"], "matched", "who came first is not disturbed");
}

#[test]
fn one_stream_s_trouble_is_not_another_s() {
    use http_body_util::combinators::UnsyncBoxBody;
    type Body = UnsyncBoxBody<bytes::Bytes, std::convert::Infallible>;
    let (world, authority) = equipped(&format!("{TLS}  body_timeout_ms: 400\n  max_body_bytes: 2000\n"));
    let server = world.ready();
    let under_way = || server.doors().metrics.load.in_flight.load(Ordering::Relaxed);
    block_on(async {
        let stream = connect(server.addresses().http, authority.trusted(None, &["h2"])).await.unwrap();
        let executor = TokioExecutor::new();
        let (sender, connection) = hyper::client::conn::http2::handshake(executor, TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let ask = |body: Body| {
            let request = hyper::Request::post("https://vaglio.test/v1/lookup").body(body).unwrap();
            let mut sender = sender.clone();
            tokio::spawn(async move {
                let answer = sender.send_request(request).await.unwrap();
                assert!(!answer.headers().contains_key("connection"), "HTTP/2 has none: {answer:?}");
                answer.status().as_u16()
            })
        };
        let full = |text: String| Body::new(Full::from(text));
        let never = || Body::new(http_body_util::StreamBody::new(tokio_stream::pending()));
        let (slow, abandoned) = (ask(never()), ask(never()));
        tokio::time::sleep(Duration::from_millis(50)).await;
        abandoned.abort();
        assert_eq!(ask(full(" ".repeat(2_001))).await.unwrap(), 413);
        assert_eq!(ask(full(ASK.to_owned())).await.unwrap(), 200);
        assert_eq!(slow.await.unwrap(), 408);
        assert_eq!(ask(full(ASK.to_owned())).await.unwrap(), 200, "the connection is kept");
    });
    world::wait_until("nothing under way", || under_way() == 0);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let (world, _) = equipped(REQUIRED);
    let start = || Server::start(world.loaded(), Options { build: false, ..Options::default() }).unwrap_err();
    let file = |name: &str| world.path().join(name);
    let stranger = Authority::new("another").client("x", &[]);
    std::fs::write(file("server.key"), stranger.key).unwrap();
    let text = start().to_string();
    assert!(text.contains("server.tls.key") && text.contains("does not go with the certificate"), "{text}");
    std::fs::remove_file(file("server.pem")).unwrap();
    std::fs::write(file("server.key"), "nothing\n").unwrap();
    std::fs::write(file("clients.pem"), "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n").unwrap();
    let error = start();
    let text = error.to_string();
    for words in ["server.tls.certificate", "server.pem", "check the path", "server.tls.key", "server.tls.client_ca"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(error.exit_code(), 2);
    assert!(!text.contains("nothing"), "{text}");
}
