//! Deletions at the planner's port: whom they name is refused at every bid door once they are acknowledged.

use crate::client::{Answer, Client, request};
use crate::world::World;
use serde_json::{Value, json};
use vaglio::server::Server;

fn delete(server: &Server, body: &str) -> Answer {
    let mut client = Client::connect(server.addresses().planner);
    client.send(&request("DELETE", "/api/v1/profiles", "content-type: application/json\r\n", body));
    client.receive().unwrap()
}

fn eids(uids: &[&str]) -> Value {
    let eids: Vec<Value> = uids.iter().map(|uid| json!({"source": "id.test", "uid": uid})).collect();
    json!({ "eids": eids })
}

fn status(server: &Server, path: &str, uid: &str) -> Value {
    let mut client = Client::connect(server.addresses().http);
    client.post(path, &eids(&[uid]).to_string()).json()["status"].clone()
}

#[test]
fn whoever_is_deleted_is_blocked_when_it_is_acknowledged_and_after_a_restart() {
    let world = World::new("");
    let server = world.ready();
    assert_eq!(status(&server, "/v1/lookup", "gamer"), "matched");
    for _ in 0..2 {
        let answer = delete(&server, &eids(&["gamer", "unseen"]).to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        let done = answer.json();
        assert_eq!(done["identifiers"], 2, "{done}");
        assert!(done["purged_by"].as_str().is_some_and(|by| by.ends_with('Z')), "{done}");
    }
    let refused = |server: &Server| {
        for (path, uid) in [("/v1/lookup", "gamer"), ("/v1/decide", "gamer"), ("/v1/lookup", "unseen")] {
            assert_eq!(status(server, path, uid), "blocked", "{path} {uid}");
        }
        assert_ne!(status(server, "/v1/lookup", "stranger"), "blocked");
    };
    refused(&server);
    server.shutdown();
    refused(&world.ready());
    world.publish();
    let server = world.serve();
    refused(&server);
}

#[test]
fn a_deletion_that_is_none_is_refused_without_repeating_whom_it_names() {
    let world = World::new("");
    let server = world.ready();
    for body in [
        "",
        "{\"eids\":[]}",
        "{\"eids\":[{\"source\":\"id.test\",\"uid\":17}]}",
        "{\"eids\":[{\"source\":\"\",\"uid\":\"secret-7\"}]}",
        "{\"eids\":[{\"source\":\"email\",\"uid\":\"secret-7\"}]}",
        "{\"eids\":[{\"source\":\"id.test\",\"uid\":\"a\"}],\"colour\":\"secret-7\"}",
    ] {
        let answer = delete(&server, body);
        assert_eq!((answer.status, answer.error_code().as_str()), (400, "invalid_argument"), "{body} {answer:?}");
        assert!(!answer.body.contains("secret-7"), "{answer:?}");
    }
    assert_eq!(status(&server, "/v1/lookup", "a"), "no_profile");
}

#[test]
fn a_deletion_asks_for_the_privacy_role() {
    let world = World::new("");
    let server = world.ready();
    let mut client = Client::connect(server.addresses().planner);
    let header = "authorization: Bearer vaglio_wrong\r\n";
    client.send(&request("DELETE", "/api/v1/profiles", header, &eids(&["gamer"]).to_string()));
    assert_eq!(client.receive().unwrap().status, 401);
    assert_eq!(status(&server, "/v1/lookup", "gamer"), "matched");
}
