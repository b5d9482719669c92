//! A plain HTTP/1.1 client that can also misbehave.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection.
pub struct Client<S: Read + Write = TcpStream> {
    reader: BufReader<S>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a refusal of the planner's port.
    pub fn error_code(&self) -> String {
        let problem = self.json();
        assert!(self.headers.contains("content-type: application/problem+json\n"), "{self:?}");
        assert!(problem["detail"].is_string() && problem["status"] == self.status, "{self:?}");
        problem["code"].as_str().unwrap().to_owned()
    }

    /// The code of a failure; its shape is checked.
    pub fn error(&self) -> String {
        let body = self.json();
        let error = &body["error"];
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{self:?}");
        assert!(error["details"].is_array(), "{self:?}");
        error["code"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client::over(stream)
    }
}

impl<S: Read + Write> Client<S> {
    pub fn over(stream: S) -> Client<S> {
        Client { reader: BufReader::new(stream) }
    }

    pub fn send(&mut self, text: &str) {
        self.send_bytes(text.as_bytes());
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).unwrap();
    }

    /// The next answer; `None` when the server closed the connection.
    pub fn receive(&mut self) -> Option<Answer> {
        let mut line = String::new();
        if self.reader.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let (mut headers, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
            headers += &line;
            headers.push('\n');
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        Some(Answer { status, headers, body: String::from_utf8(body).unwrap() })
    }

    pub fn post(&mut self, path: &str, body: &str) -> Answer {
        self.send(&request("POST", path, "content-type: application/json\r\n", body));
        self.receive().unwrap()
    }

    /// Whether the server closes the connection without another word.
    pub fn is_closed(&mut self) -> bool {
        self.reader.read(&mut [0]).unwrap_or(0) == 0
    }
}

pub fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

pub fn get(address: SocketAddr, path: &str) -> Answer {
    let mut client = Client::connect(address);
    client.send(&request("GET", path, "", ""));
    client.receive().unwrap()
}
