//! Exposure tokens: what a decision gives out so that what it leads to can be reported, by whoever sees it happen.
//!
//! `PERSON.CAMPAIGN`, both in URL-safe Base64. The first part is the same for every campaign of a decision: when it was made and
//! by which identifiers' keys its person is known, encrypted and authenticated (AES-256-GCM-SIV, so that a nonce that comes
//! twice tells nothing but that). The second names the campaign by a keyed hash and is bound to the first by a keyed hash of
//! 128 bits: it is made for each verdict, in some tens of nanoseconds. The keys of both come from the installation's secret.
//! What must not live here: what is done with a token that was reported (see [`super::exposures`]).

use crate::audiences::Catalogue;
use crate::schema::{KeyHasher, ProfileKey, Timestamp};
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use siphasher::sip128::{Hasher128, SipHasher24};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hasher;
use subtle::ConstantTimeEq;

/// The most identifiers that a token carries.
pub const MAX_KEYS: usize = 4;
/// The longest text that is looked at.
const MAX_TEXT: usize = 256;
/// What is authenticated with the first part, though it is not in it: which form this is.
const FORM: &[u8] = b"vaglio exposure token 1";
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 20;
/// A campaign's hash, and the binding.
const SUFFIX_BYTES: usize = 24;
/// Of clocks that do not agree.
const SKEW_SECONDS: i64 = 300;

/// A person's identifier: its key, and a short hash of its type's name.
pub type Bound = (ProfileKey, u32);

/// Makes and reads the tokens of a generation.
pub struct Tokens {
    person: LessSafeKey,
    binding: [u8; 16],
    /// Each campaign's keyed hash, by number.
    hashes: Vec<u64>,
    numbers: HashMap<u64, u32>,
}

/// The first part of a request's tokens; a buffer that is used again.
#[derive(Debug, Default)]
pub struct Person {
    /// Nonce, ciphertext, tag.
    sealed: Vec<u8>,
    /// The same as text; empty = there are no tokens.
    text: String,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whom the decision was about.
    pub keys: SmallVec<[Bound; MAX_KEYS]>,
    /// On which campaign, by its number in the generation that read it.
    pub campaign: u32,
    /// What tells this token from all others.
    pub unique: [u8; NONCE_BYTES + TAG_BYTES + 8],
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is none of ours.
    Forged,
    /// Its time is over, or its campaign is gone.
    Over,
}

impl Person {
    /// There are no tokens.
    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// Whether there are tokens.
    pub fn is_known(&self) -> bool {
        !self.text.is_empty()
    }
}

impl Tokens {
    /// Tokens of this installation, for the campaigns of a generation.
    pub fn new(keys: &KeyHasher, catalogue: &Catalogue) -> Self {
        let key = UnboundKey::new(&AES_256_GCM_SIV, &keys.derive(b"exposure token: person"));
        let key = key.expect("the key has the length that the algorithm asks for");
        let mut binding = [0; 16];
        binding.copy_from_slice(&keys.derive(b"exposure token: campaign")[..16]);
        let hash = |id: &str| siphash(&binding, &[b"id", id.as_bytes()]) as u64;
        let hashes: Vec<u64> = catalogue.campaigns.iter().map(|campaign| hash(campaign.id.as_str())).collect();
        let numbers = hashes.iter().copied().zip(0..).collect();
        Tokens { person: LessSafeKey::new(key), binding, hashes, numbers }
    }

    /// Makes the first part for a person who is known by these identifiers (the first [`MAX_KEYS`] count), or none if there are
    /// none.
    pub fn seal(&self, keys: impl Iterator<Item = Bound>, now: Timestamp, person: &mut Person) {
        let Person { sealed, text } = person;
        text.clear();
        sealed.clear();
        sealed.resize(NONCE_BYTES, 0);
        sealed.extend_from_slice(&now.0.to_le_bytes());
        for (key, kind) in keys.take(MAX_KEYS) {
            sealed.extend_from_slice(&key.to_bytes());
            sealed.extend_from_slice(&kind.to_le_bytes());
        }
        let mut nonce = [0; NONCE_BYTES];
        if sealed.len() == NONCE_BYTES + 8 || aws_lc_rs::rand::fill(&mut nonce).is_err() {
            return;
        }
        let (head, said) = sealed.split_at_mut(NONCE_BYTES);
        head.copy_from_slice(&nonce);
        let nonce = Nonce::assume_unique_for_key(nonce);
        if let Ok(tag) = self.person.seal_in_place_separate_tag(nonce, Aad::from(FORM), said) {
            sealed.extend_from_slice(tag.as_ref());
            BASE64.encode_string(&*sealed, text);
        }
    }

