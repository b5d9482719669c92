//! Tests of `tree`.

use super::*;
use crate::audiences::parse::tests::expr;
use crate::audiences::{parse, print};
use proptest::prelude::*;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

fn raw(tree: &serde_json::Value) -> Box<RawValue> {
    to_raw_value(tree).unwrap()
}

/// What is wrong with a tree, as `pointer code`.
fn wrong(tree: serde_json::Value) -> Vec<String> {
    let misfits = read(&raw(&tree), "acme").err().unwrap_or_default();
    misfits.iter().map(|it| format!("{} {}", it.at, it.code)).collect()
}

#[test]
fn a_tree_is_as_it_is_described() {
    let text =
        "age between 18 and 34 and (did purchase where category = phone at least 2 times within 7 days or not vip)";
    let tree = json!({ "is": "all", "of": [
        { "is": "trait", "name": "age", "test": { "op": "between", "from": 18, "to": 34 } },
        { "is": "any", "of": [
            { "is": "event", "name": "purchase", "where": [{ "name": "category", "test": { "op": "=", "value": "phone" } }],
              "pick": "all", "count": { "op": "at_least", "n": 2 }, "when": { "op": "within", "span": "7 days" } },
            { "is": "not", "of": { "is": "trait", "name": "vip", "test": { "op": "is_true" } } },
        ] },
    ] });
    let parsed = parse(text, "acme").unwrap();
    let shown = serde_json::to_string(&Tree::of(&parsed.expr)).unwrap();
    let expected = json!({ "a": tree }).to_string().replace(":18,", ":18.0,").replace(":34}", ":34.0}");
    let same: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(json!({ "a": same }), serde_json::from_str::<serde_json::Value>(&expected).unwrap());
    assert_eq!(read(&raw(&tree), "acme").unwrap().text, text);
}

#[test]
fn what_is_left_out_has_its_usual_meaning() {
    for (tree, text) in [
        (json!({ "is": "event", "name": "buy" }), "did buy"),
        (json!({ "is": "event", "name": "buy", "where": null, "count": { "op": "never" } }), "never did buy"),
        (json!({ "is": "all", "of": [{ "is": "any", "of": [{ "is": "everyone" }] }] }), "everyone"),
        (json!({ "is": "audience", "id": "vip" }), "in audience acme/vip"),
        (json!({ "is": "sample", "percent": 0.5, "name": "x" }), "in sample 0.5% of \"x\""),
    ] {
        assert_eq!(read(&raw(&tree), "acme").unwrap().text, text);
    }
}

#[test]
fn what_a_builder_has_not_finished_is_told_at_its_place() {
    let age = json!({ "is": "trait", "name": "age", "test": { "op": "is_known" } });
    for (tree, expected) in [
        (json!({}), vec!["/is missing-value"]),
        (json!([]), vec![" wrong-shape"]),
        (json!({ "is": "none" }), vec!["/is unknown-form"]),
        (json!({ "is": "all", "of": [] }), vec!["/of empty-group"]),
        (json!({ "is": "any", "of": [age, { "is": "all", "of": [] }] }), vec!["/of/1/of empty-group"]),
        (json!({ "is": "not" }), vec!["/of missing-value"]),
        (json!({ "is": "everyone", "a/b": 1 }), vec!["/a~1b unknown-key"]),
        (json!({ "is": "event", "name": "" }), vec!["/name missing-value"]),
        (json!({ "is": "trait", "name": null, "test": {} }), vec!["/name missing-value", "/test/op missing-value"]),
        (json!({ "is": "trait", "name": "age", "test": { "op": ">=" } }), vec!["/test/value missing-value"]),
        (
            json!({ "is": "trait", "name": "a", "test": { "op": "in", "values": [] } }),
            vec!["/test/values missing-value"],
        ),
        (
            json!({ "is": "trait", "name": "a", "test": { "op": "in", "values": [1, []] } }),
            vec!["/test/values/1 wrong-shape"],
        ),
        (
            json!({ "is": "trait", "name": "a", "test": { "op": "since", "date": "2026-02-30" } }),
            vec!["/test/date bad-date"],
        ),
        (
            json!({ "is": "trait", "name": "a", "test": { "op": "within", "span": "7" } }),
            vec!["/test/span bad-duration"],
        ),
        (
            json!({ "is": "trait", "name": "a", "test": { "op": "within", "span": "90 s" } }),
            vec!["/test/span bad-duration"],
        ),
        (json!({ "is": "at_least", "n": 2, "of": [age] }), vec!["/n bad-count"]),
        (json!({ "is": "at_least", "n": 1.5, "of": [age] }), vec!["/n bad-count"]),
        (json!({ "is": "sample", "percent": 101, "name": "x" }), vec!["/percent bad-share"]),
        (
            json!({ "is": "event", "name": "a", "pick": "first", "count": { "op": "never" } }),
            vec!["/pick never-counted"],
        ),
        (
            json!({ "is": "event", "name": "a", "where": [{ "name": "p", "test": { "op": "within", "span": "7 days" } }] }),
            vec!["/where/0/test/op wrong-test"],
        ),
        (
            json!({ "is": "event", "name": "a", "when": { "op": "between_ago", "from": "7 days", "to": "2 days" } }),
            vec!["/when/to bad-window"],
        ),
        (
            json!({ "is": "event", "name": "a", "count": { "op": "sum", "property": "p", "compare": "~", "value": 1 } }),
            vec!["/count/compare unknown-form"],
        ),
    ] {
        assert_eq!(wrong(tree.clone()), expected, "{tree}");
    }
}

