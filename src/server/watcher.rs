//! Takes generations into service (and, in the same thread, [`keys`]): looks at `CURRENT`, verifies what it names, swaps. A generation that is refused
//! leaves the last good one in service; a server that starts on a refused one takes the newest good one before it.

use super::bell::Heard;
use super::builder::board::Board;
use super::feed::Feed;
use super::keys::{self, Keys};
use super::statistics::seen::Seen;
use crate::config::Loaded;
use crate::decide::Answering;
use crate::error::{Error, ErrorKind, Result};
use crate::hooks::Doors;
use crate::hooks::live::{Served, Standing};
use crate::live::{Ground, Keeper};
use crate::lookup::ServingSnapshot;
use crate::overlay::Overlay;
use crate::schema::{Generation, KeyHasher};
use crate::snapshot::{Planes, Store};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The wait before the next try.
const RETRY: Duration = Duration::from_secs(5);

pub(super) struct Watcher {
    loaded: Loaded,
    store: Store,
    doors: Arc<Doors>,
    /// What `CURRENT` said when it was last acted upon.
    seen: Option<std::result::Result<Generation, String>>,
    /// When to try again what may have been no fault of the generation (a missing key file, no memory).
    retry: Option<Instant>,
    keys: Keys,
    keeper: Arc<Keeper>,
    /// What comes between builds; `None` where nothing is taken in.
    feed: Option<Arc<Feed>>,
    /// Who was seen in the bidstream.
    seen_people: Arc<Seen>,
    /// What is told of builds; rings when there is a new generation.
    board: Arc<Board>,
}

impl Watcher {
    pub(super) fn new(
        loaded: Loaded,
        store: Store,
        doors: Arc<Doors>,
        keys: Keys,
        keeper: Arc<Keeper>,
        feed: Option<Arc<Feed>>,
        seen_people: Arc<Seen>,
    ) -> Self {
        let board = Arc::default();
        Watcher { loaded, store, doors, seen: None, retry: None, keys, keeper, feed, seen_people, board }
    }

    /// The board that it tells of what is in service, and by whose bell it wakes.
    pub(super) fn rung_by(self, board: Arc<Board>) -> Self {
        Watcher { board, ..self }
    }

    /// Looks until the board's bell stops; at once when it rings.
    pub(super) fn run(mut self, poll: Duration) {
        loop {
            self.keys.look();
            self.keep();
            self.look();
            if self.board.watcher.wait(poll) == Heard::Stop {
                return;
            }
        }
    }

    /// Takes in objections that other processes wrote, and the secret, once there is one.
    fn keep(&self) {
        if let Err(error) = self.keeper.catch_up() {
            tracing::error!("objections of other processes cannot be read: {error}");
        }
        // Before the first build there is none.
        let _ = self.keeper.hasher();
    }

    fn look(&mut self) {
        let current = match self.store.current() {
            Ok(None) => return,
            Ok(Some(generation)) => Ok(generation),
            Err(error) => Err(error.to_string()),
        };
        let again = self.retry.is_some_and(|at| at <= Instant::now());
        if self.seen.as_ref() == Some(&current) && !again {
            return;
        }
        if current.as_ref().is_ok_and(|generation| self.must_wait(*generation)) {
            return;
        }
        self.seen = Some(current.clone());
        self.retry = None;
        match current {
            Ok(generation) => self.receive(generation),
            Err(unreadable) => {
                self.refuse(&unreadable);
                self.fall_back(Generation(u64::MAX));
            }
        }
    }

    /// Whether taking it now would take back, until the minute is over, what has just been acknowledged.
    fn must_wait(&self, generation: Generation) -> bool {
        let Some(feed) = &self.feed else { return false };
        if self.shares_the_cut(generation) {
            return false;
        }
        self.store.manifest(generation).is_ok_and(|manifest| feed.must_wait(manifest.as_of, manifest.events_cut))
    }

    /// Whether it knows of just what the one in service does: a fresh generation waits for nothing.
    fn shares_the_cut(&self, generation: Generation) -> bool {
        let standing = self.doors.live.load();
        let Some(served) = &standing.served else { return false };
        let live = served.answering.snapshot.manifest();
        self.store.manifest(generation).is_ok_and(|manifest| {
            (manifest.index_of, manifest.events_cut, manifest.as_of) == (live.index_of, live.events_cut, live.as_of)
        })
    }

