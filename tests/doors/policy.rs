//! What is answered when things go wrong: the written policy, cell by cell, on every door.
//!
//! Without a snapshot nothing is known of anybody but who objected or was deleted by a door: any other answer is `unknown`,
//! and no failure is ever `target`.

use crate::client::Client;
use crate::grpc::{block_on, connect, question};
use crate::world::{World, wait_until};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use tokio_stream::StreamExt;
use vaglio::log::Control;
use vaglio::schema::Scope;
use vaglio::server::Server;
use vaglio::wire::artf::RtbRequest;
use vaglio::wire::artf_client::rtb_extension_point_client::RtbExtensionPointClient;
use vaglio::wire::v1::{self, DecideRequest, LookupBatchRequest, LookupRequest};
use vaglio::wire::v2::BidRequest;

/// Too short for any answer: our share of it does not even cover the way.
const NO_TIME: u32 = 1;
const ALL_THE_TIME: u32 = 0;
/// Two days after the generation, of which one is allowed.
const LATER: &str = "2026-11-22T12:00:00Z";
const ONE_DAY: &str = "  max_age_seconds: 86400\n";
const CAMPAIGNS: [&str; 2] = ["acme/everyone", "acme/upgrade"];

/// Status, audiences, whether it is stale.
type Told = (String, Vec<String>, bool);
/// Verdict and reason of each of [`CAMPAIGNS`]; whether they are stale.
type Decided = (Vec<(String, String)>, bool);

fn body(uid: &str, tmax_ms: u32, campaigns: Value) -> String {
    let eids = json!([{"source": "id.test", "uid": uid}]);
    json!({"eids": eids, "tmax_ms": tmax_ms, "campaigns": campaigns}).to_string()
}

fn told(status: v1::Status, audiences: Vec<String>, stale: bool) -> Told {
    (status.as_str_name().trim_start_matches("STATUS_").to_lowercase(), audiences, stale)
}

fn told_result(mut answer: v1::LookupBatchResponse) -> Told {
    let result = answer.results.remove(0);
    told(result.status(), result.audiences, answer.stale)
}

/// What every lookup door says of somebody: the same.
fn looked_up(server: &Server, uid: &str, tmax_ms: u32) -> Told {
    let mut http = Client::connect(server.addresses().http);
    let answer = http.post("/v1/lookup", &body(uid, tmax_ms, json!(null)));
    assert_eq!((answer.status, http.post("/v1/lookup", "{}").status), (200, 200), "the connection is kept");
    let answer = answer.json();
    let audiences: Vec<String> = serde_json::from_value(answer["audiences"].clone()).unwrap();
    let said = (answer["status"].as_str().unwrap().to_owned(), audiences, answer["stale"].as_bool().unwrap());
    let asked = LookupRequest { tmax_ms, ..question(&[uid]) };
    let batch = LookupBatchRequest { lookups: vec![asked.clone()], ..Default::default() };
    let others = block_on(async {
        let mut client = connect(server).await;
        let one = client.lookup(asked).await.unwrap().into_inner();
        let one = told(one.status(), one.audiences, one.stale);
        let many = told_result(client.lookup_batch(batch.clone()).await.unwrap().into_inner());
        let stream = client.lookup_stream(tokio_stream::iter([batch.clone(), batch])).await.unwrap().into_inner();
        let answers: Vec<Told> = stream.map(|answer| told_result(answer.unwrap())).collect().await;
        assert_eq!(answers.len(), 2, "the stream goes on");
        [vec![one, many], answers].concat()
    });
    assert!(others.iter().all(|other| *other == said), "{said:?} {others:?}");
    enriched(&mut http, uid, tmax_ms, &said);
    said
}

fn bid_request(uid: &str, tmax_ms: u32) -> String {
    let eids = json!([{"source": "id.test", "uids": [{"id": uid}]}]);
    json!({"id": "r1", "tmax": tmax_ms, "imp": [{"id": "1"}], "user": {"eids": eids}}).to_string()
}

/// Enrich says the same: in a header, and by what it adds.
fn enriched(http: &mut Client, uid: &str, tmax_ms: u32, (status, _, stale): &Told) {
    let sent = bid_request(uid, tmax_ms);
    let answer = http.post("/openrtb2/enrich", &sent);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.headers.contains(&format!("x-vaglio-status: {status}\n")), "{answer:?}");
    assert_eq!(answer.headers.contains("x-vaglio-stale: true\n"), *stale, "{answer:?}");
    assert_eq!(answer.body == sent, status != "matched", "a failure leaves the request as it is: {answer:?}");
}

