//! Whether there is room for a request: how many are under way, over all doors, and how late the bid plane runs. What is
//! answered when there is none is decided in [`super::ask`].
//!
//! A request that found a queue before it has waited there: it arrived earlier than when its handling began, and its
//! deadline is counted from then.

use super::{Door, Doors};
use crate::config::Server;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often the queue is measured.
const PERIOD: Duration = Duration::from_millis(2);
/// How late timers are without any queue: they are exact to a millisecond, and so is the wait for sockets.
const SLACK: Duration = Duration::from_millis(2);

/// A request whose client keeps it waiting for longer gives its place back: it costs no more than its connection does,
/// and who is slow must not use up the room of those who are not.
pub(super) const PLACE_KEPT: Duration = Duration::from_millis(100);

/// Why a request is shed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Shed {
    /// Its connection is one over `max_connections`.
    Connections,
    /// `max_in_flight` requests are under way.
    InFlight,
    /// The bid plane runs later than `max_queue_ms`.
    Queue,
}

impl Shed {
    /// The names in metrics, in the order of the numbers.
    pub const NAMES: [&'static str; 3] = ["connections", "in_flight", "queue"];
}

/// How a request entered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// When it arrived.
    pub(super) arrived: Instant,
    /// Why there is no room for it.
    pub(super) shed: Option<Shed>,
}

/// What is known of the load. How many requests are under way, and how late they are, stands in the metrics.
#[derive(Debug)]
pub struct Admission {
    max_in_flight: i64,
    /// Nanoseconds.
    max_queue: u64,
    began: Instant,
    shedding: AtomicBool,
    /// When the measurement under way should end, in nanoseconds since `began`.
    due: AtomicU64,
}

impl Admission {
    pub(super) fn new(limits: &Server) -> Self {
        let max_queue = match limits.max_queue_ms {
            0 => u64::MAX,
            ms => ms.saturating_mul(1_000_000),
        };
        Admission {
            max_in_flight: i64::try_from(limits.max_in_flight).unwrap_or(i64::MAX),
            max_queue,
            began: Instant::now(),
            shedding: AtomicBool::new(false),
            due: AtomicU64::new(u64::MAX),
        }
    }

    fn at(&self, moment: Instant) -> u64 {
        moment.saturating_duration_since(self.began).as_nanos() as u64
    }

    /// Whether the plane runs too late: from `max_queue_ms` on, until it has fallen below half of it.
    fn sheds(&self, lateness: u64) -> bool {
        let shedding = self.shedding.load(Ordering::Relaxed);
        let sheds = lateness > if shedding { self.max_queue / 2 } else { self.max_queue };
        if sheds != shedding {
            self.shedding.store(sheds, Ordering::Relaxed);
        }
        sheds
    }
}

/// A request's place among those under way: counted until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay<D: Deref<Target = Doors>>(D);

