//! Who a credential stands for, and how keys are kept.

use super::credentials::State;
use super::*;
use crate::error::Result as Told;
use std::path::Path;

const NOW: Timestamp = Timestamp(1_000);

fn made(key: &Key, owner: &str) -> Credential {
    Credential {
        id: key.id().to_owned(),
        sha256: key.hash(),
        role: Role::Bidder,
        owner: owner.to_owned(),
        caller: None,
        created: Timestamp(0),
        expires: None,
        revoked: None,
        comment: None,
        mtls: None,
        origin: Origin::Made,
    }
}

fn key() -> Key {
    Key::random().unwrap()
}

fn all(list: &[Credential]) -> Credentials {
    let mut credentials = Credentials::default();
    for credential in list {
        credentials.add(credential.clone(), Timestamp(i64::MAX)).unwrap();
    }
    credentials
}

fn put(store: &CredentialStore, new: &Credential) -> Told<()> {
    store.change(&Who::command_line(), |all| all.add(new.clone(), NOW).map(|()| ((), new.entry("keys create"))))
}

fn config() -> Config {
    let caller = |name: &str, mtls: &[&str], keys: &[(&str, Option<i64>)]| config::Caller {
        name: name.to_owned(),
        mtls: mtls.iter().map(|name| (*name).to_owned()).collect(),
        credentials: keys
            .iter()
            .map(|(key, expires)| config::Credential {
                sha256: KeyHash::of(key.as_bytes()).to_string(),
                expires: expires.map(Timestamp),
            })
            .collect(),
        owners: vec!["acme".to_owned()],
        ..config::Caller::default()
    };
    let callers = vec![
        caller("index", &["Bidder.Index.test"], &[("old", Some(1_001)), ("new", None)]),
        caller("other", &["other.test"], &[("gone", Some(1_000))]),
    ];
    Config { callers, ..Config::default() }
}

/// The name of whoever is meant.
fn asks(access: &Access, key: Option<&str>, names: &[&str]) -> Result<String, Refusal> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let shown = Shown { key: key.map(str::as_bytes), names: &names, loopback: true, certificate: None };
    access.bidder(&shown, NOW).map(|number| access.caller(number).unwrap().name.clone())
}

fn told(name: &str) -> Result<String, Refusal> {
    Ok(name.to_owned())
}

#[test]
fn a_key_wins_over_a_certificate_which_wins_over_the_place() {
    let access = Access::new(&config());
    assert_eq!(asks(&access, None, &[]), told("public"));
    assert_eq!(asks(&access, Some("old"), &[]), told("index"), "two are valid at once");
    assert_eq!(asks(&access, Some("new"), &[]), told("index"));
    assert_eq!(asks(&access, Some("new"), &["other.test"]), told("index"));
    assert_eq!(asks(&access, None, &["nobody.test", "bidder.index.test"]), told("index"));
    assert_eq!(asks(&access, None, &["nobody.test"]), told("public"));
    assert_eq!(asks(&access, Some("gone"), &["other.test"]), Err(Refusal::Expired), "not taken for none");
    for wrong in ["", "ol", "older", &"x".repeat(100_000)] {
        assert_eq!(asks(&access, Some(wrong), &["other.test"]), Err(Refusal::Unknown));
    }
    let elsewhere = access.bidder(&Shown::default(), NOW).unwrap();
    assert!(access.caller(elsewhere).unwrap().settings.owners.is_empty(), "nothing is public beyond loopback");
}

#[test]
fn the_public_sees_all_on_loopback_until_callers_are_told_apart() {
    let sees = |config: &Config, made: &Credentials| {
        let access = Access::with(config, made);
        [true, false].map(|loopback| {
            let number = access.bidder(&Shown { loopback, ..Shown::default() }, NOW).unwrap();
            access.caller(number).unwrap().sees("acme")
        })
    };
    let key = |role, revoked| {
        let owner = "acme".to_owned();
        all(&[Credential { role, revoked, ..made(&self::key(), &owner) }])
    };
    let (open, none) = (Config::default(), Credentials::default());
    assert_eq!(sees(&open, &none), [true, false]);
    assert_eq!(sees(&open, &key(Role::Planner, None)), [true, false], "a planner's key opens another door");
    assert_eq!(sees(&open, &key(Role::Bidder, None)), [false, false]);
    assert_eq!(sees(&open, &key(Role::Bidder, Some(NOW))), [true, false], "it was taken away");
    assert_eq!(sees(&config(), &none), [false, false]);
    let acme = config::Caller { owners: vec!["acme".to_owned()], ..config::Caller::default() };
    let said = Config { public: Some(acme), ..config() };
    assert_eq!(sees(&said, &key(Role::Bidder, None)), [true, true], "what the configuration says holds");
}

