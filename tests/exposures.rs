//! A decision gives out tokens; what they report counts at the next decision, on every device of the person.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[path = "cases/facts.rs"]
mod facts;

use facts::Facts;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;
use vaglio::hooks::Doors;
use vaglio::hooks::exposures::{Answer, Reported, Sink};
use vaglio::hooks::token::{Person, kind_hash};
use vaglio::log::{Record, Said, Value as Said1};
use vaglio::lookup::Answer as Found;
use vaglio::schema::{Clock, Timestamp};
use vaglio::server::Server;

/// Applies what is reported as the applier does, and remembers ids as the intake does.
#[derive(Debug)]
struct Applies {
    doors: Arc<Doors>,
    ids: Mutex<HashSet<u128>>,
    kinds: Mutex<Vec<String>>,
    refuses: bool,
}

impl Sink for Applies {
    fn report(&self, id: u128, encoded: Vec<u8>) -> Answer {
        if self.refuses {
            return Box::pin(async { Reported::Refused("the disk is full".to_owned()) });
        }
        if self.ids.lock().insert(id) {
            let record = Record::decode(&encoded).unwrap();
            let Said::Event { name, properties } = &record.said else { panic!("{record:?}") };
            self.kinds.lock().push(name.to_string());
            let (_, Said1::Text(campaign)) = &properties[0] else { panic!("{record:?}") };
            let standing = self.doors.live.load();
            let served = standing.served.as_ref().unwrap();
            let keys: Vec<_> = record.keys.iter().map(|identifier| identifier.key).collect();
            let mut found = Found::default();
            served.answering.snapshot.lookup(&keys, Timestamp(record.time), &served.overlay, &mut found);
            if name == "impression" {
                for &profile in found.matched() {
                    served.overlay.exposures.record(profile, campaign, Timestamp(record.time));
                }
            }
        }
        Box::pin(async { Reported::Taken })
    }
}

fn serve(config: &Value, refuses: bool) -> (Server, Arc<Applies>) {
    let campaign = |id: &str, more: Value| {
        let mut campaign = json!({"id": id, "owner": "acme", "status": "active", "no_profile": "target"});
        facts::merge(&mut campaign, &more);
        campaign
    };
    let mut settings = json!({"ingest": {"ids": [{"type": "id.test"}]}});
    facts::merge(&mut settings, config);
    let case = json!({
        "people": [{"ids": {"id.test": ["phone", "tablet"]}, "audiences": []}, {"ids": {"id.test": "other"}, "audiences": []}],
        "definitions": {"campaigns": [
            campaign("day", json!({"caps": [{"impressions": 2, "per": "24h"}]})),
            campaign("flight", json!({"caps": [{"impressions": 1, "per": "flight"}], "flight": {"from": "2026-01-01"}})),
            campaign("free", json!({})),
        ]},
        "config": settings,
    });
    let server = Facts::new(&case).serve();
    let (doors, ids, kinds) = (Arc::clone(server.doors()), Mutex::default(), Mutex::default());
    (server, Arc::new(Applies { doors, ids, kinds, refuses }))
}

