//! Tree -> typed settings, finding every mistake: each is reported, repaired in the tree, and the reading starts again.

use super::tree::{Entry, Node, Place, Step, Value};
use super::walk::{Entries, Items};
use crate::error::Problem;
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};
use std::fmt;

/// More mistakes than anybody wants to read at once.
const MAX_PROBLEMS: usize = 100;

/// Reads a value. Mistakes go to `problems`, each with the path where it was; `None` when nothing could be read.
pub(super) fn decode<T: DeserializeOwned>(root: &mut Node, problems: &mut Vec<(Vec<Step>, Problem)>) -> Option<T> {
    // Keys that were reported wrong and taken away: not to be reported again as missing.
    let mut gone: Vec<Vec<Step>> = Vec::new();
    // Each round takes a node away or fills a hole once, so the rounds end.
    for _ in 0..10 * MAX_PROBLEMS {
        let mistake = match T::deserialize(&*root) {
            Ok(value) => return Some(value),
            Err(mistake) => mistake,
        };
        let mut path = mistake.path;
        path.reverse();
        let meant = meant(&path, &mistake.what);
        let said = matches!(mistake.what, What::Missing(_)) && gone.contains(&meant);
        if !mistake.in_hole && !said {
            problems.push((path.clone(), problem(&mistake.what, &path, root)));
        }
        gone.push(meant);
        if problems.len() >= MAX_PROBLEMS || !repair(root, &path, &mistake.what) {
            return None;
        }
    }
    None
}

/// The path of the key a mistake is about: the missing one, the one a misspelt key was meant to be, or the wrong one.
fn meant(path: &[Step], what: &What) -> Vec<Step> {
    let mut path = path.to_vec();
    match what {
        What::Missing(field) => path.push((*field).into()),
        What::UnknownKey(key, known) => {
            if let (Some(near), Some(last)) = (nearest(key, known.iter().copied()), path.last_mut()) {
                *last = near.into();
            }
        }
        What::Wrong(_) => {}
    }
    path
}

/// What went wrong while a value was read, and the way to it (innermost step first while it bubbles up).
#[derive(Debug)]
pub(super) struct Mistake {
    what: What,
    path: Vec<Step>,
    in_hole: bool,
}

#[derive(Debug)]
enum What {
    Missing(&'static str),
    UnknownKey(String, &'static [&'static str]),
    Wrong(String),
}

/// Says in words what is wrong.
fn problem(what: &What, path: &[Step], root: &Node) -> Problem {
    let name = path_name(path);
    let (message, help) = match what {
        What::Missing(field) if name.is_empty() => (format!("`{field}` is missing"), String::new()),
        What::Missing(field) => (format!("{name}: `{field}` is missing"), String::new()),
        What::UnknownKey(key, known) => {
            let help = match nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            (format!("unknown key `{name}`"), help)
        }
        What::Wrong(message) => {
            let help = if message.contains("socket address") {
                "write an address and a port, such as 127.0.0.1:8080".to_owned()
            } else {
                String::new()
            };
            (format!("{name}: {message}"), help)
        }
    };
    placed(Problem::new(message).help(help), place(what, path, root))
}

/// Puts a problem where it belongs.
pub(super) fn placed(problem: Problem, place: &Place) -> Problem {
    match place {
        Place::File(line, column) => problem.at(*line, *column),
        Place::Env(name) => {
            let message = format!("environment variable {name}: {}", problem.message);
            Problem { message, ..problem }
        }
    }
}

fn place<'a>(what: &What, path: &[Step], root: &'a Node) -> &'a Place {
    if let (What::UnknownKey(..), Some((Step::Key(key), parent))) = (what, path.split_last())
        && let Some(entry) = find_entry(root, parent, key)
    {
        return &entry.place;
    }
    root.place_of(path)
}

fn find_entry<'a>(root: &'a Node, parent: &[Step], key: &str) -> Option<&'a Entry> {
    let mut node = root;
    for step in parent {
        node = node.child(step)?;
    }
    match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == key),
        _ => None,
    }
}

/// `sources[2].ids[0].type`
pub(super) fn path_name(path: &[Step]) -> String {
    let mut name = String::new();
    for step in path {
        match step {
            Step::Key(key) if name.is_empty() => name.push_str(key),
            Step::Key(key) => name.push_str(&format!(".{key}")),
            Step::Index(index) => name.push_str(&format!("[{index}]")),
        }
    }
    name
}

/// The known name nearest to what was written, if it is near.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).max(1))
        .min()
        .map(|(_, name)| name)
}

