//! HTTP/1.1 by hand: a connection that is kept, a request at a time.

use super::Outcome;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: vec![0; 1 << 20] })
    }

    /// The body of the answer to a POST; it must be a 200.
    pub fn post(&mut self, path: &str, body: &[u8]) -> Outcome<&[u8]> {
        let head = format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {}\r\n\r\n", body.len());
        self.stream.write_all(&[head.as_bytes(), body].concat())?;
        self.receive()
    }

    fn receive(&mut self) -> Outcome<&[u8]> {
        let (mut read, mut whole) = (0, None);
        while whole.is_none_or(|(_, end)| read < end) {
            let count = self.stream.read(&mut self.buffer[read..])?;
            if count == 0 {
                return Err("the server closed it".into());
            }
            read += count;
            whole = whole.or_else(|| bounds(&self.buffer[..read]));
        }
        let (body, end) = whole.unwrap_or_default();
        if !self.buffer.starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(&self.buffer[..end]).into());
        }
        Ok(&self.buffer[body..end])
    }
}

/// Where an answer's body begins and ends, once its head is there.
fn bounds(answer: &[u8]) -> Option<(usize, usize)> {
    const LENGTH: &[u8] = b"content-length: ";
    let body = memchr::memmem::find(answer, b"\r\n\r\n")? + 4;
    let length = memchr::memmem::find(&answer[..body], LENGTH)? + LENGTH.len();
    let digits = answer[length..body].iter().take_while(|byte| byte.is_ascii_digit());
    Some((body, body + digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))))
}

/// The body of the answer to a GET.
pub fn get(address: SocketAddr, path: &str) -> Outcome<String> {
    let mut connection = Connection::open(address)?;
    connection.stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").as_bytes())?;
    Ok(String::from_utf8_lossy(connection.receive()?).into_owned())
}
