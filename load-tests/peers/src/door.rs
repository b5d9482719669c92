//! `POST /openrtb2/enrich` on hyper: one thread, one runtime, one task a connection. Every store stands behind this door.

use crate::stores::{Embedded, InProcess, RedisSets, RedisStrings, Store};
use crate::{Outcome, request};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

/// What became of a request, as Vaglio's answers say it: `vaglio load` counts one without it as an error.
const STATUS: HeaderName = HeaderName::from_static("x-vaglio-status");

/// Serves from a store at `place` until standard input ends.
pub fn serve(what: &str, address: SocketAddr, place: &str) -> Outcome<()> {
    match what {
        "redis-sets" => run(address, RedisSets::connect(place)),
        "redis-strings" => run(address, RedisStrings::connect(place)),
        "map" => run(address, async { Ok(InProcess::new()) }),
        _ => run(address, async { Embedded::open(what, place) }),
    }
}

fn run<S: Store>(address: SocketAddr, store: impl Future<Output = Outcome<S>>) -> Outcome<()> {
    until_input_ends(async move {
        let store = Rc::new(store.await?);
        accept(address, move |stream| connection(stream, Rc::clone(&store))).await
    })
}

/// Runs a server on this thread until standard input ends: whoever started it is gone.
pub fn until_input_ends(server: impl Future<Output = Outcome<()>>) -> Outcome<()> {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, server)
}

/// Takes connections, each in a task of its own.
pub async fn accept<F: Future<Output = ()> + 'static>(
    address: SocketAddr,
    serve: impl Fn(TcpStream) -> F,
) -> Outcome<()> {
    let listener = TcpListener::bind(address).await?;
    println!("ready");
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::task::spawn_local(serve(stream));
    }
}

async fn connection<S: Store>(stream: TcpStream, store: Rc<S>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let store = Rc::clone(&store);
        async move { answer(request, &*store).await }
    });
    // A connection that breaks is the caller's business.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer<S: Store>(request: Request<Incoming>, store: &S) -> Outcome<Response<Full<Bytes>>> {
    if request.method() != Method::POST || request.uri().path() != "/openrtb2/enrich" {
        return Ok(refused(StatusCode::NOT_FOUND));
    }
    let body = request.into_body().collect().await?.to_bytes();
    let Ok(asked) = request::read(&body) else { return Ok(refused(StatusCode::BAD_REQUEST)) };
    let mut segments = Vec::new();
    store.segments(&asked.ids, &mut segments).await?;
    let status = if segments.is_empty() { "no_profile" } else { "matched" };
    let out = if segments.is_empty() { body.clone() } else { request::splice(&body, &asked, &segments).into() };
    let mut response = Response::new(Full::new(out));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(STATUS, HeaderValue::from_static(status));
    Ok(response)
}

fn refused(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
