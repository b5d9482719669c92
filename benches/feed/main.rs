//! What comes by the events door costs, and how soon it is seen: `make bench-feed`.
//!
//! One server with fsync on, pinned to core 0, the generator to core 1: events a second of the server's CPU, alone and while
//! lookups run; lookups alone and meanwhile; from an event's acknowledgement to the lookup that shows it, and from an
//! objection's to the lookup that is blocked, both under half of the events that it can take (it fails when an objection took
//! longer than a second); what a changed profile takes in memory; how fast the log is read when a server starts again.
//! `VAGLIO_BENCH_PEOPLE` people (100,000), each with an `ifa`.

use measure::{Measured, Server, measure};
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use vaglio::config;
use vaglio::server::Options;

#[path = "../doors/measure.rs"]
#[allow(dead_code, reason = "shared with the doors' bench")]
mod measure;

mod load;
mod probe;
mod wire;
mod world;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// From an objection's acknowledgement until it blocks, at most: the goal, microseconds.
const OBJECTION_US: f64 = 1e6;
/// Rounds of a run: medians of these.
const ROUNDS: usize = 3;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", _, cores, _, directory] => serve(cores, Path::new(directory)),
        ["load", what, cores, address] => load::run(what, cores, address.parse()?),
        _ => compare(),
    }
}

/// Pins this process and what it starts from now on.
fn pin(cores: &str) -> Outcome<()> {
    let mut set = rustix::thread::CpuSet::new();
    for core in cores.split(',') {
        set.set(core.parse()?);
    }
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

/// Serves until standard input ends.
fn serve(cores: &str, directory: &Path) -> Outcome<()> {
    pin(cores)?;
    let loaded = config::load_file(&directory.join("vaglio.yaml"))?;
    let server = vaglio::server::Server::start(loaded, Options { build: false, ..Options::default() })?;
    while server.doors().live.load().served.is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let at = server.addresses();
    println!("{} {}", at.http, at.planner);
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut Vec::new())?;
    server.shutdown();
    Ok(())
}

fn compare() -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    let people = world::make(directory.path())?;
    println!("{people} people, every change on the disk before it is acknowledged");
    let path = directory.path().to_string_lossy().into_owned();
    let began = Instant::now();
    let server = Server::start("ours", "0", 1, &path)?;
    let empty = began.elapsed();
    let (http, planner) = (server.addresses[0], server.addresses[1]);
    // The generator learns the other port by the name of what it asks.
    let named =
        |what: &str, rate: u64| -> &'static str { Box::leak(format!("{what} {planner} {rate}").into_boxed_str()) };
    let found = measure(
        &[
            ("events alone", &server, named("events", 0), http, "1"),
            ("lookups alone", &server, named("lookups", 0), http, "1"),
            ("events, lookups meanwhile", &server, named("both", 0), http, "1"),
        ],
        ROUNDS,
    )?;
    table(&found);
    let half = (found[0].per_second / 2.0) as u64;
    let seen = measure(
        &[
            ("event: acknowledged -> visible", &server, named("visible", half), http, "1"),
            ("objection: acknowledged -> blocked", &server, named("blocked", half), http, "1"),
        ],
        1,
    )?;
    println!("\nUnder {half} events a second, half of what one generator saturates with:");
    for row in &seen {
        let [p50, p99, most] = [row.p50_us, row.p99_us, row.max_us].map(|us| us / 1e3);
        println!("{}: p50 {p50:.2} ms, p99 {p99:.2} ms, at most {most:.2} ms", row.name);
    }
    let records = show_memory(planner)?;
    drop(server);
    let began = Instant::now();
    let again = Server::start("ours", "0", 1, &path)?;
    let replay = began.elapsed().saturating_sub(empty);
    println!(
        "replay: {records} records in {:.2} s, {:.0} a second",
        replay.as_secs_f64(),
        records / replay.as_secs_f64()
    );
    drop(again);
    objections_are_in_time(seen[1].max_us)
}

/// "Always" is a word about the slowest one.
fn objections_are_in_time(most_us: f64) -> Outcome<()> {
    if most_us > OBJECTION_US {
        let (found, goal) = (most_us / 1e6, OBJECTION_US / 1e6);
        return Err(format!("an objection blocked only after {found:.2} s; the goal is {goal} s, always").into());
    }
    Ok(())
}

/// Prints what changes take in memory; returns how many records the log has.
fn show_memory(planner: SocketAddr) -> Outcome<f64> {
    let scrape = wire::get(planner, "/metrics")?;
    let value = |name: &str| -> Option<f64> {
        let line =
            scrape.lines().find(|line| line.starts_with(name) && line.as_bytes().get(name.len()) == Some(&b' '))?;
        line.rsplit(' ').next()?.parse().ok()
    };
    println!();
    for line in scrape.lines().filter(|line| line.starts_with("vaglio_overlay") || line.starts_with("vaglio_event_ids"))
    {
        println!("{line}");
    }
    value("vaglio_events_end").ok_or_else(|| "the scrape does not say where the log ends".into())
}

fn table(found: &[Measured]) {
    println!("\n| what | a CPU second | a second | p50, us | p99, us |");
    println!("|---|---|---|---|---|");
    for row in found {
        println!(
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} |",
            row.name, row.per_cpu_second, row.per_second, row.p50_us, row.p99_us
        );
    }
    println!("Times are those of lookups where there are any, of a request of 500 events otherwise.");
}
