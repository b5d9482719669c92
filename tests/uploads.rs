//! Files of who is on a list, sent to a real server: who is on it at the next bid, and in the generations after.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[allow(dead_code, reason = "another test uses the rest")]
#[path = "live_fold/world.rs"]
mod world;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use vaglio::log::{Record, Said, Stay, Which, read};
use vaglio::schema::{Generation, Offset};
use vaglio::server::{Options, Server};
use world::World;

const LISTS: &str = "  - { id: blocked, name: Blocked, kind: suppress, owner: acme, list: true }
  - { id: theirs, name: Theirs, kind: target, owner: other, list: true }
";

fn ask(address: SocketAddr, path: &str, headers: &str, body: &[u8]) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}")))
}

struct Running {
    server: Server,
}

impl Running {
    fn start(world: &World, generation: Generation) -> Running {
        let mut loaded = world.loaded();
        let server = &mut loaded.config.server;
        (server.max_queue_ms, server.max_age_seconds) = (0, 10_000_000);
        for port in [&mut server.grpc, &mut server.http, &mut server.planner] {
            *port = "127.0.0.1:0".parse().unwrap();
        }
        let options = Options { build: false, poll: Duration::from_millis(10), ..Options::default() };
        let server = Server::start(loaded, options).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while server.doors().live.load().served.as_ref().map(|served| served.generation()) != Some(generation) {
            assert!(Instant::now() < until, "generation {generation} does not come into service");
            std::thread::sleep(Duration::from_millis(5));
        }
        Running { server }
    }

    fn upload(&self, list: &str, query: &str, body: &[u8]) -> (u16, Value) {
        let path = format!("/api/v1/lists/{list}/members{query}");
        ask(self.server.addresses().planner, &path, "", body)
    }

    /// As [`Running::upload`], of what is taken.
    fn taken(&self, list: &str, query: &str, body: &[u8]) -> Value {
        let (status, answer) = self.upload(list, query, body);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn is_on(&self, list: &str, cookie: &str) -> bool {
        let ask_for = json!({"eids": [{"source": "pubcid.org", "uid": cookie}]});
        let (_, answer) = ask(self.server.addresses().http, "/v1/lookup", "", ask_for.to_string().as_bytes());
        answer["audiences"].as_array().is_some_and(|all| all.contains(&json!(list)))
    }

    fn on_vip(&self) -> [bool; 4] {
        ["ann-cookie", "bob-cookie", "carl-cookie", "new-cookie"].map(|cookie| self.is_on("acme/vip", cookie))
    }
}

fn world() -> World {
    let world = World::new();
    let file = world.path().join("audiences.yaml");
    let definitions = std::fs::read_to_string(&file).unwrap() + LISTS;
    std::fs::write(file, definitions).unwrap();
    let at = world.now - 4 * 86_400;
    let crm = ["ann", "bob", "carl"].map(|name| format!("{name},{name}-cookie,{at},basic,30,"));
    world.files(&BTreeMap::from([("crm", crm.to_vec()), ("vip", vec![format!("carl,{at},,")])]));
    world
}

/// The memberships of a list in the log: how long each stays.
fn stays(world: &World, wanted: &str) -> Vec<Stay> {
    let mut stays = Vec::new();
    read(&world.events(), Offset(0), Which::All, &mut |_, bytes| {
        if let Said::Membership { list, stay } = Record::decode(bytes)?.said
            && list == wanted
        {
            stays.push(stay);
        }
        Ok(())
    })
    .unwrap();
    stays
}

fn holds(folder: &Path, text: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, text);
        }
        std::fs::read(path).unwrap().windows(text.len()).any(|window| window == text)
    })
}

