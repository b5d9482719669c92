//! Cases of HTTP doors: a request is sent as it is written down, and the answer compared.

use super::protobuf;
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use vaglio::server::Addresses;

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends one request on a connection of its own.
pub fn exchange(address: SocketAddr, method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Answer {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    let mut reader = BufReader::new(stream);
    reader.get_mut().write_all(format!("{head}\r\n").as_bytes()).unwrap();
    reader.get_mut().write_all(body).unwrap();
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|header| header.0 == "content-length").map_or(0, |it| it.1.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut answer = Answer { status, headers, body };
    if answer.header("content-encoding") == Some("gzip") {
        let mut plain = Vec::new();
        GzDecoder::new(&answer.body[..]).read_to_end(&mut plain).unwrap();
        answer.body = plain;
    }
    answer
}

/// The body of a case's request, before compression.
fn body(request: &Value) -> Vec<u8> {
    match (&request["text"], &request["protobuf"], &request["body"]) {
        (Value::String(text), _, _) => text.clone().into_bytes(),
        (_, Value::Object(_), _) => protobuf::encode(&request["protobuf"]),
        (_, _, Value::Null) => Vec::new(),
        (_, _, body) => body.to_string().into_bytes(),
    }
}

/// Sends a case's request and says what is wrong with the answer.
pub fn send(case: &Value, addresses: Addresses) -> Vec<String> {
    let (request, expect) = (&case["request"], &case["expect"]);
    let sent = body(request);
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        headers.push((name.clone(), value.as_str().unwrap().to_owned()));
    }
    if request["protobuf"].is_object() {
        headers.push(("content-type".to_owned(), "application/x-protobuf".to_owned()));
    }
    let mut bytes = sent.clone();
    if request["gzip"] == json!(true) {
        headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
        bytes.clear();
        GzEncoder::new(&sent[..], Compression::fast()).read_to_end(&mut bytes).unwrap();
    }
    let method = request["method"].as_str().unwrap_or("POST");
    let answer = exchange(addresses.http, method, request["path"].as_str().unwrap(), &headers, &bytes);
    let mut wrong = Vec::new();
    if json!(answer.status) != expect["status"] {
        wrong.push(format!("status {}, expected {}", answer.status, expect["status"]));
    }
    for (name, value) in expect["headers"].as_object().into_iter().flatten() {
        if json!(answer.header(name)) != *value {
            wrong.push(format!("header {name}: {:?}, expected {value}", answer.header(name)));
        }
    }
    wrong.extend(compare(expect, &sent, &answer, request["protobuf"].is_object()));
    wrong
}

fn compare(expect: &Value, sent: &[u8], answer: &Answer, protobuf: bool) -> Option<String> {
    let text = answer.text();
    let same = |is: bool, what: &str| (!is).then(|| format!("{what}\n  found {text}"));
    if expect["unchanged"] == json!(true) {
        return same(answer.body == sent, "the request's own bytes were expected");
    }
    if expect["empty"] == json!(true) {
        return same(answer.body.is_empty(), "no body was expected");
    }
    if let Some(expected) = expect["text"].as_str() {
        return same(text == expected, &format!("expected {expected}"));
    }
    if !expect["inserted"].is_null() {
        let problem = if protobuf {
            protobuf::inserted(sent, &answer.body, &expect["inserted"])
        } else {
            inserted(sent, &answer.body, &expect["inserted"])
        };
        return problem.map(|problem| format!("{problem}\n  found {text}"));
    }
    if !expect["body"].is_null() {
        let found = match protobuf {
            true => protobuf::decision(&answer.body),
            false => serde_json::from_slice(&answer.body).unwrap_or_else(|_| json!(text.clone())),
        };
        return (found != expect["body"]).then(|| format!("expected {}\n  found    {found}", expect["body"]));
    }
    None
}

/// Whether an answer is the request with these entries at the end of `user.data`, every other byte as it was.
pub fn inserted(sent: &[u8], got: &[u8], entries: &Value) -> Option<String> {
    let mut expected: Value = serde_json::from_slice(sent).unwrap();
    let Ok(found) = serde_json::from_slice::<Value>(got) else { return Some("the answer is no JSON".to_owned()) };
    let user = &mut expected["user"];
    let mut data = user["data"].as_array().cloned().unwrap_or_default();
    data.extend(entries.as_array().unwrap().iter().cloned());
    user["data"] = Value::Array(data);
    if found != expected {
        return Some(format!("expected {expected}"));
    }
    let prefix = sent.iter().zip(got).take_while(|(a, b)| a == b).count();
    let suffix = sent.iter().rev().zip(got.iter().rev()).take_while(|(a, b)| a == b).count();
    // `null` and what is around an empty list are replaced by the entries.
    let gone = sent.len().saturating_sub(prefix + suffix);
    (gone > "null".len()).then(|| format!("{gone} bytes of the request are gone"))
}
