//! Clients that are slow, send too much, or never stop: they are cut, and nobody else notices.

use crate::client::{Client, request};
use crate::grpc::{block_on, connect, question};
use crate::world::{World, wait_until};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_stream::StreamExt;
use vaglio::server::Server;
use vaglio::wire::v1::{LookupBatchRequest, Status};

const ASK: &str = r#"{"eids":[{"source":"id.test","uid":"gamer"}]}"#;

/// Runs `slow` while another client is served.
fn others_are_served(server: &Server, slow: impl FnOnce()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut client = Client::connect(server.addresses().http);
            while !done.load(Ordering::Relaxed) {
                assert_eq!(client.post("/v1/lookup", ASK).json()["status"], "matched");
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        slow();
        done.store(true, Ordering::Relaxed);
        other.join().unwrap();
    });
}

/// Sends a byte of `text` now and then; returns how long it took until the server had enough.
fn drip(server: &Server, text: &str) -> Duration {
    let mut stream = TcpStream::connect(server.addresses().http).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let began = Instant::now();
    for byte in text.bytes() {
        if stream.write_all(&[byte]).is_err() {
            return began.elapsed();
        }
        match stream.read(&mut [0; 512]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            _ => return began.elapsed(),
        }
    }
    panic!("it was heard to its end");
}

#[test]
fn who_drips_headers_or_a_body_is_cut() {
    let world = World::new("  idle_timeout_ms: 300\n  body_timeout_ms: 300\n");
    let server = world.ready();
    let head = format!("POST /v1/lookup HTTP/1.1\r\nhost: t\r\nx-long: {}\r\n\r\n", "a".repeat(2_000));
    let long = Duration::from_secs(10);
    others_are_served(&server, || assert!(drip(&server, &head) < long));
    let mut stream = TcpStream::connect(server.addresses().http).unwrap();
    stream.write_all(b"POST /v1/lookup HTTP/1.1\r\nhost: t\r\ncontent-length: 2000\r\n\r\n").unwrap();
    others_are_served(&server, || {
        let began = Instant::now();
        while stream.write_all(b" ").is_ok() && began.elapsed() < long {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(began.elapsed() < long);
    });
    wait_until("nothing under way", || server.doors().metrics.load.in_flight.load(Ordering::Relaxed) == 0);
}

/// A question whose answer is long: campaigns that are not there.
fn long_answer() -> String {
    let names: Vec<String> = (0..9_999).map(|n| format!("acme/no-such-campaign-{n:-<60}")).collect();
    serde_json::json!({ "campaigns": names }).to_string()
}

#[test]
fn who_does_not_read_is_cut() {
    let world = World::new("  write_timeout_ms: 300\n");
    let server = world.ready();
    let text = request("POST", "/v1/decide", "", &long_answer());
    let mut deaf = TcpStream::connect(server.addresses().http).unwrap();
    deaf.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    others_are_served(&server, || {
        // The kernel buffers some megabytes before anybody waits.
        let refused = (0..200).find_map(|_| deaf.write_all(text.as_bytes()).err());
        let kind = refused.expect("it is cut").kind();
        assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind}");
    });
    let open = || server.doors().metrics.connections.load(Ordering::Relaxed);
    wait_until("the connection closed", || open() == 0);
}

#[test]
fn heads_that_are_too_large_are_refused() {
    let world = World::new("  max_header_bytes: 16384\n");
    let server = world.ready();
    let ask = |length: usize| {
        let mut client = Client::connect(server.addresses().http);
        client.send(&request("POST", "/v1/lookup", &format!("x-long: {}\r\n", "a".repeat(length)), ASK));
        client.receive().map(|answer| answer.status)
    };
    assert_eq!((ask(8_000), ask(20_000)), (Some(200), Some(431)));
    block_on(async {
        let mut client = connect(&server).await;
        for (length, heard) in [(8_000, true), (20_000, false), (100, true)] {
            let mut asked = tonic::Request::new(question(&["gamer"]));
            asked.metadata_mut().insert("x-long", "a".repeat(length).parse().unwrap());
            let answer = client.lookup(asked).await;
            assert_eq!(answer.is_ok(), heard, "{length}: {answer:?}");
        }
    });
}

#[test]
fn a_stream_that_never_pauses_ends_at_the_drain() {
    let world = World::new("  drain_ms: 10000\n");
    let server = world.ready();
    block_on(async {
        let mut client = connect(&server).await;
        let batch = LookupBatchRequest { lookups: vec![question(&["gamer"]); 50], ..Default::default() };
        let (send, receive) = tokio::sync::mpsc::channel(64);
        let asking = tokio::spawn(async move { while send.send(batch.clone()).await.is_ok() {} });
        let requests = tokio_stream::wrappers::ReceiverStream::new(receive);
        let mut answers = client.lookup_stream(requests).await.unwrap().into_inner();
        for _ in 0..20 {
            assert_eq!(answers.next().await.unwrap().unwrap().results.len(), 50);
        }
        let drained = std::thread::spawn(move || server.shutdown());
        while let Some(answer) = answers.next().await {
            assert_eq!(answer.unwrap().results.len(), 50, "whole answers until the end, and no error");
        }
        drop((answers, client));
        asking.abort();
        let ended = tokio::task::spawn_blocking(|| drained.join().unwrap()).await.unwrap();
        assert!(ended, "within drain_ms");
    });
}

#[test]
fn grpc_messages_may_be_compressed_and_a_bomb_is_refused() {
    use tonic::codec::CompressionEncoding::Gzip;
    let world = World::new("  max_body_bytes: 100000\n");
    let server = world.ready();
    block_on(async {
        let mut plain = connect(&server).await.accept_compressed(Gzip);
        let answer = plain.lookup(question(&["gamer"])).await.unwrap();
        assert!(
            answer.metadata().get("grpc-encoding").is_none(),
            "to say that one could read gzip is not to ask for it"
        );
        let mut client = connect(&server).await.send_compressed(Gzip).accept_compressed(Gzip);
        let answer = client.lookup(question(&["gamer"])).await.unwrap();
        assert_eq!(answer.metadata().get("grpc-encoding").unwrap(), "gzip");
        assert_eq!(answer.into_inner().status(), Status::Matched);
        // A few kilobytes that would be 50 MB.
        let mut bomb = question(&["gamer"]);
        bomb.ifa = "0".repeat(50 << 20);
        let refused = client.lookup(bomb).await.unwrap_err();
        assert!(matches!(refused.code(), tonic::Code::OutOfRange | tonic::Code::ResourceExhausted), "{refused:?}");
        assert_eq!(client.lookup(question(&["gamer"])).await.unwrap().into_inner().status(), Status::Matched);
    });
}
