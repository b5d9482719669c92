//! Tests of `definitions`.

use super::*;
use crate::audiences::catalogue::{Fallback, Status};
use crate::audiences::order::evaluation_order;
use crate::schema::*;
use proptest::prelude::*;

fn declarations() -> Declarations {
    let uses = Use::ALL.to_vec();
    let a_trait = |name: &str, kind, values: &[&str]| TraitDecl {
        name: name.into(),
        kind,
        values: values.iter().map(|v| (*v).into()).collect(),
        uses: if name == "illness" { vec![Use::Suppress] } else { uses.clone() },
        sensitive: name == "illness",
        retention_days: None,
        legal_basis: None,
        sources: vec![],
    };
    let properties = vec![
        PropDecl { name: "category".into(), kind: PropKind::Category, values: vec!["phone".into(), "tablet".into()] },
        PropDecl { name: "price".into(), kind: PropKind::Number, values: vec![] },
    ];
    let event = |name: &str| EventDecl {
        name: name.into(),
        properties: properties.clone(),
        uses: if name == "surf" { vec![Use::Target] } else { uses.clone() },
        retention_days: Some(90),
        legal_basis: None,
        sources: vec![],
    };
    Declarations {
        traits: vec![
            a_trait("age", TraitKind::Number, &[]),
            a_trait("contract_end", TraitKind::Date, &[]),
            a_trait("illness", TraitKind::Category, &[]),
            a_trait("interests", TraitKind::Tags, &["music", "sport"]),
            a_trait("region", TraitKind::Category, &["Lazio", "Lombardia"]),
            a_trait("vip", TraitKind::Flag, &[]),
        ],
        events: vec![event("complaint"), event("purchase"), event("surf")],
        list_sources: Default::default(),
    }
}

fn checked(files: &[&str]) -> Checked {
    let named = |(at, text): (usize, &&str)| (PathBuf::from(format!("{at}.yaml")), (*text).to_owned());
    let files: Vec<_> = files.iter().enumerate().map(named).collect();
    check(&files, &declarations(), &TimeZone::get("Europe/Rome").unwrap())
}

/// The findings as `file:line:column code`.
fn findings(files: &[&str]) -> Vec<String> {
    let line = |f: &Finding| format!("{}:{}:{} {}", f.file.display(), f.line, f.column, f.code);
    checked(files).findings.iter().map(line).collect()
}

/// What is found about one rule of a target audience: `"text" code`.
fn about(rule: &str) -> Vec<String> {
    let escaped = serde_json::to_string(rule).unwrap();
    let file = format!("audiences: [{{ id: x, owner: o, kind: target, rule: {escaped} }}]");
    let line = |f: &Finding| format!("{:?} {}", &file[f.span.clone()], f.code);
    checked(&[&file]).findings.iter().map(line).collect()
}

const GOOD: &str = r#"
audiences:
  - { id: replacers, name: Need a phone, kind: target, owner: acme, folder: mobile, tags: [q4],
      rule: did purchase within 7 days, segment: { taxonomy: 4, id: "560" } }
  - { id: haters, kind: suppress, owner: acme, rule: did complaint at least 2 times within 60 days }
  - { id: vip, owner: acme, kind: target, list: true, ttl: 30 days }
  - id: calm
    owner: acme
    kind: target
    rule: |
      vip and                      # the good ones
      not in audience haters
campaigns:
  - id: upgrade
    owner: acme
    status: active
    flight: { from: 2026-11-01, to: 2026-12-31, timezone: Europe/Rome }
    deals: [{ exchange: index, id: deal-123, exclusive: true }]
    refs: [{ system: dv360, line_item: "998" }]
    include: [replacers, acme/calm]
    exclude: [{ audience: haters, hard: true }, vip]
    caps: [{ impressions: 3, per: 24h }, { impressions: 10, per: flight }]
    min_gap: 20m
    priority: 10
    group: mobile
  - { id: all, owner: acme, status: draft }
groups: { mobile: { at_most: 1, per: 24h } }
"#;

