//! Protocol cases that a planner can read: facts and a request, and what is answered. One JSON file a case, in
//! `tests/cases/<door>/`; its directory says which door it is sent to. What a file holds: `tests/cases/README.md`.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[path = "cases/artf.rs"]
mod artf;
#[path = "cases/facts.rs"]
mod facts;
#[path = "cases/http.rs"]
mod http;
#[path = "cases/protobuf.rs"]
mod protobuf;

use facts::{Facts, merge};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use vaglio::server::Server;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

fn read(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A case with the facts that it shares with others.
fn case(file: &Path) -> Value {
    let own = read(file);
    let mut whole = match own["facts"].as_str() {
        Some(name) => read(&folder("facts").join(format!("{name}.json"))),
        None => json!({}),
    };
    merge(&mut whole, &own);
    whole
}

/// Sends a case's request; what is wrong with the answer.
type Send = fn(&Value, &Server) -> Vec<String>;

/// Runs every case of a folder, each against a server of its own. `VAGLIO_CASE=part-of-a-name` picks some.
fn run(door: &str, at_least: usize, send: Send) {
    let mut files: Vec<PathBuf> = fs::read_dir(folder(door)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= at_least, "{} cases, expected at least {at_least}", files.len());
    let picked = std::env::var("VAGLIO_CASE").unwrap_or_default();
    files.retain(|file| file.to_string_lossy().contains(&picked));
    let mut wrong = Vec::new();
    for file in &files {
        let case = case(file);
        assert!(case["about"].is_string(), "{}: what is it about?", file.display());
        let facts = Facts::new(&case);
        let server = facts.serve();
        let mut found = send(&case, &server);
        found.extend(metrics(&case["expect"]["metrics"], &server.doors().metrics.exposition()));
        server.shutdown();
        let name = file.file_name().unwrap().to_string_lossy();
        wrong.extend(found.into_iter().map(|problem| format!("{name}: {problem}")));
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

/// Lines that a scrape must have, or must not have when they begin with `not `.
fn metrics(expected: &Value, scraped: &str) -> Vec<String> {
    let lines = expected.as_array().into_iter().flatten().map(|line| line.as_str().unwrap());
    let holds = |line: &str| match line.strip_prefix("not ") {
        Some(absent) => !scraped.contains(absent),
        None => scraped.lines().any(|found| found == line),
    };
    lines.filter(|line| !holds(line)).map(|line| format!("metrics: {line}")).collect()
}

#[test]
fn openrtb() {
    run("openrtb", 30, |case, server| http::send(case, server.addresses()));
}

#[test]
fn artf() {
    run("artf", 50, artf::send);
}

#[test]
fn prebid() {
    run("prebid", 30, |case, server| http::send(case, server.addresses()));
}
