//! The generator: sends events as fast as they are acknowledged, asks as fast as it is answered, or probes at a rate.

use super::wire::Connection;
use super::world::{ifa, mix, people};
use super::{Outcome, pin, probe};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use vaglio::schema::Clock;

const WARM: Duration = Duration::from_millis(300);
const MEASURED: Duration = Duration::from_millis(2_000);
/// Events a request.
const LINES: usize = 500;
/// Connections that send events, and that ask.
const SENDERS: usize = 4;
const ASKERS: usize = 8;

/// What the generator's threads share.
pub struct Shared {
    pub http: SocketAddr,
    pub planner: SocketAddr,
    pub ends: AtomicBool,
    measures: AtomicBool,
    events: AtomicU64,
    lookups: AtomicU64,
    next: AtomicU64,
}

impl Shared {
    /// Whether what happens now counts.
    pub fn measures(&self) -> bool {
        self.measures.load(Ordering::Relaxed)
    }

    /// A number that nobody has had.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// `what`: what is done, the planner's address, and events a second (0 = as many as there can be).
pub fn run(what: &str, cores: &str, http: SocketAddr) -> Outcome<()> {
    pin(cores)?;
    let parts: Vec<&str> = what.split(' ').collect();
    let [what, planner, rate] = parts[..] else { return Err(format!("no load `{what}`").into()) };
    let shared = Arc::new(Shared {
        http,
        planner: planner.parse()?,
        ends: AtomicBool::new(false),
        measures: AtomicBool::new(false),
        events: AtomicU64::new(0),
        lookups: AtomicU64::new(0),
        next: AtomicU64::new(mix(u64::from(std::process::id())) >> 16),
    });
    let rate: u64 = rate.parse()?;
    let (mut senders, mut askers) = (Vec::new(), Vec::new());
    let on = |job: fn(&Shared, u64) -> Outcome<Vec<u32>>| {
        let shared = Arc::clone(&shared);
        std::thread::spawn(move || job(&shared, rate))
    };
    if what != "lookups" {
        senders.extend((0..SENDERS).map(|_| on(send)));
    }
    match what {
        "lookups" | "both" => askers.extend((0..ASKERS).map(|_| on(ask))),
        "visible" => askers.push(on(probe::visible)),
        "blocked" => askers.push(on(probe::blocked)),
        _ => {}
    }
    std::thread::sleep(WARM);
    println!("warm");
    shared.measures.store(true, Ordering::Relaxed);
    std::thread::sleep(MEASURED);
    shared.ends.store(true, Ordering::Relaxed);
    let collect = |threads: Vec<std::thread::JoinHandle<Outcome<Vec<u32>>>>| -> Outcome<Vec<u32>> {
        let mut waits = Vec::new();
        for thread in threads {
            waits.extend(thread.join().map_err(|_| "a thread of the generator failed")??);
        }
        Ok(waits)
    };
    let (sent, asked) = (collect(senders)?, collect(askers)?);
    let mut waits = if asked.is_empty() { sent } else { asked };
    waits.sort_unstable();
    let quantile = |share: f64| waits.get((waits.len() as f64 * share) as usize).copied().unwrap_or(0);
    let events = shared.events.load(Ordering::Relaxed);
    let count = if what == "lookups" { shared.lookups.load(Ordering::Relaxed) } else { events };
    let most = waits.last().copied().unwrap_or(0);
    println!("{count} 0 {} {} {most}", quantile(0.5), quantile(0.99));
    Ok(())
}

/// An event of a person that happens now.
pub fn event(number: u64, person: u64, name: &str) -> String {
    format!(
        r#"{{"id":"bench-{number}","time":"{}","type":"event","eids":[{{"source":"ifa","uid":"{}"}}],"name":"{name}","props":{{"part":"screen"}}}}"#,
        Clock::System.now(),
        ifa(person)
    )
}

/// Sends events of known people.
fn send(shared: &Shared, rate: u64) -> Outcome<Vec<u32>> {
    let (mut connection, mut waits, people) = (Connection::open(shared.planner)?, Vec::new(), people());
    // A request of so many lines is due every so often, whether or not the one before was quick.
    let every = (rate > 0).then(|| Duration::from_secs_f64((LINES * SENDERS) as f64 / rate as f64));
    let mut due = Instant::now();
    while !shared.ends.load(Ordering::Relaxed) {
        let line = |_| event(shared.number(), mix(shared.number()) % people, "view_product") + "\n";
        let body: String = (0..LINES).map(line).collect();
        if let Some(every) = every {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            due += every;
        }
        let began = Instant::now();
        let said = connection.post("/api/v1/events", body.as_bytes())?;
        if !said.starts_with(format!("{{\"accepted\":{LINES},").as_bytes()) {
            return Err(String::from_utf8_lossy(said).into());
        }
        if shared.measures() {
            shared.events.fetch_add(LINES as u64, Ordering::Relaxed);
            waits.push(began.elapsed().as_micros() as u32);
        }
    }
    Ok(waits)
}

/// Asks who people are.
fn ask(shared: &Shared, _: u64) -> Outcome<Vec<u32>> {
    let (mut connection, mut waits, people) = (Connection::open(shared.http)?, Vec::new(), people());
    while !shared.ends.load(Ordering::Relaxed) {
        let body = question(mix(shared.number()) % (people * 2));
        let began = Instant::now();
        connection.post("/v1/lookup", body.as_bytes())?;
        if shared.measures() {
            shared.lookups.fetch_add(1, Ordering::Relaxed);
            waits.push(began.elapsed().as_micros() as u32);
        }
    }
    Ok(waits)
}

/// The question who a person is.
pub fn question(person: u64) -> String {
    format!(r#"{{"eids":[{{"source":"ifa","uid":"{}"}}]}}"#, ifa(person))
}
