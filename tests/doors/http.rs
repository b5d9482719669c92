//! The HTTP doors: every status, every verdict, every wrong input.

use crate::client::{Client, get, request};
use crate::world::{AS_OF, IFA, World};
use serde_json::{Value, json};
use std::time::Duration;

fn eids(uids: &[&str]) -> Value {
    uids.iter().map(|uid| json!({"source": "id.test", "uid": uid})).collect()
}

fn lookup(client: &mut Client, question: &Value) -> Value {
    let answer = client.post("/v1/lookup", &question.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.headers.contains("content-type: application/json\n"), "{answer:?}");
    answer.json()
}

#[test]
fn a_known_user_s_target_audiences_are_told_and_no_others() {
    let world = World::new("");
    let server = world.ready();
    let mut client = Client::connect(server.addresses().http);
    let expected = json!({
        "status": "matched", "audiences": ["acme/gamers", "acme/movers", "acme/odd"],
        "segments": [{"taxonomy": 4, "id": "560"}], "generation": 1, "as_of": AS_OF, "stale": false,
    });
    assert_eq!(lookup(&mut client, &json!({"eids": eids(&["gamer"])})), expected);
    assert_eq!(lookup(&mut client, &json!({"ifa": IFA.to_ascii_lowercase(), "unknown": {"a": [1]}})), expected);
    let hater = lookup(&mut client, &json!({"eids": eids(&["hater"])}));
    assert_eq!(hater["audiences"], json!(["acme/gamers"]), "suppress audiences leave by no bid door");
    let both = lookup(&mut client, &json!({"eids": eids(&["stranger", "buyer", "gamer"])}));
    assert_eq!((&both["status"], &both["audiences"]), (&json!("matched"), &json!([])), "the first match supplies them");
}

#[test]
fn every_status_of_a_lookup() {
    let world = World::new("");
    let server = world.ready();
    let mut client = Client::connect(server.addresses().http);
    let zeroes = "00000000-0000-0000-0000-000000000000";
    for (question, status) in [
        (json!({"eids": eids(&["gamer"])}), "matched"),
        (json!({"eids": eids(&["stranger"])}), "no_profile"),
        (json!({}), "no_id"),
        (json!({"eids": null, "ifa": zeroes}), "no_id"),
        (json!({"eids": [{"source": "", "uid": "x"}, {"source": "id.test"}]}), "no_id"),
        (json!({"eids": eids(&["objector"])}), "blocked"),
        (json!({"eids": eids(&["ghost"])}), "blocked"),
        (json!({"eids": eids(&["gamer", "ghost"])}), "blocked"),
        (json!({"eids": eids(&["refuser"])}), "no_consent"),
        (json!({"eids": eids(&["gamer"]), "privacy": {"gdpr": 0, "us_privacy": "1YNN", "gpc": "0"}}), "matched"),
        (json!({"eids": eids(&["gamer"]), "privacy": {"gdpr": 1}}), "no_consent"),
        (json!({"eids": eids(&["gamer"]), "privacy": {"gdpr": "1", "tcf": "CPx"}}), "no_consent"),
        (json!({"eids": eids(&["gamer"]), "privacy": {"us_privacy": "1YYN"}}), "no_consent"),
        (json!({"eids": eids(&["gamer"]), "privacy": {"gpc": true}}), "no_consent"),
        (json!({"eids": eids(&["gamer"]), "privacy": {"coppa": 1}}), "no_consent"),
        (json!({"ifa": IFA, "privacy": {"lmt": 1}}), "no_consent"),
        (json!({"eids": eids(&["gamer"]), "privacy": {"gpp": "DBAA", "gpp_sid": [7]}}), "no_consent"),
    ] {
        let answer = lookup(&mut client, &question);
        assert_eq!(answer["status"], status, "{question}");
        assert_eq!(answer["audiences"].as_array().unwrap().is_empty(), status != "matched", "{question}");
        assert_eq!(answer["generation"], 1);
    }
}

