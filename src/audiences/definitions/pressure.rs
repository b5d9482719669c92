//! The pressure of a file: how much an owner says to a person at most.

use super::fields::{Fields, TIMES, times};
use super::node::{Node, Value};
use super::source::Source;
use crate::audiences::Diagnostic;
use crate::schema::{Span, names::is_name};
use std::ops::Range;

pub(super) const KEYS: [&str; 3] = ["messages", "per", "owners"];

/// Pressure as read. Without owners it is for every owner that no other one names.
#[derive(Debug)]
pub(super) struct PressureDraft {
    pub(super) file: usize,
    pub(super) span: Range<usize>,
    pub(super) owners: Vec<String>,
    pub(super) messages: u32,
    pub(super) per: Span,
}

/// Reads `{ messages: 5, per: 7d }`, or a list of such, each with `owners` or without. Whatever is wrong is in `found`.
pub(super) fn read(file: usize, of: &Source, node: &Node, found: &mut Vec<Diagnostic>) -> Vec<PressureDraft> {
    match &node.value {
        Value::List(items) => items.iter().filter_map(|item| one(file, of, item, found)).collect(),
        _ => one(file, of, node, found).into_iter().collect(),
    }
}

fn one(file: usize, of: &Source, node: &Node, found: &mut Vec<Diagnostic>) -> Option<PressureDraft> {
    let mut fields = Fields::read(node, "pressure", &KEYS, found)?;
    fields.require("messages", "5");
    fields.require("per", "7d");
    let messages = fields.parsed("messages", TIMES, times);
    let per = fields.span("per");
    let mut owners = Vec::new();
    for (owner, span) in fields.texts("owners") {
        if is_name(&owner) {
            owners.push(owner);
        } else {
            fields.error("wrong-value", span, format!("`{owner}` is no owner's name"));
        }
    }
    if fields.get("owners").is_some() && owners.is_empty() {
        let span = fields.span_of("owners");
        fields.error("wrong-value", span, "`owners` names nobody; leave it out to mean every owner".to_owned());
        return None;
    }
    if let (Some(owner), true) = (of.form.owner(), owners.is_empty()) {
        owners.push(owner.to_owned());
    }
    if owners.is_empty() && of.form.needs_owner() {
        let error = Diagnostic::error(
            "missing-key",
            node.span.start..node.span.start,
            "pressure in the catalogue needs `owners`",
        );
        fields.found.push(error.help("such as `owners: [acme]`: only files say it for every owner"));
        return None;
    }
    if let Some(other) = of.form.owner().and_then(|own| owners.iter().find(|owner| *owner != own)) {
        let span = fields.span_of("owners");
        fields.error("wrong-value", span, format!("this is one owner's pressure, and `{other}` is another"));
        return None;
    }
    Some(PressureDraft { file, span: node.span.start..node.span.start, owners, messages: messages?, per: per? })
}
