//! The operations of a served description, each with sample parameters and a sample body made from its examples and schemas.

use crate::client;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Something that can be asked.
#[derive(Debug)]
pub struct Operation {
    pub method: String,
    /// As in the description, with its parameters in braces.
    pub path: String,
    /// Who may ask.
    pub roles: Vec<String>,
    /// Whether this machine may ask without a key, also where keys exist.
    pub open: bool,
    /// What of its parameters must be said, as a query.
    query: String,
    /// The other parameters of the path, and a value of each.
    values: Vec<(String, String)>,
    pub body: String,
    kind: Option<String>,
}

impl Operation {
    /// The path with its parameters: the kind, the owner and the id as given.
    pub fn sample(&self, kind: &str, owner: &str, id: &str) -> String {
        let mut path = self.path.replace("{kind}", kind).replace("{owner}", owner).replace("{id}", id);
        for (name, value) in &self.values {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        assert!(!path.contains('{'), "{path}");
        path + &self.query
    }

    /// The header that says what the body is.
    pub fn content_type(&self) -> String {
        self.kind.as_ref().map(|kind| format!("content-type: {kind}\r\n")).unwrap_or_default()
    }
}

/// Every operation that a server describes.
pub fn operations(address: SocketAddr) -> Vec<Operation> {
    let description = client::get(address, "/api/v1/openapi.json").json();
    let mut all = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item[**method].is_object()) {
            all.push(operation(&description, path, method, &item[*method]));
        }
    }
    all
}

fn operation(description: &Value, path: &str, method: &str, said: &Value) -> Operation {
    let alternatives = said["security"].as_array().cloned().unwrap_or_default();
    let roles = |one: &Value| one["key"].as_array().cloned().unwrap_or_default();
    let roles = alternatives.iter().flat_map(roles).filter_map(|role| role.as_str().map(str::to_owned)).collect();
    let open = alternatives.iter().any(|one| one.as_object().is_some_and(Map::is_empty));
    let parameters = said["parameters"].as_array().cloned().unwrap_or_default();
    let value = |it: &Value| {
        let value = match &it["example"] {
            Value::Null => sample(description, &it["schema"], 0),
            example => example.clone(),
        };
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    };
    let needed = |it: &&Value| it["in"] == "query" && it["required"] == true;
    let query = parameters.iter().filter(needed).map(|it| format!("{}={}", it["name"].as_str().unwrap(), value(it)));
    let query: Vec<String> = query.collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&").replace(' ', "+")) };
    let in_path = parameters.iter().filter(|it| it["in"] == "path");
    let values = in_path.map(|it| (it["name"].as_str().unwrap().to_owned(), value(it))).collect();
    let content = said["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
    let body = content.map(|(_, media)| match (&media["example"], media["examples"].as_object()) {
        (Value::Null, None) => sample(description, &media["schema"], 0),
        (Value::Null, Some(several)) => several.values().next().unwrap()["value"].clone(),
        (example, _) => example.clone(),
    });
    let body = body.map_or_else(String::new, |body| body.as_str().map_or_else(|| body.to_string(), str::to_owned));
    let kind = content.map(|(kind, _)| kind.clone());
    Operation { method: method.to_owned(), path: path.to_owned(), roles, open, query, values, body, kind }
}

/// Something that fits a schema, more or less.
fn sample(description: &Value, schema: &Value, depth: usize) -> Value {
    if depth > 8 {
        return Value::Null;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let there = description.pointer(reference.trim_start_matches('#')).cloned().unwrap_or_default();
        return sample(description, &there, depth + 1);
    }
    for known in ["example", "default", "const"] {
        if !schema[known].is_null() {
            return schema[known].clone();
        }
    }
    if let Some(first) = schema["examples"].as_array().and_then(|all| all.first()) {
        return first.clone();
    }
    if let Some(first) = schema["enum"].as_array().and_then(|all| all.first()) {
        return first.clone();
    }
    for of in ["oneOf", "anyOf"] {
        if let Some(first) = schema[of].as_array().and_then(|all| all.iter().find(|it| it["type"] != "null")) {
            return sample(description, first, depth + 1);
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().map(|part| sample(description, part, depth + 1));
        let fields = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return Value::Object(fields.collect());
    }
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let kind = kinds.iter().find(|kind| **kind != "null").and_then(Value::as_str).unwrap_or("");
    match kind {
        "object" => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let field = |name: &Value| {
                let name = name.as_str()?.to_owned();
                let value = sample(description, &schema["properties"][&name], depth + 1);
                Some((name, value))
            };
            Value::Object(required.iter().filter_map(field).collect())
        }
        "array" => json!([sample(description, &schema["items"], depth + 1)]),
        "integer" | "number" => schema["minimum"].as_f64().map_or(json!(1), |least| json!(least as i64)),
        "boolean" => json!(false),
        _ => json!("x"),
    }
}
