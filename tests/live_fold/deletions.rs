//! Deleted people leave every file, whatever is uploaded again; who objects is marked, whichever way it came.

use crate::world::{DAY, World, event, says, text};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use vaglio::build::purge::{self, Due};
use vaglio::log::{Control, Said};
use vaglio::schema::{Clock, Generation, Offset, Scope, Timestamp};
use vaglio::snapshot::Planes;
use vaglio::snapshot::blocked::Blocked;

const SECRET_PLAN: &str = "a plan that nobody else has";
const EVA: [(&str, &str); 2] = [("crm", "eva"), ("pubcid.org", "evas")];

fn files(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// The files of the data directory that hold any of these.
fn holding(world: &World, wanted: &[Vec<u8>]) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        wanted.iter().any(|wanted| memchr::memmem::find(&bytes, wanted).is_some())
    };
    files(&world.data()).into_iter().filter(holds).collect()
}

/// Somebody in the sources and in the log.
fn with_eva() -> (World, Vec<Vec<u8>>) {
    let mut world = World::new();
    let time = world.now - 9 * DAY;
    world.files(&BTreeMap::from([
        ("crm", vec![format!("eva,evas,{time},{SECRET_PLAN},40,sport"), format!("fred,,{time},gold,50,")]),
        ("shop", vec![format!(",evas,{time},eva's order,20,phone")]),
        ("vip", vec![format!("eva,{time},,")]),
        ("consents", vec![format!("eva,,{time},objection_all")]),
    ]));
    let records = [
        world.record(&EVA, time, says("mood", Some(text("a mood of eva's")))),
        world.record(&EVA[1..], time, event("broken")),
        world.record(&EVA, time, Said::Link),
    ];
    world.append(&records);
    let key = |(kind, uid): (&str, &str)| world.keys.key(kind, uid).to_bytes().to_vec();
    let texts = [SECRET_PLAN, "a mood of eva's"].map(|text| text.as_bytes().to_vec());
    let traces = EVA.into_iter().map(key).chain(texts).collect();
    (world, traces)
}

#[test]
fn a_deleted_person_is_in_no_file_although_the_sources_are_the_same() {
    let (world, traces) = with_eva();
    let before = world.build();
    world.build();
    let places = holding(&world, &traces);
    assert!(places.len() >= 5, "keys, blocked, traits, live_facts and the log hold her: {places:?}");
    world.delete(&EVA, world.now - 4 * DAY);
    let (loaded, store) = (world.loaded(), world.store());
    assert_eq!(purge::due(&loaded, &store, Clock::System.now()).unwrap(), Due::Build);
    let after = world.build();
    assert_eq!(after.profiles, before.profiles - 1);
    assert_eq!(store.manifests().unwrap(), [after.generation], "no earlier generation is a rollback target");
    assert_eq!(purge::due(&loaded, &store, Clock::System.now()).unwrap(), Due::Nothing);
    let provenance = world.provenance(&after);
    assert_eq!((provenance.deleted_rows, provenance.live.deleted, provenance.live.kept), (4, 3, 0));
    let (cut, _) = purge::releasable(&loaded, &store, Clock::System.now()).unwrap();
    assert_eq!(world.log().release(cut, Timestamp(i64::MAX)).unwrap(), 1);
    assert_eq!(holding(&world, &traces), Vec::<PathBuf>::new());
    assert_eq!(world.members(&after, "gold"), 1, "fred is still there");
    // It stays so.
    assert_eq!(world.build().profiles, after.profiles);
    assert_eq!(holding(&world, &traces), Vec::<PathBuf>::new());
}

