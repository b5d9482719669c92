//! A server killed: statistics lose the running minute at most, and exposures count once however often they are sent.

use crate::http::ask;
use crate::run::copy_of;
use crate::serving::{Serving, line, open_world};
use serde_json::json;
use vaglio::schema::{Clock, Timestamp};

fn total(server: &Serving, what: &str) -> u64 {
    let now = Clock::System.now().0;
    let (from, to) = (Timestamp(now - 86_400), Timestamp(now + 86_400));
    let path = format!("/api/v1/statistics?what={what}&from={from}&to={to}");
    let answer = ask(server.planner, "GET", &path, "").unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["totals"].as_array().unwrap().iter().map(|total| total["count"].as_u64().unwrap()).sum()
}

#[test]
fn a_kill_costs_the_running_minute_and_no_more() {
    let world = open_world();
    let folder = copy_of(world.path());
    let clock = folder.path().join("clock");
    let turn = |seconds: i64| {
        let draft = clock.with_extension("draft");
        std::fs::write(&draft, seconds.to_string()).unwrap();
        std::fs::rename(draft, &clock).unwrap();
    };
    turn(0);
    let settings = [("FAULTS_CLOCK", clock.to_str().unwrap())];
    let mut server = Serving::start(folder.path(), &settings, None).unwrap();
    (0..7).for_each(|person| drop(server.look_up(person)));
    let now = Clock::System.now().0 - 60;
    let shown = |id: &str| {
        line(1, json!({ "id": id, "type": "exposure", "campaign": "acme/upgrade", "kind": "impression" }), now)
    };
    let sent = server.send(&(shown("a") + &shown("b") + &shown("a"))).unwrap();
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!((total(&server, "lookups"), total(&server, "exposures")), (7, 2));
    // The next minute: what was counted is written.
    turn(60);
    let file = || {
        std::fs::read_dir(folder.path().join("data/statistics")).is_ok_and(|mut files| {
            files.any(|file| file.unwrap().path().extension().is_some_and(|extension| extension == "minutes"))
        })
    };
    server.until("a minute is written", file);
    server.look_up(1);
    assert_eq!(total(&server, "lookups"), 8);
    server.kill();
    drop(server);
    let server = Serving::start(folder.path(), &settings, None).unwrap();
    assert!((7..=8).contains(&total(&server, "lookups")), "{}", total(&server, "lookups"));
    assert_eq!((total(&server, "exposures"), total(&server, "verdicts")), (2, 0));
}
