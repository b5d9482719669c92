//! The planner's and operator's port: metrics today. It has a runtime of its own, so that nothing here disturbs a bid.

use crate::access::Access;
use crate::config::Loaded;
use crate::decide::Answering;
use crate::live::{Intake, Objections};
use crate::telemetry::Metrics;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long a client may take to send its headers, or stay idle.
const IDLE: Duration = Duration::from_secs(60);

const INDEX: &str = "\
Vaglio, an audience server for the bidstream.

  /metrics   what Prometheus reads (OpenMetrics text)

The bid doors (lookup, decide, health) are on the ports of server.http and server.grpc; docs/api.md describes them.
";

/// What is in service at the bid doors.
pub trait Standing: Send + Sync {
    /// Those who may ask.
    fn access(&self) -> Arc<Access>;
    /// The generation; `None` before the first.
    fn answering(&self) -> Option<Arc<Answering>>;
}

/// Everything that the paths of the port share.
pub struct Planner {
    /// The configuration and its vocabulary.
    pub loaded: Loaded,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is in service.
    pub standing: Box<dyn Standing>,
    /// Where events go; `None` where none are taken: `ingest.enabled: false`, or a frozen clock.
    pub intake: Option<Arc<Intake>>,
    /// Where objections go.
    pub objections: Option<Arc<dyn Objections>>,
}

/// Serves until the task is dropped.
pub async fn serve(listener: TcpListener, planner: Arc<Planner>) {
    let metrics = Arc::clone(&planner.metrics);
    let router = Router::new()
        .route("/", get(|| async { INDEX }))
        .route("/metrics", get(move || std::future::ready(scrape(&metrics))))
        .fallback(|| async { (axum::http::StatusCode::NOT_FOUND, INDEX) });
    loop {
        // axum::serve bounds no wait on a client, so the loop is ours.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

fn scrape(metrics: &Arc<Metrics>) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], metrics.exposition())
}
