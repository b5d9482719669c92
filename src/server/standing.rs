//! Shows the planner's port what is in service at the bid doors.

use super::builder::board::Board;
use super::statistics::Statistics;
use crate::access::Access;
use crate::config::Loaded;
use crate::decide::Answering;
use crate::error::Result;
use crate::hooks::Doors;
use crate::hooks::refusals::Refusals;
use crate::live::{Intake, Keeper, Objections};
use crate::overlay::Overlay;
use crate::overlay::daily::day_of;
use crate::planner::builds::Builds;
use crate::planner::see::Seeing;
use crate::planner::{Planner, Standing, Views};
use crate::schema::Generation;
use crate::snapshot::Store;
use crate::telemetry::statistics::Minute;
use std::sync::Arc;

struct Shows(Arc<Doors>, Arc<Statistics>, Arc<Board>);

impl Standing for Shows {
    fn access(&self) -> Arc<Access> {
        Arc::clone(&self.0.live.load().access)
    }

    fn look_at_keys(&self) -> bool {
        self.2.watcher.ring();
        true
    }

    fn answering(&self) -> Option<Arc<Answering>> {
        self.0.live.load().served.as_ref().map(|served| Arc::clone(&served.answering))
    }

    fn seen_within(&self, generation: Generation, days: u32) -> Option<Vec<u64>> {
        let standing = self.0.live.load();
        let served = standing.served.as_ref().filter(|served| served.generation() == generation)?;
        let daily = &served.overlay.daily;
        (daily.days() > 0 && daily.is_whole()).then(|| daily.within(day_of(self.0.clock.now()), days))
    }

    fn seen_by_day(&self, generation: Generation) -> Option<Vec<(i64, u64)>> {
        let standing = self.0.live.load();
        let served = standing.served.as_ref().filter(|served| served.generation() == generation)?;
        let daily = &served.overlay.daily;
        (daily.days() > 0 && daily.is_whole()).then(|| daily.counts(day_of(self.0.clock.now())))
    }

    fn minutes(&self, from: i64, to: i64, each: &mut dyn FnMut(&Minute)) -> Result<bool> {
        self.1.minutes(from, to, each)
    }

    fn overlay(&self, generation: Generation) -> Option<Arc<Overlay>> {
        let standing = self.0.live.load();
        let served = standing.served.as_ref().filter(|served| served.generation() == generation)?;
        Some(Arc::clone(&served.overlay))
    }
}

/// The list of those who object or were deleted, as the doors read it.
///
/// # Errors
/// A damaged control log: without it nobody can say who objects.
pub(super) fn keeper(loaded: &Loaded, store: &Store, doors: &Doors) -> Result<Keeper> {
    let Refusals { blocked, keys } = &doors.refusals;
    Keeper::open(loaded.clone(), store.clone(), Arc::clone(blocked), Arc::clone(keys))
}

/// The planner's port.
pub(super) fn planner(
    loaded: Loaded,
    doors: &Arc<Doors>,
    keeper: &Arc<Keeper>,
    intake: Option<Arc<Intake>>,
    (board, builds): (Arc<Board>, bool),
    statistics: Arc<Statistics>,
) -> Planner {
    let builds = builds.then(|| Arc::clone(&board) as Arc<dyn Builds>);
    Planner {
        loaded,
        metrics: Arc::clone(&doors.metrics),
        standing: Box::new(Shows(Arc::clone(doors), statistics, board)),
        intake,
        objections: Some(Arc::clone(keeper) as Arc<dyn Objections>),
        keeper: Arc::clone(keeper),
        views: Views::default(),
        definitions: Default::default(),
        exports: Default::default(),
        builds,
        seeing: Seeing::default(),
        sessions: Default::default(),
    }
}
