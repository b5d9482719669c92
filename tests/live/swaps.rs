//! While generations are swapped, rolled back and restarted, nobody who joined is out, and nobody who objected is in.

use crate::scene::{InService, ROOM, Scene, append, serve};
use crate::world::{event, says, text};
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use vaglio::live::Apply;
use vaglio::log::{Control, Record};
use vaglio::lookup::Outcome;
use vaglio::overlay::Blocked;
use vaglio::schema::{Clock, Generation, Offset, ProfileKey, Scope};

const ROWS: [(&str, &[&str]); 1] = [("crm", &["ann,ann-cookie,{t},basic,30,", "bob,bob-cookie,{t},gold,40,"])];
const ANN: (&str, &str) = ("pubcid.org", "ann-cookie");
const EVE: (&str, &str) = ("pubcid.org", "eve-cookie");

#[test]
fn restart_rebuild_and_rollback_answer_alike() {
    let mut scene = Scene::new(&ROWS);
    let first = scene.in_service.serving.generation();
    scene.take(&[(&[ANN], -9, event("purchase")), (&[EVE], -9, says("plan", Some(text("gold"))))]);
    let expected = |scene: &Scene, when: &str| {
        assert_eq!(scene.audiences("ann-cookie"), ["adults", "buyers"], "{when}");
        assert_eq!(scene.audiences("eve-cookie"), ["gold"], "{when}");
    };
    expected(&scene, "at once");
    scene.restart();
    expected(&scene, "after a restart");
    scene.rebuild();
    expected(&scene, "after a rebuild");
    assert_eq!((scene.counts().records, scene.in_service.overlay.changed()), (0, 0), "the snapshot has absorbed it");
    scene.take(&[(&[("crm", "bob")], -3, event("purchase"))]);
    scene.serve(first).unwrap();
    expected(&scene, "after a rollback");
    assert_eq!(scene.audiences("bob-cookie"), ["adults", "buyers", "gold"]);
    assert_eq!(scene.counts().records, 3);
}

#[test]
fn through_a_hundred_swaps_nobody_who_joined_is_out_and_no_objector_is_in() {
    const PEOPLE: usize = 150;
    let mut scene = Scene::new(&ROWS);
    // Three generations, each of which has taken in more of the log.
    for who in ["x0", "x1"] {
        let record = scene.world.record(&[("pubcid.org", who)], scene.now() - 120, event("purchase"));
        append(&scene.world, &mut scene.applier, &[record]);
        scene.world.build();
    }
    let now = scene.now();
    let uids: Vec<String> = (0..PEOPLE).map(|person| format!("p{person}")).collect();
    let keys: Vec<ProfileKey> = uids.iter().map(|uid| scene.world.keys.key("pubcid.org", uid)).collect();
    let records: Vec<Record<'_>> = keys
        .iter()
        .map(|key| {
            let mut record = scene.world.record(&[ANN], now - 120, event("purchase"));
            record.keys[0].key = *key;
            record
        })
        .collect();
    let blocked = Arc::new(Blocked::new());
    let objector = scene.world.keys.key("pubcid.org", "bob-cookie");
    let joined_before = scene.world.keys.key("pubcid.org", "x0");
    blocked.note(&Control::Objection {
        keys: vec![scene.world.keys.block_key(objector)],
        scope: Scope::All,
        time: now,
        until: None,
    });
    let clock = Arc::new(AtomicI64::new(Clock::System.now().0));
    let Scene { world, applier, .. } = &scene;
    let in_service: RwLock<Option<InService>> = RwLock::new(None);
    let swap = |generation: u64| {
        let install = |next: &InService| *in_service.write() = Some(next.clone());
        serve(world, Generation(generation), applier, ROOM, &clock, &blocked, install).unwrap();
    };
    swap(1);
    let (told, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (mut log, mut applier) = (world.log(), applier.clone());
            for (at, record) in records.iter().enumerate() {
                let mut bytes = Vec::new();
                record.encode(&mut bytes).unwrap();
                let offset = log.append([&bytes]).unwrap();
                log.sync().unwrap();
                applier.apply(&[(Offset(offset.0), bytes)]);
                told.store(at + 1, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while done.load(Ordering::SeqCst) == 0 {
                    let known = told.load(Ordering::SeqCst);
                    let now_serving = in_service.read().clone().unwrap();
                    for key in keys[..known].iter().rev().take(20).chain([&joined_before]) {
                        let answer = now_serving.ask(*key, now);
                        let generation = now_serving.serving.generation();
                        assert!(
                            now_serving.names(&answer).contains(&"buyers"),
                            "{known} told, generation {generation}"
                        );
                    }
                    assert_eq!(now_serving.ask(objector, now).outcome, Outcome::Blocked);
                }
            });
        }
        // To and fro: forward to what has absorbed more, back as after a rollback.
        (0..100).for_each(|at| swap(1 + at % 3));
        done.store(1, Ordering::SeqCst);
    });
    let last = in_service.read().clone().unwrap();
    assert!(keys.iter().all(|key| last.names(&last.ask(*key, now)).contains(&"buyers")));
}
