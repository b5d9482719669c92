//! Names: audiences, segments, generations, ordinals.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The position of a profile in one snapshot. Never leaves it: what outlives it uses a `ProfileKey`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Ordinal(pub u32);

/// The number of a published generation, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A place in a log: how many records stand before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub u64);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An audience's or campaign's full name: `owner/id`, unique per owner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AudienceId(String);

impl AudienceId {
    /// `owner/id`. Both parts are expected to be valid names (see [`is_name`]).
    pub fn new(owner: &str, id: &str) -> Self {
        AudienceId(format!("{owner}/{id}"))
    }

    /// Resolves a reference as a planner writes it: `id` means the same owner's, `owner/id` is taken whole.
    pub fn resolve(reference: &str, owner: &str) -> Self {
        if reference.contains('/') { AudienceId(reference.to_owned()) } else { AudienceId::new(owner, reference) }
    }

    /// `owner/id`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The owner.
    pub fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// The id within the owner.
    pub fn id(&self) -> &str {
        self.0.split_once('/').map_or(self.0.as_str(), |(_, id)| id)
    }
}

impl fmt::Display for AudienceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` can be an owner, audience, campaign, trait or event name: 1 to 100 of letters, digits, `_`, `-`, `.`,
/// starting with a letter or digit.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    text.len() <= 100
        && chars.next().is_some_and(char::is_alphanumeric)
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// The label an audience is activated under: IAB taxonomy number (`segtax`) and id within it. Without a taxonomy the id
/// is proprietary.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// `segtax`: 4 = IAB Audience Taxonomy 1.1, 500+ = vendor-specific.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxonomy: Option<u32>,
    /// The id within the taxonomy.
    pub id: String,
}
