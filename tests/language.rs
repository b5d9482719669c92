//! The language as it was designed: its example definitions as written, and every form of its grammar.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use vaglio::audiences::catalogue::{Fallback, Status};
use vaglio::audiences::definitions::check;
use vaglio::audiences::{Audience, AudienceKind, Catalogue, Severity};
use vaglio::config::load_file;
use vaglio::schema::{Declarations, Span};

const CONFIG: &str = "\
timezone: Europe/Rome
sources:
  - name: crm
    kind: profiles
    path: crm.csv
    ids: [{ column: id, type: crm }]
    traits:
      - { column: age, kind: number }
      - { column: region, kind: category }
      - { column: device.os, kind: category }
      - { column: interests, kind: tags }
      - { column: contract_end, kind: date }
      - { column: premium, kind: flag }
  - name: web
    kind: events
    path: web.csv
    ids: [{ column: id, type: crm }]
    time: { column: time }
    event: { column: event, names: [complaint, device_broken, impression, purchase] }
    properties:
      - { column: campaign, kind: category }
      - { column: category, kind: category }
      - { column: price, kind: number }
";

/// The designed example, and the one audience that it names and leaves out.
const EXAMPLE: &str = r#"
    audiences:
      - { id: phone-replacers, name: Need a new phone now, kind: target, owner: acme, folder: mobile, tags: [q4],
          rule: did device_broken within 7 days, segment: { taxonomy: 4, id: "560" } }
      - { id: haters, name: Do not speak to, kind: suppress, owner: acme, rule: did complaint at least 2 times within 60 days }
      - { id: vip, owner: acme, kind: target, list: true, ttl: 30 days }          # uploaded memberships
      - { id: recent-buyers, owner: acme, kind: suppress, rule: did purchase within 30 days }
    campaigns:
      - id: upgrade-2026
        owner: acme
        status: active                                   # draft | active | paused | archived
        flight: { from: 2026-11-01, to: 2026-12-31, timezone: Europe/Rome }
        deals: [{ exchange: index, id: deal-123, exclusive: true }]
        refs: [{ system: dv360, line_item: "998" }]
        include: [phone-replacers]
        exclude: [{ audience: haters, hard: true }, recent-buyers]
        no_profile: suppress     # a known-unknown user; default: target when include is empty, else suppress
        on_failure: suppress     # what a door that cannot say "unknown" says; never target when an exclude is hard
        caps: [{ impressions: 3, per: 24h }, { impressions: 10, per: flight }]
        min_gap: 20m
        priority: 10
        group: mobile            # groups: { mobile: { at_most: 1, per: 24h } }: one voice per person
    groups: { mobile: { at_most: 1, per: 24h } }
"#;