#[test]
fn made_keys_open_as_what_they_were_made() {
    let [own, rotated, lent, lost, planner, expired, revoked] = std::array::from_fn(|_| key());
    let access = Access::with(
        &config(),
        &all(&[
            made(&own, "acme"),
            made(&rotated, "acme"),
            Credential { caller: Some("index".to_owned()), ..made(&lent, "acme") },
            Credential { caller: Some("vanished".to_owned()), ..made(&lost, "acme") },
            Credential { role: Role::Planner, ..made(&planner, "acme") },
            Credential { expires: Some(NOW), ..made(&expired, "zeta") },
            Credential { revoked: Some(Timestamp(1)), ..made(&revoked, "zeta") },
        ]),
    );
    let asks = |key: &Key| asks(&access, Some(key.text()), &[]);
    assert_eq!(asks(&own), told("key:acme"));
    assert_eq!(asks(&rotated), told("key:acme"));
    assert_eq!(asks(&lent), told("index"));
    assert_eq!(asks(&lost), Err(Refusal::Unknown));
    assert_eq!(asks(&planner), Err(Refusal::NotABidder));
    assert_eq!(asks(&expired), Err(Refusal::Expired));
    assert_eq!(asks(&revoked), Err(Refusal::Unknown));
    assert_eq!(asks(&key()), Err(Refusal::Unknown));
    let names: Vec<&str> = access.callers.iter().map(|caller| caller.name.as_str()).collect();
    assert_eq!(names, ["public", "public", "index", "other", "key:acme", "key:zeta"]);
    assert!(access.callers[4].sees("acme") && !access.callers[4].sees("zeta"));
}

#[test]
fn a_hash_that_only_begins_alike_opens_nothing() {
    let shown = key();
    let digits = shown.hash().to_string();
    for wrong in [0, 15, 16, 62] {
        let mut near = digits.clone().into_bytes();
        near[wrong] = if near[wrong] == b'0' { b'1' } else { b'0' };
        let near = KeyHash::parse(&String::from_utf8(near).unwrap()).unwrap();
        assert_eq!(near.prefix() == shown.hash().prefix(), wrong >= 16);
        let other = Credential { sha256: near, ..made(&key(), "other") };
        let access = |list: &[Credential]| Access::with(&Config::default(), &all(list));
        assert_eq!(
            asks(&access(std::slice::from_ref(&other)), Some(shown.text()), &[]),
            Err(Refusal::Unknown),
            "{wrong}"
        );
        assert_eq!(asks(&access(&[other, made(&shown, "acme")]), Some(shown.text()), &[]), told("key:acme"));
    }
}

#[test]
fn two_keys_are_valid_at_once_and_no_third() {
    let mut credentials = Credentials::default();
    let [first, second, third] = std::array::from_fn(|_| key());
    let until = |key: &Key, expires| Credential { expires: Some(Timestamp(expires)), ..made(key, "acme") };
    credentials.add(until(&first, 2_000), NOW).unwrap();
    credentials.add(made(&second, "acme"), NOW).unwrap();
    let refused = credentials.add(made(&third, "acme"), NOW).unwrap_err();
    assert!(refused.message().contains(&format!("vaglio keys revoke {}", first.id())), "{refused}");
    assert_eq!(refused.exit_code(), 1);
    for other in [
        made(&key(), "other"),
        Credential { role: Role::Planner, ..made(&key(), "acme") },
        Credential { caller: Some("index".to_owned()), ..made(&key(), "acme") },
    ] {
        credentials.add(other, NOW).unwrap();
    }
    credentials.add(made(&third, "acme"), Timestamp(2_000)).unwrap();
    assert!(credentials.add(made(&key(), "acme"), Timestamp(2_000)).is_err());
    assert_eq!(credentials.revoke(second.id(), Timestamp(2_000)).unwrap().revoked, None);
    assert_eq!(credentials.revoke(second.id(), Timestamp(3_000)).unwrap().revoked, Some(Timestamp(2_000)));
    credentials.add(made(&key(), "acme"), Timestamp(2_000)).unwrap();
    let states: Vec<State> = credentials.all()[..2].iter().map(|made| made.state(Timestamp(2_000))).collect();
    assert_eq!(states, [State::Expired, State::Revoked]);
    let unknown = credentials.revoke("vaglio_secret", NOW).unwrap_err();
    assert!(!unknown.to_string().contains("secret") && unknown.to_string().contains("keys list"));
}

