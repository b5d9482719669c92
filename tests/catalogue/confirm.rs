//! What must be confirmed, and by whom.

use crate::place::{Place, codes, problem, token};
use serde_json::json;

const FIRST: &str = "\
audiences:
  - { id: a, owner: acme, kind: target, rule: plan = gold }
  - { id: over, owner: acme, kind: target, rule: in audience a and age >= 0 }
  - { id: haters, owner: acme, kind: suppress, rule: did purchase within 3 days }
campaigns:
  - { id: c, owner: acme, status: active, include: [a], exclude: [{ audience: haters, hard: true }, buyers] }
";

#[test]
fn what_removes_an_exclusion_or_moves_many_is_confirmed_as_it_was_seen() {
    let place = Place::new().start();
    assert_eq!(place.post("/api/v1/definitions?publish=true", FIRST).status, 200);

    // Fewer exclusions.
    let fewer = FIRST.replace(", buyers]", "]");
    let asked = place.post("/api/v1/definitions?publish=true", &fewer);
    let first = token(&asked);
    assert_eq!(codes(&asked), ["exclusion_removed", "confirm"]);
    let softer = FIRST.replace(", hard: true", "");
    assert_eq!(codes(&place.post("/api/v1/definitions?publish=true", &softer)), ["exclusion_softened", "confirm"]);
    // A draft moves nobody.
    assert_eq!(place.post("/api/v1/definitions", &fewer).status, 200);
    // The token is of this change against that state, and the state has changed.
    let late = place.post(&format!("/api/v1/definitions?publish=true&confirm={first}"), &fewer);
    let second = token(&late);
    assert_ne!(first, second);
    let other = place.post(&format!("/api/v1/definitions?publish=true&confirm={second}"), &softer);
    assert_eq!(problem(&other), "needs_confirmation");
    let done = place.post(&format!("/api/v1/definitions?publish=true&confirm={second}"), &fewer);
    assert_eq!(done.status, 200, "{done:?}");

    // Members: of the audience and of those that rest on it.
    let moved = fewer.replace("rule: plan = gold", "rule: plan = silver");
    let dry = place.post("/api/v1/definitions?publish=true&dry_run=true", &moved).json();
    let reasons = dry["needs_confirmation"].as_array().unwrap();
    let ids: Vec<_> = reasons.iter().map(|it| (it["code"].as_str().unwrap(), it["id"].as_str().unwrap())).collect();
    assert_eq!(ids, [("members_moved", "acme/a"), ("members_moved", "acme/over")]);
    assert_eq!(dry["affected"], json!({"audiences": ["acme/a", "acme/over"], "campaigns": ["acme/c"]}));
    // They are those that a naive look at the columns finds.
    let view = place.world.loaded();
    let store = vaglio::snapshot::Store::open(&view.config.data_dir).unwrap();
    let keys = view.key_hasher(false).unwrap();
    let serving = vaglio::lookup::ServingSnapshot::new(
        store.open_snapshot(store.current().unwrap().unwrap(), vaglio::snapshot::Planes::All, Some(&keys)).unwrap(),
    );
    let gold = serving.unwrap().manifest().audiences.iter().find(|it| it.id.as_str() == "acme/gold").unwrap().members;
    assert_eq!(reasons[0]["members"], gold);
    assert_eq!(reasons[0]["leaves"], gold);
    let confirm = dry["confirm"].as_str().unwrap();
    let done = place.post(&format!("/api/v1/definitions?publish=true&confirm={confirm}"), &moved);
    assert_eq!(done.status, 200, "{done:?}");

    // A suppress audience in use goes together with what excludes it.
    let body = json!({"items": [{"kind": "audience", "id": "acme/haters", "archive": true},
        {"kind": "campaign", "id": "acme/c", "archive": true}]});
    let asked = place.post("/api/v1/publish", &body.to_string());
    let token = token(&asked);
    assert_eq!(codes(&asked), ["suppress_archived", "confirm"]);
    let mut body = body;
    body["confirm"] = token.into();
    assert_eq!(place.post("/api/v1/publish", &body.to_string()).status, 200);
}

#[test]
fn an_approver_publishes_what_planners_may_not() {
    for (approval, plain) in [("confirmed", 200), ("all", 403)] {
        let place = Place::with(&format!("publishing: {{ approval: {approval} }}\n"));
        let (planner, approver) = (place.key("planner", "acme"), place.key("approver", "acme"));
        let place = place.start();
        let publish = |key: &str, text: &str, confirm: &str| {
            place.with_key(key, "POST", &format!("/api/v1/definitions?publish=true&confirm={confirm}"), text)
        };
        let first = publish(&planner, FIRST, "");
        assert_eq!(first.status, plain, "{first:?}");
        assert_eq!(publish(&approver, FIRST, "").status, 200);
        let fewer = FIRST.replace(", buyers]", "]");
        let refused = publish(&planner, &fewer, "");
        assert_eq!((refused.status, problem(&refused).as_str()), (403, "permission_denied"), "{refused:?}");
        assert!(refused.json()["detail"].as_str().unwrap().contains(&format!("publishing.approval: {approval}")));
        let token = token(&publish(&approver, &fewer, ""));
        assert_eq!(publish(&planner, &fewer, &token).status, 403);
        // A draft is everybody's to write.
        assert_eq!(place.with_key(&planner, "POST", "/api/v1/definitions", &fewer).status, 200);
        let token = crate::place::token(&publish(&approver, &fewer, ""));
        assert_eq!(publish(&approver, &fewer, &token).status, 200);
    }
}