#[test]
fn a_file_becomes_a_catalogue() {
    let checked = checked(&[GOOD]);
    let codes: Vec<_> = checked.findings.iter().map(|f| (f.code, f.line)).collect();
    assert_eq!(codes, [("unused-group", 27)]);
    let catalogue = checked.catalogue.unwrap();
    let ids: Vec<_> = catalogue.audiences.iter().map(|a| a.id.as_str()).collect();
    assert_eq!(ids, ["acme/calm", "acme/haters", "acme/replacers", "acme/vip"]);
    let rule = catalogue.audiences[0].rule.as_ref().unwrap();
    assert_eq!(rule.to_string(), "vip and not in audience acme/haters");
    assert_eq!(evaluation_order(&catalogue), [1, 0, 2, 3]);
    let [all, upgrade] = catalogue.campaigns.as_slice() else { panic!() };
    assert_eq!((all.no_profile, upgrade.no_profile), (Fallback::Target, Fallback::Suppress));
    assert_eq!((upgrade.status, upgrade.on_failure), (Status::Active, Fallback::Suppress));
    let flight = upgrade.flight.unwrap();
    assert_eq!(flight.from.unwrap().to_string(), "2026-10-31T23:00:00Z");
    assert_eq!(flight.to.unwrap().to_string(), "2026-12-31T23:00:00Z");
    assert_eq!(upgrade.group.as_deref(), Some("acme/mobile"));
    assert_eq!(catalogue.groups[0].id.as_str(), "acme/mobile");
    let text = serde_json::to_string(&catalogue).unwrap();
    assert_eq!(serde_json::from_str::<Catalogue>(&text).unwrap(), catalogue);
}

#[test]
fn all_errors_of_all_files_come_at_once() {
    let one =
        "audiences:\n  - { id: a, owner: o, kind: target, rule: aeg > 5, colour: red }\n  - { id: a!, kind: both }\n";
    let two = "audiences:\n  - { id: a, owner: o, kind: target, list: true, rule: vip }\ncampaigns:\n  - { id: c, owner: o, status: on, include: [b], min_gap: soon, caps: [{ impressions: 0 }] }\naudience: []\n";
    assert_eq!(
        findings(&[one, two]),
        [
            "0.yaml:2:44 unknown-trait",
            "0.yaml:2:53 unknown-key",
            "0.yaml:3:5 missing-key",
            "0.yaml:3:11 wrong-value",
            "0.yaml:3:11 missing-key",
            "0.yaml:3:21 wrong-value",
            "1.yaml:2:11 repeated-id",
            "1.yaml:2:56 rule-and-list",
            "1.yaml:4:32 wrong-value",
            "1.yaml:4:46 unknown-audience",
            "1.yaml:4:59 wrong-value",
            "1.yaml:4:72 missing-key",
            "1.yaml:4:87 wrong-value",
            "1.yaml:5:1 unknown-key",
        ]
    );
}

#[test]
fn errors_point_into_every_style_of_scalar() {
    for (style, expected) in [
        ("rule: vip and\n      aeg > 5", "0.yaml:6:7 unknown-trait"),
        ("rule: |\n      vip and # c\n        aeg > 5", "0.yaml:7:9 unknown-trait"),
        ("rule: >-\n\n      vip and\n\n      aeg > 5", "0.yaml:9:7 unknown-trait"),
        ("rule: \"region = \\\"Lazio\\\" and aeg > 5\"", "0.yaml:5:35 unknown-trait"),
        ("rule: 'vip and aeg > 5'", "0.yaml:5:20 unknown-trait"),
        ("rule: 'region = \"è\" and aeg > 5'", "0.yaml:5:29 unknown-trait"),
    ] {
        let file = format!("audiences:\n  - id: a\n    owner: o\n    kind: target\n    {style}\n");
        assert_eq!(findings(&[&file]), [expected], "{style}");
    }
}

