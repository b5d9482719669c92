//! Tests of whom requests are about.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn users(unknown_share: f64, zipf: f64) -> workload::Users {
    workload::Users { file: None, unknown_share, zipf, ids: BTreeMap::from([(1, 1.0), (3, 1.0)]) }
}

fn somebody(n: u32) -> Person {
    Person { ifa: format!("ifa-{n}"), ..Person::default() }
}

/// How often Zipf's law meets each rank.
fn expected(many: usize, zipf: f64) -> Vec<f64> {
    let weights: Vec<f64> = (1..=many).map(|rank| (rank as f64).powf(-zipf)).collect();
    let all: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / all).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn people_are_met_as_often_as_the_law_says(many in 1usize..60, zipf in 0.0..2.5f64, unknown in 0.0..1.0f64, seed: u64) {
        let people: Vec<Person> = (0..many as u32).map(somebody).collect();
        let people = People::new(&users(unknown, zipf), seed, &people);
        let (mut met, mut strangers, asked) = (vec![0u32; many], 0u32, 20_000);
        for n in 0..asked {
            match people.draw(&mut Draws::new(seed, n, 0)).line {
                Some(line) => met[line as usize] += 1,
                None => strangers += 1,
            }
        }
        let close = |found: u32, share: f64| {
            let (mean, deviation) = (share * asked as f64, (share * (1.0 - share) * asked as f64).sqrt());
            (f64::from(found) - mean).abs() <= 6.0 * deviation + 1.0
        };
        prop_assert!(close(strangers, unknown), "{strangers} strangers of {asked} at {unknown}");
        for (rank, share) in expected(many, zipf).into_iter().enumerate() {
            let found = met[people.ranks[rank] as usize];
            prop_assert!(close(found, share * (1.0 - unknown)), "rank {rank}: {found} of {asked}, expected {share}");
        }
    }

    #[test]
    fn made_up_identifiers_never_come_twice_and_look_as_they_should(seed: u64, n: u64) {
        let mut all = std::collections::BTreeSet::new();
        for (source, long) in [("ifa", 36), ("pubcid.org", 36), ("uidapi.com", 44)] {
            for item in 0..50 {
                let mut uid = Vec::new();
                write_uid(Shape::of(source), &mut Draws::new(seed, n, item), &mut uid);
                let uid = String::from_utf8(uid).unwrap();
                prop_assert_eq!(uid.len(), long);
                if long == 36 {
                    let at = |at: usize| uid.as_bytes()[at];
                    prop_assert!(at(14) == b'4' && at(19) == b'8' && [8, 13, 18, 23].iter().all(|&dash| at(dash) == b'-'));
                } else {
                    use base64::Engine;
                    prop_assert_eq!(base64::engine::general_purpose::STANDARD.decode(&uid).unwrap().len(), 32);
                }
                all.insert((long, uid));
            }
        }
        prop_assert!(all.len() >= 100, "the ifa and the cookie of one item are the same draw, others are not");
    }
}

#[test]
fn a_question_is_a_function_of_its_number() {
    let people: Vec<Person> = (0..100).map(somebody).collect();
    let people = People::new(&users(0.3, 1.0), 7, &people);
    let draw = |n| people.draw(&mut Draws::new(7, n, 0));
    let once: Vec<Whom> = (0..500).map(draw).collect();
    let backwards: Vec<Whom> = (0..500).rev().map(draw).collect();
    assert!(once.iter().eq(backwards.iter().rev()));
    let other: Vec<Whom> = (0..500).map(|n| people.draw(&mut Draws::new(8, n, 0))).collect();
    assert_ne!(once, other);
}

#[test]
fn own_identifiers_all_come_and_others_fill_up() {
    let mut two = somebody(0);
    two.eids = vec![Eid { source: "pubcid.org".to_owned(), uid: "c".to_owned() }];
    let people = People::new(&users(0.0, 0.0), 7, &[two, Person::default()]);
    assert_eq!(people.sources, ["ifa", "pubcid.org"]);
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..200 {
        let whom = people.draw(&mut Draws::new(7, n, 0));
        seen.insert((whom.line.unwrap(), whom.made_up));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [(0, 0), (0, 1), (1, 0)], "nobody stays nobody");
}

#[test]
fn strangers_of_the_file_can_be_left_out() {
    let people: Vec<Person> = (0..50).map(somebody).collect();
    let mut people = People::new(&users(0.0, 1.0), 7, &people);
    people.keep(|line| line % 5 == 0);
    assert_eq!(people.of_file(), 10);
    assert!((0..500).all(|n| people.draw(&mut Draws::new(7, n, 0)).line.unwrap().is_multiple_of(5)));
    people.keep(|_| false);
    assert!((0..50).all(|n| people.draw(&mut Draws::new(7, n, 0)).line.is_none()), "then all are made up");
}

#[test]
fn wrong_lines_are_all_counted_and_the_first_are_shown_without_identifiers() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut text =
        String::from("{\"eids\":[{\"source\":\"a.com\",\"uid\":\"x\\\"y\"}],\"privacy\":{\"gpc\":\"1\"}}\n\n{}\n");
    std::fs::write(file.path(), &text).unwrap();
    let people = read(file.path()).unwrap();
    assert_eq!(people.len(), 2, "a blank line is nobody");
    assert_eq!((people[0].eids[0].uid.as_str(), people[1].ids()), ("x\"y", 0));
    assert_eq!(people[0].privacy.as_ref().and_then(|privacy| privacy.gpc), Some(true));
    for n in 0..30 {
        text.push_str(if n % 2 == 0 { "{\"eids\":\"secret-1\"}\n" } else { "secret-2\n" });
    }
    std::fs::write(file.path(), &text).unwrap();
    let error = read(file.path()).unwrap_err();
    assert_eq!((error.problems().len(), error.problems()[0].position.unwrap().0), (20, 4));
    assert!(error.to_string().contains("30 lines") && !error.to_string().contains("secret"), "{error}");
    std::fs::write(file.path(), "x".repeat(70_000)).unwrap();
    assert!(read(file.path()).unwrap_err().to_string().contains("longer than 64 KiB"));
    std::fs::write(file.path(), "\n").unwrap();
    assert!(read(file.path()).unwrap_err().to_string().contains("nobody is in it"));
}
