//! The audit trail: `vaglio audit` shows and verifies it, also a copy that somebody has changed; the planner's port shows each
//! owner what concerns it.

#![allow(clippy::unwrap_used)] // a test fails by panicking

#[allow(dead_code, reason = "shared with the doors' tests")]
#[path = "doors/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the doors' tests")]
#[path = "doors/world.rs"]
mod world;

use client::{Answer, Client, request};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use vaglio::log::{Control, ControlLog, control_directory};
use vaglio::server::Server;
use world::World;

/// Exit code, stdout, stderr.
fn vaglio(world: &World, data: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    command.args(arguments).args(["--config", world.config_file().to_str().unwrap()]);
    let output = command.env("VAGLIO_DATA_DIR", data).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn create(world: &World, role: &str, owner: &str) -> String {
    let (code, out, error) = vaglio(world, &world.data(), &["keys", "create", "--role", role, "--owner", owner]);
    assert_eq!(code, 0, "{error}");
    out.trim().to_owned()
}

fn get(server: &Server, path: &str, key: &str) -> Answer {
    let mut client = Client::connect(server.addresses().planner);
    client.send(&request("GET", path, &format!("authorization: Bearer {key}\r\n"), ""));
    client.receive().unwrap()
}

fn records(data: &Path) -> Vec<Control> {
    let mut all = Vec::new();
    let mut log = ControlLog::open(&control_directory(data)).unwrap();
    log.catch_up(&mut |_, record| {
        all.push(record);
        Ok(())
    })
    .unwrap();
    all
}

/// A copy of a log with other records, each of them whole: no checksum tells.
fn copy(records: &[Control]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut log = ControlLog::open(&control_directory(directory.path())).unwrap();
    for record in records {
        log.append(record).unwrap();
    }
    directory
}

#[test]
fn a_copy_that_somebody_changed_is_found_out() {
    let world = World::empty("");
    for owner in ["acme", "other", "third", "fourth"] {
        create(&world, "planner", owner);
    }
    let (code, shown, _) = vaglio(&world, &world.data(), &["audit"]);
    assert_eq!((code, shown.lines().count()), (0, 4), "{shown}");
    assert!(shown.lines().next().unwrap().contains("command line  keys create  key acme/"), "{shown}");
    let (_, filtered, _) = vaglio(&world, &world.data(), &["audit", "--since", "1h", "--what", "nothing"]);
    assert_eq!(filtered, "no entries\n");
    let (code, verified, error) = vaglio(&world, &world.data(), &["audit", "--verify", "--json"]);
    let verified: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!((code, &verified["holds"]), (0, &Value::Bool(true)), "{error}");
    let head = format!("{}:{}", verified["head"]["number"], verified["head"]["link"].as_str().unwrap());

    let whole = records(&world.data());
    let audited: Vec<usize> = (0..whole.len()).filter(|at| matches!(whole[*at], Control::Audited(_))).collect();
    let verify = |records: &[Control], more: &[&str]| {
        let data = copy(records);
        let (code, _, error) = vaglio(&world, data.path(), &[&["audit", "--verify"], more].concat());
        (code, error)
    };
    assert_eq!(verify(&whole, &["--head", &head]), (0, String::new()));
    let mut changed = whole.clone();
    if let Control::Audited(entry) = &mut changed[audited[1]] {
        entry.who = "somebody else".to_owned();
    }
    let (code, error) = verify(&changed, &[]);
    assert!(code == 1 && error.contains("entry 2 (record 2 of the control log)"), "{error}");
    let mut removed = whole.clone();
    removed.remove(audited[1]);
    let (code, error) = verify(&removed, &[]);
    assert!(code == 1 && error.contains("entry 3") && error.contains("missing"), "{error}");
    let mut moved = whole.clone();
    moved.swap(audited[1], audited[2]);
    assert_eq!(verify(&moved, &[]).0, 1);
    let cut = &whole[..audited[3]];
    assert_eq!(verify(cut, &[]).0, 0, "an end that is missing looks like an earlier day");
    let (code, error) = verify(cut, &["--head", &head]);
    assert!(code == 1 && error.contains("cut off"), "{error}");
    assert_eq!(verify(&whole, &["--head", "nonsense"]).0, 2);
}

#[test]
fn each_owner_sees_what_concerns_it() {
    let world = World::new("");
    let operator = create(&world, "operator", "*");
    let acme = create(&world, "operator", "acme");
    let other = create(&world, "operator", "other");
    let server = world.ready();
    let entries = |key: &str, query: &str| -> Vec<String> {
        let answer = get(&server, &format!("/api/v1/audit{query}"), key);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["holds"], true);
        let entries = answer.json()["entries"].as_array().unwrap().clone();
        entries.iter().map(|entry| entry["object"].as_str().unwrap().split('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(entries(&operator, ""), ["key other", "key acme", "key *"], "the newest first");
    assert_eq!(entries(&acme, ""), ["key acme"]);
    assert_eq!(entries(&other, "?what=keys+create"), ["key other"]);
    assert_eq!(entries(&operator, &format!("?object=acme/{}", &acme[7..15])), ["key acme"]);
    assert_eq!(entries(&operator, "?limit=1&before=3"), ["key acme"]);
    assert!(entries(&operator, "?until=2001-01-01T00:00:00Z").is_empty());
    let page = get(&server, "/api/v1/audit?limit=2", &operator).json();
    assert_eq!(page["next"], 2);
    for wrong in ["?limit=0", "?limit=x", "?since=soon", "?nothing=1", "?who=a&who=b"] {
        let answer = get(&server, &format!("/api/v1/audit{wrong}"), &operator);
        assert_eq!((answer.status, answer.error_code().as_str()), (400, "invalid_argument"), "{wrong}");
    }
    server.shutdown();
}
