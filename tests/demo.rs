//! The tour, as a newcomer runs it: it ends well, says what it should, and tells the same story twice.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::path::Path;
use std::process::{Command, Output};

/// Runs a short tour on free ports.
fn demo(directory: &Path, more: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    command.args(["demo", "--once", "--people", "2000", "--seed", "5", "--data-dir"]).arg(directory);
    command.env_remove("VAGLIO_DATA_DIR");
    for port in ["GRPC", "HTTP", "PLANNER"] {
        command.env(format!("VAGLIO_SERVER__{port}"), "127.0.0.1:0");
    }
    command.envs(more.iter().copied()).output().unwrap()
}

fn told(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The story alone: no times, ports or paths, which differ from run to run.
fn story(text: &str) -> String {
    let from = text.find("5. Some of these people").unwrap();
    let to = text.find("8. Between builds").unwrap();
    text[from..to].to_owned()
}

#[test]
fn the_tour_ends_well_tells_every_section_and_the_same_story_again() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = told(&demo(one.path(), &[]));
    for part in [
        "do not exist",
        "1. A telecom operator's files",
        "crm.csv.gz",
        "2. A snapshot of who is in which audience",
        "bytes a profile",
        "3. A server",
        "4. Questions",
        "no_profile",
        "5. Some of these people",
        "Somebody to speak to",
        "speaks to them because they are in telco/",
        "Somebody to leave alone",
        "leaves them alone because they are in telco/",
        "A stranger",
        "Somebody who refused profiling",
        "Somebody who objected to marketing",
        "6. The same, as an exchange asks",
        "\"verdict\":\"target\"",
        "7. A minute later",
        "8. Between builds",
        "9. Now you",
        "The console: http://127.0.0.1:",
    ] {
        assert!(first.contains(part), "`{part}` is missing:\n{first}");
    }
    let live = &first[first.find("8. Between builds").unwrap()..];
    let said = |step: &str| live.lines().find(|line| line.contains(step)).unwrap_or_default();
    for (step, verdict) in [
        ("before: this campaign", "suppress not_in_target"),
        ("their phone breaks", "target"),
        ("the advertisement was shown", "suppress capped"),
        ("leave me alone", "suppress objected"),
    ] {
        assert!(said(step).trim_end().ends_with(verdict), "{step}: {live}");
    }
    let elsewhere = told(&demo(other.path(), &[]));
    assert_eq!(story(&first), story(&elsewhere), "another directory, the same seed");
    let again = told(&demo(one.path(), &[]));
    assert!(again.contains("made by an earlier run") && again.contains("built earlier"), "{again}");
    assert_eq!(story(&first), story(&again), "used again");
}

#[test]
fn a_port_that_is_taken_is_named_with_the_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let output = demo(directory.path(), &[("VAGLIO_SERVER__HTTP", &address)]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&address) && stderr.contains("VAGLIO_SERVER__HTTP=127.0.0.1:0"), "{stderr}");
}

#[test]
fn somebody_elses_data_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("data")).unwrap();
    std::fs::write(directory.path().join("data/precious"), "x").unwrap();
    let output = demo(directory.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--data-dir"));
    assert!(directory.path().join("data/precious").exists());
}
