//! Questions over HTTP/1.1: a connection that is kept, one question at a time on it.

use super::{Became, Reply};
use crate::error::{Error, Result};
use crate::load::requests::Question;
use crate::load::workload::{Door, Workload};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An HTTP/1.1 connection.
#[derive(Debug)]
pub struct Connection {
    address: String,
    path: Uri,
    headers: HeaderMap,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(workload: &Workload, door: Door, key: Option<&str>) -> Result<Connection> {
        let target = &workload.target;
        let (address, path) = match door {
            Door::Decide => (&target.http, "/v1/decide"),
            Door::Enrich => (&target.http, "/openrtb2/enrich"),
            Door::OpenrtbDecide => (&target.http, "/openrtb2/decide"),
            Door::Events => (&target.planner, "/api/v1/events"),
            _ => (&target.http, "/v1/lookup"),
        };
        let wrong = |what: &str| Error::usage(format!("{what} cannot be put into a header of a request"));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(address).map_err(|_| wrong(address))?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = key {
            let value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| wrong("the key"))?;
            headers.insert(AUTHORIZATION, value);
        }
        if matches!(door, Door::Enrich | Door::OpenrtbDecide) {
            headers.insert(HeaderName::from_static("x-openrtb-version"), HeaderValue::from_static("2.6"));
        }
        let mut connection =
            Connection { address: address.clone(), path: Uri::from_static(path), headers, sender: None };
        let sender = connection.connect().await.map_err(|why| {
            Error::new(
                crate::error::ErrorKind::Io,
                format!("cannot connect to {address}: {why}; is `vaglio serve` running there?"),
            )
        })?;
        connection.sender = Some(sender);
        Ok(connection)
    }

    async fn connect(&mut self) -> std::result::Result<SendRequest<Full<Bytes>>, String> {
        let stream = TcpStream::connect(&self.address).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::task::spawn_local(async move {
            // Its end is told to whoever asks next.
            let _ = connection.await;
        });
        Ok(sender)
    }

    /// Asks.
    pub async fn ask(&mut self, question: &Question, reply: &mut Reply) -> Became {
        // Taken, and put back with the answer: who gives up in between closes the connection.
        let mut sender = match self.sender.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => match self.connect().await {
                Ok(sender) => sender,
                Err(message) => return Became::Failed { kind: "connect", message },
            },
        };
        let mut request = Request::new(Full::new(Bytes::copy_from_slice(&question.body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = self.headers.clone();
        let failed = |kind, error: hyper::Error| Became::Failed { kind, message: error.to_string() };
        if let Err(error) = sender.ready().await {
            return failed("closed", error);
        }
        let answer = match sender.send_request(request).await {
            Ok(answer) => answer,
            Err(error) => return failed("closed", error),
        };
        let status = answer.status();
        let body = match answer.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return failed("closed", error),
        };
        self.sender = Some(sender);
        reply.body = body;
        if !status.is_success() {
            return Became::Failed { kind: "status", message: format!("{status}") };
        }
        reply.items = question.items;
        Became::Accepted
    }
}
