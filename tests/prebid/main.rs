//! Prebid.js and Prebid Server as they are published, configured to call a real server. They are fetched by their own
//! package managers; where that cannot be, a test says `skipped:`, and fails under `VAGLIO_REQUIRE_CONFORMANCE=1`.
//! Prebid Server is built only under `VAGLIO_CONFORMANCE_PREBID_SERVER=1`. `make conformance` sets both.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[allow(dead_code, reason = "only its plain requests are used here")]
#[path = "../doors/client.rs"]
mod client;
mod js;
mod server;
#[allow(dead_code, reason = "only parts of it are used here")]
#[path = "../doors/world.rs"]
mod world;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether the environment says so.
fn set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == "1")
}

/// Says past libtest's capture that a test did not run.
fn skip(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}: {why}");
}

/// What a client's own files are here.
fn sources(client: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(client)
}

/// Where a client is fetched and built.
fn workplace(client: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(client);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// Runs a tool to its end; what it wrote, or why there is nothing.
fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("`{program}` does not start: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{program}` fails: {}", said.trim_end()));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("`{program}` writes: {error}"))
}
