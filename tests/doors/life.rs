//! A server's life: swaps under load, refused generations, failing builds, rollback, drain, ports.

use crate::client::{Client, get, request};
use crate::grpc::{block_on, connect, question};
use crate::world::{World, wait_until};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use vaglio::schema::Generation;
use vaglio::server::{Options, Server};
use vaglio::wire::v1::LookupBatchRequest;

const ASK: &str = r#"{"eids":[{"source":"id.test","uid":"gamer"}]}"#;

fn generation(server: &Server) -> u64 {
    server.doors().live.load().served.as_ref().map_or(0, |served| served.generation().0)
}

/// Odd generations have the audience `odd`, even ones `even`.
fn own_audience(generation: u64) -> &'static str {
    if generation.is_multiple_of(2) { "acme/even" } else { "acme/odd" }
}

fn check(audiences: &[String], generation: u64) {
    let own = own_audience(generation);
    let (even, odd) = ("acme/even".to_owned(), "acme/odd".to_owned());
    assert!(audiences.contains(&own.to_owned()), "generation {generation}: {audiences:?}");
    assert!(!(audiences.contains(&even) && audiences.contains(&odd)), "a mixed answer: {audiences:?}");
}

#[test]
fn swaps_under_load_mix_no_answer_and_drop_none() {
    let world = World::new("");
    let server = world.ready();
    let (done, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut client = Client::connect(server.addresses().http);
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let answer = client.post("/v1/lookup", ASK).json();
                    let generation = answer["generation"].as_u64().unwrap();
                    check(&serde_json::from_value::<Vec<String>>(answer["audiences"].clone()).unwrap(), generation);
                    assert!(generation >= last, "time goes on");
                    last = generation;
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            block_on(async {
                let mut client = connect(&server).await;
                let batch = LookupBatchRequest { lookups: vec![question(&["gamer"]); 100], ..Default::default() };
                while !done.load(Ordering::Relaxed) {
                    let answer = client.lookup_batch(batch.clone()).await.unwrap().into_inner();
                    assert_eq!(answer.results.len(), 100);
                    answer.results.iter().for_each(|result| check(&result.audiences, answer.generation));
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        });
        for _ in 0..20 {
            let published = world.publish().0;
            wait_until("the new generation in service", || generation(&server) == published);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(asked.load(Ordering::Relaxed) > 100, "{asked:?}");
    let metrics = get(server.addresses().planner, "/metrics").body;
    assert!(metrics.contains("vaglio_swaps_total 21\n") && metrics.contains("vaglio_generation 21\n"), "{metrics}");
    assert!(metrics.contains("vaglio_panics_total 0\n"));
}

/// Flips a bit of a section of this generation alone.
fn damage(world: &World, generation: Generation, section: &str) {
    let manifest = world.store().manifest(generation).unwrap();
    let path = world.data().join("sections").join(&manifest.section(section).unwrap().xxh3);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_refused_generation_leaves_the_last_good_one_and_says_why() {
    let world = World::new("");
    let server = world.ready();
    let at = server.addresses();
    let (store, mut broken) = (world.store(), world.store().manifest(Generation(1)).unwrap());
    broken.generation = Generation(2);
    broken.key_fingerprint = "another".to_owned();
    store.publish(&store.publishing("test").unwrap(), broken).unwrap();
    wait_until("the refusal", || get(at.planner, "/metrics").body.contains("vaglio_generations_refused_total 1\n"));
    let ready = get(at.http, "/health/ready");
    assert_eq!((ready.status, &ready.json()["generation"]), (200, &json!(1)));
    assert!(ready.body.contains("a generation was refused"), "{ready:?}");
    assert_eq!(Client::connect(at.http).post("/v1/lookup", ASK).json()["generation"], 1);
    assert_eq!(world.publish(), Generation(3));
    wait_until("generation 3", || generation(&server) == 3);
    wait_until("no more reason", || !get(at.http, "/health/ready").body.contains("refused"));
}

#[test]
fn a_server_that_starts_on_a_damaged_generation_takes_the_good_one_before() {
    let world = World::new("");
    world.publish();
    damage(&world, Generation(2), "forward");
    let server = world.ready();
    assert_eq!(generation(&server), 1);
    let ready = get(server.addresses().http, "/health/ready");
    assert!(ready.status == 200 && ready.body.contains("`forward`"), "{ready:?}");
}

#[test]
fn what_was_no_fault_of_the_generation_is_tried_again() {
    let world = World::new("");
    let (key, away) = (world.data().join("vaglio.key"), world.path().join("away"));
    std::fs::rename(&key, &away).unwrap();
    let server = world.serve();
    let ready = || get(server.addresses().http, "/health/ready");
    wait_until("the refusal", || ready().body.contains("there is no key file"));
    std::fs::rename(&away, &key).unwrap();
    wait_until("ready", || ready().status == 200);
}

#[test]
fn a_rollback_is_followed() {
    let world = World::new("");
    world.publish();
    let server = world.ready();
    assert_eq!(generation(&server), 2);
    let store = world.store();
    assert_eq!(store.rollback(None).unwrap(), Generation(1));
    wait_until("generation 1", || generation(&server) == 1);
    let answer = Client::connect(server.addresses().http).post("/v1/lookup", ASK).json();
    check(&serde_json::from_value::<Vec<String>>(answer["audiences"].clone()).unwrap(), 1);
    world.publish();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(generation(&server), 1, "pinned");
}

/// A configuration with a source, so that there is something to build.
const WITH_SOURCE: &str = "sources:\n  - name: crm\n    kind: profiles\n    path: crm.csv\n    ids: [{ column: id, type: id.test }]\n    traits: [{ column: age, kind: number }]\n";

fn program(world: &World, script: &str) -> PathBuf {
    let path = world.path().join("builder.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_failing_build_is_seen_in_readiness_and_the_server_goes_on() {
    let world = World::empty(WITH_SOURCE);
    let program = program(&world, "echo working; echo 'error: the disk is full' >&2; echo '  free some' >&2; exit 1");
    let server = world.serve_with(Options { program: Some(program), ..Options::default() });
    let at = server.addresses();
    wait_until("the failure", || get(at.planner, "/metrics").body.contains("vaglio_build_failures_total 1\n"));
    let ready = get(at.http, "/health/ready");
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("the last build failed: the disk is full free some"), "{ready:?}");
    world.publish();
    wait_until("ready all the same", || get(at.http, "/health/ready").status == 200);
    assert!(get(at.http, "/health/ready").body.contains("the disk is full"), "the reason stays in sight");
    assert_eq!(Client::connect(at.http).post("/v1/lookup", ASK).json()["status"], "matched");
}

#[test]
fn a_running_build_is_stopped_by_the_drain() {
    let world = World::empty(WITH_SOURCE);
    let mark = world.path().join("began");
    let program = program(&world, &format!("touch {}; exec sleep 60", mark.display()));
    let server = world.serve_with(Options { program: Some(program), ..Options::default() });
    wait_until("the build", || mark.exists());
    let began = Instant::now();
    assert!(server.shutdown());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn the_drain_answers_what_is_under_way_and_takes_nothing_new() {
    let world = World::new("");
    let server = world.ready();
    let at = server.addresses();
    let mut idle = Client::connect(at.http);
    assert_eq!(idle.post("/v1/lookup", ASK).status, 200);
    let mut half = Client::connect(at.http);
    let text = request("POST", "/v1/lookup", "", ASK);
    let (first, last) = text.split_at(text.len() - 5);
    half.send(first);
    std::thread::sleep(Duration::from_millis(100));
    let drained = std::thread::spawn(move || server.shutdown());
    assert!(idle.is_closed(), "idle connections end at once");
    half.send(last);
    assert_eq!(half.receive().unwrap().json()["status"], "matched");
    assert!(half.is_closed());
    assert!(drained.join().unwrap(), "everything ended in time");
    assert!(std::net::TcpStream::connect(at.http).is_err() && std::net::TcpStream::connect(at.grpc).is_err());
}

#[test]
fn the_drain_is_bounded_and_streams_end_in_good_order() {
    let world = World::new("  drain_ms: 300\n");
    let server = world.ready();
    let at = server.addresses();
    let mut stuck = Client::connect(at.http);
    stuck.send("POST /v1/lookup HTTP/1.1\r\nhost: t\r\ncontent-length: 10\r\n\r\n{");
    std::thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    assert!(!server.shutdown(), "a client that never ends its request is cut");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(stuck.is_closed());

    let server = world.ready();
    block_on(async {
        use tokio_stream::StreamExt;
        let mut client = connect(&server).await;
        let (send, receive) = tokio::sync::mpsc::channel(1);
        let requests = tokio_stream::wrappers::ReceiverStream::new(receive);
        let mut answers = client.lookup_stream(requests).await.unwrap().into_inner();
        let batch = LookupBatchRequest { lookups: vec![question(&["gamer"])], ..Default::default() };
        send.send(batch).await.unwrap();
        assert!(answers.next().await.unwrap().is_ok());
        let drained = std::thread::spawn(move || server.shutdown());
        assert!(answers.next().await.is_none(), "the stream ends without an error");
        drop((answers, send, client));
        tokio::task::spawn_blocking(|| drained.join().unwrap()).await.unwrap();
    });
}

#[test]
fn two_servers_on_one_port_are_told_which_settings_to_change() {
    let world = World::new("");
    let server = world.ready();
    let mut second = world.loaded();
    second.config.server.grpc = server.addresses().grpc;
    second.config.server.http = server.addresses().http;
    let error = Server::start(second, Options::default()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("server.grpc") && text.contains("server.http"), "{text}");
    assert!(!text.contains("server.planner") && text.contains("another program"), "{text}");
    assert_eq!(error.exit_code(), 1);
}
