//! What planners see before they publish, through the port of a planner over a small world: counts against the people's own
//! facts, tenants, wrong questions, protection.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../doors/client.rs"]
#[allow(dead_code, reason = "shared with the doors' tests")]
mod client;
mod port;
#[path = "../world/mod.rs"]
mod world;

use port::{Port, key};
use serde_json::{Value, json};
use vaglio::access::{Key, Role};

/// Ids of members of an audience, one profile at a time.
fn naive(port: &Port, audience: &str) -> Vec<u32> {
    let view = port.view();
    let id = view.catalogue().audiences.iter().find(|it| it.id.as_str() == audience).unwrap().id.clone();
    let question = vaglio::evaluate::Question {
        catalogue: view.catalogue(),
        columns: view.columns(),
        now: view.as_of(),
        zone: view.zone(),
    };
    (0..view.columns().ordinals()).filter(|who| question.audience(&id, *who).unwrap().truth).collect()
}

#[test]
fn reach_counts_as_going_through_everybody_does() {
    let port = Port::start(300, &[]);
    for audience in ["acme/gold", "acme/adults", "acme/buyers", "acme/vip"] {
        let told = port.ok("reach", json!({ "audience": audience }));
        assert_eq!(told["count"], naive(&port, audience).len(), "{told}");
    }
    let told = port.ok("reach", json!({ "rule": "plan = gold and not in audience acme/vip", "by": ["plan", "age"] }));
    let vip = naive(&port, "acme/vip");
    let expected = naive(&port, "acme/gold").iter().filter(|who| !vip.contains(who)).count();
    assert_eq!(told["count"], expected);
    let parts = told["breakdown"][0]["parts"].as_array().unwrap();
    assert_eq!(parts.iter().map(|part| part["count"].as_u64().unwrap()).sum::<u64>(), expected as u64);
    assert!(told["by_id_type"].as_array().unwrap().iter().any(|it| it["id_type"] == "crm"), "{told}");
    assert!(told["seen"].is_null() && told["as_of"] == "2026-11-20T00:00:00Z", "{told}");
    let draft = json!({ "id": "new", "owner": "acme", "kind": "target", "rule": "plan = gold" });
    let of_draft = port.ok("reach", json!({ "definition": draft }));
    assert_eq!(of_draft["count"], naive(&port, "acme/gold").len());
    let yaml = "id: new\nowner: acme\nkind: target\nrule: plan = gold and age >= 18\n";
    assert!(port.ok("reach", json!({ "definition": yaml }))["count"].as_u64() <= of_draft["count"].as_u64());
}

#[test]
fn overlap_funnel_and_preview_agree_with_going_through_everybody() {
    let port = Port::start(300, &[]);
    let [gold, adults, buyers] = ["acme/gold", "acme/adults", "acme/buyers"].map(|id| naive(&port, id));
    let sets = json!([{ "audience": "acme/gold" }, { "audience": "acme/adults" }]);
    let told = port.ok("overlap", json!({ "sets": sets }));
    let both = gold.iter().filter(|who| adults.contains(who)).count();
    assert_eq!(told["pairs"][0][1]["count"], both);
    let exclusive = told["exclusive"].as_array().unwrap();
    let only_gold = exclusive.iter().find(|it| it["sets"] == json!([0])).map_or(0, |it| it["count"].as_u64().unwrap());
    assert_eq!(only_gold, (gold.len() - both) as u64);
    let told = port.ok("funnel", json!({ "campaign": "acme/upgrade" }));
    let left = |step: usize| told["steps"][step]["left"]["count"].as_u64();
    assert_eq!(left(1), Some(gold.len() as u64));
    let not_excluded = gold.iter().filter(|who| !buyers.contains(who)).count() as u64;
    assert_eq!(left(2), Some(not_excluded), "{told}");
    assert_eq!(told["excludes"][0]["lost"]["count"].as_u64(), Some(gold.len() as u64 - not_excluded));
    assert!(left(3) <= left(2) && left(4) <= left(3) && told["steps"][5]["left"].is_null(), "{told}");
    let changed = "audiences:\n- { id: gold, name: Gold customers, kind: target, owner: acme, rule: everyone }\n";
    let told = port.ok("preview", json!({ "definitions": changed }));
    let of = &told["audiences"][0];
    let everybody = u64::from(port.view().columns().ordinals());
    assert_eq!((&of["id"], &of["change"]), (&json!("acme/gold"), &json!("changed")));
    assert_eq!(of["join"]["count"].as_u64(), Some(everybody - gold.len() as u64));
    assert_eq!((of["leave"]["count"].as_u64(), of["stay"]["count"].as_u64()), (Some(0), Some(gold.len() as u64)));
    assert!(told["needs_confirmation"] == true && told["campaigns"][0]["id"] == "acme/upgrade", "{told}");
    let removed = port.ok("preview", json!({ "remove": ["acme/buyers"] }));
    assert!(removed["needs_confirmation"] == true, "an exclusion goes: {removed}");
    assert!(removed["lint"].as_array().unwrap().iter().any(|it| it["code"] == "still-named"), "{removed}");
}