#[test]
fn types_are_checked() {
    for (rule, expected) in [
        ("aeg > 5", "\"aeg\" unknown-trait"),
        ("did purchse", "\"purchse\" unknown-event"),
        ("did age", "\"age\" unknown-event"),
        ("purchase = 5", "\"purchase\" unknown-trait"),
        ("price > 5", "\"price\" unknown-trait"),
        ("did purchase where prise > 5", "\"prise\" unknown-property"),
        ("did purchase where price > 5 and age > 5", "\"age\" unknown-property"),
        ("did purchase with sum of category > 5", "\"category\" wrong-kind"),
        ("did purchase with at least 2 different colour", "\"colour\" unknown-property"),
        ("in audience y", "\"y\" unknown-audience"),
        ("age = Lazio", "\"Lazio\" wrong-value"),
        ("age between 5 and 2026-11-01", "\"2026-11-01\" wrong-value"),
        ("age between 9 and 5", "\"between 9 and 5\" empty-range"),
        ("age", "\"age\" wrong-test"),
        ("age has sport", "\"has sport\" wrong-test"),
        ("region > 5", "\"> 5\" wrong-test"),
        ("region = 5", "\"5\" wrong-value"),
        ("region in (Lazio, 5)", "\"5\" wrong-value"),
        ("interests = sport", "\"= sport\" wrong-test"),
        ("vip = yes", "\"yes\" wrong-value"),
        ("contract_end = 5", "\"5\" wrong-value"),
        ("age within 5 days", "\"within 5 days\" wrong-test"),
    ] {
        assert_eq!(about(rule), [expected], "{rule}");
    }
    for rule in [
        "age is known and age in (5, 6)",
        "contract_end within 5 days or contract_end > 2026-11-01",
        "interests contains \"po\" or interests has all (sport, music)",
        "region starts with \"L\" or vip = false",
        "did purchase where category is known with max of price > 5",
    ] {
        assert_eq!(about(rule), [""; 0], "{rule}");
    }
}

#[test]
fn lints_say_what_is_probably_not_meant() {
    for (rule, expected) in [
        ("age > 5 and age < 4", "\"age > 5 and age < 4\" contradiction"),
        ("age > 5 and (vip and age = 5)", "\"age > 5 and (vip and age = 5)\" contradiction"),
        ("region = Lazio and region in (Lombardia)", "\"region = Lazio and region in (Lombardia)\" contradiction"),
        ("vip and not vip", "\"vip and not vip\" contradiction"),
        ("did surf twice and did surf once", "\"did surf twice and did surf once\" contradiction"),
        ("never did surf and did surf today", "\"never did surf and did surf today\" contradiction"),
        ("last did surf twice", "\"last did surf twice\" contradiction"),
        ("did purchase where price > 5 and price < 5", "\"did purchase where price > 5 and price < 5\" contradiction"),
        ("everyone or vip", "\"everyone or vip\" tautology"),
        ("age > 5 and (vip or not vip)", "\"vip or not vip\" tautology"),
        ("everyone and (never did surf or did surf)", "\"never did surf or did surf\" tautology"),
        ("not vip and never did surf", "\"not vip and never did surf\" exclusion-only"),
        ("region = Lazzio", "\"Lazzio\" unknown-value"),
        ("interests has any (sport, cars)", "\"cars\" unknown-value"),
        ("did purchase where category in (phone, car)", "\"car\" unknown-value"),
        ("vip and did purchase at most 2 times", "\"at most 2 times\" includes-never"),
        ("region != Lazio", "\"!= Lazio\" not-equal-unknown"),
        ("did surf within 91 days", "\"within 91 days\" beyond-retention"),
        ("did surf between 1 and 91 days ago", "\"between 1 and 91 days ago\" beyond-retention"),
    ] {
        assert_eq!(about(rule), [expected], "{rule}");
    }
    for rule in [
        "age >= 5 and age <= 5",
        "everyone and not vip",
        "did surf within 90 days",
        "did surf at least 2 times and did surf between 1 and 5 times",
        "never did surf within 5 days and did surf",
        "interests has sport and interests has music",
        "age < 5 or age > 10",
    ] {
        assert_eq!(about(rule), [""; 0], "{rule}");
    }
}

