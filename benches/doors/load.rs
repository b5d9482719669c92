//! The generator: asks as fast as it is answered, and counts.

use super::synthetic::{IDENTIFIERS, mix, profiles, write_uid};
use super::{Outcome, grpc, http, servers};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// Until it is warm.
const WARM: Duration = Duration::from_millis(300);
const MEASURED: Duration = Duration::from_millis(2_000);

/// What has been asked and answered.
#[derive(Debug, Default)]
pub struct Tally {
    asked: Cell<u64>,
    answered: Cell<u64>,
    bytes: Cell<u64>,
    waits: RefCell<Vec<u32>>,
}

impl Tally {
    /// Whom the next question is about: 40 of 100 are unknown, hardly anybody comes twice.
    pub fn next(&self, uid: &mut [u8; 36]) {
        let at = self.asked.replace(self.asked.get() + 1);
        let known = u64::from(profiles_once()) * IDENTIFIERS;
        write_uid(mix(at) % known + if mix(at ^ 77) % 100 < 40 { known } else { 0 }, uid);
    }

    /// Counts an answer to so many questions.
    pub fn answered(&self, questions: u64, bytes: usize, since: Instant) {
        self.answered.set(self.answered.get() + questions);
        self.bytes.set(self.bytes.get() + bytes as u64);
        self.waits.borrow_mut().push(since.elapsed().as_micros() as u32);
    }

    fn reset(&self) {
        self.answered.set(0);
        self.bytes.set(0);
        self.waits.borrow_mut().clear();
    }
}

fn profiles_once() -> u32 {
    static PROFILES: std::sync::LazyLock<u32> = std::sync::LazyLock::new(profiles);
    *PROFILES
}

/// Asks `what` at an address; says when it is warm, and then what it has counted.
pub fn run(what: &str, cores: &str, address: SocketAddr) -> Outcome<()> {
    servers::pin(cores)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tally = Rc::new(Tally::default());
    // The uids of another run are not those that the processor's caches still hold.
    tally.asked.set(mix(u64::from(std::process::id())) >> 24);
    LocalSet::new().block_on(&runtime, async {
        match what {
            "enrich" => http::start(address, http::enrich(), &tally).await?,
            "lookup" => http::start(address, http::lookup(), &tally).await?,
            "grpc" => grpc::start_unary(address, &tally).await?,
            "stream" => grpc::start_stream(address, &tally).await?,
            _ => return Err(format!("no load `{what}`").into()),
        }
        // The generator never sleeps: on one machine the server's CPU would pay for waking it, and the more the slower the
        // server is, because a fast one does not let it fall asleep.
        tokio::task::spawn_local(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        tokio::time::sleep(WARM).await;
        tally.reset();
        println!("warm");
        tokio::time::sleep(MEASURED).await;
        let mut waits = tally.waits.take();
        waits.sort_unstable();
        let quantile = |share: f64| waits.get((waits.len() as f64 * share) as usize).copied().unwrap_or(0);
        println!("{} {} {} {}", tally.answered.get(), tally.bytes.get(), quantile(0.5), quantile(0.99));
        Ok(())
    })
}