/// Makes the mistake go away: fills what is missing, takes away what is wrong. False when nothing is left to repair.
fn repair(root: &mut Node, path: &[Step], what: &What) -> bool {
    if let (What::Missing(field), Some(node)) = (what, descend(root, path)) {
        let place = node.place.clone();
        if let Value::Map(entries) = &mut node.value {
            let hole = Node { place: place.clone(), value: Value::Hole };
            entries.push(Entry { key: (*field).to_owned(), place, node: hole });
            return true;
        }
    }
    let Some((last, parents)) = path.split_last() else { return false };
    let taken = match (descend(root, parents).map(|node| &mut node.value), last) {
        (Some(Value::Map(entries)), Step::Key(key)) => match entries.iter().position(|entry| entry.key == *key) {
            // A hole that cannot be filled leaves with its owner.
            Some(at) => !matches!(entries.remove(at).node.value, Value::Hole),
            None => false,
        },
        (Some(Value::Seq(nodes)), Step::Index(index)) => {
            nodes[*index].value = Value::Skipped;
            true
        }
        _ => false,
    };
    taken || repair(root, parents, &What::Wrong(String::new()))
}

fn descend<'a>(root: &'a mut Node, path: &[Step]) -> Option<&'a mut Node> {
    path.iter().try_fold(root, |node, step| node.child_mut(step))
}

impl Mistake {
    pub(super) fn wrong(message: impl fmt::Display) -> Self {
        Mistake { what: What::Wrong(message.to_string()), path: Vec::new(), in_hole: false }
    }

    pub(super) fn under(mut self, step: Step, node: &Node) -> Self {
        self.in_hole |= matches!(node.value, Value::Hole);
        self.path.push(step);
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Mistake {}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Mistake::wrong(message)
    }

    fn missing_field(field: &'static str) -> Self {
        Mistake { what: What::Missing(field), path: Vec::new(), in_hole: false }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Mistake { what: What::UnknownKey(field.to_owned(), expected), path: Vec::new(), in_hole: false }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let near = match nearest(variant, expected.iter().copied()) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        Mistake::wrong(format!("`{variant}` is not one of {}{near}", expected.join(", ")))
    }
}

impl Value {
    fn describe(&self) -> String {
        match self {
            Value::Null | Value::Hole | Value::Skipped => "nothing".to_owned(),
            Value::Scalar(text) => format!("`{text}`"),
            Value::Seq(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }
}

impl Node {
    fn scalar(&self, expected: &str) -> Result<&str, Mistake> {
        match &self.value {
            Value::Scalar(text) => Ok(text),
            other => Err(Mistake::wrong(format!("expected {expected}, found {}", other.describe()))),
        }
    }

    fn number<T: std::str::FromStr + Default>(&self, expected: &str) -> Result<T, Mistake> {
        if matches!(self.value, Value::Hole) {
            return Ok(T::default());
        }
        let text = self.scalar(expected)?;
        text.replace('_', "").parse().map_err(|_| Mistake::wrong(format!("expected {expected}, found `{text}`")))
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            visitor.$visit(self.number::<$type>($expected)?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for &Node {
    type Error = Mistake;

    numbers! {
        deserialize_i8 visit_i8 i8, "a whole number from -128 to 127";
        deserialize_i16 visit_i16 i16, "a whole number from -32768 to 32767";
        deserialize_i32 visit_i32 i32, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number from 0 to 255";
        deserialize_u16 visit_u16 u16, "a whole number from 0 to 65535";
        deserialize_u32 visit_u32 u32, "a whole number, 0 or more";
        deserialize_u64 visit_u64 u64, "a whole number, 0 or more";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.value {
            Value::Hole => visitor.visit_bool(false),
            Value::Scalar(text) if text == "true" => visitor.visit_bool(true),
            Value::Scalar(text) if text == "false" => visitor.visit_bool(false),
            other => Err(Mistake::wrong(format!("expected true or false, found {}", other.describe()))),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if matches!(self.value, Value::Hole) { visitor.visit_str("") } else { visitor.visit_str(self.scalar("text")?) }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if matches!(self.value, Value::Hole) {
            return visitor.visit_char(',');
        }
        let text = self.scalar("one character")?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(only), None) => visitor.visit_char(only),
            _ => Err(Mistake::wrong(format!("expected one character, found `{text}`"))),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if matches!(self.value, Value::Null | Value::Hole) { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.value {
            Value::Seq(nodes) => visitor.visit_seq(Items::of(nodes)),
            Value::Null | Value::Hole => visitor.visit_seq(Items::of(&[])),
            other => Err(Mistake::wrong(format!("expected a list, found {}", other.describe()))),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.value {
            Value::Map(entries) => visitor.visit_map(Entries::of(entries)),
            Value::Null | Value::Hole => visitor.visit_map(Entries::of(&[])),
            other => Err(Mistake::wrong(format!("expected a map, found {}", other.describe()))),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let text = match &self.value {
            Value::Hole => variants.first().copied().unwrap_or_default(),
            _ => self.scalar(&format!("one of {}", variants.join(", ")))?,
        };
        visitor.visit_enum(text.into_deserializer())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.value {
            Value::Scalar(_) => self.deserialize_str(visitor),
            Value::Seq(_) => self.deserialize_seq(visitor),
            Value::Map(_) => self.deserialize_map(visitor),
            Value::Null | Value::Hole | Value::Skipped => visitor.visit_unit(),
        }
    }

    serde::forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct tuple tuple_struct ignored_any }
}
