//! The groups of a file.

use super::fields::{Fields, TIMES, times};
use super::node::{Node, Value};
use crate::audiences::Diagnostic;
use crate::schema::{Span, names::is_name};
use std::ops::Range;

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

/// Reads `{ mobile: { at_most: 1, per: 24h } }`. Whatever is wrong is in `found`.
pub(super) fn read(file: usize, node: &Node, found: &mut Vec<Diagnostic>) -> Vec<GroupDraft> {
    let Value::Map(entries) = &node.value else {
        let message =
            format!("`groups` is a map of names, such as `mobile: {{ at_most: 1, per: 24h }}`; found {}", node.shape());
        found.push(Diagnostic::error("wrong-shape", node.span.clone(), message));
        return Vec::new();
    };
    entries.iter().filter_map(|(key, value)| group(file, key, value, found)).collect()
}

fn group(file: usize, key: &Node, value: &Node, found: &mut Vec<Diagnostic>) -> Option<GroupDraft> {
    let name = key.text().filter(|name| is_name(name)).map(str::to_owned);
    if name.is_none() {
        let message = "a group's name is 1 to 100 letters, digits, `_`, `-`, `.`, beginning with a letter or digit";
        found.push(Diagnostic::error("wrong-value", key.span.clone(), message));
    }
    let mut fields = Fields::read(value, "a group", &["at_most", "per", "owner"], found)?;
    fields.require("at_most", "1");
    fields.require("per", "24h");
    let at_most = fields.parsed("at_most", TIMES, times);
    let per = fields.span("per");
    let owner = fields.get("owner").and_then(|_| fields.name("owner", "acme"));
    Some(GroupDraft { file, span: key.span.clone(), name: name?, owner, at_most: at_most?, per: per? })
}