#[test]
fn an_old_generation_answers_and_says_that_it_is_stale() {
    let world = World::new("  max_age_seconds: 3600\n");
    for (now, stale) in [("2026-11-20T13:00:00Z", false), ("2026-11-20T13:00:01Z", true)] {
        let server = world.ready_at(now);
        let mut client = Client::connect(server.addresses().http);
        let answer = lookup(&mut client, &json!({"eids": eids(&["gamer"])}));
        assert_eq!((&answer["status"], &answer["stale"]), (&json!("matched"), &json!(stale)), "{now}");
        assert_eq!(decide(&mut client, &json!({"eids": eids(&["gamer"])}))["stale"], stale);
        drop(client);
        server.shutdown();
    }
    let server = world.ready_at("2027-02-01T00:00:00Z");
    let later = decide(&mut Client::connect(server.addresses().http), &json!({"campaigns": ["later"], "ifa": IFA}));
    assert_eq!(verdicts(&later)[0].1, "target", "its flight has begun");
}

fn verdicts(answer: &Value) -> Vec<(String, String, Value)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let campaigns = answer["campaigns"].as_array().unwrap();
    campaigns.iter().map(|it| (text(&it["id"]), text(&it["verdict"]), it["reason"].clone())).collect()
}

fn decide(client: &mut Client, question: &Value) -> Value {
    let answer = client.post("/v1/decide", &question.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn every_verdict_of_a_decision() {
    let world = World::new("");
    let server = world.ready();
    let mut client = Client::connect(server.addresses().http);
    let everyone = |verdict: &str, reason: Value| ("acme/everyone".to_owned(), verdict.to_owned(), reason);
    let upgrade = |verdict: &str, reason: Value| ("acme/upgrade".to_owned(), verdict.to_owned(), reason);
    let named = json!(["acme/everyone", "acme/upgrade"]);
    for (uids, status, first, second) in [
        (&["gamer"][..], "matched", everyone("target", json!(null)), upgrade("target", json!(null))),
        (&["hater"], "matched", everyone("target", json!(null)), upgrade("suppress", json!("excluded"))),
        (&["gamer", "hater"], "matched", everyone("target", json!(null)), upgrade("suppress", json!("excluded"))),
        (&["buyer"], "matched", everyone("suppress", json!("excluded")), upgrade("suppress", json!("not_in_target"))),
        (
            &["nobody-special", "gamer"],
            "matched",
            everyone("target", json!(null)),
            upgrade("suppress", json!("not_in_target")),
        ),
        (
            &["stranger"],
            "no_profile",
            everyone("target", json!("no_profile")),
            upgrade("suppress", json!("no_profile")),
        ),
        (&["objector"], "blocked", everyone("suppress", json!("objected")), upgrade("suppress", json!("objected"))),
        (
            &["gamer", "ghost"],
            "blocked",
            everyone("suppress", json!("objected")),
            upgrade("suppress", json!("objected")),
        ),
        (&["refuser"], "no_consent", everyone("unknown", json!("no_consent")), upgrade("unknown", json!("no_consent"))),
        (&[], "no_id", everyone("unknown", json!("no_id")), upgrade("unknown", json!("no_id"))),
    ] {
        let answer = decide(&mut client, &json!({"eids": eids(uids), "campaigns": named, "channel": "web"}));
        assert_eq!(answer["status"], status, "{uids:?}");
        assert_eq!(verdicts(&answer), [first, second], "{uids:?}");
        assert_eq!((&answer["generation"], &answer["stale"]), (&json!(1), &json!(false)));
    }
}

#[test]
fn campaigns_are_asked_for_by_id_by_reference_or_not_at_all() {
    let world = World::new("");
    let server = world.ready();
    let mut client = Client::connect(server.addresses().http);
    let all = decide(&mut client, &json!({"eids": eids(&["gamer"])}));
    let ids: Vec<String> = verdicts(&all).into_iter().map(|verdict| verdict.0).collect();
    assert_eq!(ids, ["acme/everyone", "acme/upgrade", "other/upgrade"], "those that speak now");
    let asked = json!({"eids": eids(&["gamer"]), "campaigns": ["everyone", "dv360:998", "77", "acme/later"]});
    let answer = decide(&mut client, &asked);
    assert_eq!(
        answer["campaigns"],
        json!([
            {"id": "acme/everyone", "verdict": "target", "reason": null, "asked": "everyone"},
            {"id": "acme/everyone", "verdict": "target", "reason": null, "asked": "dv360:998"},
            {"id": "other/upgrade", "verdict": "suppress", "reason": "not_in_target", "asked": "77"},
            {"id": "acme/later", "verdict": "suppress", "reason": "paused"},
        ])
    );
    let absent = client.post("/v1/decide", &json!({"campaigns": ["acme/upgrade", "no/such", "nor-this"]}).to_string());
    assert_eq!((absent.status, absent.error().as_str()), (404, "not_found"));
    assert_eq!(absent.json()["error"]["details"], json!(["no/such", "nor-this"]));
    for ambiguous in ["upgrade", "998"] {
        let answer = client.post("/v1/decide", &json!({"campaigns": [ambiguous]}).to_string());
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_argument"), "{ambiguous}");
    }
}

#[test]
fn more_campaigns_than_an_answer_holds_are_refused() {
    let worlds = [World::new(""), World::empty("")];
    for server in [worlds[0].ready(), worlds[1].serve()] {
        let body = json!({"campaigns": vec!["acme/upgrade"; 10_001]}).to_string();
        let answer = Client::connect(server.addresses().http).post("/v1/decide", &body);
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_argument"));
        assert!(answer.body.contains("at most 10000"), "{answer:?}");
    }
}

#[test]
fn other_owners_are_not_there() {
    let world = World::new("public:\n  owners: [other]\n");
    let server = world.ready();
    let mut client = Client::connect(server.addresses().http);
    assert_eq!(lookup(&mut client, &json!({"eids": eids(&["gamer"])}))["audiences"], json!([]));
    assert_eq!(lookup(&mut client, &json!({"eids": eids(&["fan"])}))["audiences"], json!(["other/fans"]));
    let all = decide(&mut client, &json!({"eids": eids(&["fan"]), "campaigns": []}));
    assert_eq!(verdicts(&all), [("other/upgrade".to_owned(), "target".to_owned(), json!(null))]);
    let ask = |name: &str| json!({"eids": eids(&["fan"]), "campaigns": [name]}).to_string();
    let (foreign, absent) =
        (client.post("/v1/decide", &ask("acme/upgrade")), client.post("/v1/decide", &ask("acme/x")));
    assert_eq!(foreign.body.replace("acme/upgrade", "acme/x"), absent.body);
    assert_eq!(decide(&mut client, &json!({"campaigns": ["upgrade"]}))["campaigns"][0]["id"], "other/upgrade");
}

#[test]
fn wrong_requests_are_told_what_is_wrong() {
    let world = World::new("  max_body_bytes: 2000\n  max_ids: 3\n");
    let server = world.ready();
    let at = server.addresses().http;
    for path in ["/v1/lookup", "/v1/decide"] {
        for body in [
            "",
            "{",
            "[]",
            "null",
            "nonsense",
            "{\"eids\":5}",
            "{\"eids\":[{\"source\":\"s\",\"uid\":7}]}",
            "{\"ifa\":\"a\",\"ifa\":\"b\"}",
            "{} {}",
            "{\"tmax_ms\":-1}",
            "{\"tmax_ms\":\"secret-uid\"}",
        ] {
            let answer = Client::connect(at).post(path, body);
            assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_argument"), "{path} {body}");
            assert!(!answer.body.contains("secret-uid"), "no value of a request in an error: {answer:?}");
        }
        let mut client = Client::connect(at);
        let four: Vec<&str> = vec!["a"; 4];
        let answer = client.post(path, &json!({"eids": eids(&four)}).to_string());
        assert_eq!((answer.status, answer.error().as_str()), (400, "invalid_argument"));
        client.send(&request("GET", path, "", ""));
        let answer = client.receive().unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (405, "method_not_allowed"));
        assert!(answer.headers.contains("allow: post\n"), "{answer:?}");
        client.send(&request("POST", path, "content-type: text/plain\r\n", "{}"));
        assert_eq!(client.receive().unwrap().error(), "unsupported_media_type");
        client.send(&request("POST", path, "content-encoding: br\r\n", "{}"));
        assert_eq!(client.receive().unwrap().status, 415);
        client.send(&request("POST", path, "content-encoding: gzip\r\n", "{}"));
        assert_eq!(client.receive().unwrap().status, 400, "it is not");
        client.send(&request("POST", path, "", "{}"));
        assert_eq!(client.receive().unwrap().status, 200, "no content type means JSON");
        client.send(&request("POST", path, "content-type: application/x-www-form-urlencoded\r\n", "{}"));
        assert_eq!(client.receive().unwrap().status, 200, "as `curl -d` sends it");
        client.send(&request("POST", path, "content-type: Application/JSON; charset=utf-8\r\n", "{}"));
        assert_eq!(client.receive().unwrap().status, 200);
        let mut client = Client::connect(at);
        client.send_bytes(&[request("POST", path, "", "1234").as_bytes(), b"" as &[u8]].concat()[..]);
        assert_eq!(client.receive().unwrap().status, 400);
        let invalid_utf8 =
            [format!("POST {path} HTTP/1.1\r\nhost: t\r\ncontent-length: 4\r\n\r\n").as_bytes(), b"{\"\xff\""].concat();
        client.send_bytes(&invalid_utf8);
        assert_eq!(client.receive().unwrap().error(), "invalid_argument");
    }
    let lost = get(at, "/v1/nothing");
    assert_eq!((lost.status, lost.error().as_str()), (404, "not_found"));
}

#[test]
fn bodies_that_are_too_large_are_refused_and_the_connection_closed() {
    let world = World::new("  max_body_bytes: 2000\n");
    let server = world.ready();
    let at = server.addresses().http;
    let declared = Client::connect(at).post("/v1/lookup", &" ".repeat(2001));
    assert_eq!((declared.status, declared.error().as_str()), (413, "too_large"));
    let mut client = Client::connect(at);
    client.send("POST /v1/lookup HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n");
    for _ in 0..3 {
        client.send(&format!("3e8\r\n{}\r\n", " ".repeat(1000)));
    }
    let chunked = client.receive().unwrap();
    assert_eq!((chunked.status, chunked.error().as_str()), (413, "too_large"));
    assert!(client.is_closed());
    let fits = Client::connect(at).post("/v1/lookup", &format!("{{}}{}", " ".repeat(1998)));
    assert_eq!(fits.status, 200);
}

#[test]
fn slow_clients_are_cut() {
    let world = World::new("  idle_timeout_ms: 300\n  body_timeout_ms: 200\n");
    let server = world.ready();
    let at = server.addresses().http;
    let mut headers = Client::connect(at);
    headers.send("POST /v1/lookup HTTP/1.1\r\nhost:");
    let mut idle = Client::connect(at);
    assert_eq!(idle.post("/v1/lookup", "{}").status, 200);
    let mut body = Client::connect(at);
    body.send("POST /v1/lookup HTTP/1.1\r\nhost: t\r\ncontent-length: 10\r\n\r\n{");
    let answer = body.receive().unwrap();
    assert_eq!((answer.status, answer.error().as_str()), (408, "timeout"));
    assert!(body.is_closed() && headers.is_closed() && idle.is_closed());
    let mut good = Client::connect(at);
    assert_eq!(good.post("/v1/lookup", "{}").status, 200, "others are served");
}

#[test]
fn an_answer_that_comes_too_late_says_so_unless_the_person_objected() {
    let world = World::new("");
    let server = world.ready();
    let slowly = |path: &str, body: Value| {
        let (mut client, body) = (Client::connect(server.addresses().http), body.to_string());
        let text = request("POST", path, "", &body);
        let (first, last) = text.split_at(text.len() - 1);
        client.send(first);
        std::thread::sleep(Duration::from_millis(60));
        client.send(last);
        client.receive().unwrap().json()
    };
    let late = slowly("/v1/lookup", json!({"eids": eids(&["gamer"]), "tmax_ms": 20}));
    assert_eq!((&late["status"], &late["audiences"]), (&json!("late"), &json!([])));
    let late = slowly("/v1/decide", json!({"eids": eids(&["gamer"]), "campaigns": ["acme/upgrade"], "tmax_ms": 20}));
    assert_eq!(verdicts(&late), [("acme/upgrade".to_owned(), "unknown".to_owned(), json!("late"))]);
    let objected =
        slowly("/v1/decide", json!({"eids": eids(&["ghost"]), "campaigns": ["acme/upgrade"], "tmax_ms": 20}));
    assert_eq!(verdicts(&objected), [("acme/upgrade".to_owned(), "suppress".to_owned(), json!("objected"))]);
    let patient = slowly("/v1/lookup", json!({"eids": eids(&["gamer"]), "tmax_ms": 60_000}));
    assert_eq!(patient["status"], "matched");
}

#[test]
fn connections_over_the_limit_get_a_valid_answer_that_says_overloaded() {
    let world = World::new("  max_connections: 1\n");
    let server = world.ready();
    let at = server.addresses().http;
    let mut first = Client::connect(at);
    assert_eq!(lookup(&mut first, &json!({"eids": eids(&["gamer"])}))["status"], "matched");
    let mut second = Client::connect(at);
    let shed = lookup(&mut second, &json!({"eids": eids(&["gamer"])}));
    assert_eq!((&shed["status"], &shed["generation"]), (&json!("overloaded"), &json!(1)));
    assert!(second.is_closed());
    let ask = |uid: &str| json!({"eids": eids(&[uid]), "campaigns": ["acme/upgrade"]});
    let shed = decide(&mut Client::connect(at), &ask("gamer"));
    assert_eq!(verdicts(&shed), [("acme/upgrade".to_owned(), "unknown".to_owned(), json!("overloaded"))]);
    let objected = decide(&mut Client::connect(at), &ask("objector"));
    assert_eq!(verdicts(&objected), [("acme/upgrade".to_owned(), "suppress".to_owned(), json!("objected"))]);
    assert_eq!(lookup(&mut first, &json!({"eids": eids(&["gamer"])}))["status"], "matched");
}

#[test]
fn without_a_generation_everything_is_not_ready() {
    let world = World::empty("");
    let server = world.serve();
    let mut client = Client::connect(server.addresses().http);
    let answer = lookup(&mut client, &json!({"eids": eids(&["gamer"])}));
    let nothing = json!({"status": "not_ready", "audiences": [], "segments": [], "generation": 0, "as_of": null,
        "stale": false});
    assert_eq!(answer, nothing);
    let answer = decide(&mut client, &json!({"campaigns": ["acme/\"x\""]}));
    assert_eq!(verdicts(&answer), [("acme/\"x\"".to_owned(), "unknown".to_owned(), json!("not_ready"))]);
    let ready = get(server.addresses().http, "/health/ready");
    assert_eq!((ready.status, &ready.json()["ready"]), (503, &json!(false)));
    assert_eq!(get(server.addresses().http, "/health/live").status, 200);
}
