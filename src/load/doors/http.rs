//! Questions over HTTP/1.1: a connection that is kept, one question at a time on it.

use super::{Became, Reply, answer};
use crate::error::{Error, Result};
use crate::load::requests::Question;
use crate::load::workload::{Door, Workload};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
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
    pub async fn ask(&mut self, door: Door, question: &Question, reply: &mut Reply) -> Became {
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
        let answered = match sender.send_request(request).await {
            Ok(answered) => answered,
            Err(error) => return failed("closed", error),
        };
        let (head, body) = answered.into_parts();
        match body.collect().await {
            Ok(body) => reply.body = body.to_bytes(),
            Err(error) => return failed("closed", error),
        }
        self.sender = Some(sender);
        if !head.status.is_success() {
            return refused(head.status, &reply.body);
        }
        // The OpenRTB doors say it in headers: of a request that comes back there is nothing else to tell it from.
        let said = head.headers.get("x-vaglio-status").map(|status| {
            let generation =
                head.headers.get("x-vaglio-generation").and_then(|number| number.to_str().ok()?.parse().ok());
            (status.as_bytes(), generation.unwrap_or(0))
        });
        answer::json(door, said, question.items, reply)
    }
}

/// What a status that is not 2xx means. The events door sheds with 429, and with 503 while there is no key yet.
fn refused(status: StatusCode, body: &[u8]) -> Became {
    let kind = match status.as_u16() {
        429 => return Became::Shed,
        400 => "http 400",
        401 => "http 401",
        403 => "http 403",
        404 => "http 404",
        408 => "http 408",
        409 => "http 409",
        413 => "http 413",
        415 => "http 415",
        500 => "http 500",
        503 => "http 503",
        507 => "http 507",
        _ => "http",
    };
    let said = String::from_utf8_lossy(&body[..body.len().min(300)]);
    Became::Failed { kind, message: format!("{status} {said}").trim_end().to_owned() }
}