#[test]
fn what_cannot_be_weighed_is_confirmed_and_never_passes_by_itself() {
    let place = Place::with("publishing: { approval: confirmed }\n");
    let (planner, approver) = (place.key("planner", "globex"), place.key("approver", "globex"));
    let all = place.key("approver", "*");
    let place = place.start();
    let text = FIRST.replace("acme", "globex").replace(", buyers]", "]");
    assert_eq!(place.with_key(&approver, "POST", "/api/v1/definitions?publish=true", &text).status, 200);

    // A file breaks; it is another owner's.
    let file = std::fs::read_to_string(place.world.path().join("audiences.yaml")).unwrap();
    place.world.file("audiences.yaml", &file.replace("plan = gold", "nonesuch = gold"));
    let fewer = text.replace("exclude: [{ audience: haters, hard: true }]", "exclude: []");
    assert_ne!(fewer, text);
    let publish = |key: &str, confirm: &str| {
        place.with_key(key, "POST", &format!("/api/v1/definitions?publish=true&confirm={confirm}"), &fewer)
    };
    let refused = publish(&planner, "");
    assert_eq!((refused.status, codes(&refused)), (403, vec!["not_counted".to_owned()]), "{refused:?}");
    let told = publish(&approver, "");
    assert_eq!(codes(&told), ["not_counted", "confirm"], "nothing of others: {told:?}");
    assert!(!told.body.contains("audiences.yaml"));
    let whole = publish(&all, "").json();
    let at = whole["errors"].as_array().unwrap().iter().find(|error| error["file"].is_string()).unwrap();
    assert!(at["file"].as_str().unwrap().ends_with("audiences.yaml") && at["line"] == 2, "{whole}");
    let path = "/api/v1/definitions?publish=true&dry_run=true";
    let dry = place.with_key(&planner, "POST", path, &fewer).json();
    assert_eq!(dry["needs_confirmation"][0]["code"], "not_counted", "{dry}");
    assert_eq!(publish(&planner, &token(&told)).status, 403);
    assert_eq!(publish(&approver, &token(&told)).status, 200);

    // `vaglio publish` says so, and where.
    place.world.file("more.yaml", "audiences: [{ id: cli, owner: acme, kind: target, rule: age > 5 }]\n");
    let output = place.run(&["publish", "more.yaml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("--confirm") && said.contains("audiences.yaml:2"), "{said}");
}

#[test]
fn exclusions_that_end_later_and_suppress_audiences_that_target_are_confirmed() {
    let place = Place::new().start();
    let publish = |text: &str| place.post("/api/v1/definitions?publish=true", text);
    assert_eq!(publish(FIRST).status, 200);
    let ends = FIRST.replace("kind: suppress", "kind: suppress, valid_to: 2199-12-31");
    assert_eq!(codes(&publish(&ends)), ["exclusion_ends", "confirm"]);
    let targets = FIRST.replace("kind: suppress", "kind: target");
    assert_eq!(codes(&publish(&targets)), ["suppress_retargeted", "confirm"]);
    // What says nothing of who is in it moves nobody.
    assert_eq!(publish(&FIRST.replace("kind: suppress", "kind: suppress, folder: f")).status, 200);
}

#[test]
fn nobody_counts_anothers_audience_by_moving_their_own() {
    let place = Place::new();
    let (acme, globex) = (place.key("planner", "acme"), place.key("planner", "globex"));
    let place = place.start();
    let publish = |key: &str, text: &str| place.with_key(key, "POST", "/api/v1/definitions?publish=true", text);
    let open = "audiences: [{ id: open, owner: acme, kind: target, rule: age >= 18, share: all }]\n";
    assert_eq!(publish(&acme, open).status, 200);
    let own = "audiences: [{ id: own, owner: globex, kind: target, rule: plan = gold }]\n";
    assert_eq!(publish(&globex, own).status, 200);
    // It moves everybody, or nobody: the answer is the same.
    let one = publish(&globex, &own.replace("plan = gold", "in audience acme/open"));
    let other = publish(&globex, &own.replace("plan = gold", "plan = gold and (in audience acme/open or everyone)"));
    for answer in [&one, &other] {
        assert_eq!(codes(answer), ["not_counted", "confirm"], "{answer:?}");
        let detail = &answer.json()["errors"][0]["detail"];
        assert!(detail.as_str().unwrap().contains("`globex/own` rests on an audience of another owner"), "{detail}");
    }
    let confirm = token(&one);
    let path = format!("/api/v1/definitions?publish=true&confirm={confirm}");
    let rests = own.replace("plan = gold", "in audience acme/open");
    assert_eq!(place.with_key(&globex, "POST", &path, &rests).status, 200);
    let asked = publish(&acme, &open.replace("18", "17"));
    assert_eq!(codes(&asked), ["not_counted", "confirm"]);
    assert!(!asked.body.contains("globex"), "{asked:?}");
}