    /// Appends a campaign's token; nothing if there are none.
    pub fn write(&self, person: &Person, campaign: u32, out: &mut Vec<u8>) {
        let Some(&hash) = self.hashes.get(campaign as usize).filter(|_| person.is_known()) else { return };
        let mut suffix = [0; SUFFIX_BYTES];
        suffix[..8].copy_from_slice(&hash.to_le_bytes());
        suffix[8..].copy_from_slice(&self.bind(&unique(&person.sealed, hash)));
        let mut text = [0; SUFFIX_BYTES / 3 * 4];
        // The buffer is as long as the text.
        let length = BASE64.encode_slice(suffix, &mut text).unwrap_or(0);
        out.extend_from_slice(person.text.as_bytes());
        out.push(b'.');
        out.extend_from_slice(&text[..length]);
    }

    /// What a token says, if it was made here less than so many seconds ago.
    ///
    /// # Errors
    /// One that was not made here, or too long ago, or for a campaign that is not defined any more.
    pub fn read(&self, text: &str, now: Timestamp, seconds: i64) -> Result<Token, Wrong> {
        let (person, suffix) = text.split_once('.').filter(|_| text.len() <= MAX_TEXT).ok_or(Wrong::Forged)?;
        let mut sealed = BASE64.decode(person).map_err(|_| Wrong::Forged)?;
        let suffix = BASE64.decode(suffix).map_err(|_| Wrong::Forged)?;
        let (hash, binding) = suffix.split_first_chunk::<8>().ok_or(Wrong::Forged)?;
        if sealed.len() < NONCE_BYTES + 8 + KEY_BYTES + TAG_BYTES {
            return Err(Wrong::Forged);
        }
        let hash = u64::from_le_bytes(*hash);
        let unique = unique(&sealed, hash);
        if !bool::from(self.bind(&unique).ct_eq(binding)) {
            return Err(Wrong::Forged);
        }
        let (nonce, said) = sealed.split_first_chunk_mut::<NONCE_BYTES>().ok_or(Wrong::Forged)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let said = self.person.open_in_place(nonce, Aad::from(FORM), said).map_err(|_| Wrong::Forged)?;
        let (made, keys) = said.split_first_chunk::<8>().ok_or(Wrong::Forged)?;
        let made = i64::from_le_bytes(*made);
        if now.0.saturating_sub(made) >= seconds || made > now.0.saturating_add(SKEW_SECONDS) {
            return Err(Wrong::Over);
        }
        let campaign = *self.numbers.get(&hash).ok_or(Wrong::Over)?;
        let keys = keys.chunks_exact(KEY_BYTES).filter_map(|bytes| {
            let (key, kind) = bytes.split_first_chunk::<16>()?;
            Some((ProfileKey::from_bytes(*key), u32::from_le_bytes(kind.try_into().ok()?)))
        });
        Ok(Token { keys: keys.collect(), campaign, unique })
    }

    fn bind(&self, unique: &[u8]) -> [u8; 16] {
        siphash(&self.binding, &[b"to", unique]).to_le_bytes()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens(of {} campaigns)", self.hashes.len())
    }
}

/// Nonce and tag stand for the whole first part; then the campaign.
fn unique(sealed: &[u8], hash: u64) -> [u8; NONCE_BYTES + TAG_BYTES + 8] {
    let mut unique = [0; NONCE_BYTES + TAG_BYTES + 8];
    let tag = sealed.len().saturating_sub(TAG_BYTES);
    if let (Some(nonce), Some(tag)) = (sealed.get(..NONCE_BYTES), sealed.get(tag..tag + TAG_BYTES)) {
        unique[..NONCE_BYTES].copy_from_slice(nonce);
        unique[NONCE_BYTES..NONCE_BYTES + TAG_BYTES].copy_from_slice(tag);
    }
    unique[NONCE_BYTES + TAG_BYTES..].copy_from_slice(&hash.to_le_bytes());
    unique
}

fn siphash(key: &[u8; 16], parts: &[&[u8]]) -> u128 {
    let mut hasher = SipHasher24::new_with_key(key);
    parts.iter().for_each(|part| hasher.write(part));
    let hash = hasher.finish128();
    (u128::from(hash.h2) << 64) | u128::from(hash.h1)
}

