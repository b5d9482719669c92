//! Consents, refusals and objections; some by people that no other file knows.

use super::World;
use super::output::{Chunk, File};
use super::person::{Person, uuid};
use crate::schema::Timestamp;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Writes what a person said, if anything, and now and then what a stranger said.
pub fn write(person: &Person, world: &World, rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    let choice = match rng.random_range(0..1_000) {
        0..150 => "opt-in",
        150..190 => "opt-out",
        190..205 => "no-marketing",
        205..210 => "no-profiling",
        210..215 => "stop",
        215..218 => "maybe",
        _ => "",
    };
    if !choice.is_empty() {
        let ifa = person.ifa().filter(|_| rng.random_bool(0.3)).unwrap_or_default().to_owned();
        line(&person.crm_id(), &ifa, choice, world, rng, chunk);
    }
    if rng.random_bool(0.002) {
        let ifa = uuid(rng);
        let choice = if rng.random_bool(0.5) { "stop" } else { "no-marketing" };
        line("", &ifa, choice, world, rng, chunk);
    }
}

fn line(crm_id: &str, ifa: &str, choice: &str, world: &World, rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    let at = Timestamp(world.as_of.0 - rng.random_range(0..700 * 86_400)).to_string();
    chunk.csv_row(File::Consents, [crm_id, ifa, &at, choice]);
}
