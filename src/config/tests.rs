//! What a configuration may say, and what is said back when it is wrong.

use super::load::from_text;
use super::*;
use crate::error::Error;
use crate::schema::{Span, Timestamp, TraitKind, Use};
use std::path::{Path, PathBuf};

fn read(text: &str) -> Result<Loaded, Error> {
    from_text(text, Path::new("/etc/vaglio/vaglio.yaml"), std::iter::empty())
}

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Error> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    from_text(text, Path::new("/etc/vaglio/vaglio.yaml"), variables)
}

fn mistakes(text: &str) -> Vec<String> {
    let error = read(text).expect_err("the configuration is wrong");
    assert_eq!(error.exit_code(), 2);
    error.problems().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_mistake(text: &str, words: &[&str]) {
    let found = mistakes(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    for word in words {
        assert!(found[0].contains(word), "{word} is not in: {}", found[0]);
    }
}

const CRM: &str = "
sources:
  - name: crm
    kind: profiles
    path: crm/*.csv
    ids: [{ column: id, type: CRM }, { column: idfa, type: ifa }]
    traits:
      - { column: age, kind: number }
      - { column: region, kind: category, values: [Lazio, Lombardia], map: { 03: Lombardia, 1.10: Lazio } }
";

#[test]
fn the_printed_default_is_the_default() {
    let loaded = read(DEFAULT_YAML).unwrap();
    let expected = Config { data_dir: PathBuf::from("/etc/vaglio/data"), ..Config::default() };
    assert_eq!(format!("{:?}", loaded.config), format!("{expected:?}"));
}

/// Lines that stand right above their commented example.
const REPLACED: [&str; 12] = [
    "definitions: []",
    "sources: []",
    "destinations: []",
    "public: ~",
    "  precedence: []",
    "  bid_sources: []",
    "  tls: ~",
    "  planner_tls: ~",
    "callers: []",
    "  ids: []",
    "  traits: []",
    "  events: []",
];

#[test]
fn the_printed_default_names_every_key_and_its_examples_are_valid() {
    let uncommented: Vec<String> = DEFAULT_YAML
        .lines()
        .filter(|line| !REPLACED.contains(line))
        .map(|line| match line.trim_start().strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') || line.starts_with("#  ") => {
                format!("{}{rest}", &line[..line.len() - line.trim_start().len()])
            }
            _ => line.to_owned(),
        })
        .collect();
    let loaded = read(&uncommented.join("\n")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.config.sources.len(), 5);
    assert_eq!(loaded.config.identity.precedence, ["crm", "ifa"]);
    let written = serde_json::to_value(&loaded.config).unwrap();
    let mut keys = Vec::new();
    collect_keys(&written, &mut keys);
    for key in keys {
        assert!(DEFAULT_YAML.contains(&format!("{key}:")), "{key} is not in default.yaml");
    }
}

fn collect_keys(value: &serde_json::Value, keys: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                if key != "map" && key != "external_ids" {
                    collect_keys(value, keys);
                }
                keys.push(key.clone());
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        _ => {}
    }
}

#[test]
fn scalars_are_read_as_written() {
    let loaded = read(CRM).unwrap();
    let map = &loaded.config.sources[0].traits[1].map;
    assert_eq!(map.keys().collect::<Vec<_>>(), ["03", "1.10"]);
    assert_eq!(read("timezone: UTC\ndefinitions: [no, 007]").unwrap().config.definitions.len(), 2);
}

#[test]
fn types_of_identifiers_are_sorted_lower_case_and_know_the_bidstream() {
    let types = read(CRM).unwrap().id_types;
    let names: Vec<_> = types.iter().map(|known| (known.name.as_str(), known.bid)).collect();
    assert_eq!(names, [("crm", false), ("ifa", true)]);
}

#[test]
fn relative_paths_start_at_the_file_and_urls_stay() {
    let loaded = read(&format!("{CRM}definitions: [rules/*.yaml, /abs/x.yaml]\nkey_file: secret\n")).unwrap();
    assert_eq!(loaded.config.sources[0].path, "/etc/vaglio/crm/*.csv");
    assert_eq!(loaded.config.definitions, ["/etc/vaglio/rules/*.yaml", "/abs/x.yaml"]);
    assert_eq!(loaded.key_file(), Path::new("/etc/vaglio/secret"));
    let s3 = CRM.replace("crm/*.csv", "s3://bucket/crm/*.csv");
    if cfg!(feature = "lake") {
        assert_eq!(read(&s3).unwrap().config.sources[0].path, "s3://bucket/crm/*.csv");
    } else {
        assert_mistake(&s3, &["lake"]);
    }
}

#[test]
fn as_of_takes_an_instant_or_a_local_date() {
    let at = |text: &str| read(text).unwrap().config.as_of;
    assert_eq!(at("as_of: 1998-07-01"), Timestamp::parse("1998-07-01T00:00:00Z"));
    assert_eq!(at("as_of: 1998-07-01\ntimezone: Europe/Rome"), Timestamp::parse("1998-06-30T22:00:00Z"));
    assert_eq!(at("as_of: 2026-11-01T10:00:00+01:00"), Timestamp::parse("2026-11-01T09:00:00Z"));
    assert_mistake("as_of: yesterday", &["1:8", "as_of", "RFC 3339"]);
}

#[test]
fn every_mistake_is_found_at_once_with_its_place() {
    let found = mistakes(
        "data_dri: x
timezone: Europe/Rom
server: { http: localhost, max_ids: many, planer: 127.0.0.1:1 }
sources:
  - { name: a, knd: profiles, path: a.csv, ids: [] }
  - { name: b, kind: profile, path: b.csv, ids: [{ colum: x, type: crm }] }
  - { name: c, kind: links, path: c.xlsx, ids: [{ column: x, type: crm }] }
  - { name: c, kind: profiles, path: c.csv }
build: { max_rejected_share: 5 }
",
    );
    let expected = [
        ":1:1: unknown key `data_dri`\n    help: did you mean `data_dir`?",
        ":2:11: timezone: `Europe/Rom` is not a time zone",
        ":3:17: server.http: invalid socket address",
        ":3:37: server.max_ids: expected a whole number",
        ":3:43: unknown key `server.planer`\n    help: did you mean `planner`?",
        ":5:16: unknown key `sources[0].knd`\n    help: did you mean `kind`?",
        ":6:22: sources[1].kind: `profile` is not one of profiles, events, memberships, links, consents; did you mean",
        "unknown key `sources[1].ids[0].colum`",
        "sources[2].path: `.xlsx` is not a format",
        "sources[2].ids: a link needs two or more",
        "sources[3].name: `c` is the name of sources[2] too",
        "sources[3].ids: a row needs an identifier",
        "build.max_rejected_share: is not a share",
    ];
    for words in expected {
        assert!(found.iter().any(|text| text.contains(words)), "{words}\nis not in {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn what_is_missing_is_named_once() {
    let found = mistakes("sources: [{ name: a }, { name: b, kind: profiles, path: b.csv, ids: [{ bid: true }] }]");
    assert_eq!(found.len(), 4, "{found:#?}");
    for words in
        ["sources[0]: `kind`", "sources[0]: `path`", "sources[1].ids[0]: `column`", "sources[1].ids[0]: `type`"]
    {
        assert!(found.iter().any(|text| text.contains(words)), "{words}: {found:#?}");
    }
}

#[test]
fn broken_yaml_is_refused_with_its_place() {
    for text in ["sources: [", "a: b: c", "\tx: 1", "data_dir: a\ndata_dir: b", "x: *nothing", "- 1\n- 2"] {
        assert_eq!(mistakes(text).len(), 1, "{text}");
    }
    let bomb = "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n".to_owned()
        + "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    assert!(!mistakes(&bomb).is_empty());
    assert_eq!(mistakes(&"[".repeat(100_000)).len(), 1);
}

#[test]
fn kinds_must_agree_across_sources() {
    let other = CRM.replace("sources:\n", "").replace("name: crm", "name: app").replace("kind: number", "kind: tags");
    assert_mistake(&format!("{CRM}{other}"), &["sources[1].traits[0].kind", "`age` is a number in source `crm`"]);
}

#[test]
fn events_need_a_time_and_a_name() {
    let found = mistakes("sources: [{ name: e, kind: events, path: e.csv, ids: [{ column: id, type: crm }] }]");
    assert!(found.iter().any(|text| text.contains("needs `time`")), "{found:#?}");
    assert!(found.iter().any(|text| text.contains("needs `event`")), "{found:#?}");
}

#[test]
fn memberships_need_their_columns_and_one_audience() {
    let source = "sources: [{ name: m, kind: memberships, path: m.csv, ids: [{ column: id, type: $t }]";
    assert_mistake(&format!("{source} }}]"), &["needs `membership`"]);
    assert_mistake(&format!("{source}, membership: {{}} }}]"), &["say which audience"]);
    assert_mistake(&format!("{source}, membership: {{ audience: vip }} }}]"), &["write `owner/id`"]);
    assert!(read(&format!("{source}, membership: {{ audience: acme/vip }} }}]")).is_ok());
}

#[test]
fn two_listeners_cannot_share_an_address() {
    assert_mistake("server: { http: 127.0.0.1:9000, grpc: 127.0.0.1:9000 }", &["server.http", "server.grpc"]);
    assert_mistake("server: { http: 0.0.0.0:9000, grpc: 127.0.0.1:9000 }", &["server.http"]);
    assert!(read("server: { http: 127.0.0.1:0, grpc: 127.0.0.1:0 }").is_ok());
    assert!(read("server: { planner: 0.0.0.0:8081 }").is_ok(), "keys guard it there");
}

#[test]
fn the_environment_overrides_the_file() {
    let loaded = read_with(
        &format!("{CRM}server: {{ http: 127.0.0.1:1 }}"),
        &[
            ("VAGLIO_SERVER__HTTP", "0.0.0.0:99"),
            ("VAGLIO_SERVER__MAX_IDS", "7"),
            ("VAGLIO_DATA_DIR", "/elsewhere"),
            ("VAGLIO_SOURCES__0__MAX_AGE", "2 days"),
            ("VAGLIO_IDENTITY__PRECEDENCE", r#"["ifa", "crm"]"#),
            ("VAGLIO_BUILD__FILTER", "true"),
            ("VAGLIO_LOG", "debug"),
            ("VAGLIO_BENCH_PROFILES", "10"),
            ("VAGLIO_REQUIRE_S3", "1"),
            ("PATH", "/bin"),
        ],
    );
    let config = loaded.unwrap_or_else(|error| panic!("{error}")).config;
    assert_eq!(config.server.http.to_string(), "0.0.0.0:99");
    assert_eq!(config.server.max_ids, 7);
    assert_eq!(config.data_dir, Path::new("/elsewhere"));
    assert_eq!(config.sources[0].max_age, Some(Span(172_800)));
    assert_eq!(config.identity.precedence, ["ifa", "crm"]);
    assert!(config.build.filter);
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let variables = [
        ("VAGLIO_SERVER__HTP", "1.2.3.4:5"),
        ("VAGLIO_SERVER__MAX_IDS", "few"),
        ("VAGLIO_SOURCES__9__PATH", "x"),
        ("VAGLIO_TIMEZONE__X", "x"),
        ("VAGLIO_BUILD__THREADS", "[1"),
    ];
    let error = read_with(&format!("{CRM}timezone: UTC\n"), &variables).unwrap_err();
    let found: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), variables.len(), "{found:#?}");
    for (name, _) in variables {
        assert!(found.iter().any(|text| text.contains(name)), "{name}: {found:#?}");
    }
    assert!(found.iter().any(|text| text.contains("did you mean `http`?")), "{found:#?}");
}

#[test]
fn declarations_unite_the_sources() {
    let text = "
sources:
  - { name: a, kind: profiles, path: a.csv, ids: [{ column: i, type: crm }], uses: [suppress, target], retention_days: 10,
      legal_basis: contract, traits: [{ column: z, kind: flag }, { column: r, kind: category, values: [x] }] }
  - { name: b, kind: profiles, path: b.csv, ids: [{ column: i, type: crm }], uses: [target, cap],
      traits: [{ column: r, kind: category, values: [y], sensitive: true, retention_days: 5, legal_basis: consent }] }
  - { name: e, kind: events, path: e.csv, ids: [{ column: i, type: crm }], time: { column: t }, uses: [suppress],
      event: { column: n, names: [buy, view] },
      properties: [{ column: p, name: price, kind: number, events: [buy] }, { column: brand, kind: category }] }
  - { name: m, kind: memberships, path: m.csv, ids: [{ column: i, type: crm }], membership: { audience: a/b } }
";
    let decls = read(text).unwrap().declarations;
    let names: Vec<&str> = decls.traits.iter().map(|decl| decl.name.as_str()).collect();
    assert_eq!(names, ["r", "z"]);
    let (_, region) = decls.find_trait("r").unwrap();
    assert_eq!((region.kind, region.sensitive, region.retention_days), (TraitKind::Category, true, Some(5)));
    assert_eq!((region.values.len(), region.uses.as_slice()), (2, [Use::Target].as_slice()));
    assert_eq!(region.legal_basis.as_deref(), Some("contract; consent"));
    assert_eq!(region.sources, ["a", "b"]);
    let (number, buy) = decls.find_event("buy").unwrap();
    // Behind `bill`, which every installation knows.
    assert_eq!((number, buy.properties.len(), buy.find_property("price").unwrap().0), (1, 2, 1));
    // The source's one and the four of every exposure.
    assert_eq!(decls.find_event("view").unwrap().1.properties.len(), 5);
    assert_eq!(decls.list_sources["m"].uses, Use::ALL);
}

#[test]
fn definition_files_are_sorted_unique_and_must_exist() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b.yaml", "a.yaml"] {
        std::fs::write(dir.path().join(name), name).unwrap();
    }
    let file = dir.path().join("vaglio.yaml");
    std::fs::write(&file, "definitions: ['[ab].yaml', a.yaml]").unwrap();
    let files = load_file(&file).unwrap().definition_files().unwrap();
    assert_eq!(files.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["a.yaml", "b.yaml"]);
    std::fs::write(&file, "definitions: [none.yaml, nothing/*.yaml]").unwrap();
    let error = load_file(&file).unwrap().definition_files().unwrap_err();
    assert_eq!((error.exit_code(), error.problems().len()), (2, 2));
}

#[test]
fn a_missing_file_says_where_to_start() {
    let error = load(Path::new("/nowhere/vaglio.yaml")).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.message().contains("--print-config"), "{error}");
}

#[test]
fn purposes_that_nobody_could_refuse_are_refused() {
    let error = |text: &str| from_text(text, Path::new("vaglio.yaml"), std::iter::empty()).unwrap_err().to_string();
    for (text, expected) in [
        ("privacy: { purposes: { target: [] } }", "privacy.purposes.target: names no purpose"),
        ("privacy: { purposes: { cap: [1, 12] } }", "privacy.purposes.cap[1]: is no purpose of the TCF"),
        (
            "privacy: { legitimate_interest: [4] }",
            "privacy.legitimate_interest[0]: can never rest on legitimate interest",
        ),
        ("privacy: { tcf_vendor_id: 0 }", "privacy.tcf_vendor_id: is no vendor"),
    ] {
        assert!(error(text).contains(expected), "{}", error(text));
    }
}

#[test]
fn pages_are_named_as_browsers_name_them() {
    let config =
        read("prebid: { enabled: true, origins: [\"https://a.test\", \"http://b.test:8080\", \"*\"] }").unwrap();
    assert_eq!(config.config.prebid.origins.len(), 3);
    for origin in ["https://a.test/", "a.test", "https://*.a.test", "https://", "null"] {
        let text = format!("prebid: {{ origins: [\"{origin}\"] }}");
        assert_mistake(&text, &["prebid.origins[0]", "is not a web origin", "https://news.example"]);
    }
}
