//! A small world, its server, and keys of some people.

use crate::client::{Answer, Client, request};
use crate::world::World;
use serde_json::Value;
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output};
use std::time::Duration;
use vaglio::build::What;
use vaglio::server::{Options, Server};

pub struct Place {
    pub world: World,
    server: Option<Server>,
}

impl Place {
    /// With a generation over so many people.
    pub fn new() -> Place {
        let world = World::new(300);
        world.build(What::Full).unwrap();
        Place { world, server: None }
    }

    /// With more settings.
    pub fn with(settings: &str) -> Place {
        let place = Place::new();
        let config = std::fs::read_to_string(place.world.config()).unwrap();
        place.world.file("vaglio.yaml", &format!("{config}{settings}"));
        place
    }

    /// Starts the server.
    pub fn start(mut self) -> Place {
        let mut loaded = self.world.loaded();
        let server = &mut loaded.config.server;
        (server.max_queue_ms, server.max_age_seconds) = (0, 10_000_000);
        for port in [&mut server.grpc, &mut server.http, &mut server.planner] {
            *port = "127.0.0.1:0".parse().unwrap();
        }
        let options = Options { build: false, poll: Duration::from_millis(10), ..Options::default() };
        self.server = Some(Server::start(loaded, options).unwrap());
        for _ in 0..500 {
            if self.ask("GET", "/api/v1/definitions", "", "").status == 200 || !self.is_ready() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        while !self.is_ready() {
            std::thread::sleep(Duration::from_millis(10));
        }
        self
    }

    fn is_ready(&self) -> bool {
        self.server.as_ref().unwrap().doors().live.load().served.is_some()
    }

    pub fn address(&self) -> SocketAddr {
        self.server.as_ref().unwrap().addresses().planner
    }

    /// Makes a key; before the server starts.
    pub fn key(&self, role: &str, owner: &str) -> String {
        let output = self.run(&["keys", "create", "--role", role, "--owner", owner]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a command in the world's directory.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
        command.args(arguments).current_dir(self.world.path()).env_remove("VAGLIO_DATA_DIR").env("USER", "pat");
        command.output().unwrap()
    }

    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let mut client = Client::over(stream);
        client.send(&request(method, path, headers, body));
        client.receive().unwrap()
    }

    pub fn with_key(&self, key: &str, method: &str, path: &str, body: &str) -> Answer {
        self.ask(method, path, &format!("authorization: Bearer {key}\r\n"), body)
    }

    pub fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "", "");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, "", body)
    }
}

/// The codes of the errors of a problem.
pub fn codes(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["code"].as_str().unwrap_or("").to_owned()).collect()
}

/// The code of a problem.
pub fn problem(answer: &Answer) -> String {
    assert!(answer.headers.contains("content-type: application/problem+json"), "{answer:?}");
    answer.json()["code"].as_str().unwrap().to_owned()
}

/// What confirms a change that must be.
pub fn token(answer: &Answer) -> String {
    assert_eq!((answer.status, problem(answer).as_str()), (409, "needs_confirmation"), "{answer:?}");
    let body = answer.json();
    let of = body["errors"].as_array().unwrap().iter().find(|error| error["code"] == "confirm").unwrap();
    of["detail"].as_str().unwrap().to_owned()
}
