//! What is kept of whom between builds: nothing of the deleted, no more than there is room for, nothing that is not durable.

use crate::scene::{ROOM, append, serve};
use crate::world::{DAY, event, says, text};
use crate::{ANN, BOB, scene};
use std::sync::Arc;
use vaglio::live::{Applier, Apply, Room};
use vaglio::log::{Control, Record, Said};
use vaglio::lookup::Outcome;
use vaglio::overlay::Blocked;
use vaglio::schema::{Generation, Offset};

const EVE: (&str, &str) = ("pubcid.org", "eve-cookie");

fn shown() -> Said<'static> {
    Said::Event { name: "impression".into(), properties: vec![("campaign".into(), text("acme/hello"))] }
}

#[test]
fn of_the_deleted_nothing_stays_in_memory() {
    let mut scene = scene();
    for who in [ANN[1], EVE] {
        scene.take(&[
            (&[who], -9, event("purchase")),
            (&[who], -8, shown()),
            (&[who], -7, Said::Consent(false)),
            (&[who], -6, says("plan", Some(text("gold")))),
        ]);
    }
    let overlay = Arc::clone(&scene.in_service.overlay);
    assert_eq!((overlay.changed(), overlay.strangers(), overlay.exposures.profiles()), (2, 1, 2));
    let keys = [ANN[1], EVE].map(|(source, uid)| scene.world.keys.key(source, uid));
    scene.applier.forget(&keys);
    assert_eq!((overlay.changed(), overlay.strangers(), overlay.exposures.profiles()), (0, 0, 0));
    assert_eq!(overlay.exposures.bytes(), 0);
    assert_eq!(scene.outcome("eve-cookie"), Outcome::NoProfile);
    assert_eq!(scene.counts().profiles, 0);
    assert!(keys.iter().all(|key| overlay.stranger(*key).is_none()));
    let ann = scene.in_service.serving.find(keys[0]).unwrap();
    assert_eq!(overlay.consent(ann), None);
    // Whoever comes again is somebody new.
    scene.take(&[(&[EVE], 0, event("purchase"))]);
    assert_eq!(scene.audiences("eve-cookie"), ["buyers"]);
}

#[test]
fn what_names_somebody_deleted_is_taken_in_of_nobody() {
    let mut scene = scene();
    let blocked = Arc::new(Blocked::new());
    let key = scene.world.keys.block_key(scene.world.keys.key(EVE.0, EVE.1));
    blocked.note(&Control::Deletion { keys: vec![key], time: 0, until: None });
    let generation = scene.in_service.serving.generation();
    scene.in_service = serve(&scene.world, generation, &scene.applier, ROOM, &scene.clock, &blocked, |_| ()).unwrap();
    scene.take(&[(&[EVE, ("pubcid.org", "eve-too")], -9, event("purchase"))]);
    assert_eq!(scene.outcome("eve-too"), Outcome::NoProfile, "as a build would have it");
}

#[test]
fn facts_consents_and_one_profile_have_their_room() {
    let mut scene = scene();
    scene.serve_with(Room { bytes: 40, ..ROOM });
    scene.take(&[(&ANN, -9, event("purchase")), (&ANN, -8, event("purchase")), (&ANN, -7, event("purchase"))]);
    scene.take(&[(&BOB, -9, event("purchase")), (&BOB, -8, event("purchase"))]);
    assert!((1..5).contains(&scene.counts().no_room), "{:?}", scene.counts());

    scene.serve_with(Room { profiles: 1, ..ROOM });
    let before = scene.counts().no_room;
    scene.take(&[(&ANN, 8, Said::Consent(true)), (&BOB, 8, Said::Consent(true))]);
    assert_eq!(scene.counts().no_room, before + 1, "a consent waits for the next index");
    scene.take(&[(&BOB, 9, Said::Consent(false))]);
    assert_eq!(scene.outcome("bob-cookie"), Outcome::NoConsent, "a refusal does not");

    scene.serve_with(ROOM);
    assert_eq!(scene.counts().crowded, 0);
    let many: Vec<Record<'_>> =
        (0..6_000).map(|at| scene.world.record(&ANN[1..], scene.now() - at, event("purchase"))).collect();
    append(&scene.world, &mut scene.applier, &many);
    let counts = scene.counts();
    assert!(counts.crowded > 0 && counts.crowded == counts.no_room, "{counts:?}");
}

#[test]
fn what_is_not_durable_yet_is_not_applied_by_a_swap() {
    let mut scene = scene();
    let (now, durable) = (scene.now(), scene.world.log().end());
    let record = scene.world.record(&ANN[1..], now - 9, event("purchase"));
    // In the file, and never acknowledged: the disk may have no room for the rest, and it is taken back.
    scene.world.append(std::slice::from_ref(&record));
    let generation: Generation = scene.in_service.serving.generation();
    let mut applier = Applier::new(scene.world.events(), durable);
    let next = serve(&scene.world, generation, &applier, ROOM, &scene.clock, &Arc::default(), |_| ()).unwrap();
    assert_eq!((applier.counts().records, next.overlay.changed()), (0, 0));
    let mut bytes = Vec::new();
    record.encode(&mut bytes).unwrap();
    applier.apply(&[(durable, bytes)]);
    assert_eq!((applier.counts().records, next.overlay.changed()), (1, 1));
}

#[test]
fn only_what_a_generation_has_absorbed_makes_it_wait() {
    let mut scene = scene();
    let cut = scene.in_service.serving.manifest().events_cut;
    assert_eq!(scene.applier.latest_before(Offset(cut.0 + 9)), None);
    scene.take(&[(&ANN, -3, event("purchase"))]);
    assert_eq!(scene.applier.latest_before(cut), None, "rules that were activated again have absorbed nothing");
    assert_eq!(scene.applier.latest_before(Offset(cut.0 + 1)).unwrap().0, scene.now() - 3);
}

#[test]
fn what_is_past_its_retention_when_it_comes_counts_nowhere() {
    let mut scene = scene();
    // Purchases are kept for 60 days.
    let phone = || Said::Event { name: "purchase".into(), properties: vec![("product".into(), text("phone"))] };
    scene.take(&[(&ANN, -61 * DAY, phone()), (&BOB, -59 * DAY, phone())]);
    for when in ["at once", "after a rebuild"] {
        assert_eq!(scene.audiences("ann-cookie"), ["adults"], "{when}");
        assert_eq!(scene.audiences("bob-cookie"), ["adults", "gold", "phones"], "{when}");
        scene.rebuild();
    }
}
