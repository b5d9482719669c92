//! A reader of suppression lists (`vaglio export --format suppression`): one file, no network, one binary search a question.
//! It needs SHA-256 and nothing else; `docs/exports.md` draws the bytes. Copy it.

use sha2::{Digest, Sha256};

const MAGIC: &[u8] = b"VGLSUPP1";
const HEADER: usize = 64;
const SUM: usize = 32;

/// A list that is whole and has not ended.
pub struct List {
    salt: [u8; 16],
    /// When it ends: seconds since the epoch. Ask a long-lived list again before you use it.
    pub expires: i64,
    entries: Vec<[u8; 16]>,
}

impl List {
    /// Reads a list, and refuses one that is damaged, of another version or over at `now` (seconds since the epoch).
    pub fn read(bytes: &[u8], now: i64) -> Result<List, String> {
        let body =
            bytes.len().checked_sub(SUM).filter(|body| *body >= HEADER).ok_or("not a suppression list: too short")?;
        let (body, sum) = bytes.split_at(body);
        if &body[..8] != MAGIC || number(body, 8, 4) != 1 || number(body, 12, 4) != 16 {
            return Err("not a suppression list of version 1".to_owned());
        }
        if Sha256::digest(body)[..] != *sum {
            return Err("the list is damaged: fetch it again".to_owned());
        }
        let expires = number(body, 40, 8) as i64;
        if now >= expires {
            return Err("the list has expired: fetch a new one, and use none until then".to_owned());
        }
        let (entries, rest) = body[HEADER..].as_chunks::<16>();
        if !rest.is_empty() || entries.len() as u64 != number(body, 48, 8) {
            return Err("the list is damaged: it has not as many entries as it says".to_owned());
        }
        let mut salt = [0; 16];
        salt.copy_from_slice(&body[16..32]);
        Ok(List { salt, expires, entries: entries.to_vec() })
    }

    /// Whether somebody is on it, by an identifier's type (`ifa`, `email`, an EID source) and canonical uid: an `ifa` counts in
    /// lower case, an e-mail or phone as its UID2 hash in Base64, everything else as it is.
    pub fn has(&self, id_type: &str, uid: &str) -> bool {
        let id_type = id_type.to_ascii_lowercase();
        let uid = if id_type == "ifa" { uid.to_ascii_lowercase() } else { uid.to_owned() };
        let mut hash = Sha256::new();
        hash.update(self.salt);
        hash.update(id_type);
        hash.update([0]);
        hash.update(uid);
        let hash = hash.finalize();
        self.entries.binary_search_by(|entry| entry[..].cmp(&hash[..16])).is_ok()
    }

    /// How many identifiers.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
