//! Statistics, kept: [`seen`] who was seen in the bidstream, by day, in [`seen_files`].
//! What must not live here: counting itself, which the bid plane does.

pub(super) mod seen;
mod seen_files;

use crate::config::{Config, Loaded};
use crate::error::Result;
use crate::hooks::Doors;
use crate::snapshot::Store;
use seen::Seen;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often it looks what has become due.
const TICK: Duration = Duration::from_secs(1);
/// How often who was seen is made durable: a crash costs so much of it.
const SEEN_WRITTEN: Duration = Duration::from_secs(300);

/// Where statistics are.
pub(super) fn directory(config: &Config) -> PathBuf {
    config.statistics.dir.clone().unwrap_or_else(|| config.data_dir.join("statistics"))
}

/// Everything that is kept of answers.
#[derive(Debug)]
pub(super) struct Statistics {
    /// Who was seen.
    pub seen: Arc<Seen>,
}

impl Statistics {
    /// Of what these doors answer.
    pub fn open(loaded: &Loaded, store: &Store, doors: &Arc<Doors>) -> Arc<Self> {
        Arc::new(Statistics { seen: Seen::new(loaded, store, doors.clock.clone()) })
    }

    /// Keeps them until the sender of `stop` is dropped.
    pub fn run(&self, stop: &Receiver<()>) {
        let mut written = Instant::now();
        loop {
            self.seen.tick();
            if written.elapsed() >= SEEN_WRITTEN {
                report(self.seen.write());
                written = Instant::now();
            }
            if stop.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// Makes durable what is not yet, once nobody is answered any more and the thread has ended.
    pub fn close(&self) {
        self.seen.tick();
        report(self.seen.write());
    }
}

/// Statistics that cannot be written hold nobody up.
fn report(written: Result<()>) {
    if let Err(error) = written {
        tracing::error!("statistics cannot be written: {error}");
    }
}
