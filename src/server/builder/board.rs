//! What is built, written down: by the threads that build and by the watcher, read by the planner's port. Also what
//! somebody asks of those threads, and the bells that wake them.

use crate::evaluate::survey::Watch;
use crate::planner::builds::{
    BuildState, Builds, Ended, Failure, Kind, Outcome, Publishing, Queued, Running, Stage, What, Why,
};
use crate::schema::{Clock, Generation, Timestamp};
use crate::server::bell::Bell;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

/// How many builds are remembered.
const REMEMBERED: usize = 20;

/// What is built, and what is asked for.
#[derive(Debug, Default)]
pub(in crate::server) struct Board {
    inner: Mutex<Inner>,
    /// Wakes whoever runs builds in a child process.
    pub(in crate::server) builder: Bell,
    /// Wakes whoever makes fresh generations.
    pub(in crate::server) publisher: Bell,
    /// Wakes whoever takes generations into service.
    pub(in crate::server) watcher: Bell,
}

#[derive(Debug, Default)]
struct Inner {
    fresh: Option<Work>,
    child: Option<Work>,
    /// What is asked for, and why.
    asked: BTreeMap<What, Queued>,
    /// What the builder will do without being asked.
    next: Option<Queued>,
    ended: VecDeque<Past>,
    publishing: Publishing,
    /// When the definitions were published that nothing is built for yet.
    requested: Option<Request>,
    /// The generation that answers, and since when.
    serving: Option<(Generation, Timestamp, Instant)>,
}

/// When something was asked for.
type Request = (Timestamp, Instant);

#[derive(Debug)]
struct Past {
    ended: Ended,
    requested: Option<Instant>,
}

impl Past {
    /// It answers at the bid doors.
    fn serves(&mut self, at: Timestamp, since: Instant) {
        self.ended.in_service.get_or_insert(at);
        if let Some(requested) = self.requested.take() {
            self.ended.seconds_to_service = Some(since.saturating_duration_since(requested).as_secs_f64());
        }
    }
}

#[derive(Debug)]
struct Work {
    running: Running,
    began: Instant,
    watch: Arc<Watch>,
    requested: Option<Request>,
}

impl Inner {
    fn work(&mut self, kind: Kind) -> &mut Option<Work> {
        if kind == Kind::Fresh { &mut self.fresh } else { &mut self.child }
    }
}

impl Board {
    /// A build begins. Returns what somebody ends it by; what it counts there is its progress.
    pub(super) fn begin(&self, kind: Kind, why: Why, definitions: Option<String>) -> Arc<Watch> {
        let mut inner = self.inner.lock();
        let requested = if matches!(why, Why::Published | Why::PublishedMany) { inner.requested.take() } else { None };
        let watch = Arc::<Watch>::default();
        let running =
            Running { kind, phase: String::new(), progress: None, since: Clock::System.now(), why, definitions };
        *inner.work(kind) = Some(Work { running, began: Instant::now(), watch: Arc::clone(&watch), requested });
        watch
    }

    /// How far the build of a sort is.
    pub(super) fn progress(&self, kind: Kind, phase: &str, share: Option<f64>) {
        if let Some(work) = self.inner.lock().work(kind) {
            phase.clone_into(&mut work.running.phase);
            work.running.progress = share;
        }
    }

    /// A build has ended.
    pub(super) fn end(&self, kind: Kind, outcome: Outcome, failure: Option<Failure>, generation: Option<Generation>) {
        let mut inner = self.inner.lock();
        let Some(work) = inner.work(kind).take() else { return };
        if outcome != Outcome::Done {
            // It is still to come.
            inner.requested = work.requested.or(inner.requested);
        }
        let ended = Ended {
            kind: work.running.kind,
            outcome,
            failure,
            generation,
            why: work.running.why,
            definitions: work.running.definitions,
            began: work.running.since,
            seconds: work.began.elapsed().as_secs_f64(),
            requested: work.requested.map(|(at, _)| at),
            in_service: None,
            seconds_to_service: None,
        };
        let mut past = Past { ended, requested: work.requested.map(|(_, since)| since) };
        if let Some((_, at, since)) = inner.serving.filter(|serving| Some(serving.0) == generation) {
            past.serves(at, since);
        }
        inner.ended.push_front(past);
        inner.ended.truncate(REMEMBERED);
    }

