//! Who is signed in: of each cookie its hash, and the hash of the key that it stands for. Neither itself is kept.

use crate::access::KeyHash;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long somebody may do nothing and still be signed in.
const IDLE: Duration = Duration::from_secs(12 * 3_600);
/// How long somebody is signed in at all.
pub(super) const LONGEST: Duration = Duration::from_secs(7 * 86_400);
/// The most that are kept: whoever has done nothing for longest goes first.
const MOST: usize = 4_096;
/// The most of one key, so that no key puts all others out.
const MOST_OF_A_KEY: usize = 64;

#[derive(Debug)]
struct Session {
    key: KeyHash,
    opened: Instant,
    seen: Instant,
}

impl Session {
    fn holds(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.seen) < IDLE && now.saturating_duration_since(self.opened) < LONGEST
    }
}

#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<BTreeMap<KeyHash, Session>>);

impl Kept {
    /// Signs somebody in; the text is what their cookie is to say. `None` from a machine that has no random numbers.
    pub(super) fn open(&self, key: KeyHash, now: Instant) -> Option<String> {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).ok()?;
        let token = BASE64_URL_SAFE_NO_PAD.encode(secret);
        let mut kept = self.0.lock();
        kept.retain(|_, session| session.holds(now));
        if kept.values().filter(|session| session.key == key).count() >= MOST_OF_A_KEY {
            drop_idlest(&mut kept, |session| session.key == key);
        }
        if kept.len() >= MOST {
            drop_idlest(&mut kept, |_| true);
        }
        kept.insert(KeyHash::of(token.as_bytes()), Session { key, opened: now, seen: now });
        Some(token)
    }

    /// The key that a cookie stands for; asking keeps it alive.
    pub(super) fn key(&self, token: &[u8], now: Instant) -> Option<KeyHash> {
        let hash = KeyHash::of_shown(token)?;
        let mut kept = self.0.lock();
        let session = kept.get_mut(&hash)?;
        if !session.holds(now) {
            kept.remove(&hash);
            return None;
        }
        session.seen = now;
        Some(session.key)
    }

    /// Forgets a cookie; whether it was known.
    pub(super) fn end(&self, token: &[u8]) -> bool {
        KeyHash::of_shown(token).is_some_and(|hash| self.0.lock().remove(&hash).is_some())
    }
}

fn drop_idlest(kept: &mut BTreeMap<KeyHash, Session>, of: impl Fn(&Session) -> bool) {
    let idlest = kept.iter().filter(|(_, session)| of(session)).min_by_key(|(_, session)| session.seen);
    if let Some(idlest) = idlest.map(|(hash, _)| *hash) {
        kept.remove(&idlest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> [KeyHash; 2] {
        [KeyHash::of(b"one"), KeyHash::of(b"other")]
    }

    #[test]
    fn a_cookie_stands_for_its_key_until_it_is_forgotten() {
        let (kept, [one, other], now) = (Kept::default(), keys(), Instant::now());
        let (first, second) = (kept.open(one, now).unwrap(), kept.open(other, now).unwrap());
        assert!(first.len() == 43 && first != second);
        assert_eq!(kept.key(first.as_bytes(), now), Some(one));
        assert_eq!(kept.key(second.as_bytes(), now), Some(other));
        for wrong in ["", "x", &first[1..], &first.to_lowercase(), &"x".repeat(10_000)] {
            assert_eq!(kept.key(wrong.as_bytes(), now), None, "{wrong}");
        }
        assert!(kept.end(first.as_bytes()) && !kept.end(first.as_bytes()));
        assert_eq!((kept.key(first.as_bytes(), now), kept.key(second.as_bytes(), now)), (None, Some(other)));
    }

    #[test]
    fn it_ends_when_nothing_is_done_and_some_day_in_any_case() {
        let (kept, [one, _], start) = (Kept::default(), keys(), Instant::now());
        let second = Duration::from_secs(1);
        let (idle, busy) = (kept.open(one, start).unwrap(), kept.open(one, start).unwrap());
        assert_eq!(kept.key(idle.as_bytes(), start + IDLE - second), Some(one));
        assert_eq!(kept.key(idle.as_bytes(), start + IDLE + IDLE - second), None, "12 hours since it was seen");
        let mut now = start;
        while now + IDLE / 2 < start + LONGEST {
            now += IDLE / 2;
            assert_eq!(kept.key(busy.as_bytes(), now), Some(one));
        }
        assert_eq!(kept.key(busy.as_bytes(), start + LONGEST), None);
        assert!(kept.0.lock().is_empty());
    }

    #[test]
    fn their_number_is_bounded_and_no_key_puts_another_out() {
        let (kept, [one, other], start) = (Kept::default(), keys(), Instant::now());
        let spared = kept.open(other, start).unwrap();
        let tokens: Vec<String> =
            (0..MOST_OF_A_KEY + 1).map(|at| kept.open(one, start + Duration::from_secs(at as u64)).unwrap()).collect();
        assert_eq!(kept.key(tokens[0].as_bytes(), start), None, "the one that was idle for longest");
        assert_eq!(kept.key(tokens[1].as_bytes(), start), Some(one));
        assert_eq!(kept.key(spared.as_bytes(), start), Some(other));
        for at in 0..MOST + 10 {
            kept.open(KeyHash::of(&at.to_be_bytes()), start + Duration::from_secs(100)).unwrap();
        }
        assert_eq!(kept.0.lock().len(), MOST);
    }
}
