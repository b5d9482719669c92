//! `vaglio publish` and `vaglio check` beside a server.

use crate::place::Place;
use serde_json::json;

const FILE: &str = "\
audiences:
  - { id: mine, owner: acme, kind: target, rule: plan = gold }
campaigns:
  - { id: c, owner: acme, status: active, include: [mine], exclude: [buyers] }
";

#[test]
fn publishing_from_the_command_line() {
    let place = Place::new().start();
    let run = |arguments: &[&str]| {
        let output = place.run(arguments);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    place.world.file("new.yaml", &FILE.replace("plan = gold", "paln = gold"));
    let (code, _, said) = run(&["publish", "new.yaml"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("new.yaml:2:50: there is no trait `paln`"), "{said}");
    place.world.file("new.yaml", FILE);
    let (code, said, wrong) = run(&["publish", "new.yaml", "--dry-run"]);
    assert_eq!((code, said.contains("audience acme/mine: version 1 would be published")), (0, true), "{said}{wrong}");
    let (code, said, _) = run(&["publish", "new.yaml", "--comment", "hello", "--format", "json"]);
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&said).unwrap()["change"], 1);
    let mine = place.get("/api/v1/audiences/acme/mine");
    assert_eq!((&mine["author"], &mine["comment"], &mine["version"]), (&json!("cli:pat"), &json!("hello"), &json!(1)));

    // ETags are exact against another process too.
    let (code, ..) = run(&["publish", "new.yaml", "--draft"]);
    assert_eq!(code, 0);
    place.world.file("new.yaml", &FILE.replace(", exclude: [buyers]", ""));
    let (code, _, said) = run(&["publish", "new.yaml"]);
    assert_eq!(code, 1, "{said}");
    let token = said.split("--confirm ").nth(1).unwrap().split('`').next().unwrap();
    assert!(said.contains("the campaign `acme/c` excludes `acme/buyers` no more"), "{said}");
    assert_eq!(run(&["publish", "new.yaml", "--confirm", token]).0, 0);
    let stale = place.ask("PUT", "/api/v1/campaigns/acme/c", "if-match: \"1\"\r\n", "status: paused\n");
    assert_eq!(stale.status, 412, "{stale:?}");
    assert_eq!(run(&["publish", "new.yaml", "--owner", "globex"]).0, 2);
    assert_eq!(run(&["publish", "missing.yaml"]).0, 2);
    place.world.file("new.yaml", "audiences:\n- { id: gold, owner: acme, kind: target, rule: everyone }\n");
    let (code, _, said) = run(&["publish", "new.yaml"]);
    assert_eq!((code, said.contains("audiences.yaml:2")), (2, true), "{said}");

    // A check knows what is published.
    place.world.file("other.yaml", "audiences:\n- { id: more, owner: acme, kind: target, rule: in audience mine }\n");
    assert_eq!(run(&["check", "audiences.yaml", "other.yaml"]).0, 0);
}
