//! Joins and leaves since the last confirmed export, against a model of the receiver: it has exactly what the last confirmed
//! export says, whatever failed in between, and is never told to take out what it was not given.

use crate::scene::{Id, NO, Scene, adds_up, ask};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use roaring::RoaringBitmap;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use vaglio::build::exports::{Ask, Format, Inputs, Place, Report, export};
use vaglio::error::Result;
use vaglio::evaluate::survey::Watch;
use vaglio::planner::View;
use vaglio::schema::AudienceId;
use vaglio::telemetry::progress::{Mode, Progress};

/// Takes in the files that are at the destination, as they are named: by time, adds before removes.
#[derive(Default)]
pub struct Receiver {
    pub has: BTreeSet<Id>,
    /// Everything that it was ever given.
    given: BTreeSet<Id>,
    seen: BTreeSet<PathBuf>,
}

impl Receiver {
    pub fn look(&mut self, directory: &Path) {
        let Ok(entries) = fs::read_dir(directory) else { return };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
        files.sort();
        for file in files.into_iter().filter(|file| !self.seen.contains(file)).collect::<Vec<_>>() {
            let (header, rows) = crate::formats::csv(file.to_str().unwrap());
            let name = file.file_name().unwrap().to_str().unwrap();
            if name.ends_with("-full.csv") {
                self.has.clear();
                assert_eq!(header.len(), 2);
            }
            for row in rows {
                let id = (row[0].clone(), row[1].clone());
                if row.get(2).is_none_or(|action| action == "add") {
                    self.given.insert(id.clone());
                }
                match row.get(2).map(String::as_str) {
                    None | Some("add") => drop(self.has.insert(id)),
                    Some("remove") => {
                        assert!(self.given.contains(&id), "{id:?} was never given");
                        self.has.remove(&id);
                    }
                    Some(other) => panic!("{other}"),
                }
            }
            self.seen.insert(file);
        }
    }
}

fn run(scene: &Scene, view: &View, members: &RoaringBitmap, ask: &Ask, watch: &Watch) -> Result<Report> {
    let number = view.catalogue().number(&AudienceId::new("acme", "gold")).unwrap();
    let report = export(&Inputs {
        loaded: &scene.loaded(),
        hasher: &scene.keys,
        serving: view.serving(),
        audience: &view.catalogue().audiences[number as usize],
        members,
        ask,
        place: &Place::Directory(scene.out()),
        receiver: "partner",
        watch,
        progress: &Progress::new(Mode::Silent),
    })?;
    adds_up(&report);
    Ok(report)
}

/// What happens to an export.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Well,
    Cancelled,
    /// The files are there; that they are cannot be remembered.
    Forgotten,
}

#[test]
fn the_receiver_has_what_the_last_confirmed_export_says() {
    let scene = Scene::new();
    let view = scene.view();
    let of = |plan: &str| view.members(view.catalogue().number(&AudienceId::new("acme", plan)).unwrap()).unwrap();
    let everybody: Vec<u32> = of("gold").iter().collect();
    // What each profile alone is written as.
    let step = (
        prop::collection::vec(any::<bool>(), everybody.len()),
        any::<bool>(),
        prop_oneof![4 => Just(Fate::Well), 1 => Just(Fate::Cancelled), 1 => Just(Fate::Forgotten)],
    );
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&prop::collection::vec(step, 1..6), |steps| {
        let (exports, out) = (scene.data().join("exports"), scene.out());
        let _ = (fs::remove_dir_all(&exports), fs::remove_dir_all(&out));
        let (mut receiver, mut broken) = (Receiver::default(), false);
        for (chosen, delta, fate) in steps {
            // At least the floor's two, who said nothing against it.
            let mut members: RoaringBitmap =
                std::iter::zip(&everybody, &chosen).filter(|(_, chosen)| **chosen).map(|(who, _)| *who).collect();
            members.extend(everybody.iter().rev().take(2));
            let (mut asked, watch) = (ask(Format::Csv), Watch::default());
            asked.delta = delta;
            let before = receiver.has.clone();
            let report = match fate {
                Fate::Well => run(&scene, &view, &members, &asked, &watch).unwrap(),
                Fate::Cancelled => {
                    watch.cancel();
                    run(&scene, &view, &members, &asked, &watch).unwrap_err();
                    receiver.look(&out);
                    prop_assert_eq!(&receiver.has, &before, "nothing came");
                    continue;
                }
                Fate::Forgotten => {
                    broken = true;
                    let block = block_memory(&exports);
                    let failed = run(&scene, &view, &members, &asked, &watch);
                    block.iter().for_each(|path| fs::remove_dir(path).unwrap());
                    receiver.look(&out);
                    let Ok(report) = failed else {
                        prop_assert!(
                            !delta || before.is_subset(&receiver.has),
                            "nobody is taken out before the adds are remembered"
                        );
                        continue;
                    };
                    report
                }
            };
            receiver.look(&out);
            let expected = texts(&scene, &view, &members);
            let more: BTreeSet<&Id> = receiver.has.difference(&expected).collect();
            prop_assert!(
                receiver.has.is_superset(&expected) && more.len() as u64 <= report.cannot_remove,
                "{:?}",
                more
            );
            // Nobody is left there in silence; where nothing ever broke off, nobody at all.
            prop_assert!(broken || more.is_empty() && report.cannot_remove == 0);
            broken &= delta;
        }
        Ok(())
    });
    outcome.unwrap();
}