#[test]
fn there_is_always_room_for_taking_a_key_away() {
    let mut credentials = Credentials::default();
    let long = |owner: &str| Credential {
        comment: Some("\"".repeat(256)),
        mtls: Some("m".repeat(256)),
        ..made(&key(), owner)
    };
    let others = made(&key(), "other");
    credentials.add(others.clone(), NOW).unwrap();
    credentials.revoke(&others.id, NOW).unwrap();
    for _ in 0..2_000 {
        let new = long("acme");
        credentials.add(new.clone(), NOW).unwrap();
        credentials.revoke(&new.id, NOW).unwrap();
    }
    credentials.add(made(&key(), "acme"), NOW).unwrap();
    assert_eq!(credentials.all().len(), 201);
    assert_eq!(credentials.all()[0].id, others.id, "whoever makes many pushes out none of others");
    let log = crate::log::Control::Credentials(credentials.to_text().unwrap());
    log.encode(&mut Vec::new()).unwrap();
}

#[test]
fn a_certificate_s_name_stands_for_one_key_and_whose_is_not_told() {
    let named = |owner: &str| Credential { mtls: Some("a.test".to_owned()), ..made(&key(), owner) };
    let (mut credentials, first) = (Credentials::default(), named("acme"));
    credentials.add(first.clone(), NOW).unwrap();
    let [own, foreign] = ["acme", "other"].map(|owner| credentials.add(named(owner), NOW).unwrap_err().to_string());
    assert!(own.contains(&first.id) && !foreign.contains(&first.id), "{own} {foreign}");
}

#[test]
fn what_is_stored_reads_back_and_is_nobody_else_s() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let store = CredentialStore::of(&directory.path().join("deep/data"));
    assert_eq!(store.text().unwrap(), None);
    assert_eq!(store.read().unwrap(), Credentials::default());
    let key = key();
    let full = Credential {
        role: Role::Operator,
        caller: None,
        expires: Some(Timestamp(2_000)),
        comment: Some("\"quoted\" and ünïcode".to_owned()),
        ..made(&key, "*")
    };
    put(&store, &full).unwrap();
    assert_eq!(store.read().unwrap().all(), [full]);
    let refused: Told<()> = store.change(&Who::command_line(), |_| Err(crate::error::Error::input("no")));
    assert!(refused.is_err() && store.read().unwrap().all().len() == 1);
    let mut text = String::new();
    for file in std::fs::read_dir(directory.path().join("deep/data/log/control")).unwrap().map(Result::unwrap) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        text += &String::from_utf8_lossy(&std::fs::read(file.path()).unwrap());
    }
    assert!(!text.contains(&key.text()[16..]) && text.contains(&key.hash().to_string()));
}

#[test]
fn changes_at_the_same_time_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path: &Path = directory.path();
    std::thread::scope(|scope| {
        for owner in 0..16 {
            scope.spawn(move || {
                let new = made(&key(), &format!("owner{owner}"));
                put(&CredentialStore::of(path), &new).unwrap();
            });
        }
    });
    assert_eq!(CredentialStore::of(path).read().unwrap().all().len(), 16);
}

#[test]
fn the_file_of_an_earlier_version_is_taken_in_once() {
    let directory = tempfile::tempdir().unwrap();
    let (file, aside) = ("credentials.json", "credentials.json.imported");
    let (file, aside) = (directory.path().join(file), directory.path().join(aside));
    let old = made(&key(), "acme");
    let text = serde_json::json!({"format": 1, "credentials": [old]}).to_string();
    std::fs::write(&file, &text).unwrap();
    let store = CredentialStore::of(directory.path());
    assert_eq!(store.text().unwrap(), Some(text.clone()), "it is read before it is taken in");
    let new = made(&key(), "other");
    put(&store, &new).unwrap();
    assert_eq!(store.read().unwrap().all(), [old.clone(), new.clone()]);
    assert_eq!((file.exists(), std::fs::read_to_string(&aside).unwrap()), (false, text.clone()));
    std::fs::write(&file, &text).unwrap();
    for told in [store.read().map(drop), store.change(&Who::command_line(), |_| Ok(((), Entry::default())))] {
        let told = told.unwrap_err().to_string();
        assert!(told.contains("remove it") && told.contains("log/control"), "{told}");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(CredentialStore::of(directory.path()).read().unwrap().all(), [old, new]);
}

#[test]
fn taking_the_file_in_may_be_cut_short() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials.json");
    let old = made(&key(), "acme");
    let text = serde_json::json!({"format": 1, "credentials": [old]}).to_string();
    std::fs::write(&file, &text).unwrap();
    let mut log = crate::log::ControlLog::open(&directory.path().join("log/control")).unwrap();
    log.append(&crate::log::Control::Credentials(text)).unwrap();
    let store = CredentialStore::of(directory.path());
    assert_eq!(store.read().unwrap().all(), std::slice::from_ref(&old));
    store.change(&Who::command_line(), |_| Ok(((), Entry::default()))).unwrap();
    assert!(!file.exists() && store.read().unwrap().all() == [old]);
}

