//! Who there is, and whom a question is about.

use crate::synthetic::{AUDIENCES, Draw, IDENTIFIERS, MEAN, mix, profiles, write_uid};

/// Who is in which segments, with their identifiers.
pub struct People {
    draw: Draw,
    /// How many.
    pub count: u64,
}

impl People {
    pub fn new() -> Self {
        People { draw: Draw::new(AUDIENCES, MEAN), count: u64::from(profiles()) }
    }

    /// Calls `each` with every identifier of everybody, and the segments that it is in.
    pub fn each<E>(&self, mut each: impl FnMut(&str, &[u32]) -> Result<(), E>) -> Result<(), E> {
        let mut segments = Vec::new();
        for person in 0..self.count {
            self.draw.of(person, &mut segments);
            for identifier in 0..IDENTIFIERS {
                each(&uid(person * IDENTIFIERS + identifier), &segments)?;
            }
        }
        Ok(())
    }
}

/// Of everybody, whom `vaglio load` asks about.
const USERS: u64 = 200_000;

/// The questions of `vaglio load`: a person a line, evenly from everybody, with one of their identifiers.
pub fn users() -> String {
    let profiles = u64::from(profiles_once());
    let count = USERS.min(profiles);
    let line = |at: u64| {
        let uid = uid(at * profiles / count * IDENTIFIERS + at % IDENTIFIERS);
        format!("{{\"eids\":[{{\"source\":\"ifa\",\"uid\":\"{uid}\"}}]}}\n")
    };
    (0..count).map(line).collect()
}

/// The 36 characters of an identifier. Numbers from the count of all identifiers on are strangers'.
pub fn uid(number: u64) -> String {
    let mut uid = [0; 36];
    write_uid(number, &mut uid);
    uid.iter().map(|&byte| char::from(byte)).collect()
}

/// Whom the n-th question is about: 40 of 100 are strangers, hardly anybody is asked for twice.
pub fn asked(n: u64, uid: &mut [u8; 36]) {
    let known = u64::from(profiles_once()) * IDENTIFIERS;
    write_uid(mix(n) % known + if mix(n ^ 77) % 100 < 40 { known } else { 0 }, uid);
}

fn profiles_once() -> u32 {
    static PROFILES: std::sync::LazyLock<u32> = std::sync::LazyLock::new(profiles);
    *PROFILES
}