    fn receive(&mut self, generation: Generation) {
        match self.take(generation) {
            Ok(()) => self.doors.health.received(None),
            Err(error) => {
                self.refuse(&error.to_string());
                self.retry = (error.kind != ErrorKind::Snapshot).then(|| Instant::now() + RETRY);
                self.fall_back(generation);
            }
        }
    }

    fn refuse(&self, why: &str) {
        self.doors.metrics.refused.fetch_add(1, Ordering::Relaxed);
        self.doors.health.received(Some(why.to_owned()));
        tracing::error!("a generation was refused, the last good one stays in service: {why}");
    }

    /// With nothing in service yet, the newest good generation before a refused one is better than none.
    fn fall_back(&mut self, refused: Generation) {
        if self.doors.live.load().served.is_some() {
            return;
        }
        let generations = self.store.manifests().unwrap_or_default();
        for generation in generations.into_iter().rev().filter(|generation| *generation < refused) {
            match self.take(generation) {
                Ok(()) => {
                    tracing::warn!("generation {generation} serves instead of the refused one");
                    return;
                }
                Err(error) => tracing::error!("generation {generation} is no better: {error}"),
            }
        }
    }

    /// Opens a generation: with what applying events to it needs, where events are taken and it is there.
    fn open(&self, generation: Generation, keys: &KeyHasher) -> Result<(ServingSnapshot, Option<Ground>)> {
        let Some(feed) = &self.feed else {
            return Ok((ServingSnapshot::open(&self.store, generation, keys)?, None));
        };
        let whole = self.store.open_snapshot(generation, Planes::All, Some(keys)).and_then(|snapshot| {
            let snapshot = ServingSnapshot::new(snapshot)?;
            Ok((snapshot.clone(), Some(feed.ground(snapshot)?)))
        });
        whole.or_else(|error| {
            let bids = ServingSnapshot::open(&self.store, generation, keys)?;
            tracing::error!(
                "generation {generation} serves without events that come between builds, they wait in the log: {error}"
            );
            Ok((bids, None))
        })
    }

    /// Verifies a generation and swaps, once everything that came since is applied to it.
    fn take(&mut self, generation: Generation) -> Result<()> {
        let began = Instant::now();
        let keys = self.loaded.key_hasher(false)?;
        let (snapshot, ground) = self.open(generation, &keys)?;
        let access = Arc::clone(&self.doors.live.load().access);
        keys::warn_of_unknown_audiences(&access, snapshot.catalogue());
        let served = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let blocked = Arc::clone(&self.doors.refusals.blocked);
            let mut overlay = Overlay::new(snapshot.manifest().profiles, keys.clone(), blocked);
            let ingest = &self.loaded.config.ingest;
            overlay.exposures = snapshot.exposures(ingest.max_changed_profiles + ingest.max_strangers);
            let floor = self.loaded.config.protection.activation_floor.into();
            overlay.daily = self.seen_people.bits(&snapshot);
            Served::new(Arc::new(Answering::new(snapshot)), Arc::new(overlay), keys, &access, floor)
        }));
        let served = served.map_err(|_| Error::internal(format!("generation {generation} made the server panic")))?;
        let (as_of, profiles) = (served.as_of(), served.answering.snapshot.manifest().profiles);
        let definitions = served.answering.snapshot.manifest().catalogue_version.clone();
        if let Err(error) = self.keeper.prepare(served.answering.snapshot.manifest()) {
            tracing::error!("objections count for the identifiers that were known when they came: {error}");
        }
        let (overlay, answering) = (Arc::clone(&served.overlay), Arc::clone(&served.answering));
        let install = || self.doors.live.swap(Standing { access, served: Some(served) });
        match (&self.feed, ground) {
            (Some(feed), Some(ground)) => feed.take_over(ground, &overlay, install)?,
            (Some(feed), None) => feed.give_way(install),
            (None, _) => install(),
        }
        self.seen_people.installed(&answering.snapshot, &overlay.daily);
        self.keeper.settle(generation);
        let metrics = &self.doors.metrics;
        metrics.generation.store(generation.0, Ordering::Relaxed);
        metrics.as_of.store(as_of.0, Ordering::Relaxed);
        metrics.profiles.store(profiles.into(), Ordering::Relaxed);
        metrics.swaps.fetch_add(1, Ordering::Relaxed);
        self.doors.health.serving();
        self.board.in_service(generation, &definitions);
        let took = began.elapsed().as_millis();
        tracing::info!("generation {generation} is in service: {profiles} profiles as of {as_of}, loaded in {took} ms");
        Ok(())
    }
}