#[test]
fn what_is_anothers_is_spoken_of_as_what_does_not_exist() {
    let other = key();
    let port = Port::start(100, &[(&other, Role::Planner, "rival")]);
    let ask = |body: Value| port.ask("reach", Some(&other), &body);
    let there = ask(json!({ "audience": "acme/gold" }));
    let absent = ask(json!({ "audience": "acme/gone" }));
    assert_eq!((there.status, absent.status), (404, 404));
    assert_eq!(there.body.replace("gold", "gone"), absent.body);
    let there = ask(json!({ "rule": "in audience acme/gold" }));
    let absent = ask(json!({ "rule": "in audience acme/gone" }));
    assert_eq!((there.status, there.body.replace("gold", "gone")), (400, absent.body));
    assert!(!ask(json!({ "rule": "in audience acme/glod" })).body.contains("gold"), "no suggestion either");
    let funnel = port.ask("funnel", Some(&other), &json!({ "campaign": "acme/upgrade" }));
    assert_eq!(funnel.status, 404);
    let vocabulary = port.get("vocabulary", Some(&other));
    let named = vocabulary.json()["audiences"].clone();
    let names: Vec<&str> = named.as_array().unwrap().iter().filter_map(|it| it["id"].as_str()).collect();
    assert_eq!(names, ["acme/shared", "rival/peek"], "only what is shared, and the own");
    assert_eq!(port.ask("reach", None, &json!({ "rule": "everyone" })).status, 401, "once there are keys");
}

#[test]
fn shared_audiences_are_counted_about_and_few_are_hidden() {
    let other = key();
    let port = Port::start(3_000, &[(&other, Role::Planner, "rival")]);
    let ask = |path: &str, body: Value| port.ask(path, Some(&other), &body);
    let about = ask("reach", json!({ "audience": "acme/shared" }));
    assert_eq!(about.status, 200, "{about:?}");
    let told = about.json();
    assert!(told["about"] == true && told["margin"].is_u64(), "{told}");
    let truth = naive(&port, "acme/shared").len() as u64;
    let count = told["count"].as_u64().unwrap();
    assert!(count.abs_diff(truth) <= 2 * told["margin"].as_u64().unwrap(), "{count} for {truth}");
    let words = ask("reach", json!({ "rule": "not not in audience acme/shared" })).json();
    assert_eq!((&words["count"], &words["by_id_type"]), (&told["count"], &told["by_id_type"]), "by whatever words");
    let few = ask("reach", json!({ "rule": "in audience acme/shared and in sample 1% of \"x\"" })).json();
    assert!(few["count"].is_null() && few["below_floor"] == true, "{few}");
    let people = ask("sample", json!({ "rule": "in audience acme/shared" }));
    assert_eq!(people.status, 403, "{people:?}");
    let own = ask("reach", json!({ "rule": "plan = gold" })).json();
    assert!(own["about"].is_null() && own["count"].as_u64() == Some(naive(&port, "acme/gold").len() as u64));
    let spent = (0..60).map(|_| ask("reach", json!({ "audience": "acme/shared" }))).find(|it| it.status == 429);
    let spent = spent.expect("50 questions an hour");
    assert!(spent.headers.contains("retry-after: "), "{spent:?}");
}

