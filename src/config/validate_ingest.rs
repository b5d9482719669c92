//! What can be wrong with what comes by the doors: names, kinds that contradict a source's or a built-in event's, sizes.

use super::declare::{built_in, id_types};
use super::feeding::{DoorEvents, DoorTrait, Ingest};
use super::model::{Config, Source};
use super::validate::{Report, steps};
use crate::schema::{PropKind, TraitKind, names::is_name};
use std::collections::BTreeSet;

/// The least bytes of a log segment: a smaller one is a file for a handful of events.
const LEAST_SEGMENT: u64 = 64 << 10;
/// The least bytes that may wait: less than one batch would make every sender wait for every other.
const LEAST_QUEUE: usize = 1 << 20;

/// Checks the section; `sources` are those that are whole, with their positions.
pub(super) fn check_ingest(config: &Config, sources: &[(usize, &Source)], report: &mut Report) {
    let ingest = &config.ingest;
    check_ids(config, report);
    for (at, said) in ingest.traits.iter().enumerate() {
        check_trait(at, said, ingest, sources, report);
    }
    for (at, said) in ingest.events.iter().enumerate() {
        check_event(at, said, ingest, sources, report);
    }
    check_sizes(ingest, report);
    let purge_hours = u64::from(config.privacy.objections.purge_days) * 24;
    report.require(
        purge_hours > u64::from(ingest.dedupe_hours),
        steps!["ingest", "dedupe_hours"],
        "is as long as privacy.objections.purge_days: the log that ids are remembered from would hold the deleted longer",
        "remember ids for a shorter time, or allow more days for purging",
    );
}

fn check_ids(config: &Config, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (at, id) in config.ingest.ids.iter().enumerate() {
        let path = || steps!["ingest", "ids", at, "type"];
        let name = id.kind.to_lowercase();
        report.require(!name.is_empty(), path(), "is empty", "email, phone, ifa or any EID source");
        report.require(!name.starts_with('$'), path(), "cannot be read from a column", "name the type itself");
        report.require(seen.insert(name.clone()), path(), "stands there twice", "take one out");
        let Some(bid) = id.bid else { continue };
        let columns = config.sources.iter().flat_map(|source| source.ids.iter().map(move |id| (source, id)));
        let other = columns.filter(|(_, id)| id.kind.to_lowercase() == name).find(|(_, id)| id.bid == Some(!bid));
        if let Some((source, _)) = other {
            let message = format!("`{name}` is `bid: {}` in source `{}`", !bid, source.name);
            report.wrong(steps!["ingest", "ids", at, "bid"], message, "say the same in both, or say it once");
        }
    }
    let known = id_types(&config.sources, &config.ingest, &config.identity.precedence);
    report.require(
        !known.is_empty() || !said(&config.ingest),
        steps!["ingest", "ids"],
        "is empty, and no source has identifiers either: nobody could be named",
        "declare a type such as { type: crm }",
    );
}

/// Whether the section declares anything that somebody would have to be named for.
fn said(ingest: &Ingest) -> bool {
    !ingest.traits.is_empty() || !ingest.events.is_empty()
}

fn check_trait(at: usize, said: &DoorTrait, ingest: &Ingest, sources: &[(usize, &Source)], report: &mut Report) {
    let path = |key: &'static str| steps!["ingest", "traits", at, key];
    report.require(
        is_name(&said.name),
        path("trait"),
        "cannot be a trait's name",
        "use letters, digits, `_`, `-` and `.`",
    );
    let twice = ingest.traits[..at].iter().any(|earlier| earlier.name == said.name);
    report.require(!twice, path("trait"), "stands there twice", "take one out");
    let worded = matches!(said.kind, TraitKind::Category | TraitKind::Tags);
    report.require(
        said.values.is_empty() || worded,
        path("values"),
        "only a category or tags has listed values",
        "take it out",
    );
    report.require(said.retention_days != Some(0), path("retention_days"), "keeps nothing", "choose 1 or more");
    let columns = sources.iter().flat_map(|(_, source)| source.traits.iter().map(move |column| (source, column)));
    let other =
        columns.filter(|(_, column)| column.trait_name() == said.name).find(|(_, column)| column.kind != said.kind);
    if let Some((source, column)) = other {
        let message = format!("trait `{}` is a {:?} in source `{}`", said.name, column.kind, source.name);
        report.wrong(path("kind"), message.to_lowercase(), "make the kinds agree");
    }
}

fn check_event(at: usize, said: &DoorEvents, ingest: &Ingest, sources: &[(usize, &Source)], report: &mut Report) {
    let path = |key: &'static str| steps!["ingest", "events", at, key];
    report.require(!said.names.is_empty(), path("names"), "is empty", "list the events' names");
    report.require(said.retention_days != Some(0), path("retention_days"), "keeps nothing", "choose 1 or more");
    for (name_at, name) in said.names.iter().enumerate() {
        let path = || steps!["ingest", "events", at, "names", name_at];
        let help = "use letters, digits, `_`, `-` and `.`";
        report.require(is_name(name), path(), &format!("`{name}` cannot be an event's name"), help);
        let earlier = ingest.events[..at].iter().flat_map(|earlier| &earlier.names).chain(&said.names[..name_at]);
        report.require(
            earlier.clone().all(|known| known != name),
            path(),
            &format!("`{name}` stands there twice"),
            "take one out",
        );
    }
    let mut seen = BTreeSet::new();
    for (prop_at, prop) in said.properties.iter().enumerate() {
        let path = |key: &'static str| steps!["ingest", "events", at, "properties", prop_at, key];
        let help = "use letters, digits, `_`, `-` and `.`";
        report.require(is_name(&prop.name), path("name"), "cannot be a property's name", help);
        report.require(seen.insert(&prop.name), path("name"), "stands there twice", "take one out");
        let worded = prop.values.is_empty() || prop.kind == PropKind::Category;
        report.require(worded, path("values"), "only a category has listed values", "take it out");
        if let Some((name, kind, place)) = elsewhere(said, &prop.name, prop.kind, sources) {
            let message = format!("property `{}` of `{name}` is a {kind:?} {place}", prop.name);
            report.wrong(path("kind"), message.to_lowercase(), "make the kinds agree, or name the properties apart");
        }
    }
}

