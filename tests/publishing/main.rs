//! What is published answers at the bid doors within seconds, by a real server; what is wrong does not; back and forth.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[path = "../doors/client.rs"]
#[allow(dead_code, reason = "the doors' tests use the rest")]
mod client;
mod generations;
mod live;
mod stage;
#[path = "../world/mod.rs"]
mod world;

use client::{Client, get, request};
use serde_json::{Value, json};
use stage::{Stage, wait_until};
use std::time::{Duration, Instant};
use vaglio::build::What;

const SILVER: &str = "{ id: silver, name: Silver, kind: target, owner: acme, rule: age < 50 }";
const YOUNG: &str = "{ id: young, name: Young, kind: target, owner: acme, rule: age < 30 }";

#[test]
fn a_new_audience_answers_within_seconds_and_keeps_doing_so_after_a_restart() {
    let stage = Stage::built(200);
    let server = stage.serve();
    wait_until("the first generation", || server.generation() == 1);
    let before = server.audiences(1);
    assert!(!before.contains(&"acme/silver".to_owned()), "{before:?}");
    let began = Instant::now();
    stage.publish(&[("silver", Some(SILVER))]);
    wait_until("the audience answers", || server.audiences(1).contains(&"acme/silver".to_owned()));
    let took = began.elapsed();
    println!("published -> answered in {} ms", took.as_millis());
    assert!(took < Duration::from_secs(5), "{took:?}");
    wait_until("it is told", || server.state()["publishing"]["state"] == "in_service");
    let state = server.state();
    assert_eq!(state["publishing"]["generation"], 2);
    let ended = &state["ended"][0];
    assert_eq!(
        (&ended["kind"], &ended["outcome"], &ended["why"]),
        (&json!("fresh"), &json!("done"), &json!("published"))
    );
    assert_eq!(ended["generation"], 2, "{state:#}");
    assert!(ended["seconds_to_service"].as_f64().unwrap() < 5.0 && ended["in_service"].is_string(), "{ended}");
    assert_eq!(server.ready(), 200);
    drop(server);
    stage.publish(&[("silver", None), ("young", Some(YOUNG))]);
    let server = stage.serve();
    wait_until("what was published while nobody served", || server.audiences(1).contains(&"acme/young".to_owned()));
    assert!(!server.audiences(1).contains(&"acme/silver".to_owned()));
}

#[test]
fn published_over_http_it_answers_within_seconds() {
    let stage = Stage::built(200);
    let server = stage.serve();
    wait_until("the first generation", || server.generation() == 1);
    let mut times = Vec::new();
    for round in 0..5 {
        let id = format!("round{round}");
        let body =
            format!("audiences:\n  - {{ id: {id}, name: R, kind: target, owner: acme, rule: age < {} }}\n", 50 + round);
        let head = request("POST", "/api/v1/definitions?publish=true", "content-type: application/yaml\r\n", &body);
        let mut client = Client::connect(server.server.addresses().planner);
        let began = Instant::now();
        client.send(&head);
        let answer = client.receive().unwrap();
        assert!(answer.status < 300, "{answer:?}");
        wait_until("the audience answers", || server.audiences(1).contains(&format!("acme/{id}")));
        times.push(began.elapsed());
    }
    times.sort();
    println!("published by HTTP -> answered: min {:?}, median {:?}, max {:?}", times[0], times[2], times[4]);
    assert!(times[4] < Duration::from_secs(5), "{times:?}");
}

#[test]
fn many_new_audiences_are_one_activation() {
    let stage = Stage::built(100);
    let server = stage.serve();
    wait_until("the first generation", || server.generation() == 1);
    let texts: Vec<(String, String)> = (1..=12)
        .map(|n| (format!("a{n}"), format!("{{ id: a{n}, name: A{n}, kind: target, owner: acme, rule: age >= {n} }}")))
        .collect();
    let items: Vec<(&str, Option<&str>)> = texts.iter().map(|(id, text)| (id.as_str(), Some(text.as_str()))).collect();
    stage.publish(&items);
    wait_until("all of them", || server.audiences(50).iter().filter(|id| id.starts_with("acme/a")).count() >= 12);
    // The server may serve what a build made before the build's process has ended.
    wait_until("it is told", || server.state()["ended"][0]["seconds_to_service"].is_f64());
    let state = server.state();
    assert_eq!(state["publishing"]["state"], "in_service", "{state:#}");
    assert_eq!(state["ended"][0]["kind"], "activate", "{state:#}");
    assert_eq!(state["ended"][0]["why"], "published_many");
    assert_eq!(state["queued"], json!([]));
}

