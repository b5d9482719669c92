//! Every question at every door, against readers that owe nothing to the splicing: serde_json and prost.

use super::*;
use crate::load::users::{Eid, Person, Privacy};
use crate::wire::{artf as artf_wire, v1};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// An identifier: (source, uid); the ifa is one of source `ifa`.
type Id = (String, String);

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9-]{1,12}", "[ -~]{1,8}", "\\PC{1,4}"]
}

prop_compose! {
    fn privacy()(
        flags in (option::of(any::<bool>()), option::of(any::<bool>()), option::of(any::<bool>()), option::of(any::<bool>())),
        texts in (option::of(text()), option::of(text()), option::of(text()), option::of("[A-Z]{2,3}")),
        gpp_sid in vec(1i32..30, 0..3),
    ) -> Privacy {
        let (gdpr, gpc, coppa, lmt) = flags;
        let (tcf, gpp, us_privacy, country) = texts;
        let [tcf, gpp, us_privacy, country] = [tcf, gpp, us_privacy, country].map(Option::unwrap_or_default);
        Privacy { gdpr, tcf, gpp, gpp_sid, us_privacy, gpc, coppa, lmt, country }
    }
}

prop_compose! {
    fn person()(
        eids in vec((prop_oneof!["[a-z]{3}\\.com", text()], text()), 0..4),
        ifa in option::of(text()),
        privacy in option::of(privacy()),
    ) -> Person {
        let eids = eids.into_iter().map(|(source, uid)| Eid { source, uid }).collect();
        Person { eids, ifa: ifa.unwrap_or_default(), privacy }
    }
}

fn line(person: &Person) -> Value {
    let eids: Vec<Value> = person.eids.iter().map(|eid| json!({"source": eid.source, "uid": eid.uid})).collect();
    let mut line = json!({"eids": eids, "ifa": person.ifa});
    if let Some(said) = &person.privacy {
        line["privacy"] = json!({
            "gdpr": said.gdpr, "tcf": said.tcf, "gpp": said.gpp, "gpp_sid": said.gpp_sid, "us_privacy": said.us_privacy,
            "gpc": said.gpc, "coppa": said.coppa, "lmt": said.lmt, "country": said.country,
        });
    }
    line
}

fn questions(people: &[Person], seed: u64, templates: &[&str]) -> (tempfile::TempDir, Questions) {
    let directory = tempfile::tempdir().unwrap();
    let mut text = String::new();
    people.iter().for_each(|person| writeln!(text, "{}", line(person)).unwrap());
    std::fs::write(directory.path().join("users.ndjson"), text).unwrap();
    for (at, template) in templates.iter().enumerate() {
        std::fs::write(directory.path().join(format!("{at}.json")), template).unwrap();
    }
    let templates: Vec<String> = (0..templates.len()).map(|at| format!("{at}.json")).collect();
    let doors: BTreeMap<Door, f64> = Door::ALL.iter().map(|door| (*door, 1.0)).collect();
    let workload = json!({
        "name": "t", "doors": doors, "arrivals": {"phases": []}, "seed": seed,
        "users": {"file": "users.ndjson", "unknown_share": 0.3, "zipf": 0.5, "ids": {"1": 1.0, "3": 1.0}},
        "request": {"templates": templates, "campaigns": 2, "campaign_ids": ["a/1", "a/\"2", "3"], "batch": 3, "tmax_ms": 77},
    });
    let questions = Questions::new(&serde_json::from_value(workload).unwrap(), directory.path()).unwrap();
    (directory, questions)
}

