//! The identity graph: identifiers get numbers, rows that name several join them (union-find).
//!
//! The partition does not depend on the order of rows; only the numbers do, and they end with the build.

use super::cut;
use super::numbers::Numbers;
use super::people::{IdentityReport, People};
use super::sets::Sets;
use crate::error::{Error, Result};
use crate::schema::ProfileKey;

/// Whom a row speaks of, before profiles are known: an identifier, or (top bit) a set of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node(u32);

const SET: u32 = 1 << 31;

impl Node {
    pub(super) fn read(self) -> std::result::Result<u32, u32> {
        if self.0 & SET == 0 { Ok(self.0) } else { Err(self.0 & !SET) }
    }

    /// Nobody but the identifier of this number.
    pub(super) fn one(id: u32) -> Self {
        Node(id)
    }

    pub(super) fn raw(self) -> u32 {
        self.0
    }

    pub(super) fn from_raw(raw: u32) -> Self {
        Node(raw)
    }
}

/// What sort of row mentions an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witness {
    /// A row about a person: its identifiers get a profile.
    Person,
    /// A link: counts as a mention, and is counted apart.
    Link,
    /// A consent or an objection: joins identifiers, but alone makes no profile.
    Consent,
}

/// Identifiers and what joins them.
#[derive(Debug, Default)]
pub struct Graph {
    numbers: Numbers,
    types: Vec<u16>,
    parents: Vec<u32>,
    /// Whether a row other than a consent mentions it.
    mentioned: Vec<bool>,
    sets: Sets,
    scratch: Vec<u32>,
    asked: Vec<ProfileKey>,
    report: IdentityReport,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Graph::default()
    }

    /// Appends the numbers of these identifiers to `out`, in order, giving new ones to the unknown. Many at once: the
    /// look-ups then overlap their cache misses.
    ///
    /// # Errors
    /// More than 2^31 identifiers.
    pub fn number(&mut self, ids: impl Iterator<Item = (ProfileKey, u16)> + Clone, out: &mut Vec<u32>) -> Result<()> {
        let first = out.len();
        self.asked.clear();
        self.asked.extend(ids.clone().map(|(key, _)| key));
        self.numbers.of(&self.asked, out);
        for (&number, (_, id_type)) in out[first..].iter().zip(ids) {
            // Numbers ascend, so whoever comes for the first time is the next without a type.
            if number as usize == self.types.len() {
                self.types.push(id_type);
                self.parents.push(number);
                self.mentioned.push(false);
            }
        }
        if self.types.len() >= SET as usize {
            return Err(Error::input(
                "more than 2,147,483,648 different identifiers: split the sources and build several snapshots",
            ));
        }
        Ok(())
    }

    /// Adds a row that names these identifiers (at least one) and joins them.
    ///
    /// # Errors
    /// More than 2^31 joins.
    pub fn row(&mut self, ids: &[u32], witness: Witness) -> Result<Node> {
        self.report.rows += u64::from(witness == Witness::Person);
        self.report.links += u64::from(witness == Witness::Link);
        if witness != Witness::Consent {
            ids.iter().for_each(|&id| self.mentioned[id as usize] = true);
        }
        let &[first, ref rest @ ..] = ids else {
            return Err(Error::internal("a row without identifiers reached the identity graph"));
        };
        if rest.is_empty() {
            return Ok(Node(first));
        }
        rest.iter().for_each(|&other| union(&mut self.parents, first, other));
        self.scratch.clear();
        self.scratch.extend_from_slice(ids);
        self.scratch.sort_unstable();
        self.scratch.dedup();
        let position = self.sets.remember(&self.scratch);
        if self.sets.len() >= SET as usize {
            return Err(Error::input(
                "more than 2^31 joined identifiers: split the sources and build several snapshots",
            ));
        }
        Ok(Node(SET | position))
    }

    /// Counts a household link: it never merges persons.
    pub fn household(&mut self) {
        self.report.household_links += 1;
    }

    /// Every identifier so far and its number.
    pub fn identifiers(&self) -> impl Iterator<Item = (ProfileKey, u32)> + '_ {
        self.numbers.keys().iter().copied().zip(0..)
    }

    /// Identifiers so far.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether no row has come.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// Cuts what is too large, then gives every profile its ordinal. `max_ids` is the most identifiers of a profile.
    pub fn finish(mut self, max_ids: u32) -> People {
        let keys = std::mem::take(&mut self.numbers).into_keys();
        self.sets.seal();
        let cut = cut::oversize(&mut self.parents, &self.sets, &keys, max_ids.max(1) as usize);
        self.report.cut_components = cut.components;
        self.report.cut_identifiers = cut.identifiers.len() as u64;
        People::new(keys, self.types, self.parents, self.mentioned, self.sets, &cut.identifiers, self.report)
    }
}

/// The root of an identifier; halves the path on the way.
pub(super) fn find(parents: &mut [u32], mut id: u32) -> u32 {
    while parents[id as usize] != id {
        let above = parents[parents[id as usize] as usize];
        parents[id as usize] = above;
        id = above;
    }
    id
}

/// Makes two identifiers one component.
pub(super) fn union(parents: &mut [u32], a: u32, b: u32) {
    let (a, b) = (find(parents, a), find(parents, b));
    // The lower number stays root: early identifiers are those of many rows, and paths stay short.
    let (low, high) = (a.min(b), a.max(b));
    parents[high as usize] = low;
}
