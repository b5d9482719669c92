//! What can be wrong within one source: partners that its kind needs or forbids, names, values, formats.

use super::model::{Source, SourceKind, TraitColumn};
use super::validate::{Report, check_share, steps};
use crate::schema::{PropKind, TraitKind, names::is_name};
use std::collections::BTreeSet;

/// Checks a source by itself; the report's base is the source.
pub(super) fn check_source(source: &Source, report: &mut Report) {
    report.require(is_name(&source.name), steps!["name"], "is not a name", "use letters, digits, `_`, `-` and `.`");
    check_path(source, report);
    check_ids(source, report);
    check_partners(source, report);
    check_traits(source, report);
    check_event(source, report);
    check_membership(source, report);
    check_share(source.max_rejected_share, steps!["max_rejected_share"], report);
    let ages = source.max_age.is_none_or(|age| age.0 > 0);
    report.require(ages, steps!["max_age"], "is nothing", "write such as `2 days`, or leave it out");
    report.require(source.retention_days != Some(0), steps!["retention_days"], "keeps nothing", "choose 1 or more");
    let delimiter = source.delimiter.is_none_or(|c| c.is_ascii() && !matches!(c, '"' | '\n' | '\r'));
    report.require(delimiter, steps!["delimiter"], "cannot separate columns", "use one ASCII character such as `;`");
    if let Some(time) = &source.time {
        report.require(!time.column.is_empty(), steps!["time", "column"], "is empty", "name the column");
        let format = time.format.as_deref().unwrap_or("rfc3339");
        let known = matches!(format, "rfc3339" | "unix" | "unix_ms") || format.contains('%');
        let help = "write rfc3339, unix, unix_ms, or a strptime format such as \"%Y-%m-%d %H:%M:%S\"";
        report.require(known, steps!["time", "format"], "is not a format", help);
    }
}

fn check_path(source: &Source, report: &mut Report) {
    if source.path.is_empty() {
        return report.wrong(steps!["path"], "is empty", "name a file, a glob, or s3://bucket/prefix*");
    }
    let lake = cfg!(feature = "lake");
    let help = "install a vaglio that was built with the feature `lake`";
    match source.path.split_once("://") {
        Some(("s3", _)) => report.require(lake, steps!["path"], "object stores are not built in", help),
        Some((scheme, _)) => {
            report.wrong(steps!["path"], format!("cannot read {scheme}://"), "use s3:// or a local path")
        }
        None => {
            if let Err(error) = glob::Pattern::new(&source.path) {
                report.wrong(steps!["path"], format!("is not a pattern: {error}"), "");
            }
        }
    }
    let name = source.path.rsplit('/').next().unwrap_or_default();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    let Some((_, extension)) = name.rsplit_once('.') else { return };
    match extension {
        "csv" | "ndjson" | "jsonl" => {}
        "parquet" => report.require(lake, steps!["path"], "Parquet is not built in", help),
        pattern if pattern.contains(['*', '?', '[', '{']) => {}
        _ => {
            let message = format!("`.{extension}` is not a format");
            report.wrong(steps!["path"], message, "known: .csv, .ndjson, .jsonl, .parquet, each also with .gz or .zst");
        }
    }
}

fn check_ids(source: &Source, report: &mut Report) {
    let links = source.kind == SourceKind::Links;
    let needed = if links { 2 } else { 1 };
    if source.ids.len() < needed {
        let message = if links { "a link needs two or more identifier columns" } else { "a row needs an identifier" };
        report.wrong(steps!["ids"], message, "list them: ids: [{ column: crm_id, type: crm }]");
    }
    for (at, id) in source.ids.iter().enumerate() {
        report.require(!id.column.is_empty(), steps!["ids", at, "column"], "is empty", "name the column");
        let name = id.type_column().unwrap_or(&id.kind);
        report.require(!name.is_empty(), steps!["ids", at, "type"], "is empty", "email, phone, ifa or any EID source");
        let may = matches!(source.kind, SourceKind::Links | SourceKind::Memberships);
        if id.type_column().is_some() && !may {
            let message = "a type that is read from a column is for links and memberships";
            report.wrong(steps!["ids", at, "type"], message, "name the type itself");
        }
        if id.hashed && !id.kind.eq_ignore_ascii_case("email") && !id.kind.eq_ignore_ascii_case("phone") {
            report.wrong(steps!["ids", at, "hashed"], "only an email or a phone can be hashed already", "leave it out");
        }
    }
}

/// The sections a kind needs, and those that would be ignored in silence.
fn check_partners(source: &Source, report: &mut Report) {
    use SourceKind::{Consents, Events, Links, Memberships, Profiles};
    let kind = source.kind;
    let parts: [(&str, bool, &[SourceKind], bool); 8] = [
        ("traits", !source.traits.is_empty(), &[Profiles], false),
        ("event", source.event.is_some(), &[Events], true),
        ("time", source.time.is_some(), &[Profiles, Events, Memberships, Consents], kind == Events),
        ("event_id", source.event_id.is_some(), &[Events], false),
        ("properties", !source.properties.is_empty(), &[Events], false),
        ("membership", source.membership.is_some(), &[Memberships], true),
        ("consent", source.consent.is_some(), &[Consents], true),
        ("retention_days", source.retention_days.is_some(), &[Profiles, Events, Memberships], false),
    ];
    for (name, there, kinds, needed) in parts {
        let fits = kinds.contains(&kind);
        let word = format!("{kind:?}").to_lowercase();
        if there && !fits {
            report.wrong(steps![name], format!("means nothing for a source of kind {word}"), "take it out");
        } else if !there && fits && needed {
            report.wrong(steps![], format!("a source of kind {word} needs `{name}`"), &format!("add `{name}:`"));
        }
    }
    let levelled = source.level != super::model::LinkLevel::Person && kind != Links;
    report.require(!levelled, steps!["level"], "is for sources of kind links", "take it out");
}