#[test]
fn permitted_uses_reach_through_references() {
    let file = |kind: &str, rule: &str| {
        format!(
            "audiences:\n- {{ id: ill, owner: o, kind: suppress, rule: illness is known }}\n- {{ id: x, owner: o, kind: {kind}, rule: {rule} }}\n"
        )
    };
    let errors = |kind, rule| -> Vec<String> {
        findings(&[&file(kind, rule)]).into_iter().filter(|line| line.contains("use-not")).collect()
    };
    assert_eq!(errors("target", "illness = flu"), ["0.yaml:3:42 use-not-permitted"]);
    assert_eq!(errors("target", "vip and not in audience ill"), ["0.yaml:3:66 use-not-permitted"]);
    assert_eq!(errors("suppress", "vip and not in audience ill"), [""; 0]);
    assert_eq!(errors("suppress", "did surf"), ["0.yaml:3:48 use-not-permitted"]);
    assert_eq!(errors("target", "did surf"), [""; 0]);
    let excluded = "audiences: [{ id: s, owner: o, kind: target, rule: did surf }]\ncampaigns: [{ id: c, owner: o, status: active, exclude: [s] }]";
    assert_eq!(findings(&[excluded]), ["0.yaml:2:58 use-not-permitted"]);
}

#[test]
fn lists_may_be_used_as_their_sources_may() {
    let list = |list: Option<&str>, uses: &[Use]| ListSource { uses: uses.to_vec(), list: list.map(str::to_owned) };
    let refused = |sources: Vec<ListSource>| {
        let file = "audiences: [{ id: members, name: M, owner: o, kind: target, list: true }]";
        let list_sources = sources.into_iter().enumerate().map(|(at, one)| (at.to_string(), one)).collect();
        let declarations = Declarations { list_sources, ..declarations() };
        let checked = check(&[(PathBuf::from("0.yaml"), file.to_owned())], &declarations, &TimeZone::UTC);
        checked.findings.iter().any(|finding| finding.code == "use-not-permitted")
    };
    let own = Some("o/members");
    assert!(!refused(vec![list(Some("o/others"), &[Use::Suppress]), list(own, &Use::ALL)]));
    assert!(refused(vec![list(own, &[Use::Suppress]), list(None, &Use::ALL)]), "it is said to feed this list");
    assert!(!refused(vec![list(None, &[Use::Suppress]), list(None, &Use::ALL)]), "which one feeds it is not known yet");
}

#[test]
fn circles_are_named() {
    let file = "audiences:\n- { id: a, owner: o, kind: target, rule: in audience b }\n- { id: b, owner: o, kind: target, rule: in audience c }\n- { id: c, owner: o, kind: target, rule: vip or in audience a }\n";
    let checked = checked(&[file]);
    assert_eq!(checked.findings.len(), 1);
    assert_eq!(
        checked.findings[0].message,
        "audiences refer to each other in a circle: `o/a` -> `o/b` -> `o/c` -> `o/a`"
    );
    let own = "audiences: [{ id: a, owner: o, kind: target, rule: vip or in audience a }]";
    assert_eq!(findings(&[own]), ["0.yaml:1:71 reference-cycle"]);
}

#[test]
fn chains_of_references_end() {
    let chain = |length: usize| {
        let link = |at: usize| {
            format!("- {{ id: a{at}, name: A{at}, owner: o, kind: target, rule: in audience a{} }}\n", at + 1)
        };
        let links: String = (0..length).map(link).collect();
        format!("audiences:\n{links}- {{ id: a{length}, name: End, owner: o, kind: target, rule: vip }}\n")
    };
    assert_eq!(findings(&[&chain(100)]), Vec::<String>::new());
    assert_eq!(findings(&[&chain(101)]), ["0.yaml:2:65 reference-chain"]);
    assert_eq!(findings(&[&chain(20_000)]).len(), 1);
}

#[test]
fn campaigns_are_checked_against_the_whole() {
    let audiences = "audiences:\n- { id: t, owner: o, kind: target, rule: vip }\n- { id: s, owner: o, kind: suppress, rule: vip }\n";
    for (campaign, expected) in [
        ("include: [s]", vec!["0.yaml:5:48 include-of-suppress"]),
        ("include: [p/t]", vec!["0.yaml:5:48 unknown-audience"]),
        ("include: [t], exclude: [t]", vec!["0.yaml:5:62 included-and-excluded"]),
        ("exclude: [{ audience: s, hard: true }], on_failure: target", vec!["0.yaml:5:90 hard-but-target"]),
        ("exclude: [{ audience: s, heavy: true }]", vec!["0.yaml:5:63 unknown-key"]),
        ("exclude: [s], on_failure: target", vec![]),
        ("group: g", vec!["0.yaml:5:45 unknown-group"]),
        ("flight: { from: 2026-12-01, to: 2026-11-01 }", vec!["0.yaml:5:70 empty-flight"]),
        ("flight: { from: 2026-12-01, to: 2026-12-01 }", vec![]),
        ("flight: { from: 1 December, timezone: Mars }", vec!["0.yaml:5:54 wrong-value", "0.yaml:5:76 wrong-value"]),
    ] {
        let file = format!("{audiences}campaigns:\n- {{ id: c, owner: o, status: active, {campaign} }}\n")
            .replace("rule: vip }\n- { id: s", "rule: vip, name: T }\n- { id: s");
        assert_eq!(findings(&[&file]), expected, "{campaign}");
    }
}

