//! One campaign of a file.

use super::fields::{Fields, INSTANT, TIMES, instant, times};
use super::node::{Node, Value};
use super::source::Source;
use crate::audiences::catalogue::{Cap, Deal, Exclude, Fallback, Flight, Reference, Status};
use crate::audiences::{Campaign, Diagnostic};
use crate::schema::{AudienceId, Span};
use jiff::tz::TimeZone;
use std::ops::Range;

pub(super) const KEYS: [&str; 18] = [
    "id",
    "owner",
    "name",
    "status",
    "flight",
    "deals",
    "refs",
    "include",
    "exclude",
    "no_profile",
    "on_failure",
    "caps",
    "min_gap",
    "priority",
    "group",
    "folder",
    "tags",
    "description",
];

const FALLBACKS: [(&str, Fallback); 3] =
    [("target", Fallback::Target), ("suppress", Fallback::Suppress), ("unknown", Fallback::Unknown)];

/// A campaign as read, and what later checks need to point at it.
#[derive(Debug)]
pub(super) struct CampaignDraft {
    pub(super) file: usize,
    pub(super) id_span: Range<usize>,
    pub(super) campaign: Campaign,
    pub(super) include_spans: Vec<Range<usize>>,
    pub(super) exclude_spans: Vec<Range<usize>>,
    pub(super) group_span: Range<usize>,
    pub(super) caps_span: Range<usize>,
    pub(super) min_gap_span: Range<usize>,
}

/// Reads a campaign; one whose id or owner is wrong is `None`. Whatever is wrong is in `found`.
pub(super) fn read(
    file: usize,
    of: &Source,
    node: &Node,
    zone: &TimeZone,
    found: &mut Vec<Diagnostic>,
) -> Option<CampaignDraft> {
    let mut fields = Fields::read(node, "a campaign", &KEYS, found)?;
    let (owner, id) = of.form.names(&mut fields, "upgrade-2026");
    let statuses = [
        ("draft", Status::Draft),
        ("active", Status::Active),
        ("paused", Status::Paused),
        ("archived", Status::Archived),
    ];
    fields.require("status", "active");
    let status = fields.one_of("status", &statuses).unwrap_or(Status::Draft);
    let name = fields.text("name");
    // For planners alone: nothing that is decided rests on them.
    let _ = (fields.text("description"), fields.text("folder"), fields.texts("tags"));
    let no_profile = fields.one_of("no_profile", &FALLBACKS);
    let on_failure = fields.one_of("on_failure", &FALLBACKS).unwrap_or(Fallback::Suppress);
    let min_gap = fields.span("min_gap");
    let priority = fields.parsed("priority", "a whole number", |text| text.parse().ok()).unwrap_or(0);
    let caps = fields.list("caps").iter().filter_map(|node| cap(node, fields.found)).collect::<Vec<Cap>>();
    let deals = fields.list("deals").iter().filter_map(|node| deal(node, fields.found)).collect();
    let refs = fields.list("refs").iter().filter_map(|node| reference(node, fields.found)).collect();
    let flight = fields.get("flight").and_then(|node| flight(node, zone, fields.found));
    let include = fields.texts("include");
    let excludes = fields.list("exclude").iter().filter_map(|node| exclude(node, fields.found)).collect::<Vec<_>>();
    let group = fields.text("group");
    let (id_span, group_span) = (fields.span_of("id"), fields.span_of("group"));
    if on_failure == Fallback::Target && excludes.iter().any(|(_, hard, _)| *hard) {
        let error = Diagnostic::error(
            "hard-but-target",
            fields.span_of("on_failure"),
            "`on_failure: target` would speak to people of a hard exclude",
        );
        fields.found.push(error.help("use `on_failure: suppress`, or make the excludes soft"));
    }
    let (caps_span, min_gap_span) = (fields.span_of("caps"), fields.span_of("min_gap"));
    let owner = owner?;
    let resolve = |reference: &str| AudienceId::resolve(reference, &owner);
    let default =
        if fields.get("include").is_none() || include.is_empty() { Fallback::Target } else { Fallback::Suppress };
    let campaign = Campaign {
        id: AudienceId::new(&owner, &id?),
        name,
        status,
        flight,
        deals,
        refs,
        include: include.iter().map(|(reference, _)| resolve(reference)).collect(),
        exclude: excludes
            .iter()
            .map(|(reference, hard, _)| Exclude { audience: resolve(reference), hard: *hard })
            .collect(),
        no_profile: no_profile.unwrap_or(default),
        on_failure,
        caps,
        min_gap,
        priority,
        group: group.map(|name| resolve(&name).as_str().to_owned()),
    };
    let include_spans = include.into_iter().map(|(_, span)| span).collect();
    let exclude_spans = excludes.into_iter().map(|(_, _, span)| span).collect();
    Some(CampaignDraft { file, id_span, campaign, include_spans, exclude_spans, group_span, caps_span, min_gap_span })
}