fn check_traits(source: &Source, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (at, column) in source.traits.iter().enumerate() {
        report.require(!column.column.is_empty(), steps!["traits", at, "column"], "is empty", "name the column");
        let name = column.trait_name();
        if !is_name(name) {
            let message = format!("`{name}` cannot be a trait's name");
            report.wrong(steps!["traits", at], message, "add `trait:` with letters, digits, `_`, `-` and `.`");
        }
        if !seen.insert(name) {
            report.wrong(steps!["traits", at], format!("`{name}` stands there twice"), "name the second one apart");
        }
        report.require(
            column.retention_days != Some(0),
            steps!["traits", at, "retention_days"],
            "keeps nothing",
            "choose 1 or more",
        );
        check_values(column, at, report);
    }
}

fn check_values(column: &TraitColumn, at: usize, report: &mut Report) {
    let worded = matches!(column.kind, TraitKind::Category | TraitKind::Tags);
    if !column.values.is_empty() && !worded {
        report.wrong(steps!["traits", at, "values"], "only a category or tags has listed values", "take it out");
    }
    if column.separator.is_some() && column.kind != TraitKind::Tags {
        report.wrong(steps!["traits", at, "separator"], "only tags are separated", "take it out");
    }
    report.require(
        column.separator.as_deref() != Some(""),
        steps!["traits", at, "separator"],
        "is empty",
        "write what stands between two tags, such as \"|\"",
    );
    for (from, to) in &column.map {
        let known = match column.kind {
            TraitKind::Flag => matches!(to.as_str(), "true" | "false" | ""),
            _ => column.values.is_empty() || to.is_empty() || column.values.contains(to),
        };
        let help = if column.kind == TraitKind::Flag { "map to true, false or \"\"" } else { "add it to `values`" };
        let message = format!("maps to `{to}`, which is not a permitted value");
        report.require(known, steps!["traits", at, "map", from.as_str()], &message, help);
    }
    let format = column.format.as_deref();
    let valid = match (column.kind, format) {
        (_, None) => true,
        (TraitKind::Number, Some(sign)) => matches!(sign, "." | ","),
        (TraitKind::Date, Some(format)) => format.contains('%'),
        _ => false,
    };
    let help = "numbers: \".\" or \",\"; dates: a strptime format such as \"%d.%m.%Y\"; other kinds have none";
    report.require(valid, steps!["traits", at, "format"], "is not a format of this kind", help);
}

fn check_event(source: &Source, report: &mut Report) {
    let Some(event) = &source.event else { return };
    if event.names.is_empty() {
        report.wrong(steps!["event", "names"], "is empty", "list the events' names");
    } else if event.column.is_none() && event.names.len() > 1 {
        let message = "without a column every row is one event, but there are several names";
        report.wrong(steps!["event", "names"], message, "add `column:`, or keep one name");
    }
    if event.column.is_none() && !event.map.is_empty() {
        report.wrong(steps!["event", "map"], "renames nothing without `column`", "add `column:` or take it out");
    }
    let known = |name: &String| event.names.contains(name);
    for (at, name) in event.names.iter().enumerate() {
        let message = format!("`{name}` cannot be an event's name");
        report.require(is_name(name), steps!["event", "names", at], &message, "use letters, digits, `_`, `-` and `.`");
    }
    for (from, to) in event.map.iter().filter(|(_, to)| !to.is_empty() && !known(to)) {
        let message = format!("maps to `{to}`, which is not among `names`");
        report.wrong(steps!["event", "map", from.as_str()], message, "add it to `names`");
    }
    let mut seen = BTreeSet::new();
    for (at, prop) in source.properties.iter().enumerate() {
        report.require(!prop.column.is_empty(), steps!["properties", at, "column"], "is empty", "name the column");
        let name = prop.prop_name();
        let message = format!("`{name}` cannot be a property's name");
        report.require(is_name(name), steps!["properties", at], &message, "add `name:` with letters, digits, `_`");
        for carrier in prop.events.iter().filter(|name| !known(name)) {
            let message = format!("`{carrier}` is not among the source's event names");
            report.wrong(steps!["properties", at, "events"], message, "correct it, or add it to `event.names`");
        }
        let carriers = if prop.events.is_empty() { &event.names } else { &prop.events };
        if !carriers.iter().all(|carrier| seen.insert((carrier.as_str(), name))) {
            report.wrong(steps!["properties", at], format!("`{name}` stands there twice"), "name the second one apart");
        }
        if !prop.values.is_empty() && prop.kind != PropKind::Category {
            report.wrong(steps!["properties", at, "values"], "only a category has listed values", "take it out");
        }
    }
}

fn check_membership(source: &Source, report: &mut Report) {
    let Some(lists) = &source.membership else { return };
    if lists.audience.is_some() == lists.audience_column.is_some() {
        let message = "say which audience: either `audience` for every row, or `audience_column`";
        report.wrong(steps!["membership"], message, "give one of the two");
    }
    if let Some(audience) = &lists.audience {
        let full = audience.split_once('/').is_some_and(|(owner, id)| is_name(owner) && is_name(id));
        report.require(full, steps!["membership", "audience"], "is not an audience's full name", "write `owner/id`");
    }
}
