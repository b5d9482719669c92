//! Pages with Prebid.js: its module `scope3` asks our door what to tell the ad server.

use super::world::World;
use super::{run, set, skip, sources, workplace};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use vaglio::server::Server;

const PAGE: &str = "https://news.example/sport";
const CONFIG: &str = "public: { owners: [acme] }\nprebid: { enabled: true, origins: [\"https://news.example\"] }\n";

/// Prebid.js, installed once a run.
fn installed() -> Result<PathBuf, String> {
    static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let install = || {
        run(Command::new("node").arg("--version"))?;
        let (from, to) = (sources("prebid-js"), workplace("prebid-js"));
        let wanted = std::fs::read(from.join("package.json")).unwrap();
        let there = to.join("node_modules/prebid.js").is_dir();
        let same = there && std::fs::read(to.join("package.json")).is_ok_and(|installed| installed == wanted);
        for file in ["package.json", "browser.mjs", "drive.mjs"] {
            std::fs::copy(from.join(file), to.join(file)).unwrap();
        }
        if !same {
            let flags =
                ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--omit=optional"];
            let installed = run(Command::new("npm").args(flags).current_dir(&to));
            installed.inspect_err(|_| drop(std::fs::remove_dir_all(to.join("node_modules"))))?;
        }
        Ok(to)
    };
    INSTALLED.get_or_init(install).clone()
}

/// A page view, and what became of it; `None` where Prebid.js cannot be had.
fn view(server: &Server, page: &str, uid: &str, params: Value, rounds: u32) -> Option<Value> {
    let unavailable = |why: String| {
        assert!(!set("VAGLIO_REQUIRE_CONFORMANCE"), "Prebid.js: {why}");
        skip("Prebid.js", &why);
    };
    let directory = installed().map_err(unavailable).ok()?;
    let eids = json!([{"source": "id.test", "uids": [{"id": uid}]}]);
    let asked = json!({
        "endpoint": format!("http://{}/prebid/rtd", server.addresses().http),
        "page": page,
        "user": {"id": uid, "ext": {"eids": eids}},
        "params": params,
        "rounds": rounds,
    });
    let told = run(Command::new("node").arg("drive.mjs").arg(asked.to_string()).current_dir(directory));
    Some(serde_json::from_str(&told.unwrap()).unwrap())
}

/// What the page asked our door, in order.
fn ours(view: &Value) -> Vec<&Value> {
    let all = view["requests"].as_array().unwrap().iter();
    all.filter(|request| request["url"].as_str().unwrap().ends_with("/prebid/rtd")).collect()
}

/// What the ad server is told of the page's only place.
fn targeting(view: &Value, round: usize) -> &Value {
    &view["auctions"][round]["targeting"]["top"]
}

#[test]
fn a_page_targets_by_segments_and_by_campaigns_that_may_speak() {
    let world = World::new(CONFIG);
    let server = world.ready();
    let Some(view) = view(&server, PAGE, "gamer", json!({}), 2) else { return };
    assert_eq!(view["version"], "11.36.0");

    let direct = &view["direct"]["fragments"];
    let include = json!(["560", "acme/odd", "ok-everyone", "ok-upgrade"]);
    let expected = json!({ "include": include, "exclude": [], "macro": "" });
    assert_eq!(direct["global"]["site"]["ext"]["data"]["scope3_aee"], expected);
    for bidder in ["appnexus", "ix"] {
        let segment = json!([{"id": "560"}, {"id": "acme/odd"}]);
        assert_eq!(direct["bidder"][bidder]["user"]["data"][0]["segment"], segment);
    }
    for round in 0..2 {
        assert_eq!(targeting(&view, round)["axei"], "560,acme/odd,ok-everyone,ok-upgrade");
    }
    let requests = ours(&view);
    assert_eq!(requests.len(), 2, "the module's own call and the first auction; the second is served from its cache");
    for request in requests {
        assert_eq!(request["headers"]["x-rtd-version"], "1.0.0");
        assert_eq!(request["preflight"]["status"], 204);
        assert_eq!(request["allowed"], "https://news.example");
    }
}

#[test]
fn suppression_is_the_absence_of_a_word() {
    let world = World::new(CONFIG);
    let server = world.ready();
    // In target, and in a suppress audience of `upgrade`.
    let Some(hater) = view(&server, PAGE, "hater", json!({}), 1) else { return };
    assert_eq!(targeting(&hater, 0)["axei"], "560,ok-everyone");
    assert!(!hater["requests"].to_string().contains("haters"), "a suppress audience leaves by no door");
    // Nobody we know: only who speaks to everybody.
    let unknown = view(&server, PAGE, "somebody", json!({}), 1).unwrap();
    assert_eq!(targeting(&unknown, 0)["axei"], "ok-everyone");
    for silent in ["objector", "refuser"] {
        let view = view(&server, PAGE, silent, json!({}), 1).unwrap();
        assert_eq!(targeting(&view, 0)["axei"], Value::Null, "{silent}");
        assert_eq!(ours(&view)[0]["status"], 200);
    }
}

#[test]
fn a_page_of_another_origin_gets_nothing_and_its_auction_goes_on() {
    let world = World::new(CONFIG);
    let server = world.ready();
    let Some(view) = view(&server, "https://evil.example/", "gamer", json!({}), 1) else { return };
    for request in ours(&view) {
        assert_eq!(request["preflight"]["status"], 403);
        assert_eq!(request["status"], Value::Null, "the question itself was never sent");
    }
    assert_eq!(targeting(&view, 0)["axei"], Value::Null);
    assert!(view["auctions"][0]["requested"]["appnexus"].is_object());
}

/// Why `docs/prebid.md` advises a short `cacheTtl` and not `cacheEnabled: false`.
#[test]
fn without_its_cache_the_module_asks_every_time_and_tells_the_ad_server_nothing() {
    let world = World::new(CONFIG);
    let server = world.ready();
    let Some(view) = view(&server, PAGE, "gamer", json!({ "cacheEnabled": false }), 2) else { return };
    assert_eq!(ours(&view).len(), 3);
    assert_eq!(targeting(&view, 0)["axei"], Value::Null);
}
