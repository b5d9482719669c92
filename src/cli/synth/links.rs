//! Which identifiers belong together: a person's other devices and cookies, and who lives with whom.

use super::World;
use super::output::{Chunk, File};
use super::person::Person;
use crate::schema::Timestamp;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A tablet on the counter of a shop, on which a hundred customers have logged in: such links must be cut.
const SHOP_TABLET: &str = "deadbeef-0000-4000-8000-000000005409";

/// Below so many people the shop has no tablet: it would tie half the world together.
const SHOPS_FROM: u64 = 10_000;

/// Writes the devices beyond the one in the CRM.
pub fn write_devices(person: &Person, world: &World, rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    let crm_id = person.crm_id();
    let mut link = |kind: &str, id: &str| {
        let seen = Timestamp(world.as_of.0 - rng.random_range(0..180 * 86_400));
        chunk.csv_row(File::Devices, [crm_id.as_str(), kind, id, &seen.to_string()]);
    };
    for ifa in person.ifas.iter().skip(1) {
        link("ifa", ifa);
    }
    for cookie in person.cookies.iter().skip(1) {
        link("pubcid.org", cookie);
    }
    if world.people >= SHOPS_FROM && person.number % (world.people / 100) == 7 {
        link("ifa", SHOP_TABLET);
    }
}

/// Writes who shares a home. Households do not make persons one.
pub fn write_households(people: &[Person], rng: &mut ChaCha8Rng, chunk: &mut Chunk) {
    let mut at = 0;
    while at < people.len() {
        let size = match rng.random_range(0..100) {
            0..45 => 1,
            45..75 => 2,
            75..90 => 3,
            _ => 4,
        };
        let home = &people[at..people.len().min(at + size)];
        for member in &home[1..] {
            chunk.csv_row(File::Households, [home[0].crm_id(), member.crm_id()]);
        }
        at += size;
    }
}
