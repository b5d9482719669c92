//! Who may do what at the planner's port: every operation of the served description is asked with every role, of every kind of
//! owner, by key and by session, without a key and with a wrong one; and what belongs to another owner answers as what does not exist.

#![allow(clippy::unwrap_used)] // a test fails by panicking

#[allow(dead_code, reason = "shared with the doors' tests")]
#[path = "doors/client.rs"]
mod client;
#[path = "roles/samples.rs"]
mod samples;
#[allow(dead_code, reason = "shared with the doors' tests")]
#[path = "doors/world.rs"]
mod world;

use client::{Answer, Client, request};
use samples::{Operation, operations};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use vaglio::access::{Credential, CredentialStore, Entry, Key, Origin, Role, Who};
use vaglio::schema::Timestamp;
use vaglio::server::Server;
use world::World;

const OWNERS: [&str; 3] = ["*", "acme", "other"];
/// Definitions of two owners, of the same names as in the generation.
const DEFINITIONS: &str = "audiences:
  - { id: gamers, owner: acme, kind: target, list: true }
  - { id: fans, owner: other, kind: target, list: true }
campaigns:
  - { id: upgrade, owner: other, status: active, include: [fans] }
";
/// What `other` has, and what nobody has: as long, so that nothing else differs.
const FOREIGN: [(&str, &str, &str); 2] = [("audiences", "fans", "fanz"), ("campaigns", "upgrade", "upgradz")];

struct Scene {
    world: World,
    server: Server,
    keys: BTreeMap<(&'static str, &'static str), String>,
    /// Of each key the cookie of a session.
    sessions: BTreeMap<String, String>,
    wrong: Vec<String>,
}

impl Scene {
    fn new() -> Scene {
        let world = World::new("definitions: [\"defs.yaml\"]\n");
        std::fs::write(world.path().join("defs.yaml"), DEFINITIONS).unwrap();
        let store = CredentialStore::of(&world.data());
        let mut keys = BTreeMap::new();
        for owner in OWNERS {
            for role in Role::ALL {
                keys.insert((owner, role.name()), hand_out(&store, owner, role));
            }
        }
        let server = world.ready();
        let sessions = keys.values().map(|key| (key.clone(), sign_in(server.addresses().planner, key))).collect();
        Scene { world, server, keys, sessions, wrong: Vec::new() }
    }

    fn address(&self) -> SocketAddr {
        self.server.addresses().planner
    }

    fn ask(&self, operation: &Operation, path: &str, key: Option<&str>) -> Answer {
        let authorization = key.map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
        self.send(operation, path, &authorization)
    }

    /// Somebody who signed in with the key, as a browser asks for our own page.
    fn ask_by_session(&self, operation: &Operation, path: &str, key: &str) -> Answer {
        self.send(operation, path, &format!("cookie: {}\r\nsec-fetch-site: same-origin\r\n", self.sessions[key]))
    }

    fn send(&self, operation: &Operation, path: &str, authorization: &str) -> Answer {
        let headers = format!("{authorization}{}connection: close\r\n", operation.content_type());
        let mut client = Client::connect(self.address());
        client.send(&request(&operation.method.to_uppercase(), path, &headers, &operation.body));
        client.receive().unwrap()
    }

    /// Notes what is not as it must be.
    fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    fn done(self) {
        assert!(self.wrong.is_empty(), "{} mistakes:\n{}", self.wrong.len(), self.wrong.join("\n"));
        self.server.shutdown();
        assert!(self.world.path().exists());
    }
}

