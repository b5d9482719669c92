//! Keys at the planner's port: made, listed and taken away over HTTP; the key of a first run; who one is; and what a browser is
//! not used for.

#![allow(clippy::unwrap_used)] // a test fails by panicking

#[allow(dead_code, reason = "shared with the doors' tests")]
#[path = "doors/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the doors' tests")]
#[path = "doors/world.rs"]
mod world;

use client::{Answer, Client, request};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use vaglio::access::credentials::DEMO_KEY;
use vaglio::access::{Access, Credential, Credentials, Refusal, Shown, roles};
use vaglio::schema::Timestamp;
use vaglio::server::Server;
use world::World;

fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let mut client = Client::connect(address);
    client.send(&request(method, path, headers, body));
    client.receive().unwrap()
}

fn with(server: &Server, key: &str, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers = format!("authorization: Bearer {key}\r\ncontent-type: application/json\r\n");
    ask(server.addresses().planner, method, path, &headers, &body)
}

fn whoami(server: &Server, key: &str) -> Answer {
    with(server, key, "GET", "/api/v1/whoami", &Value::Null)
}

#[test]
fn keys_are_made_listed_and_taken_away_over_http() {
    let world = World::new("");
    let server = world.ready();
    let address = server.addresses().planner;
    // Without keys this machine is everybody.
    assert_eq!(ask(address, "GET", "/api/v1/whoami", "", "").json()["name"], "loopback");
    let made = ask(address, "POST", "/api/v1/keys", "", &json!({"role": "operator", "owner": "*"}).to_string());
    assert_eq!(made.status, 201, "{made:?}");
    let operator = made.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(whoami(&server, &operator).status, 200, "it opens as soon as it is told");
    assert_eq!(ask(address, "GET", "/api/v1/whoami", "", "").status, 401, "now people are told apart");
    let wanted = json!({"role": "operator", "owner": "acme", "expires": "90d", "comment": "for acme"});
    let acme = with(&server, &operator, "POST", "/api/v1/keys", &wanted).json();
    let (id, acme) = (acme["id"].as_str().unwrap().to_owned(), acme["key"].as_str().unwrap().to_owned());
    let told = whoami(&server, &acme).json();
    assert_eq!((&told["owner"], &told["role"]), (&json!("acme"), &json!("operator")));
    assert!(told["may"].as_array().unwrap().contains(&json!("read the audit trail")), "{told}");

    // An owner's operator: its own keys, and no others.
    let foreign = with(&server, &acme, "POST", "/api/v1/keys", &json!({"role": "planner", "owner": "other"}));
    assert_eq!((foreign.status, foreign.error_code().as_str()), (403, "permission_denied"));
    let own = with(&server, &acme, "POST", "/api/v1/keys", &json!({"role": "planner", "owner": "acme"}));
    assert_eq!(own.status, 201, "{own:?}");
    let listed = |key: &str| {
        let all = with(&server, key, "GET", "/api/v1/keys", &Value::Null);
        assert!(!all.body.contains("sha256") && !all.body.contains(&operator[16..]), "{all:?}");
        all.json()["keys"].as_array().unwrap().len()
    };
    assert_eq!((listed(&operator), listed(&acme)), (3, 2));
    for (wrong, field) in [
        (json!({"role": "privacy", "owner": "acme"}), "privacy"),
        (json!({"role": "nobody", "owner": "acme"}), "nobody"),
        (json!({"role": "planner", "owner": "a b"}), "owner"),
        (json!({"role": "planner", "owner": "acme", "expires": "soon"}), "soon"),
        (json!({"role": "planner", "owner": "acme", "more": 1}), "more"),
    ] {
        let answer = with(&server, &operator, "POST", "/api/v1/keys", &wrong);
        assert!(answer.status == 400 && answer.body.contains(field), "{answer:?}");
    }
    let planner = json!({"role": "planner", "owner": "acme"});
    assert_eq!(with(&server, &operator, "POST", "/api/v1/keys", &planner).status, 201);
    let third = with(&server, &operator, "POST", "/api/v1/keys", &planner);
    assert_eq!((third.status, third.error_code().as_str()), (409, "conflict"));

    let revoked = with(&server, &operator, "DELETE", &format!("/api/v1/keys/{id}"), &Value::Null);
    assert_eq!((revoked.status, &revoked.json()["state"]), (200, &json!("revoked")));
    assert_eq!(whoami(&server, &acme).status, 401, "it opens nothing as soon as that is told");
    assert_eq!(with(&server, &operator, "DELETE", "/api/v1/keys/0123abcd", &Value::Null).error_code(), "not_found");
    let trail = with(&server, &operator, "GET", "/api/v1/audit?what=keys+revoke", &Value::Null).json();
    assert_eq!(trail["entries"][0]["object"], format!("key acme/{id}"));
    assert_eq!(trail["entries"][0]["who"], &operator[7..15]);
    server.shutdown();
}

