//! A YAML file as a tree that remembers where everything stood, so that every error can name its place.
//!
//! Scalars keep the text as written: which number or word it is gets decided by the field that reads it (`decode`).

use crate::error::Problem;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// The deepest nesting a file may have: far more than the configuration needs, far less than the stack bears.
const MAX_DEPTH: usize = 32;

/// Where a node came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A line and column of the file, from 1.
    File(usize, usize),
    /// An environment variable.
    Env(String),
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub place: Place,
    pub value: Value,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// `~`, `null` or nothing.
    Null,
    /// A scalar as written, without quotes.
    Scalar(String),
    /// A list.
    Seq(Vec<Node>),
    /// A map in the file's order.
    Map(Vec<Entry>),
    /// A value that was reported missing: reads as something harmless, so that the reading goes on.
    Hole,
    /// An element that was reported wrong: as if it were not there.
    Skipped,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

/// A step from a node to one of its children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Step::Index(index)
    }
}

/// Reads a YAML document. An empty one is an empty map.
pub(super) fn parse(text: &str) -> Result<Node, Problem> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: 1_000_000 },
    };
    let parsed: Result<Spanned<Raw>, _> = serde_saphyr::from_str_with_options(text, options);
    match parsed {
        Ok(spanned) => Ok(spanned.value.place(spanned.defined, text)),
        Err(error) => {
            let message = error.without_snippet().to_string();
            let problem = Problem::new(format!("not valid YAML: {message}"));
            Err(match error.location() {
                Some(at) => problem.at(at.line() as usize, at.column() as usize),
                None => problem,
            })
        }
    }
}

impl Node {
    /// The child a step leads to.
    pub fn child(&self, step: &Step) -> Option<&Node> {
        match (&self.value, step) {
            (Value::Map(entries), Step::Key(key)) => {
                entries.iter().find(|entry| entry.key == *key).map(|entry| &entry.node)
            }
            (Value::Seq(nodes), Step::Index(index)) => nodes.get(*index),
            _ => None,
        }
    }

    /// The child a step leads to, to change it.
    pub fn child_mut(&mut self, step: &Step) -> Option<&mut Node> {
        match (&mut self.value, step) {
            (Value::Map(entries), Step::Key(key)) => {
                entries.iter_mut().find(|entry| entry.key == *key).map(|entry| &mut entry.node)
            }
            (Value::Seq(nodes), Step::Index(index)) => nodes.get_mut(*index),
            _ => None,
        }
    }

    /// The place of the deepest node on a path that is there.
    pub fn place_of(&self, path: &[Step]) -> &Place {
        let mut node = self;
        for step in path {
            match node.child(step) {
                Some(child) => node = child,
                None => break,
            }
        }
        &node.place
    }

    /// The text of a scalar child.
    pub fn text(&self, key: &str) -> Option<&str> {
        match &self.child(&key.into())?.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

/// What YAML's own typing says of a node, before the written text is put back.
enum Raw {
    Null,
    Text(String),
    Plain,
    Seq(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl Raw {
    fn place(self, at: serde_saphyr::Location, source: &str) -> Node {
        let place = file_place(at);
        let value = match self {
            Raw::Null => Value::Null,
            Raw::Text(text) => Value::Scalar(text),
            Raw::Plain => Value::Scalar(written(at, source).unwrap_or_default().trim().to_owned()),
            Raw::Seq(items) => {
                Value::Seq(items.into_iter().map(|item| item.value.place(item.defined, source)).collect())
            }
            Raw::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| Entry {
                        place: file_place(key.defined),
                        key: key.value,
                        node: value.value.place(value.defined, source),
                    })
                    .collect(),
            ),
        };
        Node { place, value }
    }
}

fn file_place(at: serde_saphyr::Location) -> Place {
    Place::File(at.line() as usize, at.column() as usize)
}

/// The text a location covers.
fn written(at: serde_saphyr::Location, source: &str) -> Option<&str> {
    let start = at.span().byte_offset()? as usize;
    source.get(start..start + at.span().byte_len()? as usize)
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
