//! A suppression list for the edge: hashes of identifiers under a salt of the list's own, sorted, so that a reader needs one
//! binary search and no network. Exact: of 128 bits a hash, an unknown identifier matches a list of n with a probability of
//! n / 2^128. The bytes are drawn in `docs/exports.md`; `examples/` has readers.

use super::place::{Outlet, failed};
use crate::error::{Error, Result};
use crate::schema::Timestamp;
use sha2::{Digest, Sha256};
use std::io::Write;

const MAGIC: [u8; 8] = *b"VGLSUPP1";
/// Bytes before the entries.
const HEADER: usize = 64;

/// A list that is being gathered.
pub(super) struct List {
    salt: [u8; 16],
    entries: Vec<[u8; 16]>,
}

impl List {
    /// With a salt that nobody can foresee.
    pub(super) fn new() -> Result<Self> {
        let mut salt = [0; 16];
        let filled = aws_lc_rs::rand::fill(&mut salt);
        filled
            .map_err(|_| Error::internal("this machine gives no random numbers, which the list's salt is made of"))?;
        Ok(List { salt, entries: Vec::new() })
    }

    /// Takes an identifier in.
    pub(super) fn add(&mut self, id_type: &str, canonical: &str) {
        let mut hash = Sha256::new();
        hash.update(self.salt);
        hash.update(id_type.to_ascii_lowercase());
        hash.update([0]);
        hash.update(canonical);
        let hash: [u8; 32] = hash.finalize().into();
        self.entries.push(hash.first_chunk().copied().unwrap_or_default());
    }

    /// Writes the list; returns how many entries it has.
    pub(super) fn write(mut self, out: &mut Outlet, created: Timestamp, expires: Timestamp) -> Result<u64> {
        self.entries.sort_unstable();
        self.entries.dedup();
        let count = self.entries.len() as u64;
        let mut header = Vec::with_capacity(HEADER);
        header.extend(MAGIC);
        header.extend(1u32.to_le_bytes());
        header.extend(16u32.to_le_bytes());
        header.extend(self.salt);
        header.extend(created.0.to_le_bytes());
        header.extend(expires.0.to_le_bytes());
        header.extend(count.to_le_bytes());
        header.resize(HEADER, 0);
        let mut sum = Sha256::new();
        let mut put = |bytes: &[u8]| {
            sum.update(bytes);
            out.write_all(bytes)
        };
        let written = put(&header).and_then(|()| self.entries.iter().try_for_each(|entry| put(entry)));
        let written = written.and_then(|()| out.write_all(&sum.finalize()));
        written.map_err(|error| failed(out.name(), error))?;
        Ok(count)
    }
}
