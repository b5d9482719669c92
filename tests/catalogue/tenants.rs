//! Who sees and changes whose definitions.

use crate::place::{Place, codes, problem};
use serde_json::{Value, json};

const ACME: &str = "\
audiences:
  - { id: secret, owner: acme, kind: target, rule: plan = gold }
  - { id: open, owner: acme, kind: target, name: Open, folder: f, rule: age >= 18, share: [globex] }
";

#[test]
fn others_definitions_are_as_absent_as_what_is_not_there() {
    let place = Place::new();
    let keys = [place.key("planner", "acme"), place.key("planner", "globex"), place.key("planner", "*")];
    let place = place.start();
    let [acme, globex, all] = &keys;
    let done = place.with_key(acme, "POST", "/api/v1/definitions?publish=true", ACME);
    assert_eq!(done.status, 200, "{done:?}");

    let same = |method: &str, path: &str, body: &str| {
        let [there, not] = ["secret", "nonesuch"].map(|id| {
            let answer = place.with_key(globex, method, &path.replace("ID", id), body);
            (answer.status, answer.body.replace(id, "ID"))
        });
        assert_eq!(there, not, "{method} {path}");
        there.0
    };
    for more in ["", "/versions", "/versions/1", "/diff"] {
        assert_eq!(same("GET", &format!("/api/v1/audiences/acme/ID{more}"), ""), 404);
    }
    assert_eq!(same("DELETE", "/api/v1/audiences/acme/ID", ""), 404);
    assert_eq!(same("PUT", "/api/v1/audiences/acme/ID", "kind: target\nrule: everyone\n"), 403);
    let body = |id: &str| json!({"items": [{"kind": "audience", "id": format!("acme/{id}")}]}).to_string();
    let publish = |id: &str| place.with_key(globex, "POST", "/api/v1/publish", &body(id));
    assert_eq!(publish("secret").body.replace("secret", "ID"), publish("nonesuch").body.replace("nonesuch", "ID"));

    // A reference to what is not shared is one to nothing.
    let uses = |id: &str| format!("kind: target\nrule: in audience acme/{id}\n");
    let [there, not] = ["secret", "nonesuch"].map(|id| {
        let answer = place.with_key(globex, "PUT", "/api/v1/audiences/globex/x", &uses(id));
        (answer.status, codes(&answer), answer.body.replace(id, "ID"))
    });
    assert_eq!((there.0, &there.1), (400, &vec!["unknown-audience".to_owned()]), "{there:?}");
    assert_eq!((there.0, there.1, there.2.split("help").next()), (not.0, not.1, not.2.split("help").next()));
    // Nor does a name that is nearly right find it.
    let near = place.with_key(globex, "PUT", "/api/v1/audiences/globex/x", &uses("secre"));
    assert!(!near.body.contains("acme/secret"), "{near:?}");

    // What is shared is there by id, name and kind, and may be used.
    let used = place.with_key(globex, "PUT", "/api/v1/audiences/globex/x", &uses("open"));
    assert_eq!(used.status, 201, "{used:?}");
    let shared = json!({"kind": "audience", "id": "acme/open", "shared": true, "name": "Open", "sort": "target"});
    assert_eq!(place.with_key(globex, "GET", "/api/v1/audiences/acme/open", "").json(), shared);
    let listed = |key: &str| -> Vec<Value> {
        let list = place.with_key(key, "GET", "/api/v1/definitions?kind=audience", "").json();
        list["definitions"].as_array().unwrap().clone()
    };
    let ids =
        |key: &str| -> Vec<String> { listed(key).iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect() };
    assert_eq!(ids(globex), ["acme/open", "globex/x"]);
    assert!(listed(globex).contains(&shared));
    assert_eq!(ids(acme), ["acme/adults", "acme/buyers", "acme/gold", "acme/open", "acme/secret", "acme/vip"]);
    assert_eq!(ids(all).len(), 7);
    assert!(!place.with_key(globex, "GET", "/api/v1/definitions.yaml?drafts=true", "").body.contains("owner: acme"));

    // What globex uses acme does not take away unseen; whose it is is not told.
    let publish = json!({"items": [{"kind": "audience", "id": "globex/x"}]}).to_string();
    assert_eq!(place.with_key(globex, "POST", "/api/v1/publish", &publish).status, 200);
    let gone = place.with_key(acme, "DELETE", "/api/v1/audiences/acme/open", "");
    assert_eq!((gone.status, codes(&gone)), (409, vec!["breaks-others".to_owned()]), "{gone:?}");
    assert!(!gone.body.contains("globex"));

    let foreign = place.with_key(globex, "POST", "/api/v1/definitions", ACME);
    assert_eq!((foreign.status, problem(&foreign).as_str()), (403, "permission_denied"));
    assert_eq!(foreign.json()["errors"][1]["line"], 3);
}
