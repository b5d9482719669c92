//! Consent through the doors: the request's signals and the profile's stored consent both count.

use crate::client::{Client, get};
use crate::world::World;
use serde_json::{Value, json};

/// TCF 2.3 strings of vendors 2, 28 and 755: all purposes to 755; all purposes but not to 755; purposes 1 and 2 to 755.
const ALL: &str = "CQgYw8AQgYw8AAfAHAENCDFgAP_gAAAAABCYF5wAgABALzAAAAAA.IF5wAgAOALzA";
const OTHERS: &str = "CQgYw8AQgYw8AAfAHAENCDFgAP_gAAAAABCYF6QAgABAL0AAAAAA.IF5wAgAOALzA";
const CAPS: &str = "CQgYw8AQgYw8AAfAHAENCDFgAMAAAAAAABCYF5wAQF5gAAAA.IF5wAgAOALzA";
const VENDOR: &str = "privacy: { tcf_vendor_id: 755 }\n";

fn ask(client: &mut Client, path: &str, uid: &str, privacy: &Value) -> Value {
    let question =
        json!({"eids": [{"source": "id.test", "uid": uid}], "privacy": privacy, "campaigns": ["acme/everyone"]});
    let answer = client.post(path, &question.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn the_request_s_permission_and_the_stored_consent_both_count() {
    let world = World::new(VENDOR);
    let server = world.ready();
    let mut client = Client::connect(server.addresses().http);
    for (privacy, permitted) in [
        (json!({"gdpr": 1, "tcf": ALL}), true),
        (json!({"tcf": ALL}), true),
        (json!({"gdpr": 1, "tcf": OTHERS}), false),
        (json!({"gdpr": 1, "tcf": CAPS}), false),
        (json!({"gdpr": 0, "tcf": OTHERS}), true),
        (json!({"gdpr": 1}), false),
        (json!({"gpp": "DBABLA~BVVqAAAAAmA.QA", "gpp_sid": [7]}), true),
        (json!({"gpp": "DBABLA~BVVVAAAAAmA.QA", "gpp_sid": [7]}), false),
        (json!({"gpp": "DBABLA~BVVVAAAAAmA.QA", "gpp_sid": [-1]}), true),
    ] {
        for (uid, stored) in
            [("gamer", "matched"), ("refuser", "no_consent"), ("objector", "blocked"), ("stranger", "no_profile")]
        {
            let expected = if permitted { stored } else { "no_consent" };
            let looked_up = ask(&mut client, "/v1/lookup", uid, &privacy);
            assert_eq!(looked_up["status"], expected, "{uid} {privacy}");
            assert_eq!(looked_up["audiences"] == json!([]), expected != "matched", "{uid} {privacy}");
            let decided = ask(&mut client, "/v1/decide", uid, &privacy);
            assert_eq!(decided["status"], expected, "{uid} {privacy}");
            if expected == "no_consent" {
                let verdict = &decided["campaigns"][0];
                assert_eq!(
                    (&verdict["verdict"], &verdict["reason"]),
                    (&json!("unknown"), &json!("no_consent")),
                    "{uid}"
                );
            }
        }
    }
}

#[test]
fn denials_are_counted_by_reason() {
    let world = World::new(VENDOR);
    let server = world.ready();
    let mut client = Client::connect(server.addresses().http);
    ask(&mut client, "/v1/lookup", "gamer", &json!({"gdpr": 1, "tcf": OTHERS}));
    ask(&mut client, "/v1/decide", "gamer", &json!({"gdpr": 1, "tcf": OTHERS}));
    ask(&mut client, "/v1/lookup", "gamer", &json!({"coppa": 1}));
    let text = get(server.addresses().planner, "/metrics").body;
    for line in ["{reason=\"tcf_refused\"} 2", "{reason=\"coppa\"} 1", "{reason=\"gpp_opted_out\"} 0"] {
        assert!(text.contains(&format!("vaglio_privacy_denials_total{line}\n")), "{line}\n{text}");
    }
}
