//! The machine's clock jumps by a month, there and back: nothing panics, and nothing lasts longer than it was said to.

use crate::http::ask;
use crate::run::copy_of;
use crate::serving::{Serving, line, objection, open_world, ping};
use serde_json::json;
use std::path::Path;
use vaglio::schema::Clock;

const MONTH: i64 = 30 * 86_400;
const PINGER: u64 = 1;
const MEMBER: u64 = 2;
const OBJECTOR: u64 = 3;
const REFUSER: u64 = 4;

struct Moved<'a>(&'a Path);

impl Moved<'_> {
    fn by(&self, seconds: i64) {
        // In place of the old one: the server reads the one or the other.
        let draft = self.0.with_extension("draft");
        std::fs::write(&draft, seconds.to_string()).unwrap();
        std::fs::rename(draft, self.0).unwrap();
    }
}

fn is_in(server: &Serving, person: u64, audience: &str) -> bool {
    server.look_up(person).1.iter().any(|it| it == audience)
}

/// Whatever the clock says: who objected is blocked, who refused has no profile, and nobody panicked.
#[track_caller]
fn assert_sane(server: &Serving, when: &str) {
    assert_eq!(server.look_up(OBJECTOR).0, "blocked", "{when}");
    assert_eq!(server.look_up(REFUSER), ("no_consent".to_owned(), vec![]), "{when}");
    let metrics = ask(server.planner, "GET", "/metrics", "").unwrap().body;
    assert!(metrics.contains("vaglio_panics_total 0\n"), "{when}");
}

fn assert_lasting_things_are_over(server: &Serving, when: &str) {
    assert!(!is_in(server, PINGER, "acme/lately"), "{when}: a window of 7 days is over");
    assert!(!is_in(server, MEMBER, "acme/vip"), "{when}: a membership of an hour is over");
    assert!(is_in(server, PINGER, "acme/pinged"), "{when}: what has no window stays");
}

#[test]
fn a_clock_that_jumps_extends_nothing_and_panics_nowhere() {
    let world = open_world();
    let folder = copy_of(world.path());
    let file = folder.path().join("clock");
    let clock = Moved(&file);
    clock.by(0);
    let settings = [("FAULTS_CLOCK", file.to_str().unwrap())];
    let mut server = Serving::start(folder.path(), &settings, None).unwrap();
    // A rule is asked at the start of a minute: what happens in this one is seen from the next.
    let now = Clock::System.now().0 - 60;
    let lines = ping("ping", PINGER, now)
        + &line(MEMBER, json!({ "id": "vip", "type": "membership", "audience": "acme/vip", "ttl_minutes": 60 }), now)
        + &objection("objection", OBJECTOR, now)
        + &line(REFUSER, json!({ "id": "refusal", "type": "consent", "granted": false }), now);
    let answer = server.send(&lines).unwrap();
    assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(4)), "{answer:?}");
    assert!(is_in(&server, PINGER, "acme/lately") && is_in(&server, MEMBER, "acme/vip"));
    assert_sane(&server, "at first");

    clock.by(MONTH);
    server.until("a month later", || !is_in(&server, PINGER, "acme/lately") && !is_in(&server, MEMBER, "acme/vip"));
    assert_lasting_things_are_over(&server, "a month later");
    assert_sane(&server, "a month later");
    assert_eq!(server.send(&ping("later", 5, now + MONTH)).unwrap().status, 200);
    server.kill();
    server = Serving::start(folder.path(), &settings, None).unwrap();
    assert_lasting_things_are_over(&server, "a month later, after a restart");
    assert_sane(&server, "a month later, after a restart");

    clock.by(-MONTH);
    assert_sane(&server, "a month before");
    let early = server.send(&ping("earlier", 6, now - MONTH)).unwrap();
    assert_eq!(early.status, 200, "{early:?}");
    server.kill();
    server = Serving::start(folder.path(), &settings, None).unwrap();
    assert_sane(&server, "a month before, after a restart");

    clock.by(0);
    assert!(is_in(&server, PINGER, "acme/pinged"));
    assert_sane(&server, "at the right time again");
    clock.by(3_700);
    server.until("an hour later", || !is_in(&server, MEMBER, "acme/vip"));
    server.kill();
}
