//! What a request costs at each door, next to bare servers of the same run: requests per second of the *server's* CPU.
//!
//! `cargo bench --bench doors` compares the doors with a bare hyper server that returns as many bytes as it reads, and with
//! a tonic server that returns a constant as large as our answer; `-- runtimes` compares one runtime of many threads with
//! one runtime a core on the HTTP port; `-- world DIRECTORY` only writes what is served. 1 M profiles, 44 of 2,000 audiences each; `VAGLIO_BENCH_PROFILES` for more. 40 of
//! 100 requests are about somebody unknown, and hardly any two about the same person. Servers are processes pinned to core
//! 0, the generator is one pinned to core 1; everything stays on the loopback interface and ends by itself.

use measure::{Measured, Server, measure};
use std::error::Error;
use std::path::Path;
use vaglio::snapshot::{Manifest, Store};

mod grpc;
mod http;
mod load;
mod measure;
mod servers;
#[path = "../synthetic/mod.rs"]
mod synthetic;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Rounds of a run: medians of these.
const ROUNDS: usize = 5;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", what, cores, workers, directory] => servers::run(what, cores, workers.parse()?, directory),
        ["load", what, cores, address] => load::run(what, cores, address.parse()?),
        ["runtimes"] => runtimes(),
        ["world", directory] => world(directory.as_ref()),
        _ => doors(),
    }
}

/// A snapshot, and a configuration that serves it.
fn world(directory: &Path) -> Outcome<()> {
    let store = Store::open(directory.join("data"))?;
    let (profiles, publishing) = (synthetic::profiles(), store.publishing("bench")?);
    let sections = vec![
        synthetic::identities(&store, profiles),
        synthetic::forward(&store, profiles),
        synthetic::flips(&store),
        synthetic::catalogue(&store, true),
        synthetic::filter(&store, profiles),
    ];
    let key_fingerprint = synthetic::hasher().fingerprint();
    let generation = store.next_generation()?;
    store.publish(&publishing, Manifest { generation, key_fingerprint, profiles, sections, ..Manifest::default() })?;
    std::fs::write(directory.join("data/vaglio.key"), "01".repeat(16))?;
    println!("synthetic: {profiles} profiles, {} identifiers", u64::from(profiles) * synthetic::IDENTIFIERS);
    Ok(())
}

fn doors() -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    world(directory.path())?;
    let path = directory.path().to_string_lossy().into_owned();
    let ours = Server::start("ours", "0", 1, &path)?;
    let hyper = Server::start("hyper", "0", 1, "")?;
    let (grpc, http) = (ours.addresses[0], ours.addresses[1]);
    // The constant is as large as our answers are on average.
    let answer = measure(&[("", &ours, "grpc", grpc, "1")], 1)?[0].bytes;
    let tonic = Server::start("tonic", "0", 1, &answer.round().to_string())?;
    let found = measure(
        &[
            ("bare hyper, as many bytes", &hyper, "enrich", hyper.addresses[0], "1"),
            ("POST /openrtb2/enrich", &ours, "enrich", http, "1"),
            ("POST /v1/lookup", &ours, "lookup", http, "1"),
            ("tonic, a constant", &tonic, "grpc", tonic.addresses[0], "1"),
            ("gRPC Lookup", &ours, "grpc", grpc, "1"),
            ("gRPC LookupStream, 256 lookups a message", &ours, "stream", grpc, "1"),
        ],
        ROUNDS,
    )?;
    table(&found, &[(1, 0), (2, 0), (4, 3)]);
    println!("LookupStream counts lookups, not messages.");
    Ok(())
}

fn runtimes() -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    world(directory.path())?;
    let path = directory.path().to_string_lossy().into_owned();
    let (one, two) = (Server::start("ours", "0", 1, &path)?, Server::start("ours", "0,1", 2, &path)?);
    let found = measure(
        &[
            ("1 core: one runtime", &one, "enrich", one.addresses[1], "1"),
            ("1 core: a runtime a core", &one, "enrich", one.addresses[2], "1"),
            ("2 cores: one runtime", &two, "enrich", two.addresses[1], "0,1"),
            ("2 cores: a runtime a core", &two, "enrich", two.addresses[2], "0,1"),
        ],
        ROUNDS,
    )?;
    table(&found, &[(1, 0), (3, 2)]);
    println!("POST /openrtb2/enrich. With 2 cores the generator has both too.");
    Ok(())
}

/// Prints what was measured, and the ratios of some rows to others.
fn table(found: &[Measured], ratios: &[(usize, usize)]) {
    println!("\n| what | a CPU second | a second | answer, bytes | p50, us | p99, us | ratio |");
    println!("|---|---|---|---|---|---|---|");
    for (at, row) in found.iter().enumerate() {
        let base =
            ratios.iter().find(|(of, _)| *of == at).map(|(_, to)| row.per_cpu_second / found[*to].per_cpu_second);
        let ratio = base.map_or_else(|| "-".to_owned(), |ratio| format!("{:.0} %", ratio * 100.0));
        println!(
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {ratio} |",
            row.name, row.per_cpu_second, row.per_second, row.bytes, row.p50_us, row.p99_us
        );
    }
}
