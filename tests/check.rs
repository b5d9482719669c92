//! `vaglio check` as a process: exit codes, carets, and the form for tools.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};

fn check(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    command.arg("check").args(arguments).current_dir(directory);
    // There it names the tests' data, here it would move the generations.
    command.env_remove("VAGLIO_DATA_DIR");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn examples_are_right() {
    for example in ["telco", "census", "cdnow"] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
        let output = check(&directory, &[]);
        assert!(output.status.success(), "{example}: {}", text(&output.stdout));
        assert!(text(&output.stdout).contains(" 0 errors, "));
    }
}

#[test]
fn errors_exit_with_2_and_are_told_to_people_and_tools() {
    let census = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/census");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wrong.yaml");
    std::fs::write(&file, "audiences:\n- { id: a, owner: o, kind: target, rule: aeg > 5 }\n").unwrap();
    let file = file.to_str().unwrap();

    let output = check(&census, &[file]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stdout).contains("- { id: a, owner: o, kind: target, rule: aeg > 5 }\n"),
        "{}",
        text(&output.stdout)
    );
    assert!(text(&output.stdout).contains("Help: did you mean `age`?"));
    assert_eq!(text(&output.stderr), "error: the definitions have 1 error\n");

    let output = check(&census, &["--format", "json", file]);
    assert_eq!(output.status.code(), Some(2));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!([{
        "severity": "error", "code": "unknown-trait", "file": file, "line": 2, "column": 42,
        "message": "there is no trait `aeg`", "help": ["did you mean `age`?"],
    }]);
    assert_eq!(found, expected);
}

#[test]
fn unreadable_files_are_all_named() {
    let census = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/census");
    let directory = tempfile::tempdir().unwrap();
    let binary = directory.path().join("binary.yaml");
    std::fs::write(&binary, [0xff, 0xfe, 0x00, 0x80]).unwrap();
    let output = check(&census, &[binary.to_str().unwrap(), "missing.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("binary.yaml") && said.contains("missing.yaml"), "{said}");
}
