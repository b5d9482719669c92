//! Answers as they may come: whole, in pieces, cut off, and none at all.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use super::*;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

const ANSWER: &str =
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Vaglio-Status: matched\r\nx-vaglio-generation: 42\r\n\r\nabc";

fn of(came: &str) -> io::Result<Option<Head>> {
    head(came.as_bytes())
}

#[test]
fn a_head_is_read_once_it_is_whole() {
    for cut in 0..ANSWER.len() - 3 {
        assert!(of(&ANSWER[..cut]).unwrap().is_none(), "{cut}");
    }
    let head = of(ANSWER).unwrap().unwrap();
    assert_eq!((head.bytes, head.body, head.last), (ANSWER.len() - 3, 3, false));
    assert_eq!((head.status.as_u16(), head.said.as_deref(), head.generation), (200, Some(&b"matched"[..]), 42));
}

#[test]
fn connections_end_when_they_say_so() {
    assert!(of("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: Close\r\n\r\n").unwrap().unwrap().last);
    assert!(of("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap().unwrap().last);
    assert_eq!(of("HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap().body, 0);
}

#[test]
fn what_cannot_be_an_answer_is_told() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(MOST_HEADERS + 1));
    let large = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MOST_BODY + 1);
    for came in [
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 99 Low\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        &many,
        &large,
    ] {
        let error = of(came).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{came}");
    }
}

/// Answers a connection after the other with pieces, and ends it.
async fn answering(connections: Vec<Vec<&'static str>>) -> (Connection, tokio::task::JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let text = format!(
        "name: a\ndoors: {{ lookup: 1 }}\ntarget: {{ http: \"{address}\" }}\narrivals: {{ phases: [{{ name: a, per_second: 1, seconds: 1 }}] }}\n"
    );
    let workload: Workload = serde_saphyr::from_str(&text).unwrap();
    let server = tokio::spawn(async move {
        let mut asked = Vec::new();
        for pieces in connections {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4 << 10];
            let length = stream.read(&mut request).await.unwrap();
            asked.push(request[..length].to_vec());
            for piece in pieces {
                stream.write_all(piece.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        }
        asked
    });
    (Connection::open(&workload, Door::Lookup, Some("secret")).await.unwrap(), server)
}

fn question() -> Question {
    Question { body: b"{}".to_vec(), ..Question::default() }
}

#[tokio::test(flavor = "current_thread")]
async fn answers_that_come_in_pieces_are_one() {
    let pieces = vec!["HTTP/1.1 503 Service", " Unavailable\r\ncontent-", "length: 5\r\n\r\nlat", "er"];
    let (mut connection, server) = answering(vec![pieces]).await;
    let mut reply = Reply::default();
    let became = connection.ask(Door::Lookup, &question(), &mut reply).await;
    assert_eq!(became, Became::Failed { kind: "http 503", message: "503 Service Unavailable later".to_owned() });
    let asked = String::from_utf8(server.await.unwrap().remove(0)).unwrap();
    assert!(asked.starts_with("POST /v1/lookup HTTP/1.1\r\nhost: 127.0.0.1:"), "{asked}");
    assert!(asked.ends_with("authorization: Bearer secret\r\ncontent-length: 2\r\n\r\n{}"), "{asked}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_that_ended_is_opened_again() {
    let whole = "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n";
    let (mut connection, server) = answering(vec![vec!["HTTP/1.1 200 OK\r\n"], vec![whole], vec![whole]]).await;
    let mut reply = Reply::default();
    let became = connection.ask(Door::Lookup, &question(), &mut reply).await;
    assert!(matches!(became, Became::Failed { kind: "closed", .. }), "{became:?}");
    for _ in 0..2 {
        let became = connection.ask(Door::Lookup, &question(), &mut reply).await;
        assert!(matches!(became, Became::Failed { kind: "http 500", .. }), "{became:?}");
        // The end of the connection is to be heard of.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(server.await.unwrap().len(), 3);
}