/// The client's headers are in lower case, and a cookie is not: so this reads what comes itself.
fn sign_in(address: SocketAddr, key: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let body = format!("{{\"key\":\"{key}\"}}");
    stream.write_all(request("POST", "/api/v1/session", "connection: close\r\n", &body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap_or_else(|| panic!("{answer}"));
    set.split(';').next().unwrap().to_owned()
}

fn hand_out(store: &CredentialStore, owner: &str, role: Role) -> String {
    let key = Key::random().unwrap();
    let made = Credential {
        id: key.id().to_owned(),
        sha256: key.hash(),
        role,
        owner: owner.to_owned(),
        caller: None,
        created: Timestamp(0),
        expires: None,
        revoked: None,
        comment: None,
        mtls: None,
        origin: Origin::Made,
    };
    let add = |all: &mut vaglio::access::Credentials| all.add(made, Timestamp(0)).map(|()| ((), Entry::default()));
    store.change(&Who::command_line(), add).unwrap();
    key.text().to_owned()
}

/// What a key of one owner is told where everybody is concerned, or where it names another owner.
fn concerns_others(answer: &Answer) -> bool {
    answer.status == 403 && answer.body.contains("the key is for owner `")
}

#[test]
fn every_operation_lets_in_whom_it_names_and_nobody_else() {
    let mut scene = Scene::new();
    let operations = operations(scene.address());
    assert!(operations.len() >= 10, "{}", operations.len());
    // Signing in asks for no right but for a key in the body; signing out takes away what is asked with here (tests/session).
    for operation in operations.iter().filter(|operation| operation.path != "/api/v1/session") {
        let Operation { method, path, roles, open, .. } = operation;
        let at = operation.sample("audiences", "acme", "gamers");
        let asked =
            scene.keys.clone().into_iter().flat_map(|asked| [true, false].map(|by_key| (asked.clone(), by_key)));
        for (((owner, role), key), by_key) in asked {
            let answer =
                if by_key { scene.ask(operation, &at, Some(&key)) } else { scene.ask_by_session(operation, &at, &key) };
            let refused = matches!(answer.status, 401 | 403);
            let named = roles.iter().any(|named| named == role);
            let right = match (named, refused) {
                (true, refused) => !refused || (owner != "*" && concerns_others(&answer)),
                (false, _) => answer.status == 403 || *open,
            };
            scene.expect(right, || {
                let should = if named { "should be let in" } else { "should be refused with 403" };
                let by = if by_key { "key" } else { "session" };
                format!("{method} {path}: {role} of {owner} by {by} {should}: {} {}", answer.status, answer.body)
            });
        }
        let wrong = format!("vaglio_00000000_{}", "x".repeat(43));
        for (what, key) in [("no key", None), ("a wrong key", Some(wrong.as_str())), ("an empty key", Some(""))] {
            let answer = scene.ask(operation, &at, key);
            scene.expect(answer.status == 401 || *open, || {
                format!("{method} {path}: {what} should be refused with 401: {} {}", answer.status, answer.body)
            });
            scene.expect(*open || answer.headers.contains("content-type: application/problem+json"), || {
                format!("{method} {path}: {what}: no problem+json: {}", answer.headers)
            });
        }
    }
    scene.done();
}

#[test]
fn what_is_another_owner_s_answers_as_what_is_not_there() {
    let mut scene = Scene::new();
    let operations = operations(scene.address());
    let is_there = operations.iter().filter(|it| it.method == "get" && it.path.ends_with("{owner}/{id}")).any(|it| {
        FOREIGN.iter().all(|(kind, id, _)| {
            let key = scene.keys[&("other", "planner")].as_str();
            scene.ask(it, &it.sample(kind, "other", id), Some(key)).status == 200
        })
    });
    scene.expect(is_there, || "its owner cannot see it either, so nothing is shown here".to_owned());
    for operation in operations.iter().filter(|operation| operation.path.contains("{id}")) {
        let Operation { method, path, roles, .. } = operation;
        let mut pairs = FOREIGN.map(|(kind, there, gone)| (kind, there.to_owned(), gone.to_owned())).to_vec();
        if path.starts_with("/api/v1/keys/") {
            // The id of another owner's key, and one of nobody's.
            let foreign = scene.keys[&("other", "planner")][7..15].to_owned();
            pairs = vec![("keys", foreign, "0123abcd".to_owned())];
        }
        for role in roles {
            let Some(key) = scene.keys.get(&("acme", role.as_str())).cloned() else { continue };
            for (kind, there, gone) in &pairs {
                let told = |id: &str| {
                    let answer = scene.ask(operation, &operation.sample(kind, "other", id), Some(&key));
                    (answer.status, answer.body.replace(id, "ID"))
                };
                let (foreign, nobodys) = (told(there), told(gone));
                scene.expect(foreign == nobodys, || {
                    format!("{method} {path} ({kind} {there}): {role} of acme: {foreign:?}, and where nothing is: {nobodys:?}")
                });
                scene.expect(foreign.0 >= 400, || {
                    format!("{method} {path} ({kind} {there}): {role} of acme: {foreign:?}")
                });
            }
        }
    }
    scene.done();
}