fn http(server: &Server, head: &str, body: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(server.addresses().http).unwrap();
    let length = body.len();
    write!(stream, "{head}host: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_ascii_lowercase();
    (head[9..12].parse().unwrap(), head, answer[end + 4..].to_vec())
}

fn report(server: &Server, kind: &str, token: &str) -> u16 {
    http(server, &format!("GET /e/{kind}?t={token} HTTP/1.1\r\naccept: */*\r\n"), "").0
}

/// Each campaign's verdict, reason and token.
fn decide(server: &Server, uid: &str) -> Vec<(String, Option<String>, Option<String>)> {
    let body = json!({"eids": [{"source": "id.test", "uid": uid}]}).to_string();
    let (status, _, answer) = http(server, "POST /v1/decide HTTP/1.1\r\n", &body);
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let one = |it: &Value| (text(&it["verdict"]).unwrap(), text(&it["reason"]), text(&it["exposure_token"]));
    answer["campaigns"].as_array().unwrap().iter().map(one).collect()
}

fn said(server: &Server, uid: &str) -> Vec<String> {
    decide(server, uid).into_iter().map(|(verdict, reason, _)| reason.unwrap_or(verdict)).collect()
}

#[test]
fn what_a_token_reports_counts_at_the_next_decision_on_every_device() {
    let (server, sink) = serve(&json!({}), false);
    assert!(decide(&server, "phone").iter().all(|it| it.0 == "target" && it.2.is_none()), "nobody takes reports yet");
    assert_eq!(report(&server, "impression", "x"), 503);
    server.doors().reports.start(Arc::clone(&sink) as _);
    let tokens: Vec<String> = decide(&server, "phone").into_iter().map(|it| it.2.unwrap()).collect();
    for _ in 0..3 {
        assert_eq!(report(&server, "impression", &tokens[0]), 204, "the same again counts once");
    }
    assert_eq!(said(&server, "tablet"), ["target", "target", "target"]);
    assert_eq!(report(&server, "view", &tokens[0]), 204);
    assert_eq!(report(&server, "click", &tokens[1]), 204);
    assert_eq!(said(&server, "tablet"), ["target", "target", "target"], "only impressions count");
    assert_eq!(report(&server, "impression", &tokens[1]), 204);
    assert_eq!(said(&server, "tablet"), ["target", "capped", "target"], "one a flight");
    let second = decide(&server, "tablet");
    assert!(second[1].2.is_none(), "who may not speak has no token");
    assert_eq!(report(&server, "impression", second[0].2.as_ref().unwrap()), 204);
    for device in ["phone", "tablet"] {
        assert_eq!(said(&server, device), ["capped", "capped", "target"]);
    }
    assert_eq!(said(&server, "other"), ["target", "target", "target"], "somebody else");
    assert_eq!(*sink.kinds.lock(), ["impression", "view", "click", "impression", "impression"]);
    server.shutdown();
}

#[test]
fn what_is_no_token_or_too_old_is_refused() {
    let (server, sink) = serve(&json!({"ingest": {"token_hours": 2}}), false);
    server.doors().reports.start(sink);
    let token = decide(&server, "phone").remove(0).2.unwrap();
    let old = |seconds: i64| {
        let standing = server.doors().live.load();
        let served = standing.served.as_ref().unwrap();
        let (mut person, mut token) = (Person::default(), Vec::new());
        let key = (served.keys.key("id.test", "phone"), kind_hash("id.test"));
        served.tokens.seal([key].into_iter(), Timestamp(Clock::System.now().0 - seconds), &mut person);
        served.tokens.write(&person, 0, &mut token);
        String::from_utf8(token).unwrap()
    };
    assert_eq!(report(&server, "impression", &old(7_100)), 204);
    assert_eq!(report(&server, "impression", &old(7_200)), 410);
    for forged in ["", "x", "a.b", &token[1..], &token[..token.len() - 1]] {
        assert_eq!(report(&server, "impression", forged), 400, "{forged}");
    }
    assert_eq!(report(&server, "purchase", &token), 404);
    assert_eq!(http(&server, "GET /e/impression HTTP/1.1\r\n", "").0, 400);
    assert_eq!(http(&server, &format!("POST /e/impression?t={token} HTTP/1.1\r\n"), "").0, 405);
    let metrics = server.doors().metrics.exposition();
    assert!(metrics.contains("vaglio_requests_total{door=\"exposure\",code=\"gone\"} 1\n"), "{metrics}");
    server.shutdown();
}

#[test]
fn a_page_gets_a_picture_and_nothing_is_kept() {
    let (server, sink) = serve(&json!({}), false);
    server.doors().reports.start(sink);
    let token = decide(&server, "phone").remove(0).2.unwrap();
    let get = |accept: &str| http(&server, &format!("GET /e/view?x=1&t={token} HTTP/1.1\r\naccept: {accept}\r\n"), "");
    let (status, head, body) = get("image/avif,image/webp,*/*;q=0.8");
    assert!(
        status == 200 && head.contains("content-type: image/gif") && body.starts_with(b"GIF89a") && body.len() == 43
    );
    let (status, other, body) = get("*/*");
    assert!(status == 204 && body.is_empty());
    for head in [head, other] {
        assert!(head.contains("cache-control: no-store") && !head.contains("set-cookie"), "{head}");
    }
    server.shutdown();
}

#[test]
fn a_test_request_counts_for_nothing_and_a_refusal_is_said() {
    let (server, sink) = serve(&json!({}), true);
    server.doors().reports.start(sink);
    let ask = |test: u8| {
        let eids = json!([{"source": "id.test", "uids": [{"id": "phone"}]}]);
        let body = json!({"id": "r", "imp": [{"id": "1"}], "user": {"eids": eids}, "test": test}).to_string();
        String::from_utf8(http(&server, "POST /openrtb2/decide HTTP/1.1\r\n", &body).2).unwrap()
    };
    assert!(!ask(1).contains("exposure_token"));
    assert!(ask(0).contains("\"reason\":null,\"exposure_token\":\""));
    let token = decide(&server, "phone").remove(0).2.unwrap();
    assert_eq!(report(&server, "impression", &token), 503);
    server.shutdown();
}

/// Bidders that all ask before any report arrives: each wins at most once a round. How many messages come on top of the cap.
#[test]
fn overshoot_is_what_is_in_flight() {
    const BIDDERS: usize = 8;
    let (server, sink) = serve(&json!({}), false);
    server.doors().reports.start(sink);
    let began = Instant::now();
    let shown: usize = std::thread::scope(|scope| {
        let bidders: Vec<_> = (0..BIDDERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut shown = 0;
                    for _ in 0..20 {
                        if let Some(token) = decide(&server, "phone").remove(0).2 {
                            assert_eq!(report(&server, "impression", &token), 204);
                            shown += 1;
                        }
                    }
                    shown
                })
            })
            .collect();
        bidders.into_iter().map(|bidder| bidder.join().unwrap()).sum()
    });
    println!("{BIDDERS} bidders, a cap of 2: {shown} shown, {} above, in {:?}", shown - 2, began.elapsed());
    assert!((2..2 + BIDDERS).contains(&shown), "at most one more for each other bidder in flight: {shown}");
    server.shutdown();
}