impl<D: Deref<Target = Doors>> Drop for UnderWay<D> {
    fn drop(&mut self) {
        self.0.metrics.load.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request's handling begins. `over`: on a connection over the limit.
pub(super) fn enter<D: Deref<Target = Doors>>(doors: D, over: bool) -> (Entry, UnderWay<D>) {
    let (load, admission) = (&doors.metrics.load, &doors.admission);
    let now = Instant::now();
    // A measurement that is overdue tells that it is late before it has ended.
    let overdue = admission.at(now).saturating_sub(admission.due.load(Ordering::Relaxed));
    let lateness = load.lateness.load(Ordering::Relaxed).max(overdue);
    let under_way = load.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
    let shed = match () {
        () if over => Some(Shed::Connections),
        () if under_way > admission.max_in_flight => Some(Shed::InFlight),
        () if admission.sheds(lateness) => Some(Shed::Queue),
        () => None,
    };
    let arrived = now.checked_sub(Duration::from_nanos(lateness)).unwrap_or(now);
    (Entry { arrived, shed }, UnderWay(doors))
}

impl Doors {
    /// Whether a request is shed; counts it if so.
    pub(super) fn sheds(&self, door: Door, entry: Entry) -> bool {
        if let Some(reason) = entry.shed {
            self.metrics.shed(door as usize, reason as usize);
        }
        entry.shed.is_some()
    }
}

/// Measures, for ever, how late the runtime that it runs on does what is due.
pub async fn measure(doors: Arc<Doors>) {
    let admission = &doors.admission;
    loop {
        let due = admission.at(Instant::now() + PERIOD + SLACK);
        admission.due.store(due, Ordering::Relaxed);
        tokio::time::sleep(PERIOD).await;
        // Who is woken last runs next; the one woken before it goes to the end of the queue, as requests do.
        let (last, next) = (tokio::spawn(async {}), tokio::spawn(async {}));
        // An empty task cannot panic.
        let _ = (last.await, next.await);
        let lateness = admission.at(Instant::now()).saturating_sub(due);
        doors.metrics.load.lateness.store(lateness, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn doors(max_in_flight: usize, max_queue_ms: u64) -> Arc<Doors> {
        let mut config = Config::default();
        (config.server.max_in_flight, config.server.max_queue_ms) = (max_in_flight, max_queue_ms);
        Doors::new(&config)
    }

    fn shed(doors: &Doors) -> Option<Shed> {
        enter(doors, false).0.shed
    }

    #[test]
    fn what_comes_on_top_of_the_limit_is_shed_until_something_ends() {
        let doors = doors(2, 20);
        let (first, held) = enter(&*doors, false);
        let (second, _held) = enter(Arc::clone(&doors), false);
        assert_eq!((first.shed, second.shed, shed(&doors)), (None, None, Some(Shed::InFlight)));
        drop(held);
        assert_eq!(shed(&doors), None);
        assert_eq!(enter(&*doors, true).0.shed, Some(Shed::Connections));
        assert_eq!(doors.metrics.load.in_flight.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_late_plane_sheds_until_it_is_half_as_late() {
        let doors = doors(9, 20);
        let runs = |ms: u64| {
            doors.metrics.load.lateness.store(ms * 1_000_000, Ordering::Relaxed);
            shed(&doors)
        };
        assert_eq!([runs(0), runs(20), runs(21)], [None, None, Some(Shed::Queue)]);
        assert_eq!([runs(11), runs(10), runs(15)], [Some(Shed::Queue), None, None]);
    }

    #[test]
    fn without_a_limit_no_lateness_sheds_but_it_still_counts_against_the_deadline() {
        let doors = doors(9, 0);
        doors.metrics.load.lateness.store(5_000_000_000, Ordering::Relaxed);
        let (entry, _held) = enter(&*doors, false);
        assert_eq!(entry.shed, None);
        assert!(entry.arrived.elapsed() >= Duration::from_secs(5));
    }

    #[test]
    fn a_measurement_that_does_not_end_is_late_itself() {
        let doors = doors(9, 20);
        assert!(enter(&*doors, false).0.arrived.elapsed() < Duration::from_secs(1), "nothing is measured yet");
        doors.admission.due.store(0, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(25));
        let (entry, _held) = enter(&*doors, false);
        assert_eq!(entry.shed, Some(Shed::Queue));
        assert!(entry.arrived.elapsed() >= Duration::from_millis(25));
    }

    #[test]
    fn a_blocked_runtime_is_seen_by_those_who_wait_in_its_queue() {
        let doors = doors(9, 20);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(measure(Arc::clone(&doors)));
        let behind = |blocked: Duration| {
            let doors = Arc::clone(&doors);
            let blocks = runtime.spawn(async move { std::thread::sleep(blocked) });
            let asks = runtime.spawn(async move { enter(&*doors, false).0.shed });
            runtime.block_on(async { (blocks.await.unwrap(), asks.await.unwrap()).1 })
        };
        // The machine may be busy: one quiet moment among many is enough.
        assert!((0..500).any(|_| behind(Duration::ZERO).is_none()));
        assert_eq!(behind(Duration::from_millis(120)), Some(Shed::Queue));
    }
}
