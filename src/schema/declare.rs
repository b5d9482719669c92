//! What the configuration declares of traits and events: the vocabulary planners' rules are checked against.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a trait or source may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// To choose whom to speak to.
    Target,
    /// To choose whom to leave alone.
    Suppress,
    /// To cap how often.
    Cap,
    /// To count and describe.
    Insights,
}

impl Use {
    /// All four: the default where nothing is declared.
    pub const ALL: [Use; 4] = [Use::Target, Use::Suppress, Use::Cap, Use::Insights];
}

/// The kind of a trait's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TraitKind {
    /// Yes or no.
    Flag,
    /// One of a set of texts.
    Category,
    /// Any number of texts.
    Tags,
    /// A number.
    Number,
    /// A calendar day.
    Date,
}

/// The kind of an event property's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PropKind {
    /// Yes or no.
    Flag,
    /// One of a set of texts.
    Category,
    /// A number.
    Number,
}

/// A declared trait: the union of what every source that feeds it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraitDecl {
    /// The name rules use.
    pub name: String,
    /// The kind; the same in every source.
    pub kind: TraitKind,
    /// Known values of a category or tags, sorted; empty when the set is open.
    pub values: Vec<String>,
    /// Permitted uses: the intersection over the trait and its sources, sorted.
    pub uses: Vec<Use>,
    /// Whether using it deserves a warning (health, beliefs, minors, ...).
    pub sensitive: bool,
    /// Values older than this many days are not indexed.
    pub retention_days: Option<u32>,
    /// The legal basis as declared.
    pub legal_basis: Option<String>,
    /// Names of the sources that feed it.
    pub sources: Vec<String>,
}

/// A declared property of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropDecl {
    /// The name rules use.
    pub name: String,
    /// The kind; the same in every source.
    pub kind: PropKind,
    /// Known values of a category, sorted; empty when the set is open.
    pub values: Vec<String>,
}

/// A declared event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDecl {
    /// The name rules use.
    pub name: String,
    /// Its properties.
    pub properties: Vec<PropDecl>,
    /// Permitted uses, sorted.
    pub uses: Vec<Use>,
    /// Events older than this many days are not indexed.
    pub retention_days: Option<u32>,
    /// The legal basis as declared.
    pub legal_basis: Option<String>,
    /// Names of the sources that feed it.
    pub sources: Vec<String>,
}

/// The whole vocabulary. Positions in the vectors are the trait and event numbers used by `collect` and `profiles`;
/// both are sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declarations {
    /// Traits, sorted by name.
    pub traits: Vec<TraitDecl>,
    /// Events, sorted by name.
    pub events: Vec<EventDecl>,
    /// The sources that feed uploaded lists, by name.
    pub list_sources: BTreeMap<String, ListSource>,
}

/// A source of uploaded lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSource {
    /// Permitted uses, sorted.
    pub uses: Vec<Use>,
    /// The one list that it feeds (`owner/id`); `None` = each of its rows names one.
    pub list: Option<String>,
}

impl Declarations {
    /// The trait of this name and its number.
    pub fn find_trait(&self, name: &str) -> Option<(usize, &TraitDecl)> {
        let at = self.traits.binary_search_by(|decl| decl.name.as_str().cmp(name)).ok()?;
        Some((at, &self.traits[at]))
    }

    /// The event of this name and its number.
    pub fn find_event(&self, name: &str) -> Option<(usize, &EventDecl)> {
        let at = self.events.binary_search_by(|decl| decl.name.as_str().cmp(name)).ok()?;
        Some((at, &self.events[at]))
    }
}

impl EventDecl {
    /// The property of this name and its number.
    pub fn find_property(&self, name: &str) -> Option<(usize, &PropDecl)> {
        self.properties.iter().enumerate().find(|(_, prop)| prop.name == name)
    }
}
