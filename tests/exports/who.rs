//! Nobody who said no, whenever they said it; and no fewer than the floor.

use crate::formats::csv;
use crate::scene::{Id, NO, Scene, ask, email};
use std::collections::BTreeSet;
use vaglio::build::exports::{Format, Place, Report};
use vaglio::log::Said;

fn written(report: &Report) -> BTreeSet<Id> {
    csv(&report.files[0].name).1.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
}

#[test]
fn who_says_no_since_the_build_is_left_out() {
    let scene = Scene::new();
    scene.object("C12");
    scene.delete("C15");
    scene.append(&[("crm", "C18")], Said::Consent(false));
    scene.append(&[("crm", "C21")], Said::Consent(true));
    let report = scene.export("gold", &ask(Format::Csv)).unwrap();
    assert_eq!(written(&report), scene.expected("gold", &[&NO[..], &[12, 15, 18]].concat()));
    let withheld = report.withheld;
    assert_eq!((withheld.deleted, withheld.objecting, withheld.refusing), (1, 3, 2));
}

#[test]
fn suppress_lists_hold_objectors_where_they_are_asked_for() {
    let scene = Scene::new();
    let report = scene.export("leave", &ask(Format::Csv)).unwrap();
    let members = scene.expected("leave", &[4]);
    let members: BTreeSet<Id> = members.into_iter().collect();
    assert_eq!(written(&report), members, "who refused is a member all the same: 7");
    assert_eq!((report.withheld.objecting, report.withheld.refusing), (1, 0));

    let mut with = ask(Format::Csv);
    with.include_objectors = true;
    scene.object("C0");
    let report = scene.export("leave", &with).unwrap();
    let mut expected = scene.expected("leave", &[]);
    // 3 and 0 object to marketing and are no members; 9 objects to profiling alone; the stranger has no profile.
    let gold = (0..60).filter(|n| ![0, 3].contains(n)).collect::<Vec<_>>();
    let objecting = scene.expected("gold", &gold);
    expected.extend(objecting.into_iter().filter(|(_, text)| !text.starts_with("cookie") && !is_hash(text)));
    expected.insert(("email".to_owned(), "stranger@mail.example".to_owned()));
    assert_eq!(written(&report), expected);
    assert_eq!((report.withheld.objecting, report.objectors), (0, 2));
    assert!(written(&report).contains(&("email".to_owned(), email(4))));
}

fn is_hash(text: &str) -> bool {
    text.ends_with('=')
}

#[test]
fn small_audiences_and_sources_of_other_uses_are_refused() {
    let scene = Scene::new();
    let refused = |audience: &str| scene.export(audience, &ask(Format::Csv)).unwrap_err().to_string();
    assert!(refused("few").contains("fewer than 1000 members"), "{}", refused("few"));
    assert!(refused("one").contains("fewer than 2 members"));
    let config = std::fs::read_to_string(scene.path().join("vaglio.yaml")).unwrap();
    let config = config.replace("kind: profiles\n", "kind: profiles\n    uses: [suppress]\n");
    let config = config.replace("kind: consents\n", "kind: consents\n    uses: [suppress]\n");
    std::fs::write(scene.path().join("vaglio.yaml"), config).unwrap();
    let none = refused("gold");
    assert!(none.contains("no source may be used to target") && none.contains("counted, consents"), "{none}");
    assert!(scene.export("leave", &ask(Format::Csv)).is_ok());
    assert!(!scene.out().join("never").exists());
}

#[test]
fn no_raw_identifier_stays_in_the_data_directory() {
    let scene = Scene::new();
    let mut delta = ask(Format::Csv);
    delta.delta = true;
    scene.export("gold", &delta).unwrap();
    scene.export_to("gold", &delta, &Place::Directory(scene.path().join("out2"))).unwrap();
    let mut files = vec![scene.data()];
    let mut seen = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds("person0@") && !holds("PERSON0@") && !holds(&crate::scene::ifa(0)), "{}", path.display());
        let key = scene.keys.key("crm", "C12").to_bytes();
        let in_exports = path.starts_with(scene.data().join("exports"));
        assert!(!in_exports || !bytes.windows(16).any(|window| window == key), "{}: a profile key", path.display());
        seen += u32::from(in_exports);
    }
    assert!(seen >= 2);
}
