//! What comes by the doors reaches the next lookup, says what a rebuild would say, and outlives swaps, restarts and rollbacks.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod keeping;
mod oracle;
mod scene;
mod serving;
mod swaps;
#[allow(dead_code, reason = "another test uses the rest")]
#[path = "../live_fold/world.rs"]
mod world;

use scene::{Scene, member};
use vaglio::live::Room;
use vaglio::log::{Said, Stay};
use vaglio::lookup::Outcome;
use world::{DAY, event, listed, says, text};

/// Somebody the sources know, by both identifiers.
const ANN: [(&str, &str); 2] = [("crm", "ann"), ("pubcid.org", "ann-cookie")];
const BOB: [(&str, &str); 2] = [("crm", "bob"), ("pubcid.org", "bob-cookie")];

fn scene() -> Scene {
    Scene::new(&[("crm", &["ann,ann-cookie,{t},basic,30,", "bob,bob-cookie,{t},gold,40,"])])
}

#[test]
fn what_just_happened_is_in_the_next_lookup() {
    let mut scene = scene();
    assert_eq!(scene.audiences("ann-cookie"), ["adults"]);
    scene.take(&[(&ANN[..1], -60, event("purchase"))]);
    assert_eq!(scene.audiences("ann-cookie"), ["adults", "buyers"], "by an identifier that occurs in no bid");
    scene.take(&[(&ANN[1..], -30, says("plan", Some(text("gold")))), (&ANN, -20, says("age", None))]);
    assert_eq!(scene.audiences("ann-cookie"), ["buyers", "gold"]);
    assert_eq!(scene.audiences("bob-cookie"), ["adults", "gold"]);
}

#[test]
fn a_time_to_live_ends_at_its_minute() {
    let mut scene = scene();
    scene.take(&[(&ANN, 0, listed("acme/vip", Stay::Minutes(10)))]);
    let joined = scene.now();
    for (minutes, is_in) in [(0, true), (9, true), (11, false), (12, false)] {
        scene.set(joined + minutes * 60);
        assert_eq!(scene.audiences("ann-cookie").contains(&"vip"), is_in, "after {minutes} minutes, before the tick");
        scene.tick();
        assert_eq!(scene.audiences("ann-cookie").contains(&"vip"), is_in, "after {minutes} minutes");
    }
    for days in [-30, 30, -30] {
        scene.set(joined + days * DAY);
        scene.tick();
    }
    scene.set(joined + 11 * 60);
    scene.tick();
    assert!(!scene.audiences("ann-cookie").contains(&"vip"), "a clock that jumps to and fro extends nothing");
}

#[test]
fn what_is_said_live_supersedes_a_flip() {
    // A purchase that leaves the window of 20 days within the hour.
    let mut scene =
        Scene::new(&[("crm", &["ann,ann-cookie,{t},basic,30,"]), ("shop", &["ann,,{-19d23h30m},p1,5,pen"])]);
    let start = scene.now();
    assert_eq!(scene.audiences("ann-cookie"), ["adults", "buyers"]);
    scene.set(start + 3_600);
    assert_eq!(scene.audiences("ann-cookie"), ["adults"], "the flip is due");
    scene.take(&[(&ANN, 0, event("purchase"))]);
    assert_eq!(scene.audiences("ann-cookie"), ["adults", "buyers"], "and is superseded");
    scene.set(start + 3_600 + 20 * DAY + 60);
    assert_eq!(scene.audiences("ann-cookie"), ["adults"], "until the window of the new one ends");
}

#[test]
fn strangers_become_known_and_an_event_applies_to_everybody_it_names() {
    let mut scene = scene();
    assert_eq!(scene.outcome("eve-cookie"), Outcome::NoProfile);
    scene.take(&[(&[ANN[1], ("pubcid.org", "eve-cookie")], -5, event("purchase"))]);
    assert_eq!(scene.audiences("eve-cookie"), ["buyers"]);
    assert_eq!(scene.audiences("ann-cookie"), ["adults", "buyers"]);
    scene.take(&[(&[("crm", "nobody")], -5, event("purchase")), (&[ANN[0], BOB[0]], -5, Said::Link)]);
    let counts = scene.counts();
    assert_eq!((counts.strangers, counts.unreachable, counts.links), (1, 1, 1));
    assert_eq!(scene.audiences("bob-cookie"), ["adults", "gold"], "a link waits for the next index");
}

#[test]
fn the_newest_consent_counts_and_an_objection_of_the_snapshot_stays() {
    let mut scene = Scene::new(&[
        ("crm", &["ann,ann-cookie,{t},basic,30,", "bob,bob-cookie,{t},gold,40,"]),
        ("consents", &["bob,,{t},objection_marketing"]),
    ]);
    scene.take(&[(&ANN, 5, Said::Consent(false)), (&BOB, 5, Said::Consent(true))]);
    assert_eq!((scene.outcome("ann-cookie"), scene.outcome("bob-cookie")), (Outcome::NoConsent, Outcome::Blocked));
    scene.take(&[(&ANN, 1, Said::Consent(true))]);
    assert_eq!(scene.outcome("ann-cookie"), Outcome::NoConsent, "older than the refusal");
    scene.take(&[(&ANN, 9, Said::Consent(true))]);
    assert_eq!(scene.outcome("ann-cookie"), Outcome::Matched);
}

#[test]
fn what_does_not_fit_waits_for_the_next_index() {
    let mut scene = scene();
    scene.serve_with(Room { profiles: 1, strangers: 1, bytes: 1 << 20 });
    scene.take(&[
        (&ANN, -9, event("purchase")),
        (&BOB, -8, event("purchase")),
        (&[("pubcid.org", "one")], -7, event("purchase")),
        (&[("pubcid.org", "two")], -7, event("purchase")),
    ]);
    assert_eq!(scene.audiences("ann-cookie"), ["adults", "buyers"]);
    assert_eq!(scene.audiences("bob-cookie"), ["adults", "gold"]);
    assert_eq!((scene.outcome("one"), scene.outcome("two")), (Outcome::Matched, Outcome::NoProfile));
    let counts = scene.counts();
    assert_eq!((counts.profiles, counts.strangers, counts.no_room), (1, 1, 3));
    scene.rebuild();
    for who in ["bob-cookie", "two"] {
        assert!(member(&scene.audiences(who), "buyers"), "{who}");
    }
}
