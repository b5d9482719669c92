//! The real program from an empty data directory: `vaglio serve` builds with its own `vaglio build`, and follows
//! `vaglio rollback`.

use crate::client::{Client, get};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A build of the example takes seconds where the machine is busy.
const PATIENCE: Duration = Duration::from_secs(120);

fn vaglio(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VAGLIO_")) {
        command.env_remove(name);
    }
    command
}

#[track_caller]
fn done(directory: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = vaglio(directory, arguments).output().unwrap();
    assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// Copies a directory's files, without what an earlier build may have left there.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "data") {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A `vaglio serve`, killed when a test fails.
struct Serving {
    child: Child,
    http: SocketAddr,
    planner: SocketAddr,
}

impl Serving {
    fn start(directory: &Path) -> Serving {
        let mut command = vaglio(directory, &["serve"]);
        for port in ["GRPC", "HTTP", "PLANNER"] {
            command.env(format!("VAGLIO_SERVER__{port}"), "127.0.0.1:0");
        }
        command.env("VAGLIO_SERVER__MAX_QUEUE_MS", "0");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let (send, lines) = mpsc::channel();
        // Reads to the end, so that the server never waits for its log to be read.
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(|line| drop(send.send(line))));
        let mut serving = Serving { child, http: ([0; 4], 0).into(), planner: ([0; 4], 0).into() };
        let listens = std::iter::from_fn(|| lines.recv_timeout(PATIENCE).ok()).find(|line| line.contains("HTTP on "));
        let listens = listens.expect("the log says where it listens");
        let address = |behind: &str| {
            let (_, rest) = listens.split_once(behind).unwrap();
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(rest.len());
            rest[..end].parse().unwrap_or_else(|error| panic!("{error}: {listens}"))
        };
        (serving.http, serving.planner) = (address("HTTP on http://"), address("metrics on http://"));
        serving
    }

    fn ready(&self) -> Value {
        get(self.http, "/health/ready").json()
    }

    #[track_caller]
    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < until, "still not: {what}; {}", self.ready());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    #[track_caller]
    fn until_generation(&self, generation: u64) {
        self.until(&format!("generation {generation}"), || self.ready()["generation"] == generation);
    }

    fn stop(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_builds_from_nothing_serves_and_follows_rollbacks() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/telco"), directory);
    let server = Serving::start(directory);
    server.until("built and ready", || {
        let built = get(server.planner, "/metrics").body.contains("vaglio_builds_total 1\n");
        let ready = server.ready();
        assert!(ready["reason"].as_str().is_none_or(|reason| !reason.contains("failed")), "{ready}");
        built && ready["ready"] == true
    });
    let ask = |path: &str| {
        let questions = std::fs::read_to_string(directory.join("lookups.ndjson")).unwrap();
        let mut client = Client::connect(server.http);
        let answers = questions.lines().map(|line| client.post(path, line).json());
        answers.inspect(|answer| assert_eq!(answer["generation"], 1)).filter(|it| it["status"] == "matched").count()
    };
    let (looked, decided) = (ask("/v1/lookup"), ask("/v1/decide"));
    assert!(looked > 0 && looked == decided, "{looked} {decided}");

    done(directory, &["build", "--activate-only", "--quiet"]);
    server.until_generation(2);
    assert!(done(directory, &["rollback"]).contains("generation 1 is live and pinned"));
    server.until_generation(1);
    done(directory, &["build", "--activate-only", "--quiet"]);
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(server.ready()["generation"], 1, "pinned");
    assert!(done(directory, &["rollback", "--unpin"]).contains("generation 1 stays live until the next build"));
    done(directory, &["build", "--activate-only", "--quiet"]);
    server.until_generation(4);
    assert!(server.stop().success(), "SIGTERM is a good end");
}
