//! Section `filter` (optional, `build.filter`): a binary fuse filter in front of the identity index. It says "certainly
//! unknown" or "perhaps known", and decides nothing by itself.

use crate::error::{Error, Result};
use crate::schema::ProfileKey;
use std::io::Write;
use std::ops::Deref;
use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter as _, FilterRef};

const MAGIC: [u8; 8] = *b"VAGFUSE8";
const HEADER_BYTES: usize = 64;
const DESCRIPTOR: std::ops::Range<usize> = 8..8 + BinaryFuse8::DESCRIPTOR_LEN;

/// The 64 bits that the filter knows of a key.
fn digest(key: ProfileKey) -> u64 {
    (key.0 as u64) ^ ((key.0 >> 64) as u64).rotate_left(32)
}

/// Writes the filter of these keys. Needs about 30 bytes a key of memory while it works.
pub fn write_filter(keys: impl Iterator<Item = ProfileKey>, out: &mut impl Write) -> Result<()> {
    let mut digests: Vec<u64> = keys.map(digest).collect();
    digests.sort_unstable();
    digests.dedup();
    let filter = BinaryFuse8::try_from(digests)
        .map_err(|error| Error::internal(format!("the filter cannot be built ({error}); set build.filter to false")))?;
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    filter.dma_copy_descriptor_to(&mut header[DESCRIPTOR]);
    let written = out.write_all(&header).and_then(|()| out.write_all(filter.dma_fingerprints()));
    written.map_err(|error| Error::io("write section `filter`", error))
}

/// The filter, on verified bytes.
#[derive(Debug, Clone)]
pub struct Filter<B> {
    bytes: B,
}

impl<B: Deref<Target = [u8]>> Filter<B> {
    /// Checks the header against the length, so that no question reads outside.
    pub fn open(bytes: B) -> Result<Self> {
        let malformed = || Error::snapshot("section `filter` is malformed; rebuild with `vaglio build`");
        if bytes.len() < HEADER_BYTES || bytes[..8] != MAGIC {
            return Err(malformed());
        }
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let at = DESCRIPTOR.start + 8;
        let (segment, mask, segments) = (number(at), number(at + 4), number(at + 8));
        let cells = u64::from(segments) + 2 * u64::from(segment);
        let sound = segment.is_power_of_two()
            && mask == segment - 1
            && segments.is_multiple_of(segment)
            && cells <= u64::from(u32::MAX)
            && cells == (bytes.len() - HEADER_BYTES) as u64;
        if sound { Ok(Filter { bytes }) } else { Err(malformed()) }
    }

    /// False = certainly unknown.
    #[inline]
    pub fn may_contain(&self, key: ProfileKey) -> bool {
        BinaryFuse8Ref::from_dma(&self.bytes[DESCRIPTOR], &self.bytes[HEADER_BYTES..]).contains(&digest(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(n: u64) -> impl Iterator<Item = ProfileKey> {
        let hasher = crate::schema::KeyHasher::new([7; 16]);
        (0..n).map(move |i| hasher.key("test", &i.to_string()))
    }

    #[test]
    fn knows_every_key_and_few_strangers() {
        for n in [0, 1, 2, 3, 100, 5_000] {
            let mut bytes = Vec::new();
            write_filter(keys(n), &mut bytes).unwrap();
            let filter = Filter::open(&bytes[..]).unwrap();
            assert!(keys(n).all(|key| filter.may_contain(key)));
            let strangers = keys(n + 10_000).skip(n as usize).filter(|key| filter.may_contain(*key)).count();
            assert!(n == 0 || strangers < 100, "{strangers} of 10,000 strangers pass at {n} keys");
        }
    }

    #[test]
    fn malformed_bytes_are_refused_or_answered_without_a_panic() {
        let mut bytes = Vec::new();
        write_filter(keys(100), &mut bytes).unwrap();
        for length in 0..bytes.len() {
            assert!(Filter::open(&bytes[..length]).is_err());
        }
        for bit in 0..HEADER_BYTES * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(filter) = Filter::open(&bytes[..]) {
                keys(1000).for_each(|key| {
                    filter.may_contain(key);
                });
            }
        }
    }
}