#[test]
fn an_owners_operator_makes_no_key_that_sees_more_than_it_does() {
    let callers = "callers:\n  - { name: everyone, owners: [\"*\"] }\n  - { name: pair, owners: [acme, other] }\n  - { name: own, owners: [acme] }\n";
    let world = World::new(callers);
    let server = world.ready();
    let address = server.addresses().planner;
    let wanted = json!({"role": "operator", "owner": "acme"});
    let made = ask(address, "POST", "/api/v1/keys", "", &wanted.to_string()).json();
    let acme = made["key"].as_str().unwrap();
    let named = |caller: &str| {
        with(&server, acme, "POST", "/api/v1/keys", &json!({"role": "bidder", "owner": "acme", "caller": caller}))
    };
    let [everyone, pair, nobody] = ["everyone", "pair", "nobody"].map(|caller| {
        let refused = named(caller);
        assert_eq!(refused.status, 403, "{refused:?}");
        refused.body.replace(caller, "CALLER")
    });
    assert!(everyone == pair && pair == nobody, "nor is it told which callers there are");
    assert_eq!(named("own").status, 201);
    server.shutdown();
}

#[test]
fn a_privacy_officer_notes_objections_and_nothing_else() {
    let world = World::new("ingest: { ids: [{ type: ifa, bid: true }] }\n");
    let server = world.ready();
    let operator = ask(server.addresses().planner, "POST", "/api/v1/keys", "", r#"{"role":"operator","owner":"*"}"#);
    let operator = operator.json()["key"].as_str().unwrap().to_owned();
    let made = with(&server, &operator, "POST", "/api/v1/keys", &json!({"role": "privacy", "owner": "*"})).json();
    let officer = made["key"].as_str().unwrap();
    let line = |id: &str, kind: &str, rest: &str| {
        let eids = r#"[{"source":"ifa","uid":"0d4c9a7e-2f0a-4d8f-9f0e-6a3d2b1c0e9f"}]"#;
        format!("{{\"id\":\"{id}\",\"type\":\"{kind}\",\"time\":\"2026-11-19T00:00:00Z\",\"eids\":{eids}{rest}}}\n")
    };
    let headers = format!("authorization: Bearer {officer}\r\ncontent-type: application/x-ndjson\r\n");
    let lines = line("o", "objection", r#","scope":"marketing""#) + &line("c", "consent", r#","granted":true"#);
    let said = ask(server.addresses().planner, "POST", "/api/v1/events", &headers, &lines).json();
    assert_eq!((&said["accepted"], &said["rejected"]), (&json!(1), &json!(1)), "{said}");
    assert!(said["results"][0]["reason"].as_str().unwrap().contains("objections alone"), "{said}");

    let trail = with(&server, officer, "GET", "/api/v1/audit?limit=5", &Value::Null).json();
    let entry = trail["entries"].as_array().unwrap().iter().find(|entry| entry["what"] == "object").unwrap();
    assert_eq!((&entry["who"], &entry["object"]), (&made["id"], &json!("1 objections")), "{trail}");
    assert!(entry["subject"].is_string(), "whom it concerns, hashed: {entry}");
}

#[test]
fn another_web_page_gets_nothing_without_a_key() {
    let world = World::new("");
    let server = world.ready();
    let address = server.addresses().planner;
    let own = format!("origin: http://{address}\r\nsec-fetch-site: same-origin\r\n");
    for (headers, status) in [
        ("", 200),
        ("sec-fetch-site: none\r\n", 200),
        ("origin: http://evil.test\r\n", 403),
        ("origin: null\r\n", 403),
        ("sec-fetch-site: cross-site\r\n", 403),
        (&own, 403), // of another port's page: the request below names this one
    ] {
        let answer = ask(address, "GET", "/api/v1/whoami", headers, "");
        assert_eq!(answer.status, status, "{headers} {answer:?}");
        assert!(answer.headers.contains("x-content-type-options: nosniff\n"), "{}", answer.headers);
        assert!(answer.headers.contains("cache-control: no-store\n"), "{}", answer.headers);
        assert!(!answer.headers.contains("access-control"), "{}", answer.headers);
    }
    let mut client = Client::connect(address);
    client.send(&format!("GET /api/v1/whoami HTTP/1.1\r\nhost: {address}\r\n{own}\r\n"));
    assert_eq!(client.receive().unwrap().status, 200);
    for path in ["/api/v1/whoami", "/metrics"] {
        client.send(&format!("GET {path} HTTP/1.1\r\nhost: rebound.evil.test:8081\r\n\r\n"));
        let answer = client.receive().unwrap();
        assert_eq!((answer.status, answer.error_code().as_str()), (403, "permission_denied"));
        assert!(answer.body.contains("localhost"), "it says what to do: {answer:?}");
    }
    server.shutdown();
}

#[test]
fn a_first_run_says_one_key_once_and_closes_nothing() {
    let world = World::empty("");
    let serve = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
        command.args(["serve", "--no-build", "--config", world.config_file().to_str().unwrap()]);
        command.env_remove("JOURNAL_STREAM").stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut child = serve();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let listening = log.find(|line| line.as_ref().unwrap().contains("metrics on http://")).unwrap().unwrap();
    let address = listening.split("metrics on http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    let key = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let key = key.map(|line| line.trim().to_owned()).find(|line| line.starts_with("vaglio_")).unwrap();
    assert_eq!(key.len(), 59);
    let told = ask(address, "GET", "/api/v1/whoami", &format!("authorization: Bearer {key}\r\n"), "").json();
    assert_eq!((&told["role"], &told["owner"]), (&json!("operator"), &json!("*")));
    assert_eq!(ask(address, "GET", "/api/v1/whoami", "", "").json()["name"], "loopback", "nothing is closed by it");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(log.map(Result::unwrap).all(|line| !line.contains(&key[16..])), "the log does not have it");
    let mut again = serve();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    again.kill().unwrap();
    let output = again.wait_with_output().unwrap();
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_demo_s_key_opens_loopback_only() {
    let mut credentials = Credentials::default();
    credentials.add(Credential::demo(Timestamp(0)), Timestamp(0)).unwrap();
    let access = Access::with(&vaglio::config::Config::default(), &credentials);
    let shown = |loopback| Shown { key: Some(DEMO_KEY.as_bytes()), loopback, ..Shown::default() };
    assert!(access.may(&shown(true), roles::OPERATE, Timestamp(1)).is_ok());
    assert_eq!(access.may(&shown(false), roles::OPERATE, Timestamp(1)), Err(Refusal::Unknown));
    let keyless = Shown { loopback: true, ..Shown::default() };
    assert!(access.may(&keyless, roles::OPERATE, Timestamp(1)).is_ok(), "it closes nothing");
}
