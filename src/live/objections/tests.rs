//! Objections and deletions as they are taken in, found for all of a person, and kept across generations.

use super::*;
use crate::snapshot::keys::write_keys;
use crate::snapshot::{IdentitiesWriter, Plane};
use tempfile::TempDir;

/// A person's identifiers that occur in bids, and those that do not.
type Person = (&'static [u128], &'static [u128]);

struct World {
    directory: TempDir,
    loaded: Loaded,
    store: Store,
}

impl World {
    fn new(settings: &str) -> World {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("vaglio.yaml");
        std::fs::write(&file, format!("data_dir: data\n{settings}")).unwrap();
        let loaded = crate::config::load_file(&file).unwrap();
        loaded.key_hasher(true).unwrap();
        let store = Store::open(&loaded.config.data_dir).unwrap();
        World { directory, loaded, store }
    }

    fn keeper(&self) -> Keeper {
        Keeper::open(self.loaded.clone(), self.store.clone(), Arc::default(), Arc::default()).unwrap()
    }

    /// A generation that knows these people, with everything up to a place in the control log in its index.
    fn generation(&self, number: u64, cut: u64, people: &[Person]) -> Manifest {
        let _lock = self.store.lock("test").unwrap();
        let mut identities = self.store.section("identities", Plane::Bid).unwrap();
        let bid = (0..).zip(people).flat_map(|(at, person)| person.0.iter().map(move |key| (ProfileKey(*key), at)));
        IdentitiesWriter::write(bid.collect::<Vec<(ProfileKey, u32)>>().into_iter(), &mut identities).unwrap();
        let (mut starts, mut all) = (vec![0], Vec::new());
        for (bid, other) in people {
            let mut of_one: Vec<_> = bid.iter().chain(*other).map(|key| (ProfileKey(*key), 0)).collect();
            of_one.sort_unstable();
            all.extend(of_one);
            starts.push(all.len() as u32);
        }
        let mut keys = self.store.section("keys", Plane::Control).unwrap();
        write_keys(&starts, all.iter().copied(), &mut keys).unwrap();
        let sections = vec![identities.finish().unwrap(), keys.finish().unwrap()];
        Manifest { generation: Generation(number), control_cut: Offset(cut), sections, ..Manifest::default() }
    }

    fn records(&self) -> u64 {
        let mut count = 0;
        let directory = self.loaded.config.data_dir.join("log/control");
        read(&directory, Offset(0), Which::All, &mut |_, _| {
            count += 1;
            Ok(())
        })
        .unwrap();
        count
    }
}

fn objection(keys: &[u128], scope: Scope) -> Objection {
    Objection { keys: keys.iter().copied().map(ProfileKey).collect(), scope, time: Timestamp(0) }
}

/// What holds of identifiers: `.` nothing, `m`arketing, `p`rofiling, `a`ll, `d`eleted.
fn holds(keeper: &Keeper, keys: impl IntoIterator<Item = u128>) -> String {
    let of = |key| {
        let key = keeper.hasher().unwrap().block_key(ProfileKey(key));
        match keeper.blocked().find(key, Clock::System.now()) {
            None => '.',
            Some(block) if block.deleted => 'd',
            Some(block) => match block.scope {
                Scope::Marketing => 'm',
                Scope::Profiling => 'p',
                Scope::All => 'a',
            },
        }
    };
    keys.into_iter().map(of).collect()
}

const PEOPLE: [Person; 3] = [(&[1, 2], &[3]), (&[4], &[]), (&[], &[5, 6])];

#[test]
fn an_objection_covers_every_identifier_of_the_person_and_survives_a_restart() {
    let world = World::new("");
    let keeper = world.keeper();
    keeper.prepare(&world.generation(1, 0, &PEOPLE)).unwrap();
    keeper.settle(Generation(1));
    keeper.object(&[objection(&[3], Scope::Marketing), objection(&[6, 9], Scope::Profiling)]).unwrap();
    assert_eq!(holds(&keeper, 1..=10), "mmm.pp..p.");
    keeper.object(&[objection(&[1], Scope::Profiling)]).unwrap();
    assert_eq!(holds(&keeper, 1..=10), "aaa.pp..p.");
    let written = world.records();
    keeper.object(&[objection(&[2], Scope::All)]).unwrap();
    assert_eq!(holds(&keeper, 1..=3), "aaa");
    assert_eq!(world.records(), written, "what is known already is not written again");
    drop(keeper);
    assert_eq!(holds(&world.keeper(), 1..=10), "aaa.pp..p.", "without a generation, too");
}

#[test]
fn without_a_generation_or_its_control_sections_what_is_named_counts() {
    let world = World::new("");
    let keeper = world.keeper();
    keeper.object(&[objection(&[3], Scope::All)]).unwrap();
    assert_eq!(holds(&keeper, 1..=3), "..a");
    let mut bid_node = world.generation(1, 0, &PEOPLE);
    bid_node.sections.retain(|section| section.name != "keys");
    keeper.prepare(&bid_node).unwrap();
    keeper.object(&[objection(&[2], Scope::All)]).unwrap();
    assert_eq!(holds(&keeper, 1..=3), ".aa");
}

