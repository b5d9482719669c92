//! A small world, a server on it, and somebody who publishes as another process does: into the control log.

use crate::client::{Answer, Client, get, request};
use crate::world::{World, ifa};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Instant;
use vaglio::audiences::versions::{Change, Item, Kind, State};
use vaglio::build::What;
use vaglio::build::defined::Ledger;
use vaglio::schema::AudienceId;
use vaglio::server::{Options, Server};

const SERVER: &str = "server: { grpc: '127.0.0.1:0', http: '127.0.0.1:0', planner: '127.0.0.1:0', max_queue_ms: 0 }\n";

pub struct Stage {
    pub world: World,
}

pub struct Served {
    pub server: Server,
}

impl Stage {
    /// With a first generation of so many people.
    pub fn built(people: u32) -> Stage {
        Stage::built_with(people, |config, definitions| (config, definitions))
    }

    /// The same with another configuration and other definitions.
    pub fn built_with(people: u32, change: impl FnOnce(String, String) -> (String, String)) -> Stage {
        let world = World::new(people);
        let text = |name: &str| std::fs::read_to_string(world.path().join(name)).unwrap();
        let config = text("vaglio.yaml").replace("keep_generations: 2", "keep_generations: 9");
        let (config, definitions) = change(config, text("audiences.yaml"));
        world.file("vaglio.yaml", &(config + SERVER));
        world.file("audiences.yaml", &definitions);
        world.build(What::Full).unwrap();
        Stage { world }
    }

    pub fn serve(&self) -> Served {
        self.serve_with(None)
    }

    pub fn serve_with(&self, program: Option<PathBuf>) -> Served {
        let program = program.or_else(|| Some(PathBuf::from(env!("CARGO_BIN_EXE_vaglio"))));
        let options = Options { program, ..Options::default() };
        Served { server: Server::start(self.world.loaded(), options).unwrap() }
    }

    /// A script in the place of the program that builds.
    pub fn program(&self, script: &str) -> PathBuf {
        let path = self.world.path().join("builder.sh");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Publishes audiences of `acme`, or archives them.
    pub fn publish(&self, audiences: &[(&str, Option<&str>)]) {
        let item = |(id, text): &(&str, Option<&str>)| Item {
            kind: Kind::Audience,
            id: AudienceId::resolve(id, "acme"),
            state: if text.is_some() { State::Published } else { State::Archived },
            text: text.map(str::to_owned),
        };
        self.publish_items(audiences.iter().map(item).collect());
    }

    /// Publishes or archives whatever.
    pub fn publish_items(&self, items: Vec<Item>) {
        let mut ledger = Ledger::open(&self.world.data()).unwrap();
        ledger.catch_up().unwrap();
        let last = ledger.versions().last();
        let change = Change { number: last + 1, author: "test".to_owned(), comment: None, items };
        ledger.write(last, &change).unwrap().unwrap();
    }
}

impl Served {
    pub fn generation(&self) -> u64 {
        self.server.doors().live.load().served.as_ref().map_or(0, |served| served.generation().0)
    }

    /// What the bid door says of somebody.
    pub fn audiences(&self, person: u32) -> Vec<String> {
        let ask = json!({"ifa": ifa(person)}).to_string();
        let answer = Client::connect(self.server.addresses().http).post("/v1/lookup", &ask).json();
        serde_json::from_value(answer["audiences"].clone()).unwrap()
    }

    pub fn get(&self, path: &str) -> Answer {
        get(self.server.addresses().planner, path)
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        Client::connect(self.server.addresses().planner).post(path, body)
    }

    pub fn delete(&self, path: &str) -> Answer {
        let mut client = Client::connect(self.server.addresses().planner);
        client.send(&request("DELETE", path, "", ""));
        client.receive().unwrap()
    }

    pub fn state(&self) -> Value {
        self.get("/api/v1/builds").json()
    }

    pub fn ready(&self) -> u16 {
        get(self.server.addresses().http, "/health/ready").status
    }
}

/// Waits for something that must come true soon.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + std::time::Duration::from_secs(40);
    while !holds() {
        assert!(Instant::now() < until, "still not: {what}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
