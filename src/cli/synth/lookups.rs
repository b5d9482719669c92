//! A sample of bid traffic, one `POST /v1/lookup` body a line: customers, strangers (about 40 %), and nobody at all.

use super::World;
use super::output::{Chunk, File};
use super::person::{Person, uuid};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

#[derive(Serialize, Default)]
struct Lookup<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    eids: Vec<Eid<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifa: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    privacy: Option<Privacy>,
}

#[derive(Serialize)]
struct Eid<'a> {
    source: &'static str,
    uid: &'a str,
}

#[derive(Serialize)]
struct Privacy {
    gpc: u8,
}

/// About 10,000 of a million people are met, and at least a thousand.
fn share(world: &World) -> f64 {
    (1_000.0 / world.people as f64).clamp(0.01, 1.0)
}

/// Perhaps writes a meeting with this person, and meetings with strangers in proportion.
pub fn write(person: &Person, world: &World, rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    if !rng.random_bool(share(world)) {
        return;
    }
    let mut lookup = Lookup { ifa: person.ifa().filter(|_| rng.random_bool(0.7)), ..Lookup::default() };
    if let Some(uid) = person.uid2.as_deref().filter(|_| rng.random_bool(0.6)) {
        lookup.eids.push(Eid { source: "uidapi.com", uid });
    }
    if let Some(uid) = person.cookies.last().filter(|_| rng.random_bool(0.6)) {
        lookup.eids.push(Eid { source: "pubcid.org", uid });
    }
    if rng.random_bool(0.02) {
        lookup.privacy = Some(Privacy { gpc: 1 });
    }
    // Whoever has no bid-time identifier is nobody at bid time.
    chunk.json_row(File::Lookups, &lookup);
    if rng.random_bool(0.68) {
        stranger(rng, chunk);
    }
}

fn stranger(rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    let uid = uuid(rng);
    let lookup = if rng.random_bool(0.6) {
        Lookup { ifa: Some(&uid), ..Lookup::default() }
    } else {
        Lookup { eids: vec![Eid { source: "pubcid.org", uid: &uid }], ..Lookup::default() }
    };
    chunk.json_row(File::Lookups, &lookup);
}
