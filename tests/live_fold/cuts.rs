//! Up to where a generation has the log, and which log segments are kept for it.

use crate::world::{DAY, World, columns, says, text};
use std::fs;
use vaglio::build::{What, purge};
use vaglio::log::{self, Which};
use vaglio::schema::{Clock, Generation, Offset, Timestamp};
use vaglio::snapshot::Manifest;

fn one_more(world: &mut World, who: &'static str) -> Offset {
    let record = world.record(&[("crm", who)], world.now - DAY, says("plan", Some(text("gold"))));
    world.append(&[record])
}

#[test]
fn a_generation_says_how_far_it_has_the_logs() {
    let mut world = World::new();
    let end = one_more(&mut world, "ann");
    let objects = world.delete(&[("crm", "nobody")], world.now);
    let full = world.build();
    assert_eq!((full.events_cut, full.control_cut), (end, Offset(objects.0 + 1)));
    one_more(&mut world, "bob");
    world.delete(&[("crm", "nobody else")], world.now);
    let active = world.try_build(What::Activate).unwrap();
    assert_eq!((active.events_cut, active.control_cut), (full.events_cut, full.control_cut));
    assert_eq!(world.facts(&active), world.facts(&full));
    let next = world.build();
    assert_eq!((next.events_cut.0, next.control_cut.0), (end.0 + 1, objects.0 + 2));
    assert_eq!(world.members(&next, "gold"), 2);
}

#[test]
fn beside_a_server_only_what_it_has_sealed_is_taken_in() {
    let mut world = World::new();
    let sealed = one_more(&mut world, "ann");
    world.log().seal().unwrap();
    one_more(&mut world, "bob");
    let mut server = world.log();
    let manifest = world.build();
    assert_eq!((manifest.events_cut, world.members(&manifest, "gold")), (sealed, 1));
    let end = server.seal().unwrap();
    let manifest = world.build();
    assert_eq!((manifest.events_cut, world.members(&manifest, "gold")), (end, 2));
}

#[test]
fn log_segments_stay_for_rollback_targets_and_for_a_pin() {
    let mut world = World::new();
    let mut cuts = Vec::new();
    for who in ["a", "b", "c", "d", "e"] {
        one_more(&mut world, who);
        cuts.push(world.build().events_cut);
    }
    let releasable = |world: &World| purge::releasable(&world.loaded(), &world.store(), Clock::System.now()).unwrap();
    let (cut, newest_needed) = releasable(&world);
    assert_eq!(cut, cuts[2], "three generations are kept");
    assert_eq!(newest_needed.0 / 60, (Clock::System.now().0 - 3_600) / 60);
    assert_eq!(world.log().release(cut, newest_needed).unwrap(), 0, "their ids are remembered");
    assert_eq!(world.log().release(cut, Timestamp(i64::MAX)).unwrap(), 3);
    assert!(log::read(&world.events(), cuts[2], Which::All, &mut |_, _| Ok(())).is_ok());
    assert!(log::read(&world.events(), cuts[1], Which::All, &mut |_, _| Ok(())).is_err());

    let store = world.store();
    store.rollback(Some(Generation(3))).unwrap();
    for who in ["f", "g", "h", "i"] {
        one_more(&mut world, who);
        assert_eq!(releasable(&world).0, cuts[2], "the pinned one is needed however many follow");
        world.build();
    }
    assert_eq!(store.manifests().unwrap(), [3, 7, 8, 9].map(Generation));
    store.unpin().unwrap();
    let last = world.build();
    assert_eq!(
        (world.members(&last, "gold"), releasable(&world).0),
        (9, world.store().manifest(Generation(8)).unwrap().events_cut)
    );
}

/// Damages the facts of a generation.
fn damage(world: &World, of: &Manifest) {
    let path = world.data().join("sections").join(&of.section("live_facts").unwrap().xxh3);
    let mut bytes = fs::read(&path).unwrap();
    bytes[30] ^= 1;
    fs::write(&path, bytes).unwrap();
}

#[test]
fn where_facts_are_damaged_the_generation_before_and_the_log_will_do() {
    let mut world = World::new();
    one_more(&mut world, "ann");
    let first = world.build();
    one_more(&mut world, "bob");
    let good = world.build();
    damage(&world, &good);
    let again = world.build();
    assert_eq!(columns(&again), columns(&good));
    assert_eq!(again.events_cut, good.events_cut);

    damage(&world, &again);
    damage(&world, &first);
    let error = world.try_build(What::Full).unwrap_err().to_string();
    assert!(error.contains("generation 3") && error.contains("`live_facts`") && error.contains("backup"), "{error}");
    assert_eq!(world.store().current().unwrap(), Some(Generation(3)), "it goes on serving");
}

#[test]
fn damaged_facts_that_the_log_no_longer_holds_are_not_left_out() {
    let mut world = World::new();
    one_more(&mut world, "ann");
    world.build();
    one_more(&mut world, "bob");
    let good = world.build();
    damage(&world, &good);
    fs::remove_dir_all(world.events()).unwrap();
    let error = world.try_build(What::Full).unwrap_err().to_string();
    assert!(error.contains("generation 2") && error.contains("`live_facts`"), "{error}");
}

#[test]
fn facts_of_another_key_are_refused() {
    let mut world = World::new();
    one_more(&mut world, "ann");
    world.build();
    fs::write(world.data().join("vaglio.key"), "ff0102030405060708090a0b0c0d0e0f\n").unwrap();
    let error = world.try_build(What::Full).unwrap_err().to_string();
    assert!(error.contains("another key") && error.contains("restore"), "{error}");
}
