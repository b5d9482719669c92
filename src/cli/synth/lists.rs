//! Uploaded lists: an identifier with its type, an audience, a time to live in minutes, an explicit remove.

use super::World;
use super::output::{Chunk, File};
use super::person::Person;
use crate::schema::Timestamp;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Writes the lists a person was put on.
pub fn write(person: &Person, world: &World, rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    let Some((kind, id)) = address(person) else { return };
    let minutes_of_days = |days: i64| (days * 1_440).to_string();
    if person.premium && rng.random_bool(0.5) {
        let added = added(world, rng, 60);
        chunk.csv_row(File::Lists, [kind, id, "telco/vip", &added, &minutes_of_days(90), "no"]);
        if rng.random_bool(0.05) {
            let removed = world.as_of.to_string();
            chunk.csv_row(File::Lists, [kind, id, "telco/vip", &removed, "", "yes"]);
        }
    }
    if person.trouble > 5.0 {
        let added = added(world, rng, 300);
        chunk.csv_row(File::Lists, [kind, id, "telco/do-not-contact", &added, "", "no"]);
    }
    if !person.fibre && rng.random_bool(0.04) {
        let ttl = minutes_of_days(rng.random_range(10..60));
        let added = added(world, rng, 45);
        chunk.csv_row(File::Lists, [kind, id, "telco/fibre-leads", &added, &ttl, "no"]);
    }
}

/// Lists are made of e-mails, of phones where there is none.
fn address(person: &Person) -> Option<(&'static str, &str)> {
    let email = person.email.as_deref().map(|email| ("email", email));
    email.or_else(|| person.phone.as_deref().map(|phone| ("phone", phone)))
}

fn added(world: &World, rng: &mut ChaCha8Rng, within_days: i64) -> String {
    Timestamp(world.as_of.0 - rng.random_range(0..within_days * 86_400)).to_string()
}
