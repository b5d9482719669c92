//! The planner's and operator's port: events, metrics. It has a runtime of its own, so that nothing here disturbs a bid.
//!
//! Contents: [`events`] what happens between builds; [`builds`] what is built; [`generations`] those on disk, compared; [`catalogue`] what is defined; [`exports`] audiences that leave the house; [`profiles`] deletes people and exports what is held of them (`export`), [`explain`] why somebody is where they are, [`named`] whom a request means; [`keys`] who may ask, [`audit`] who did what, [`scrape`] the counters; [`port`] its
//! connections, HTTP/1.1 and gRPC on one; [`reply`] who asks and how they are refused;
//! [`guard`] what stands before every path; [`session`] who is signed in; [`page`] the web console;
//! [`see`] what planners see before they publish, [`protect`] what is told of others' audiences, [`long`] answers that take their time;
//! [`uploads`] files of who is on a list; [`view`] the generation that planners look at; [`openapi`] the description of every path.
//! What must not live here: the bid path, files.

pub mod audit;
pub mod builds;
pub mod catalogue;
pub mod events;
pub mod explain;
mod export;
pub mod exports;
pub mod generations;
mod guard;
mod keys;
mod long;
mod named;
mod openapi;
mod page;
mod port;
mod profiles;
pub mod protect;
mod reply;
mod scrape;
pub mod see;
mod session;
mod statistics;
mod uploads;
mod view;

use crate::access::Access;
use crate::config::Loaded;
use crate::decide::Answering;
use crate::live::{Intake, Keeper, Objections};
use crate::overlay::Overlay;
use crate::schema::Generation;
use crate::telemetry::Metrics;
use crate::telemetry::statistics::Minute;
use crate::wire::Code;
use axum::Router;
use axum::routing::get;
use builds::Builds;
use reply::Refused;
pub use session::Sessions;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
pub use view::{View, Views};

const INDEX: &str = "\
Vaglio, an audience server for the bidstream.

  /api/v1/events     POST: what happens between builds, a JSON object a line (docs/events.md); gRPC: vaglio.v1.EventService
  /api/v1/profiles   DELETE: forgets people, now and for good; GET ?source=&uid=: what is held of one (docs/privacy.md)
  /api/v1/explain    GET ?source=&uid=&what=AUDIENCE|CAMPAIGN: why somebody is in it or not
  /api/v1/keys       GET, POST, DELETE /{id}: who may ask; /api/v1/whoami: what one's own key may do
  /api/v1/session    POST: signs in with a key (a cookie, for the console); DELETE: signs out
  /api/v1/audit      GET: who did what
  /api/v1/openapi.json  the description of every path
  /metrics           what Prometheus reads (OpenMetrics text)

The bid doors (lookup, decide, health) are on the ports of server.http and server.grpc; docs/api.md describes them.
";

/// What is in service at the bid doors.
pub trait Standing: Send + Sync {
    /// Those who may ask.
    fn access(&self) -> Arc<Access>;
    /// Has changed keys taken into service, soon. Returns whether anybody does that here.
    fn look_at_keys(&self) -> bool {
        false
    }
    /// The generation; `None` before the first.
    fn answering(&self) -> Option<Arc<Answering>>;
    /// Who was seen in the bidstream within so many UTC days, today included: word `i` of the mask is of the ordinals from
    /// 64 `i` on. Never more days than are remembered. `None` when that generation is not in service, when nothing is
    /// remembered (`statistics.seen_days: 0`), and for some seconds after an index came into service, until what was known
    /// with the one before has come over.
    fn seen_within(&self, generation: Generation, days: u32) -> Option<Vec<u64>> {
        let _ = (generation, days);
        None
    }
    /// How many profiles were seen on each UTC day that is remembered, by days since 1970, the oldest first; `None` as with
    /// [`Standing::seen_within`].
    fn seen_by_day(&self, generation: Generation) -> Option<Vec<(i64, u64)>> {
        let _ = generation;
        None
    }
    /// Hands out what was counted in the minutes from one (included) to another (excluded), numbered since 1970: a minute may
    /// come in pieces, and in any order. Returns whether statistics are kept at all.
    ///
    /// # Errors
    /// A machine that refuses.
    fn minutes(&self, from: i64, to: i64, each: &mut dyn FnMut(&Minute)) -> crate::error::Result<bool> {
        let _ = (from, to, each);
        Ok(false)
    }
    /// What changed since that generation; `None` when it is not in service, or nobody follows it.
    fn overlay(&self, generation: Generation) -> Option<Arc<Overlay>> {
        let _ = generation;
        None
    }
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
    /// Where deletions go, and the audit trail.
    pub keeper: Arc<Keeper>,
    /// The generation that planners look at.
    pub views: Views,
    /// The catalogue's versions.
    pub definitions: catalogue::Definitions,
    /// Who builds; `None` where another process does.
    pub builds: Option<Arc<dyn Builds>>,
    /// The exports that run or ran.
    pub exports: exports::Exports,
    /// What is remembered between planners' questions.
    pub seeing: see::Seeing,
    /// Who is signed in.
    pub sessions: Sessions,
}

/// Serves until the task is dropped.
pub async fn serve(listener: TcpListener, planner: Arc<Planner>) {
    serve_with(listener, None, planner).await;
}

/// As [`serve`], over TLS where that is offered.
pub async fn serve_with(listener: TcpListener, tls: Option<TlsAcceptor>, planner: Arc<Planner>) {
    let max_header_bytes = planner.loaded.config.server.max_header_bytes;
    let guard = axum::middleware::from_fn_with_state(Arc::clone(&planner), guard::guard);
    port::accept(listener, tls, router(planner).layer(guard), max_header_bytes).await;
}

/// Every path of the port.
fn router(planner: Arc<Planner>) -> Router {
    let paths = openapi::router()
        .merge(uploads::routes(Arc::clone(&planner)))
        .merge(audit::routes(Arc::clone(&planner)))
        .merge(events::routes(Arc::clone(&planner)))
        .merge(explain::routes(Arc::clone(&planner)))
        .merge(keys::routes(Arc::clone(&planner)))
        .merge(profiles::routes(Arc::clone(&planner)))
        .merge(session::routes(Arc::clone(&planner)))
        .merge(scrape::routes(Arc::clone(&planner)))
        .merge(statistics::routes(Arc::clone(&planner)))
        .merge(builds::http::routes(Arc::clone(&planner)))
        .merge(generations::http::routes(Arc::clone(&planner)))
        .merge(generations::sizes::routes(Arc::clone(&planner)))
        .merge(catalogue::routes(Arc::clone(&planner)))
        .merge(exports::http::routes(Arc::clone(&planner)))
        .merge(see::routes(Arc::clone(&planner)));
    Router::new()
        .route("/", get(async || page::page()))
        .fallback(page::fallback)
        .method_not_allowed_fallback(async || {
            Refused::new(Code::MethodNotAllowed, "the path takes another method", "docs/api.md says which")
        })
        .with_state(planner)
        .merge(openapi::described(paths))
}
