//! What was shown counts once and for good: a real server decides, its token comes back, and the cap holds on every device of the
//! person, after a kill, and in the next generation.

use crate::http::ask;
use crate::run::{done, vaglio};
use crate::serving::{Serving, open_world};
use crate::world::{World, ifa};
use serde_json::{Value, json};

const CAPPED: &str =
    "  - { id: twice, owner: acme, status: active, no_profile: target, caps: [{ impressions: 2, per: 24h }] }\n";

/// A customer of the world, by the device.
const CUSTOMER: u32 = 1;

fn capped_world() -> World {
    let world = open_world();
    let definitions = std::fs::read_to_string(world.path().join("audiences.yaml")).unwrap();
    world.file("audiences.yaml", &(definitions + CAPPED));
    done(vaglio(world.path(), &["build", "--quiet"]));
    world
}

/// What is said of a person, and the token.
fn decide(server: &Serving, device: &str) -> (String, Option<String>) {
    let body = json!({ "eids": [{ "source": "ifa", "uid": device }], "campaigns": ["acme/twice"] }).to_string();
    let answer = ask(server.http, "POST", "/v1/decide", &body).expect("the server answers").json();
    let said = &answer["campaigns"][0];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    (text(&said["reason"]).or(text(&said["verdict"])).unwrap(), text(&said["exposure_token"]))
}

fn report(server: &Serving, kind: &str, token: &str) -> u16 {
    ask(server.http, "GET", &format!("/e/{kind}?t={token}"), "").expect("the server answers").status
}

fn generation(server: &Serving) -> Value {
    ask(server.http, "GET", "/health/ready", "").unwrap().json()["generation"].clone()
}

#[test]
fn a_token_that_comes_back_counts_once_and_the_cap_outlives_a_kill_and_a_generation() {
    let world = capped_world();
    let mut server = Serving::start(world.path(), &[], None).unwrap();
    let (customer, stranger) = (ifa(CUSTOMER), "0badcafe-aaaa-4000-8000-000000000000");
    for device in [&*customer, stranger] {
        let first = decide(&server, device);
        let token = first.1.unwrap_or_else(|| panic!("{device}: {}", first.0));
        for kind in ["impression", "impression", "click", "impression"] {
            assert_eq!(report(&server, kind, &token), 204);
        }
        assert_eq!(decide(&server, device).0, "target", "the same token counts once");
        let second = decide(&server, device).1.unwrap();
        assert_eq!(report(&server, "view", &second), 204);
        assert_eq!(decide(&server, device).0, "target", "a view is no impression");
        assert_eq!(report(&server, "impression", &second), 204);
        assert_eq!(decide(&server, device), ("capped".to_owned(), None));
    }
    assert_eq!(decide(&server, &ifa(CUSTOMER + 1)).0, "target", "somebody else");
    server.kill();

    let server = Serving::start(world.path(), &[], None).unwrap();
    let capped = |server: &Serving, when: &str| {
        for device in [&*customer, stranger] {
            assert_eq!(decide(server, device), ("capped".to_owned(), None), "{device} {when}");
        }
    };
    capped(&server, "after a kill");
    let before = generation(&server);
    done(vaglio(world.path(), &["build", "--quiet"]));
    server.until("the new generation is in service", || {
        capped(&server, "while generations change");
        generation(&server) != before
    });
    capped(&server, "in the next generation");
}
