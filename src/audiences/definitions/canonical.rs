//! One definition as the catalogue keeps it: YAML in one style, keys in one order, what was written otherwise as it was, the
//! comments within rules too. Reading it and writing it again changes nothing.

use super::node::{self, Node, Value};
use super::{KEYS as SECTIONS, audience, campaign, group, pressure};
use crate::audiences::versions::Kind;
use crate::schema::{AudienceId, names::is_name};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A definition of a text. What has no name of its own is not among them: a check says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What sort.
    pub kind: Kind,
    /// `owner/id`; owner `*` for what a file defines for every owner.
    pub id: AudienceId,
    /// Its canonical YAML.
    pub text: String,
    /// Where it begins: a byte of the text.
    pub start: usize,
}

/// What a planner wants to know of a definition at a glance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Its name.
    pub name: Option<String>,
    /// An audience's kind, a campaign's status.
    pub sort: Option<String>,
    /// The folder.
    pub folder: Option<String>,
    /// The tags.
    pub tags: Vec<String>,
    /// Free text.
    pub description: Option<String>,
}

/// The definitions of a text, in its order; pressure is one an owner.
pub fn split(text: &str) -> Vec<Piece> {
    let (documents, _) = node::read(text);
    let mut pieces = Vec::new();
    let mut pressure: BTreeMap<String, (usize, Vec<&Node>)> = BTreeMap::new();
    for document in &documents {
        for (key, value) in entries(document) {
            match (key, &value.value) {
                ("audiences", Value::List(items)) => {
                    pieces.extend(items.iter().filter_map(|it| named(Kind::Audience, it)))
                }
                ("campaigns", Value::List(items)) => {
                    pieces.extend(items.iter().filter_map(|it| named(Kind::Campaign, it)))
                }
                ("groups", Value::List(items)) => pieces.extend(items.iter().filter_map(|it| named(Kind::Group, it))),
                ("groups", Value::Map(items)) => pieces.extend(items.iter().filter_map(|(key, it)| of_map(key, it))),
                ("pressure", Value::List(items)) => items.iter().for_each(|item| by_owner(item, &mut pressure)),
                ("pressure", Value::Map(_)) => by_owner(value, &mut pressure),
                _ => {}
            }
        }
    }
    pieces.extend(pressure.into_iter().map(|(owner, (start, nodes))| Piece {
        kind: Kind::Pressure,
        id: AudienceId::new(&owner, "pressure"),
        text: nodes.into_iter().map(|node| format!("- {}\n", flow(&without_owners(node)))).collect(),
        start,
    }));
    pieces
}

/// One definition alone, as the catalogue keeps it; `None` for what is not a definition of that kind.
pub fn item(kind: Kind, id: &AudienceId, text: &str) -> Option<String> {
    let (documents, wrong) = node::read(text);
    let [document] = documents.as_slice() else { return None };
    match (kind, &document.value, wrong) {
        (_, _, Some(_)) => None,
        (Kind::Pressure, Value::List(items), _) => {
            Some(items.iter().map(|node| format!("- {}\n", flow(&without_owners(node)))).collect())
        }
        (Kind::Pressure, Value::Map(_), _) => Some(format!("- {}\n", flow(&without_owners(document)))),
        (_, Value::Map(_), _) => Some(definition(kind, id, document)),
        _ => None,
    }
}

/// What the text of a definition says of itself.
pub fn summary(kind: Kind, text: &str) -> Summary {
    let (documents, _) = node::read(text);
    let mut summary = Summary::default();
    for (key, value) in documents.first().map(entries).into_iter().flatten() {
        let text = value.text().map(str::to_owned);
        match key {
            "name" => summary.name = text,
            "kind" if kind == Kind::Audience => summary.sort = text,
            "status" if kind == Kind::Campaign => summary.sort = text,
            "folder" => summary.folder = text,
            "description" => summary.description = text,
            "tags" => {
                if let Value::List(items) = &value.value {
                    summary.tags = items.iter().filter_map(Node::text).map(str::to_owned).collect();
                }
            }
            _ => {}
        }
    }
    summary
}

