//! Random numbers that are a function of a seed and a number, and identifiers made of them.

use rand::TryRng;
use std::convert::Infallible;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Random numbers that are a function of a seed and a number: who asks, when and after what does not matter.
#[derive(Debug, Clone)]
pub struct Draws {
    seed: u64,
    at: u64,
}

impl Draws {
    /// Those of the `item`-th item of the `n`-th question.
    pub fn new(seed: u64, n: u64, item: u32) -> Self {
        Draws {
            seed: xxh3_64_with_seed(&n.to_le_bytes(), seed) ^ u64::from(item).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            at: 0,
        }
    }

    /// Sixty-four random bits.
    pub fn bits(&mut self) -> u64 {
        self.at += 1;
        xxh3_64_with_seed(&self.at.to_le_bytes(), self.seed)
    }

    /// A random number from 0 to below 1.
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A random number below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        Ok((self.bits() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        Ok(self.bits())
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> std::result::Result<(), Infallible> {
        for part in into.chunks_mut(8) {
            part.copy_from_slice(&self.bits().to_le_bytes()[..part.len()]);
        }
        Ok(())
    }
}

/// What identifiers of a source look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// 36 characters of a UUID.
    Uuid,
    /// Base64 of a hash of 32 bytes: 44 characters.
    Hash,
}

impl Shape {
    /// That of a source.
    pub fn of(source: &str) -> Self {
        if ["uidapi.com", "email", "phone"].contains(&source) { Shape::Hash } else { Shape::Uuid }
    }
}

/// Writes a made-up identifier.
pub fn write_uid(shape: Shape, draws: &mut Draws, into: &mut Vec<u8>) {
    match shape {
        Shape::Uuid => uuid(draws, into),
        Shape::Hash => hash(draws, into),
    }
}

fn uuid(draws: &mut Draws, into: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut uuid = *b"00000000-0000-4000-8000-000000000000";
    let bits = [draws.bits(), draws.bits()];
    let mut digit = 0;
    for byte in &mut uuid {
        // The dashes, the version and the variant stay as they are.
        if *byte == b'0' {
            *byte = HEX[(bits[digit / 16] >> (4 * (digit % 16)) & 15) as usize];
            digit += 1;
        }
    }
    into.extend_from_slice(&uuid);
}

fn hash(draws: &mut Draws, into: &mut Vec<u8>) {
    const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = [b'='; 44];
    for part in text[..40].chunks_mut(10) {
        let bits = draws.bits();
        (0..).zip(part).for_each(|(at, digit)| *digit = BASE64[(bits >> (6 * at) & 63) as usize]);
    }
    let bits = draws.bits();
    // The last of 43 digits of 32 bytes carries four bits.
    for (at, mask) in [(0, 63), (1, 63), (2, 0b11_1100)] {
        text[40 + at] = BASE64[(bits >> (6 * at) & mask) as usize];
    }
    into.extend_from_slice(&text);
}