#[test]
fn a_deletion_has_half_its_days_before_anything_is_removed() {
    let (world, _) = with_eva();
    world.build();
    world.delete(&EVA, world.now - 3 * DAY);
    let (loaded, store) = (world.loaded(), world.store());
    let in_hours = |hours: i64| Timestamp(Clock::System.now().0 + hours * 3_600);
    assert_eq!(purge::due(&loaded, &store, in_hours(0)).unwrap(), Due::Nothing);
    assert_eq!(purge::due(&loaded, &store, in_hours(13)).unwrap(), Due::Build);
    world.build();
    assert_eq!(store.manifests().unwrap().len(), 2);
    assert_eq!(purge::due(&loaded, &store, in_hours(0)).unwrap(), Due::Nothing);
    assert_eq!(purge::due(&loaded, &store, in_hours(13)).unwrap(), Due::Purge);
    let lock = store.lock("test").unwrap();
    let purged = purge::purge(&loaded, &store, &lock, in_hours(13)).unwrap();
    assert_eq!((purged.generations.as_slice(), purged.unpinned), (&[Generation(1)][..], None));
    assert_eq!(purge::due(&loaded, &store, in_hours(13)).unwrap(), Due::Nothing);
}

#[test]
fn a_pinned_generation_goes_too_and_says_so() {
    let (world, traces) = with_eva();
    world.build();
    world.build();
    let store = world.store();
    store.rollback(Some(Generation(1))).unwrap();
    world.delete(&EVA, world.now - 6 * DAY);
    let due = |world: &World| purge::due(&world.loaded(), &world.store(), Clock::System.now()).unwrap();
    assert_eq!(due(&world), Due::Build);
    let after = world.build();
    assert_eq!((store.current().unwrap(), store.pinned().unwrap()), (Some(after.generation), None));
    assert_eq!((store.manifests().unwrap(), due(&world)), (vec![after.generation], Due::Nothing));
    let in_log = |path: &PathBuf| path.starts_with(world.events());
    assert!(holding(&world, &traces).iter().all(in_log));
    assert!(purge::Purged { generations: vec![Generation(1)], unpinned: Some(Generation(1)) }.warning().is_some());
}

#[test]
fn a_deletion_is_not_done_while_the_open_segment_holds_the_person() {
    let (mut world, _) = with_eva();
    world.build();
    let late = world.record(&EVA, world.now, event("broken"));
    world.append(&[late]);
    world.delete(&EVA, world.now - 6 * DAY);
    let mut server = world.log();
    let behind = world.build();
    assert_eq!((behind.control_cut, behind.events_cut), (Offset(0), Offset(3)));
    assert_eq!(purge::due(&world.loaded(), &world.store(), Clock::System.now()).unwrap(), Due::Build);
    assert_eq!(world.store().manifests().unwrap().len(), 2, "nothing is removed for it yet");
    server.seal().unwrap();
    let done = world.build();
    assert_eq!((done.control_cut, done.events_cut), (Offset(1), Offset(4)));
    assert_eq!(world.store().manifests().unwrap(), [done.generation]);
}

#[test]
fn who_objects_by_the_door_is_marked_with_and_without_a_profile() {
    let mut world = World::new();
    let time = world.now - DAY;
    let known = world.record(&EVA, time, says("plan", Some(text("gold"))));
    let stranger = world.record(&[("pubcid.org", "stranger")], time, Said::Consent(true));
    world.append(&[known, stranger]);
    let block_key = |world: &World, uid| world.keys.block_key(world.keys.key("pubcid.org", uid));
    let objection = |key, scope, until| Control::Objection { keys: vec![key], scope, time, until };
    world.control(&objection(block_key(&world, "evas"), Scope::Marketing, None));
    world.control(&objection(block_key(&world, "stranger"), Scope::All, None));
    world.control(&objection(block_key(&world, "stranger"), Scope::All, Some(time + 5)));
    world.control(&objection(world.keys.block_key(world.keys.key("crm", "else")), Scope::All, Some(time + 5)));
    let manifest = world.build();
    let snapshot = world.store().open_snapshot(manifest.generation, Planes::All, None).unwrap();
    let blocked = Blocked::open(snapshot.section("blocked").unwrap()).unwrap();
    let scope = |kind, uid| blocked.scope(world.keys.key(kind, uid));
    assert_eq!((scope("pubcid.org", "evas"), scope("pubcid.org", "stranger")), (1, 3));
    assert_eq!((blocked.len(), scope("crm", "else")), (2, 0), "what has ended counts no more");
    let objecting = snapshot.section("consents").unwrap().iter().filter(|flags| **flags == 1).count();
    assert_eq!(objecting, 1, "the whole profile objects");
}
