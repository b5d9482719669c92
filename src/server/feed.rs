//! What comes between builds, put together: the events log, the intake that writes it and the applier that makes it visible,
//! handed to the doors, to the watcher that swaps generations and to the builder.
//!
//! There is none where nothing is taken in: `ingest.enabled: false`, or a frozen clock. Objections need no feed.

use super::builder::Feeding;
use super::counting::Counting;
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::hooks::Doors;
use crate::hooks::exposures::{Answer, Reported, Sink};
use crate::live::{Applier, Dedupe, Ground, Incoming, Intake, Known, Reading, Room, Settings, Tail};
use crate::log::{self, Log};
use crate::lookup::ServingSnapshot;
use crate::overlay::Overlay;
use crate::schema::{Offset, ProfileKey, Timestamp};
use crate::snapshot::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// How often it looks what has become due and how far behind it is.
const TICK: Duration = Duration::from_millis(100);
/// Bytes of facts that there is room for, for each profile that may change: most have a few, of 20 to 40.
const FACT_BYTES: usize = 512;
/// There is room for so many however few profiles may change.
const LEAST_FACT_BYTES: usize = 64 << 20;

/// The events log and who works on it.
#[derive(Debug)]
pub(super) struct Feed {
    loaded: Loaded,
    doors: Arc<Doors>,
    applier: Applier,
    intake: Arc<Intake>,
    /// What generations share in memory.
    known: Known,
}

impl Feed {
    /// Opens the log, finds what is known from it, and starts the intake; `None` where nothing is taken in.
    ///
    /// # Errors
    /// Another process that takes events into the same log; a damaged log; a machine that refuses.
    pub(super) fn open(loaded: &Loaded, store: &Store, doors: &Arc<Doors>) -> Result<Option<Arc<Self>>> {
        let ingest = &loaded.config.ingest;
        if !ingest.enabled || loaded.config.as_of.is_some() {
            return Ok(None);
        }
        let directory = crate::log::events_directory(&loaded.config.data_dir);
        let sizes = log::Settings { segment_bytes: ingest.segment_bytes, reserve_bytes: ingest.reserve_bytes };
        let (mut log, recovery) = Log::open(&directory, sizes).map_err(|error| {
            let message = format!("{error}; a server that only answers bids has `ingest: {{ enabled: false }}`");
            Error::new(error.kind, message).caused_by(error)
        })?;
        // A generation of another machine says that so many records are in it: the log goes on behind them.
        if let Some(generation) = store.current().ok().flatten()
            && let Ok(manifest) = store.manifest(generation)
        {
            log.skip_to(manifest.events_cut)?;
        }
        if recovery.torn_bytes > 0 {
            tracing::warn!(
                "the events log ended in a write that was never acknowledged: {} bytes",
                recovery.torn_bytes
            );
        }
        let settings = Settings {
            queue_bytes: ingest.queue_bytes,
            dedupe_hours: ingest.dedupe_hours,
            known: Dedupe::restore(&directory, ingest.dedupe_hours)?,
            clock: doors.clock.clone(),
        };
        let applier = Applier::new(directory, log.end());
        let counting = Counting { applier: applier.clone(), metrics: Arc::clone(&doors.metrics) };
        let intake = Arc::new(Intake::start(log, settings, counting)?);
        doors.reports.start(Arc::new(Reporting(Arc::clone(&intake))));
        Ok(Some(Arc::new(Feed {
            loaded: loaded.clone(),
            doors: Arc::clone(doors),
            applier,
            intake,
            known: Known::default(),
        })))
    }

    /// Where events go.
    pub(super) fn intake(&self) -> Arc<Intake> {
        Arc::clone(&self.intake)
    }

    /// Opens what is needed to apply records to a generation.
    ///
    /// # Errors
    /// A generation that was opened without the control sections, or whose are damaged.
    pub(super) fn ground(&self, serving: ServingSnapshot) -> Result<Ground> {
        let Loaded { declarations, id_types, .. } = &self.loaded;
        let reading = Reading {
            declarations,
            zone: &self.loaded.zone(),
            is_bid: &|name| id_types.iter().find(|it| it.name == name).is_none_or(|it| it.bid),
            outranks_door: &|name| self.loaded.outranks_door(name),
        };
        Ground::open_beside(serving, &reading, &self.known)
    }

