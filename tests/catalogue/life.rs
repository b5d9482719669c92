//! One definition from its first draft to its end.

use crate::place::{Place, codes, problem};
use serde_json::json;

const PATH: &str = "/api/v1/audiences/acme/young";

#[test]
fn a_definition_is_written_published_changed_taken_back_and_archived() {
    let place = Place::new().start();
    let put = |headers: &str, body: &str| place.ask("PUT", &format!("{PATH}?comment=first"), headers, body);
    assert_eq!(problem(&place.ask("GET", PATH, "", "")), "not_found");
    let draft = put("if-none-match: *\r\n", "kind: target\nrule: \"age < 30 # the young\"\n");
    assert_eq!(draft.status, 201, "{draft:?}");
    assert!(draft.headers.contains("etag: \"1\""), "{draft:?}");
    assert_eq!(draft.json()["text"], "id: young\nowner: acme\nkind: target\nrule: \"age < 30 # the young\"\n");
    assert_eq!((draft.json()["state"].clone(), draft.json()["author"].clone()), (json!("draft"), json!("loopback")));
    assert_eq!(problem(&put("if-none-match: *\r\n", "kind: target\nrule: age < 3\n")), "precondition_failed");
    assert_eq!(problem(&put("if-match: \"7\"\r\n", "kind: target\nrule: age < 3\n")), "precondition_failed");

    let publish = |body: serde_json::Value| place.post("/api/v1/publish", &body.to_string());
    let published = publish(json!({"items": [{"kind": "audience", "id": "acme/young"}], "comment": "go"}));
    assert_eq!(published.status, 200, "{published:?}");
    let told = published.json();
    assert_eq!(told["items"], json!([{"kind": "audience", "id": "acme/young", "version": 2, "state": "published"}]));
    assert_eq!((&told["affected"]["audiences"], &told["builds"]), (&json!(["acme/young"]), &json!("/api/v1/builds")));

    let second = put("if-match: \"2\"\r\n", "{\"kind\": \"target\", \"rule\": \"age < 31\", \"tags\": [\"q4\"]}");
    assert_eq!((second.status, second.headers.contains("etag: \"3\"")), (200, true), "{second:?}");
    let now = place.get(PATH);
    assert_eq!((&now["state"], &now["has_draft"], &now["version"]), (&json!("published"), &json!(true), &json!(3)));
    assert_eq!((&now["published"]["version"], &now["draft"]["version"]), (&json!(2), &json!(3)));
    let diff = place.get(&format!("{PATH}/diff"));
    assert_eq!((&diff["from"], &diff["to"]), (&json!(2), &json!(3)));
    assert_eq!(diff["fields"][0], json!({"field": "rule", "before": "age < 30 # the young", "after": "age < 31"}));
    assert_eq!(diff["lines"][0], json!({"of": "both", "text": "id: young"}));
    assert_eq!(publish(json!({"items": [{"kind": "audience", "id": "acme/young"}]})).status, 200);
    // An undo.
    let back = publish(json!({"items": [{"kind": "audience", "id": "acme/young", "version": 2}]}));
    assert_eq!(back.status, 200, "{back:?}");
    let versions = place.get(&format!("{PATH}/versions?limit=2"));
    assert_eq!((&versions["versions"][0]["version"], &versions["next"]), (&json!(5), &json!(4)));
    assert_eq!(place.get(&format!("{PATH}/versions?before=4"))["versions"].as_array().unwrap().len(), 3);
    assert_eq!(place.get(&format!("{PATH}/versions/5"))["text"], place.get(&format!("{PATH}/versions/1"))["text"]);
    assert_eq!(problem(&place.ask("GET", &format!("{PATH}/versions/9"), "", "")), "not_found");

    let gone = place.ask("DELETE", PATH, "if-match: \"5\"\r\n", "");
    assert_eq!(gone.status, 200, "{gone:?}");
    assert_eq!(place.get(PATH)["state"], "archived");
    assert_eq!(problem(&place.ask("DELETE", PATH, "", "")), "not_found");
    let listed = |query: &str| place.get(&format!("/api/v1/definitions?owner=acme&q=YOUNG{query}"))["total"].clone();
    assert_eq!((listed(""), listed("&state=archived")), (json!(0), json!(1)));
    // What is archived can come back.
    let again = publish(json!({"items": [{"kind": "audience", "id": "acme/young", "version": 5}]}));
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(listed(""), json!(1));
}