#[test]
fn audiences_whose_time_has_come_go_live_few_or_many() {
    for (many, kind) in [(3, "fresh"), (11, "activate")] {
        let season = |n| {
            format!(
                "  - {{ id: s{n:02}, name: S, kind: target, owner: acme, rule: age >= 0, valid_from: 2026-11-20T12:00:30Z }}\n"
            )
        };
        let stage = Stage::built_with(40, |config, definitions| {
            let (audiences, campaigns) = definitions.split_once("campaigns:").unwrap();
            let seasons: String = (0..many).map(season).collect();
            (config, format!("{audiences}{seasons}campaigns:{campaigns}"))
        });
        let config = std::fs::read_to_string(stage.world.config()).unwrap();
        stage.world.file("vaglio.yaml", &config.replace("as_of: 2026-11-20T00:00:00Z", "as_of: 2026-11-20T12:01:10Z"));
        let server = stage.serve();
        let is_there = |person: u32| server.audiences(person).contains(&format!("acme/s{:02}", many - 1));
        wait_until("their time", || server.generation() > 0 && is_there(33));
        wait_until("it is told", || server.state()["ended"][0]["in_service"].is_string());
        let ended = server.state()["ended"][0].clone();
        assert_eq!((&ended["kind"], &ended["why"]), (&json!(kind), &json!("validity")));
        let made = server.generation();
        // Nothing is made again for it.
        std::thread::sleep(Duration::from_millis(1_200));
        assert_eq!((server.generation(), &server.state()["publishing"]["state"]), (made, &json!("in_service")));
    }
}

#[test]
fn a_broken_definition_keeps_what_served_and_says_everything_that_is_wrong() {
    let stage = Stage::built(50);
    let server = stage.serve();
    wait_until("the first generation", || server.generation() == 1);
    let right = std::fs::read_to_string(stage.world.path().join("audiences.yaml")).unwrap();
    stage.world.file("audiences.yaml", &right.replace("plan = gold", "plam = gold").replace("age >= 18", "age >= old"));
    stage.publish(&[("silver", Some(SILVER))]);
    wait_until("the refusal", || server.state()["publishing"]["state"] == "failed");
    let state = server.state();
    let failure = &state["publishing"]["failure"];
    assert_eq!(failure["reason"], "definitions_invalid", "{state:#}");
    let errors = failure["errors"].as_array().unwrap();
    assert!(errors.len() >= 2 && errors.iter().all(|error| error["line"].is_u64()), "{failure:#}");
    assert_eq!((server.generation(), server.ready()), (1, 200));
    assert!(server.audiences(3).contains(&"acme/gold".to_owned()));
    stage.world.file("audiences.yaml", &right);
    stage.publish(&[("young", Some(YOUNG))]);
    wait_until("both", || {
        let audiences = server.audiences(1);
        ["acme/silver", "acme/young"].iter().all(|id| audiences.contains(&(*id).to_owned()))
    });
}

#[test]
fn an_emptied_definition_file_takes_nothing_out_of_service() {
    let stage = Stage::built(50);
    let server = stage.serve();
    wait_until("the first generation", || server.generation() == 1);
    let right = std::fs::read_to_string(stage.world.path().join("audiences.yaml")).unwrap();
    stage.world.file("audiences.yaml", "");
    stage.publish(&[("silver", Some(SILVER))]);
    wait_until("the refusal", || server.state()["publishing"]["state"] == "failed");
    let failure = server.state()["publishing"]["failure"].clone();
    assert!(failure["errors"][0]["detail"].as_str().is_some_and(|text| text.contains("is empty")), "{failure:#}");
    assert_eq!(server.generation(), 1);
    assert!(server.audiences(3).contains(&"acme/gold".to_owned()));
    stage.world.file("audiences.yaml", &right);
    stage.publish(&[("young", Some(YOUNG))]);
    wait_until("what waited too", || server.audiences(1).contains(&"acme/silver".to_owned()));
}

