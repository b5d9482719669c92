//! Who was seen in the bidstream: counted once a day, carried to an index with other ordinals, and kept over a restart.

use crate::answers::ask;
use crate::client::Client;
use crate::scene::wait_until;
use crate::world::{World, ifa};
use serde_json::json;
use vaglio::build::What;
use vaglio::server::{Options, Server};

fn serve(world: &World) -> Server {
    let options = Options { build: false, poll: std::time::Duration::from_millis(10), ..Options::default() };
    let server = Server::start(world.loaded(), options).unwrap();
    wait_until("ready", || server.doors().live.load().served.is_some());
    server
}

/// Asks about people; returns how many of them are matched.
fn look_up(server: &Server, people: impl Iterator<Item = u32>) -> u64 {
    let mut client = Client::connect(server.addresses().http);
    let mut matched = 0;
    for person in people {
        let answer = client.post("/v1/lookup", &json!({"eids": [], "ifa": ifa(person)}).to_string()).json();
        matched += u64::from(answer["status"] == "matched");
    }
    matched
}

fn seen(server: &Server) -> Option<u64> {
    let answer = ask(server, "/api/v1/statistics/seen?days=1", None);
    (answer.status == 200).then(|| answer.json()["profiles"].as_u64().unwrap())
}

#[track_caller]
fn assert_seen(server: &Server, wanted: u64) {
    wait_until(&format!("{wanted} were seen, {:?} are told", seen(server)), || seen(server) == Some(wanted));
}

#[test]
fn who_was_seen_is_known_from_index_to_index_and_from_start_to_start() {
    let world = World::new(60);
    let text = std::fs::read_to_string(world.config()).unwrap();
    let ports = "server: { grpc: 127.0.0.1:0, http: 127.0.0.1:0, planner: 127.0.0.1:0, max_queue_ms: 0 }\n";
    world.file("vaglio.yaml", &(text + ports));
    world.build(What::Full).unwrap();
    let server = serve(&world);
    assert_seen(&server, 0);
    let matched = look_up(&server, (0..20).chain(0..20));
    let distinct = seen(&server).unwrap();
    assert!(matched > 0 && distinct > 0 && distinct <= matched / 2, "{distinct} of {matched}");

    // An activation shares the index, a full build of other rows has another.
    let generation = |server: &Server| server.doors().live.load().served.as_ref().unwrap().generation();
    for (what, rows) in [(What::Activate, false), (What::Full, true)] {
        if rows {
            world.rows(|mut rows| {
                rows.reverse();
                rows
            });
        }
        let published = world.build(what).unwrap().generation;
        wait_until("the next generation in service", || generation(&server) == published);
        assert_seen(&server, distinct);
    }
    assert_eq!(look_up(&server, 0..20) * 2, matched);
    assert_seen(&server, distinct);
    server.shutdown();

    // Built while nobody served.
    world.rows(|rows| rows);
    world.build(What::Full).unwrap();
    let server = serve(&world);
    assert_seen(&server, distinct);
    server.shutdown();
    let server = serve(&world);
    assert_seen(&server, distinct);
}
