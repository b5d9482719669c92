//! What must not be in the repository: paths of somebody's machine, private registries, secrets, big binaries.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

const MAX_BYTES: usize = 2 << 20;

/// Texts that betray where a file was made, or give away a secret. Spelt apart, or this file would find itself.
fn betraying() -> Vec<String> {
    let parts = [
        ["/ro", "ot/"],
        ["/wo", "rk/"],
        ["/Us", "ers/"],
        ["/home", "/"],
        [".cargo/", "registry"],
        ["registry", " = \"http"],
        ["BEGIN PRIV", "ATE KEY"],
        ["BEGIN RSA PRIV", "ATE KEY"],
        ["AKI", "AIOSF"],
        ["Co-authored", "-by"],
    ];
    parts.iter().map(|parts| parts.concat()).collect()
}

/// Host names of registries other than the public ones.
fn foreign_registry(line: &str) -> bool {
    let index = line.trim_start().starts_with("source = \"") || line.contains("sparse+http");
    index && !line.contains("registry+https://github.com/rust-lang/crates.io-index")
}

fn scan(path: &str, text: &str) -> Vec<String> {
    let betraying = betraying();
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for word in betraying.iter().filter(|word| contains_path(line, word)) {
            found.push(format!("{path}:{}: `{word}`", at + 1));
        }
        if path.ends_with("Cargo.lock") && foreign_registry(line) {
            found.push(format!("{path}:{}: a registry other than crates.io", at + 1));
        }
    }
    found
}

/// An absolute path starts a word: `a/work/b` is somebody's relative one.
fn contains_path(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !word.starts_with('/')
            || !line[..at]
                .ends_with(|before: char| before.is_alphanumeric() || matches!(before, '.' | '_' | '-' | '}' | '/'))
    })
}

fn committed() -> Vec<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let listed = Command::new("git").args(["-C", root, "ls-files", "-z"]).output();
    let Some(listed) = listed.ok().filter(|output| output.status.success()) else {
        // Past libtest's capture, so that a skipped test is seen.
        let _ = writeln!(std::io::stderr(), "skipped: not a git checkout, so nothing is known of what is committed");
        return Vec::new();
    };
    let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    names.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn committed_files_betray_no_machine_and_no_secret() {
    let mut found = Vec::new();
    for path in committed() {
        let Ok(bytes) = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)) else { continue };
        if bytes.len() > MAX_BYTES {
            found.push(format!("{path}: {} bytes; build output and data sets are not committed", bytes.len()));
        }
        found.extend(scan(&path, &String::from_utf8_lossy(&bytes)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn planted_traces_are_caught() {
    for word in betraying() {
        assert_eq!(scan("docs/x.md", &format!("see {word}here")).len(), 1, "{word}");
    }
    assert_eq!(scan("docs/x.md", "see target/work/x and ~/work").len(), 0);
    assert_eq!(scan("Cargo.lock", "source = \"registry+https://crates.example/index\"").len(), 1);
    assert_eq!(scan("Cargo.lock", "source = \"registry+https://github.com/rust-lang/crates.io-index\"").len(), 0);
}