/// A decision on a bid request says the same, of every campaign at once.
fn decided_on_bid_request(http: &mut Client, uid: &str, tmax_ms: u32) -> Decided {
    let answer = http.post("/openrtb2/decide", &bid_request(uid, tmax_ms));
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let campaigns = answer["campaigns"].as_array().unwrap();
    let ours = campaigns.iter().filter(|it| CAMPAIGNS.iter().any(|name| it["id"] == *name));
    (ours.map(verdict).collect(), answer["stale"].as_bool().unwrap())
}

fn verdict(campaign: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&campaign["verdict"]), text(&campaign["reason"]))
}

/// What every decide door says of somebody: the same.
fn decided(server: &Server, uid: &str, tmax_ms: u32) -> Decided {
    let mut http = Client::connect(server.addresses().http);
    let answer = http.post("/v1/decide", &body(uid, tmax_ms, json!(CAMPAIGNS)));
    assert_eq!((answer.status, http.post("/v1/decide", "{}").status), (200, 200), "the connection is kept");
    let answer = answer.json();
    let verdicts: Vec<_> = answer["campaigns"].as_array().unwrap().iter().map(verdict).collect();
    let said = (verdicts, answer["stale"].as_bool().unwrap());
    let of_bid_request = decided_on_bid_request(&mut http, uid, tmax_ms);
    if answer["generation"] == Value::Null || answer["generation"] == 0 {
        assert!(of_bid_request.0.is_empty(), "which campaigns there are is not known");
    } else {
        assert_eq!(of_bid_request, said);
    }
    let campaigns = CAMPAIGNS.map(str::to_owned).into();
    let asked = DecideRequest { eids: question(&[uid]).eids, tmax_ms, campaigns, ..Default::default() };
    let other = block_on(async { connect(server).await.decide(asked).await.unwrap().into_inner() });
    let verdict = |it: &v1::CampaignVerdict| it.verdict().as_str_name().trim_start_matches("VERDICT_").to_lowercase();
    let verdicts: Vec<_> = other.campaigns.iter().map(|it| (verdict(it), it.reason.clone())).collect();
    assert_eq!((verdicts, other.stale), said);
    said
}

/// Nothing about anybody, because of this.
fn nothing(status: &str) -> Told {
    (status.to_owned(), Vec::new(), false)
}

/// The same verdict for every campaign.
fn all(verdict: &str, reason: &str) -> Decided {
    (vec![(verdict.to_owned(), reason.to_owned()); CAMPAIGNS.len()], false)
}

fn stale<T>((said, _): (T, bool)) -> (T, bool) {
    (said, true)
}

/// Runs a test while the one place there is is taken. Nobody outside can hold it: a request ends, or gives it back.
fn overloaded(test: impl Fn(&Server)) {
    let world = World::new("  max_in_flight: 1\n");
    let server = world.ready();
    let under_way = &server.doors().metrics.load.in_flight;
    under_way.fetch_add(1, Ordering::Relaxed);
    test(&server);
    wait_until("no other under way", || under_way.load(Ordering::Relaxed) == 1);
    under_way.fetch_sub(1, Ordering::Relaxed);
    assert_eq!(looked_up(&server, "gamer", ALL_THE_TIME).0, "matched", "and it passes");
}

#[test]
fn no_snapshot_lookup_is_empty_and_not_ready() {
    let world = World::empty("");
    assert_eq!(looked_up(&world.serve(), "gamer", ALL_THE_TIME), nothing("not_ready"));
}

#[test]
fn no_snapshot_decide_is_unknown() {
    let world = World::empty("");
    assert_eq!(decided(&world.serve(), "gamer", ALL_THE_TIME), all("unknown", "not_ready"));
}

#[test]
fn no_snapshot_objected_and_unconsented_are_never_target() {
    let world = World::empty("");
    let server = world.serve();
    for uid in ["objector", "ghost", "refuser"] {
        assert_eq!(decided(&server, uid, ALL_THE_TIME), all("unknown", "not_ready"), "{uid}");
    }
}

