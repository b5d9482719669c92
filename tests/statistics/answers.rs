//! Random requests through every kind of door, for two callers, over a swap and a restart: lookups, matches and verdicts equal
//! what the answers said.

use crate::client::{Answer, Client, request};
use crate::scene::{World, wait_until};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use vaglio::server::Server;
use vaglio::wire::v1::audience_service_client::AudienceServiceClient;
use vaglio::wire::v1::{DecideRequest, Eid, LookupBatchRequest, LookupRequest};

const PEOPLE: [&str; 10] =
    ["gamer", "hater", "buyer", "objector", "refuser", "fan", "nobody-special", "stranger", "ghost", "other"];
const RANGE: &str = "from=2026-11-20T12:00:00Z&to=2026-11-20T12:01:00Z&step=minute";

/// Counts by their names, as the answers have them.
type Counts = BTreeMap<BTreeMap<String, String>, u64>;

fn names(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What the test expects to be told.
#[derive(Default)]
struct Model {
    lookups: Counts,
    matches: Counts,
    verdicts: Counts,
    seen: BTreeSet<usize>,
}

impl Model {
    fn look(&mut self, caller: &str, door: &str, who: usize, status: &str) {
        assert_eq!(status, status_of(who), "{}", PEOPLE[who]);
        *self.lookups.entry(names(&[("caller", caller), ("door", door), ("outcome", status)])).or_default() += 1;
        // A ghost has no profile, and is known all the same: they object.
        let known = if who == 7 || who == 9 { "unknown" } else { "known" };
        *self.matches.entry(names(&[("caller", caller), ("source", "other"), ("outcome", known)])).or_default() += 1;
        if status == "matched" {
            self.seen.insert(who);
        }
    }

    fn verdict(&mut self, campaign: &str, verdict: &str, reason: &str) {
        let names = names(&[("campaign", campaign), ("verdict", verdict), ("reason", reason)]);
        *self.verdicts.entry(names).or_default() += 1;
    }
}

fn status_of(who: usize) -> &'static str {
    match PEOPLE[who] {
        "objector" | "ghost" => "blocked",
        "refuser" => "no_consent",
        "stranger" | "other" => "no_profile",
        _ => "matched",
    }
}

