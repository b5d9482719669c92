//! How soon what was acknowledged is seen at a bid door.

use super::Outcome;
use super::load::{Shared, event, question};
use super::wire::Connection;
use super::world::{ifa, people};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use vaglio::schema::Clock;

/// How often it looks.
const EVERY: Duration = Duration::from_millis(5);
/// What is not seen by then is never seen.
const PATIENCE: Duration = Duration::from_secs(10);

/// From an event's acknowledgement to the lookup that shows the audience which it joins.
pub fn visible(shared: &Shared, _: u64) -> Outcome<Vec<u32>> {
    let tell = |number, person| event(number, person, "device_broken");
    probe(shared, &tell, b"bench/broken")
}

/// From an objection's acknowledgement to the lookup that is blocked.
pub fn blocked(shared: &Shared, _: u64) -> Outcome<Vec<u32>> {
    let tell = |number, person| {
        format!(
            r#"{{"id":"object-{number}","time":"{}","type":"objection","eids":[{{"source":"ifa","uid":"{}"}}],"scope":"marketing"}}"#,
            Clock::System.now(),
            ifa(person)
        )
    };
    probe(shared, &tell, b"\"status\":\"blocked\"")
}

fn probe(shared: &Shared, tell: &dyn Fn(u64, u64) -> String, shows: &[u8]) -> Outcome<Vec<u32>> {
    let (mut sends, mut asks) = (Connection::open(shared.planner)?, Connection::open(shared.http)?);
    let (mut waits, mut person) = (Vec::new(), shared.number() % people());
    while !shared.ends.load(Ordering::Relaxed) {
        // Nobody is told of twice, as far as there are people.
        person = (person + 1) % people();
        sends.post("/api/v1/events", tell(shared.number(), person).as_bytes())?;
        let (began, question) = (Instant::now(), question(person));
        while memchr::memmem::find(asks.post("/v1/lookup", question.as_bytes())?, shows).is_none() {
            if began.elapsed() > PATIENCE {
                return Err("what was acknowledged is not seen".into());
            }
        }
        if shared.measures() {
            waits.push(began.elapsed().as_micros() as u32);
        }
        std::thread::sleep(EVERY);
    }
    Ok(waits)
}
