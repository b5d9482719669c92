//! The shape of the configuration file. Units are in the names; every key is documented in `default.yaml`.

use super::feeding::Ingest;
use super::planning::{Destination, Protection, Publishing, Statistics};
use super::serving::{Caller, Prebid, Privacy, Server};
use crate::schema::{PropKind, Span, Timestamp, TraitKind, Use};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where generations live.
    pub data_dir: PathBuf,
    /// The file with the installation's secret (32 hexadecimal digits); default `<data_dir>/vaglio.key`.
    pub key_file: Option<PathBuf>,
    /// The IANA time zone of `today` and of dates.
    pub timezone: String,
    /// Freezes the clock of builds and answers: reproducible; refuses live ingest.
    pub as_of: Option<Timestamp>,
    /// Globs of YAML files with audiences, campaigns and groups.
    pub definitions: Vec<String>,
    /// Where profile data comes from.
    pub sources: Vec<Source>,
    /// How identifiers become profiles.
    pub identity: Identity,
    /// How generations are built.
    pub build: Build,
    /// What comes by the doors between builds.
    pub ingest: Ingest,
    /// How definitions are published.
    pub publishing: Publishing,
    /// What is told of audiences that are not the asker's own.
    pub protection: Protection,
    /// Where audiences may be exported to.
    pub destinations: Vec<Destination>,
    /// What is counted of answers.
    pub statistics: Statistics,
    /// Where and how questions are answered.
    pub server: Server,
    /// What signals permit.
    pub privacy: Privacy,
    /// The doors of Prebid Server and Prebid.js.
    pub prebid: Prebid,
    /// Who calls, with what credentials and to see what.
    pub callers: Vec<Caller>,
    /// What a caller without a credential may see; absent = everything on loopback while there are neither callers nor
    /// bidder keys, nothing otherwise.
    pub public: Option<Caller>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data_dir: "data".into(),
            key_file: None,
            timezone: "UTC".to_owned(),
            as_of: None,
            definitions: Vec::new(),
            sources: Vec::new(),
            identity: Identity::default(),
            build: Build::default(),
            ingest: Ingest::default(),
            publishing: Publishing::default(),
            protection: Protection::default(),
            destinations: Vec::new(),
            statistics: Statistics::default(),
            server: Server::default(),
            privacy: Privacy::default(),
            prebid: Prebid::default(),
            callers: Vec::new(),
            public: None,
        }
    }
}

/// One source of profile data.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its name in reports.
    pub name: String,
    /// What a row is.
    pub kind: SourceKind,
    /// A glob: local, or `s3://bucket/prefix*`. The extension gives the format: csv, ndjson/jsonl, parquet; .gz, .zst.
    pub path: String,
    /// The identifier columns.
    #[serde(default)]
    pub ids: Vec<IdColumn>,
    /// The trait columns (profiles).
    #[serde(default)]
    pub traits: Vec<TraitColumn>,
    /// When the row was true (profiles, memberships, consents) or happened (events).
    #[serde(default)]
    pub time: Option<TimeColumn>,
    /// The event's name (events).
    #[serde(default)]
    pub event: Option<EventColumn>,
    /// The event's unique id: rows that repeat it count once (events). Without it identical rows count twice.
    #[serde(default)]
    pub event_id: Option<String>,
    /// The event's properties (events).
    #[serde(default)]
    pub properties: Vec<PropColumn>,
    /// The columns of an uploaded list (memberships).
    #[serde(default)]
    pub membership: Option<MembershipColumns>,
    /// Whether linked identifiers are one person, one person's devices, or merely one household (links).
    #[serde(default)]
    pub level: LinkLevel,
    /// The columns of consents and objections (consents).
    #[serde(default)]
    pub consent: Option<ConsentColumns>,
    /// Higher wins a trait conflict.
    #[serde(default)]
    pub priority: i32,
    /// Past this age (of its newest file) target audiences built on it drop, suppress audiences hold.
    #[serde(default)]
    pub max_age: Option<Span>,
    /// Permitted uses; default all.
    #[serde(default)]
    pub uses: Option<Vec<Use>>,
    /// The legal basis, as text for reports.
    #[serde(default)]
    pub legal_basis: Option<String>,
    /// Rows older than this many days are not indexed.
    #[serde(default)]
    pub retention_days: Option<u32>,
    /// Stops a build when a larger share of its rows is rejected; default `build.max_rejected_share`.
    #[serde(default)]
    pub max_rejected_share: Option<f64>,
    /// The CSV delimiter; default `,`.
    #[serde(default)]
    pub delimiter: Option<char>,
}

/// What a row of a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// A person with traits.
    Profiles,
    /// Something somebody did.
    Events,
    /// A line of an uploaded list.
    Memberships,
    /// Identifiers that belong together.
    Links,
    /// A consent, objection or withdrawal.
    Consents,
}

/// An identifier column.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdColumn {
    /// The column.
    pub column: String,
    /// `email`, `phone`, `ifa`, or any EID source. For memberships and links it may be `$COLUMN`: read from that column.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it occurs at bid time, and so belongs into the bid-time index. Default: true for `ifa` and for names with
    /// a dot (EID sources), false for others.
    #[serde(default)]
    pub bid: Option<bool>,
    /// Whether an `email` or `phone` column already holds the UID2 hash (Base64 of SHA-256).
    #[serde(default)]
    pub hashed: bool,
}