fn key(world: &World, role: &str, owner: &str) -> String {
    let arguments = ["--role", role, "--owner", owner];
    let made = Command::new(env!("CARGO_BIN_EXE_vaglio"))
        .args(["keys", "create", "--config"])
        .arg(world.config_file())
        .args(arguments)
        .current_dir(world.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

fn header(key: Option<&str>) -> String {
    key.map_or_else(String::new, |key| format!("authorization: Bearer {key}\r\n"))
}

pub fn ask(server: &Server, path: &str, key: Option<&str>) -> Answer {
    let mut client = Client::connect(server.addresses().planner);
    client.send(&request("GET", path, &header(key), ""));
    client.receive().unwrap()
}

fn totals(server: &Server, what: &str, key: &str) -> Counts {
    let answer = ask(server, &format!("/api/v1/statistics?what={what}&{RANGE}"), Some(key));
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let sums = |series: &str| -> u64 {
        answer[series]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| {
                it["count"]
                    .as_u64()
                    .unwrap_or_else(|| it["counts"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum())
            })
            .sum()
    };
    assert_eq!(sums("series"), sums("totals"), "{answer}");
    let one = |total: &Value| {
        let names = total.as_object().unwrap().iter().filter(|(name, _)| *name != "count");
        let names = names.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        (names, total["count"].as_u64().unwrap())
    };
    answer["totals"].as_array().unwrap().iter().map(one).collect()
}

fn verdicts_of(answer: &Value, model: &mut Model, counts: bool) {
    for campaign in answer["campaigns"].as_array().unwrap() {
        let reason = campaign["reason"].as_str().unwrap_or_default();
        if counts {
            model.verdict(campaign["id"].as_str().unwrap(), campaign["verdict"].as_str().unwrap(), reason);
        }
    }
}

/// A request by HTTP.
fn over_http(client: &mut Client, dice: u64, who: usize, by: (&str, Option<&str>), model: &mut Model) {
    let (caller, key) = by;
    let eids = json!([{"source": "id.test", "uid": PEOPLE[who]}]);
    let test = dice.is_multiple_of(3);
    let bid = json!({"id": "1", "imp": [{"id": "1"}], "user": {"eids": [{"source": "id.test", "uids": [{"id": PEOPLE[who]}]}]},
        "test": u8::from(test)});
    let (path, door, body) = match dice % 7 {
        0 | 1 => ("/v1/lookup", "http_lookup", json!({"eids": eids})),
        2 => ("/v1/decide", "http_decide", json!({"eids": eids})),
        3 => (
            "/v1/decide",
            "http_decide",
            json!({"eids": eids, "campaigns": ["acme/everyone", "acme/later", "acme/later"]}),
        ),
        4 => ("/openrtb2/enrich", "openrtb_enrich", bid),
        5 => ("/prebid/scope3", "prebid_server", bid),
        _ => ("/openrtb2/decide", "openrtb_decide", bid),
    };
    client.send(&request(
        "POST",
        path,
        &format!("content-type: application/json\r\n{}", header(key)),
        &body.to_string(),
    ));
    let answer = client.receive().unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let is_test = test && dice % 7 >= 4;
    let answer = answer.json();
    if !is_test {
        model.look(caller, door, who, answer["status"].as_str().unwrap_or(status_of(who)));
    }
    if answer["campaigns"].is_array() {
        verdicts_of(&answer, model, !is_test);
    } else if door == "prebid_server" && !is_test {
        // It does not tell verdicts: they are those of a decision on everything, as an uncounted bid request is told.
        let mut bid = body;
        bid["test"] = json!(1);
        let head = format!("content-type: application/json\r\n{}", header(key));
        client.send(&request("POST", "/openrtb2/decide", &head, &bid.to_string()));
        verdicts_of(&client.receive().unwrap().json(), model, true);
    }
}

/// Messages by gRPC, without a key.
async fn over_grpc(server: &Server, dice: u64, people: &[usize], model: &mut Model) {
    let mut client = AudienceServiceClient::connect(format!("http://{}", server.addresses().grpc)).await.unwrap();
    let eids = |who: usize| vec![Eid { source: "id.test".to_owned(), uid: PEOPLE[who].to_owned() }];
    let lookup = |who: usize| LookupRequest { eids: eids(who), ..Default::default() };
    let batch = LookupBatchRequest { lookups: people.iter().map(|&who| lookup(who)).collect(), ..Default::default() };
    let name = |status: &str| status.trim_start_matches("STATUS_").to_lowercase();
    match dice % 4 {
        0 => {
            let answer = client.lookup(lookup(people[0])).await.unwrap().into_inner();
            model.look("public", "grpc_lookup", people[0], &name(answer.status().as_str_name()));
        }
        1 => {
            let answer = client.lookup_batch(batch).await.unwrap().into_inner();
            for (who, result) in people.iter().zip(answer.results) {
                model.look("public", "grpc_lookup_batch", *who, &name(result.status().as_str_name()));
            }
        }
        2 => {
            let mut stream = client.lookup_stream(tokio_stream::iter([batch])).await.unwrap().into_inner();
            let answer = stream.message().await.unwrap().unwrap();
            for (who, result) in people.iter().zip(answer.results) {
                model.look("public", "grpc_lookup_stream", *who, &name(result.status().as_str_name()));
            }
        }
        _ => {
            let question = DecideRequest { eids: eids(people[0]), ..Default::default() };
            let answer = client.decide(question).await.unwrap().into_inner();
            model.look("public", "grpc_decide", people[0], &name(answer.status().as_str_name()));
            for campaign in answer.campaigns {
                let verdict = campaign.verdict().as_str_name().trim_start_matches("VERDICT_").to_lowercase();
                model.verdict(&campaign.id, &verdict, &campaign.reason);
            }
        }
    }
}

#[track_caller]
fn compare(server: &Server, model: &Model, operator: &str) {
    assert_eq!(totals(server, "lookups", operator), model.lookups);
    assert_eq!(totals(server, "matches", operator), model.matches);
    assert_eq!(totals(server, "verdicts", operator), model.verdicts);
    assert!(totals(server, "exposures", operator).is_empty() && totals(server, "refusals", operator).is_empty());
}

fn suppressed(model: &Model, reason: &str) -> u64 {
    let is = |names: &BTreeMap<String, String>| names["reason"] == reason && names["verdict"] == "suppress";
    model.verdicts.iter().filter(|(names, _)| is(names)).map(|(_, count)| count).sum()
}

#[test]
fn every_figure_equals_what_the_answers_said() {
    let world = World::new("prebid: { enabled: true }\npublic: { owners: [\"*\"] }\n");
    let (operator, planner) = (key(&world, "operator", "*"), key(&world, "planner", "acme"));
    let bidder = key(&world, "bidder", "acme");
    let mut server = world.ready();
    let mut model = Model::default();
    let mut dice = 88_172_645_463_325_252u64;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice >> 8
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for round in 0..3 {
        let mut http = Client::connect(server.addresses().http);
        for _ in 0..120 {
            let who = roll() as usize % PEOPLE.len();
            let by = if roll().is_multiple_of(2) { ("public", None) } else { ("key:acme", Some(bidder.as_str())) };
            over_http(&mut http, roll(), who, by, &mut model);
            if roll().is_multiple_of(4) {
                let people: Vec<usize> = (0..1 + roll() as usize % 5).map(|_| roll() as usize % PEOPLE.len()).collect();
                runtime.block_on(over_grpc(&server, roll(), &people, &mut model));
            }
        }
        compare(&server, &model, &operator);
        if round == 0 {
            let seen = ask(&server, "/api/v1/statistics/seen?days=1", Some(&operator)).json();
            assert_eq!(
                seen["profiles"],
                model.seen.len(),
                "tests and those who may not be looked up are not counted: {seen}"
            );
            // Campaigns keep their counts from one generation to the next.
            let published = world.publish().0;
            wait_until("the next generation in service", || {
                server.doors().live.load().served.as_ref().is_some_and(|served| served.generation().0 == published)
            });
        } else {
            drop(http);
            server.shutdown();
            server = world.ready();
            compare(&server, &model, &operator);
        }
    }

    let answer = ask(&server, &format!("/api/v1/statistics?what=verdicts&{RANGE}"), Some(&operator)).json();
    let told = &answer["suppressed_opportunities"];
    for reason in ["excluded", "capped", "pressure", "objected"] {
        assert_eq!(told[reason], suppressed(&model, reason), "{reason}: {told}");
    }
    assert!(suppressed(&model, "excluded") > 0 && suppressed(&model, "objected") > 0);

    // An owner's key: its own campaigns, and nothing of the installation or of others.
    let own: Counts =
        model.verdicts.clone().into_iter().filter(|(names, _)| names["campaign"].starts_with("acme/")).collect();
    assert_eq!(totals(&server, "verdicts", &planner), own);
    assert!(own.len() < model.verdicts.len());
    for what in ["lookups", "matches", "refusals"] {
        let refused = ask(&server, &format!("/api/v1/statistics?what={what}&{RANGE}"), Some(&planner));
        assert_eq!((refused.status, refused.error_code().as_str()), (403, "permission_denied"));
    }
    let of = |campaign: &str, key| {
        ask(&server, &format!("/api/v1/statistics?what=verdicts&campaign={campaign}&{RANGE}"), Some(key))
    };
    assert_eq!(of("acme/upgrade", &planner).status, 200);
    assert_eq!(of("other/upgrade", &operator).status, 200);
    let (foreign, absent) = (of("other/upgrade", &planner), of("other/nothing", &planner));
    let text = foreign.body.replace("other/upgrade", "other/nothing");
    assert_eq!((foreign.status, text), (404, absent.body), "another's is as good as none");
    assert_eq!(ask(&server, "/api/v1/statistics/seen", Some(&planner)).status, 403);
    assert_eq!(ask(&server, &format!("/api/v1/statistics?what=verdicts&{RANGE}"), Some(&bidder)).status, 403);
    assert_eq!(
        ask(&server, &format!("/api/v1/statistics?what=lookups&{RANGE}&step=minute"), Some(&operator)).status,
        400
    );
}

#[test]
fn nothing_is_kept_where_nothing_should_be() {
    let world = World::new("statistics: { keep_days: 0, seen_days: 0 }\n");
    let server = world.ready();
    let mut http = Client::connect(server.addresses().http);
    http.post("/v1/decide", r#"{"eids":[{"source":"id.test","uid":"gamer"}]}"#);
    for path in [format!("/api/v1/statistics?what=verdicts&{RANGE}"), "/api/v1/statistics/seen".to_owned()] {
        let refused = ask(&server, &path, None);
        assert_eq!((refused.status, refused.error_code().as_str()), (409, "conflict"));
    }
    server.shutdown();
    assert!(!world.data().join("statistics").exists());
}