#[test]
fn a_file_is_in_force_at_the_next_bid_and_stays_so() {
    let world = world();
    let built = world.build();
    let running = Running::start(&world, built.generation);
    assert_eq!(running.on_vip(), [false, false, true, false], "carl by the source");

    let added = running.taken("acme/vip", "", b"source,uid\ncrm,ann\r\n\npubcid.org,new-cookie\ncrm,\nfax,1\n");
    let counts = |answer: &Value| {
        ["lines", "joined", "removed", "matched", "unmatched", "rejected"].map(|name| answer[name].as_u64().unwrap())
    };
    assert_eq!(counts(&added), [4, 2, 0, 1, 1, 2], "{added}");
    assert_eq!(added["by_type"]["crm"], json!({"matched": 1, "unmatched": 0, "rejected": 0}), "{added}");
    assert_eq!(added["rejects"][0]["line"], 5, "{added}");
    assert_eq!(running.on_vip(), [true, false, true, true]);
    assert_eq!(stays(&world, "acme/vip"), [Stay::Minutes(30 * 1_440); 2]);
    assert!(!holds(&world.data(), b"new-cookie"), "an identifier is in a file");

    // Ann by another of her identifiers, the new one by the same, carl; somebody else, whom the source has on the list, leaves.
    let kept = b"source,uid\npubcid.org,ann-cookie\npubcid.org,new-cookie\ncrm,carl\n";
    let told = running.taken("acme/vip", "?mode=replace&dry_run=true", kept);
    assert_eq!(counts(&told), [3, 3, 1, 2, 1, 0], "{told}");
    let told = running.taken("acme/vip", "?mode=replace&dry_run=true&type=crm", b"{\"uid\":\"bob\"}\n");
    assert_eq!(counts(&told), [1, 1, 4, 1, 0, 0], "{told}");
    assert_eq!(running.on_vip(), [true, false, true, true], "a dry run does nothing");

    let (status, refused) = running.upload("acme/vip", "?mode=replace&type=crm", b"{\"uid\":\"bob\"}\n{\"uid\":7.5}\n");
    assert_eq!((status, &refused["errors"][0]["line"]), (400, &json!(2)), "{refused}");
    assert_eq!(running.on_vip(), [true, false, true, true], "a file with a mistake replaces nobody");

    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"crm\nbob\n").unwrap();
    let replaced = running.taken("acme/vip", "?mode=replace&ttl_days=180", &gzip.finish().unwrap());
    assert_eq!(counts(&replaced), [1, 1, 4, 1, 0, 0], "{replaced}");
    assert_eq!(running.on_vip(), [false, true, false, false]);

    // What comes later wins, also within a second; and the other way round.
    running.taken("acme/vip", "?mode=remove", b"crm\nbob\n");
    running.taken("acme/vip", "", b"{\"eid\":{\"source\":\"pubcid.org\",\"id\":\"ann-cookie\"},\"segments\":[{\"code\":\"vip\",\"expiration\":0}]}");
    running.taken("acme/vip", "", b"type,id,expiration\ncrm,carl,60\ncrm,carl,-1\n");
    assert_eq!(running.on_vip(), [true, false, false, false]);
    assert_eq!(stays(&world, "acme/vip").iter().filter(|stay| **stay == Stay::Minutes(180 * 1_440)).count(), 2);

    assert!(running.server.shutdown());
    let rebuilt = world.build();
    let running = Running::start(&world, rebuilt.generation);
    assert_eq!(running.on_vip(), [true, false, false, false], "after a build");
    // Whoever joined by a door and is in the generation by now leaves like everybody.
    let replaced = running.taken("acme/vip", "?mode=replace", b"source,uid\npubcid.org,new-cookie\n");
    assert_eq!(counts(&replaced)[..3], [1, 1, 1], "{replaced}");
    assert_eq!(running.on_vip(), [false, false, false, true]);
    assert!(running.server.shutdown());
}

#[test]
fn what_is_asked_wrongly_is_refused_and_changes_nothing() {
    let world = world();
    let built = world.build();
    let running = Running::start(&world, built.generation);
    let body = b"crm\nann\n";
    let absent = running.upload("acme/nothing", "", body);
    assert_eq!(absent.0, 404);
    assert_eq!(running.upload("acme/gold", "", body), absent, "a rule has no members of its own");
    for query in ["?mode=all", "?ttl_days=181", "?ttl_days=0", "?colour=red", "?dry_run=perhaps"] {
        assert_eq!(running.upload("acme/vip", query, body).0, 400, "{query}");
    }
    for wrong in [&b"colour\nred\n"[..], b"\x1f\x8bthis is no gzip", b"source\ncrm\n"] {
        assert_eq!(running.upload("acme/vip", "", wrong).0, 400);
    }
    let long = running.taken("acme/vip", "", b"crm,ttl_minutes,segment\nann,259201,vip\nann,,other\nann,soon,vip\n");
    assert_eq!((&long["rejected"], &long["joined"]), (&json!(3), &json!(0)), "{long}");
    assert_eq!(running.taken("acme/vip", "", b"")["lines"], 0);
    assert_eq!(running.on_vip(), [false, false, true, false]);

    // A suppress list keeps people without end, or as long as the file says.
    let suppressed = running.taken("acme/blocked", "", b"crm,ttl_minutes\nann,\nbob,999999\n");
    assert_eq!(suppressed["joined"], 2, "{suppressed}");
    assert_eq!(stays(&world, "acme/blocked"), [Stay::ByDefault, Stay::Minutes(999_999)]);
    assert!(stays(&world, "acme/vip").is_empty());

    let form = "content-type: multipart/form-data; boundary=XX\r\n";
    let file =
        b"--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\ncrm\nann\n\r\n--XX--\r\n";
    let (status, answer) = ask(running.server.addresses().planner, "/api/v1/lists/acme/vip/members", form, file);
    assert_eq!((status, &answer["joined"]), (200, &json!(1)), "{answer}");
    assert_eq!(running.on_vip(), [true, false, true, false]);
    assert!(running.server.shutdown());
}

