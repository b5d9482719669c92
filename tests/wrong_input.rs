//! Wrong input at the command line: each mistake ends with the right exit code and a message that says what to do. What
//! a killed or starved build leaves behind is in `build_faults`, what the doors refuse in `doors`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use vaglio::snapshot::Store;
use world::World;

const PEOPLE: u32 = 120;

fn vaglio(world: &World, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    command.args(arguments).current_dir(world.path()).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VAGLIO_")) {
        command.env_remove(name);
    }
    command
}

/// Runs a command that must fail, and looks for words in what it says.
#[track_caller]
fn refused(world: &World, arguments: &[&str], code: i32, words: &[&str]) -> String {
    let output = vaglio(world, arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stdout));
    for word in words {
        assert!(said.contains(word), "{word:?} is not said by {arguments:?}:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[track_caller]
fn done(world: &World, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = vaglio(world, arguments).output().unwrap();
    assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

fn changed(world: &World, file: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(world.path().join(file)).unwrap();
    assert!(text.contains(from), "{from} is in {file}");
    world.file(file, &text.replace(from, to));
}

#[test]
fn wrong_arguments_show_the_usage() {
    let world = World::new(0);
    refused(&world, &[], 2, &["Usage: vaglio"]);
    refused(&world, &["biuld"], 2, &["biuld", "build"]);
    refused(&world, &["build", "--activate"], 2, &["--activate-only"]);
    refused(&world, &["lookup"], 2, &["SOURCE:UID"]);
}

#[test]
fn a_missing_configuration_says_where_to_start() {
    let world = World::new(0);
    for command in ["build", "serve", "inspect", "generations"] {
        refused(&world, &[command, "--config", "none.yaml"], 2, &["none.yaml", "--print-config"]);
    }
}

#[test]
fn all_mistakes_of_a_configuration_are_told_at_once() {
    let world = World::new(0);
    changed(&world, "vaglio.yaml", "data_dir: data", "data_dri: data");
    changed(&world, "vaglio.yaml", "name: web", "name: crm");
    changed(&world, "vaglio.yaml", "kind: events", "kind: event");
    let words =
        ["vaglio.yaml:1:1", "data_dir", "`crm` is the name of", "`event` is not one of", "did you mean `events`"];
    refused(&world, &["build"], 2, &words);
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    let world = World::new(0);
    let output = vaglio(&world, &["generations"]).env("VAGLIO_SERVER__HTP", "127.0.0.1:1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("VAGLIO_SERVER__HTP") && said.contains("`http`"), "{said}");
}

#[test]
fn a_missing_source_file_is_named() {
    let world = World::new(PEOPLE);
    std::fs::remove_file(world.path().join("crm.csv")).unwrap();
    refused(&world, &["build", "--quiet"], 1, &["crm.csv"]);
    assert!(Store::open(world.data()).unwrap().current().unwrap().is_none());
}

#[test]
fn a_missing_column_is_named_with_those_there_are() {
    let world = World::new(PEOPLE);
    changed(&world, "crm.csv", "customer,email", "customer,mail");
    refused(&world, &["build", "--quiet"], 1, &["email", "crm.csv"]);
}

#[test]
fn an_unknown_trait_suggests_the_nearest() {
    let world = World::new(PEOPLE);
    changed(&world, "audiences.yaml", "rule: age >= 18", "rule: agee >= 18");
    refused(&world, &["build", "--quiet"], 2, &["audiences.yaml:3", "agee", "`age`"]);
}

#[test]
fn a_test_of_the_wrong_type_says_what_the_trait_is() {
    let world = World::new(PEOPLE);
    changed(&world, "audiences.yaml", "rule: age >= 18", "rule: age = grown");
    refused(&world, &["build", "--quiet"], 2, &["audiences.yaml:3", "number"]);
}

#[test]
fn two_audiences_of_one_name_are_refused() {
    let world = World::new(PEOPLE);
    changed(&world, "audiences.yaml", "id: adults", "id: gold");
    refused(&world, &["build", "--quiet"], 2, &["acme/gold", "audiences.yaml"]);
}

#[test]
fn definitions_that_are_not_there_are_refused() {
    let world = World::new(PEOPLE);
    changed(&world, "vaglio.yaml", "[audiences.yaml]", "[rules/*.yaml]");
    refused(&world, &["build", "--quiet"], 2, &["rules/*.yaml", "no file matches"]);
}

#[test]
fn an_empty_source_is_refused() {
    let world = World::new(PEOPLE);
    world.file("crm.csv", "");
    refused(&world, &["build", "--quiet"], 1, &["crm"]);
}

#[test]
fn binary_garbage_is_refused_and_not_printed() {
    let world = World::new(PEOPLE);
    let mut garbage = Vec::from(&b"customer,email,ifa,updated,plan,age,tags\n"[..]);
    garbage.extend((0..20_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8));
    std::fs::write(world.path().join("crm.csv"), garbage).unwrap();
    let said = refused(&world, &["build", "--quiet"], 1, &["crm", "rejected"]);
    assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{said:?}");
}

#[test]
fn a_huge_line_costs_itself_only() {
    let world = World::new(PEOPLE);
    changed(&world, "vaglio.yaml", "keep_generations: 2", "keep_generations: 2, max_row_bytes: 1000");
    let mut file = std::fs::OpenOptions::new().append(true).open(world.path().join("crm.csv")).unwrap();
    writeln!(file, "{}", "x".repeat(3 << 20)).unwrap();
    let said = done(&world, &["build", "--quiet"]);
    assert!(said.contains("1 row was rejected") && said.contains("rejects.json"), "{said}");
}

#[test]
fn two_builds_at_once_are_refused() {
    let world = World::new(PEOPLE);
    let _lock = Store::open(world.data()).unwrap().lock("build").unwrap();
    let holder = format!("process {}", std::process::id());
    refused(&world, &["build", "--quiet"], 1, &["LOCK", &holder, "wait"]);
}

#[test]
fn two_servers_on_one_port_are_refused() {
    let world = World::new(PEOPLE);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for door in ["HTTP", "GRPC", "PLANNER"] {
        let mut command = vaglio(&world, &["serve", "--no-build"]);
        for other in ["HTTP", "GRPC", "PLANNER"] {
            command.env(format!("VAGLIO_SERVER__{other}"), if other == door { &address } else { "127.0.0.1:0" });
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&address), "{said}");
    }
}

#[test]
fn without_a_generation_every_question_says_so() {
    let world = World::new(PEOPLE);
    for (arguments, code) in [(&["inspect"][..], 1), (&["lookup", "crm:1"], 1), (&["rollback"], 2)] {
        refused(&world, arguments, code, &["no generation", "vaglio build"]);
    }
    assert!(done(&world, &["generations"]).contains("vaglio build"));
    refused(&world, &["build", "--activate-only", "--quiet"], 1, &["vaglio build"]);
}

#[test]
fn a_failing_stdout_is_an_error_and_a_closed_one_is_not() {
    let world = World::new(0);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = vaglio(&world, &["serve", "--print-config"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("stdout"));

    let mut child = vaglio(&world, &["serve", "--print-config"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

/// What is asked of a generation that is there.
#[test]
fn questions_to_a_generation_are_answered_or_refused_with_advice() {
    let world = World::new(PEOPLE);
    done(&world, &["build", "--quiet"]);
    let customer = done(&world, &["explain", "--format", "json", "crm:nobody", "gold"]);
    assert!(customer.contains("\"no_profile\""), "an unknown identifier is an answer: {customer}");
    assert!(done(&world, &["lookup", "ifa:123e4567-e89b-12d3-a456-426614174000"]).contains("no_profile"));
    assert!(done(&world, &["lookup", "crm:nobody"]).contains("does not occur at bid time"));

    let said = refused(&world, &["lookup", "ifa:secret-17"], 2, &["identifier 1", "ifa"]);
    assert!(!said.contains("secret"), "a raw identifier is not repeated: {said}");
    refused(&world, &["lookup", "cmr:1"], 2, &["`cmr`", "crm, email, ifa"]);
    refused(&world, &["explain", "crm:1", "golden"], 2, &["golden", "did you mean `gold`?"]);
    refused(&world, &["inspect", "--generation", "9"], 2, &["generation 9", "there: 1"]);
    refused(&world, &["rollback", "9"], 2, &["9"]);
}

#[test]
fn a_damaged_generation_or_a_lost_key_is_refused_with_advice() {
    let world = World::new(PEOPLE);
    done(&world, &["build", "--quiet"]);
    assert!(done(&world, &["inspect", "--verify"]).contains("Verified"));
    let key = world.data().join("vaglio.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::write(&key, format!("{:032x}\n", 1)).unwrap();
    refused(&world, &["inspect", "--verify"], 1, &["another key", "vaglio build"]);
    refused(&world, &["lookup", "crm:1"], 1, &["another key"]);
    std::fs::remove_file(&key).unwrap();
    refused(&world, &["lookup", "crm:1"], 1, &["no key file", "vaglio.key"]);
    refused(&world, &["build", "--quiet"], 2, &["vaglio.key", "restore"]);
    std::fs::write(&key, kept).unwrap();

    for section in std::fs::read_dir(world.data().join("sections")).unwrap() {
        let path = section.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    refused(&world, &["inspect", "--verify"], 1, &["vaglio build"]);
    refused(&world, &["lookup", "ifa:123e4567-e89b-12d3-a456-426614174000"], 1, &["vaglio build"]);
    done(&world, &["build", "--quiet"]);
    // The same rows give the same sections: the damaged files must not be taken for them.
    assert!(done(&world, &["inspect", "--verify"]).contains("Verified"));
}
