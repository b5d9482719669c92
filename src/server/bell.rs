//! Wakes a thread that works now and then; several rings become one.

use parking_lot::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// One thread's bell.
#[derive(Debug, Default)]
pub(super) struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    rung: bool,
    stopped: bool,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It was rung, once or more often, since the last wait.
    Rung,
    /// The time is over.
    Nothing,
    /// The server goes away.
    Stop,
}

impl Bell {
    /// Ends the wait under way, or the next one.
    pub(super) fn ring(&self) {
        self.state.lock().rung = true;
        self.changed.notify_all();
    }

    /// Ends every wait from now on.
    pub(super) fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Waits until it rings, at most so long.
    pub(super) fn wait(&self, longest: Duration) -> Heard {
        let until = Instant::now() + longest;
        let mut state = self.state.lock();
        while !state.rung && !state.stopped {
            if self.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        if state.stopped {
            Heard::Stop
        } else if std::mem::take(&mut state.rung) {
            Heard::Rung
        } else {
            Heard::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_rings_become_one_and_a_stop_stays() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        assert_eq!(bell.wait(Duration::from_secs(60)), Heard::Rung);
        assert_eq!(bell.wait(Duration::from_millis(1)), Heard::Nothing);
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| bell.wait(Duration::from_secs(60)));
            bell.ring();
            assert_eq!(waits.join().unwrap(), Heard::Rung);
        });
        bell.stop();
        bell.ring();
        assert_eq!(bell.wait(Duration::from_secs(60)), Heard::Stop);
        assert_eq!(bell.wait(Duration::from_secs(60)), Heard::Stop);
    }
}
