//! What planners write: rules, definition files, changes of the catalogue.

use serde_json::value::{RawValue, to_raw_value};
use std::path::PathBuf;
use vaglio::audiences::definitions::canonical;
use vaglio::audiences::versions::parts::Parts;
use vaglio::audiences::versions::{Change, Versions};
use vaglio::audiences::{definitions, parse, print, tree};
use vaglio::schema::{Declarations, Timestamp};

/// The rule language: what is read is printed and read back as the same.
pub(super) fn rule(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match parse(&text, "acme") {
        Ok(parsed) => {
            let printed = print(&parsed.expr);
            let again = parse(&printed, "acme").map(|again| again.expr);
            assert_eq!(again.as_ref().ok(), Some(&parsed.expr), "{printed}");
        }
        Err(diagnostics) => assert!(!diagnostics.is_empty()),
    }
}

/// A rule as a tree: what is read is a rule whose own tree is read as the same.
pub(super) fn rule_tree(bytes: &[u8]) {
    let Ok(raw) = RawValue::from_string(String::from_utf8_lossy(bytes).into_owned()) else { return };
    match tree::read(&raw, "acme") {
        Ok(reading) => {
            let own = to_raw_value(&tree::Tree::of(&reading.parsed.expr)).expect("a tree is JSON");
            let again = tree::read(&own, "acme").map(|again| again.parsed.expr);
            assert_eq!(again.as_ref().ok(), Some(&reading.parsed.expr), "{}", reading.text);
        }
        Err(misfits) => assert!(!misfits.is_empty()),
    }
}

/// Definition files, with every finding drawn.
pub(super) fn read_definitions(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let files = [(PathBuf::from("fuzz.yaml"), text)];
    let checked = definitions::check(&files, &Declarations::default(), &jiff::tz::TimeZone::UTC);
    for finding in checked.findings.iter().take(20) {
        finding.render(&files[0].1, false);
    }
}

/// A change of the catalogue: what is read is cut into records and comes back, and its texts are canonical after one writing.
pub(super) fn change(bytes: &[u8]) {
    let Ok(change) = Change::read(&String::from_utf8_lossy(bytes)) else { return };
    let Ok(records) = change.records(Timestamp(0)) else { return };
    let mut parts = Parts::default();
    let back = records.iter().filter_map(|record| parts.take(record).expect("it was read before")).next();
    assert_eq!(back.as_ref().map(|(_, change)| change), Some(&change));
    for item in &change.items {
        let text = item.text.as_deref().unwrap_or("");
        if let Some(once) = canonical::item(item.kind, &item.id, text) {
            assert_eq!(canonical::item(item.kind, &item.id, &once), Some(once.clone()), "{text:?}");
        }
    }
    let mut versions = Versions::default();
    assert_eq!(versions.apply(Timestamp(0), change.clone()), change.number > 0);
    assert!(!versions.apply(Timestamp(0), change));
}
