//! Between builds: the same operator, small and on a clock that runs. What somebody does reaches the next question.

use super::client::Client;
use super::planning;
use super::wait_until_ready;
use crate::audiences::definitions;
use crate::build::{What, build};
use crate::cli::{figures, synth};
use crate::config::{self, Loaded};
use crate::error::{Error, Result};
use crate::schema::Clock;
use crate::server::{Options, Server};
use crate::telemetry::progress::{Mode, Progress};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

/// Enough to find somebody for the story, and built in a second.
const PEOPLE: u64 = 2_000;
/// Whom a broken phone brings into the target.
const CAMPAIGN: &str = "telco/upgrade-2026";

/// Builds a small world as of now, serves it on ports of its own, and tells what happens to one person in it.
///
/// # Errors
/// A machine that refuses; a demo that does not do what it says.
pub(super) fn tell(directory: &Path, seed: u64) -> Result<String> {
    let loaded = world(&directory.join("now"), seed)?;
    let files = loaded.definition_files()?;
    let (catalogue, _warnings) = definitions::load(&files, &loaded.declarations, &loaded.zone())?;
    let manifest = build(&loaded, &catalogue, What::Full, &Progress::new(Mode::Silent))?;
    let questions = fs::read_to_string(directory.join("now/lookups.ndjson"));
    let questions = questions.map_err(|error| Error::io("read the demo's questions", error))?;
    let server = Server::start(loaded, Options::default())?;
    let mut client = Client::connect(server.addresses().http)?;
    wait_until_ready(&mut client, manifest.generation.0)?;
    let mut doors = Client::connect(server.addresses().planner)?;
    let told = story(&mut client, &mut doors, &questions);
    let planned = told.and_then(|told| Ok(told + "\n" + &planning::tell(&mut client, &mut doors, &questions)?));
    server.shutdown();
    planned
}

/// A world that is told as of this minute, whose clock is not frozen.
fn world(place: &Path, seed: u64) -> Result<Loaded> {
    if place.exists() {
        fs::remove_dir_all(place).map_err(|error| Error::io(format!("remove {}", place.display()), error))?;
    }
    let world = synth::World::new(PEOPLE, seed, Clock::System.now().floor_minute(), true);
    synth::write(&world, place, &Progress::new(Mode::Silent))?;
    let mut loaded = config::load(&place.join("vaglio.yaml"))?;
    loaded.config.as_of = None;
    loaded.config.data_dir = place.join("data");
    loaded.config.key_file = None;
    let server = &mut loaded.config.server;
    server.max_queue_ms = 0;
    for address in [&mut server.grpc, &mut server.http, &mut server.planner] {
        *address = SocketAddr::from(([127, 0, 0, 1], 0));
    }
    Ok(loaded)
}

fn story(client: &mut Client, doors: &mut Client, questions: &str) -> Result<String> {
    let Some(question) = questions.lines().find(|question| {
        client.post("/v1/decide", (*question).to_owned()).is_ok_and(|answer| said(&answer.json()).1 == "not_in_target")
    }) else {
        return Ok("  Nobody in this small world is out of the phone campaign's target.\n".to_owned());
    };
    let mut text = format!(
        "  {} people of the same operator, on a clock that runs. One of them:\n    {question}\n",
        figures::count(PEOPLE)
    );
    let mut step = |what: &str, client: &mut Client| -> Result<Value> {
        let decision = client.post("/v1/decide", question.to_owned())?.json();
        let (verdict, reason) = said(&decision);
        text.push_str(&format!("  {what:<58}  {verdict} {reason}\n"));
        Ok(decision)
    };
    step("before: this campaign", client)?;
    let eids = eids(question);
    let took =
        send(doors, &json!({ "id": "demo-1", "time": now(), "eids": eids, "type": "event", "name": "device_broken" }))?;
    let decision = step(&format!("their phone breaks; acknowledged after {took} ms"), client)?;
    if let Some(token) = token(&decision) {
        client.get(&format!("/e/impression?t={token}"))?;
        step("the advertisement was shown: GET /e/impression?t=TOKEN", client)?;
    }
    let took = send(
        doors,
        &json!({ "id": "demo-2", "time": now(), "eids": eids, "type": "objection", "scope": "marketing" }),
    )?;
    step(&format!("\"leave me alone\"; acknowledged after {took} ms"), client)?;
    text.push_str("  No build in between: what is acknowledged is on disk, and in the next answer.\n");
    Ok(text)
}

/// Sends a line to the events door; returns after how many milliseconds it was acknowledged.
fn send(doors: &mut Client, line: &Value) -> Result<u128> {
    let began = Instant::now();
    let answer = doors.post("/api/v1/events", line.to_string())?.json();
    if answer["accepted"] != 1 {
        return Err(Error::internal(format!("the events door did not take {line}: {answer}")));
    }
    Ok(began.elapsed().as_millis())
}

fn now() -> String {
    Clock::System.now().to_string()
}

/// The identifiers of a question as the events door takes them.
fn eids(question: &str) -> Vec<Value> {
    let question: Value = serde_json::from_str(question).unwrap_or_default();
    let ifa = question["ifa"].as_str().map(|ifa| json!({ "source": "ifa", "uid": ifa }));
    question["eids"].as_array().into_iter().flatten().cloned().chain(ifa).collect()
}

/// Verdict and reason of the campaign.
fn said(decision: &Value) -> (&str, &str) {
    let text = |name: &str| campaign(decision).and_then(|it| it[name].as_str()).unwrap_or_default();
    (text("verdict"), text("reason"))
}

fn token(decision: &Value) -> Option<&str> {
    campaign(decision)?["exposure_token"].as_str()
}

fn campaign(decision: &Value) -> Option<&Value> {
    decision["campaigns"].as_array()?.iter().find(|it| it["id"] == CAMPAIGN)
}