#[test]
fn behind_a_rollback_what_is_published_waits_and_says_so() {
    let stage = Stage::built(50);
    stage.world.build(What::Activate).unwrap();
    let server = stage.serve();
    wait_until("the second generation", || server.generation() == 2);
    let answer = server.post("/api/v1/generations/1/rollback", "");
    assert_eq!((answer.status, &answer.json()["in_service"]), (200, &json!(true)), "{answer:?}");
    assert_eq!(server.generation(), 1);
    stage.publish(&[("silver", Some(SILVER))]);
    wait_until("the pin is told", || server.state()["publishing"]["state"] == "pinned");
    let publishing = server.state()["publishing"].clone();
    assert_eq!(publishing["pinned"], 1);
    assert!(publishing["message"].as_str().unwrap().contains("unpin"), "{publishing}");
    assert_eq!(server.generation(), 1);
    let answer = server.post("/api/v1/generations/unpin", "");
    assert_eq!((answer.status, &answer.json()["live"]), (200, &json!(1)), "{answer:?}");
    wait_until("what was published", || server.audiences(1).contains(&"acme/silver".to_owned()));
    let answer = server.post("/api/v1/generations/77/rollback", "");
    assert_eq!(answer.status, 404, "{answer:?}");
    let made = server.get("/api/v1/audit");
    assert!(made.status != 200 || (made.body.contains("rollback") && made.body.contains("unpin")), "{made:?}");
}

#[test]
fn a_full_build_runs_beside_publishing_and_can_be_ended() {
    let stage = Stage::built(50);
    let program = stage.program("echo 'collect       25 %: 1 of 4 rows, 1 rows/s' >&2; exec sleep 60");
    let server = stage.serve_with(Some(program));
    wait_until("the first generation", || server.generation() == 1);
    let none = server.delete("/api/v1/builds/current");
    assert_eq!(none.status, 409, "{none:?}");
    assert_eq!(server.post("/api/v1/builds", "{\"what\":\"everything\"}").status, 400);
    let asked = server.post("/api/v1/builds", "{\"what\":\"full\"}");
    assert_eq!(asked.status, 202, "{asked:?}");
    wait_until("its progress", || server.state()["running"][0]["progress"] == json!(0.25));
    let running = server.state()["running"][0].clone();
    assert_eq!((&running["kind"], &running["phase"]), (&json!("full"), &json!("collect")));
    stage.publish(&[("silver", Some(SILVER))]);
    wait_until("published beside it", || server.audiences(1).contains(&"acme/silver".to_owned()));
    assert_eq!(server.state()["running"][0]["kind"], "full");
    assert_eq!(server.delete("/api/v1/builds/current").status, 200);
    wait_until("its end", || server.state()["running"] == json!([]));
    let ended = server.state()["ended"][0].clone();
    assert_eq!((&ended["kind"], &ended["outcome"]), (&json!("full"), &json!("cancelled")));
    assert_eq!(server.ready(), 200);
}

#[test]
fn a_build_that_fails_tells_why_in_a_word() {
    let stage = Stage::built(20);
    let server = stage.serve();
    wait_until("the first generation", || server.generation() == 1);
    std::fs::remove_file(stage.world.path().join("crm.csv")).unwrap();
    server.post("/api/v1/builds", "{\"what\":\"full\"}");
    wait_until("the failure", || server.state()["ended"][0]["outcome"] == "failed");
    let state = server.state();
    assert_eq!(state["ended"][0]["failure"]["reason"], "source_missing", "{state:#}");
    let next: &Value = &state["queued"][0];
    assert!(next["why"] == "retry" && next["not_before"].is_string(), "{state:#}");
    assert_eq!(get(server.server.addresses().http, "/health/ready").status, 200);
}
