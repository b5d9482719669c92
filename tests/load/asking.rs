//! Every door of a real server asked by the load generator, and its answers held against a truth that shares no index with them.

use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::task::LocalSet;
use vaglio::config::load_file;
use vaglio::load::doors::{Became, Reply, Slot, connect};
use vaglio::load::measured::Counts;
use vaglio::load::requests::{Question, Questions};
use vaglio::load::truth::Truth;
use vaglio::load::workload::{Door, Workload};
use vaglio::server::{Options, Server};

#[track_caller]
fn vaglio(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VAGLIO_")) {
        command.env_remove(name);
    }
    let output = command.args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A server over people that `vaglio synth` invented.
struct World {
    directory: tempfile::TempDir,
    server: Server,
}

impl World {
    /// `frozen` = its clock stands still, as `synth` writes it; otherwise it takes events.
    fn new(people: &str, frozen: bool) -> World {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        vaglio(here, &["synth", "--people", people, "--seed", "5", "--plain", "--out", "."]);
        let config = here.join("vaglio.yaml");
        let text = std::fs::read_to_string(&config).unwrap();
        let text = if frozen { text } else { text.replace("\nas_of:", "\n# as_of:") };
        std::fs::write(&config, text).unwrap();
        vaglio(here, &["build"]);
        let mut loaded = load_file(&config).unwrap();
        for address in
            [&mut loaded.config.server.grpc, &mut loaded.config.server.http, &mut loaded.config.server.planner]
        {
            *address = "127.0.0.1:0".parse().unwrap();
        }
        loaded.config.server.max_queue_ms = 0;
        let server = Server::start(loaded, Options { build: false, ..Options::default() }).unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while server.doors().live.load().served.is_none() {
            assert!(std::time::Instant::now() < until, "the server does not become ready");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        World { directory, server }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn workload(&self) -> Workload {
        let at = self.server.addresses();
        let doors: BTreeMap<Door, f64> = Door::ALL.iter().map(|door| (*door, 1.0)).collect();
        let workload = json!({
            "name": "t", "doors": doors, "arrivals": {"phases": []},
            "target": {"http": at.http.to_string(), "grpc": at.grpc.to_string(), "planner": at.planner.to_string(), "connections": 2, "streams": 3},
            "users": {"file": "lookups.ndjson", "unknown_share": 0.2, "zipf": 0.3},
            "request": {"tmax_ms": 0, "batch": 20},
        });
        serde_json::from_value(workload).unwrap()
    }

    fn questions(&self) -> Questions {
        Questions::new(&self.workload(), self.directory.path()).unwrap()
    }

    fn truth(&self) -> Truth {
        vaglio(self.directory.path(), &["load", "truth", "--users", "lookups.ndjson", "--out", "truth.ndjson"]);
        Truth::read(&self.file("truth.ndjson")).unwrap()
    }

    /// Asks so many questions at a door, at all of its slots in turn.
    fn ask(&self, door: Door, questions: &Questions, times: u64, mut told: impl FnMut(&Question, &Reply)) {
        let workload = self.workload();
        local(async {
            let mut slots = connect(&workload, door).await.unwrap();
            let of_each =
                if [Door::GrpcLookup, Door::GrpcBatch, Door::GrpcDecide, Door::Artf].contains(&door) { 3 } else { 1 };
            assert_eq!(slots.len(), 2 * of_each, "{door:?}");
            let (mut question, mut reply) = (Question::default(), Reply::default());
            for n in 0..times {
                questions.write(door, n, &mut question);
                let at = n as usize % slots.len();
                slots[at].ask(&question, &mut reply).await;
                told(&question, &reply);
            }
        });
    }
}

fn local<T>(ask: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, ask)
}

#[test]
fn every_door_answers_and_the_truth_agrees() {
    let world = World::new("3000", true);
    let (truth, mut questions) = (world.truth(), world.questions());
    questions.keep(|line| truth.knows(line));
    for door in Door::ALL {
        let (mut counts, mut matched, mut known, mut items) = (Counts::default(), 0, 0, 0);
        let times = if matches!(door, Door::GrpcBatch | Door::GrpcStream) { 30 } else { 300 };
        world.ask(door, &questions, times, |question, reply| {
            if door == Door::Events {
                let Became::Failed { kind: "http 409", message } = &reply.became else { panic!("{reply:?}") };
                assert!(message.contains("as_of"), "the clock stands still: {message}");
                return;
            }
            assert_eq!(reply.became, Became::Accepted, "{door:?}: {reply:?}");
            assert_eq!((reply.items, reply.generation), (question.items, 1), "{door:?}");
            assert!(truth.check(question, reply, &mut counts), "{door:?}: {reply:?}");
            known += question.people.iter().flatten().count();
            items += question.items as usize;
            let says = |what: &[u8]| memchr::memmem::find(&reply.body, what).is_some();
            // Enriched: what a segment is put into stands in no template.
            matched += usize::from(says(b"\"status\":\"matched\"") || says(b"\"name\":\"vaglio\"") || says(b"telco/"));
        });
        assert!(door == Door::Events || known * 10 > items * 7, "{door:?}: {known} of {items}, a fifth is made up");
        assert_eq!((counts.wrong_suppress, counts.wrong_target), (0, 0), "{door:?}: {counts:?}");
        let checked = !matches!(door, Door::GrpcStream | Door::Enrich | Door::Artf | Door::Events);
        assert_eq!(checked, counts.checked > 200, "{door:?}: {counts:?}");
        assert!(
            matches!(door, Door::Events | Door::GrpcStream | Door::Artf) || matched * 2 > times as usize,
            "{door:?}: {matched}"
        );
    }
}

#[test]
fn planted_wrong_truths_do_not_agree() {
    let world = World::new("1500", true);
    let (_, questions) = (world.truth(), world.questions());
    let right = std::fs::read_to_string(world.file("truth.ndjson")).unwrap();
    let found = |text: &str, door| {
        std::fs::write(world.file("truth.ndjson"), text).unwrap();
        let truth = Truth::read(&world.file("truth.ndjson")).unwrap();
        let mut counts = Counts::default();
        world.ask(door, &questions, 300, |question, reply| assert!(truth.check(question, reply, &mut counts)));
        counts
    };
    let mut lines = right.lines();
    let head = lines.next().unwrap().to_owned();
    let planted = |edit: &dyn Fn(&mut serde_json::Value)| {
        let line = |line: &str| {
            let mut person: serde_json::Value = serde_json::from_str(line).unwrap();
            if person["status"] == "matched" {
                edit(&mut person);
            }
            person.to_string() + "\n"
        };
        head.clone() + "\n" + &lines.clone().map(line).collect::<String>()
    };
    let untouched = found(&right, Door::Decide);
    assert!(untouched.wrong_suppress + untouched.wrong_target == 0 && untouched.checked > 0, "{untouched:?}");
    let silent = planted(&|person| drop(person.as_object_mut().unwrap().remove("target")));
    assert!(found(&silent, Door::Decide).wrong_target > 0, "the server lets speak who is to be silent");
    let loud = planted(&|person| person["target"] = json!([0, 1, 2, 3, 4, 5]));
    assert!(found(&loud, Door::GrpcDecide).wrong_suppress > 0, "the server silences who may speak");
    let empty = planted(&|person| drop(person.as_object_mut().unwrap().remove("audiences")));
    assert!(found(&empty, Door::GrpcLookup).wrong_target > 0, "the server names audiences that nobody is in");
}

#[test]
fn events_are_taken_and_wrong_ones_are_told() {
    let world = World::new("300", false);
    let (questions, mut ids) = (world.questions(), std::collections::BTreeSet::new());
    world.ask(Door::Events, &questions, 5, |question, reply| {
        assert_eq!((&reply.became, reply.items), (&Became::Accepted, 20), "{reply:?}");
        let lines = question.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        ids.extend(lines.map(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap()["id"].to_string()));
    });
    // The same questions of another run are other events.
    world.ask(Door::Events, &world.questions(), 5, |_, reply| assert_eq!(reply.items, 20, "{reply:?}"));
    assert_eq!(ids.len(), 100);
    let mut workload = world.workload();
    workload.request.event = "purchse".to_owned();
    let wrong = Questions::new(&workload, world.directory.path()).unwrap();
    world.ask(Door::Events, &wrong, 1, |_, reply| {
        let Became::Failed { kind: "rejected", message } = &reply.became else { panic!("{reply:?}") };
        assert!(message.contains("purchse"), "{message}");
    });
    // Who said something since the generation is not judged.
    let truth = world.truth();
    let unsaid = (0..truth.len() as u32).filter(|line| truth.status(*line) == Some("")).count();
    assert!(unsaid > 10, "{unsaid}");
}

#[test]
fn a_server_that_goes_away_is_told_and_found_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let workload = |connections: usize| -> Workload {
        let target = json!({"http": address, "grpc": address, "connections": connections});
        serde_json::from_value(
            json!({"name": "t", "doors": {"lookup": 1}, "arrivals": {"phases": []}, "target": target}),
        )
        .unwrap()
    };
    // It answers the first question of a connection, and closes the connection in the middle of the second.
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                let _ = stream.read(&mut bytes);
                let body = "{\"status\":\"matched\",\"generation\":9}";
                let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _ = stream.read(&mut bytes);
                let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{{");
            });
        }
    });
    let questions = Questions::new(&workload(1), Path::new(".")).unwrap();
    local(async {
        let mut slots: Vec<Slot> = connect(&workload(1), Door::Lookup).await.unwrap();
        let (mut question, mut reply) = (Question::default(), Reply::default());
        questions.write(Door::Lookup, 0, &mut question);
        for round in 0..3 {
            slots[0].ask(&question, &mut reply).await;
            assert_eq!((&reply.became, reply.generation), (&Became::Accepted, 9), "{round}");
            slots[0].ask(&question, &mut reply).await;
            assert!(matches!(reply.became, Became::Failed { kind: "closed", .. }), "{round}: {reply:?}");
        }
    });
    let nobody = json!({"name": "t", "doors": {"lookup": 1}, "arrivals": {"phases": []}, "target": {"http": "127.0.0.1:9", "grpc": "127.0.0.1:9"}});
    let nobody: Workload = serde_json::from_value(nobody).unwrap();
    for door in [Door::Lookup, Door::GrpcLookup, Door::GrpcStream] {
        let error = local(connect(&nobody, door)).unwrap_err().to_string();
        assert!(error.contains("127.0.0.1:9") && error.contains("vaglio serve"), "{error}");
    }
}