/// What stands at each key of a definition: key, and its value in one line.
pub fn fields(text: &str) -> Vec<(String, String)> {
    let (documents, _) = node::read(text);
    match documents.first() {
        Some(Node { value: Value::List(items), .. }) => {
            items.iter().enumerate().map(|(at, item)| (at.to_string(), flow(item))).collect()
        }
        Some(document) => {
            let plain = |value: &Node| value.text().map_or_else(|| flow(value), str::to_owned);
            entries(document).map(|(key, value)| (key.to_owned(), plain(value))).collect()
        }
        None => Vec::new(),
    }
}

/// Many definitions as one file, which [`split`] takes apart again. They come sorted by kind.
pub fn file<'a>(items: impl Iterator<Item = (Kind, &'a AudienceId, &'a str)>) -> String {
    let mut out = String::new();
    let mut last = None;
    for (kind, id, text) in items {
        if last.replace(kind) != Some(kind) {
            let _ = writeln!(out, "{}:", kind.plural());
        }
        if kind == Kind::Pressure {
            let (documents, _) = node::read(text);
            let Some(Node { value: Value::List(items), .. }) = documents.first() else { continue };
            for item in items {
                let said = flow(item);
                let said = said.trim_end_matches(" }");
                let _ = writeln!(out, "- {said}, owners: [{}] }}", scalar("owners", id.owner(), true));
            }
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            let begins = if at == 0 { "- " } else { "  " };
            let _ = if line.is_empty() { writeln!(out) } else { writeln!(out, "{begins}{line}") };
        }
    }
    out
}

/// The keys of a map that are words, with their values.
fn entries(node: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let entries: &[(Node, Node)] = match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    };
    entries.iter().filter_map(|(key, value)| Some((key.text()?, value)))
}

fn said<'a>(node: &'a Node, wanted: &str) -> Option<&'a str> {
    entries(node).find(|(key, _)| *key == wanted).and_then(|(_, value)| value.text())
}

/// A definition that says its own owner and id.
fn named(kind: Kind, node: &Node) -> Option<Piece> {
    let (owner, id) = (said(node, "owner").filter(|it| is_name(it))?, said(node, "id").filter(|it| is_name(it))?);
    let id = AudienceId::new(owner, id);
    Some(Piece { kind, text: definition(kind, &id, node), id, start: node.span.start })
}

/// A group under its name.
fn of_map(key: &Node, node: &Node) -> Option<Piece> {
    let name = key.text().filter(|name| is_name(name))?;
    let id = AudienceId::new(said(node, "owner").unwrap_or("*"), name);
    Some(Piece { kind: Kind::Group, text: definition(Kind::Group, &id, node), id, start: key.span.start })
}

fn by_owner<'a>(node: &'a Node, pressure: &mut BTreeMap<String, (usize, Vec<&'a Node>)>) {
    let owners = entries(node).find(|(key, _)| *key == "owners").map(|(_, value)| &value.value);
    let owners: Vec<&str> = match owners {
        Some(Value::List(items)) => items.iter().filter_map(Node::text).collect(),
        _ => vec!["*"],
    };
    for owner in owners {
        pressure.entry(owner.to_owned()).or_insert((node.span.start, Vec::new())).1.push(node);
    }
}

fn without_owners(node: &Node) -> Node {
    let mut node = node.clone();
    if let Value::Map(entries) = &mut node.value {
        entries.retain(|(key, _)| key.text() != Some("owners"));
        let place = |key: &Node| pressure::KEYS.iter().position(|known| key.text() == Some(known));
        entries.sort_by_key(|(key, _)| place(key).unwrap_or(usize::MAX));
    }
    node
}

