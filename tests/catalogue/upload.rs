//! Many definitions at once.

use crate::place::{Place, codes};
use proptest::prelude::*;
use serde_json::json;

const MANY: &str = "\
audiences:
  - { id: a, owner: acme, kind: target, rule: plan = gold, share: all, valid_to: 2027-01-01, floor: 50 }
  - id: b
    owner: acme
    kind: suppress
    rule: |
      did purchase within 7 days   # recent
      and not in audience a
campaigns:
  - { id: c, owner: acme, status: active, include: [a], exclude: [{ audience: b, hard: true }], group: one }
  - { id: d, owner: acme, status: paused, include: [a, gold], group: one }
groups: { one: { at_most: 1, per: 24h, owner: acme } }
pressure: [{ messages: 5, per: 7d, owners: [acme, globex] }]
";

#[test]
fn all_or_nothing_and_what_is_downloaded_uploads_without_a_change() {
    let place = Place::new().start();
    let wrong = MANY.replace("plan = gold", "paln = gold").replace("include: [a]", "include: [z]");
    let answer = place.post("/api/v1/definitions?publish=true", &wrong);
    assert_eq!((answer.status, codes(&answer)), (400, vec!["unknown-trait".into(), "unknown-audience".to_owned()]));
    let error = &answer.json()["errors"][0];
    assert_eq!((&error["file"], &error["line"], &error["column"]), (&json!("upload"), &json!(2), &json!(47)));
    assert_eq!(place.get("/api/v1/definitions?origin=catalogue")["total"], 0);

    let dry = place.post("/api/v1/definitions?publish=true&dry_run=true", MANY);
    assert_eq!(dry.status, 200, "{dry:?}");
    assert_eq!((dry.json()["items"].as_array().unwrap().len(), dry.json()["change"].is_null()), (7, true));
    let done = place.post("/api/v1/definitions?publish=true&comment=all", MANY);
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.json()["change"], 1);
    let download = || place.ask("GET", "/api/v1/definitions.yaml", "", "").body;
    let yaml = download();
    assert!(yaml.contains("    did purchase within 7 days   # recent\n"), "{yaml}");
    let again = place.post("/api/v1/definitions?publish=true", &yaml);
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!((again.json()["items"].clone(), again.json()["unchanged"].as_array().unwrap().len()), (json!([]), 7));
    assert_eq!(download(), yaml);
    // As JSON too, and as drafts.
    let as_json = json!({"audiences": [{"id": "e\u{e9}", "owner": "acme", "kind": "target", "name": "\u{1f600}", "rule": "everyone"}]});
    let ascii = as_json.to_string().replace('\u{1f600}', "\\ud83d\\ude00");
    let header = "content-type: application/json\r\n";
    let taken = place.ask("POST", "/api/v1/definitions", header, &ascii);
    assert_eq!(taken.status, 200, "{taken:?}");
    assert_eq!(download(), yaml);
    let listed = place.get("/api/v1/definitions?state=draft");
    assert_eq!(listed["definitions"][0]["name"], "\u{1f600}");

    // The pages of a list are the list.
    let all = place.get("/api/v1/definitions?limit=1000");
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page = place.get(&format!("/api/v1/definitions?limit=2{after}"));
        pages.extend(page["definitions"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={}", next.replace('\u{e9}', "%C3%A9"));
    }
    assert_eq!(all["definitions"].as_array().unwrap(), &pages);

    // A generation is built from it.
    let defined = vaglio::build::defined::read(&place.world.loaded()).unwrap();
    assert_eq!(defined.version, done.json()["definitions"].as_str().unwrap());
    let at = defined.catalogue.number(&vaglio::schema::AudienceId::new("acme", "a")).unwrap() as usize;
    assert_eq!(defined.catalogue.audiences[at].floor, Some(50));
    assert_eq!(defined.catalogue.pressure.len(), 2);
}

#[test]
fn what_needs_an_owner_says_so() {
    let place = Place::new().start();
    let text = "groups: { one: { at_most: 1, per: 24h } }\npressure: { messages: 5, per: 7d }\n";
    let answer = place.post("/api/v1/definitions", text);
    assert_eq!(
        (answer.status, codes(&answer)),
        (400, vec!["missing-key".to_owned(), "missing-key".to_owned()]),
        "{answer:?}"
    );
    assert_eq!(place.post("/api/v1/definitions", "audiences: [{").status, 400);
    assert_eq!(place.post("/api/v1/definitions", "").status, 200);
    let twice = "audiences:\n- { id: a, owner: acme, kind: target, rule: everyone }\n- { id: a, owner: acme, kind: target, rule: plan = gold }\n";
    assert_eq!(codes(&place.post("/api/v1/definitions", twice)), ["repeated-id"]);
}

#[test]
fn what_others_rest_on_does_not_go() {
    let place = Place::new().start();
    assert_eq!(place.post("/api/v1/definitions?publish=true", MANY).status, 200);
    let answer = place.ask("DELETE", "/api/v1/audiences/acme/a", "", "");
    assert_eq!((answer.status, answer.json()["code"].clone()), (409, json!("conflict")), "{answer:?}");
    let body = answer.json();
    let files: Vec<&str> = body["errors"].as_array().unwrap().iter().map(|it| it["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["catalogue: audience acme/b", "catalogue: campaign acme/c", "catalogue: campaign acme/d"]);
}

fn rule() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0..90_u8).prop_map(|age| format!("age >= {age}")),
        Just("plan = gold # why: \"x\"\n".to_owned()),
        Just("did purchase within 7 days".to_owned()),
    ];
    prop::collection::vec(leaf, 1..4).prop_map(|leaves| leaves.join("\n  and "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn files_come_back_as_they_went(audiences in prop::collection::vec((rule(), "\\PC{1,20}", prop::option::of("[a-z]{1,5}")), 1..6)) {
        use vaglio::audiences::definitions::canonical::{file, split};
        use vaglio::audiences::definitions::check;
        let items: Vec<_> = audiences.iter().enumerate().map(|(at, (rule, name, folder))| json!({
            "id": format!("a{at}"), "owner": "acme", "kind": "target", "rule": rule, "name": name, "folder": folder,
        })).collect();
        let text = json!({ "audiences": items }).to_string();
        let pieces = split(&text);
        prop_assert_eq!(pieces.len(), items.len());
        let yaml = file(pieces.iter().map(|it| (it.kind, &it.id, it.text.as_str())));
        let again = split(&yaml);
        prop_assert_eq!(file(again.iter().map(|it| (it.kind, &it.id, it.text.as_str()))), yaml.clone());
        // It means the same, and the same is wrong with it.
        let check = |text: &str| check(&[("f".into(), text.to_owned())], &Default::default(), &jiff::tz::TimeZone::UTC);
        let codes = |text: &str| {
            let mut codes: Vec<_> = check(text).findings.iter().map(|it| (it.code, it.message.clone())).collect();
            codes.sort();
            codes
        };
        prop_assert_eq!(codes(&text), codes(&yaml));
    }
}

#[test]
fn a_download_of_nothing_uploads_again() {
    let place = Place::new().start();
    let empty = place.ask("GET", "/api/v1/definitions.yaml", "", "");
    assert_eq!((empty.status, empty.body.as_str()), (200, "audiences: []\n"));
    for more in ["", "?publish=true"] {
        let again = place.post(&format!("/api/v1/definitions{more}"), &empty.body);
        assert_eq!((again.status, &again.json()["items"]), (200, &serde_json::json!([])), "{again:?}");
    }
}