fn declarations() -> Declarations {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("vaglio.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    load_file(Path::new(&file)).unwrap().declarations
}

/// What the definitions say; every error is shown.
#[track_caller]
fn right(definitions: &str) -> Catalogue {
    let files = [(PathBuf::from("definitions.yaml"), definitions.to_owned())];
    let checked = check(&files, &declarations(), &TimeZone::get("Europe/Rome").unwrap());
    let errors = checked.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let errors: Vec<String> = errors.map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    checked.catalogue.unwrap()
}

#[test]
fn the_designed_example_is_accepted_as_it_is_written() {
    let catalogue = right(EXAMPLE);
    let audience = |id: &str| -> &Audience { catalogue.audiences.iter().find(|it| it.id.as_str() == id).unwrap() };
    let replacers = audience("acme/phone-replacers");
    assert_eq!((replacers.name.as_str(), replacers.kind), ("Need a new phone now", AudienceKind::Target));
    assert_eq!((replacers.folder.as_deref(), &replacers.tags[..]), (Some("mobile"), &["q4".to_owned()][..]));
    assert_eq!(replacers.rule.as_ref().unwrap().to_string(), "did device_broken within 7 days");
    let segment = replacers.segment.as_ref().unwrap();
    assert_eq!((segment.taxonomy, segment.id.as_str()), (Some(4), "560"));
    assert_eq!(audience("acme/haters").kind, AudienceKind::Suppress);
    let vip = audience("acme/vip");
    assert_eq!((vip.ttl, vip.rule.is_none()), (Some(Span(30 * 86_400)), true));
    let [campaign] = &catalogue.campaigns[..] else { panic!("one campaign") };
    assert_eq!((campaign.status, campaign.priority, campaign.min_gap), (Status::Active, 10, Some(Span(1_200))));
    assert_eq!((campaign.no_profile, campaign.on_failure), (Fallback::Suppress, Fallback::Suppress));
    let excludes: Vec<_> = campaign.exclude.iter().map(|it| (it.audience.as_str(), it.hard)).collect();
    assert_eq!(excludes, [("acme/haters", true), ("acme/recent-buyers", false)]);
    assert_eq!(
        campaign.caps.iter().map(|cap| (cap.impressions, cap.per)).collect::<Vec<_>>(),
        [(3, Some(Span(86_400))), (10, None)]
    );
    assert!(campaign.deals[0].exclusive && campaign.refs[0].line_item == "998");
    assert_eq!((campaign.group.as_deref(), catalogue.groups[0].at_most), (Some("acme/mobile"), 1));
}

/// Accepts the rules as they are written, each as an audience of its own.
#[track_caller]
fn all_are_rules<'a>(rules: impl IntoIterator<Item = &'a str>) {
    let mut text = "audiences:\n  - { id: haters, owner: acme, kind: suppress, rule: did complaint }\n".to_owned();
    for (at, rule) in rules.into_iter().enumerate() {
        let rule = serde_json::to_string(rule).unwrap();
        text += &format!("  - {{ id: a{at}, owner: acme, kind: target, rule: {rule} }}\n");
    }
    right(&text);
}

#[test]
fn every_form_of_a_condition_is_a_rule() {
    all_are_rules([
        "age between 25 and 44\n and region in (Lombardia, Lazio)\n and did device_broken within 7 days # now\n \
         and not (in audience haters or did purchase where category = \"phone\" within 90 days)",
        "age = 5 or age != 5 or age < 5 or age <= 5 or age > 5 or age >= 5",
        "age in (18, 19) and device.os = ios and region is known and premium",
        "interests has music or interests has any (music, \"rock opera\") or interests has all (music, sport)",
        "region contains \"om\" or region starts with \"Lom\" or region matches any of (\"Lom*\", \"L?zio\")",
        "contract_end within 30 days or contract_end before 90 days ago or contract_end since 2026-01-01",
        "contract_end between 2026-01-01 and 2026-12-31 or contract_end >= 2026-06-30",
        "at least 2 of (premium, age >= 18 and age < 30, did purchase)",
        "in sample 10% of \"name\" and in audience acme/haters",
        "everyone",
        "DID purchase WHERE category = phone AT LEAST 2 TIMES WITHIN 7 DAYS AND NOT premium",
        "did impression where campaign = \"x\" and did complaint",
    ]);
}

#[test]
fn every_count_goes_with_every_window() {
    let counts = [
        "",
        "once",
        "twice",
        "at least 3 times",
        "at most 3 times",
        "exactly 3 times",
        "between 2 and 5 times",
        "on at least 3 different days",
        "with sum of price >= 100",
        "with avg of price < 9.5",
        "with min of price > 1",
        "with max of price != 7",
        "with at least 2 different category",
    ];
    let windows = [
        "",
        "within 24 hours",
        "within 7 days",
        "before 30 days ago",
        "between 7 and 30 days ago",
        "between 12 hours and 2 days ago",
        "since 2026-10-01",
        "between 2026-10-01 and 2026-10-31",
        "today",
    ];
    let heads = ["did", "first did", "last did"];
    let filters = ["", "where category = phone", "where category in (phone, tablet) and price between 5 and 10"];
    let mut rules = Vec::new();
    for (filter, window) in filters.iter().flat_map(|filter| windows.iter().map(move |window| (filter, window))) {
        rules.push(format!("never did purchase {filter} {window}"));
        for (head, count) in heads.iter().flat_map(|head| counts.iter().map(move |count| (head, count))) {
            rules.push(format!("{head} purchase {filter} {count} {window}"));
        }
    }
    all_are_rules(rules.iter().map(String::as_str));
}
