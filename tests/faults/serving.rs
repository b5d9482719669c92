//! A `vaglio serve` over a small world that takes events, started, watched and killed by its own id.

use crate::http::{Answer, ask};
use crate::run::vaglio;
use crate::world::World;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// A server in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

const INGEST: &str = "\
build: { keep_generations: 3, activate_interval_seconds: 0, index_interval_seconds: 0 }
ingest:
  segment_bytes: 65536
  reserve_bytes: 262144
  events:
    - { names: [ping], properties: [{ name: n, kind: number }], uses: [target], legal_basis: consent, retention_days: 400 }
";

const AUDIENCES: &str = "
  - { id: pinged, name: Pinged, kind: target, owner: acme, rule: did ping }
  - { id: thrice, name: Pinged three times, kind: target, owner: acme, rule: did ping exactly 3 times }
  - { id: lately, name: Pinged lately, kind: target, owner: acme, rule: did ping within 7 days }
";

/// A world whose clock runs and whose doors are open, with one generation.
pub fn open_world() -> World {
    let world = World::new(12);
    let text = std::fs::read_to_string(world.config()).unwrap();
    let text = text.replace("as_of: 2026-11-20T00:00:00Z\n", "").replace("build: { keep_generations: 2 }\n", INGEST);
    world.file("vaglio.yaml", &text);
    let definitions = std::fs::read_to_string(world.path().join("audiences.yaml")).unwrap();
    let (audiences, campaigns) = definitions.split_once("campaigns:").unwrap();
    world.file("audiences.yaml", &format!("{}{AUDIENCES}campaigns:{campaigns}", audiences.trim_end()));
    crate::run::done(vaglio(world.path(), &["build", "--quiet"]));
    world
}

/// What is said of a person at a time, by an identifier that no source knows.
pub fn line(person: u64, mut said: Value, time: i64) -> String {
    said["time"] = json!(vaglio::schema::Timestamp(time).to_string());
    said["eids"] = json!([eid(person)]);
    said.to_string() + "\n"
}

/// An event of a person.
pub fn ping(id: &str, person: u64, time: i64) -> String {
    line(person, json!({ "id": id, "type": "event", "name": "ping" }), time)
}

/// An objection of a person to everything.
pub fn objection(id: &str, person: u64, time: i64) -> String {
    line(person, json!({ "id": id, "type": "objection", "scope": "all" }), time)
}

fn eid(person: u64) -> Value {
    json!({ "source": "ifa", "uid": format!("{person:08x}-aaaa-4000-8000-000000000000") })
}

/// The server's process.
pub struct Serving {
    child: Arc<Mutex<Child>>,
    pub http: SocketAddr,
    pub planner: SocketAddr,
}

/// The line that says where it listens; what it said instead when it ended before.
fn listens(lines: &mpsc::Receiver<String>) -> Result<String, Vec<String>> {
    let (until, mut said) = (Instant::now() + PATIENCE, Vec::new());
    while let Ok(line) = lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
        if line.contains("HTTP on ") {
            return Ok(line);
        }
        said.push(line);
    }
    Err(said)
}

fn address(text: &str, behind: &str) -> SocketAddr {
    let (_, rest) = text.split_once(behind).unwrap_or_else(|| panic!("`{behind}` is not in {text}"));
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(rest.len());
    rest[..end].parse().unwrap_or_else(|error| panic!("{error}: {text}"))
}

impl Serving {
    /// Starts it; with `killed_after` it is killed so soon that it may still be recovering: then `None`.
    pub fn start(world: &Path, settings: &[(&str, &str)], killed_after: Option<Duration>) -> Option<Serving> {
        let mut command = vaglio(world, &["serve"]);
        for port in ["GRPC", "HTTP", "PLANNER"] {
            command.env(format!("VAGLIO_SERVER__{port}"), "127.0.0.1:0");
        }
        command.env("VAGLIO_SERVER__MAX_QUEUE_MS", "0").envs(settings.iter().copied());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (send, lines) = mpsc::channel();
        // Reads to the end, so that the server never waits for its log to be read.
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(|line| drop(send.send(line))));
        let mut serving =
            Serving { child: Arc::new(Mutex::new(child)), http: ([0; 4], 0).into(), planner: ([0; 4], 0).into() };
        if let Some(after) = killed_after {
            std::thread::sleep(after);
            serving.kill();
            return None;
        }
        let line = listens(&lines).unwrap_or_else(|said| panic!("the server did not start: {said:#?}"));
        (serving.http, serving.planner) = (address(&line, "HTTP on http://"), address(&line, "metrics on http://"));
        serving.until("ready", || ask(serving.http, "GET", "/health/ready", "").is_some_and(|it| it.status == 200));
        Some(serving)
    }

    #[track_caller]
    pub fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < until, "still not: {what}; {:?}", ask(self.http, "GET", "/health/ready", ""));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Hands in lines.
    pub fn send(&self, lines: &str) -> Option<Answer> {
        ask(self.planner, "POST", "/api/v1/events?results=all", lines)
    }

    /// The status and the audiences of a person.
    #[track_caller]
    pub fn look_up(&self, person: u64) -> (String, Vec<String>) {
        let body = json!({ "eids": [eid(person)] }).to_string();
        let answer = ask(self.http, "POST", "/v1/lookup", &body).expect("the server answers").json();
        let audiences = answer["audiences"].as_array().cloned().unwrap_or_default();
        let audiences = audiences.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        (answer["status"].as_str().unwrap().to_owned(), audiences)
    }

    /// What kills it from another thread.
    pub fn killer(&self) -> impl FnOnce() + Send + use<> {
        let child = Arc::clone(&self.child);
        move || drop(child.lock().unwrap().kill())
    }

    pub fn kill(&mut self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.kill();
    }
}
