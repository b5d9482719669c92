//! Every case of `tests/events/cases`: a line, and what is made of it.

use super::check::{Taken, check};
use super::line::Line;
use super::vocabulary::Vocabulary;
use crate::access::Who;
use crate::audiences::definitions;
use crate::config::load::from_text;
use crate::log::{Record, Said, Value};
use crate::schema::{KeyHasher, Timestamp};
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};

const CONFIG: &str = "
sources:
  - { name: shop, kind: events, path: shop/*.csv, ids: [{ column: id, type: crm }], event: { names: [purchase] }, time: { column: at } }
identity: { bid_sources: [{ source: Shop-ID.example, type: crm }] }
ingest:
  ids: [{ type: email }, { type: phone }, { type: ifa }]
  traits:
    - { trait: app_user, kind: flag }
    - { trait: region, kind: category, values: [Lombardia, Lazio] }
    - { trait: interests, kind: tags }
    - { trait: age, kind: number }
    - { trait: born, kind: date }
  events:
    - names: [device_broken]
      properties:
        - { name: part, kind: category, values: [screen, battery] }
        - { name: age_days, kind: number }
        - { name: insured, kind: flag }
";

const DEFINITIONS: &str = "
audiences:
  - { id: vip, owner: acme, name: VIP, kind: target, list: true }
  - { id: broken, owner: acme, name: Broken, kind: target, rule: did device_broken within 7 days }
campaigns:
  - { id: upgrade, owner: acme, status: active, include: [broken], refs: [{ system: dv360, line_item: \"777\" }] }
  - { id: upgrade, owner: other, status: active, refs: [{ system: dv360, line_item: \"777\" }] }
  - { id: welcome, owner: acme, status: active, refs: [{ system: dv360, line_item: \"998\" }] }
";

fn keys() -> KeyHasher {
    KeyHasher::new([3; 16])
}

fn vocabulary() -> Vocabulary {
    let loaded = from_text(CONFIG, Path::new("/nowhere/vaglio.yaml"), std::iter::empty()).unwrap();
    let files = [(PathBuf::from("definitions.yaml"), DEFINITIONS.to_owned())];
    let checked = definitions::check(&files, &loaded.declarations, &jiff::tz::TimeZone::UTC);
    let catalogue = checked.catalogue.unwrap_or_else(|| panic!("{:?}", checked.findings));
    Vocabulary::new(&loaded, keys(), Some(&catalogue))
}

fn value(value: &Value<'_>) -> Json {
    match value {
        Value::Flag(flag) => json!(flag),
        Value::Number(number) => json!(number),
        Value::Date(day) => json!(format!("day {day}")),
        Value::Text(text) => json!(text),
        Value::Tags(tags) => json!(tags),
    }
}

fn said(said: &Said<'_>) -> Json {
    match said {
        Said::Event { name, properties } => {
            let props: Map<String, Json> = properties.iter().map(|(name, it)| (name.to_string(), value(it))).collect();
            json!({ "event": name, "props": props })
        }
        Said::Traits(traits) => {
            let known = |it: &Option<Value<'_>>| it.as_ref().map_or(Json::Null, value);
            let traits: Map<String, Json> = traits.iter().map(|(name, it)| (name.to_string(), known(it))).collect();
            json!({ "traits": traits })
        }
        Said::Membership { list, stay } => json!({ "list": list, "stay": format!("{stay:?}") }),
        Said::Link => json!({ "link": true }),
        Said::Consent(granted) => json!({ "consent": granted }),
    }
}

fn prove(case: &Json, words: &Vocabulary) {
    let about = case["about"].as_str().unwrap();
    let text = case["text"].as_str().map_or_else(|| case["line"].to_string(), str::to_owned);
    let owner = case["who"].as_str().map(str::to_owned);
    let who = Who { name: "test".to_owned(), owner, role: None };
    let now = Timestamp::parse("2026-11-20T12:00:00Z").unwrap();
    let taken = Line::read(text.as_bytes()).and_then(|line| check(&line, words, &who, now));
    match taken {
        Err(reason) => {
            let expected = case["rejected"].as_str().unwrap_or_else(|| panic!("{about}: rejected: {reason}"));
            assert!(reason.contains(expected), "{about}: {reason}");
            assert!(!reason.contains("anna") && !reason.contains("4711"), "{about}: {reason}");
        }
        Ok(Taken::Objection(objection)) => {
            assert_eq!(case["objection"], format!("{:?}", objection.scope), "{about}");
            assert_eq!(objection.keys, [keys().key("crm", "c1")], "{about}");
        }
        Ok(Taken::Event(incoming)) => {
            let record = Record::decode(&incoming.encoded).unwrap();
            assert_eq!(said(&record.said), case["accepted"], "{about}");
            assert_eq!((incoming.id, record.id), (keys().event_id(b"1"), incoming.id), "{about}");
            assert_eq!(record.received, now.0, "{about}");
            let time = case["time"].as_str().unwrap_or("2026-11-20T11:59:00Z");
            assert_eq!(Some(Timestamp(record.time)), Timestamp::parse(time), "{about}");
            for (at, named) in case["keys"].as_array().into_iter().flatten().enumerate() {
                let (id_type, uid) = (named[0].as_str().unwrap(), named[1].as_str().unwrap());
                assert_eq!(
                    (&*record.keys[at].id_type, record.keys[at].key),
                    (id_type, keys().key(id_type, uid)),
                    "{about}"
                );
            }
        }
    }
}

#[test]
fn every_case_is_taken_or_rejected_as_it_says() {
    let words = vocabulary();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events/cases");
    let mut proved = 0;
    for file in std::fs::read_dir(directory).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let cases: Vec<Json> = serde_json::from_str(&text).unwrap();
        proved += cases.len();
        cases.iter().for_each(|case| prove(case, &words));
    }
    assert!(proved > 60, "{proved} cases were found");
}

#[test]
fn long_lines_and_many_identifiers_are_refused() {
    let words = vocabulary();
    let who = Who { name: "test".to_owned(), owner: None, role: None };
    let reason = |text: &str| {
        Line::read(text.as_bytes()).and_then(|line| check(&line, &words, &who, Timestamp(2_000_000_000))).unwrap_err()
    };
    assert!(reason(&format!("{{\"id\":\"{}\"}}", "x".repeat(70_000))).contains("65536 are the most"));
    assert!(reason(&format!("{{\"id\":\"{}\"}}", "x".repeat(600))).contains("512 are the most"));
    let eids = vec![r#"{"source":"crm","uid":"1"}"#; 65].join(",");
    let line = format!(r#"{{"id":"1","type":"link","time":"2026-11-20T11:59:00Z","eids":[{eids}]}}"#);
    assert!(reason(&line).contains("65 identifiers, and 64 are the most"));
    assert!(Line::read(b"{\"id\":\"\xff\"}").unwrap_err().contains("UTF-8"));
}
