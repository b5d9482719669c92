//! The invented world is a function of its seed: the same bytes in every run, whatever the number of threads.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use vaglio::cli::synth::{self, World};
use vaglio::schema::Timestamp;
use vaglio::telemetry::progress::{Mode, Progress};

/// More than one chunk of people, so that the order of chunks counts.
const PEOPLE: u64 = 9_000;

fn world(people: u64, seed: u64, plain: bool) -> World {
    let as_of = Timestamp::parse(synth::DEFAULT_AS_OF).unwrap();
    World::new(people, seed, as_of, plain)
}

fn write(world: &World, out: &Path) -> synth::Report {
    synth::write(world, out, &Progress::new(Mode::Silent)).unwrap()
}

/// Every file below a directory: relative path -> bytes.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_path_buf(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn the_same_seed_writes_the_same_bytes_on_any_number_of_threads() {
    let (one, many, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    threads(1).install(|| write(&world(PEOPLE, 7, false), one.path()));
    threads(3).install(|| write(&world(PEOPLE, 7, false), many.path()));
    threads(2).install(|| write(&world(PEOPLE, 8, false), other.path()));
    let (one, many, other) = (files(one.path()), files(many.path()), files(other.path()));
    assert_eq!(one.keys().collect::<Vec<_>>(), many.keys().collect::<Vec<_>>());
    for (path, bytes) in &one {
        assert!(many[path] == *bytes, "{} differs between 1 and 3 threads", path.display());
    }
    assert_ne!(one[Path::new("crm.csv.gz")], other[Path::new("crm.csv.gz")]);
}

#[test]
fn the_committed_example_is_what_synth_writes() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/telco");
    let fresh = tempfile::tempdir().unwrap();
    write(&world(200, 1, true), fresh.path());
    for (path, bytes) in files(fresh.path()) {
        let there = fs::read(committed.join(&path)).unwrap_or_default();
        let again = "vaglio synth --people 200 --seed 1 --plain --out examples/telco";
        assert!(there == bytes, "examples/telco/{} is out of date: run `{again}`", path.display());
    }
}

#[test]
fn the_world_is_as_skewed_and_as_dirty_as_it_says() {
    let out = tempfile::tempdir().unwrap();
    let report = write(&world(PEOPLE, 3, true), out.path());
    let rows: BTreeMap<&str, u64> = report.files.iter().map(|file| (file.name.as_str(), file.rows)).collect();
    assert!((PEOPLE..PEOPLE * 104 / 100).contains(&rows["crm.csv"]), "{rows:?}");
    assert!((PEOPLE * 4..PEOPLE * 7).contains(&rows["events.ndjson"]), "{rows:?}");

    let read = |name: &str| fs::read_to_string(out.path().join(name)).unwrap();
    let crm = read("crm.csv");
    let dirty = crm.lines().filter(|line| line.contains("no e-mail") || line.contains("Atlantide")).count() as f64;
    assert!((0.004..0.02).contains(&(dirty / PEOPLE as f64)), "{dirty} dirty rows");

    let known: Vec<&str> = crm.lines().flat_map(|line| line.split(';').take(6)).collect();
    let known: std::collections::HashSet<&str> = known.into_iter().filter(|id| !id.is_empty()).collect();
    let devices = read("devices.csv");
    let linked: std::collections::HashSet<&str> = devices.lines().filter_map(|line| line.split(',').nth(2)).collect();
    let lookups = read("lookups.ndjson");
    let (mut all, mut strangers) = (0, 0);
    for line in lookups.lines() {
        let lookup: serde_json::Value = serde_json::from_str(line).unwrap();
        let eids = lookup["eids"].as_array().cloned().unwrap_or_default();
        let mut ids = eids.iter().filter_map(|eid| eid["uid"].as_str()).chain(lookup["ifa"].as_str()).peekable();
        all += 1;
        strangers += u32::from(ids.peek().is_some() && ids.all(|id| !known.contains(id) && !linked.contains(id)));
    }
    let share = f64::from(strangers) / f64::from(all);
    assert!((0.35..0.46).contains(&share), "{strangers} strangers in {all} lookups");
}

#[test]
fn somebody_elses_configuration_is_left_alone() {
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("vaglio.yaml"), "data_dir: precious\n").unwrap();
    let error = synth::write(&world(10, 1, true), out.path(), &Progress::new(Mode::Silent)).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("--out"), "{error}");
    assert_eq!(fs::read_to_string(out.path().join("vaglio.yaml")).unwrap(), "data_dir: precious\n");
    assert!(!out.path().join("crm.csv").exists());
}
