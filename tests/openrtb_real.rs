//! Every request of a real collection (1,194 public bid requests) at both OpenRTB doors: a valid answer to each, and an
//! enriched body differs by the new entries only. Once with the identifiers that occur in the requests made known,
//! once with a known identifier planted into each.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[path = "cases/facts.rs"]
mod facts;
#[allow(dead_code, reason = "the cases use the rest")]
#[path = "cases/http.rs"]
mod http;
#[allow(dead_code, reason = "the cases use it")]
#[path = "cases/protobuf.rs"]
mod protobuf;
#[allow(dead_code, reason = "other tests use the rest")]
mod real;

use facts::{Facts, merge};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;

fn requests() -> Option<Vec<String>> {
    let file = real::data("openrtb/requests.ndjson.gz")?;
    let lines = BufReader::new(MultiGzDecoder::new(File::open(file).unwrap())).lines();
    Some(lines.map(Result::unwrap).filter(|line| !line.trim().is_empty()).collect())
}

/// Every identifier of the requests that we would use, by type.
fn identifiers(requests: &[String]) -> Value {
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |kind: &str, uid: &Value| {
        if let Some(uid) = uid.as_str().filter(|uid| !kind.is_empty() && !uid.is_empty()) {
            let uid = if kind == "ifa" { uid.to_ascii_lowercase() } else { uid.to_owned() };
            ids.entry(kind.to_ascii_lowercase()).or_default().insert(uid);
        }
    };
    for request in requests {
        let request: Value = serde_json::from_str(request).unwrap();
        let user = &request["user"];
        add("ifa", &request["device"]["ifa"]);
        add("exchange", &user["id"]);
        add("buyer.test", &user["buyeruid"]);
        for eid in [&user["eids"], &user["ext"]["eids"]].into_iter().filter_map(Value::as_array).flatten() {
            let uids = eid["uids"].as_array().into_iter().flatten();
            uids.for_each(|uid| add(eid["source"].as_str().unwrap_or_default(), &uid["id"]));
        }
    }
    json!(ids)
}

/// Somebody with these identifiers, in one audience, and campaigns for and against them.
fn facts(ids: &Value, config: &Value) -> Facts {
    let campaign = |id: &str, extra: Value| {
        let mut campaign = json!({"id": id, "owner": "acme", "status": "active", "include": ["gamers"]});
        merge(&mut campaign, &extra);
        campaign
    };
    let mut case = json!({
        "people": [{"ids": ids, "audiences": ["acme/gamers"]}],
        "definitions": {
            "audiences": [{"id": "gamers", "owner": "acme", "kind": "target", "list": true,
                "segment": {"taxonomy": 4, "id": "560"}}],
            "campaigns": [
                campaign("open", json!({})),
                campaign("deal", json!({"deals": [{"exchange": "exchange", "id": "test-deal"}]})),
            ],
        },
        "config": {
            "public": {"owners": ["acme"], "exchange": "exchange", "buyeruid": "buyer.test"},
            "server": {"deadline": {"tmax_share": 1, "network_ms": 0, "cap_ms": 0}},
        },
    });
    merge(&mut case["config"], config);
    Facts::new(&case)
}

fn entries() -> Value {
    json!([{"id": "vaglio", "name": "vaglio", "segment": [{"id": "560"}], "ext": {"segtax": 4}}])
}

/// Asks both doors; the status they agree on.
fn ask(address: SocketAddr, request: &str) -> String {
    let post = |path: &str| http::exchange(address, "POST", path, &[], request.as_bytes());
    let enriched = post("/openrtb2/enrich");
    assert_eq!(enriched.status, 200, "{request}");
    let status = enriched.header("x-vaglio-status").unwrap().to_owned();
    if status == "matched" && enriched.body != request.as_bytes() {
        let wrong = http::inserted(request.as_bytes(), &enriched.body, &entries());
        assert_eq!(wrong, None, "{request}");
    } else {
        assert_ne!(status, "matched", "known and not enriched: {request}");
        assert_eq!(enriched.body, request.as_bytes());
    }
    let decided = post("/openrtb2/decide");
    assert_eq!(decided.status, 200, "{request}");
    let (sent, body): (Value, Value) =
        (serde_json::from_str(request).unwrap(), serde_json::from_slice(&decided.body).unwrap());
    assert_eq!(body["id"], sent["id"], "{request}");
    assert_eq!(body["status"], json!(status), "{request}");
    assert_eq!(body["campaigns"].as_array().unwrap().len(), 2);
    let ids = |imps: &Value| imps.as_array().into_iter().flatten().map(|imp| imp["id"].clone()).collect::<Vec<_>>();
    let spelled =
        |ids: Vec<Value>| ids.into_iter().map(|id| json!(id.as_str().unwrap_or_default())).collect::<Vec<_>>();
    assert_eq!(ids(&body["imp"]), spelled(ids(&sent["imp"])), "{request}");
    let verdict = match status.as_str() {
        "matched" => "target",
        "no_profile" => "suppress",
        _ => "unknown",
    };
    for imp in body["imp"].as_array().unwrap() {
        assert_eq!(imp["verdict"], verdict, "{request}");
    }
    status
}

/// Asks for every request, and returns the share that matched, in percent.
fn share(what: &str, requests: &[String], facts: &Facts) -> f64 {
    let server = facts.serve();
    let mut statuses: BTreeMap<String, usize> = BTreeMap::new();
    for request in requests {
        *statuses.entry(ask(server.addresses().http, request)).or_default() += 1;
    }
    let scraped = server.doors().metrics.exposition();
    assert!(scraped.lines().any(|line| line == "vaglio_panics_total 0"));
    server.shutdown();
    let matched = *statuses.get("matched").unwrap_or(&0) as f64 / requests.len() as f64 * 100.0;
    eprintln!("{what}: {matched:.1} % of {} requests matched: {statuses:?}", requests.len());
    matched
}

#[test]
fn every_real_request_is_answered() {
    let Some(requests) = requests() else { return };
    let found = share("as they are", &requests, &facts(&identifiers(&requests), &json!({})));
    assert!(found > 20.0, "{found}");

    let plant = |request: &String| {
        let mut request: Value = serde_json::from_str(request).unwrap();
        let eid = json!({"source": "planted.test", "uids": [{"id": "known"}]});
        match &mut request["user"]["eids"] {
            Value::Array(eids) => eids.push(eid),
            eids => *eids = json!([eid]),
        }
        request.to_string()
    };
    let planted: Vec<String> = requests.iter().map(plant).collect();
    let known = json!({"planted.test": "known"});
    let signals = share("planted", &planted, &facts(&known, &json!({})));
    assert!(signals > 90.0, "{signals}");
    let enforced = json!({"public": {"privacy": "already_enforced"}});
    let enforced = share("planted, privacy enforced by the caller", &planted, &facts(&known, &enforced));
    assert!(enforced > 95.0 && enforced > signals, "{enforced}");
}
