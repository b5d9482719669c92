//! What goes on around builds: the log segment that a build takes in is ended before, those that no generation needs are
//! released after, deleted people are gone in time, and an overlay that fills up gets a generation to start anew from.

use crate::build::purge::{self, Due};
use crate::config::Loaded;
use crate::error::{ErrorKind, Result};
use crate::hooks::Doors;
use crate::schema::{Clock, Generation, Offset};
use crate::snapshot::Store;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it looks whether deletions ask for something.
const DELETIONS: Duration = Duration::from_secs(60);
/// How often log segments are released when no build does it.
const RELEASE: Duration = Duration::from_secs(600);
/// The least time between two builds for the overlay's sake: one that did not help is not repeated at once.
const PRESSURE: Duration = Duration::from_secs(600);

/// What is asked of whoever writes the events log and the overlay. Called on the builder's thread; may block.
pub trait Feeding: Send {
    /// Ends the log segment that is written; returns the offset behind it.
    ///
    /// # Errors
    /// A log that takes nothing any more.
    fn seal(&self) -> Result<Offset>;
    /// Removes log segments that end before the offset and whose ids need not be remembered any more.
    ///
    /// # Errors
    /// A log that takes nothing any more, a machine that refuses.
    fn release(&self, before: Offset) -> Result<()>;
    /// Whether anything was ever taken in.
    fn has_facts(&self) -> bool;
    /// Whether the overlay is nearly full, so that what comes next would wait for the next generation.
    fn pressure(&self) -> bool;
}

pub(super) struct Upkeep {
    loaded: Loaded,
    store: Store,
    doors: Arc<Doors>,
    /// `None` where nothing is taken in.
    feed: Option<Box<dyn Feeding>>,
    deletions_at: Option<Instant>,
    released_at: Instant,
    pressed_at: Option<Instant>,
    /// The generation that was pinned when it was last looked at.
    pinned: Option<Generation>,
}

impl Upkeep {
    pub(super) fn new(loaded: Loaded, store: Store, doors: Arc<Doors>, feed: Option<Box<dyn Feeding>>) -> Self {
        let released_at = Instant::now();
        Upkeep { loaded, store, doors, feed, deletions_at: None, released_at, pressed_at: None, pinned: None }
    }

    /// Whether there is something to build from besides sources.
    pub(super) fn has_facts(&self) -> bool {
        self.feed.as_ref().is_some_and(|feed| feed.has_facts())
    }

    /// Does what is due without a build; says whether a full one is.
    pub(super) fn look(&mut self) -> bool {
        self.tell_of_a_lost_pin();
        if self.released_at.elapsed() >= RELEASE {
            self.release();
        }
        self.deletions() || self.pressure()
    }

    fn deletions(&mut self) -> bool {
        if self.deletions_at.is_some_and(|at| at.elapsed() < DELETIONS) {
            return false;
        }
        self.deletions_at = Some(Instant::now());
        match purge::due(&self.loaded, &self.store, Clock::System.now()) {
            Ok(Due::Build) => {
                tracing::info!("build: a deletion is due to leave the files");
                true
            }
            Ok(Due::Purge) => {
                self.purge();
                false
            }
            Ok(Due::Nothing) => false,
            Err(error) => {
                tracing::error!(%error, "it cannot be told whether deleted people are gone from the files");
                false
            }
        }
    }

    fn purge(&mut self) {
        let purged = self
            .store
            .lock("purge")
            .and_then(|lock| purge::purge(&self.loaded, &self.store, &lock, Clock::System.now()));
        match purged {
            Ok(purged) => purged.tell(),
            Err(error) if error.kind == ErrorKind::Busy => {}
            Err(error) => tracing::error!(%error, "generations that hold deleted people were not removed"),
        }
        self.tell_of_a_lost_pin();
        self.release();
    }

    /// Whoever pinned a generation is told that it is gone: also when the build did it.
    fn tell_of_a_lost_pin(&mut self) {
        let Ok(pinned) = self.store.pinned() else { return };
        match (self.pinned, pinned) {
            (_, Some(_)) => self.doors.health.noted(None),
            (Some(before), None) if self.store.manifests().is_ok_and(|all| !all.contains(&before)) => {
                let note = format!("generation {before}, pinned by a rollback, held deleted people and was removed");
                self.doors.health.noted(Some(note));
            }
            _ => {}
        }
        self.pinned = pinned;
    }

    fn pressure(&mut self) -> bool {
        let rests = self.pressed_at.is_some_and(|at| at.elapsed() < PRESSURE);
        // Behind a pin no generation would start the overlay anew.
        if rests || self.pinned.is_some() || !self.feed.as_ref().is_some_and(|feed| feed.pressure()) {
            return false;
        }
        self.pressed_at = Some(Instant::now());
        tracing::info!("build: the overlay is nearly full");
        true
    }

