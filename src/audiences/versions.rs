//! The catalogue's history as a value: changes of definitions, folded into the versions of each.
//!
//! A [`Change`] is what somebody did at once: all of it counts or none. [`parts`] cuts it into records of the control log and puts
//! them together again. What must not live here: files, what a definition means.

pub mod parts;
#[cfg(test)]
mod tests;

use crate::schema::{AudienceId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The most versions of an item that are kept in memory; older ones are in the log alone.
pub const MOST_VERSIONS: usize = 10_000;
/// The most items of one change.
pub const MOST_ITEMS: usize = 50_000;
/// The longest comment, in characters.
pub const LONGEST_COMMENT: usize = 1_000;

/// What sort of definition an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An audience.
    Audience,
    /// A campaign.
    Campaign,
    /// A group of campaigns.
    Group,
    /// How much an owner says to a person at most: one item an owner, `OWNER/pressure`.
    Pressure,
}

impl Kind {
    /// Each of them.
    pub const ALL: [Kind; 4] = [Kind::Audience, Kind::Campaign, Kind::Group, Kind::Pressure];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Audience => "audience",
            Kind::Campaign => "campaign",
            Kind::Group => "group",
            Kind::Pressure => "pressure",
        }
    }

    /// Its name in files and paths.
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Audience => "audiences",
            Kind::Campaign => "campaigns",
            Kind::Group => "groups",
            Kind::Pressure => "pressure",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Written down, and in force nowhere.
    Draft,
    /// In force, until another is.
    Published,
    /// No longer there.
    Archived,
}

/// Everything that somebody changed at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// From 1, growing: what is told twice counts once.
    pub number: u64,
    /// Who.
    pub author: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What.
    pub items: Vec<Item>,
}

/// What became of one definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What sort of definition.
    pub kind: Kind,
    /// `owner/id`.
    pub id: AudienceId,
    /// What it is from here on.
    pub state: State,
    /// Its canonical YAML; `None` when it is archived.
    pub text: Option<String>,
}

/// One version of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// From 1: its place in the definition's history.
    pub number: u64,
    /// The number of the change it came with.
    pub change: u64,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub author: Arc<str>,
    /// Why.
    pub comment: Option<Arc<str>>,
    /// What it is.
    pub state: State,
    /// Its canonical YAML; `None` when it is archived.
    pub text: Option<Arc<str>>,
}

/// The versions of one definition, and which of them hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Ascending by number; the oldest may be forgotten.
    versions: Vec<Version>,
    draft: Option<u64>,
    published: Option<u64>,
}

impl History {
    /// The version of a number, unless there is none or it is forgotten.
    pub fn version(&self, number: u64) -> Option<&Version> {
        let at = self.versions.binary_search_by_key(&number, |version| version.number).ok()?;
        self.versions.get(at)
    }

    /// Every version that is remembered, the oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The last: its number is what `ETag` says.
    pub fn last(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// What is written down and not published.
    pub fn draft(&self) -> Option<&Version> {
        self.version(self.draft?)
    }

    /// What is in force.
    pub fn published(&self) -> Option<&Version> {
        self.version(self.published?)
    }

    fn add(&mut self, mut version: Version) {
        // A text that is there already is kept once.
        let known = self.versions.iter().rev().take(8).filter_map(|known| known.text.as_ref());
        if let Some(same) = version.text.as_ref().and_then(|text| known.clone().find(|known| *known == text)) {
            version.text = Some(Arc::clone(same));
        }
        let number = version.number;
        let text = |at: Option<&Version>| at.and_then(|version| version.text.clone());
        match version.state {
            // A draft of what is in force is none.
            State::Draft => self.draft = (text(self.published()) != version.text).then_some(number),
            State::Published => {
                self.draft = self.draft.filter(|_| text(self.draft()) != version.text);
                self.published = Some(number);
            }
            State::Archived => (self.draft, self.published) = (None, None),
        }
        self.versions.push(version);
        if self.versions.len() > MOST_VERSIONS {
            let held = [self.draft, self.published];
            if let Some(oldest) = self.versions.iter().position(|version| !held.contains(&Some(version.number))) {
                self.versions.remove(oldest);
            }
        }
    }
}

/// Every definition's versions: the fold of all changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions {
    items: BTreeMap<(Kind, AudienceId), History>,
    last: u64,
}

impl Versions {
    /// Applies a change, unless it is known; returns whether it did. Changes come in the order of their numbers.
    pub fn apply(&mut self, time: Timestamp, change: Change) -> bool {
        if change.number <= self.last {
            return false;
        }
        self.last = change.number;
        let author: Arc<str> = change.author.into();
        let comment: Option<Arc<str>> = change.comment.map(Into::into);
        for item in change.items {
            let history = self.items.entry((item.kind, item.id)).or_default();
            history.add(Version {
                number: history.last().map_or(0, |last| last.number) + 1,
                change: change.number,
                time,
                author: Arc::clone(&author),
                comment: comment.clone(),
                state: item.state,
                text: item.text.filter(|_| item.state != State::Archived).map(Into::into),
            });
        }
        true
    }

    /// The number of the last change; 0 before the first.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The history of a definition.
    pub fn get(&self, kind: Kind, id: &AudienceId) -> Option<&History> {
        // The key is owned: a lookup among 20,000 does not feel it.
        self.items.get(&(kind, id.clone()))
    }

    /// Every definition that ever was, by kind and id.
    pub fn iter(&self) -> impl Iterator<Item = (Kind, &AudienceId, &History)> {
        self.items.iter().map(|((kind, id), history)| (*kind, id, history))
    }

    /// Everything in force: kind, id and text.
    pub fn published(&self) -> impl Iterator<Item = (Kind, &AudienceId, &Arc<str>)> {
        self.iter().filter_map(|(kind, id, history)| Some((kind, id, history.published()?.text.as_ref()?)))
    }
}
