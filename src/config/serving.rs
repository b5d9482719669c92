//! The shape of the configuration's serving half: listeners and their limits, callers, privacy, the Prebid doors.

use super::feeding::Objections;
use crate::schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where and how questions are answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// gRPC.
    pub grpc: SocketAddr,
    /// Bid HTTP.
    pub http: SocketAddr,
    /// Planner and metrics. Who shows no key is answered on loopback only.
    pub planner: SocketAddr,
    /// TLS on the bid ports; absent = plain text.
    pub tls: Option<Tls>,
    /// TLS on the planner's port; absent = plain text.
    pub planner_tls: Option<Tls>,
    /// Answers from a generation older than this are flagged `stale`.
    pub max_age_seconds: u64,
    /// How long a drain may take after SIGTERM.
    pub drain_ms: u64,
    /// The largest request body, also after decompression.
    pub max_body_bytes: usize,
    /// The largest head of a request: request line and headers.
    pub max_header_bytes: usize,
    /// The most identifiers a request may carry.
    pub max_ids: usize,
    /// The most lookups a batch or stream message may carry.
    pub max_batch: usize,
    /// How long a client may take to send its headers, or stay idle between requests.
    pub idle_timeout_ms: u64,
    /// How long a client may take to send a body.
    pub body_timeout_ms: u64,
    /// How long a client may take to receive an answer.
    pub write_timeout_ms: u64,
    /// The most connections of the bid HTTP port, and as many of the gRPC port.
    pub max_connections: usize,
    /// The most requests under way at once on one HTTP/2 connection.
    pub max_streams: u32,
    /// The most requests under way at once, over all doors; what comes on top is answered `overloaded`. A request whose
    /// client takes longer than 100 ms to send the body is not counted while it waits.
    pub max_in_flight: usize,
    /// Requests are answered `overloaded` while the bid plane runs later than this; 0 = no limit.
    pub max_queue_ms: u64,
    /// Until when an answer is worth giving.
    pub deadline: Deadline,
    /// Worker threads of the bid plane; 0 = one per core.
    pub workers: usize,
    /// Bid sections are copied into huge pages instead of mapped.
    pub huge_pages: bool,
}

impl Default for Server {
    fn default() -> Self {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Server {
            grpc: loopback(50051),
            http: loopback(8080),
            planner: loopback(8081),
            tls: None,
            planner_tls: None,
            max_age_seconds: 2 * 86_400,
            drain_ms: 5_000,
            max_body_bytes: 1 << 20,
            max_header_bytes: 32 << 10,
            max_ids: 64,
            max_batch: 256,
            idle_timeout_ms: 60_000,
            body_timeout_ms: 5_000,
            write_timeout_ms: 5_000,
            max_connections: 10_000,
            max_streams: 1_024,
            max_in_flight: 4_096,
            max_queue_ms: 100,
            deadline: Deadline::default(),
            workers: 0,
            huge_pages: false,
        }
    }
}

/// Certificates of a port, PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Who signs clients' certificates: a client that shows one is known by its name (`callers[].mtls`; `vaglio keys create --mtls`).
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Whether a client without a certificate is turned away.
    #[serde(default)]
    pub client_required: bool,
}

/// Until when an answer is worth giving: the least of `tmax x tmax_share - network_ms`, `grpc-timeout` and `cap_ms`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deadline {
    /// The share of a request's tmax that is ours.
    pub tmax_share: f64,
    /// What of it the way to us and back takes.
    pub network_ms: u64,
    /// The longest, whatever the request says; 0 = no limit.
    pub cap_ms: u64,
}

impl Default for Deadline {
    fn default() -> Self {
        Deadline { tmax_share: 0.8, network_ms: 2, cap_ms: 1_000 }
    }
}

