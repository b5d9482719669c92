//! What a file looks like: its head, length, name, and what must not stand in it.

use super::lexer::{code, tokens};

const MAX_LINES: usize = 400;
const NAMELESS: [&str; 6] = ["util", "utils", "common", "helper", "helpers", "misc"];

/// `unsafe` outside the one file that maps.
pub fn unsafety(path: &str, text: &str) -> Vec<String> {
    if path == "src/snapshot/mmap.rs" {
        return Vec::new();
    }
    let found = tokens(&code(text)).into_iter().filter(|(_, token)| token == "unsafe" || token == "unsafe_code");
    found.map(|(line, token)| format!("{path}:{line}: `{token}` outside src/snapshot/mmap.rs")).collect()
}

/// Every file opens with what lives in it.
pub fn head(path: &str, text: &str) -> Vec<String> {
    if text.starts_with("//! ") || text.starts_with("#![no_main]\n//! ") {
        return Vec::new();
    }
    vec![format!("{path}:1: does not open with `//!`: say what lives here, and what must not")]
}

/// A longer file is split, or its head says why ("Longer than 400 lines because ...").
pub fn length(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
    if lines <= MAX_LINES || head.contains("400 lines") {
        return Vec::new();
    }
    vec![format!("{path}: {lines} lines; split it by subject, or say in its head why it is longer than 400 lines")]
}

/// Names that say nothing.
pub fn name(path: &str, text: &str) -> Vec<String> {
    let parts = path.split('/').map(|part| part.trim_end_matches(".rs"));
    let mut broken: Vec<String> =
        parts.filter(|part| NAMELESS.contains(part)).map(|part| format!("{path}: `{part}` is no subject")).collect();
    for pair in tokens(&code(text)).windows(2) {
        if pair[0].1 == "mod" && NAMELESS.contains(&pair[1].1.as_str()) {
            broken.push(format!("{path}:{}: `{}` is no subject", pair[1].0, pair[1].1));
        }
    }
    broken
}

/// What is left for later belongs into an issue.
pub fn markers(path: &str, text: &str) -> Vec<String> {
    // Spelt apart, or this file would find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["todo", "!("], ["unimplemented", "!("]].map(|parts| parts.concat());
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
        .map(|(at, line)| format!("{path}:{}: {}", at + 1, line.trim()))
        .collect()
}

/// `lib.rs` lists rooms and does nothing.
pub fn contents_page(text: &str) -> Vec<String> {
    let allowed = |line: &str| {
        line.is_empty() || line.starts_with("//!") || (line.starts_with("pub mod ") && line.ends_with(';'))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !allowed(line));
    lines.map(|(at, line)| format!("src/lib.rs:{}: `{line}` is logic", at + 1)).collect()
}

/// `main.rs` hands over to `cli`.
pub fn short_main(text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines <= 30 { Vec::new() } else { vec![format!("src/main.rs: {lines} lines, at most 30")] }
}
