//! `POST /api/v1/events`.

use crate::client::{Client, request};
use crate::port::{Place, With, holds, line, of_type};
use flate2::Compression;
use flate2::read::GzEncoder;
use serde_json::json;
use std::io::Read;
use std::time::{Duration, Instant};
use vaglio::access::{Key, Role};
use vaglio::schema::Scope;

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    GzEncoder::new(plain, Compression::fast()).read_to_end(&mut compressed).unwrap();
    compressed
}

#[test]
fn lines_are_taken_once_also_after_a_restart() {
    let place = Place::new();
    let port = place.start(&With::default());
    let body = format!("{}\n\n{}\r\n{}\n", line("a"), line("b"), line("a"));
    let said = port.ask("/api/v1/events?results=all", "", body.as_bytes());
    assert_eq!(said.status, 200, "{said:?}");
    let results = json!([
        { "line": 1, "status": "accepted", "offset": 0 },
        { "line": 3, "status": "accepted", "offset": 1 },
        { "line": 4, "status": "duplicate" }
    ]);
    assert_eq!(said.json(), json!({ "accepted": 2, "duplicate": 1, "rejected": 0, "results": results }));
    assert_eq!(place.records(), 2);
    drop(port);

    let port = place.start(&With::default());
    let said = port.post(&format!("{}\n{}", line("b"), line("c")));
    assert_eq!(said.json(), json!({ "accepted": 1, "duplicate": 1, "rejected": 0, "results": [] }));
    assert_eq!(place.records(), 3);
    let scrape = port.metrics();
    for expected in ["vaglio_events_total{outcome=\"accepted\"} 1", "vaglio_event_ids 3", "vaglio_events_end 3"] {
        assert!(scrape.contains(expected), "{expected} is not in {scrape}");
    }
}

#[test]
fn wrong_lines_are_told_and_the_others_taken() {
    let place = Place::new();
    let port = place.start(&With::default());
    let wrong = line("w").replace("device_broken", "device_brokn");
    let said = port.post(&format!("{}\nnonsense\n{wrong}\n{}", line("a"), line("b"))).json();
    assert_eq!((&said["accepted"], &said["rejected"]), (&json!(2), &json!(2)), "{said}");
    assert_eq!(said["results"][0]["line"], 2);
    assert_eq!(said["results"][1]["reason"], "there is no event `device_brokn`; did you mean `device_broken`?");
    assert_eq!(port.post("").json()["accepted"], 0);
}

#[test]
fn ten_thousand_lines_come_compressed() {
    let place = Place::new();
    let port = place.start(&With::default());
    let body: String = (0..10_000).map(|n| line(&format!("n{n}")) + "\n").collect();
    let said = port.ask("/api/v1/events", "content-encoding: gzip\r\n", &gzip(body.as_bytes()));
    assert_eq!(said.json(), json!({ "accepted": 10_000, "duplicate": 0, "rejected": 0, "results": [] }));
    let said = port.post(&body);
    assert_eq!(said.json()["duplicate"], 10_000);
    assert_eq!(place.records(), 10_000);
}

#[test]
fn bodies_are_bounded_and_must_be_what_they_say() {
    let place = Place::new();
    let port = place.start(&With::default());
    let bomb = gzip(&vec![b' '; 64 << 20]);
    for (headers, body, status, code) in [
        ("content-encoding: gzip\r\n", &bomb[..], 413, "too_large"),
        ("content-encoding: gzip\r\n", b"plain", 400, "invalid_argument"),
        ("content-encoding: br\r\n", b"plain", 415, "unsupported_media_type"),
    ] {
        let said = port.ask("/api/v1/events", headers, body);
        assert_eq!((said.status, said.json()["code"].as_str()), (status, Some(code)), "{said:?}");
        assert!(said.json()["help"].is_string());
    }
    let many = gzip(&b"x\n".repeat(200_001));
    let said = port.ask("/api/v1/events", "content-encoding: gzip\r\n", &many);
    assert!(said.status == 413 && said.body.contains("200000 lines"), "{}", &said.body[..200.min(said.body.len())]);
    assert_eq!(port.ask("/api/v1/events?result=all", "", b"").status, 400);
    let mut client = Client::connect(port.address);
    client.send(&request("GET", "/api/v1/events", "", ""));
    assert_eq!(client.receive().unwrap().status, 405);
    assert_eq!(crate::client::get(port.address, "/nowhere").status, 404);
}