/// The short hash of an identifier type's name.
pub fn kind_hash(name: &str) -> u32 {
    xxhash_rust::xxh3::xxh3_64(name.as_bytes()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audiences::definitions::check;
    use crate::schema::Declarations;
    use jiff::tz::TimeZone;

    const DAY: i64 = 86_400;

    fn catalogue(ids: &[&str]) -> Catalogue {
        let campaigns: String = ids.iter().map(|id| format!("- {{ id: {id}, owner: o, status: active }}\n")).collect();
        let files = [("f.yaml".into(), format!("campaigns:\n{campaigns}"))];
        check(&files, &Declarations::default(), &TimeZone::UTC).catalogue.unwrap()
    }

    fn tokens(secret: u8, ids: &[&str]) -> Tokens {
        Tokens::new(&KeyHasher::new([secret; 16]), &catalogue(ids))
    }

    fn token(tokens: &Tokens, keys: &[Bound], campaign: u32) -> String {
        let (mut person, mut out) = (Person::default(), Vec::new());
        tokens.seal(keys.iter().copied(), Timestamp(1_000), &mut person);
        tokens.write(&person, campaign, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_token_says_what_was_put_into_it_until_its_time_is_over() {
        let ours = tokens(1, &["a", "b"]);
        let keys: Vec<Bound> = (0..6).map(|n| (ProfileKey(n << 100 | n), n as u32 * 7)).collect();
        for count in [1, 4, 6] {
            let text = token(&ours, &keys[..count], 1);
            assert!(
                text.len() <= 200 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            );
            let read = ours.read(&text, Timestamp(1_000 + DAY - 1), DAY).unwrap();
            assert_eq!((read.campaign, &read.keys[..]), (1, &keys[..count.min(MAX_KEYS)]));
            assert_eq!(ours.read(&text, Timestamp(1_000 + DAY), DAY), Err(Wrong::Over));
            assert_eq!(
                ours.read(&text, Timestamp(1_000 - SKEW_SECONDS - 1), DAY),
                Err(Wrong::Over),
                "a clock that went back"
            );
            let other = tokens(1, &["0", "b"]);
            assert_eq!(other.read(&text, Timestamp(1_000), DAY).unwrap().campaign, 1, "by id, not by number");
            assert_eq!(tokens(1, &["a"]).read(&text, Timestamp(1_000), DAY), Err(Wrong::Over), "the campaign is gone");
            assert_eq!(tokens(2, &["a", "b"]).read(&text, Timestamp(1_000), DAY), Err(Wrong::Forged));
        }
        assert_eq!(token(&ours, &[], 0), "", "of nobody");
        assert_eq!(token(&ours, &keys, 2), "", "of a campaign that is not there");
    }

    #[test]
    fn nothing_can_be_changed_or_put_together() {
        let ours = tokens(1, &["a", "b"]);
        let key = [(ProfileKey(5), 1)];
        let (first, second) = (token(&ours, &key, 0), token(&ours, &key, 0));
        assert_ne!(first, second, "two decisions on one person have nothing in common");
        let bytes = first.as_bytes();
        for at in 0..bytes.len() {
            for byte in [b'A', b'B', b'.', b'=', b'\n', 0xc3] {
                let mut changed = bytes.to_vec();
                changed[at] = byte;
                let changed = String::from_utf8_lossy(&changed);
                if changed != first {
                    assert_eq!(ours.read(&changed, Timestamp(1_000), DAY), Err(Wrong::Forged), "{changed}");
                }
            }
            assert_eq!(ours.read(&first[..at], Timestamp(1_000), DAY), Err(Wrong::Forged));
        }
        let of_b = token(&ours, &key, 1);
        let (person, _) = first.split_once('.').unwrap();
        let (_, suffix) = of_b.split_once('.').unwrap();
        assert_eq!(ours.read(&format!("{person}.{suffix}"), Timestamp(1_000), DAY), Err(Wrong::Forged));
        assert_eq!(ours.read(&"A".repeat(MAX_TEXT + 1), Timestamp(1_000), DAY), Err(Wrong::Forged));
    }

    #[test]
    fn nothing_of_the_person_can_be_read() {
        let ours = tokens(1, &["a"]);
        let key = ProfileKey(u128::from_le_bytes(*b"sixteen bytes ok"));
        let text = token(&ours, &[(key, 1)], 0);
        let (person, suffix) = text.split_once('.').unwrap();
        for part in [person, suffix] {
            let bytes = BASE64.decode(part).unwrap();
            assert!(!bytes.windows(4).any(|window| key.to_bytes().windows(4).any(|of_key| of_key == window)));
        }
    }
}