    /// A build turns out to be none: something else is done in its stead.
    pub(super) fn forget(&self, kind: Kind) {
        let mut inner = self.inner.lock();
        if let Some(work) = inner.work(kind).take() {
            inner.requested = work.requested.or(inner.requested);
        }
    }

    /// Whether somebody asks for a build.
    pub(super) fn is_asked(&self) -> bool {
        !self.inner.lock().asked.is_empty()
    }

    /// What somebody asked for: the larger first.
    pub(super) fn take_asked(&self) -> Option<Queued> {
        let mut inner = self.inner.lock();
        let full = inner.asked.remove(&What::Full);
        if full.is_some() {
            // It evaluates the rules, too.
            inner.asked.clear();
        }
        full.or_else(|| inner.asked.remove(&What::Activate))
    }

    /// Asks for a build.
    pub(super) fn ask(&self, what: What, why: Why) {
        let queued = Queued { kind: what.into(), why, since: Clock::System.now(), not_before: None };
        self.inner.lock().asked.entry(what).or_insert(queued);
        self.builder.ring();
    }

    /// What the builder will do without being asked; `None` = nothing that is known yet.
    pub(super) fn next(&self, next: Option<Queued>) {
        self.inner.lock().next = next;
    }

    /// An activation that other definitions than these asked for is ended: another is asked for in its stead.
    pub(super) fn supersede(&self, definitions: &str) {
        let mut inner = self.inner.lock();
        let Some(work) = &inner.child else { return };
        // One that is due anyway reads the definitions again before it publishes: it would never end if each publication ended it.
        let is_theirs = work.running.kind == Kind::Activate && work.running.why == Why::PublishedMany;
        if is_theirs && work.running.definitions.as_deref() != Some(definitions) {
            work.watch.cancel();
            let queued =
                Queued { kind: Kind::Activate, why: work.running.why, since: Clock::System.now(), not_before: None };
            inner.asked.entry(What::Activate).or_insert(queued);
        }
        drop(inner);
        self.builder.ring();
    }

    /// Something is published that is not in service; since now, unless it was known.
    pub(super) fn published(&self) {
        let mut inner = self.inner.lock();
        let now = (Clock::System.now(), Instant::now());
        inner.publishing.requested = Some(inner.requested.get_or_insert(now).0);
        // Until somebody has looked, what is known is of what was published before: whoever asks would take it for theirs.
        let publishing = &mut inner.publishing;
        if matches!(publishing.stage, Stage::InService | Stage::Failed) {
            (publishing.stage, publishing.definitions, publishing.failure) = (Stage::Waiting, None, None);
        }
    }

    /// Where the published definitions are.
    pub(super) fn publishing(&self) -> Publishing {
        self.inner.lock().publishing.clone()
    }

    /// They go on to another stage. Returns whether that is news.
    pub(super) fn stage(&self, stage: Stage, definitions: Option<String>, failure: Option<Failure>) -> bool {
        let mut inner = self.inner.lock();
        if stage == Stage::InService {
            inner.requested = None;
        }
        let publishing = &mut inner.publishing;
        let is_news = publishing.stage != stage || publishing.definitions != definitions;
        (publishing.stage, publishing.definitions, publishing.failure) = (stage, definitions, failure);
        is_news
    }

    /// The generation that a rollback pins.
    pub(super) fn pinned(&self, pinned: Option<Generation>) {
        self.inner.lock().publishing.pinned = pinned;
    }

