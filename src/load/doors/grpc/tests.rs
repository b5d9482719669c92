//! Connections that end, and answers as they should not be.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use super::*;
use crate::wire::v1;
use hyper::Response;
use prost::Message;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

fn answer() -> Vec<u8> {
    let mut answer = v1::LookupResponse::default();
    answer.set_status(v1::Status::Matched);
    answer.encode_to_vec()
}

/// Answers one call a connection with these pieces, and these trailers, and ends it; as many times as that.
async fn answering(connections: usize, pieces: Vec<Bytes>, trailers: &'static str) -> Connection {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let text = format!(
        "name: a\ndoors: {{ grpc-lookup: 1 }}\ntarget: {{ grpc: \"{address}\" }}\narrivals: {{ phases: [{{ name: a, per_second: 1, seconds: 1 }}] }}\n"
    );
    tokio::task::spawn_local(async move {
        for _ in 0..connections {
            let (stream, _) = listener.accept().await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            let Some(Ok((_, mut respond))) = connection.accept().await else { continue };
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            for piece in pieces.clone() {
                body.send_data(piece, false).unwrap();
            }
            let mut map = HeaderMap::new();
            map.insert("grpc-status", HeaderValue::from_static(trailers));
            body.send_trailers(map).unwrap();
            connection.graceful_shutdown();
            while connection.accept().await.is_some() {}
        }
    });
    let workload: Workload = serde_saphyr::from_str(&text).unwrap();
    Connection::open(&workload, Door::GrpcLookup, None).await.unwrap()
}

async fn ask(place: &mut Connection) -> Became {
    let became = place.ask(Door::GrpcLookup, &Question::default(), &mut Reply::default()).await;
    // The end of the connection is to be heard of.
    tokio::time::sleep(Duration::from_millis(20)).await;
    became
}

fn here(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

#[test]
fn places_whose_connection_ended_open_another_for_all() {
    here(async {
        let mut first = answering(3, vec![framed(&answer())], "0").await;
        let mut second = first.clone();
        assert_eq!(ask(&mut first).await, Became::Accepted);
        assert_eq!(ask(&mut second).await, Became::Accepted);
        // It knows the first connection, the newest is the second, and both have ended.
        assert_eq!(ask(&mut first).await, Became::Accepted);
        assert!(matches!(ask(&mut second).await, Became::Failed { kind: "connect", .. }), "nobody answers any more");
    });
}

#[test]
fn an_answer_in_pieces_is_one_and_half_of_one_is_none() {
    let whole = framed(&answer());
    here(async {
        let mut place = answering(1, vec![whole.slice(..3), whole.slice(3..6), whole.slice(6..)], "0").await;
        assert_eq!(ask(&mut place).await, Became::Accepted);
    });
    for pieces in [vec![whole.slice(..whole.len() - 1)], vec![whole.clone(), whole.clone()], vec![]] {
        here(async {
            let mut place = answering(1, pieces, "0").await;
            assert!(matches!(ask(&mut place).await, Became::Failed { kind: "unreadable", .. }));
        });
    }
}

#[test]
fn what_the_trailers_say_counts() {
    here(async {
        let mut place = answering(1, vec![framed(&answer())], "14").await;
        assert!(matches!(ask(&mut place).await, Became::Failed { kind: "grpc UNAVAILABLE", .. }));
    });
}

#[test]
fn what_is_longer_than_any_answer_or_compressed_is_told() {
    let read = |came: &[u8]| message(&mut BytesMut::from(came));
    assert!(matches!(read(&[1, 0, 0, 0, 0]), Err(Became::Failed { kind: "unreadable", .. })));
    assert!(matches!(read(&[0, 255, 0, 0, 0]), Err(Became::Failed { kind: "unreadable", .. })));
    assert_eq!(read(&[0, 0, 0, 0]), Ok(None));
    assert_eq!(read(&[0, 0, 0, 0, 1, 7]), Ok(Some(Bytes::from_static(&[7]))));
}
