//! HTTP/1.1 as clients really speak it: pipelined, expecting to be told to go on, in chunks, compressed in pieces, broken
//! off. What one request does wrong is not the next one's affair.

use crate::client::{Client, request};
use crate::grpc::{block_on, connect, question};
use crate::world::{World, wait_until};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use vaglio::server::Server;
use vaglio::wire::v1::{LookupBatchRequest, Status};

const ASK: &str = r#"{"eids":[{"source":"id.test","uid":"gamer"}]}"#;

fn gzip(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

fn post_bytes(client: &mut Client, headers: &str, body: &[u8]) -> (u16, String) {
    let head = format!("POST /v1/lookup HTTP/1.1\r\nhost: t\r\n{headers}content-length: {}\r\n\r\n", body.len());
    client.send_bytes(&[head.as_bytes(), body].concat());
    let answer = client.receive().unwrap();
    (answer.status, answer.body)
}

#[test]
fn a_body_in_several_gzip_members_is_one_body() {
    let world = World::new("");
    let server = world.ready();
    let mut client = Client::connect(server.addresses().http);
    let (first, second) = ASK.split_at(20);
    let members = [gzip(first), gzip(second)].concat();
    for name in ["gzip", "x-gzip", "GZIP"] {
        let (status, body) = post_bytes(&mut client, &format!("content-encoding: {name}\r\n"), &members);
        assert!(status == 200 && body.contains("matched"), "{name}: {status} {body}");
    }
    let garbage = [gzip(ASK), b"and more".to_vec()].concat();
    assert_eq!(post_bytes(&mut client, "content-encoding: gzip\r\n", &garbage).0, 400);
}

#[test]
fn what_follows_a_refused_request_is_answered() {
    let world = World::new("");
    let server = world.ready();
    let mut client = Client::connect(server.addresses().http);
    let refused = [
        (request("POST", "/v1/lookup", "content-type: text/plain\r\n", ASK), 415),
        (request("PUT", "/v1/lookup", "", ASK), 405),
        (request("OPTIONS", "/v1/lookup", "", ""), 405),
        (request("POST", "/v1/lookup", "authorization: Bearer nobody\r\n", ASK), 401),
        (request("POST", "/nowhere", "", ASK), 404),
        (request("POST", "/openrtb2/enrich", "", "{"), 400),
    ];
    let all: String =
        refused.iter().map(|(text, _)| format!("{text}{}", request("POST", "/v1/lookup", "", ASK))).collect();
    client.send(&all);
    for (text, status) in &refused {
        assert_eq!(client.receive().unwrap().status, *status, "{text}");
        assert_eq!(client.receive().unwrap().json()["status"], "matched", "after {text}");
    }
}

#[test]
fn bodies_come_in_chunks_and_upon_request() {
    let world = World::new("  max_body_bytes: 2000\n");
    let server = world.ready();
    let mut client = Client::connect(server.addresses().http);
    client.send("POST /v1/lookup HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n");
    for byte in ASK.chars() {
        client.send(&format!("1\r\n{byte}\r\n"));
    }
    client.send("0\r\nx-trailer: t\r\n\r\n");
    assert_eq!(client.receive().unwrap().json()["status"], "matched");
    let expects = |length: usize| {
        format!("POST /v1/lookup HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n")
    };
    client.send(&expects(ASK.len()));
    assert_eq!(client.receive().unwrap().status, 100);
    client.send(ASK);
    assert_eq!(client.receive().unwrap().json()["status"], "matched");
    client.send(&expects(2001));
    assert_eq!(client.receive().unwrap().status, 413, "nobody is asked for what will be refused");
}

#[test]
fn a_head_has_no_body() {
    let world = World::new("");
    let server = world.ready();
    let mut stream = TcpStream::connect(server.addresses().http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let ask = |path: &str, more: &str| format!("HEAD {path} HTTP/1.1\r\nhost: t\r\n{more}\r\n");
    stream.write_all(ask("/health/live", "").as_bytes()).unwrap();
    stream.write_all(ask("/v1/lookup", "connection: close\r\n").as_bytes()).unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    let (first, second) = heard.split_once("\r\n\r\n").unwrap();
    assert!(first.starts_with("HTTP/1.1 200") && second.starts_with("HTTP/1.1 405"), "{heard}");
    assert!(heard.ends_with("\r\n\r\n") && !heard.contains('{'), "{heard}");
}

fn nothing_under_way(server: &Server) {
    wait_until("nothing under way", || server.doors().metrics.load.in_flight.load(Ordering::Relaxed) == 0);
}

/// A request of which the body never comes to its end.
fn half(server: &Server) -> Client {
    let mut client = Client::connect(server.addresses().http);
    client.send("POST /v1/lookup HTTP/1.1\r\nhost: t\r\ncontent-length: 100\r\n\r\n{");
    client
}

#[test]
fn requests_that_are_broken_off_give_their_places_back() {
    let world = World::new("");
    let server = world.ready();
    let open = || server.doors().metrics.connections.load(Ordering::Relaxed);
    let held: Vec<_> = (0..50).map(|_| half(&server)).collect();
    wait_until("fifty connections", || open() == 50);
    drop(held);
    wait_until("none", || open() == 0);
    block_on(async {
        let mut client = connect(&server).await;
        for _ in 0..10 {
            let many = LookupBatchRequest { lookups: vec![question(&["gamer"]); 200], ..Default::default() };
            let _ = tokio::time::timeout(Duration::from_micros(300), client.lookup_batch(many)).await;
        }
    });
    nothing_under_way(&server);
}

#[test]
fn who_is_slow_uses_up_nobody_s_room() {
    let world = World::new("  max_in_flight: 1\n  body_timeout_ms: 60000\n");
    let server = world.ready();
    let held: Vec<_> = (0..20).map(|_| half(&server)).collect();
    block_on(async {
        // Calls of the gRPC port whose message never comes.
        let stream = tokio::net::TcpStream::connect(server.addresses().grpc).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        for method in ["Lookup", "LookupBatch", "Decide", "Lookup"] {
            let never =
                StreamBody::new(tokio_stream::pending::<Result<Frame<bytes::Bytes>, std::convert::Infallible>>());
            let call = hyper::Request::post(format!("http://vaglio.test/vaglio.v1.AudienceService/{method}"));
            let call = call.header("content-type", "application/grpc").header("te", "trailers").body(never).unwrap();
            tokio::spawn(sender.send_request(call));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let began = Instant::now();
        let (mut http, mut grpc) = (Client::connect(server.addresses().http), connect(&server).await);
        wait_until("room", || http.post("/v1/lookup", ASK).json()["status"] == "matched");
        assert_eq!(grpc.lookup(question(&["gamer"])).await.unwrap().into_inner().status(), Status::Matched);
        assert!(began.elapsed() < Duration::from_secs(10), "long before they are cut");
        drop(sender);
    });
    nothing_under_way(&server);
    for mut client in held {
        client.send(&" ".repeat(98));
        client.send("}");
        assert_eq!(client.receive().unwrap().status, 200, "slow is not wrong");
    }
    nothing_under_way(&server);
}
