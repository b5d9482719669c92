//! The house's walls: imports go downwards, `unsafe` stays in one file, files are short and say what they are.
//!
//! The rules are functions from a path and a text to what breaks them (`house/`), so that the last tests here can show
//! each of them a planted violation and see it caught.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod house;

use house::{floors, form};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a directory of the repository, with its text and its path from the top.
fn rust_files(below: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(below)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(entries(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("target"))
}

fn all_rust_files() -> Vec<(String, String)> {
    ["src", "tests", "benches", "fuzz"]
        .iter()
        .filter(|dir| root().join(dir).exists())
        .flat_map(|dir| rust_files(dir))
        .collect()
}

#[track_caller]
fn assert_none(broken: Vec<String>) {
    assert!(broken.is_empty(), "{} broken:\n  {}", broken.len(), broken.join("\n  "));
}

#[test]
fn imports_go_downwards_only() {
    let files = rust_files("src");
    assert!(files.len() > 20, "the sources were found");
    assert_none(files.iter().flat_map(|(path, text)| floors::imports(path, text)).collect());
}

#[test]
fn protocols_stay_on_the_upper_floors() {
    assert_none(rust_files("src").iter().flat_map(|(path, text)| floors::protocols(path, text)).collect());
}

#[test]
fn every_room_has_a_floor_and_a_place_in_the_contents_page() {
    let rooms: Vec<String> = entries(&root().join("src"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "main" && name != "lib")
        .collect();
    assert_none(floors::rooms(&rooms, &fs::read_to_string(root().join("src/lib.rs")).unwrap()));
}

#[test]
fn the_contents_page_has_no_logic_and_main_is_short() {
    assert_none(form::contents_page(&fs::read_to_string(root().join("src/lib.rs")).unwrap()));
    assert_none(form::short_main(&fs::read_to_string(root().join("src/main.rs")).unwrap()));
}

#[test]
fn unsafe_stays_in_the_one_file_that_maps() {
    assert_none(rust_files("src").iter().flat_map(|(path, text)| form::unsafety(path, text)).collect());
}

#[test]
fn every_file_says_what_it_is_is_short_and_finished() {
    for rule in [form::head, form::length, form::name, form::markers] {
        assert_none(all_rust_files().iter().flat_map(|(path, text)| rule(path, text)).collect());
    }
}

#[test]
fn planted_imports_are_caught() {
    let caught = |path: &str, text: &str| floors::imports(path, text).len();
    for (path, text) in [
        ("src/snapshot/store.rs", "use crate::build::index;"),
        ("src/lookup/mod.rs", "fn f() { crate::collect::collect(); }"),
        ("src/lookup/mod.rs", "use crate::evaluate::Rule;"),
        ("src/hooks/grpc.rs", "use crate::build::Manifest;"),
        ("src/decide/mod.rs", "use crate::{error::Error, profiles::Graph};"),
        (
            "src/audiences/rule.rs",
            "use crate::{\n    error::Error,\n    snapshot::{columns::{self}},\n    overlay::Overlay,\n};",
        ),
        ("src/schema/key.rs", "use super::super::config::Config;"),
        ("src/schema/mod.rs", "use super::config::Config;"),
        ("src/evaluate/mod.rs", "pub(crate) use crate :: wire::Code;"),
        ("src/error.rs", "use crate::schema::Span;"),
        ("src/planner/mod.rs", "use crate::hooks::Door;"),
        ("src/config/mod.rs", "use vaglio::snapshot::Store;"),
        ("src/attic/mod.rs", "use crate::error::Error;"),
    ] {
        assert_eq!(caught(path, text), 1, "{path}: {text} gives {:?}", floors::imports(path, text));
    }
    for (path, text) in [
        ("src/snapshot/store.rs", "use crate::snapshot::section; use super::section; use crate::error::Error;"),
        ("src/snapshot/store.rs", "// use crate::build::index;\n/* crate::cli */ const X: &str = \"crate::cli::X\";"),
        (
            "src/snapshot/store.rs",
            "const X: &str = r#\"crate::cli \" crate::cli\"#; const C: char = '\"'; use crate::error::E;",
        ),
        ("src/snapshot/columns/mod.rs", "use super::super::section::Writer;"),
        ("src/config/mod.rs", "use crate::schema::Span; mod tests { use super::super::*; }"),
        ("src/cli/serve.rs", "use crate::{server, hooks, decide, wire, config::{self, Loaded}};"),
        ("src/main.rs", "vaglio::cli::run()"),
    ] {
        assert_eq!(caught(path, text), 0, "{path}: {text} gives {:?}", floors::imports(path, text));
    }
}

#[test]
fn planted_protocols_are_caught() {
    assert_eq!(floors::protocols("src/decide/mod.rs", "use tonic::Status;").len(), 1);
    assert_eq!(floors::protocols("src/lookup/mod.rs", "fn f(x: hyper::Uri) {}").len(), 1);
    assert_eq!(floors::protocols("src/hooks/mod.rs", "use tonic::Status;").len(), 0);
    assert_eq!(floors::protocols("src/lookup/mod.rs", "let hyperbole = 1; // tonic").len(), 0);
}

#[test]
fn planted_rooms_are_caught() {
    let rooms = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let page = "//! | floor | rooms |\n//! | `error` `schema` |\npub mod error;\npub mod schema;\n";
    assert_eq!(floors::rooms(&rooms(&["error", "schema"]), page), Vec::<String>::new());
    assert_eq!(floors::rooms(&rooms(&["error", "schema", "attic"]), page).len(), 2, "no floor and not declared");
    assert_eq!(floors::rooms(&rooms(&["error"]), page).len(), 1, "declared and not there");
    assert_eq!(floors::rooms(&rooms(&["error", "schema"]), &page.replace("`schema`", "")).len(), 1, "not in the table");
}

#[test]
fn planted_form_is_caught() {
    let long = |head: &str| format!("{head}\n{}", "fn f() {}\n".repeat(400));
    assert_eq!(form::unsafety("src/lookup/mod.rs", "fn f() { unsafe { g() } }").len(), 1);
    assert_eq!(form::unsafety("src/lookup/mod.rs", "#![allow(unsafe_code)]").len(), 1);
    assert_eq!(form::unsafety("src/lookup/mod.rs", "// unsafe\nlet s = \"unsafe\"; let unsafer = 1;").len(), 0);
    assert_eq!(form::unsafety("src/snapshot/mmap.rs", "unsafe { map() }").len(), 0);
    assert_eq!(form::head("src/x.rs", "use std::fs;\n//! late").len(), 1);
    assert_eq!(form::head("src/x.rs", "//! X.\nuse std::fs;").len(), 0);
    assert_eq!(form::length("src/x.rs", &long("//! X.")).len(), 1);
    assert_eq!(form::length("src/x.rs", &long("//! X. Longer than 400 lines because the table is one.")).len(), 0);
    for name in ["src/utils.rs", "src/lookup/common.rs", "src/helpers/mod.rs", "src/cli/misc.rs"] {
        assert_eq!(form::name(name, "").len(), 1, "{name}");
    }
    assert_eq!(form::name("src/lookup/answer.rs", "").len(), 0);
    assert_eq!(form::name("src/lookup/answer.rs", "mod util { }").len(), 1);
    for text in
        ["// TO\u{44}O: later", "// FIX\u{4d}E", "fn f() { tod\u{6f}!() }", "fn f() { unimplemente\u{64}!(\"x\") }"]
    {
        assert_eq!(form::markers("src/x.rs", text).len(), 1, "{text}");
    }
    assert_eq!(form::contents_page("//! X\npub mod a;\n\n").len(), 0);
    assert_eq!(form::contents_page("//! X\npub mod a;\nfn f() {}\n").len(), 1);
    assert_eq!(form::short_main(&"x\n".repeat(31)).len(), 1);
}