/// An event of these of which the property is of another kind somewhere else: which, what kind, where.
fn elsewhere<'a>(
    said: &'a DoorEvents,
    prop: &str,
    kind: PropKind,
    sources: &[(usize, &Source)],
) -> Option<(&'a str, PropKind, String)> {
    for name in &said.names {
        if kind != PropKind::Category && built_in(name).is_some_and(|known| known.contains(&prop)) {
            return Some((name, PropKind::Category, "of every exposure and signal".to_owned()));
        }
        for (_, source) in sources {
            if !source.event.iter().any(|event| event.names.contains(name)) {
                continue;
            }
            let carried = source.properties.iter().filter(|it| it.events.is_empty() || it.events.contains(name));
            if let Some(other) = carried.filter(|it| it.prop_name() == prop).find(|it| it.kind != kind) {
                return Some((name, other.kind, format!("in source `{}`", source.name)));
            }
        }
    }
    None
}

fn check_sizes(ingest: &Ingest, report: &mut Report) {
    let path = |key: &'static str| steps!["ingest", key];
    report.require(
        ingest.dedupe_hours >= 1,
        path("dedupe_hours"),
        "remembers nothing",
        "choose 1 or more; 24 is the default",
    );
    report.require(
        (LEAST_SEGMENT..=4 << 30).contains(&ingest.segment_bytes),
        path("segment_bytes"),
        "is out of range",
        "choose 65536 to 4294967296 bytes",
    );
    report.require(
        ingest.queue_bytes >= LEAST_QUEUE,
        path("queue_bytes"),
        "is less than one batch needs",
        "choose 1048576 bytes or more",
    );
    report.require(
        ingest.max_future_seconds <= 366 * 86_400,
        path("max_future_seconds"),
        "is more than a year",
        "choose what clocks may differ by; 300 is the default",
    );
    report.require(
        ingest.token_hours <= ingest.dedupe_hours,
        path("token_hours"),
        "is longer than ingest.dedupe_hours: a token that is reported again after that would count again",
        "let tokens end earlier, or remember ids for longer",
    );
    let at_least_one: [(&'static str, u64); 3] = [
        ("max_changed_profiles", ingest.max_changed_profiles as u64),
        ("max_strangers", ingest.max_strangers as u64),
        ("token_hours", u64::from(ingest.token_hours)),
    ];
    for (key, value) in at_least_one {
        report.require(value >= 1, path(key), "is 0", "choose 1 or more");
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::from_text;
    use std::path::Path;

    fn mistakes(text: &str) -> Vec<String> {
        let read = from_text(text, Path::new("/nowhere/vaglio.yaml"), std::iter::empty());
        read.expect_err("the section is wrong").problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let found = mistakes(
            "
sources:
  - { name: crm, kind: profiles, path: crm.csv, ids: [{ column: id, type: crm, bid: true }], traits: [{ column: age, kind: number }] }
  - name: shop
    kind: events
    path: shop.csv
    ids: [{ column: id, type: crm }]
    event: { names: [purchase] }
    time: { column: at }
    properties: [{ column: price, kind: number }]
ingest:
  ids: [{ type: CRM, bid: false }, { type: push, bid: false }, { type: Push }]
  traits:
    - { trait: age, kind: category }
    - { trait: \"a b\", kind: flag, values: [x] }
  events:
    - { names: [purchase, click], properties: [{ name: price, kind: category }, { name: campaign, kind: number }] }
    - { names: [click, \"\"], retention_days: 0 }
  dedupe_hours: 0
  segment_bytes: 1
  queue_bytes: 1
  max_future_seconds: 999999999999
  max_strangers: 0
privacy: { objections: { purge_days: 0 } }
",
        );
        for expected in [
            "ingest.ids[0].bid: `crm` is `bid: true` in source `crm`",
            "ingest.ids[2].type: stands there twice",
            "ingest.traits[0].kind: trait `age` is a number in source `crm`",
            "ingest.traits[1].trait: cannot be a trait's name",
            "ingest.traits[1].values: only a category",
            "ingest.events[0].properties[0].kind: property `price` of `purchase` is a number in source `shop`",
            "ingest.events[0].properties[1].kind: property `campaign` of `click` is a category of every exposure",
            "ingest.events[1].names[0]: `click` stands there twice",
            "ingest.events[1].names[1]: `` cannot be an event's name",
            "ingest.events[1].retention_days: keeps nothing",
            "ingest.dedupe_hours: remembers nothing",
            "ingest.dedupe_hours: is as long as privacy.objections.purge_days",
            "ingest.token_hours: is longer than ingest.dedupe_hours",
            "ingest.segment_bytes: is out of range",
            "ingest.queue_bytes: is less",
            "ingest.max_future_seconds: is more than a year",
            "ingest.max_strangers: is 0",
        ] {
            assert!(found.iter().any(|found| found.contains(expected)), "{expected} is not in {found:#?}");
        }
        assert_eq!(found.len(), 17, "{found:#?}");
    }

    #[test]
    fn whoever_declares_something_must_be_able_to_name_somebody() {
        let found = mistakes("ingest: { events: [{ names: [x] }] }");
        assert!(found.len() == 1 && found[0].contains("nobody could be named"), "{found:?}");
    }
}