/// Otherwise an audience of one's own, of one person and another's audience, would tell whether that person is in it.
#[test]
fn what_rests_on_anothers_audience_is_told_exactly_nowhere() {
    let (rival, all) = (key(), key());
    let port = Port::start(300, &[(&rival, Role::Approver, "rival"), (&all, Role::Operator, "*")]);
    let peek = |key: &Key, path: &str, list: &str| {
        let answer = port.get(path, Some(key)).json();
        answer[list].as_array().unwrap().iter().find(|it| it["id"] == "rival/peek").unwrap().clone()
    };
    let truth = naive(&port, "rival/peek").len() as u64;
    assert!(truth > 0);
    assert_eq!(peek(&all, "generations/1", "audience_list")["members"], truth);
    assert!(peek(&rival, "generations/1", "audience_list")["members"].is_null());
    let compared = peek(&all, "generations/1/compare/1", "audiences");
    assert!(compared["before"] == truth && compared["joins"] == 0, "{compared}");
    let compared = peek(&rival, "generations/1/compare/1", "audiences");
    for name in ["before", "after", "joins", "leaves"] {
        assert!(compared[name].is_null(), "{name}: {compared}");
    }
    let sizes = |key: &Key, query: &str| {
        let answer = port.get(&format!("sizes{query}"), Some(key));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["sizes"].clone()
    };
    let of =
        |sizes: Value, id: &str| sizes.as_array().unwrap().iter().find(|it| it["id"] == id).unwrap()["members"].clone();
    assert_eq!(of(sizes(&all, ""), "rival/peek")[0]["count"], truth);
    assert!(of(sizes(&rival, ""), "rival/peek")[0].is_null() && of(sizes(&rival, ""), "acme/shared")[0].is_null());
    let export = json!({ "audience": "rival/peek", "format": "csv", "destination": "none" });
    let refused = port.ask("exports", Some(&rival), &export);
    assert!(refused.status == 403 && refused.body.contains("rests on an audience of another owner"), "{refused:?}");
}

#[test]
fn everything_wrong_is_told_at_once_at_its_place() {
    let port = Port::start(20, &[]);
    let answer = port.ask("reach", None, &json!({ "rule": "plann = gold and\n agee >= 18" }));
    let errors = answer.json()["errors"].clone();
    assert_eq!((answer.status, errors.as_array().unwrap().len()), (400, 2), "{answer:?}");
    assert_eq!(
        (&errors[1]["line"], &errors[1]["column"], &errors[1]["field"]),
        (&json!(2), &json!(2), &json!("/rule"))
    );
    assert!(errors[0]["help"].as_str().unwrap().contains("`plan`"), "{errors}");
    let yaml = "id: x\nowner: acme\nkind: target\nrule: agee > 3\n";
    let errors = port.ask("reach", None, &json!({ "definition": yaml })).json()["errors"].clone();
    assert_eq!((&errors[0]["line"], &errors[0]["column"]), (&json!(4), &json!(7)), "{errors}");
    for (path, body, status) in [
        ("reach", json!({}), 400),
        ("reach", json!({ "rule": "everyone", "audience": "acme/vip" }), 400),
        ("reach", json!({ "rule": "everyone", "nonsense": 1 }), 400),
        ("reach", json!({ "rule": "everyone", "by": ["planet"] }), 400),
        ("reach", json!({ "definition": 7 }), 400),
        ("reach", json!([]), 400),
        ("overlap", json!({ "sets": [{ "rule": "everyone" }] }), 400),
        ("overlap", json!({ "sets": [{ "rule": "everyone" }, { "rule": "agee > 1" }] }), 400),
        ("funnel", json!({}), 400),
        ("funnel", json!({ "campaign": "acme/none" }), 404),
        ("preview", json!({}), 400),
        ("preview", json!({ "remove": ["acme/none"] }), 404),
        ("sample", json!({ "rule": "everyone", "count": 21 }), 400),
        ("sample", json!({ "rule": "everyone", "of": "joiners" }), 400),
        ("lint", json!({}), 400),
        ("rule", json!([]), 400),
    ] {
        let answer = port.ask(path, None, &body);
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        assert!(answer.headers.contains("application/problem+json"), "{answer:?}");
    }
    let lint = port.ok("lint", json!({ "rule": "plan != gold" }));
    assert!(lint["errors"] == 0 && lint["warnings"].as_u64() >= Some(1), "{lint}");
    assert_eq!(port.ok("lint", json!({ "rule": "plan ==" }))["errors"], 1);
}

