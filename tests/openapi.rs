//! The description of the planner's port: what is served is what is kept in `docs/openapi.json`, and it describes every
//! operation well enough for tools. `VAGLIO_WRITE_OPENAPI=1 cargo test --features faults --test openapi` writes it anew.

#![allow(clippy::unwrap_used)] // a test fails by panicking

#[path = "doors/client.rs"]
#[allow(dead_code, reason = "shared with the doors' tests")]
mod client;
#[path = "events/port.rs"]
#[allow(dead_code, reason = "shared with the tests of events")]
mod port;

use port::{Place, With};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use vaglio::access::Role;

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

fn served() -> String {
    let place = Place::new();
    let port = place.start(&With::default());
    let answer = client::get(port.address, "/api/v1/openapi.json");
    assert_eq!(answer.status, 200);
    assert!(answer.headers.contains("content-type: application/json\n"), "{}", answer.headers);
    answer.body
}

#[test]
fn what_is_served_is_what_is_kept() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let served = served();
    if std::env::var_os("VAGLIO_WRITE_OPENAPI").is_some() {
        std::fs::write(&file, &served).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        served == kept,
        "docs/openapi.json is not what is served: VAGLIO_WRITE_OPENAPI=1 cargo test --features faults --test openapi"
    );
}

#[test]
fn every_operation_is_described() {
    let description: Value = serde_json::from_str(&served()).unwrap();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut wrong = Vec::new();
    let mut ids = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item[**method].is_object()) {
            let problems = mistakes(&description, &item[*method], path);
            wrong.extend(problems.into_iter().map(|problem| format!("{method} {path}: {problem}")));
            let id = item[*method]["operationId"].as_str().unwrap_or_default().to_owned();
            if !ids.insert(id.clone()) {
                wrong.push(format!("{method} {path}: the operationId `{id}` stands there twice"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ids.len() >= 10, "{ids:?}");
}

fn mistakes(description: &Value, operation: &Value, path: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for field in ["operationId", "summary"] {
        if operation[field].as_str().is_none_or(str::is_empty) {
            wrong.push(format!("no {field}"));
        }
    }
    let alternatives = operation["security"].as_array().cloned().unwrap_or_default();
    let roles: Vec<Value> =
        alternatives.iter().flat_map(|one| one["key"].as_array().cloned().unwrap_or_default()).collect();
    if roles.is_empty() {
        wrong.push("no roles".to_owned());
    }
    for role in &roles {
        if !Role::ALL.iter().any(|known| Some(known.name()) == role.as_str()) {
            wrong.push(format!("no such role: {role}"));
        }
    }
    let named: Vec<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    for name in named {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        if !parameters.iter().any(|it| it["in"] == "path" && it["name"] == name) {
            wrong.push(format!("{{{name}}} is not among its parameters"));
        }
    }
    let responses = operation["responses"].as_object().unwrap();
    if !responses.keys().any(|status| status.starts_with('2')) {
        wrong.push("no success".to_owned());
    }
    for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with(['2', '3'])) {
        let content = &response["content"]["application/problem+json"]["schema"]["$ref"];
        if content != "#/components/schemas/Problem" {
            wrong.push(format!("{status} is no problem+json"));
        }
    }
    for reference in references(operation) {
        let at = reference.trim_start_matches('#');
        if description.pointer(at).is_none() {
            wrong.push(format!("{reference} is not there"));
        }
    }
    wrong
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(all) => all.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
