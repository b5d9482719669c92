//! The gRPC port, called by an independent implementation: Python's grpcio (`conformance/artf_client.py`).
//!
//! Where python3 or the package registry is missing the test says so and passes; `VAGLIO_REQUIRE_CONFORMANCE=1` makes that
//! a failure.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[path = "cases/facts.rs"]
mod facts;

use facts::Facts;
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn script(arguments: &[&str]) -> std::io::Result<Output> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/python.sh");
    Command::new(script).args(arguments).stdin(Stdio::null()).output()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn an_independent_client_reads_every_answer() {
    let installed = script(&["install"]);
    if !installed.as_ref().is_ok_and(|output| output.status.success()) {
        let why = installed.map_or_else(|error| error.to_string(), |output| said(&output));
        assert!(std::env::var_os("VAGLIO_REQUIRE_CONFORMANCE").is_none(), "{why}");
        // Past libtest's capture, so that a skipped test is seen.
        let _ = writeln!(std::io::stderr(), "skipped: gRPC from Python (tests/conformance/python.sh install failed)");
        return;
    }
    let shop = include_str!("cases/facts/shop.json");
    let server = Facts::new(&serde_json::from_str(shop).unwrap()).serve();
    let output = script(&["run", &server.addresses().grpc.to_string()]).unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("checks passed"), "{}", said(&output));
}
