//! What a machine takes away from programs that want a core each: other programs, the kernel's own threads, a hypervisor.
//!
//! A latency that is measured on such cores is never better than this. On a machine of two cores, with a server on one and
//! a generator on the other, there is no third for everything else that has to run now and then.

use crate::error::{Error, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Two looks at the clock lie so far apart only when something else ran in between: alone they take some 30 ns.
const TAKEN: Duration = Duration::from_micros(100);

/// What was taken away from a core.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// The core's number.
    pub core: usize,
    /// How often.
    pub times: u64,
    /// The time in all, as a share of the time that was watched.
    pub share: f64,
    /// The longest piece, milliseconds.
    pub longest_ms: f64,
}

/// The cores that this process may run on.
///
/// # Errors
/// A kernel that does not tell.
pub fn cores() -> Result<Vec<usize>> {
    let allowed = sched_getaffinity(None).map_err(|error| Error::io("ask which cores there are", error.into()))?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect())
}

/// Keeps all of these cores busy for so long, and tells what was taken away from each.
///
/// # Errors
/// A core that this process may not run on.
pub fn watch(cores: &[usize], time: Duration) -> Result<Vec<Taken>> {
    let allowed = self::cores()?;
    if let Some(core) = cores.iter().find(|core| !allowed.contains(core)) {
        return Err(Error::usage(format!("there is no core {core} for this program; it may run on {allowed:?}")));
    }
    let together = &Barrier::new(cores.len());
    std::thread::scope(|scope| {
        let watches: Vec<_> = cores.iter().map(|&core| scope.spawn(move || watch_one(core, time, together))).collect();
        // A thread that reads a clock cannot panic.
        watches
            .into_iter()
            .map(|watch| watch.join().unwrap_or_else(|_| Err(Error::internal("a watch ended"))))
            .collect()
    })
}

fn watch_one(core: usize, time: Duration, together: &Barrier) -> Result<Taken> {
    let mut only = CpuSet::new();
    only.set(core);
    let settled = sched_setaffinity(None, &only);
    together.wait();
    settled.map_err(|error| Error::io(format!("run on core {core}"), error.into()))?;
    let began = Instant::now();
    let mut gaps = Gaps::default();
    let mut last = began;
    while last - began < time {
        let now = Instant::now();
        gaps.between(now - last);
        last = now;
    }
    Ok(gaps.of(core, last - began))
}

/// The pieces that were taken.
#[derive(Debug, Default)]
struct Gaps {
    times: u64,
    all: Duration,
    longest: Duration,
}

impl Gaps {
    /// Between two looks at the clock.
    fn between(&mut self, looks: Duration) {
        if looks > TAKEN {
            self.times += 1;
            self.all += looks;
            self.longest = self.longest.max(looks);
        }
    }

    fn of(&self, core: usize, watched: Duration) -> Taken {
        let share = self.all.as_secs_f64() / watched.as_secs_f64().max(1e-9);
        Taken { core, times: self.times, share, longest_ms: self.longest.as_secs_f64() * 1e3 }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test fails by panicking

    use super::*;

    #[test]
    fn only_what_lies_too_far_apart_was_taken() {
        let mut gaps = Gaps::default();
        for us in [1, 100, 101, 4_000, 99] {
            gaps.between(Duration::from_micros(us));
        }
        let taken = gaps.of(3, Duration::from_secs(1));
        assert_eq!((taken.core, taken.times), (3, 2));
        assert!((taken.share - 0.004_101).abs() < 1e-9 && (taken.longest_ms - 4.0).abs() < 1e-9, "{taken:?}");
    }

    #[test]
    fn what_two_threads_want_is_taken_from_both() {
        let core = cores().unwrap()[0];
        let taken = watch(&[core, core], Duration::from_millis(300)).unwrap();
        assert!(taken.iter().all(|taken| taken.times > 0 && taken.share > 0.1), "{taken:?}");
    }

    #[test]
    fn a_core_that_is_not_there_is_told() {
        let error = watch(&[CpuSet::MAX_CPU + 1], Duration::from_millis(1)).unwrap_err().to_string();
        assert!(error.contains("there is no core"), "{error}");
    }
}
