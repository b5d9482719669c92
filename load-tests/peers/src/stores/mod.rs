//! Where segments are kept. Each store answers for one bid request: the first identifier that it knows supplies the segments.

mod embedded;
mod in_process;
mod redis;

pub use self::redis::{RedisSets, RedisStrings};
pub use embedded::Embedded;
pub use in_process::InProcess;

use crate::people::People;
use crate::request::Id;
use crate::{Outcome, request};
use std::future::Future;
use xxhash_rust::xxh3::Xxh3;

/// A store of segments.
pub trait Store: 'static {
    /// Appends the segments of whoever has one of these identifiers (`{"id":"17"},{"id":"4"}`); nothing for a stranger.
    fn segments(&self, ids: &[Id<'_>], out: &mut Vec<u8>) -> impl Future<Output = Outcome<()>>;
}

/// Fills a store that is kept outside of the server's own process, or on disk.
pub fn fill(what: &str, place: &str) -> Outcome<()> {
    match what {
        "redis-sets" => redis::fill_sets(place),
        "redis-strings" => redis::fill_strings(place),
        _ => embedded::fill(what, place),
    }
}

/// 16 bytes in place of an identifier of any length: what whoever counts bytes takes for a key.
fn hashed(source: &str, uid: &str) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(source.as_bytes());
    hash.update(b":");
    hash.update(uid.as_bytes());
    hash.digest128()
}

/// Segments as two bytes each.
fn pack(segments: &[u32], packed: &mut Vec<u8>) {
    packed.clear();
    packed.extend(segments.iter().flat_map(|&segment| (segment as u16).to_le_bytes()));
}

fn unpack(packed: &[u8], out: &mut Vec<u8>) {
    out.reserve(packed.len() * 7);
    packed.chunks_exact(2).for_each(|pair| request::push(u16::from_le_bytes([pair[0], pair[1]]).into(), out));
}

/// Everybody's keys with their packed segments, in the order of the keys.
fn sorted(mut each: impl FnMut(&[u8; 16], &[u8]) -> Outcome<()>) -> Outcome<()> {
    let people = People::new();
    let mut all: Vec<([u8; 16], Box<[u8]>)> = Vec::new();
    let mut packed = Vec::new();
    people.each(|uid, segments| {
        pack(segments, &mut packed);
        all.push((hashed("ifa", uid).to_be_bytes(), packed.as_slice().into()));
        Outcome::Ok(())
    })?;
    all.sort_unstable_by_key(|(key, _)| *key);
    all.iter().try_for_each(|(key, packed)| each(key, packed))
}
