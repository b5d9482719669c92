//! A small HTTP client on one connection: the demo asks as an exchange would, one question after the other.

use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::fmt::Display;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// An open connection.
#[derive(Debug)]
pub(super) struct Client {
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    /// The body.
    pub(super) body: Bytes,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody answers.
    pub(super) fn connect(address: SocketAddr) -> Result<Client> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::io("start the demo's client", error))?;
        let sender = runtime.block_on(open(address))?;
        Ok(Client { runtime, sender, address })
    }

    /// Asks.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn get(&mut self, path: &str) -> Result<Answer> {
        self.ask(Method::GET, path, Bytes::new())
    }

    /// Asks with a JSON body. Anything but 200 is an error: the demo's questions are good ones.
    ///
    /// # Errors
    /// When the connection breaks or the question is refused.
    pub(super) fn post(&mut self, path: &str, body: impl Into<Bytes>) -> Result<Answer> {
        let answer = self.ask(Method::POST, path, body.into())?;
        if answer.status != 200 {
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(Error::internal(format!("POST {path} was answered with {}: {said}", answer.status)));
        }
        Ok(answer)
    }

    fn ask(&mut self, method: Method, path: &str, body: Bytes) -> Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|error| broken(self.address, error))?;
        self.runtime.block_on(async {
            self.sender.ready().await.map_err(|error| broken(self.address, error))?;
            let answer = self.sender.send_request(request).await.map_err(|error| broken(self.address, error))?;
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.map_err(|error| broken(self.address, error))?.to_bytes();
            Ok(Answer { status, body })
        })
    }
}

async fn open(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await.map_err(|error| broken(address, error))?;
    stream.set_nodelay(true).map_err(|error| broken(address, error))?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| broken(address, error))?;
    tokio::spawn(connection);
    Ok(sender)
}

fn broken(address: SocketAddr, error: impl Display) -> Error {
    Error::new(ErrorKind::Io, format!("the connection to the demo's own server on {address} broke: {error}"))
}
