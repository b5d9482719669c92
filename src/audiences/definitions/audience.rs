//! One audience of a file.

use super::fields::{Fields, INSTANT, instant};
use super::node::{Node, Value};
use super::place::Place;
use super::source::Source;
use crate::audiences::catalogue::Share;
use crate::audiences::parse::{Parsed, parse_what_can_be};
use crate::audiences::{Audience, AudienceKind, Diagnostic, Rule};
use crate::schema::names::is_name;
use crate::schema::{AudienceId, Segment};
use jiff::tz::TimeZone;
use std::ops::Range;

pub(super) const KEYS: [&str; 15] = [
    "id",
    "owner",
    "name",
    "kind",
    "rule",
    "list",
    "ttl",
    "segment",
    "folder",
    "tags",
    "description",
    "share",
    "floor",
    "valid_from",
    "valid_to",
];

/// An audience as read, and what later checks need to point at it.
#[derive(Debug)]
pub(super) struct AudienceDraft {
    pub(super) file: usize,
    /// Where its id stands.
    pub(super) id_span: Range<usize>,
    pub(super) audience: Audience,
    pub(super) rule: Option<RuleDraft>,
    /// Where the name stands.
    pub(super) name_span: Range<usize>,
    /// Where the segment stands.
    pub(super) segment_span: Range<usize>,
}

/// A rule as read.
#[derive(Debug)]
pub(super) struct RuleDraft {
    pub(super) parsed: Parsed,
    /// Where its text stands.
    pub(super) place: Place,
    /// Whether all of it could be read.
    pub(super) whole: bool,
}

/// Reads an audience; one whose id or owner is wrong is `None`. Whatever is wrong is in `found`.
pub(super) fn read(
    file: usize,
    of: &Source,
    node: &Node,
    zone: &TimeZone,
    found: &mut Vec<Diagnostic>,
) -> Option<AudienceDraft> {
    let mut fields = Fields::read(node, "an audience", &KEYS, found)?;
    let (owner, id) = of.form.names(&mut fields, "phone-replacers");
    fields.require("kind", "target");
    let kind = fields.one_of("kind", &[("target", AudienceKind::Target), ("suppress", AudienceKind::Suppress)]);
    let name = fields.text("name").or_else(|| id.clone()).unwrap_or_default();
    let list = fields.flag("list").unwrap_or(false);
    let (rule_node, ttl) = (fields.get("rule"), fields.span("ttl"));
    match (rule_node, list) {
        (Some(rule), true) => {
            fields.error("rule-and-list", rule.span.clone(), "a list has no rule: its members are uploaded".to_owned())
        }
        (None, false) => {
            let error = Diagnostic::error("missing-key", fields.span_of("id"), "this audience needs a `rule`");
            fields.found.push(error.help("such as `rule: age >= 18`, or `list: true` for uploaded members"));
        }
        (Some(_), false) if ttl.is_some() => {
            let message = "only lists have a `ttl`: a rule is always up to date".to_owned();
            fields.error("ttl-without-list", fields.span_of("ttl"), message);
        }
        _ => {}
    }
    let (folder, description) = (fields.text("folder"), fields.text("description"));
    let tags = fields.texts("tags").into_iter().map(|(tag, _)| tag).collect();
    let share = share(&mut fields);
    let floor = fields.parsed("floor", "a number of members from 0 to 1000000000", |text| {
        text.parse().ok().filter(|floor| *floor <= 1_000_000_000)
    });
    let valid_from = fields.parsed("valid_from", INSTANT, |text| instant(text, zone, false));
    let valid_to = fields.parsed("valid_to", INSTANT, |text| instant(text, zone, true));
    if valid_from.zip(valid_to).is_some_and(|(from, to)| from >= to) {
        let span = fields.span_of("valid_to");
        fields.error("never-valid", span, "`valid_to` is before `valid_from`: nobody would ever be in it".to_owned());
    }
    let (id_span, name_span, segment_span) = (fields.span_of("id"), fields.span_of("name"), fields.span_of("segment"));
    let segment = fields.get("segment").and_then(|node| segment(node, fields.found));
    let owner = owner?;
    let rule = rule_node.filter(|_| !list).and_then(|node| rule(of.text, node, &owner, found));
    let audience = Audience {
        id: AudienceId::new(&owner, &id?),
        name,
        kind: kind.unwrap_or(AudienceKind::Suppress),
        rule: rule.as_ref().map(|rule| Rule(rule.parsed.expr.clone())),
        ttl,
        segment,
        folder,
        tags,
        description,
        share,
        floor,
        valid_from,
        valid_to,
    };
    Some(AudienceDraft { file, id_span, audience, rule, name_span, segment_span })
}

/// `none`, `all`, or a list of owners.
fn share(fields: &mut Fields) -> Share {
    let choices = "`none`, `all`, or a list of owners such as [globex, initech]";
    match fields.get("share").map(|node| (node, &node.value)) {
        None => Share::None,
        Some((_, Value::List(_))) => {
            let mut owners = Vec::new();
            for (owner, span) in fields.texts("share") {
                if !is_name(&owner) {
                    fields.error("wrong-value", span, format!("`share` is {choices}; `{owner}` is no owner's name"));
                } else if !owners.contains(&owner) {
                    owners.push(owner);
                }
            }
            if owners.is_empty() { Share::None } else { Share::Owners(owners) }
        }
        Some(_) => fields
            .parsed("share", choices, |text| match text {
                "none" => Some(Share::None),
                "all" => Some(Share::All),
                _ => None,
            })
            .unwrap_or_default(),
    }
}

fn segment(node: &Node, found: &mut Vec<Diagnostic>) -> Option<Segment> {
    let mut fields = Fields::read(node, "a segment", &["taxonomy", "id"], found)?;
    fields.require("id", "\"560\"");
    let taxonomy = fields.parsed("taxonomy", "a taxonomy's number (segtax)", |text| text.parse().ok());
    Some(Segment { taxonomy, id: fields.text("id")? })
}

fn rule(text: &str, node: &Node, owner: &str, found: &mut Vec<Diagnostic>) -> Option<RuleDraft> {
    let Some(rule) = node.text() else {
        found.push(Diagnostic::error(
            "wrong-value",
            node.span.clone(),
            format!("`rule` is a text; found {}", node.shape()),
        ));
        return None;
    };
    let place = Place::new(text, node);
    let (parsed, errors) = parse_what_can_be(rule, owner);
    let whole = errors.is_empty();
    found.extend(errors.into_iter().map(|error| Diagnostic { span: place.map(&error.span), ..error }));
    Some(RuleDraft { parsed: parsed?, place, whole })
}