#[test]
fn no_answer_and_no_file_quotes_an_identifier() {
    let world = world();
    let built = world.build();
    let running = Running::start(&world, built.generation);
    // Columns swapped, an address in the header, broken ones, one that is a list's name.
    for body in [
        &b"source,uid\nann.secret@example.com,crm\n"[..],
        b"email,segment\nann.secret@example.com,ann.secret@example.com\nann.secret@,vip\n",
        b"ann.secret@example.com\n1\n",
        b"crm,ttl_minutes,remove\nann,ann.secret@example.com,\nann,,ann.secret@example.com\n",
        b"{\"uid\":{\"ann.secret@example.com\":1}}\n{\"type\":\"ann.secret@example.com\",\"uid\":\"crm\"}\n{\"ann.secret@example.com\":\"crm\"}",
    ] {
        for query in ["", "?mode=replace", "?dry_run=true"] {
            let (_, answer) = running.upload("acme/vip", query, body);
            assert!(!answer.to_string().contains("secret"), "{answer}");
        }
    }
    assert!(running.server.shutdown());
    assert!(!holds(&world.data(), b"ann.secret"), "an identifier is in a file");
}

#[test]
fn an_identifier_that_is_named_twice_counts_once() {
    let world = world();
    let built = world.build();
    let running = Running::start(&world, built.generation);
    let body = b"crm,ttl_minutes\nann,-1\nbob,60\nann,70\nnobody,5\nbob,-1\nann,80\nnobody,6\n";
    for query in ["?dry_run=true", ""] {
        let told = running.taken("acme/vip", query, body);
        let counts = ["lines", "joined", "removed", "repeated", "matched", "unmatched", "rejected"];
        assert_eq!(counts.map(|name| told[name].as_u64().unwrap()), [7, 2, 1, 4, 2, 1, 0], "{told}");
        assert_eq!(told["by_type"]["crm"], json!({"matched": 2, "unmatched": 1, "rejected": 0}));
    }
    assert_eq!(running.on_vip(), [true, false, true, false]);
    let mut said = stays(&world, "acme/vip");
    said.sort_by_key(|stay| if let Stay::Minutes(minutes) = stay { *minutes } else { 0 });
    assert_eq!(said, [Stay::Ends, Stay::Minutes(6), Stay::Minutes(80)]);
    assert!(running.server.shutdown());
}

/// The clock of a process can only be moved from outside, so the test proper runs in a child process.
#[cfg(feature = "faults")]
#[test]
fn who_joins_for_minutes_leaves_when_they_are_over() {
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    std::fs::write(&clock, "0").unwrap();
    let inside = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "inside", "--ignored", "--nocapture"])
        .env("FAULTS_CLOCK", &clock)
        .status()
        .unwrap();
    assert!(inside.success(), "see above");
}

#[cfg(feature = "faults")]
#[test]
#[ignore = "run by who_joins_for_minutes_leaves_when_they_are_over"]
fn inside() {
    let clock = std::path::PathBuf::from(std::env::var_os("FAULTS_CLOCK").unwrap());
    let world = world();
    let built = world.build();
    let running = Running::start(&world, built.generation);
    running.taken("acme/vip", "", b"crm,ttl_minutes\nann,2\nbob,10\ncarl,2\n");
    assert_eq!(running.on_vip(), [true, true, true, false]);
    let becomes = |seconds: i64, expected: [bool; 4]| {
        std::fs::write(&clock, seconds.to_string()).unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while running.on_vip() != expected {
            assert!(Instant::now() < until, "{:?} after {seconds} seconds", running.on_vip());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    // Carl by the source without end before; what is said last counts, and it was for two minutes.
    becomes(4 * 60, [false, true, false, false]);
    // Renewed for longer; a shorter word that comes later counts too.
    running.taken("acme/vip", "", b"crm,ttl_minutes\nann,30\nbob,4\n");
    assert_eq!(running.on_vip(), [true, true, false, false]);
    becomes(9 * 60, [true, false, false, false]);
    // Ann leaves, and whom the source has on the list; whose time is over does not leave once more.
    let replaced = running.taken("acme/vip", "?mode=replace", b"crm\nbob\n");
    assert_eq!((&replaced["joined"], &replaced["removed"]), (&json!(1), &json!(2)), "{replaced}");
    assert_eq!(running.on_vip(), [false, true, false, false]);
    assert!(running.server.shutdown());
}