fn cap(node: &Node, found: &mut Vec<Diagnostic>) -> Option<Cap> {
    let mut fields = Fields::read(node, "a cap", &["impressions", "per"], found)?;
    fields.require("impressions", "3");
    fields.require("per", "24h");
    let impressions = fields.parsed("impressions", TIMES, times);
    let expected = "a length of time such as `24h` or `7d`, or `flight`";
    let per = fields.parsed("per", expected, |text| match text {
        "flight" => Some(None),
        _ => Span::parse(text).filter(|span| span.0 > 0).map(Some),
    });
    Some(Cap { impressions: impressions?, per: per? })
}

fn deal(node: &Node, found: &mut Vec<Diagnostic>) -> Option<Deal> {
    let mut fields = Fields::read(node, "a deal", &["exchange", "id", "exclusive"], found)?;
    fields.require("exchange", "index");
    fields.require("id", "deal-123");
    let exclusive = fields.flag("exclusive").unwrap_or(false);
    let (exchange, id) = (fields.text("exchange"), fields.text("id"));
    Some(Deal { exchange: exchange?, id: id?, exclusive })
}

fn reference(node: &Node, found: &mut Vec<Diagnostic>) -> Option<Reference> {
    let mut fields = Fields::read(node, "a reference", &["system", "line_item"], found)?;
    fields.require("system", "dv360");
    fields.require("line_item", "\"998\"");
    let (system, line_item) = (fields.text("system"), fields.text("line_item"));
    Some(Reference { system: system?, line_item: line_item? })
}

/// `haters`, or `{ audience: haters, hard: true }`.
fn exclude(node: &Node, found: &mut Vec<Diagnostic>) -> Option<(String, bool, Range<usize>)> {
    if let Value::Scalar { text, .. } = &node.value {
        return Some((text.clone(), false, node.span.clone()));
    }
    let mut fields = Fields::read(node, "an exclude", &["audience", "hard"], found)?;
    fields.require("audience", "haters");
    let hard = fields.flag("hard").unwrap_or(false);
    let span = fields.span_of("audience");
    Some((fields.text("audience")?, hard, span))
}

fn flight(node: &Node, default: &TimeZone, found: &mut Vec<Diagnostic>) -> Option<Flight> {
    let mut fields = Fields::read(node, "a flight", &["from", "to", "timezone"], found)?;
    let zone = fields.parsed("timezone", "an IANA time zone such as Europe/Rome", |text| TimeZone::get(text).ok());
    let zone = zone.as_ref().unwrap_or(default);
    let from = fields.parsed("from", INSTANT, |text| instant(text, zone, false));
    let to = fields.parsed("to", INSTANT, |text| instant(text, zone, true));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        let span = fields.span_of("to");
        fields.error("empty-flight", span, "the flight ends before it begins".to_owned());
    }
    Some(Flight { from, to })
}
