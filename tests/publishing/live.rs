//! What comes between builds over a fresh generation: events move people into audiences that were published after the build, and
//! caps follow a campaign whose number has changed; after a restart, too.

use crate::client::{Client, get};
use crate::stage::{Served, Stage, wait_until};
use crate::world::ifa;
use serde_json::{Value, json};
use vaglio::audiences::versions::{Item, Kind, State};
use vaglio::schema::{AudienceId, Clock};

const STRANGER: &str = "0badcafe-aaaa-4000-8000-000000000000";
const CAMPAIGNS: &str =
    "  - { id: once, owner: acme, status: active, no_profile: target, caps: [{ impressions: 1, per: 24h }] }\n";
const EVENTS: &str = "
ingest:
  events:
    - { names: [waved], uses: [target], legal_basis: consent, retention_days: 90 }
build: { activate_interval_seconds: 0, index_interval_seconds: 0 }
";

fn item(kind: Kind, id: &str, text: Option<&str>) -> Item {
    Item {
        kind,
        id: AudienceId::resolve(id, "acme"),
        state: if text.is_some() { State::Published } else { State::Archived },
        text: text.map(str::to_owned),
    }
}

impl Served {
    fn audiences_of(&self, device: &str) -> Vec<String> {
        let answer =
            Client::connect(self.server.addresses().http).post("/v1/lookup", &json!({"ifa": device}).to_string());
        let audiences = answer.json()["audiences"].as_array().cloned().unwrap_or_default();
        audiences.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    fn is_in(&self, device: &str, audience: &str) -> bool {
        self.audiences_of(device).iter().any(|id| id == audience)
    }

    fn waves(&self, id: &str, device: &str) {
        let eids = json!([{ "source": "ifa", "uid": device }]);
        let now = Clock::System.now().to_string();
        let line = json!({ "id": id, "type": "event", "name": "waved", "time": now, "eids": eids });
        let said = self.post("/api/v1/events", &line.to_string()).json();
        assert_eq!(said["accepted"], 1, "{said}");
    }

    /// What is said of a campaign, and the token.
    fn decides(&self, device: &str, campaign: &str) -> (String, Option<String>) {
        let body = json!({ "eids": [{ "source": "ifa", "uid": device }], "campaigns": [campaign] }).to_string();
        let answer = Client::connect(self.server.addresses().http).post("/v1/decide", &body).json();
        let said = &answer["campaigns"][0];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let word = text(&said["reason"]).or(text(&said["verdict"]));
        (word.unwrap_or_else(|| panic!("{answer}")), text(&said["exposure_token"]))
    }

    fn shows(&self, device: &str, campaign: &str) {
        let (said, token) = self.decides(device, campaign);
        let token = token.unwrap_or_else(|| panic!("{device}: {said}"));
        assert_eq!(get(self.server.addresses().http, &format!("/e/impression?t={token}")).status, 204);
        assert_eq!(self.decides(device, campaign).0, "capped");
    }
}

#[test]
fn events_and_caps_count_over_a_fresh_generation_and_after_a_restart() {
    let stage = Stage::built_with(60, |config, definitions| {
        let config =
            config.replace("as_of: 2026-11-20T00:00:00Z\n", "").replace("build: { keep_generations: 9 }\n", EVENTS);
        (config, definitions + CAMPAIGNS)
    });
    let server = stage.serve();
    wait_until("the first generation", || server.generation() == 1);
    let [shown, early, late, none, new] = [1, 2, 3, 4, 5].map(ifa);
    server.shows(&shown, "acme/once");
    server.waves("early", &early);
    stage.publish_items(vec![
        item(
            Kind::Audience,
            "aloof",
            Some("{ id: aloof, name: Aloof, kind: target, owner: acme, rule: never did waved within 1 day }"),
        ),
        item(
            Kind::Audience,
            "fans",
            Some("{ id: fans, name: Fans, kind: target, owner: acme, rule: did waved within 1 day }"),
        ),
        item(Kind::Campaign, "aaa", Some("{ id: aaa, owner: acme, status: active, include: [fans] }")),
    ]);
    wait_until("what is published", || server.is_in(&early, "acme/fans"));
    assert_eq!(server.state()["ended"][0]["kind"], "fresh");
    assert!(
        !server.is_in(&early, "acme/aloof") && server.is_in(&none, "acme/aloof") && !server.is_in(&none, "acme/fans")
    );
    server.waves("late", &late);
    wait_until("an event after it", || server.is_in(&late, "acme/fans") && !server.is_in(&late, "acme/aloof"));
    server.waves("stranger", STRANGER);
    wait_until("a stranger's", || server.is_in(STRANGER, "acme/fans"));
    assert_eq!(server.audiences_of(STRANGER), ["acme/fans"]);
    server.shows(&new, "acme/once");
    let holds = |server: &Served| {
        for device in [&shown, &new] {
            assert_eq!(server.decides(device, "acme/once").0, "capped", "{device}");
        }
        assert_eq!(server.decides(&none, "acme/once").0, "target");
        assert_eq!(server.decides(&late, "acme/aaa").0, "target");
        assert_ne!(server.decides(&none, "acme/aaa").0, "target");
        for device in [&*early, &late, STRANGER] {
            assert!(server.is_in(device, "acme/fans") && !server.is_in(device, "acme/aloof"), "{device}");
        }
    };
    holds(&server);
    server.server.shutdown();

    let server = stage.serve();
    wait_until("the same after a restart", || server.is_in(STRANGER, "acme/fans"));
    assert!(server.generation() > 1);
    holds(&server);
    // The campaign and an audience go: numbers move back, and what was shown still counts.
    let gone = [(Kind::Campaign, "aaa"), (Kind::Audience, "fans")];
    stage.publish_items(gone.into_iter().map(|(kind, id)| item(kind, id, None)).collect());
    wait_until("an audience is gone", || !server.is_in(&late, "acme/fans"));
    server.waves("last", &none);
    wait_until("an event still moves somebody", || !server.is_in(&none, "acme/aloof"));
    for device in [&shown, &new] {
        assert_eq!(server.decides(device, "acme/once").0, "capped", "{device}");
    }
    assert_eq!(server.decides(&none, "acme/once").0, "target");
}