#[test]
fn overloaded_lookup_is_empty_and_says_so() {
    overloaded(|server| {
        assert_eq!(looked_up(server, "gamer", ALL_THE_TIME), nothing("overloaded"));
        let metrics = server.doors().metrics.exposition();
        for (door, count) in
            [("http_lookup", 2), ("grpc_lookup", 1), ("grpc_lookup_batch", 1), ("grpc_lookup_stream", 2)]
        {
            let line = format!("vaglio_shed_total{{door=\"{door}\",reason=\"in_flight\"}} {count}\n");
            assert!(metrics.contains(&line), "{line}{metrics}");
        }
        assert!(metrics.contains("vaglio_in_flight 1\n"), "{metrics}");
    });
}

#[test]
fn overloaded_decide_is_unknown() {
    overloaded(|server| assert_eq!(decided(server, "gamer", ALL_THE_TIME), all("unknown", "overloaded")));
}

#[test]
fn an_artf_answer_that_was_shed_says_so_beside_the_message() {
    let said = |server: &Server| {
        let address = format!("http://{}", server.addresses().grpc);
        let request =
            RtbRequest { id: Some("1".to_owned()), bid_request: Some(BidRequest::default()), ..Default::default() };
        let answer = block_on(async {
            RtbExtensionPointClient::connect(address).await.unwrap().get_mutations(request).await.unwrap()
        });
        answer.metadata().get("x-vaglio-status").map(|status| status.to_str().unwrap().to_owned())
    };
    overloaded(|server| assert_eq!(said(server).as_deref(), Some("overloaded")));
    assert_eq!(said(&World::empty("").serve()).as_deref(), Some("not_ready"));
    assert_eq!(said(&World::new("").ready()), None, "nobody was asked about: that is an answer");
}

#[test]
fn overloaded_objected_is_suppressed_and_unconsented_never_target() {
    overloaded(|server| {
        assert_eq!(decided(server, "objector", ALL_THE_TIME), all("suppress", "objected"));
        assert_eq!(decided(server, "ghost", ALL_THE_TIME), all("suppress", "objected"));
        assert_eq!(decided(server, "refuser", ALL_THE_TIME), all("unknown", "no_consent"));
    });
}

