//! Identifiers and their keyed hashes. A raw identifier is read, canonicalised, hashed and forgotten.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::fmt;
use std::hash::Hasher;
use zerocopy::{Immutable, IntoBytes};

/// The keyed hash of one identifier: SipHash-2-4-128(key, lower-case source, 0, canonical uid). The only form in which
/// an identifier outlives the door it came through.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, IntoBytes, Immutable)]
#[repr(transparent)]
pub struct ProfileKey(pub u128);

impl ProfileKey {
    /// Sixteen bytes, little-endian: the form in files.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// The inverse of [`to_bytes`](Self::to_bytes).
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        ProfileKey(u128::from_le_bytes(bytes))
    }
}

impl fmt::Debug for ProfileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileKey({:032x})", self.0)
    }
}

impl fmt::Display for ProfileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What stands for a [`ProfileKey`] on the list of those who object or were deleted: hashed once more under the same secret,
/// so that the list tells nobody which profile was whose, and a deleted person's key is in no file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct BlockKey(pub u128);

impl fmt::Debug for BlockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockKey({:032x})", self.0)
    }
}

/// How far an objection goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To marketing: never speak to this person.
    Marketing,
    /// To profiling: use no profile; contextual campaigns may still speak.
    Profiling,
    /// To both.
    All,
}

/// Turns identifiers into [`ProfileKey`]s under the installation's secret.
#[derive(Clone)]
pub struct KeyHasher {
    secret: [u8; 16],
}

impl KeyHasher {
    /// A hasher for a 16-byte secret.
    pub fn new(secret: [u8; 16]) -> Self {
        KeyHasher { secret }
    }

    /// The key of `(source, uid)`. The source is compared in lower case; an `ifa` is lower-cased; any other uid counts
    /// as it is written (canonicalise e-mail and phone before). Allocates nothing.
    pub fn key(&self, source: &str, uid: &str) -> ProfileKey {
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        write_lower_case(&mut hasher, source);
        hasher.write_u8(0);
        if source.eq_ignore_ascii_case("ifa") {
            write_lower_case(&mut hasher, uid);
        } else {
            hasher.write(uid.as_bytes());
        }
        let hash = hasher.finish128();
        ProfileKey((u128::from(hash.h2) << 64) | u128::from(hash.h1))
    }

    /// What stands for a key on the list of those who object or were deleted. Allocates nothing.
    pub fn block_key(&self, key: ProfileKey) -> BlockKey {
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        hasher.write(b"vaglio block list\0");
        hasher.write(&key.to_bytes());
        let hash = hasher.finish128();
        BlockKey((u128::from(hash.h2) << 64) | u128::from(hash.h1))
    }

    /// What an event's id is remembered by.
    pub fn event_id(&self, id: &[u8]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        hasher.write(b"vaglio event id\0");
        hasher.write(id);
        let hash = hasher.finish128();
        (u128::from(hash.h2) << 64) | u128::from(hash.h1)
    }

    /// A key for another purpose, by HKDF-SHA-256: it says nothing about the secret, nor about the key of any other purpose.
    pub fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let secret = Salt::new(HKDF_SHA256, b"vaglio").extract(&self.secret);
        let mut key = [0; 32];
        let info = [purpose];
        let made = secret.expand(&info, HKDF_SHA256).and_then(|okm| okm.fill(&mut key));
        made.expect("the key has the length of the hash");
        key
    }

    /// What a manifest carries so that a snapshot of another secret is refused: says nothing about the secret.
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", (self.key("vaglio", "key fingerprint").0 >> 64) as u64)
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher(secret)")
    }
}

fn write_lower_case(hasher: &mut SipHasher24, text: &str) {
    let mut buffer = [0u8; 64];
    for chunk in text.as_bytes().chunks(buffer.len()) {
        let lower = &mut buffer[..chunk.len()];
        lower.copy_from_slice(chunk);
        lower.make_ascii_lowercase();
        hasher.write(lower);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_and_ifa_ignore_case_other_uids_do_not() {
        let hasher = KeyHasher::new(*b"0123456789abcdef");
        assert_eq!(hasher.key("UIDAPI.com", "aB"), hasher.key("uidapi.com", "aB"));
        assert_ne!(hasher.key("uidapi.com", "aB"), hasher.key("uidapi.com", "ab"));
        assert_eq!(hasher.key("ifa", "AB-CD"), hasher.key("IFA", "ab-cd"));
        assert_ne!(hasher.key("a", "bc"), hasher.key("ab", "c"));
    }

    #[test]
    fn a_derived_key_is_of_its_secret_and_purpose() {
        let (a, b) = (KeyHasher::new([1; 16]), KeyHasher::new([2; 16]));
        assert_eq!(a.derive(b"x"), a.derive(b"x"));
        assert!(a.derive(b"x") != a.derive(b"y") && a.derive(b"x") != b.derive(b"x"));
    }

    #[test]
    fn another_secret_gives_other_keys_and_another_fingerprint() {
        let (a, b) = (KeyHasher::new([1; 16]), KeyHasher::new([2; 16]));
        assert_ne!(a.key("crm", "7"), b.key("crm", "7"));
        assert_ne!(a.fingerprint(), b.fingerprint());
    }
}