    /// Before a full build: what came so far is taken in.
    pub(super) fn seal(&self) {
        if let Some(feed) = &self.feed
            && let Err(error) = feed.seal()
        {
            tracing::warn!(%error, "the build takes in only what was sealed before");
        }
    }

    /// After a build, and now and then: removes the log segments that no generation needs.
    pub(super) fn release(&mut self) {
        self.released_at = Instant::now();
        let Some(feed) = &self.feed else { return };
        let released = purge::releasable(&self.loaded, &self.store, Clock::System.now());
        if let Err(error) = released.and_then(|(cut, _)| feed.release(cut)) {
            tracing::warn!(%error, "old log segments were not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::from_text;
    use crate::log::{Control, ControlLog};
    use crate::schema::BlockKey;
    use crate::snapshot::Manifest;
    use parking_lot::Mutex;

    #[derive(Default)]
    struct Asked {
        sealed: u32,
        released: Vec<Offset>,
        full: bool,
    }

    struct Feed(Arc<Mutex<Asked>>);

    impl Feeding for Feed {
        fn seal(&self) -> Result<Offset> {
            self.0.lock().sealed += 1;
            Ok(Offset(9))
        }

        fn release(&self, before: Offset) -> Result<()> {
            self.0.lock().released.push(before);
            Ok(())
        }

        fn has_facts(&self) -> bool {
            true
        }

        fn pressure(&self) -> bool {
            self.0.lock().full
        }
    }

    fn upkeep(directory: &std::path::Path) -> (Upkeep, Store, Arc<Mutex<Asked>>) {
        let loaded = from_text("data_dir: data\n", &directory.join("vaglio.yaml"), std::iter::empty()).unwrap();
        let store = Store::open(&loaded.config.data_dir).unwrap();
        let doors = Doors::new(&loaded.config);
        let asked = Arc::new(Mutex::new(Asked::default()));
        let feed: Box<dyn Feeding> = Box::new(Feed(Arc::clone(&asked)));
        (Upkeep::new(loaded, store.clone(), doors, Some(feed)), store, asked)
    }

    fn publish(store: &Store, number: u64, events_cut: u64, control_cut: u64) {
        let manifest = Manifest {
            generation: Generation(number),
            events_cut: Offset(events_cut),
            control_cut: Offset(control_cut),
            ..Manifest::default()
        };
        store.publish(&store.publishing("test").unwrap(), manifest).unwrap();
    }

    #[test]
    fn a_full_overlay_asks_for_one_build_and_for_none_behind_a_pin() {
        let directory = tempfile::tempdir().unwrap();
        let (mut upkeep, store, asked) = upkeep(directory.path());
        publish(&store, 1, 4, 0);
        assert!(!upkeep.look());
        asked.lock().full = true;
        assert!(upkeep.look());
        assert!(!upkeep.look(), "it is not asked twice within ten minutes");
        upkeep.pressed_at = None;
        store.rollback(Some(Generation(1))).unwrap();
        assert!(!upkeep.look());
        upkeep.seal();
        upkeep.release();
        let asked = asked.lock();
        assert_eq!((asked.sealed, asked.released.as_slice()), (1, &[Offset(4)][..]));
    }

    #[test]
    fn a_deletion_asks_for_a_build_and_then_takes_the_pinned_generation_away() {
        let directory = tempfile::tempdir().unwrap();
        let (mut upkeep, store, asked) = upkeep(directory.path());
        publish(&store, 1, 4, 0);
        store.rollback(Some(Generation(1))).unwrap();
        let time = Clock::System.now().0 - 6 * 86_400;
        let deletion = Control::Deletion { keys: vec![BlockKey(1)], time, until: None };
        ControlLog::open(&store.root().join("log/control")).unwrap().append(&deletion).unwrap();
        assert!(upkeep.look());
        assert!(!upkeep.look(), "it is looked at once a minute");
        publish(&store, 2, 7, 1);
        upkeep.deletions_at = None;
        assert!(!upkeep.look());
        assert_eq!(store.manifests().unwrap(), [Generation(2)]);
        assert_eq!((store.current().unwrap(), store.pinned().unwrap()), (Some(Generation(2)), None));
        assert_eq!(asked.lock().released, [Offset(7)]);
        let said =
            |upkeep: &Upkeep| String::from_utf8(upkeep.doors.health.ready_json(&upkeep.doors.live, true).1).unwrap();
        assert!(said(&upkeep).contains("generation 1, pinned by a rollback, held deleted people"), "{}", said(&upkeep));
        store.rollback(Some(Generation(2))).unwrap();
        upkeep.look();
        assert!(!said(&upkeep).contains("pinned by a rollback"));
    }
}
