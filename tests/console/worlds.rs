//! The worlds that the browser looks at: `vaglio serve` over the demo's invented people, and over nothing at all.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A build of the demo's people takes seconds; a busy machine may need minutes.
const PATIENCE: Duration = Duration::from_secs(300);

/// A served directory; its server is killed when the test ends, however it ends.
pub struct World {
    pub directory: PathBuf,
    pub http: SocketAddr,
    pub planner: SocketAddr,
    /// An operator's, of every owner.
    pub key: String,
    child: Child,
}

impl World {
    /// The people of `vaglio demo --people 20000 --seed 7`, with a clock that runs, so that what is sent counts, and with
    /// a destination to export to. The first generation is in service.
    pub fn telco(directory: &Path) -> World {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:00Z").to_string();
        let out = directory.to_str().unwrap();
        done(Path::new("."), &["synth", "--people", "20000", "--seed", "7", "--as-of", &now, "--out", out]);
        let file = directory.join("vaglio.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let running: Vec<&str> = text.lines().filter(|line| !line.starts_with("as_of:")).collect();
        let destination = "\ndestinations:\n  - { name: partner, path: partner-out }\n";
        std::fs::write(&file, running.join("\n") + destination).unwrap();
        let world = World::serve(directory);
        world.until_ready();
        world
    }

    /// Neither sources nor definitions.
    pub fn empty(directory: &Path) -> World {
        std::fs::create_dir_all(directory).unwrap();
        let text = "data_dir: data\ndefinitions: []\nsources: []\n";
        std::fs::write(directory.join("vaglio.yaml"), text).unwrap();
        World::serve(directory)
    }

    fn serve(directory: &Path) -> World {
        let made = done(directory, &["keys", "create", "--role", "operator", "--owner", "*"]);
        let key = made.split_whitespace().find(|word| word.starts_with("vaglio_")).unwrap().to_owned();
        let mut command = vaglio(directory, &["serve"]);
        for port in ["GRPC", "HTTP", "PLANNER"] {
            command.env(format!("VAGLIO_SERVER__{port}"), "127.0.0.1:0");
        }
        command.env("VAGLIO_SERVER__MAX_QUEUE_MS", "0");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let nowhere = SocketAddr::from(([0; 4], 0));
        let mut world = World { directory: directory.to_owned(), http: nowhere, planner: nowhere, key, child };
        let (send, lines) = mpsc::channel();
        // Reads to the end, so that the server never waits for its log to be read.
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(|line| drop(send.send(line))));
        let listens = std::iter::from_fn(|| lines.recv_timeout(PATIENCE).ok()).find(|line| line.contains("HTTP on "));
        let listens = listens.expect("the log says where it listens");
        (world.http, world.planner) = (address(&listens, "HTTP on http://"), address(&listens, "metrics on http://"));
        world
    }

    fn until_ready(&self) {
        let until = Instant::now() + PATIENCE;
        while !get(self.http, "/health/ready").starts_with("HTTP/1.1 200") {
            assert!(Instant::now() < until, "still not ready: {}", get(self.http, "/health/ready"));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Whether the console was there when the program was built.
    pub fn has_a_console(&self) -> bool {
        get(self.planner, "/").contains("id=\"root\"")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
    let output = vaglio(directory, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The address that stands behind some words.
#[track_caller]
fn address(line: &str, behind: &str) -> SocketAddr {
    let (_, rest) = line.split_once(behind).unwrap_or_else(|| panic!("no `{behind}`: {line}"));
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(rest.len());
    rest[..end].parse().unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// The whole answer as text, as a browser that accepts nothing compressed sees it.
fn get(address: SocketAddr, path: &str) -> String {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: text/html\r\nconnection: close\r\n\r\n")?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).map(|_| bytes)
    };
    ask().map_or_else(|error: std::io::Error| error.to_string(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}
