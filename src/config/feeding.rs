//! The shape of the configuration's live half: what the events door takes, and how long what it took stays.

use crate::schema::{PropKind, TraitKind, Use};
use serde::{Deserialize, Serialize};

/// What comes by the doors between builds: events, traits, memberships, consents, exposures, objections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ingest {
    /// Whether the doors take anything. Objections and deletions are taken all the same.
    pub enabled: bool,
    /// Identifier types that no source has.
    pub ids: Vec<DoorId>,
    /// Traits that no source has, or that mean the same as a source's.
    pub traits: Vec<DoorTrait>,
    /// Events that no source has, or that mean the same as a source's.
    pub events: Vec<DoorEvents>,
    /// The priority of traits that come by the door: higher wins a conflict, then the more recent.
    pub priority: i32,
    /// For how long an event's id is remembered: one that is repeated within it counts once.
    pub dedupe_hours: u32,
    /// An event that is said to happen later than so many seconds from now is refused.
    pub max_future_seconds: u64,
    /// Bytes of events that may wait to be written; past it senders are told to come back.
    pub queue_bytes: usize,
    /// The size at which a log segment is sealed.
    pub segment_bytes: u64,
    /// Disk space that is kept free for objections and deletions: events are refused before it is used.
    pub reserve_bytes: u64,
    /// The most profiles that are changed between two generations; changes of others wait for the next.
    pub max_changed_profiles: usize,
    /// The most identifiers without a profile that are followed between two generations; others wait for the next.
    pub max_strangers: usize,
    /// Caps are `unknown`, and answers stale, once what was acknowledged is applied later than this.
    pub behind_seconds: u64,
    /// For how long an exposure can be reported with the token of its decision.
    pub token_hours: u32,
}

impl Default for Ingest {
    fn default() -> Self {
        Ingest {
            enabled: true,
            ids: Vec::new(),
            traits: Vec::new(),
            events: Vec::new(),
            priority: 0,
            dedupe_hours: 24,
            max_future_seconds: 300,
            queue_bytes: 64 << 20,
            segment_bytes: 64 << 20,
            reserve_bytes: 16 << 20,
            max_changed_profiles: 1_000_000,
            max_strangers: 1_000_000,
            behind_seconds: 10,
            token_hours: 24,
        }
    }
}

/// An identifier type of the door.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorId {
    /// `ifa`, `email`, `phone` or an EID source.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it occurs at bid time; default as of a source's column.
    #[serde(default)]
    pub bid: Option<bool>,
}

/// A trait of the door.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorTrait {
    /// The name rules use.
    #[serde(rename = "trait")]
    pub name: String,
    /// The kind.
    pub kind: TraitKind,
    /// The permitted values (category, tags). Empty = any.
    #[serde(default)]
    pub values: Vec<String>,
    /// Permitted uses; default all.
    #[serde(default)]
    pub uses: Option<Vec<Use>>,
    /// The linter warns about rules that use it.
    #[serde(default)]
    pub sensitive: bool,
    /// The legal basis, as text for reports.
    #[serde(default)]
    pub legal_basis: Option<String>,
    /// Values older than this many days are not indexed.
    #[serde(default)]
    pub retention_days: Option<u32>,
}

/// Events of the door that have the same properties.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorEvents {
    /// The names rules use.
    pub names: Vec<String>,
    /// Their properties.
    #[serde(default)]
    pub properties: Vec<DoorProperty>,
    /// Permitted uses; default all.
    #[serde(default)]
    pub uses: Option<Vec<Use>>,
    /// The legal basis, as text for reports.
    #[serde(default)]
    pub legal_basis: Option<String>,
    /// Events older than this many days are not indexed.
    #[serde(default)]
    pub retention_days: Option<u32>,
}

/// A property of a door's event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorProperty {
    /// Its name.
    pub name: String,
    /// The kind.
    pub kind: PropKind,
    /// The permitted values (category). Empty = any.
    #[serde(default)]
    pub values: Vec<String>,
}

/// How objections and deletions are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objections {
    /// Why the list of those who object is kept, as text for reports.
    pub legal_basis: Option<String>,
    /// After how many days an objection that came by the door ends; absent = never.
    pub expire_days: Option<u32>,
    /// Within how many days of a deletion no file holds the person any more.
    pub purge_days: u32,
    /// After how many days a deleted person may be taken in again; absent = never.
    pub forget_days: Option<u32>,
}

impl Default for Objections {
    fn default() -> Self {
        let legal_basis = Some("legal obligation: to honour an objection (GDPR article 21)".to_owned());
        Objections { legal_basis, expire_days: None, purge_days: 7, forget_days: None }
    }
}