/// Whom a question is about, and what of signals, as another reader finds it.
#[derive(Debug, Default, PartialEq)]
struct Found {
    ids: Vec<Id>,
    privacy: Privacy,
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn flag(value: &Value) -> Option<bool> {
    value.as_u64().map(|set| set == 1).or_else(|| value.as_str().map(|set| set == "1"))
}

fn sections(value: &Value) -> Vec<i32> {
    value.as_array().into_iter().flatten().map(|id| id.as_i64().unwrap() as i32).collect()
}

fn in_json(body: &Value) -> Found {
    let mut ids: Vec<Id> =
        body["eids"].as_array().unwrap().iter().map(|it| (string(&it["source"]), string(&it["uid"]))).collect();
    ids.extend(body["ifa"].as_str().map(|ifa| ("ifa".to_owned(), ifa.to_owned())));
    let said = &body["privacy"];
    let privacy = Privacy {
        gdpr: flag(&said["gdpr"]),
        tcf: string(&said["tcf"]),
        gpp: string(&said["gpp"]),
        gpp_sid: sections(&said["gpp_sid"]),
        us_privacy: string(&said["us_privacy"]),
        gpc: flag(&said["gpc"]),
        coppa: flag(&said["coppa"]),
        lmt: flag(&said["lmt"]),
        country: string(&said["country"]),
    };
    Found { ids, privacy }
}

fn in_openrtb(body: &Value) -> Found {
    let (user, device, regs) = (&body["user"], &body["device"], &body["regs"]);
    let eids = user["eids"].as_array().unwrap().iter();
    let mut ids: Vec<Id> = eids.map(|it| (string(&it["source"]), string(&it["uids"][0]["id"]))).collect();
    ids.extend(device["ifa"].as_str().map(|ifa| ("ifa".to_owned(), ifa.to_owned())));
    let privacy = Privacy {
        gdpr: flag(&regs["gdpr"]),
        tcf: string(&user["consent"]),
        gpp: string(&regs["gpp"]),
        gpp_sid: sections(&regs["gpp_sid"]),
        us_privacy: string(&regs["us_privacy"]),
        gpc: flag(&regs["ext"]["gpc"]),
        coppa: flag(&regs["coppa"]),
        lmt: flag(&device["lmt"]),
        country: string(&device["geo"]["country"]),
    };
    Found { ids, privacy }
}

fn in_proto(body: v1::LookupRequest) -> Found {
    let mut ids: Vec<Id> = body.eids.into_iter().map(|eid| (eid.source, eid.uid)).collect();
    ids.extend((!body.ifa.is_empty()).then(|| ("ifa".to_owned(), body.ifa)));
    assert_eq!(body.tmax_ms, 77);
    let said = body.privacy.unwrap_or_default();
    let privacy = Privacy {
        gdpr: said.gdpr,
        tcf: said.tcf,
        gpp: said.gpp,
        gpp_sid: said.gpp_sid,
        us_privacy: said.us_privacy,
        gpc: said.gpc,
        coppa: said.coppa,
        lmt: said.lmt,
        country: said.country,
    };
    Found { ids, privacy }
}

fn in_artf(body: artf_wire::RtbRequest) -> Found {
    let request = body.bid_request.unwrap();
    assert_eq!((body.id, body.tmax, request.tmax), (request.id.clone(), Some(77), Some(77)));
    assert!(!request.imp.is_empty());
    let (user, device, regs) =
        (request.user.unwrap(), request.device.unwrap_or_default(), request.regs.unwrap_or_default());
    let mut ids: Vec<Id> =
        user.eids.into_iter().map(|it| (it.source.unwrap_or_default(), it.uids[0].id.clone().unwrap())).collect();
    ids.extend(device.ifa.map(|ifa| ("ifa".to_owned(), ifa)));
    let privacy = Privacy {
        gdpr: regs.gdpr,
        tcf: user.consent.unwrap_or_default(),
        gpp: regs.gpp.unwrap_or_default(),
        gpp_sid: regs.gpp_sid,
        us_privacy: regs.us_privacy.unwrap_or_default(),
        gpc: regs.ext.and_then(|ext| ext.gpc).map(|set| set == "1"),
        coppa: regs.coppa,
        lmt: device.lmt,
        country: device.geo.and_then(|geo| geo.country).unwrap_or_default(),
    };
    Found { ids, privacy }
}

/// What is found in a question, an entry an item.
fn found(door: Door, question: &Question) -> Vec<Found> {
    let body = &question.body[..];
    let json = || serde_json::from_slice::<Value>(body).unwrap();
    match door {
        Door::Lookup | Door::Decide => {
            assert_eq!(json()["tmax_ms"], 77);
            assert_eq!(json()["campaigns"].as_array().map_or(0, Vec::len), if door == Door::Decide { 2 } else { 0 });
            vec![in_json(&json())]
        }
        Door::Enrich | Door::OpenrtbDecide => {
            let json = json();
            assert!(json["tmax"] == 77 && json["id"].as_str().unwrap().len() == 32 && json["imp"][0]["id"].is_string());
            assert!(json["user"]["id"].is_string() && json["user"]["buyeruid"].is_string());
            vec![in_openrtb(&json)]
        }
        Door::GrpcLookup => vec![in_proto(v1::LookupRequest::decode(body).unwrap())],
        Door::GrpcDecide => {
            assert_eq!(v1::DecideRequest::decode(body).unwrap().campaigns.len(), 2);
            vec![in_proto(v1::LookupRequest::decode(body).unwrap())]
        }
        Door::GrpcBatch | Door::GrpcStream => {
            let batch = v1::LookupBatchRequest::decode(body).unwrap();
            assert_eq!(batch.numeric_ids, door == Door::GrpcStream);
            batch.lookups.into_iter().map(in_proto).collect()
        }
        Door::Artf => vec![in_artf(artf_wire::RtbRequest::decode(body).unwrap())],
        Door::Events => {
            let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            let lines: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
            assert!(lines.iter().all(|line| line["type"] == "event" && line["name"] == "purchase"));
            assert!(lines.iter().all(|line| line["time"].as_str().unwrap().ends_with('Z')));
            lines.iter().map(in_json).collect()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_question_parses_and_is_about_whom_it_says(people in vec(person(), 1..6), seed: u64, from in 0u64..1_000_000) {
        let template = r#" { "imp" : [ {"id":"1"} ], "user": {"eids":[{"source":"x","uids":[{"id":"theirs"}]}], "geo":{"country":"ITA"},
            "ext":{"consent":"theirs"}}, "device":{"ifa":"theirs","lmt":1}, "regs":{"gdpr":1}, "id":7 } "#;
        let templates = [template];
        let (_directory, questions) = questions(&people, seed, if seed % 2 == 0 { &[] } else { &templates });
        let (mut question, mut again) = (Question::default(), Question::default());
        for (door, n) in Door::ALL.into_iter().flat_map(|door| (from..from + 6).map(move |n| (door, n))) {
            questions.write(door, n, &mut question);
            prop_assert!(door == Door::Events || !String::from_utf8_lossy(&question.body).contains("theirs"));
            let found = found(door, &question);
            prop_assert_eq!((found.len(), question.people.len()), (question.items as usize, question.items as usize));
            for (found, line) in found.into_iter().zip(&question.people) {
                let Some(line) = line else {
                    prop_assert!([1, 3].contains(&found.ids.len()) && found.privacy == Privacy::default());
                    continue;
                };
                let person = &people[*line as usize];
                let own = person.eids.iter().map(|eid| (eid.source.clone(), eid.uid.clone()));
                let ifa = (!person.ifa.is_empty()).then(|| ("ifa".to_owned(), person.ifa.clone()));
                let own: Vec<Id> = own.chain(ifa).collect();
                prop_assert!(own.iter().all(|id| found.ids.contains(id)), "{:?} of {own:?} at {door:?}", found.ids);
                let least = if door == Door::Events { own.len().max(1) } else { own.len() };
                prop_assert!(found.ids.len() == least || !own.is_empty() && found.ids.len() == own.len().max(3));
                let said = person.privacy.clone().unwrap_or_default();
                prop_assert_eq!(&found.privacy, if door == Door::Events { &found.privacy } else { &said });
            }
            questions.write(door, n, &mut again);
            prop_assert_eq!(&question.people, &again.people);
            prop_assert!(door == Door::Events || question.body == again.body, "the same number, the same question");
        }
    }
}

#[test]
fn what_a_template_says_of_others_stays_and_campaigns_are_taken_in_turn() {
    let template = r#"{"imp":[{"id":"1","pmp":{"deals":[{"id":"d","guar":1}]}}],"app":{"name":"a b"},"device":{"geo":{"city":"x","type":1}},"user":{"data":[1],"ext":{"k":[]}}}"#;
    let (_directory, questions) = questions(&[Person::default()], 7, &[template]);
    let mut question = Question::default();
    questions.write(Door::Enrich, 0, &mut question);
    let body: Value = serde_json::from_slice(&question.body).unwrap();
    assert_eq!((&body["app"]["name"], &body["device"]["geo"]), (&json!("a b"), &json!({"city": "x", "type": 2})));
    assert_eq!((&body["user"]["data"], &body["user"]["ext"]), (&json!([1]), &json!({"k": []})));
    questions.write(Door::Artf, 0, &mut question);
    let request = artf_wire::RtbRequest::decode(&question.body[..]).unwrap().bid_request.unwrap();
    let deal = &request.imp[0].pmp.as_ref().unwrap().deals[0];
    assert_eq!((deal.id(), deal.guar()), ("d", 1));
    let mut asked = Vec::new();
    for n in 0..3 {
        questions.write(Door::GrpcDecide, n, &mut question);
        asked.extend(v1::DecideRequest::decode(&question.body[..]).unwrap().campaigns);
    }
    assert_eq!(asked, ["a/1", "a/\"2", "3", "a/1", "a/\"2", "3"]);
}

#[test]
fn that_nobody_is_known_is_remarked() {
    let workload = json!({"name": "t", "doors": {"lookup": 1.0}, "arrivals": {"phases": []}});
    let questions = Questions::new(&serde_json::from_value(workload).unwrap(), Path::new(".")).unwrap();
    assert_eq!(questions.remarks().len(), 1);
}