#[test]
fn deadline_near_lookup_is_empty_and_late() {
    let world = World::new("");
    let server = world.ready();
    assert_eq!(looked_up(&server, "gamer", NO_TIME), nothing("late"));
    let metrics = server.doors().metrics.exposition();
    for (door, count) in [("http_lookup", 1), ("grpc_lookup", 1), ("grpc_lookup_batch", 1), ("grpc_lookup_stream", 2)] {
        let line = format!("vaglio_late_total{{door=\"{door}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
}

#[test]
fn deadline_near_decide_is_unknown() {
    let world = World::new("");
    assert_eq!(decided(&world.ready(), "gamer", NO_TIME), all("unknown", "late"));
}

#[test]
fn deadline_near_objected_is_suppressed_and_unconsented_never_target() {
    let world = World::new("");
    let server = world.ready();
    assert_eq!(decided(&server, "objector", NO_TIME), all("suppress", "objected"));
    assert_eq!(decided(&server, "ghost", NO_TIME), all("suppress", "objected"));
    assert_eq!(decided(&server, "refuser", NO_TIME), all("unknown", "no_consent"));
}

#[test]
fn older_than_max_age_lookup_is_served_and_stale() {
    let world = World::new(ONE_DAY);
    let (status, audiences, stale) = looked_up(&world.ready_at(LATER), "gamer", ALL_THE_TIME);
    assert_eq!((status.as_str(), audiences.len(), stale), ("matched", 3, true));
}

#[test]
fn older_than_max_age_decide_is_served_and_stale() {
    let world = World::new(ONE_DAY);
    assert_eq!(decided(&world.ready_at(LATER), "gamer", ALL_THE_TIME), stale(all("target", "")));
}

#[test]
fn older_than_max_age_objected_is_suppressed_and_unconsented_never_target() {
    let world = World::new(ONE_DAY);
    let server = world.ready_at(LATER);
    assert_eq!(decided(&server, "objector", ALL_THE_TIME), stale(all("suppress", "objected")));
    assert_eq!(decided(&server, "ghost", ALL_THE_TIME), stale(all("suppress", "objected")));
    assert_eq!(decided(&server, "refuser", ALL_THE_TIME), stale(all("unknown", "no_consent")));
}

/// Takes three people onto the list, as their objections and a deletion would.
fn object(server: &Server) {
    let (hasher, refusals) = (crate::world::hasher(), &server.doors().refusals);
    refusals.hash_with(hasher.clone());
    let keys = |uid: &str| vec![hasher.block_key(crate::world::key(uid))];
    for (uid, scope) in [("left", Scope::Marketing), ("private", Scope::Profiling), ("gamer", Scope::All)] {
        refusals.blocked.note(&Control::Objection { keys: keys(uid), scope, time: 0, until: None });
    }
    refusals.blocked.note(&Control::Deletion { keys: keys("gone"), time: 0, until: None });
}

/// What is said of those three, in any cell; `stale` as the cell is.
fn check_objected(server: &Server, tmax_ms: u32, is_stale: bool) {
    object(server);
    for uid in ["left", "gamer", "gone"] {
        assert_eq!(looked_up(server, uid, tmax_ms), ("blocked".to_owned(), vec![], is_stale), "{uid}");
        assert_eq!(decided(server, uid, tmax_ms), (all("suppress", "objected").0, is_stale), "{uid}");
    }
    assert_eq!(looked_up(server, "private", tmax_ms), ("no_consent".to_owned(), vec![], is_stale));
    assert_eq!(decided(server, "private", tmax_ms), (all("unknown", "no_consent").0, is_stale));
}

#[test]
fn no_snapshot_objected_by_a_door_is_suppressed_on_every_impression() {
    let world = World::empty("");
    let server = world.serve();
    check_objected(&server, ALL_THE_TIME, false);
    let mut http = Client::connect(server.addresses().http);
    let verdict = |http: &mut Client, uid| {
        http.post("/openrtb2/decide", &bid_request(uid, 0)).json()["imp"][0]["verdict"].clone()
    };
    assert_eq!(verdict(&mut http, "left"), "suppress");
    assert_eq!(verdict(&mut http, "private"), "unknown");
    assert_eq!(verdict(&mut http, "stranger"), "unknown");
}

#[test]
fn served_objected_by_a_door_is_suppressed() {
    check_objected(&World::new("").ready(), ALL_THE_TIME, false);
}

#[test]
fn overloaded_objected_by_a_door_is_suppressed() {
    let world = World::new("  max_in_flight: 1\n");
    let server = world.ready();
    let under_way = &server.doors().metrics.load.in_flight;
    under_way.fetch_add(1, Ordering::Relaxed);
    check_objected(&server, ALL_THE_TIME, false);
    wait_until("no other under way", || under_way.load(Ordering::Relaxed) == 1);
    under_way.fetch_sub(1, Ordering::Relaxed);
}

#[test]
fn deadline_near_objected_by_a_door_is_suppressed() {
    check_objected(&World::new("").ready(), NO_TIME, false);
}

#[test]
fn older_than_max_age_objected_by_a_door_is_suppressed() {
    check_objected(&World::new(ONE_DAY).ready_at(LATER), ALL_THE_TIME, true);
}

#[test]
fn a_request_that_denies_is_told_of_an_objection_and_of_nothing_else() {
    let world = World::new("");
    let server = world.ready();
    object(&server);
    let mut http = Client::connect(server.addresses().http);
    let mut status = |path, uid| {
        let eids = json!([{"source": "id.test", "uid": uid}]);
        http.post(path, &json!({"eids": eids, "privacy": {"coppa": 1}}).to_string()).json()["status"].clone()
    };
    for path in ["/v1/lookup", "/v1/decide"] {
        assert_eq!(
            ["left", "gone", "private", "stranger"].map(|uid| status(path, uid)),
            ["blocked", "blocked", "no_consent", "no_consent"]
        );
    }
}

#[test]
fn of_several_identifiers_the_strongest_objection_counts() {
    let world = World::new("");
    let server = world.ready();
    object(&server);
    let mut http = Client::connect(server.addresses().http);
    // The first objects to profiling by a door, the second to marketing in a source.
    for path in ["/v1/lookup", "/v1/decide"] {
        let eids = ["private", "ghost"].map(|uid| json!({"source": "id.test", "uid": uid}));
        assert_eq!(http.post(path, &json!({ "eids": eids }).to_string()).json()["status"], "blocked", "{path}");
    }
}