#[test]
fn every_mistake_in_what_is_stored_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = CredentialStore::of(directory.path());
    let refused = |text: &str| store.parse(Some(text)).unwrap_err().to_string();
    for (text, words) in [
        ("", "is not JSON"),
        ("{\"format\": 1, \"credentials\": [", "is not JSON"),
        ("{\"format\": 2, \"credentials\": []}", "`format` is 2"),
        ("[]", "`format` is null"),
        ("{\"format\": 1}", "`credentials` is not a list"),
    ] {
        let text = refused(text);
        assert!(text.contains(words) && text.contains("log/control"), "{words}: {text}");
    }
    let good = serde_json::to_value(made(&key(), "acme")).unwrap();
    let wrong = |field: &str, value: &str| {
        let mut entry = serde_json::to_value(made(&key(), "acme")).unwrap();
        entry[field] = value.into();
        entry
    };
    let list = serde_json::json!({"format": 1, "credentials": [
        good, wrong("id", "XYZ"), wrong("sha256", "vaglio_secret"), wrong("owner", ""), wrong("role", "king"),
        wrong("expires", "soon"), wrong("colour", "red"), good, wrong("sha256", good["sha256"].as_str().unwrap()),
    ]});
    let text = refused(&list.to_string());
    for (at, words) in [
        (1, "`id`"),
        (2, "`sha256` is not"),
        (3, "`owner`"),
        (4, "king"),
        (5, "soon"),
        (6, "colour"),
        (7, "stands there twice"),
        (8, "stands there twice"),
    ] {
        assert!(text.lines().any(|line| line.contains(&format!("[{at}]")) && line.contains(words)), "{at}: {text}");
    }
    assert!(!text.contains("vaglio_secret"), "{text}");
}

#[test]
fn audiences_that_are_not_there_are_told_with_the_caller() {
    let mut config = config();
    config.callers[0].audiences = vec!["acme/a".to_owned(), "acme/b".to_owned()];
    config.callers[1].external_ids.insert("acme/c".to_owned(), "c".to_owned());
    let access = Access::new(&config);
    let unknown: Vec<_> = access.unknown_audiences(|id| id == "acme/a").into_iter().collect();
    assert_eq!(unknown, [("index", "acme/b"), ("other", "acme/c")]);
}

#[test]
fn the_planners_port_asks_for_a_role_once_there_is_a_key() {
    let here = Shown { loopback: true, ..Shown::default() };
    let open = Access::new(&Config::default());
    for role in Role::ALL {
        assert_eq!(open.may(&here, &[role], NOW).map(|who| who.name), Ok("loopback".to_owned()));
        assert_eq!(open.may(&Shown::default(), &[role], NOW), Err(Refusal::Missing));
    }
    let (sends, private) = (key(), key());
    let credentials = all(&[
        Credential { role: Role::Ingest, ..made(&sends, "acme") },
        Credential { role: Role::Privacy, expires: Some(NOW), ..made(&private, "*") },
    ]);
    let access = Access::with(&Config::default(), &credentials);
    let shows = |key: &Key, role| access.may(&Shown { key: Some(key.text().as_bytes()), ..here }, &[role], NOW);
    let who = shows(&sends, Role::Ingest).unwrap();
    assert!(who.name == sends.id() && who.sees("acme") && !who.sees("other"));
    assert_eq!(shows(&sends, Role::Privacy), Err(Refusal::OtherRole));
    assert_eq!(shows(&private, Role::Privacy), Err(Refusal::Expired));
    assert_eq!(shows(&key(), Role::Ingest), Err(Refusal::Unknown));
    assert_eq!(access.may(&here, roles::INGEST, NOW), Err(Refusal::Missing));
    let lost = all(&[Credential { caller: Some("vanished".to_owned()), ..made(&key(), "acme") }]);
    let access = Access::with(&Config::default(), &lost);
    assert_eq!(access.may(&here, roles::PEOPLE, NOW), Err(Refusal::Missing), "a key that opens nothing is one");
}
