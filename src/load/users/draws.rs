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

/// Writes a made-up identifier of a source: 36 characters of a UUID, or the 44 of a hash where the source has hashes.
pub fn write_uid(source: &str, draws: &mut Draws, into: &mut Vec<u8>) {
    const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const HEX: &[u8; 16] = b"0123456789abcdef";
    if matches!(source, "uidapi.com" | "email" | "phone") {
        for _ in 0..4 {
            let bits = draws.bits();
            (0..10).for_each(|at| into.push(BASE64[(bits >> (6 * at) & 63) as usize]));
        }
        let bits = draws.bits();
        // The last of 43 characters of 32 bytes carries four bits.
        (0..3).for_each(|at| into.push(BASE64[(bits >> (6 * at) & if at == 2 { 0b11_1100 } else { 63 }) as usize]));
        into.push(b'=');
        return;
    }
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