#[test]
fn a_generation_that_knows_more_of_a_person_covers_it_before_it_serves() {
    let world = World::new("");
    let keeper = world.keeper();
    let before = world.generation(1, 0, &PEOPLE);
    keeper.prepare(&before).unwrap();
    keeper.object(&[objection(&[4], Scope::Marketing)]).unwrap();
    assert_eq!(holds(&keeper, 1..=6), "...m..");
    // The same person turned out to have more identifiers, and the index was cut before the objection.
    let merged = world.generation(2, 0, &[(&[4, 1, 2], &[3]), (&[], &[5, 6])]);
    keeper.prepare(&merged).unwrap();
    assert_eq!(holds(&keeper, 1..=6), "mmmm..");
    let written = world.records();
    // Until the swap is over both are asked; after it the new one.
    keeper.object(&[objection(&[5], Scope::All)]).unwrap();
    keeper.settle(Generation(2));
    assert_eq!(holds(&keeper, 1..=6), "mmmmaa");
    let restarted = world.keeper();
    restarted.prepare(&before).unwrap();
    assert_eq!(holds(&restarted, 1..=6), "mmmmaa", "also after a rollback");
    assert_eq!(world.records(), written + 2, "and nothing is written twice");
}

#[test]
fn a_deletion_covers_everything_tells_what_it_did_and_is_forgotten_from_memory() {
    let world = World::new("privacy: { objections: { purge_days: 3 } }\n");
    let keeper = world.keeper();
    keeper.prepare(&world.generation(1, 0, &PEOPLE)).unwrap();
    let forgotten = Arc::new(Mutex::new(Vec::new()));
    let forget = Arc::clone(&forgotten);
    keeper.when_deleted(Box::new(move |keys| forget.lock().extend_from_slice(keys)));
    let now = Clock::System.now().0;
    for _ in 0..2 {
        let done = keeper.delete(&[ProfileKey(5), ProfileKey(1), ProfileKey(77)]).unwrap();
        assert_eq!((done.identifiers, done.profiles), (6, 2));
        assert!((now..now + 60).contains(&(done.purged_by.0 - 3 * DAY)));
    }
    assert_eq!(holds(&keeper, 1..=6), "ddd.dd");
    assert_eq!(forgotten.lock().len(), 12);
    assert!(forgotten.lock().contains(&ProfileKey(6)));
    keeper.object(&[objection(&[1], Scope::Marketing)]).unwrap();
    assert_eq!(holds(&keeper, 1..=1), "d", "a deletion wins");
    let (list, _) =
        blocklist::Blocklist::read(&world.loaded.config.data_dir.join("log/control"), Timestamp(0)).unwrap();
    assert_eq!(list.iter().count(), 6);
}

#[test]
fn an_objection_by_the_door_ends_when_it_is_configured_to() {
    let world = World::new("privacy: { objections: { expire_days: 2, forget_days: 1 } }\n");
    let keeper = world.keeper();
    keeper.object(&[objection(&[1], Scope::All)]).unwrap();
    keeper.delete(&[ProfileKey(1)]).unwrap();
    let key = keeper.hasher().unwrap().block_key(ProfileKey(1));
    let in_days = |days: f64| Timestamp(Clock::System.now().0 + (days * DAY as f64) as i64);
    let deleted = |days| keeper.blocked().find(key, in_days(days)).map(|block| block.deleted);
    assert_eq!([0.9, 1.1, 2.1].map(deleted), [Some(true), Some(false), None]);
}

#[test]
fn many_objections_of_one_request_take_few_records() {
    let world = World::new("");
    let keeper = world.keeper();
    let many: Vec<Objection> = (0..5_000u128).map(|key| objection(&[key << 64 | key], Scope::Marketing)).collect();
    keeper.object(&many).unwrap();
    assert_eq!(world.records(), 5);
    assert_eq!(keeper.blocked().len(), 5_000);
}

#[test]
fn what_another_process_appends_is_taken_in() {
    let world = World::new("");
    let (here, there) = (world.keeper(), world.keeper());
    there.object(&[objection(&[1], Scope::All)]).unwrap();
    assert_eq!(holds(&here, [1]), ".");
    here.catch_up().unwrap();
    assert_eq!(holds(&here, [1]), "a");
    let entry = Entry { what: "export", subject: Some(BlockKey(1)), ..Entry::default() };
    there.object(&[objection(&[3], Scope::All)]).unwrap();
    here.log(&Who::command_line(), entry).unwrap();
    assert_eq!(holds(&here, [3]), "a", "what stood before the entry is taken in with it");
    here.object(&[objection(&[2], Scope::All)]).unwrap();
    there.catch_up().unwrap();
    assert_eq!(holds(&there, [1, 2]), "aa");
    assert!(world.directory.path().exists());
}
