//! A real server: an event by its door is in the next answer at a bid door, also after a restart and beside a build.

use crate::world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use vaglio::error::ErrorKind;
use vaglio::schema::Generation;
use vaglio::server::{Options, Server};

fn post(address: SocketAddr, path: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}

fn start(world: &World) -> Server {
    let mut loaded = world.loaded();
    let server = &mut loaded.config.server;
    (server.max_queue_ms, server.max_age_seconds) = (0, 10_000_000);
    for port in [&mut server.grpc, &mut server.http, &mut server.planner] {
        *port = "127.0.0.1:0".parse().unwrap();
    }
    Server::start(loaded, Options { build: false, poll: Duration::from_millis(10), ..Options::default() }).unwrap()
}

fn wait_for(server: &Server, generation: Generation) {
    let until = Instant::now() + Duration::from_secs(20);
    while server.doors().live.load().served.as_ref().map(|served| served.generation()) != Some(generation) {
        assert!(Instant::now() < until, "generation {generation} does not come into service");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn audiences(server: &Server, cookie: &str) -> Value {
    let ask = json!({"eids": [{"source": "pubcid.org", "uid": cookie}]});
    let answer = post(server.addresses().http, "/v1/lookup", &ask.to_string());
    answer["audiences"].clone()
}

#[test]
fn an_event_is_in_the_next_answer_and_stays_there() {
    let world = World::new();
    let row = format!("ann,ann-cookie,{},basic,30,", world.now - 4 * 86_400);
    world.files(&BTreeMap::from([("crm", vec![row])]));
    let built = world.build();
    let server = start(&world);
    wait_for(&server, built.generation);
    assert_eq!(audiences(&server, "ann-cookie"), json!(["acme/adults"]));
    let gold = |id: &str, plan: &str| {
        json!({"id": id, "time": vaglio::schema::Timestamp(world.now).to_string(), "type": "trait",
            "eids": [{"source": "crm", "uid": "ann"}], "traits": {"plan": plan}})
        .to_string()
    };
    let said = post(server.addresses().planner, "/api/v1/events", &gold("1", "gold"));
    assert_eq!(said["accepted"], 1, "{said}");
    assert_eq!(audiences(&server, "ann-cookie"), json!(["acme/adults", "acme/gold"]));
    assert!(server.doors().metrics.exposition().contains("vaglio_overlay_changed "));

    let second = Server::start(
        {
            let mut loaded = world.loaded();
            let server = &mut loaded.config.server;
            for port in [&mut server.grpc, &mut server.http, &mut server.planner] {
                *port = "127.0.0.1:0".parse().unwrap();
            }
            loaded
        },
        Options { build: false, ..Options::default() },
    );
    let refused = second.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Busy);
    assert!(refused.to_string().contains("enabled: false"), "{refused}");

    assert!(server.shutdown());
    let server = start(&world);
    wait_for(&server, built.generation);
    assert_eq!(audiences(&server, "ann-cookie"), json!(["acme/adults", "acme/gold"]), "after a restart");
    assert!(server.shutdown());
    let rebuilt = world.build();
    let server = start(&world);
    wait_for(&server, rebuilt.generation);
    assert_eq!(audiences(&server, "ann-cookie"), json!(["acme/adults", "acme/gold"]), "after a rebuild");
    let said = post(server.addresses().planner, "/api/v1/events", &gold("1", "gold"));
    assert_eq!(said["duplicate"], 1, "{said}");
    assert!(server.shutdown());
}
