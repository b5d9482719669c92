//! Suppression lists, read by the two readers in `examples/`.

use crate::list::List;
use crate::scene::{Id, Scene, ask, uid2};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use vaglio::build::exports::{Format, Report};
use vaglio::schema::Clock;

fn exported() -> (Scene, Report, BTreeSet<Id>) {
    let scene = Scene::new();
    let report = scene.export("leave", &ask(Format::Suppression)).unwrap();
    let canonical = |(kind, text): Id| match kind.as_str() {
        "email" | "phone" => (kind, uid2(&text)),
        _ => (kind, text),
    };
    let expected = scene.expected("leave", &[4]).into_iter().map(canonical).collect();
    (scene, report, expected)
}

#[test]
fn a_list_says_of_everybody_whether_they_are_on_it() {
    let (scene, report, expected) = exported();
    let bytes = fs::read(&report.files[0].name).unwrap();
    let now = Clock::System.now().0;
    let list = List::read(&bytes, now).unwrap();
    assert_eq!((list.len(), report.files[0].entries), (expected.len(), expected.len() as u64));
    assert!(expected.iter().all(|(kind, uid)| list.has(kind, uid)));
    assert!(list.has("IFA", &crate::scene::ifa(1).to_uppercase()));
    for (kind, uid) in scene.expected("gold", &[]) {
        assert!(!list.has(&kind, &uid), "{kind}");
    }
    assert!(!list.has("email", "C1") && !list.has("crm", &uid2(&crate::scene::email(1))), "the type counts");
    let again = scene.export("leave", &ask(Format::Suppression)).unwrap();
    let other = fs::read(&again.files[0].name).unwrap();
    assert!(other[16..32] != bytes[16..32] && other[64..] != bytes[64..], "each list has a salt of its own");
}

#[test]
fn lists_that_are_over_or_damaged_are_refused() {
    let (_scene, report, _) = exported();
    let bytes = fs::read(&report.files[0].name).unwrap();
    let week = Clock::System.now().0 + 7 * 86_400;
    assert!(List::read(&bytes, week - 60).is_ok_and(|list| (list.expires - week).abs() < 60));
    assert!(List::read(&bytes, week + 60).is_err_and(|why| why.contains("expired")));
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(List::read(&damaged, 0).is_err(), "byte {at}");
        assert!(List::read(&bytes[..at], 0).is_err(), "{at} bytes");
    }
}

#[test]
fn python_reads_the_same() {
    let (scene, report, expected) = exported();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/suppression/read.py");
    let ask = |file: &str, ids: &[String]| Command::new("python3").arg(script).arg(file).args(ids).output();
    let ids: Vec<String> = expected.iter().map(|(kind, uid)| format!("{kind}:{uid}")).collect();
    let others: Vec<String> = scene.expected("gold", &[]).iter().map(|(kind, uid)| format!("{kind}:{uid}")).collect();
    let Ok(output) = ask(&report.files[0].name, &[ids.clone(), others.clone()].concat()) else {
        return eprintln!("skipped: no python3");
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let listed: Vec<bool> = text.lines().map(|line| line.ends_with(": listed")).collect();
    assert!(output.status.success() && listed.len() == ids.len() + others.len(), "{text}");
    assert!(listed[..ids.len()].iter().all(|listed| *listed) && !listed[ids.len()..].contains(&true));

    let old = scene.path().join("old.suppression");
    let mut bytes = fs::read(&report.files[0].name).unwrap();
    bytes.truncate(bytes.len() - 32);
    bytes[40..48].copy_from_slice(&1i64.to_le_bytes());
    let sum = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
    bytes.extend(&sum[..]);
    fs::write(&old, &bytes).unwrap();
    let refused = ask(old.to_str().unwrap(), &[]).unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("expired"));
    assert!(List::read(&bytes, 0).is_ok() && List::read(&bytes, 1).is_err());
    bytes[70] ^= 1;
    fs::write(&old, &bytes).unwrap();
    assert!(String::from_utf8_lossy(&ask(old.to_str().unwrap(), &[]).unwrap().stderr).contains("damaged"));
}
