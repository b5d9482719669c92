//! What the program may be made of: licences, banned crates, and nothing from outside the registry.

use cargo_metadata::{Metadata, MetadataCommand, Package};
use std::collections::BTreeMap;

/// Licences that an Apache-2.0 program may contain, by SPDX name.
const LICENCES: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Banned crates, the versions that are meant, and why.
const BANNED: [(&str, &str, &str); 10] = [
    ("openssl-sys", "*", "TLS is rustls; OpenSSL would tie the build to the machine"),
    ("native-tls", "*", "TLS is rustls"),
    ("serde_yaml", "*", "unmaintained; YAML is serde-saphyr"),
    ("arc-swap", "*", "an open report of a use after free; the swap is RwLock<Arc>"),
    ("gxhash", "*", "unsound"),
    ("datafusion", "*", "six minutes of build"),
    ("rocksdb", "*", "a quarter of an hour of build; the log and the snapshot are ours"),
    ("librocksdb-sys", "*", "as rocksdb"),
    ("h2", "<0.4.20", "floods"),
    ("protoc-bin-vendored", "*", "protos are compiled by protox"),
];

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    command.other_options(["--locked".to_owned(), "--all-features".to_owned()]);
    command.exec().expect("`cargo metadata --locked` works: Cargo.lock is committed and up to date")
}

/// Whether an SPDX expression can be satisfied with permitted licences alone. `/` is the old way to write OR.
fn permitted(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    // No expression in use nests AND below OR differently from its reading without parentheses being stricter:
    // every part of some alternative, or every alternative of some part, must be permitted.
    let alternatives = expression.split(" OR ").map(str::trim);
    let mut conjunctions = expression.split(" AND ").map(str::trim);
    let allowed = |licence: &str| LICENCES.contains(&licence.trim());
    alternatives.clone().any(|one| one.split(" AND ").all(allowed))
        || conjunctions.all(|one| one.split(" OR ").any(allowed))
}

fn banned(name: &str, version: &cargo_metadata::semver::Version) -> Option<String> {
    let (_, _, why) = BANNED.iter().find(|(banned, versions, _)| {
        let versions = cargo_metadata::semver::VersionReq::parse(versions).expect("the list holds requirements");
        *banned == name && versions.matches(version)
    })?;
    Some(format!("{name} {version} is banned: {why}"))
}

fn check(package: &Package) -> Vec<String> {
    let mut wrong: Vec<String> = banned(&package.name, &package.version).into_iter().collect();
    match &package.license {
        Some(licence) if permitted(licence) => {}
        licence => wrong.push(format!("{} {}: licence {licence:?} is not permitted", package.name, package.version)),
    }
    let own = package.source.is_none();
    let registry = package.source.as_ref().is_some_and(|source| source.is_crates_io());
    if !own && !registry {
        wrong.push(format!("{} {} comes from {:?}, not from crates.io", package.name, package.version, package.source));
    }
    wrong
}

#[test]
fn every_dependency_is_permitted() {
    let metadata = metadata();
    assert!(metadata.packages.len() > 50, "the dependencies were listed");
    let wrong: Vec<String> = metadata.packages.iter().flat_map(check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_our_own_package_has_no_registry() {
    let own: Vec<_> = metadata().packages.into_iter().filter(|package| package.source.is_none()).collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].license.as_deref(), Some("Apache-2.0"));
    assert!(include_str!("../LICENSE").contains("Apache License"));
}

/// Two versions of what carries our own types across an interface do not understand each other.
#[test]
fn libraries_whose_types_meet_ours_come_once() {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in metadata().packages {
        versions.entry(package.name.to_string()).or_default().push(package.version.to_string());
    }
    for name in ["tokio", "hyper", "http", "tonic", "prost", "serde", "roaring", "jiff"] {
        assert_eq!(versions.get(name).map_or(0, Vec::len), 1, "{name}: {:?}", versions.get(name));
    }
}

#[test]
fn planted_dependencies_are_caught() {
    let version = |text: &str| cargo_metadata::semver::Version::parse(text).expect("a version");
    assert!(banned("openssl-sys", &version("0.9.1")).is_some());
    assert!(banned("h2", &version("0.4.19")).is_some());
    assert!(banned("h2", &version("0.4.20")).is_none());
    assert!(banned("hyper", &version("1.0.0")).is_none());
    for licence in ["MIT OR Apache-2.0", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0", "GPL-3.0 OR MIT"] {
        assert!(permitted(licence), "{licence}");
    }
    for licence in ["GPL-3.0", "MIT AND GPL-2.0-only", "AGPL-3.0 OR GPL-3.0", "", "LGPL-2.1-or-later", "SSPL-1.0"] {
        assert!(!permitted(licence), "{licence}");
    }
}