/// A trait column.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraitColumn {
    /// The column (NDJSON: a dotted path).
    pub column: String,
    /// The trait's name; default the column's.
    #[serde(default, rename = "trait")]
    pub name: Option<String>,
    /// The kind.
    pub kind: TraitKind,
    /// Renames values as they come (`"1": young`); a value mapped to "" is unknown. For flags: to `true`/`false`.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// The permitted values after mapping (category, tags); others are rejected. Empty = any.
    #[serde(default)]
    pub values: Vec<String>,
    /// Number: `.` (default) or `,` as decimal separator. Date: strptime format, default `%Y-%m-%d`.
    #[serde(default)]
    pub format: Option<String>,
    /// Tags: what separates them; default `|`.
    #[serde(default)]
    pub separator: Option<String>,
    /// Permitted uses; default the source's.
    #[serde(default)]
    pub uses: Option<Vec<Use>>,
    /// The linter warns about rules that use it.
    #[serde(default)]
    pub sensitive: bool,
    /// The legal basis; default the source's.
    #[serde(default)]
    pub legal_basis: Option<String>,
    /// Default the source's.
    #[serde(default)]
    pub retention_days: Option<u32>,
}

impl TraitColumn {
    /// The trait's name: given, or the column's.
    pub fn trait_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.column)
    }
}

/// The time column.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeColumn {
    /// The column.
    pub column: String,
    /// `rfc3339` (default), `unix`, `unix_ms`, or a strptime format read in the config's time zone.
    #[serde(default)]
    pub format: Option<String>,
}

/// Where an event's name comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventColumn {
    /// The column that holds it.
    #[serde(default)]
    pub column: Option<String>,
    /// The names that occur (with `column`), or the one name of every row (without).
    pub names: Vec<String>,
    /// Renames names as they come.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
}

/// A property column.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropColumn {
    /// The column.
    pub column: String,
    /// The property's name; default the column's.
    #[serde(default)]
    pub name: Option<String>,
    /// The kind.
    pub kind: PropKind,
    /// Renames values as they come.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// The permitted values after mapping (category). Empty = any.
    #[serde(default)]
    pub values: Vec<String>,
    /// Which events carry it; default all of the source's.
    #[serde(default)]
    pub events: Vec<String>,
}

impl PropColumn {
    /// The property's name: given, or the column's.
    pub fn prop_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.column)
    }
}

/// The columns of an uploaded list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembershipColumns {
    /// The audience (`owner/id`): a column, or
    #[serde(default)]
    pub audience_column: Option<String>,
    /// the one audience of every row.
    #[serde(default)]
    pub audience: Option<String>,
    /// Minutes from the row's time (or the file's modification) until it ends; absent or empty = the list's own ttl.
    #[serde(default)]
    pub ttl_minutes_column: Option<String>,
    /// A flag column: true removes.
    #[serde(default)]
    pub remove_column: Option<String>,
}

/// What a link says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkLevel {
    /// The identifiers are one person.
    #[default]
    Person,
    /// The identifiers are devices of one person.
    Device,
    /// The identifiers share a home: never merges persons.
    Household,
}

/// The columns of consents and objections.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentColumns {
    /// The column that says what: `objection_marketing`, `objection_profiling`, `objection_all`, `consent`, `refusal`.
    pub column: String,
    /// Renames values as they come.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
}

/// How identifiers become profiles.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// A profile with more identifiers is cut apart.
    pub max_ids_per_profile: u32,
    /// Identifier types in the order in which they are tried at bid time; others follow in the request's order.
    pub precedence: Vec<String>,
    /// Sources of the bidstream that go by another name here, or arrive encrypted.
    pub bid_sources: Vec<BidSource>,
}

/// How an EID source of the bidstream becomes an identifier type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BidSource {
    /// The source as requests name it.
    pub source: String,
    /// The identifier type it is here; default the source itself.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// How its uids become the identifiers that profiles hold.
    #[serde(default)]
    pub resolver: Resolver,
}

/// How a uid of the bidstream becomes the identifier that profiles hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolver {
    /// It is that identifier.
    #[default]
    Plain,
}

impl Default for Identity {
    fn default() -> Self {
        Identity { max_ids_per_profile: 64, precedence: Vec::new(), bid_sources: Vec::new() }
    }
}

/// How generations are built.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Build {
    /// Seconds between activations while serving; 0 = never.
    pub activate_interval_seconds: u64,
    /// Seconds between full builds (index and activate) while serving; 0 = never.
    pub index_interval_seconds: u64,
    /// Generations kept for rollback, the live one included.
    pub keep_generations: usize,
    /// Stops a build when a larger share of a source's rows is rejected.
    pub max_rejected_share: f64,
    /// Worker threads; 0 = one per core.
    pub threads: usize,
    /// The longest line or row accepted, in bytes.
    pub max_row_bytes: usize,
    /// Whether a filter stands in front of the identity index.
    pub filter: bool,
}

impl Default for Build {
    fn default() -> Self {
        Build {
            activate_interval_seconds: 3_600,
            index_interval_seconds: 86_400,
            keep_generations: 3,
            max_rejected_share: 0.05,
            threads: 0,
            max_row_bytes: 1 << 20,
            filter: false,
        }
    }
}