/// A map key by key: id and owner first, as they are, then the others in the order in which they are explained.
fn definition(kind: Kind, id: &AudienceId, node: &Node) -> String {
    let keys: &[&str] = match kind {
        Kind::Audience => &audience::KEYS,
        Kind::Campaign => &campaign::KEYS,
        Kind::Group => &group::KEYS,
        Kind::Pressure => &SECTIONS,
    };
    let mut out = format!("id: {}\nowner: {}\n", scalar("id", id.id(), false), scalar("owner", id.owner(), false));
    let place = |key: &str| keys.iter().position(|known| *known == key).unwrap_or(usize::MAX);
    let mut rest: Vec<(&str, &Node)> = entries(node)
        .filter(|(key, value)| !matches!(*key, "id" | "owner") && !matches!(value.value, Value::Nothing))
        .collect();
    rest.sort_by_key(|(key, _)| place(key));
    for (key, value) in rest {
        let _ = write!(out, "{}:", scalar("", key, false));
        match &value.value {
            Value::Scalar { text, .. } if is_block(text) => block(&mut out, text),
            Value::Scalar { text, .. } => {
                let _ = writeln!(out, " {}", scalar(key, text, false));
            }
            Value::List(items) if items.iter().any(|item| matches!(item.value, Value::Map(_))) => {
                out.push('\n');
                items.iter().for_each(|item| {
                    let _ = writeln!(out, "- {}", flow_at("", item));
                });
            }
            _ => {
                let _ = writeln!(out, " {}", flow_at(key, value));
            }
        }
    }
    out
}

/// In one line.
fn flow(node: &Node) -> String {
    flow_at("", node)
}

fn flow_at(key: &str, node: &Node) -> String {
    match &node.value {
        Value::Nothing => "null".to_owned(),
        Value::Scalar { text, .. } => scalar(key, text, true),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| flow_at(key, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(_) => {
            let said = entries(node).filter(|(_, value)| !matches!(value.value, Value::Nothing));
            let said: Vec<String> =
                said.map(|(key, value)| format!("{}: {}", scalar("", key, true), flow_at(key, value))).collect();
            if said.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", said.join(", ")) }
        }
    }
}

/// Whether a text is written over several lines as it stands.
fn is_block(text: &str) -> bool {
    let mut lines = text.lines();
    text.contains('\n')
        && !text.ends_with("\n\n")
        && lines.next().is_some_and(|first| !first.is_empty())
        && text.lines().all(|line| !line.starts_with([' ', '\t']) || !line.trim().is_empty())
        && !text.starts_with([' ', '\t'])
        && text.chars().all(|c| c == '\n' || is_printable(c))
}

fn block(out: &mut String, text: &str) {
    out.push_str(if text.ends_with('\n') { " |\n" } else { " |-\n" });
    for line in text.lines() {
        let _ = if line.is_empty() { writeln!(out) } else { writeln!(out, "  {line}") };
    }
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A text, bare where nobody takes it for anything else.
fn scalar(key: &str, text: &str, flow: bool) -> String {
    let bare = match key {
        "list" | "exclusive" | "hard" => matches!(text, "true" | "false"),
        "taxonomy" | "impressions" | "at_most" | "messages" | "priority" | "floor" => {
            text.len() < 12
                && text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit())
                && text.parse::<i64>().is_ok()
        }
        "from" | "to" | "valid_from" | "valid_to" | "per" | "ttl" | "min_gap" => {
            text.bytes().all(|b| b.is_ascii_alphanumeric() || b"- ".contains(&b)) && is_bare(text, flow, true)
        }
        _ => false,
    };
    if bare || is_bare(text, flow, false) { text.to_owned() } else { quoted(text) }
}

fn is_bare(text: &str, flow: bool, digits: bool) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let first = text.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || (digits && c.is_ascii_digit()))
        && text.chars().all(|c| (' '..='~').contains(&c) || (c.is_alphanumeric() && is_printable(c)))
        && (!flow || !text.contains([',', '[', ']', '{', '}', ':', '"', '\'']))
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        let _ = match c {
            '"' => write!(out, "\\\""),
            '\\' => write!(out, "\\\\"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            c if is_printable(c) => write!(out, "{c}"),
            c if u32::from(c) < 0x100 => write!(out, "\\x{:02x}", u32::from(c)),
            c if u32::from(c) < 0x1_0000 => write!(out, "\\u{:04x}", u32::from(c)),
            c => write!(out, "\\U{:08x}", u32::from(c)),
        };
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