#[test]
fn a_rule_is_a_text_and_a_tree() {
    let port = Port::start(20, &[]);
    let told = port.ok("rule", json!({ "rule": "PLAN = gold and\n not in audience vip", "owner": "acme" }));
    assert_eq!(told["rule"], "PLAN = gold and not in audience acme/vip", "{told}");
    assert_eq!(told["errors"][0]["field"], "/tree/of/0/name", "its names are as they are declared: {told}");
    let told = port.ok("rule", json!({ "rule": "plan = gold and\n not in audience vip", "owner": "acme" }));
    assert!(told["errors"] == json!([]) && told["tree"]["of"][1]["of"]["id"] == "acme/vip", "{told}");
    let again = port.ok("rule", json!({ "tree": told["tree"] }));
    assert_eq!((&again["rule"], &again["tree"]), (&told["rule"], &told["tree"]));
    // A text that cannot be read: where, how long, no tree.
    let told = port.ok("rule", json!({ "rule": "plan = gold and\n agee betwen 3" }));
    assert!(told["tree"].is_null() && told["rule"].is_null(), "{told}");
    let error = &told["errors"][0];
    assert_eq!((&error["line"], &error["column"], &error["length"]), (&json!(2), &json!(7), &json!(6)), "{told}");
    assert!(error["help"].as_str().unwrap().contains("between") && error["field"] == "/rule", "{told}");
    // A text that names what is not there: the tree all the same, and the place in it.
    let told = port.ok("rule", json!({ "rule": "plan = gold and agee > 3" }));
    let error = &told["errors"][0];
    assert!(told["tree"]["is"] == "all" && error["code"] == "unknown-trait", "{told}");
    assert_eq!(
        (&error["field"], &error["column"], &error["length"]),
        (&json!("/tree/of/1/name"), &json!(17), &json!(4))
    );
    let told = port.ok("rule", json!({ "rule": "plan != gold" }));
    let warning = &told["warnings"][0];
    assert!(warning["code"] == "not-equal-unknown" && warning["field"] == "/tree/test", "{told}");
    assert_eq!((&warning["column"], &warning["length"]), (&json!(6), &json!(7)));
    // A tree that is not finished, and one that names what is not there.
    let told = port.ok(
        "rule",
        json!({ "tree": { "is": "all", "of": [{ "is": "event", "name": "" }, { "is": "any", "of": [] }] } }),
    );
    let fields: Vec<&Value> = told["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["/tree/of/0/name", "/tree/of/1/of"], "{told}");
    let one = json!({ "is": "all", "of": [{ "is": "trait", "name": "agee", "test": { "op": "is_known" } }] });
    let told = port.ok("rule", json!({ "tree": one }));
    assert_eq!(told["errors"][0]["field"], "/tree/of/0/name", "in the tree that was sent: {told}");
    assert!(told["rule"] == "agee is known" && told["tree"]["is"] == "trait", "{told}");
    for body in [json!({}), json!({ "rule": "everyone", "tree": { "is": "everyone" } }), json!({ "tree": null })] {
        assert_eq!(port.ask("rule", None, &body).status, 400, "{body}");
    }
}

#[test]
fn sizes_are_told_by_generation_and_only_of_what_one_may_see() {
    let (own, other) = (key(), key());
    let port = Port::start(200, &[(&own, Role::Planner, "acme"), (&other, Role::Planner, "rival")]);
    let ask = |key: &Key, query: &str| port.get(&format!("sizes{query}"), Some(key));
    let all = ask(&own, "").json();
    assert_eq!(all["generations"], json!([{ "generation": 1, "as_of": "2026-11-20T00:00:00Z" }]));
    let ids: Vec<&str> = all["sizes"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"acme/gold") && ids.iter().all(|id| id.starts_with("acme/")), "{ids:?}");
    let two = ask(&own, "?audience=gold&audience=acme/vip&audience=gold").json()["sizes"].clone();
    let counted = |id: &str| json!({ "id": id, "members": [{ "count": naive(&port, id).len() }] });
    assert_eq!(two, json!([counted("acme/gold"), counted("acme/vip")]));
    let there = ask(&other, "?audience=acme/gold");
    let absent = ask(&other, "?audience=acme/gone");
    assert_eq!(there.body.replace("gold", "gone"), absent.body, "what is another's is as what is not there");
    assert_eq!(absent.json()["sizes"][0]["members"], json!([null]));
    assert_eq!(ask(&own, "?audiences=gold").status, 400);
    let many: Vec<String> = (0..201).map(|number| format!("audience=a{number}")).collect();
    assert_eq!(ask(&own, &format!("?{}", many.join("&"))).status, 400);
}

