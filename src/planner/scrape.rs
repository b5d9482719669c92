//! `/metrics`: what Prometheus reads.

use super::Planner;
use super::reply::{Peer, Refused};
use crate::access::roles;
use crate::live;
use crate::telemetry::feed::Doing;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The path of this file.
pub(super) fn routes(planner: Arc<Planner>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(scrape)).with_state(planner)
}

/// What Prometheus reads
///
/// Counts are nobody's data: the machine itself reads them without a key, also where keys exist.
#[utoipa::path(
    get, path = "/metrics", tag = "operation", security((), ("key" = ["operator"])),
    responses((status = 200, description = "Counters and histograms", body = String,
        content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"))
)]
async fn scrape(
    State(planner): State<Arc<Planner>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Refused> {
    if !peer.loopback {
        planner.may(peer, &headers, roles::OPERATE)?;
    }
    if let Some(intake) = &planner.intake {
        planner.metrics.feed.note(doing(&intake.state()));
    }
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, form)], planner.metrics.exposition()))
}

fn doing(state: &live::State) -> Doing {
    Doing {
        queued_bytes: state.queued_bytes,
        behind: state.behind,
        stopped: state.stopped.is_some() || state.refusing.is_some(),
        end: state.end.0,
        syncs: state.syncs,
        remembered: state.remembered,
    }
}
