//! From publishing an audience to the bid door that answers with it: a server on `VAGLIO_BENCH_PROFILES` people (100,000), one
//! audience published by HTTP, the bid door asked until it says so; five times. `cargo bench --bench publish`.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use vaglio::config;
use vaglio::server::{Options, Server};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 5;
/// The longest wait for one audience.
const PATIENCE: Duration = Duration::from_secs(120);
const CONFIG: &str = "
data_dir: data
definitions: [audiences.yaml]
build: { index_interval_seconds: 0, activate_interval_seconds: 0 }
sources:
  - { name: crm, kind: profiles, path: crm.csv, ids: [{ column: ifa, type: ifa }], traits: [{ column: age, kind: number }, { column: plan, kind: category }] }
ingest: { ids: [{ type: crm }] }
server: { grpc: '127.0.0.1:0', http: '127.0.0.1:0', planner: '127.0.0.1:0', max_queue_ms: 0 }
";

fn main() -> Outcome<()> {
    let people: u64 = std::env::var("VAGLIO_BENCH_PROFILES").ok().map_or(Ok(100_000), |text| text.parse())?;
    let directory = tempfile::tempdir()?;
    make(directory.path(), people)?;
    let loaded = config::load_file(&directory.path().join("vaglio.yaml"))?;
    let program = Some(PathBuf::from(env!("CARGO_BIN_EXE_vaglio")));
    let server = Server::start(loaded, Options { program, ..Options::default() })?;
    let (http, planner) = (server.addresses().http, server.addresses().planner);
    until("ready", || Ok(ask(http, "GET", "/health/ready", "", "")?.starts_with("HTTP/1.1 200")))?;
    until("the published definitions in service", || {
        Ok(ask(planner, "GET", "/api/v1/builds", "", "")?.contains("\"in_service\""))
    })?;
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let rule = format!("age < {} and plan in (a, b)", 40 + round);
        let text =
            format!("audiences:\n  - {{ id: new{round}, name: New, kind: target, owner: bench, rule: '{rule}' }}\n");
        let began = Instant::now();
        let answer = ask(planner, "POST", "/api/v1/definitions?publish=true", "application/yaml", &text)?;
        if !answer.starts_with("HTTP/1.1 2") {
            return Err(answer.into());
        }
        let acknowledged = began.elapsed();
        let question = format!("{{\"ifa\":\"{}\"}}", ifa(0));
        let wanted = format!("bench/new{round}");
        until(&wanted, || Ok(ask(http, "POST", "/v1/lookup", "application/json", &question)?.contains(&wanted)))?;
        println!(
            "round {round}: acknowledged after {:.3} s, answered after {:.3} s",
            acknowledged.as_secs_f64(),
            began.elapsed().as_secs_f64()
        );
        times.push(began.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{people} profiles, published -> answered: min {:.3} s, median {:.3} s, max {:.3} s",
        times[0],
        times[ROUNDS / 2],
        times[ROUNDS - 1]
    );
    server.shutdown();
    Ok(())
}

/// Writes and builds the world; the first of its people is in every audience that is published.
fn make(directory: &Path, people: u64) -> Outcome<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(directory.join("crm.csv"))?);
    out.write_all(b"ifa,age,plan\n")?;
    let mut row = String::new();
    for person in 0..people {
        row.clear();
        writeln!(row, "{},{},{}", ifa(person), 18 + person % 60, ["a", "b", "c", "d"][person as usize % 4])?;
        out.write_all(row.as_bytes())?;
    }
    out.flush()?;
    std::fs::write(directory.join("vaglio.yaml"), CONFIG)?;
    let mut audiences = String::from("audiences:\n");
    for n in 0..200 {
        writeln!(
            audiences,
            "  - {{ id: a{n}, name: A, kind: target, owner: bench, rule: age between {} and {} }}",
            18 + n % 50,
            20 + n % 50
        )?;
    }
    std::fs::write(directory.join("audiences.yaml"), audiences)?;
    let mut build = Command::new(env!("CARGO_BIN_EXE_vaglio"));
    let built = build.current_dir(directory).args(["build", "--quiet"]).status()?;
    if built.success() { Ok(()) } else { Err("the generation could not be built".into()) }
}

fn ifa(person: u64) -> String {
    let mixed = person.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:08x}-{:04x}-4000-8000-{person:012x}", mixed >> 32, mixed >> 16 & 0xffff)
}

fn until(what: &str, mut holds: impl FnMut() -> Outcome<bool>) -> Outcome<()> {
    let end = Instant::now() + PATIENCE;
    while !holds()? {
        if Instant::now() > end {
            return Err(format!("still not: {what}").into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// One request on a connection of its own: the head and the body of the answer.
fn ask(at: SocketAddr, method: &str, path: &str, kind: &str, body: &str) -> Outcome<String> {
    let mut stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    let mut reader = BufReader::new(stream);
    reader.read_line(&mut answer)?;
    reader.read_to_string(&mut answer)?;
    Ok(answer)
}
