//! The shape of the configuration's planning half: what planners may publish, what is told of small audiences, where
//! audiences are exported to, and how long statistics are kept.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How definitions are published through the planner's API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publishing {
    /// Whose key publishes.
    pub approval: Approval,
    /// Publishing that moves a larger share of an audience's members must be confirmed.
    pub confirm_moved_share: f64,
}

impl Default for Publishing {
    fn default() -> Self {
        Publishing { approval: Approval::None, confirm_moved_share: 0.2 }
    }
}

/// What only an approver's key may publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Nothing: planners publish, and confirm for themselves.
    None,
    /// What must be confirmed.
    Confirmed,
    /// Everything.
    All,
}

/// What is told of audiences that are not the asker's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Protection {
    /// Counts below this are not told.
    pub floor: u32,
    /// Whether tenants' counts of everything are protected, not only those that depend on others' audiences.
    pub everything: bool,
    /// Protected questions that a tenant may ask an hour.
    pub questions_per_hour: u32,
    /// An audience with fewer members is not answered at bid time nor exported; an audience's own `floor` wins.
    pub activation_floor: u32,
}

impl Default for Protection {
    fn default() -> Self {
        Protection { floor: 100, everything: false, questions_per_hour: 600, activation_floor: 0 }
    }
}

/// A place that audiences are exported to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Its name in requests.
    pub name: String,
    /// A directory, or `s3://bucket/prefix`.
    pub path: String,
    /// The owners whose audiences may go there; empty = all.
    #[serde(default)]
    pub owners: Vec<String>,
}

/// What is counted of answers, minute by minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Statistics {
    /// For how many days minutes are kept; 0 = nothing is.
    pub keep_days: u32,
    /// For how many days it is remembered who was seen in the bidstream.
    pub seen_days: u32,
    /// Where; default `<data_dir>/statistics`.
    pub dir: Option<PathBuf>,
}

impl Default for Statistics {
    fn default() -> Self {
        Statistics { keep_days: 92, seen_days: 30, dir: None }
    }
}
