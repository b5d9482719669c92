//! The catalogue as a value: audiences, campaigns and groups of one generation, in a fixed order.
//!
//! An audience's position is its number in every section of the generation. The order is by `owner/id`.

use super::Rule;
use crate::schema::{AudienceId, Segment, Span, Timestamp};
use serde::{Deserialize, Serialize};

/// Whom an audience is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudienceKind {
    /// To speak to.
    Target,
    /// To leave alone: never leaves by a bid door.
    Suppress,
}

/// An audience: a rule, or an uploaded list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audience {
    /// `owner/id`.
    pub id: AudienceId,
    /// The name planners read.
    pub name: String,
    /// Whom it is for.
    pub kind: AudienceKind,
    /// The rule; `None` for a list.
    pub rule: Option<Rule>,
    /// A list's own time to live.
    pub ttl: Option<Span>,
    /// The label it is activated under.
    pub segment: Option<Segment>,
    /// The planner's folder.
    pub folder: Option<String>,
    /// The planner's tags.
    pub tags: Vec<String>,
    /// Free text.
    pub description: Option<String>,
    /// Who else may use it in rules and campaigns through the API.
    #[serde(default, skip_serializing_if = "Share::is_none")]
    pub share: Share,
    /// With fewer members it is not activated; `None` = the installation's floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<u64>,
    /// Before this instant nobody is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// From this instant on nobody is in it: the day after the last, at local midnight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
}

impl Audience {
    /// Whether somebody can be in it at an instant.
    pub fn is_valid(&self, at: Timestamp) -> bool {
        self.valid_from.is_none_or(|from| from <= at) && self.valid_to.is_none_or(|to| at < to)
    }
}

/// Who else may use an audience in rules and campaigns through the API.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Share {
    /// Nobody.
    #[default]
    None,
    /// Everybody.
    All,
    /// These owners.
    Owners(Vec<String>),
}

impl Share {
    fn is_none(&self) -> bool {
        *self == Share::None
    }

    /// Whether another owner may use it.
    pub fn permits(&self, owner: &str) -> bool {
        match self {
            Share::None => false,
            Share::All => true,
            Share::Owners(owners) => owners.iter().any(|each| each == owner),
        }
    }
}

/// Whether a campaign speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not yet.
    Draft,
    /// Yes, within its flight.
    Active,
    /// Not now.
    Paused,
    /// No more.
    Archived,
}

/// A verdict that a definition may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fallback {
    /// Speak.
    Target,
    /// Leave alone.
    Suppress,
    /// Say that it is not known.
    Unknown,
}

/// From when to when: instants, `to` excluded (the day after the last, at local midnight).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flight {
    /// First instant.
    pub from: Option<Timestamp>,
    /// End, excluded.
    pub to: Option<Timestamp>,
}

/// An exclusion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclude {
    /// The audience.
    pub audience: AudienceId,
    /// Never speak while it is not known whether the user is in it.
    pub hard: bool,
}

/// How often at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// Impressions.
    pub impressions: u32,
    /// Per how long; `None` = per flight.
    pub per: Option<Span>,
}

/// A deal a campaign runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// The exchange's name.
    pub exchange: String,
    /// The deal's id there.
    pub id: String,
    /// Whether it serves this advertiser alone.
    pub exclusive: bool,
}

/// What other systems call the campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The system (`dv360`).
    pub system: String,
    /// The line item's id there.
    pub line_item: String,
}

/// A campaign (line item): whom it may speak to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// `owner/id`.
    pub id: AudienceId,
    /// The name planners read.
    pub name: Option<String>,
    /// Whether it speaks.
    pub status: Status,
    /// From when to when.
    pub flight: Option<Flight>,
    /// Its deals.
    pub deals: Vec<Deal>,
    /// Its names elsewhere.
    pub refs: Vec<Reference>,
    /// In any of these; empty = everybody.
    pub include: Vec<AudienceId>,
    /// In none of these.
    pub exclude: Vec<Exclude>,
    /// The verdict on a user known to have no profile.
    pub no_profile: Fallback,
    /// What a door that cannot say "unknown" says.
    pub on_failure: Fallback,
    /// How often at most; see [`super::frequency`].
    pub caps: Vec<Cap>,
    /// The least time between two messages.
    pub min_gap: Option<Span>,
    /// Who wins within a group: higher first.
    pub priority: i32,
    /// Its group.
    pub group: Option<String>,
}

/// A group of campaigns with one voice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// `owner/name`.
    pub id: AudienceId,
    /// At most so many messages ...
    pub at_most: u32,
    /// ... per so long.
    pub per: Span,
}

/// How much an owner says to a person at most, over all of its campaigns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pressure {
    /// Whose campaigns.
    pub owner: String,
    /// At most so many messages ...
    pub messages: u32,
    /// ... per so long.
    pub per: Span,
}

/// Everything planners defined, as one generation carries it. Serialised as JSON in the `catalogue` section.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// Sorted by id; the position is the audience's number.
    pub audiences: Vec<Audience>,
    /// Sorted by id.
    pub campaigns: Vec<Campaign>,
    /// Sorted by id.
    pub groups: Vec<Group>,
    /// Sorted by owner, then by length of time; several of an owner all count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pressure: Vec<Pressure>,
}

impl Catalogue {
    /// The number of an audience.
    pub fn number(&self, id: &AudienceId) -> Option<u32> {
        self.audiences.binary_search_by(|audience| audience.id.cmp(id)).ok().map(|at| at as u32)
    }

    /// The number of a campaign.
    pub fn campaign(&self, id: &AudienceId) -> Option<u32> {
        self.campaigns.binary_search_by(|campaign| campaign.id.cmp(id)).ok().map(|at| at as u32)
    }
}
