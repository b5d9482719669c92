//! `vaglio keys` and a server that follows it: made, listed, rotated, taken away, and what each key opens.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[allow(dead_code)]
#[path = "doors/client.rs"]
mod client;
#[allow(dead_code)]
#[path = "doors/world.rs"]
mod world;

use client::{Answer, Client, request};
use serde_json::{Value, json};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use vaglio::server::{Options, Server};
use vaglio::wire::v1::audience_service_client::AudienceServiceClient;
use vaglio::wire::v1::{DecideRequest, Eid, LookupRequest};
use world::{World, wait_until};

/// Nothing is public; `index` sees what is acme's, under names of its own.
const CALLERS: &str =
    "public: { owners: [] }\ncallers:\n  - name: index\n    owners: [acme]\n    external_ids: { acme/gamers: g1 }\n";
const ASK: &str = r#"{"eids":[{"source":"id.test","uid":"gamer"}]}"#;

fn keys(world: &World, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    command.arg("keys").args(arguments).args(["--config", world.config_file().to_str().unwrap()]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VAGLIO_")) {
        command.env_remove(name);
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What a command prints that must succeed.
#[track_caller]
fn done(world: &World, arguments: &[&str]) -> String {
    let output = keys(world, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The exit code and the words of a command that must fail.
#[track_caller]
fn refused(world: &World, arguments: &[&str]) -> (i32, String) {
    let output = keys(world, arguments);
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    (output.status.code().unwrap(), text(&output.stderr))
}

/// A new key.
#[track_caller]
fn create(world: &World, arguments: &[&str]) -> String {
    let printed = done(world, &[&["create"], arguments].concat());
    let key = printed.strip_suffix('\n').unwrap();
    assert!(key.starts_with("vaglio_") && key.len() == 59 && !key.contains('\n'), "only the key: {printed}");
    key.to_owned()
}

fn id(key: &str) -> &str {
    &key[7..15]
}

fn list(world: &World) -> Value {
    serde_json::from_str(&done(world, &["list", "--json"])).unwrap()
}

fn post(server: &Server, path: &str, key: &str, body: &str) -> Answer {
    let mut client = Client::connect(server.addresses().http);
    client.send(&request("POST", path, &format!("authorization: Bearer {key}\r\n"), body));
    client.receive().unwrap()
}

fn status(server: &Server, key: &str) -> u16 {
    post(server, "/v1/lookup", key, ASK).status
}

fn audiences(server: &Server, key: &str) -> Value {
    let answer = post(server, "/v1/lookup", key, ASK);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["audiences"].clone()
}

/// Waits for what must come true within a second, on a machine that may be busy.
fn soon(what: &str, holds: impl FnMut() -> bool) {
    let began = Instant::now();
    wait_until(what, holds);
    assert!(began.elapsed() < Duration::from_secs(5), "{what}: {:?}", began.elapsed());
}

#[test]
fn keys_are_made_listed_and_taken_away() {
    let world = World::empty(CALLERS);
    assert!(done(&world, &["list"]).contains("vaglio keys create"));
    let acme = create(&world, &["--role", "bidder", "--owner", "acme", "--comment", "the first"]);
    let lent = create(&world, &["--role", "bidder", "--owner", "acme", "--caller", "index", "--expires", "90d"]);
    let planner = create(&world, &["--role", "planner", "--owner", "*", "--expires", "2999-01-01"]);
    let listed = list(&world);
    let of = |field: &str| listed.as_array().unwrap().iter().map(|line| line[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("id"), [id(&acme), id(&lent), id(&planner)]);
    assert_eq!(of("role"), ["bidder", "bidder", "planner"]);
    assert_eq!(of("caller"), [Value::Null, json!("index"), Value::Null]);
    assert_eq!(of("comment"), [json!("the first"), Value::Null, Value::Null]);
    assert_eq!(of("expires")[2], "2999-01-01T00:00:00Z");
    assert_eq!(of("state"), ["valid", "valid", "valid"]);
    assert!(done(&world, &["revoke", id(&lent)]).contains("is revoked"));
    assert!(done(&world, &["revoke", &lent]).contains("revoked already"), "the key itself does for its id");
    assert_eq!(list(&world)[1]["state"], "revoked");
    let shown = done(&world, &["list"]) + &done(&world, &["list", "--json"]);
    for key in [&acme, &lent, &planner] {
        assert!(shown.contains(id(key)) && !shown.contains(&key[16..]), "{shown}");
    }
}

#[test]
fn a_third_valid_key_is_refused_until_one_is_taken_away() {
    let world = World::empty(CALLERS);
    let wanted = ["--role", "bidder", "--owner", "acme"];
    let first = create(&world, &wanted);
    create(&world, &wanted);
    let (code, words) = refused(&world, &[&["create"], &wanted[..]].concat());
    assert!(code == 1 && words.contains(&format!("vaglio keys revoke {}", id(&first))), "{words}");
    create(&world, &["--role", "bidder", "--owner", "other"]);
    done(&world, &["revoke", id(&first)]);
    create(&world, &wanted);
    assert_eq!(list(&world).as_array().unwrap().len(), 4);
}

#[test]
fn commands_at_the_same_time_keep_each_other_s_keys() {
    let world = World::empty("");
    let made: Vec<String> = std::thread::scope(|scope| {
        let world = &world;
        let create =
            |owner: usize| scope.spawn(move || create(world, &["--role", "bidder", "--owner", &format!("o{owner}")]));
        let running: Vec<_> = (0..6).map(create).collect();
        running.into_iter().map(|made| made.join().unwrap()).collect()
    });
    let listed = list(&world);
    let listed: Vec<&str> = listed.as_array().unwrap().iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(listed.len(), 6);
    assert!(made.iter().all(|key| listed.contains(&id(key))), "{listed:?}");
}

#[test]
fn wrong_arguments_are_told_what_to_write() {
    let world = World::empty(CALLERS);
    for (arguments, code, words) in [
        (&["create", "--owner", "acme"][..], 2, "--role"),
        (&["create", "--role", "king", "--owner", "acme"], 2, "planner"),
        (&["create", "--role", "bidder", "--owner", "not a name"], 2, "owner must be"),
        (&["create", "--role", "bidder", "--owner", "acme", "--caller", "indx"], 2, "there: index"),
        (&["create", "--role", "planner", "--owner", "acme", "--caller", "index"], 2, "role bidder"),
        (&["create", "--role", "bidder", "--owner", "acme", "--expires", "soon"], 2, "such as 90d"),
        (&["create", "--role", "bidder", "--owner", "acme", "--expires", "2001-01-01"], 2, "has passed"),
        (&["create", "--role", "bidder", "--owner", "acme", "--comment", "a\u{1b}[2J"], 2, "one line"),
        (&["revoke", "ffffffff"], 1, "vaglio keys list"),
    ] {
        let (exit, said) = refused(&world, arguments);
        assert!(exit == code && said.contains(words), "{arguments:?}: {exit} {said}");
    }
    assert!(!world.data().join("credentials.json").exists());
    std::fs::write(world.data().join("credentials.json"), "{").unwrap();
    for arguments in [&["list"][..], &["create", "--role", "bidder", "--owner", "acme"]] {
        let (exit, said) = refused(&world, arguments);
        assert!(exit == 1 && said.contains("credentials.json: is not JSON"), "{said}");
    }
    assert_eq!(std::fs::read_to_string(world.data().join("credentials.json")).unwrap(), "{", "nothing was overwritten");
    let error = Server::start(world.loaded(), Options { build: false, ..Options::default() }).unwrap_err();
    assert!(error.to_string().contains("credentials.json"), "{error}");
}

#[test]
fn a_printed_hash_is_a_credential_of_the_configuration() {
    let world = World::empty("");
    let output = keys(&world, &["create", "--print-hash", "--expires", "2999-01-01"]);
    let (key, words) = (text(&output.stdout), text(&output.stderr));
    let line = words.lines().find(|line| line.trim_start().starts_with("- {")).unwrap();
    assert!(!world.data().join("credentials.json").exists(), "nothing is stored");
    let world = World::new(&format!("callers:\n  - name: index\n    owners: [other]\n    credentials:\n{line}\n"));
    let server = world.ready();
    assert_eq!(audiences(&server, key.trim_end()), json!([]));
    assert_eq!(status(&server, &format!("{}x", key.trim_end())), 401);
}

#[test]
fn a_running_server_follows_what_is_made_and_taken_away() {
    let world = World::new(CALLERS);
    let server = world.ready();
    let lent = create(&world, &["--role", "bidder", "--owner", "acme", "--caller", "index"]);
    soon("the key opens", || status(&server, &lent) == 200);
    assert_eq!(audiences(&server, &lent), json!(["g1", "acme/movers", "acme/odd"]), "as the caller it is of");
    let own = create(&world, &["--role", "bidder", "--owner", "acme"]);
    soon("the second opens", || status(&server, &own) == 200);
    assert_eq!(audiences(&server, &own), json!(["acme/gamers", "acme/movers", "acme/odd"]), "a caller of its own");
    world.publish();
    soon("generation 2", || audiences(&server, &lent) == json!(["acme/even", "g1", "acme/movers"]));
    std::fs::write(world.data().join("credentials.json"), "{").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(status(&server, &own), 200, "keys that cannot be read leave those in service");
    std::fs::remove_file(world.data().join("credentials.json")).unwrap();
    done(&world, &["revoke", id(&own)]);
    done(&world, &["revoke", id(&lent)]);
    soon("all are gone", || status(&server, &own) == 401 && status(&server, &lent) == 401);
    let again = create(&world, &["--role", "bidder", "--owner", "acme"]);
    soon("a new one opens", || status(&server, &again) == 200);
    done(&world, &["revoke", id(&again)]);
    soon("it is taken away", || status(&server, &again) == 401);
    assert_eq!(Client::connect(server.addresses().http).post("/v1/lookup", ASK).status, 200, "the public still asks");
}

#[test]
fn what_is_another_owner_s_is_not_there() {
    let world = World::new(CALLERS);
    let (acme, other) = (
        create(&world, &["--role", "bidder", "--owner", "acme"]),
        create(&world, &["--role", "bidder", "--owner", "other"]),
    );
    let server = world.ready();
    let decided = |key: &str, campaign: &str| {
        let body = json!({"eids": [{"source": "id.test", "uid": "gamer"}], "campaigns": [campaign]});
        post(&server, "/v1/decide", key, &body.to_string()).body
    };
    assert_eq!(audiences(&server, &other), json!([]));
    assert_eq!(audiences(&server, &acme), json!(["acme/gamers", "acme/movers", "acme/odd"]));
    let absent = decided(&other, "acme/absent");
    assert_eq!(decided(&other, "acme/upgrade").replace("acme/upgrade", "acme/absent"), absent, "looks like none");
    assert_ne!(decided(&acme, "acme/upgrade").replace("acme/upgrade", "acme/absent"), absent);
    let all = post(&server, "/v1/decide", &other, ASK).body;
    assert!(all.contains("other/upgrade") && !all.contains("acme"), "{all}");
}

#[test]
fn wrong_credentials_are_refused_at_every_door() {
    let world = World::new(CALLERS);
    let planner = create(&world, &["--role", "planner", "--owner", "acme"]);
    let good = create(&world, &["--role", "bidder", "--owner", "acme"]);
    let server = world.ready();
    let forged = format!("{}{}", &good[..58], if good.ends_with('A') { 'B' } else { 'A' });
    for (key, status, code, grpc) in [
        (forged.as_str(), 401, "unauthenticated", tonic::Code::Unauthenticated),
        ("", 401, "unauthenticated", tonic::Code::Unauthenticated),
        (&planner, 403, "permission_denied", tonic::Code::PermissionDenied),
    ] {
        for path in ["/v1/lookup", "/v1/decide"] {
            let answer = post(&server, path, key, ASK);
            assert_eq!((answer.status, answer.error().as_str()), (status, code), "{path}");
            assert!(key.is_empty() || !answer.body.contains(key), "{answer:?}");
            assert_eq!(answer.headers.contains("www-authenticate: bearer\n"), status == 401, "{answer:?}");
        }
        assert_eq!(by_grpc(&server, key).map(drop).unwrap_err(), grpc);
    }
    assert_eq!(by_grpc(&server, &good).unwrap(), ["acme/gamers", "acme/movers", "acme/odd"]);
    let basic = request("POST", "/v1/lookup", "authorization: Basic YTpi\r\n", ASK);
    let mut client = Client::connect(server.addresses().http);
    client.send(&basic);
    assert_eq!(client.receive().unwrap().status, 401);
    let metrics = server.doors().metrics.exposition();
    for (door, count) in [("grpc_lookup", 2), ("grpc_decide", 2), ("grpc_lookup_stream", 2), ("http_lookup", 3)] {
        let line = format!("vaglio_requests_total{{door=\"{door}\",code=\"unauthenticated\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
}

/// What a key is told by the methods of the gRPC service, or how they refuse it: all alike.
fn by_grpc(server: &Server, key: &str) -> Result<Vec<String>, tonic::Code> {
    let with_key = |mut request: tonic::Request<()>| {
        request.metadata_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        Ok(request)
    };
    let address = format!("http://{}", server.addresses().grpc);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let channel = tonic::transport::Endpoint::from_shared(address).unwrap().connect().await.unwrap();
        let mut client = AudienceServiceClient::with_interceptor(channel, with_key);
        let eids = vec![Eid { source: "id.test".to_owned(), uid: "gamer".to_owned() }];
        let question = LookupRequest { eids: eids.clone(), ..Default::default() };
        let looked = client.lookup(question).await.map(|answer| answer.into_inner().audiences);
        let decided = client.decide(DecideRequest { eids, ..Default::default() }).await.map(drop);
        let streamed = client.lookup_stream(tokio_stream::empty()).await.map(drop);
        let looked = looked.map_err(|status| status.code());
        for other in [decided, streamed] {
            assert_eq!(other.map_err(|status| status.code()), looked.clone().map(drop));
        }
        looked
    })
}
