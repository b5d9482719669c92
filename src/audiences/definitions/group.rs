//! The groups of a file.

use super::fields::{Fields, TIMES, times};
use super::node::{Node, Value};
use super::source::Source;
use crate::audiences::Diagnostic;
use crate::schema::{Span, names::is_name};
use std::ops::Range;

pub(super) const KEYS: [&str; 4] = ["id", "owner", "at_most", "per"];

/// A group as read. Without an owner it belongs to every owner whose campaigns name it.
#[derive(Debug)]
pub(super) struct GroupDraft {
    pub(super) file: usize,
    pub(super) span: Range<usize>,
    pub(super) name: String,
    pub(super) owner: Option<String>,
    pub(super) at_most: u32,
    pub(super) per: Span,
}

/// Reads `{ mobile: { at_most: 1, per: 24h } }`, or a list of `{ id, owner, at_most, per }`. Whatever is wrong is in `found`.
pub(super) fn read(file: usize, of: &Source, node: &Node, found: &mut Vec<Diagnostic>) -> Vec<GroupDraft> {
    let drafts: Vec<GroupDraft> = match &node.value {
        Value::Map(entries) => entries.iter().filter_map(|(key, value)| group(file, key, value, found)).collect(),
        Value::List(items) => items.iter().filter_map(|item| item_of_list(file, of, item, found)).collect(),
        _ => {
            let found_shape = node.shape();
            let message = format!(
                "`groups` is a map of names, such as `mobile: {{ at_most: 1, per: 24h }}`, or a list; found {found_shape}"
            );
            found.push(Diagnostic::error("wrong-shape", node.span.clone(), message));
            Vec::new()
        }
    };
    if of.form.needs_owner() {
        for draft in drafts.iter().filter(|draft| draft.owner.is_none()) {
            let error = Diagnostic::error("missing-key", draft.span.clone(), "a group in the catalogue needs `owner`");
            found.push(error.help("such as `owner: acme`: only files define groups for every owner"));
        }
    }
    drafts
}

/// One of a list, which says its own name.
pub(super) fn item_of_list(file: usize, of: &Source, node: &Node, found: &mut Vec<Diagnostic>) -> Option<GroupDraft> {
    let mut fields = Fields::read(node, "a group", &KEYS, found)?;
    let (owner, name) = of.form.names(&mut fields, "mobile");
    let span = fields.span_of("id");
    let (at_most, per) = limits(&mut fields);
    Some(GroupDraft { file, span, name: name?, owner: Some(owner?), at_most: at_most?, per: per? })
}

fn limits(fields: &mut Fields) -> (Option<u32>, Option<Span>) {
    fields.require("at_most", "1");
    fields.require("per", "24h");
    (fields.parsed("at_most", TIMES, times), fields.span("per"))
}

fn group(file: usize, key: &Node, value: &Node, found: &mut Vec<Diagnostic>) -> Option<GroupDraft> {
    let name = key.text().filter(|name| is_name(name)).map(str::to_owned);
    if name.is_none() {
        let message = "a group's name is 1 to 100 letters, digits, `_`, `-`, `.`, beginning with a letter or digit";
        found.push(Diagnostic::error("wrong-value", key.span.clone(), message));
    }
    let mut fields = Fields::read(value, "a group", &["at_most", "per", "owner"], found)?;
    let (at_most, per) = limits(&mut fields);
    let owner = fields.get("owner").and_then(|_| fields.name("owner", "acme"));
    Some(GroupDraft { file, span: key.span.clone(), name: name?, owner, at_most: at_most?, per: per? })
}