#[test]
fn limits_hold_however_deep_and_large() {
    let deep = |levels: usize| {
        let text =
            format!("{}{}{}", "{\"is\":\"not\",\"of\":".repeat(levels), "{\"is\":\"everyone\"}", "}".repeat(levels));
        read(&RawValue::from_string(text).unwrap(), "acme").map(|_| ()).map_err(|misfits| misfits[0].code)
    };
    assert_eq!(deep(63), Ok(()));
    assert_eq!(deep(64), Err("too-deep"));
    assert_eq!(deep(20_000), Err("too-deep"));
    let wide = |many: usize| wrong(json!({ "is": "all", "of": vec![json!({ "is": "everyone" }); many] }));
    assert_eq!(wide(5_000), Vec::<String>::new());
    assert_eq!(wide(10_001), ["/of/9999 too-many-conditions"]);
    assert_eq!(wrong(json!({ "is": "audience", "id": "x".repeat(2 << 20) })), [" too-long"]);
    assert_eq!(wrong(json!({ "is": "audience", "id": "x".repeat(70_000) })), [" too-long"]);
}

#[test]
fn the_deepest_rules_come_back() {
    let groups = format!("{}a{}", "(b and (c or ".repeat(31), "))".repeat(31));
    let counted = format!("{}a{}", "at least 1 of (b and ".repeat(63), ")".repeat(63));
    for text in [groups, counted, "not ".repeat(63) + "a"] {
        let parsed = parse(&text, "acme").unwrap();
        let tree = to_raw_value(&Tree::of(&parsed.expr)).unwrap();
        assert_eq!(read(&tree, "acme").unwrap().parsed.expr, parsed.expr);
    }
}

#[test]
fn places_of_the_text_are_places_of_the_tree() {
    let text = "age > 5 and not (region = x or did buy where price > 2 with sum of cost > 3 within 7 days)";
    let parsed = parse(text, "acme").unwrap();
    let pointers = place::pointers(&parsed.expr);
    let at = |part: &str| {
        let start = text.find(part).unwrap();
        place::of_span(&parsed, &pointers, &(start..start + part.len())).unwrap()
    };
    for (part, pointer) in [
        ("age", "/of/0/name"),
        ("> 5", "/of/0/test"),
        ("age > 5", "/of/0"),
        ("region", "/of/1/of/of/0/name"),
        ("buy", "/of/1/of/of/1/name"),
        ("price", "/of/1/of/of/1/where/0/name"),
        ("> 2", "/of/1/of/of/1/where/0/test"),
        ("cost", "/of/1/of/of/1/count/property"),
        ("sum of", "/of/1/of/of/1/count"),
        ("within 7 days", "/of/1/of/of/1/when"),
        ("and not", ""),
    ] {
        assert_eq!(at(part), pointer, "{part}");
    }
}

/// Damage done to a tree.
fn json_near(tree: serde_json::Value, at: usize, with: &serde_json::Value) -> serde_json::Value {
    let mut pending = at;
    fn go(value: serde_json::Value, pending: &mut usize, with: &serde_json::Value) -> serde_json::Value {
        if *pending == 0 {
            *pending = usize::MAX;
            return with.clone();
        }
        *pending = pending.saturating_sub(usize::from(*pending != usize::MAX));
        match value {
            serde_json::Value::Array(items) => items.into_iter().map(|item| go(item, pending, with)).collect(),
            serde_json::Value::Object(items) => {
                serde_json::Value::Object(items.into_iter().map(|(key, item)| (key, go(item, pending, with))).collect())
            }
            other => other,
        }
    }
    go(tree, &mut pending, with)
}

fn odd() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!([])),
        Just(json!({})),
        Just(json!("")),
        Just(json!(0)),
        Just(json!(-1.5)),
        Just(json!("7 days")),
        Just(json!("first")),
        Just(json!("never")),
        Just(json!({ "date": "2026-11-30" })),
        any::<String>().prop_map(|text| json!(text)),
        any::<f64>().prop_map(|number| json!(number)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_rule_comes_back_from_its_tree(rule in expr()) {
        let tree = to_raw_value(&Tree::of(&rule)).unwrap();
        let again = read(&tree, "acme").map_err(|misfits| TestCaseError::fail(format!("{tree}: {misfits:?}")))?;
        prop_assert_eq!(&again.parsed.expr, &rule);
        prop_assert_eq!(again.text, print(&rule));
        prop_assert_eq!(again.pointers, place::pointers(&rule));
        prop_assert_eq!(again.parsed.spans.len(), place::pointers(&rule).len());
    }

    #[test]
    fn a_damaged_tree_is_a_rule_or_is_refused_where_it_is_damaged(rule in expr(), at in 0usize..40, with in odd()) {
        let tree = json_near(serde_json::to_value(Tree::of(&rule)).unwrap(), at, &with);
        match read(&raw(&tree), "acme") {
            Ok(reading) => {
                prop_assert_eq!(parse(&reading.text, "acme").unwrap().expr, reading.parsed.expr.clone());
                let own = to_raw_value(&Tree::of(&reading.parsed.expr)).unwrap();
                prop_assert_eq!(read(&own, "acme").unwrap().parsed.expr, reading.parsed.expr);
            }
            Err(misfits) => {
                prop_assert!(!misfits.is_empty());
                for misfit in misfits {
                    let there = tree.pointer(&misfit.at).is_some();
                    let parent = misfit.at.rsplit_once('/').map_or("", |(parent, _)| parent);
                    prop_assert!(there || tree.pointer(parent).is_some(), "{} in {tree}", misfit.at);
                }
            }
        }
    }
}