/// Has every memory that there is refuse to be replaced: a directory stands where its temporary file would.
fn block_memory(exports: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(exports).into_iter().flatten().map(|entry| entry.unwrap().path());
    let memories = entries.filter(|path| path.extension().is_some_and(|extension| extension == "sent"));
    let blocks: Vec<PathBuf> = memories.map(|path| path.with_extension("new")).collect();
    blocks.iter().for_each(|path| fs::create_dir(path).unwrap());
    blocks
}

/// What these members are written as: their part of what a naive reading says of everybody.
fn texts(scene: &Scene, view: &View, members: &RoaringBitmap) -> BTreeSet<Id> {
    use vaglio::collect::canonical_uid;
    use vaglio::snapshot::keys::Keys;
    let snapshot = view.serving().snapshot();
    let keys = Keys::open(snapshot.section("keys").unwrap()).unwrap();
    let theirs: BTreeSet<_> = members.iter().flat_map(|who| keys.of(who)).map(|(key, _)| key).collect();
    let is_theirs = |(kind, text): &Id| theirs.contains(&scene.keys.key(kind, &canonical_uid(kind, text).unwrap()));
    scene.expected("gold", &NO).into_iter().filter(is_theirs).collect()
}

#[test]
fn joins_and_leaves_are_told_apart() {
    let scene = Scene::new();
    let mut delta = ask(Format::Csv);
    delta.delta = true;
    let first = scene.export("gold", &delta).unwrap();
    assert!(first.since.is_none() && first.files.len() == 1 && first.files[0].name.ends_with("-adds.csv"));
    let same = scene.export("gold", &delta).unwrap();
    assert!(same.since.is_some() && same.files.is_empty(), "{same:?}");
    assert_eq!((same.identifiers["email"].unchanged, same.identifiers["email"].exported), (27, 0));

    // 0 leaves, 1 joins; 12 is deleted: the sources have them still, so that the receiver is told. 15 is gone from the sources.
    scene.crm(|n| {
        if n == 0 {
            ""
        } else if n == 1 || n % 3 == 0 {
            "gold"
        } else {
            "leave"
        }
    });
    let text = fs::read_to_string(scene.path().join("crm.csv")).unwrap();
    let kept: String = text.lines().filter(|line| !line.starts_with("C15,")).map(|line| format!("{line}\n")).collect();
    fs::write(scene.path().join("crm.csv"), kept).unwrap();
    scene.delete("C12");
    scene.build();
    let changed = scene.export("gold", &delta).unwrap();
    let (adds, removes) =
        (crate::formats::csv(&changed.files[0].name).1, crate::formats::csv(&changed.files[1].name).1);
    let who = |rows: &[Vec<String>]| {
        let crm = rows.iter().filter(|row| row[0] == "crm");
        crm.map(|row| format!("{} {}", row[1], row[2])).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        (who(&adds), who(&removes)),
        (vec!["C1 add".to_owned()], vec!["C0 remove".to_owned(), "C12 remove".to_owned()])
    );
    assert_eq!((adds.len(), removes.len(), changed.removed), (4, 8, 8));
    assert_eq!(changed.cannot_remove, 4, "those of 15");
    assert!(changed.notes.iter().any(|note| note.contains("have the receiver replace")), "{:?}", changed.notes);

    let mut receiver = Receiver::default();
    receiver.look(&scene.out());
    let mut expected = scene.expected("gold", &[3, 6, 9, 12]);
    assert!(receiver.has.is_superset(&expected) && receiver.has.len() == expected.len() + 4);
    scene.export("gold", &ask(Format::Csv)).unwrap();
    receiver.look(&scene.out());
    assert_eq!(receiver.has, std::mem::take(&mut expected), "a replacement forgets them");
    assert_eq!(scene.export("gold", &delta).unwrap().cannot_remove, 0);
}

#[test]
fn a_memory_that_is_damaged_is_told_and_replaced() {
    let scene = Scene::new();
    let mut delta = ask(Format::Csv);
    delta.delta = true;
    scene.export("gold", &delta).unwrap();
    let mut entries = fs::read_dir(scene.data().join("exports")).unwrap().map(|entry| entry.unwrap().path());
    let memory = entries.find(|path| path.extension().is_some_and(|it| it == "sent")).unwrap();
    let mut bytes = fs::read(&memory).unwrap();
    bytes[40] ^= 1;
    fs::write(&memory, bytes).unwrap();
    let damaged = scene.export("gold", &delta).unwrap_err().to_string();
    assert!(damaged.contains("export the audience as a whole"), "{damaged}");
    scene.export("gold", &ask(Format::Csv)).unwrap();
    assert!(scene.export("gold", &delta).unwrap().files.is_empty());
}