#[test]
fn what_a_file_defines_is_shown_and_changed_there() {
    let place = Place::new().start();
    let gold = place.get("/api/v1/audiences/acme/gold");
    assert_eq!((&gold["origin"], &gold["line"], &gold["sort"]), (&json!("file"), &json!(2), &json!("target")));
    assert!(gold["file"].as_str().unwrap().ends_with("audiences.yaml"), "{gold}");
    for answer in [
        place.ask("PUT", "/api/v1/audiences/acme/gold", "", "kind: target\nrule: everyone\n"),
        place.ask("DELETE", "/api/v1/audiences/acme/gold", "", ""),
        place.post("/api/v1/definitions", "audiences:\n- { id: gold, owner: acme, kind: target, rule: everyone }\n"),
    ] {
        assert_eq!((answer.status, problem(&answer).as_str()), (409, "conflict"), "{answer:?}");
        let body = answer.json();
        assert!(body["detail"].as_str().unwrap().contains("audiences.yaml:2"), "{body}");
        assert_eq!(codes(&answer), ["defined-in-file"]);
    }
    // A file that begins to define what the catalogue has wins, with a warning.
    let put = place.ask("PUT", "/api/v1/audiences/acme/mine", "", "kind: target\nrule: everyone\n");
    assert_eq!(put.status, 201, "{put:?}");
    let body = json!({"items": [{"kind": "audience", "id": "acme/mine"}]}).to_string();
    assert_eq!(place.post("/api/v1/publish", &body).status, 200);
    let file = std::fs::read_to_string(place.world.path().join("audiences.yaml")).unwrap();
    let more = "  - { id: mine, owner: acme, kind: target, rule: plan = gold }\ncampaigns:";
    place.world.file("audiences.yaml", &file.replacen("campaigns:", more, 1));
    assert_eq!(place.get("/api/v1/audiences/acme/mine")["origin"], "file");
    let defined = vaglio::build::defined::read(&place.world.loaded()).unwrap();
    assert!(defined.findings.iter().any(|it| it.code == "defined-in-file"), "{:?}", defined.findings);
    let id = vaglio::schema::AudienceId::new("acme", "mine");
    let at = defined.catalogue.number(&id).unwrap() as usize;
    assert_eq!(defined.catalogue.audiences[at].rule.as_ref().unwrap().to_string(), "plan = gold");
}

#[test]
fn of_writers_with_the_same_etag_one_wins() {
    let place = Place::new().start();
    assert_eq!(place.ask("PUT", "/api/v1/audiences/acme/x", "", "kind: target\nrule: age < 1\n").status, 201);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let writers: Vec<_> = (2..8)
            .map(|n| {
                let place = &place;
                scope.spawn(move || {
                    let body = format!("kind: target\nrule: age < {n}\n");
                    place.ask("PUT", "/api/v1/audiences/acme/x", "if-match: \"1\"\r\n", &body).status
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 5, "{statuses:?}");
}

#[test]
fn requests_that_make_no_sense_are_told_so() {
    let place = Place::new().start();
    for (method, path, body, status, field) in [
        ("GET", "/api/v1/definitions?colour=red", "", 400, "colour"),
        ("GET", "/api/v1/definitions?limit=0", "", 400, "limit"),
        ("GET", "/api/v1/definitions?kind=deal", "", 400, "kind"),
        ("GET", "/api/v1/definitions?after=x", "", 400, "after"),
        ("POST", "/api/v1/publish", "{\"items\":[{\"kind\":\"deal\",\"id\":\"a/b\"}]}", 400, "/items/0/kind"),
        ("POST", "/api/v1/publish", "{\"items\":[{\"kind\":\"audience\",\"id\":\"b\"}]}", 400, "/items/0/id"),
    ] {
        let answer = place.ask(method, path, "", body);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.json()["errors"][0]["field"], field, "{path}: {answer:?}");
    }
    assert_eq!(place.ask("GET", "/api/v1/deals/acme/x", "", "").status, 404);
    assert_eq!(place.post("/api/v1/publish", "{\"items\":1}").status, 400);
    assert_eq!(place.post("/api/v1/publish", "{\"items\":[]}").status, 400);
    let wrong = place.ask("PUT", "/api/v1/audiences/acme/x", "", "kind: target\nrule: plan = gold and aeg > 5\n");
    assert_eq!((wrong.status, codes(&wrong)), (400, vec!["unknown-trait".to_owned()]), "{wrong:?}");
    let error = &wrong.json()["errors"][0];
    assert_eq!((&error["line"], &error["column"]), (&json!(2), &json!(23)));
    let other = place.ask("PUT", "/api/v1/audiences/acme/x", "", "id: y\nkind: target\nrule: everyone\n");
    assert_eq!(other.status, 400, "{other:?}");
    let type_of = place.ask("PUT", "/api/v1/audiences/acme/x", "content-type: image/png\r\n", "x");
    assert_eq!(problem(&type_of), "unsupported_media_type");
}
