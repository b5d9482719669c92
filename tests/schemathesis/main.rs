//! The planner's port, asked what schemathesis makes up from its description: no 5xx, no breach of the schema.
//!
//! Where python3 or the package registry is missing the test says so and passes; `VAGLIO_REQUIRE_CONFORMANCE=1` makes that
//! a failure. `VAGLIO_TEST_SCHEMATHESIS=N` asks N of each operation.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[allow(dead_code, reason = "the doors' tests use more of it")]
#[path = "../doors/client.rs"]
mod client;
#[path = "../world/mod.rs"]
mod world;

use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use vaglio::server::{Options, Server};
use world::World;

/// How many requests are made up for each operation.
const EXAMPLES: &str = "10";

fn script(arguments: &[&str], keys: &Value) -> std::io::Result<Output> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemathesis/run.sh");
    Command::new(script).args(arguments).env("VAGLIO_KEYS", keys.to_string()).stdin(Stdio::null()).output()
}

/// A key of each role, for every owner.
fn keys(planner: SocketAddr) -> Value {
    let mut keys = serde_json::Map::new();
    for role in ["operator", "planner", "approver", "ingest", "privacy", "bidder"] {
        let operator = keys.get("operator").and_then(Value::as_str).unwrap_or_default();
        let header = if operator.is_empty() { String::new() } else { format!("authorization: Bearer {operator}\r\n") };
        let mut client = client::Client::connect(planner);
        let body = json!({ "role": role, "owner": "*" }).to_string();
        client.send(&client::request("POST", "/api/v1/keys", &(header + "content-type: application/json\r\n"), &body));
        let made = client.receive().unwrap();
        std::thread::sleep(Duration::from_secs(1));
        keys.insert(role.to_owned(), made.json()["key"].clone());
    }
    Value::Object(keys)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A server on a small world whose clock goes, with its first generation in service.
fn serve(world: &World) -> Server {
    let config = std::fs::read_to_string(world.config()).unwrap();
    let ports = "server: { grpc: 127.0.0.1:0, http: 127.0.0.1:0, planner: 127.0.0.1:0, max_queue_ms: 0 }\n";
    world.file("vaglio.yaml", &(config.replace("as_of: 2026-11-20T00:00:00Z\n", "") + ports));
    let program = Some(env!("CARGO_BIN_EXE_vaglio").into());
    let server = Server::start(world.loaded(), Options { program, ..Options::default() }).unwrap();
    let until = Instant::now() + Duration::from_secs(120);
    while server.doors().live.load().served.is_none() {
        assert!(Instant::now() < until, "the first generation is not there after two minutes");
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}

#[test]
fn requests_made_up_from_the_description_are_answered_as_it_says() {
    let installed = script(&["install"], &Value::Null);
    if !installed.as_ref().is_ok_and(|output| output.status.success()) {
        let why = installed.map_or_else(|error| error.to_string(), |output| said(&output));
        assert!(std::env::var_os("VAGLIO_REQUIRE_CONFORMANCE").is_none(), "{why}");
        // Past libtest's capture, so that a skipped test is seen.
        let _ = writeln!(std::io::stderr(), "skipped: schemathesis (tests/schemathesis/run.sh install failed)");
        return;
    }
    let world = World::new(300);
    let server = serve(&world);
    let examples = std::env::var("VAGLIO_TEST_SCHEMATHESIS").unwrap_or_else(|_| EXAMPLES.to_owned());
    let keys = keys(server.addresses().planner);
    let address = server.addresses().planner.to_string();
    let ask = |options: &[&str]| {
        let output = script(&[&["ask", &*address, &*examples], options].concat(), &keys).unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert!(!said(&output).contains("only 401/403"), "every operation was let in: {}", said(&output));
    };
    // It learns ids from answers and takes away the very keys it asks with: that comes last.
    ask(&["--exclude-operation-id", "revoke_key"]);
    ask(&["--include-operation-id", "revoke_key"]);
    assert!(server.shutdown(), "nothing is still under way");
}
