//! Shows the planner's port what is in service at the bid doors.

use crate::access::Access;
use crate::config::Loaded;
use crate::decide::Answering;
use crate::hooks::Doors;
use crate::planner::{Planner, Standing};
use std::sync::Arc;

struct Shows(Arc<Doors>);

impl Standing for Shows {
    fn access(&self) -> Arc<Access> {
        Arc::clone(&self.0.live.load().access)
    }

    fn answering(&self) -> Option<Arc<Answering>> {
        self.0.live.load().served.as_ref().map(|served| Arc::clone(&served.answering))
    }
}

/// The planner's port before anything is fed to it.
pub(super) fn planner(loaded: Loaded, doors: &Arc<Doors>) -> Planner {
    Planner {
        loaded,
        metrics: Arc::clone(&doors.metrics),
        standing: Box::new(Shows(Arc::clone(doors))),
        intake: None,
        objections: None,
    }
}