    /// Brings what came since a generation's cut up to date beside what is in service, then has `install` swap.
    ///
    /// # Errors
    /// A log that lacks records, or is damaged: what is in service stays.
    pub(super) fn take_over(&self, ground: Ground, overlay: &Arc<Overlay>, install: impl FnOnce()) -> Result<()> {
        let bid_types = self.loaded.id_types.iter().filter(|it| it.bid).map(|it| it.name.as_str());
        let room = self.room();
        let tail = Tail::new(ground, Arc::clone(overlay), bid_types, room, self.doors.clock.clone());
        self.applier.take_over(tail, install)
    }

    /// Whether a generation has taken in something that happened within the very minute it is of, and that is in service now:
    /// as of the start of its minute it had not happened, so it counts again when the minute is over.
    pub(super) fn must_wait(&self, as_of: Timestamp, cut: Offset) -> bool {
        let is_this_minute = self.doors.clock.now().minute() == as_of.minute();
        is_this_minute && self.applier.latest_before(cut).is_some_and(|latest| latest >= as_of.floor_minute())
    }

    /// Swaps to a generation that nothing can be applied to.
    pub(super) fn give_way(&self, install: impl FnOnce()) {
        self.applier.give_way(install);
    }

    /// Takes what is in memory of deleted people out of it.
    pub(super) fn forget(&self, keys: &[ProfileKey]) {
        self.applier.forget(keys);
    }

    /// Does what becomes due, until the sender of `stop` is dropped.
    pub(super) fn run(&self, stop: &Receiver<()>) {
        loop {
            while self.applier.tick() {}
            self.look();
            if stop.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// Says how it does: to the bid doors, and to whoever scrapes.
    fn look(&self) {
        let state = self.intake.state();
        let limit = Duration::from_secs(self.loaded.config.ingest.behind_seconds);
        // When nothing can be written any more, exposures are missing from then on.
        let behind = state.behind > limit || state.stopped.is_some();
        let standing = self.doors.live.load();
        let changed = standing.served.as_ref().map_or(0, |served| {
            served.overlay.set_behind(behind);
            served.overlay.changed()
        });
        let (counts, gauges) = (self.applier.counts(), &self.doors.metrics.overlay);
        let set = |gauge: &AtomicU64, value: u64| gauge.store(value, Ordering::Relaxed);
        set(&gauges.changed, changed as u64);
        set(&gauges.strangers, counts.strangers);
        set(&gauges.bytes, counts.bytes);
        set(&gauges.profiles, counts.profiles);
        set(&gauges.records, counts.records);
        set(&gauges.unreadable, counts.unreadable);
        let waiting = [counts.links, counts.no_room, counts.unreachable];
        gauges.waiting.iter().zip(waiting).for_each(|(gauge, value)| set(gauge, value));
        set(&gauges.behind, behind.into());
    }

    fn room(&self) -> Room {
        let ingest = &self.loaded.config.ingest;
        let bytes = (ingest.max_changed_profiles * FACT_BYTES).max(LEAST_FACT_BYTES);
        Room { profiles: ingest.max_changed_profiles, strangers: ingest.max_strangers, bytes }
    }

    /// Writes what was submitted and closes the log.
    pub(super) fn close(&self) {
        self.intake.close();
    }
}

/// As the doors that take exposures see it.
#[derive(Debug)]
struct Reporting(Arc<Intake>);

impl Sink for Reporting {
    fn report(&self, id: u128, encoded: Vec<u8>) -> Answer {
        let answer = self.0.submit(vec![Incoming { id, encoded }]);
        Box::pin(async move {
            match answer.await {
                Ok(Ok(_)) => Reported::Taken,
                Ok(Err(stopped)) => Reported::Refused(stopped.to_string()),
                Err(_) => Reported::Refused("the server is going down; send it again".to_owned()),
            }
        })
    }
}

/// As the builder sees it.
#[derive(Debug)]
pub(super) struct Fed(pub(super) Arc<Feed>);

impl Feeding for Fed {
    fn seal(&self) -> Result<Offset> {
        self.0.intake.seal()
    }

    fn release(&self, before: Offset) -> Result<()> {
        self.0.intake.release(before)
    }

    fn has_facts(&self) -> bool {
        self.0.intake.state().end > Offset(0)
    }

    fn pressure(&self) -> bool {
        let (counts, room) = (self.0.applier.counts(), self.0.room());
        let is_nearly = |used: u64, room: usize| used > 0 && used as f64 >= 0.8 * room as f64;
        // One of whom too much is said is no reason to build for everybody.
        counts.no_room > counts.crowded
            || is_nearly(counts.profiles, room.profiles)
            || is_nearly(counts.strangers, room.strangers)
    }
}