/// Somebody who calls, or everybody without a credential (`public`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Caller {
    /// Its name in metrics and logs.
    pub name: String,
    /// Its keys, as `vaglio keys create --print-hash` shows them; two valid at once let it change from one to the other.
    pub credentials: Vec<Credential>,
    /// The names of its client certificates (a DNS name of the certificate, or its common name).
    pub mtls: Vec<String>,
    /// Owners whose target audiences and campaigns are answered; `*` = all.
    pub owners: Vec<String>,
    /// If not empty: only these audiences (`owner/id`).
    pub audiences: Vec<String>,
    /// What it is told instead of `owner/id`. A suppress audience leaves by a bid door only to a caller that has an
    /// entry for it here.
    pub external_ids: BTreeMap<String, String>,
    /// Who it is told gives the segments: `user.data[].id` and `.name`.
    pub provider: Provider,
    /// The most segments in one answer.
    pub max_segments: usize,
    /// The exchange it is: whose deal ids its requests carry.
    pub exchange: Option<String>,
    /// The identifier type of its `user.id`; default the exchange's name.
    pub user_id: Option<String>,
    /// The identifier type of its `user.buyeruid`; default: not used.
    pub buyeruid: Option<String>,
    /// Whether its requests' privacy signals are still to be enforced.
    pub privacy: PrivacyDuty,
    /// What its silence about a deal means.
    pub enforcement: Enforcement,
    /// Answer 204 when every campaign is suppressed.
    pub no_bid_as_204: bool,
}

impl Default for Caller {
    fn default() -> Self {
        Caller {
            name: String::new(),
            credentials: Vec::new(),
            mtls: Vec::new(),
            owners: Vec::new(),
            audiences: Vec::new(),
            external_ids: BTreeMap::new(),
            provider: Provider::default(),
            max_segments: 100,
            exchange: None,
            user_id: None,
            buyeruid: None,
            privacy: PrivacyDuty::default(),
            enforcement: Enforcement::default(),
            no_bid_as_204: false,
        }
    }
}

/// A key, hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// SHA-256 of the key's text, 64 hexadecimal digits.
    pub sha256: String,
    /// Until when it is valid; absent = until it is taken away.
    #[serde(default)]
    pub expires: Option<Timestamp>,
}

/// Who gives the segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provider {
    /// `user.data[].id`
    pub id: String,
    /// `user.data[].name`
    pub name: String,
}

impl Default for Provider {
    fn default() -> Self {
        Provider { id: "vaglio".to_owned(), name: "vaglio".to_owned() }
    }
}

/// Whether a caller's privacy signals are still to be enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivacyDuty {
    /// Every signal is decoded and honoured.
    #[default]
    Required,
    /// The caller sends only what its consent strings permit: they are not decoded again. Plain refusals (COPPA, LMT,
    /// GPC) are honoured all the same, and so are stored objections and refusals.
    AlreadyEnforced,
}

/// What silence about a deal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// The deal runs unless it is suppressed.
    #[default]
    Negative,
    /// The deal sleeps unless it is activated.
    Positive,
}

/// What signals permit: engineering defaults, not legal advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// The vendor of the Global Vendor List in whose name profiles are read; absent = a TCF string permits nothing.
    pub tcf_vendor_id: Option<u16>,
    /// The TCF purposes that each use needs.
    pub purposes: Purposes,
    /// Purposes for which legitimate interest does instead of consent.
    pub legitimate_interest: Vec<u8>,
    /// Whether the vendor must be among the disclosed ones (TCF 2.3).
    pub disclosed_vendors: DisclosedVendors,
    /// Whether a request from the EEA or the UK that does not say whether GDPR applies is taken as if it did.
    pub gdpr_by_country: bool,
    /// How objections and deletions are kept.
    pub objections: Objections,
}

impl Default for Privacy {
    fn default() -> Self {
        Privacy {
            tcf_vendor_id: None,
            purposes: Purposes::default(),
            legitimate_interest: vec![2, 7, 9],
            disclosed_vendors: DisclosedVendors::default(),
            gdpr_by_country: true,
            objections: Objections::default(),
        }
    }
}

/// The TCF purposes that each use needs, all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Purposes {
    /// To choose whom to speak to.
    pub target: Vec<u8>,
    /// To choose whom to leave alone.
    pub suppress: Vec<u8>,
    /// To cap how often.
    pub cap: Vec<u8>,
    /// To count and describe.
    pub insights: Vec<u8>,
}

impl Default for Purposes {
    fn default() -> Self {
        Purposes { target: vec![1, 3, 4], suppress: vec![1, 3, 4], cap: vec![1, 2], insights: vec![1, 9] }
    }
}

/// Whether the vendor must be among a TCF string's disclosed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisclosedVendors {
    /// In every string.
    Required,
    /// In strings of TCF 2.3 (policy version 5 and later), and wherever the segment is there.
    #[default]
    ByVersion,
    /// The segment is not looked at.
    Ignored,
}

/// The doors of Prebid Server and Prebid.js.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prebid {
    /// Whether they are open.
    pub enabled: bool,
    /// Web origins that may read an answer (CORS); `*` = all.
    pub origins: Vec<String>,
}