#[test]
fn broken_yaml_is_an_error_with_a_place() {
    assert_eq!(findings(&["audiences: [\n  {"]).len(), 1);
    assert_eq!(findings(&["audiences:\n\t- x"]).len(), 1);
    assert_eq!(findings(&["- a"]), ["0.yaml:1:1 wrong-shape"]);
    assert_eq!(findings(&[" \n"]), ["0.yaml:1:1 empty-file"], "what an editor leaves while it writes");
    assert_eq!(findings(&["# nothing yet"]), [""; 0]);
    assert_eq!(
        findings(&["audiences: [&a { id: x, owner: o, kind: target, rule: vip }, *a]"])[0],
        "0.yaml:1:22 repeated-id"
    );
    let bomb = format!(
        "a0: &a0 [1]\n{}",
        (1..40).map(|n| format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1)).collect::<String>()
    );
    assert!(findings(&[&bomb]).iter().any(|line| line.contains("too-large")));
}

#[test]
fn load_reports_every_error_as_a_problem() {
    let files =
        [(PathBuf::from("x.yaml"), "audiences: [{ id: a, owner: o, kind: target, rule: aeg > 5 and vpi }]".to_owned())];
    let error = load(&files, &declarations(), &TimeZone::UTC).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the definitions have 2 errors\
         \n  x.yaml:1:52: there is no trait `aeg`\n    help: did you mean `age`?\
         \n  x.yaml:1:64: there is no trait `vpi`\n    help: did you mean `vip`?"
    );
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn findings_are_drawn_with_carets() {
    let text = "audiences: [{ id: a, owner: o, kind: target, rule: aeg > 5 }]";
    let drawn = checked(&[text]).findings[0].render(text, false);
    let expected = [
        "[unknown-trait] Error: there is no trait `aeg`",
        "   ,-[ 0.yaml:1:52 ]",
        "   |",
        " 1 | audiences: [{ id: a, owner: o, kind: target, rule: aeg > 5 }]",
        "   |                                                    ^|^",
        "   |                                                     `--- here",
        "   |",
        "   | Help: did you mean `age`?",
        "---'",
        "",
    ];
    assert_eq!(drawn.lines().collect::<Vec<_>>(), expected[..9]);
}

proptest! {
    #[test]
    fn garbage_never_panics(text in any::<String>()) {
        checked(&[&text]);
    }

    #[test]
    fn damaged_definitions_never_panic(at in 0..GOOD.len(), length in 0usize..40, with in "[\\PC\n]{0,6}") {
        let text: String = GOOD.chars().take(at).chain(with.chars()).chain(GOOD.chars().skip(at + length)).collect();
        let checked = checked(&[&text]);
        for finding in &checked.findings {
            finding.render(&text, false);
        }
    }

    #[test]
    fn any_rule_in_any_style_never_panics(rule in any::<String>(), style in 0usize..4) {
        let rule = match style {
            0 => serde_json::to_string(&rule).unwrap(),
            1 => format!("'{}'", rule.replace('\'', "''")),
            2 => format!("|\n      {}", rule.replace('\n', "\n      ")),
            _ => format!(">\n      {}", rule.replace('\n', "\n      ")),
        };
        let text = format!("audiences:\n  - id: a\n    owner: o\n    kind: target\n    rule: {rule}\n");
        for finding in checked(&[&text]).findings {
            finding.render(&text, false);
        }
    }
}
