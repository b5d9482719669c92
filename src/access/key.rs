//! A key's text, and the hash that is all we keep of it. A key is shown once, to whoever made it; no log, no error and no
//! list ever holds one.

use crate::error::{Error, Result};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::Read;
use subtle::ConstantTimeEq;

/// How our keys begin.
pub const PREFIX: &str = "vaglio_";
/// The hexadecimal digits of a key's id.
pub const ID_DIGITS: usize = 8;
/// Nobody's key is longer, in bytes: what is, is not even hashed.
const LONGEST: usize = 512;

/// A new key: `vaglio_<id>_<secret>`, the secret 256 random bits in base64url.
pub struct Key(String);

impl Key {
    /// One that nobody has ever had.
    ///
    /// # Errors
    /// A machine without `/dev/urandom`.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; ID_DIGITS / 2 + 32];
        let read = std::fs::File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut bytes));
        read.map_err(|error| Error::io("read /dev/urandom", error))?;
        let (id, secret) = bytes.split_at(ID_DIGITS / 2);
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Key(format!("{PREFIX}{id}_{}", BASE64_URL_SAFE_NO_PAD.encode(secret))))
    }

    /// What its owner is told, once.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What it is called in lists and logs: says nothing of the secret.
    pub fn id(&self) -> &str {
        &self.0[PREFIX.len()..PREFIX.len() + ID_DIGITS]
    }

    /// What is kept of it.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(self.0.as_bytes())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

/// SHA-256 of a key's text. A secret of 256 random bits needs no slow hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key.
    pub fn of(text: &[u8]) -> Self {
        KeyHash(Sha256::digest(text).into())
    }

    /// The hash of what a client shows; `None` when it is too long to be a key.
    pub fn of_shown(shown: &[u8]) -> Option<Self> {
        (shown.len() <= LONGEST).then(|| KeyHash::of(shown))
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut hash = [0; 32];
        for (at, byte) in hash.iter_mut().enumerate().filter(|_| digits) {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        digits.then_some(KeyHash(hash))
    }

    /// Whether it is the same, in a time that does not tell how much of it is.
    pub fn is(&self, other: &KeyHash) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// The first 8 bytes, by which it is found.
    pub fn prefix(&self) -> u64 {
        self.0.iter().take(8).fold(0, |prefix, byte| prefix << 8 | u64::from(*byte))
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for KeyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // What stands there instead may be a key: it is not repeated.
        KeyHash::parse(&text).ok_or_else(|| serde::de::Error::custom("`sha256` is not 64 hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_of_one_form_and_no_two_alike() {
        let (one, other) = (Key::random().unwrap(), Key::random().unwrap());
        assert_ne!(one.text(), other.text());
        for key in [one, other] {
            let (id, secret) = key.text().strip_prefix("vaglio_").unwrap().split_once('_').unwrap();
            assert!(id == key.id() && id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
            assert_eq!(secret.len(), 43);
            assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(secret).unwrap().len(), 32);
            assert!(!format!("{key:?}").contains(secret));
        }
    }

    #[test]
    fn a_hash_is_what_sha256sum_says_and_reads_back() {
        let hash = KeyHash::of(b"abc");
        let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.to_string(), digits);
        assert_eq!(KeyHash::parse(digits), Some(hash));
        assert_eq!(KeyHash::parse(&digits.to_uppercase()), Some(hash));
        assert_eq!(hash.prefix(), 0xba78_16bf_8f01_cfea);
        for wrong in ["", &digits[1..], &digits.replace('b', "g"), &digits.replace("ba", "+a"), &"ü".repeat(32)] {
            assert_eq!(KeyHash::parse(wrong), None, "{wrong}");
        }
        assert!(hash.is(&KeyHash::of(b"abc")) && !hash.is(&KeyHash::of(b"abd")));
        assert!(KeyHash::of_shown(&[b'x'; 512]).is_some() && KeyHash::of_shown(&[b'x'; 513]).is_none());
    }
}
