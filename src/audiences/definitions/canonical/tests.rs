//! Tests of `canonical`: what is written is read as the same, and written again as the same bytes.

use super::*;
use crate::audiences::definitions::check;
use crate::schema::Declarations;
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn node_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{1,30}",
        "[ -~\\n\\t]{1,40}",
        "[a-z>=():# \\n]{1,40}",
        any::<String>(),
        Just("null".to_owned()),
        Just("2026-01-01".to_owned()),
        Just("560".to_owned()),
        Just("age > 5 # why\nand not x\n".to_owned()),
        Just("a\n\n  b".to_owned()),
        Just("yes".to_owned())
    ]
}

/// JSON is YAML, so what `serde_json` writes is an independent writer.
fn definition_json() -> impl Strategy<Value = serde_json::Value> {
    (node_text(), node_text(), prop::collection::vec(node_text(), 0..3), node_text(), any::<u16>()).prop_map(
        |(rule, name, tags, deal, number)| {
            serde_json::json!({
                "description": name, "rule": rule, "tags": tags, "kind": "target", "floor": number,
                "deals": [{ "exchange": deal, "id": number.to_string(), "exclusive": true }], "flight": { "from": deal },
            })
        },
    )
}

/// A tree as values, without places and styles.
fn values(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Nothing => serde_json::Value::Null,
        Value::Scalar { text, .. } => text.clone().into(),
        Value::List(items) => items.iter().map(values).collect(),
        Value::Map(items) => items
            .iter()
            .map(|(key, value)| (key.text().unwrap_or_default().to_owned(), values(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// As the reader sees it: numbers and flags are their text.
fn as_texts(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::Number(number) => number.to_string().into(),
        Json::Bool(flag) => flag.to_string().into(),
        Json::Array(items) => items.into_iter().map(as_texts).collect(),
        Json::Object(map) => Json::Object(map.into_iter().map(|(key, value)| (key, as_texts(value))).collect()),
        other => other,
    }
}

fn read_back(text: &str) -> serde_json::Value {
    let (documents, wrong) = node::read(text);
    assert!(wrong.is_none(), "{text}: {wrong:?}");
    values(&documents[0])
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(written in definition_json()) {
        let id = AudienceId::new("o", "i");
        let text = written.to_string();
        // What YAML itself cannot hold is refused before.
        prop_assume!(node::read(&text).1.is_none());
        prop_assume!(read_back(&text) == as_texts(written.clone()));
        let canonical = item(Kind::Audience, &id, &text).unwrap();
        let mut expected = as_texts(written);
        expected["id"] = "i".into();
        expected["owner"] = "o".into();
        prop_assert_eq!(read_back(&canonical), expected, "{}", canonical);
        prop_assert_eq!(item(Kind::Audience, &id, &canonical), Some(canonical.clone()));
        // Also among others, a step to the right.
        let campaign = item(Kind::Campaign, &id, &canonical).unwrap();
        let whole = file([(Kind::Audience, &id, canonical.as_str()), (Kind::Campaign, &id, campaign.as_str())].into_iter());
        let pieces: Vec<_> = split(&whole).into_iter().map(|piece| (piece.kind, piece.id, piece.text)).collect();
        prop_assert_eq!(pieces, [(Kind::Audience, id.clone(), canonical.clone()), (Kind::Campaign, id, campaign)]);
    }
}

const FILE: &str = r#"
audiences:
  - kind: target
    tags: [ q4, "560" ]
    id: a
    rule: >-
      everyone
    owner: acme
    segment: {taxonomy: 4, id: "560"}
    valid_to: 2026-11-30
    share: [globex]
  - { id: b, owner: acme, kind: suppress, rule: "everyone # why\nand everyone" }
campaigns:
  - { id: c, owner: acme, status: draft, exclude: [{ audience: b, hard: true }], group: mobile,
      caps: [{ impressions: 3, per: 24h }] }
groups: { mobile: { at_most: 1, per: 24h, owner: acme }, all: { at_most: 2, per: 1h } }
pressure: [{ per: 7d, messages: 5, owners: [acme, globex] }, { messages: 1, per: 1h, owners: [acme] }]
"#;

#[test]
fn a_file_is_taken_apart_and_put_together() {
    let pieces = split(FILE);
    let names: Vec<String> = pieces.iter().map(|it| format!("{} {}", it.kind, it.id)).collect();
    let expected = [
        "audience acme/a",
        "audience acme/b",
        "campaign acme/c",
        "group acme/mobile",
        "group */all",
        "pressure acme/pressure",
        "pressure globex/pressure",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        pieces[0].text,
        "id: a\nowner: acme\nkind: target\nrule: everyone\nsegment: { taxonomy: 4, id: \"560\" }\ntags: [q4, \"560\"]\n\
         share: [globex]\nvalid_to: 2026-11-30\n"
    );
    assert_eq!(pieces[1].text, "id: b\nowner: acme\nkind: suppress\nrule: |-\n  everyone # why\n  and everyone\n");
    assert_eq!(pieces[5].text, "- { messages: 5, per: \"7d\" }\n- { messages: 1, per: \"1h\" }\n".replace('"', ""));
    let own: Vec<_> = pieces.iter().filter(|it| it.id.owner() == "acme").collect();
    let whole = file(own.iter().map(|it| (it.kind, &it.id, it.text.as_str())));
    assert!(whole.contains("pressure:\n- { messages: 5, per: 7d, owners: [acme] }\n"), "{whole}");
    let again: Vec<String> = split(&whole).into_iter().map(|it| it.text).collect();
    assert_eq!(again, own.iter().map(|it| it.text.clone()).collect::<Vec<_>>());
    let check = |text: &str| check(&[("f".into(), text.to_owned())], &Declarations::default(), &TimeZone::UTC);
    let (one, other) = (check(FILE).catalogue.unwrap(), check(&whole).catalogue.unwrap());
    assert_eq!((one.audiences, one.campaigns, one.groups), (other.audiences, other.campaigns, other.groups));
}
