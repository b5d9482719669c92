//! Whole builds of the operator that `vaglio synth` invents, by the program itself: ten events a person, 2,000 audiences of
//! which three in ten have a window. Times and memory are what the build says of itself in its manifest: memory is the
//! greatest `RssAnon` that it has seen, ten times a second.

use crate::{Outcome, Row, data};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const EVENTS: &str = "10";
const SEED: &str = "7";

/// Index and activate at each size.
pub fn build(sizes: &[u32], audiences: u32) -> Outcome<()> {
    for people in sizes {
        let world = world(*people)?;
        define(&world, *people, audiences)?;
        run("build", *people, audiences, &world, &["--quiet", "--format", "json"])?;
    }
    Ok(())
}

/// Over one index, more and more audiences.
pub fn activate(people: u32, counts: &[u32]) -> Outcome<()> {
    let world = world(people)?;
    if !world.join("data/CURRENT").exists() {
        define(&world, people, counts.first().copied().unwrap_or(100))?;
        vaglio(&["build", "--quiet", "--config", &text(&world.join("vaglio.yaml"))])?;
    }
    for audiences in counts {
        define(&world, people, *audiences)?;
        run("activate", people, *audiences, &world, &["--quiet", "--activate-only", "--format", "json"])?;
    }
    Ok(())
}

/// The world of so many people; invented once.
fn world(people: u32) -> Outcome<PathBuf> {
    let place = data()?.join(format!("world-{people}"));
    if !place.join("vaglio.yaml").exists() {
        vaglio(&[
            "synth",
            "--people",
            &people.to_string(),
            "--events",
            EVENTS,
            "--seed",
            SEED,
            "--out",
            &text(&place),
        ])?;
    }
    Ok(place)
}

fn define(world: &Path, people: u32, audiences: u32) -> Outcome<()> {
    let (people, audiences, place) = (people.to_string(), audiences.to_string(), text(world));
    let arguments = [
        "synth",
        "--definitions-only",
        "--people",
        &people,
        "--events",
        EVENTS,
        "--seed",
        SEED,
        "--audiences",
        &audiences,
    ];
    vaglio(&[&arguments[..], &["--out", &place]].concat())?;
    Ok(())
}

fn run(series: &str, people: u32, audiences: u32, world: &Path, arguments: &[&str]) -> Outcome<()> {
    let config = text(&world.join("vaglio.yaml"));
    let manifest: Value = serde_json::from_slice(&vaglio(&[&["build", "--config", &config], arguments].concat())?)?;
    let row = Row { series, profiles: people, audiences };
    for (step, seconds) in manifest["timings"].as_object().into_iter().flatten() {
        row.tell(&format!("{step}, s"), seconds.as_f64().unwrap_or_default())?;
    }
    row.tell("peak anonymous memory, bytes", manifest["peak_memory_bytes"].as_f64().unwrap_or_default())?;
    let (mut all, mut bid) = (0.0, 0.0);
    for section in manifest["sections"].as_array().into_iter().flatten() {
        let length = section["length"].as_f64().unwrap_or_default();
        all += length;
        bid += if section["plane"] == "bid" { length } else { 0.0 };
        row.tell(&format!("{}, bytes", section["name"].as_str().unwrap_or_default()), length)?;
    }
    row.tell("snapshot, bytes", all)?;
    row.tell("bid plane, bytes", bid)?;
    row.tell("profiles", manifest["profiles"].as_f64().unwrap_or_default())?;
    row.tell("bid-time identifiers", manifest["bid_ids"].as_f64().unwrap_or_default())?;
    let members = |audience: &Value| audience["members"].as_f64().unwrap_or_default();
    row.tell("memberships", manifest["audiences"].as_array().into_iter().flatten().map(members).sum())?;
    row.tell("sources, bytes", sources(world)?)
}

/// The bytes of the files that a build reads.
fn sources(world: &Path) -> Outcome<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(world)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if (name.ends_with(".gz") || name.ends_with(".zst")) && !name.starts_with("lookups") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes as f64)
}

/// What the program prints.
fn vaglio(arguments: &[&str]) -> Outcome<Vec<u8>> {
    let output = Command::new(env!("CARGO_BIN_EXE_vaglio")).args(arguments).stderr(Stdio::null()).output()?;
    if output.status.success() { Ok(output.stdout) } else { Err(format!("vaglio {arguments:?} failed").into()) }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
