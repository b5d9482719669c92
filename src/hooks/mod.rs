//! The exchange's doors: decode -> lookup and decide -> encode. Synchronous in the core, never blocks, logs nothing per bid.
//!
//! Contents: [`admission`] whether there is room; [`live`] what is in service and each worker's buffers; [`call`] who asks
//! and when; [`labels`] and [`entries`] names encoded once a generation; [`ids`] identifiers -> keys; [`tallies`] what is
//! counted for whom, [`verdicts`] of what; [`refusals`] who objects; [`ask`] the question itself, whatever door it came through, and [`batch`] many of them; [`http`] the
//! listener, [`routes`] what is at which path, `body` what comes, [`pieces`] what goes, with [`lookup_json`] and [`decide_json`];
//! `openrtb` bid requests, with `openrtb_enrich`, `openrtb_decide` and `openrtb_proto`; [`prebid_server`] and [`prebid_js`]
//! for ad servers, with `prebid` what they tell and `cors` to which pages; [`grpc`] the gRPC service on `grpc_port`'s
//! connections, `grpc_call` what its requests have in common, with [`lookup_proto`], [`decide_proto`] and [`artf`];
//! [`token`] what tells of an exposure later, and [`exposures`] where; [`tls`], `preface` and `unread` below both ports; `aside` what ends a connection; [`health`] the probes.
//! What must not live here: rules, files, anything that builds.

pub mod admission;
pub mod artf;
mod artf_mutations;
mod aside;
pub mod ask;
pub mod batch;
mod body;
pub mod call;
mod cors;
pub mod decide_json;
pub mod decide_proto;
pub mod entries;
pub mod exposures;
pub mod grpc;
mod grpc_call;
mod grpc_port;
pub mod health;
pub mod http;
pub mod ids;
pub mod labels;
pub mod live;
pub mod lookup_json;
pub mod lookup_proto;
mod openrtb;
pub mod openrtb_decide;
pub mod openrtb_enrich;
mod openrtb_proto;
pub mod pieces;
mod prebid;
pub mod prebid_js;
pub mod prebid_server;
mod preface;
pub mod refusals;
pub mod routes;
pub mod tallies;
pub mod tls;
pub mod token;
mod unread;
pub mod verdicts;

use crate::access::Access;
use crate::config::{Config, Prebid, Server};
use crate::decide::{Decision, Status};
use crate::privacy::{Policy, Reason};
use crate::schema::Clock;
use crate::telemetry::metrics::{Metrics, Names};
use crate::wire::{Code, Failure};
use admission::{Admission, Shed};
use exposures::Reports;
use health::Health;
use ids::Sources;
use live::Live;
use refusals::Refusals;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// Where a question came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Door {
    /// `POST /v1/lookup`
    HttpLookup,
    /// `POST /v1/decide`
    HttpDecide,
    /// Probes, and what has no door.
    HttpOther,
    /// `Lookup`
    GrpcLookup,
    /// `LookupBatch`
    GrpcLookupBatch,
    /// A message of `LookupStream`
    GrpcLookupStream,
    /// `Decide`
    GrpcDecide,
    /// `POST /openrtb2/enrich`
    OpenRtbEnrich,
    /// `POST /openrtb2/decide`
    OpenRtbDecide,
    /// ARTF's `GetMutations`
    GrpcArtf,
    /// `POST /prebid/scope3`
    PrebidServer,
    /// `POST /prebid/rtd`
    PrebidJs,
    /// `GET /e/{kind}`
    Exposure,
}

impl Door {
    /// The names in metrics, in the order of the numbers.
    pub const NAMES: [&'static str; 13] = [
        "http_lookup",
        "http_decide",
        "http_other",
        "grpc_lookup",
        "grpc_lookup_batch",
        "grpc_lookup_stream",
        "grpc_decide",
        "openrtb_enrich",
        "openrtb_decide",
        "grpc_artf",
        "prebid_server",
        "prebid_js",
        "exposure",
    ];
}

/// Everything the doors share.
#[derive(Debug)]
pub struct Doors {
    /// The generation in service.
    pub live: Live,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Limits and timeouts.
    pub limits: Server,
    /// Who objects and who was deleted.
    pub refusals: Refusals,
    /// Where exposures are reported to.
    pub reports: Reports,
    /// Whether there is room for a request.
    pub admission: Admission,
    /// Whether the Prebid doors are open, and to which pages.
    pub prebid: Prebid,
    /// What privacy signals permit.
    pub policy: Policy,
    /// Identifier types, and the order in which they are tried.
    pub sources: Sources,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What the probes say.
    pub health: Health,
}

impl Doors {
    /// Doors without a generation: every answer is `not_ready`.
    pub fn new(config: &Config) -> Arc<Self> {
        let sources = Sources::new(config);
        Arc::new(Doors {
            live: Live::new(Access::new(config)),
            clock: config.as_of.map_or(Clock::System, Clock::Frozen),
            limits: config.server.clone(),
            refusals: Refusals::default(),
            reports: Reports::new(config.ingest.token_hours),
            admission: Admission::new(&config.server),
            prebid: config.prebid.clone(),
            policy: Policy::new(&config.privacy),
            metrics: metrics(&sources),
            sources,
            health: Health::default(),
        })
    }

    /// Runs one request: counts it, and turns a panic into a failure.
    fn guarded<T>(
        &self,
        door: Door,
        arrived: Instant,
        answer: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let answer = catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| {
            self.metrics.panics.fetch_add(1, Ordering::Relaxed);
            Err(Failure::new(Code::Internal, "the server failed on this request; its log says where"))
        });
        self.count(door, arrived, answer.as_ref().err());
        answer
    }

    /// Counts a request that ended.
    fn count(&self, door: Door, arrived: Instant, failure: Option<&Failure>) {
        let code = failure.map_or(0, |failure| 1 + failure.code as usize);
        self.metrics.request(door as usize, code, arrived.elapsed());
    }
}

/// Counters with the names of this floor and those below.
fn metrics(sources: &Sources) -> Arc<Metrics> {
    Metrics::new(Names {
        statuses: Status::ALL.iter().map(|status| status.name()).collect(),
        decisions: Decision::ALL.iter().map(|decision| (decision.verdict().name(), decision.reason())).collect(),
        doors: Door::NAMES.to_vec(),
        sources: sources.names(),
        codes: std::iter::once("ok").chain(Code::ALL.iter().map(|code| code.name())).collect(),
        sheds: Shed::NAMES.to_vec(),
        denials: Reason::NAMES.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_and_is_counted() {
        let doors = Doors::new(&Config::default());
        let failed = doors.guarded::<()>(Door::HttpLookup, Instant::now(), || panic!("a bug"));
        assert_eq!(failed.unwrap_err().code, Code::Internal);
        let text = doors.metrics.exposition();
        assert!(text.contains("vaglio_panics_total 1\n"));
        assert!(text.contains("vaglio_requests_total{door=\"http_lookup\",code=\"internal\"} 1\n"));
    }
}