#[test]
fn what_is_nearly_the_same_is_told_to_whom_it_may_be_told() {
    let (own, other) = (key(), key());
    let port = Port::start(400, &[(&own, Role::Planner, "acme"), (&other, Role::Planner, "rival")]);
    let told = |key: &Key, path: &str, body: Value| {
        let answer = port.ask(path, Some(key), &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        let list = if path == "lint" { "remarks" } else { "lint" };
        let near = |it: &Value| (it["code"] == "nearly-the-same").then(|| it["message"].as_str().unwrap().to_owned());
        answer.json()[list].as_array().unwrap().iter().filter_map(near).collect::<Vec<String>>()
    };
    let same = json!({ "rule": "plan = gold" });
    for path in ["lint", "reach"] {
        let found = told(&own, path, same.clone());
        assert!(found.len() == 1 && found[0].contains("`acme/gold`: 100 %"), "{path}: {found:?}");
        assert!(told(&other, path, same.clone()).is_empty(), "{path}: another's is not named");
        assert!(told(&own, path, json!({ "rule": "plan = gold and not in sample 20% of x" })).is_empty(), "{path}");
        assert!(told(&own, path, json!({ "rule": "in audience gold" })).is_empty(), "{path}: it names it itself");
    }
    // Whom a sample of two in a hundred leaves out rests on the installation's key: of forty, one that is a few.
    let count = |rule: &str| port.ask("reach", Some(&own), &json!({ "rule": rule })).json()["count"].as_u64().unwrap();
    let gold = count("plan = gold");
    let mut most = (0..40).map(|name| format!("plan = gold and not in sample 2% of \"{name}\""));
    let most = most.find(|rule| (gold * 96 / 100..gold * 99 / 100).contains(&count(rule))).unwrap();
    let found = told(&own, "lint", json!({ "rule": most }));
    assert!(found.len() == 1 && !found[0].contains("100 %"), "{found:?}");
    let of =
        |id: &str| json!({ "definitions": { "id": id, "owner": "acme", "kind": "target", "rule": "plan = gold" } });
    assert!(told(&own, "lint", of("golden"))[0].starts_with("those in `acme/golden` are nearly the same"));
    assert!(told(&own, "lint", of("gold")).is_empty(), "not with what it was before");
    assert!(told(&own, "reach", json!({ "audience": "acme/gold" })).is_empty());
    assert!(told(&own, "reach", json!({ "rule": "everyone and not everyone" })).is_empty());
}

#[test]
fn samples_show_why_and_never_who() {
    let own = key();
    let port = Port::start(300, &[(&own, Role::Planner, "acme")]);
    let answer = port.ask("sample", Some(&own), &json!({ "audience": "gold", "count": 20 }));
    assert_eq!(answer.status, 200, "{answer:?}");
    let people = answer.json()["people"].as_array().unwrap().clone();
    assert!(people.len() == 20 && people.iter().all(|one| one["member"] == true && one["why"]["holds"] == true));
    for raw in port.raw_identifiers() {
        assert!(!answer.body.contains(&raw), "{raw}");
    }
    let again = port.ask("sample", Some(&own), &json!({ "audience": "gold", "count": 20 })).json();
    assert_eq!(again["people"][0]["why"], people[0]["why"], "the same people");
    assert_ne!(again["people"][0]["pseudonym"], people[0]["pseudonym"], "under other names");
    let others = port.ask("sample", Some(&own), &json!({ "audience": "gold", "of": "others" })).json();
    assert!(others["people"].as_array().unwrap().iter().all(|one| one["member"] == false));
    let ages = port.ask("sample", Some(&own), &json!({ "rule": "age >= 18" }));
    assert!(ages.body.contains("not shown"), "an age that few have: {ages:?}");
}

#[test]
fn lines_tell_the_result_or_the_problem() {
    let port = Port::start(20, &[]);
    let answer = port.ask_lines("reach", &json!({ "rule": "everyone" }));
    assert!(answer.contains("{\"result\":{") && answer.contains("application/x-ndjson"), "{answer}");
    let answer = port.ask_lines("reach", &json!({ "rule": "agee > 3" }));
    assert!(answer.contains("{\"problem\":{") && answer.contains("unknown-trait"), "{answer}");
}