    /// A generation of these definitions answers at the bid doors.
    pub(in crate::server) fn in_service(&self, generation: Generation, definitions: &str) {
        let mut inner = self.inner.lock();
        let (now, since) = (Clock::System.now(), Instant::now());
        if let Some(past) = inner.ended.iter_mut().find(|past| past.ended.generation == Some(generation)) {
            past.serves(now, since);
        }
        inner.serving = Some((generation, now, since));
        let publishing = &mut inner.publishing;
        publishing.generation = Some(generation);
        let comes = matches!(publishing.stage, Stage::Waiting | Stage::Building | Stage::Built);
        if comes && publishing.definitions.as_deref() == Some(definitions) {
            publishing.stage = Stage::InService;
        }
        drop(inner);
        // It knows of a rollback, and of what was published since.
        self.publisher.ring();
    }

    /// Ends every thread that waits.
    pub(in crate::server) fn stop(&self) {
        let inner = self.inner.lock();
        for work in [&inner.fresh, &inner.child].into_iter().flatten() {
            work.watch.cancel();
        }
        drop(inner);
        [&self.builder, &self.publisher, &self.watcher].into_iter().for_each(Bell::stop);
    }
}

impl Builds for Board {
    fn wake(&self) {
        self.published();
        self.publisher.ring();
        self.watcher.ring();
    }

    fn look(&self) {
        self.publisher.ring();
        self.watcher.ring();
    }

    fn state(&self) -> BuildState {
        let inner = self.inner.lock();
        let fresh = inner.fresh.iter().map(|work| {
            let progress = Some(work.watch.progress()).filter(|_| !work.running.phase.is_empty());
            Running { progress, ..work.running.clone() }
        });
        let running = fresh.chain(inner.child.iter().map(|work| work.running.clone()));
        let asked = inner.asked.values().rev().chain(&inner.next).cloned();
        BuildState {
            running: running.collect(),
            queued: asked.collect(),
            ended: inner.ended.iter().map(|past| past.ended.clone()).collect(),
            publishing: inner.publishing.clone(),
        }
    }

    fn cancel(&self) -> bool {
        let inner = self.inner.lock();
        let work = inner.child.as_ref().or(inner.fresh.as_ref());
        if let Some(work) = work {
            work.watch.cancel();
        }
        let cancelled = work.is_some();
        drop(inner);
        self.builder.ring();
        cancelled
    }

    fn request(&self, what: What) {
        self.ask(what, Why::Requested);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_definitions_asked_for_gives_way_to_newer_ones_and_what_is_due_does_not() {
        let board = Board::default();
        let begin = |why| board.begin(Kind::Activate, why, Some("old".to_owned()));
        let due = begin(Why::Due);
        board.supersede("new");
        assert!(!due.is_cancelled() && !board.is_asked());
        let asked = begin(Why::PublishedMany);
        board.supersede("old");
        assert!(!asked.is_cancelled());
        board.supersede("new");
        assert!(asked.is_cancelled() && board.take_asked().is_some_and(|queued| queued.why == Why::PublishedMany));
    }

    #[test]
    fn what_was_published_before_says_nothing_of_what_is_published_now() {
        let board = Board::default();
        board.published();
        assert_eq!(board.publishing().stage, Stage::Unknown, "nobody has looked yet");
        for before in [Stage::InService, Stage::Failed] {
            board.stage(before, Some("old".to_owned()), None);
            board.published();
            let publishing = board.publishing();
            assert_eq!((publishing.stage, publishing.definitions), (Stage::Waiting, None), "{before:?}");
            board.in_service(Generation(7), "old");
            assert_eq!(board.publishing().stage, Stage::Waiting, "a generation of the definitions before");
        }
        board.stage(Stage::Pinned, Some("old".to_owned()), None);
        board.published();
        assert_eq!(board.publishing().stage, Stage::Pinned, "a rollback holds for what is published, too");
    }
}