#[test]
fn no_raw_identifier_reaches_a_file() {
    let place = Place::new();
    let port = place.start(&With::default());
    let address = "anna.unique@example.com";
    let sent = line("a").replace(r#""source":"crm","uid":"c1""#, &format!(r#""source":"email","uid":"{address}""#));
    assert_eq!(port.post(&sent).json()["accepted"], 1);
    assert!(holds(place.path(), "device_broken"), "the search finds what is there");
    assert!(!holds(place.path(), address) && !holds(place.path(), "anna.unique"));
}

#[test]
fn objections_are_taken_before_everything_else_and_where_nothing_else_is() {
    let objection = of_type("o", "objection", r#","scope":"marketing""#);
    for (top, ingest, why) in
        [("as_of: 2026-11-20", "", "the clock stands still"), ("", "  enabled: false\n", "`ingest.enabled` is false")]
    {
        let place = Place::new();
        let port = place.start(&With { top, ingest, ..With::default() });
        let said = port.post(&line("a"));
        assert_eq!(said.status, 409);
        assert!(said.json()["detail"].as_str().unwrap().contains(why), "{said:?}");
        assert_eq!(port.post(&format!("{objection}\n{}", line("a"))).status, 409);
        assert!(port.objected.lock().is_empty(), "nothing of a batch that is refused");
        assert_eq!(port.post(&objection).json()["accepted"], 1, "{top}{ingest}");
        assert_eq!(port.objected.lock()[0].scope, Scope::Marketing);
    }
}

#[test]
fn a_full_queue_says_come_back_and_takes_nothing() {
    let place = Place::new();
    let port = place.start(&With { ingest: "  queue_bytes: 1048576\n", ..With::default() });
    let held = port.slow.lock();
    let large: String = (0..6_000).map(|n| line(&format!("n{n}")) + "\n").collect();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| port.post(&large));
        let began = Instant::now();
        while port.intake.as_ref().unwrap().state().queued_bytes == 0 {
            assert!(began.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(5));
        }
        let refused = port.post(&large.replace("{\"id\":\"n", "{\"id\":\"m"));
        assert_eq!(refused.status, 429, "{}", &refused.body[..200.min(refused.body.len())]);
        assert!(refused.headers.contains("retry-after: 1\n"), "{}", refused.headers);
        drop(held);
        assert_eq!(first.join().unwrap().json()["accepted"], 6_000);
    });
    assert_eq!(place.records(), 6_000);
    assert!(port.metrics().contains("vaglio_event_requests_refused_total 1"));
}

#[test]
fn an_objection_is_heard_while_too_much_is_being_sent() {
    let place = Place::new();
    let port = place.start(&With { ingest: "  queue_bytes: 1048576\n", ..With::default() });
    let (mut held, since) = (Vec::new(), Instant::now());
    let mut hold = |size: usize| {
        let mut client = Client::connect(port.address);
        let head = request("POST", "/api/v1/events", "", "").replace("content-length: 0", "content-length: 2000000");
        client.send_bytes(&[head.as_bytes(), &vec![b'\n'; size]].concat());
        held.push(client);
    };
    // Bodies that never end, of every size, until there is room for none: they are read by and by, so that is asked.
    (0..16).for_each(|_| hold(1 << 10));
    for (size, least) in [(1 << 20, 32), (64 << 10, 0), (9 << 10, 0)] {
        (0..least).for_each(|_| hold(size));
        while port.post(&" ".repeat(size)).status != 429 {
            assert!(since.elapsed() < Duration::from_secs(60), "there is room still");
            hold(size);
        }
    }
    let said = port.post(&of_type("o", "objection", r#","scope":"all""#));
    assert_eq!((said.status, port.objected.lock().len()), (200, 1), "{said:?}");
}

#[test]
fn once_there_are_keys_a_key_of_the_role_is_needed() {
    let (sends, bids) = (Key::random().unwrap(), Key::random().unwrap());
    let place = Place::new();
    let port = place.start(&With { keys: &[(&sends, Role::Ingest), (&bids, Role::Bidder)], ..With::default() });
    let with =
        |key: &str| port.ask("/api/v1/events", &format!("authorization: Bearer {key}\r\n"), line("a").as_bytes());
    assert_eq!(port.post(&line("a")).status, 401);
    assert_eq!(with("vaglio_made_up").status, 401);
    let refused = with(bids.text());
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("role `ingest`") && !refused.body.contains(bids.text()), "{refused:?}");
    assert_eq!(with(sends.text()).json()["accepted"], 1);
    assert!(port.metrics().contains("vaglio_events_total"), "this machine scrapes without a key");
}

#[test]
fn whoever_may_not_delete_is_told_before_a_word_of_theirs_is_read() {
    let bids = Key::random().unwrap();
    let place = Place::new();
    let port = place.start(&With { keys: &[(&bids, Role::Bidder)], ..With::default() });
    for (key, status) in [("", 401), (bids.text(), 403)] {
        let header = if key.is_empty() { String::new() } else { format!("authorization: Bearer {key}\r\n") };
        let mut slow = Client::connect(port.address);
        let head = request("DELETE", "/api/v1/profiles", &header, "");
        slow.send(&head.replace("content-length: 0", "content-length: 100"));
        assert_eq!(slow.receive().unwrap().status, status);
    }
}

#[test]
fn what_is_held_of_people_is_not_for_the_key_of_one_owner() {
    let key = Key::random().unwrap();
    let eids = r#"{"eids":[{"source":"crm","uid":"c1"}]}"#;
    for (owner, deletion, looks) in [("acme", 403, 403), ("", 200, 503)] {
        let place = Place::new();
        let port = place.start(&With { keys: &[(&key, Role::Privacy)], owner, ..With::default() });
        let header = format!("authorization: Bearer {}\r\n", key.text());
        let ask = |method: &str, path: &str, body: &str| {
            let mut client = Client::connect(port.address);
            client.send(&request(method, path, &header, body));
            client.receive().unwrap()
        };
        assert_eq!(ask("DELETE", "/api/v1/profiles", eids).status, deletion, "{owner}");
        for path in ["/api/v1/profiles?source=crm&uid=c1", "/api/v1/explain?source=crm&uid=c1&what=x"] {
            let said = ask("GET", path, "");
            assert_eq!(said.status, looks, "{owner} {path} {said:?}");
            assert!(owner.is_empty() || said.body.contains("--owner \\\"*\\\""), "{said:?}");
        }
    }
}

#[test]
fn a_client_that_says_nothing_keeps_nobody_waiting() {
    let place = Place::new();
    let port = place.start(&With::default());
    let _silent: Vec<Client> = (0..20).map(|_| Client::connect(port.address)).collect();
    let mut slow = Client::connect(port.address);
    slow.send("PR");
    assert_eq!(port.post(&line("a")).json()["accepted"], 1);
}
