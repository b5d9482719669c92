//! Puts together what the bid plane and the log counted since the last time: the workers' sheets, the callers' counters, which
//! only grow, and the exposures that were taken.

use crate::decide::Decision;
use crate::hooks::Doors;
use crate::hooks::verdicts::{Sheet, reusable, total};
use crate::telemetry::statistics::{Counts, Key, What};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What was counted up to the last time.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The callers' counters as they stood.
    before: Counts,
    /// Sheets for the workers to go on with.
    clear: Vec<Sheet>,
    /// Every name that was said, once.
    names: HashSet<Arc<str>>,
}

impl Tally {
    /// Adds what was counted since the last time.
    pub fn collect(&mut self, doors: &Doors, into: &mut Counts) {
        self.verdicts(doors, into);
        let Tally { before, names, .. } = self;
        doors.metrics.callers.each(|what, labels, value| {
            let key = Key { what, names: labels.map(|label| name(names, label)) };
            let since = value - before.get(&key).copied().unwrap_or(0);
            if since > 0 {
                *into.entry(key.clone()).or_default() += since;
                before.insert(key, value);
            }
        });
        for ((campaign, kind), count) in doors.metrics.exposed.take() {
            let names = [campaign.as_str(), &kind, ""].map(|label| name(names, label));
            *into.entry(Key { what: What::Exposures, names }).or_default() += count;
        }
    }

    fn verdicts(&mut self, doors: &Doors, into: &mut Counts) {
        let mut sheets = doors.live.take_sheets(std::mem::take(&mut self.clear));
        let mut counts: BTreeMap<(Arc<str>, Decision), i64> = BTreeMap::new();
        total(&mut sheets, &mut counts);
        self.clear = reusable(sheets, doors.live.load().served.as_ref(), doors.clock.now());
        for ((campaign, said), count) in counts {
            let (verdict, reason) = (said.verdict().name(), said.reason());
            let names = [campaign, name(&mut self.names, verdict), name(&mut self.names, reason)];
            // Never negative: as often as less than common was said, the common verdict was counted.
            if let Ok(count @ 1..) = u64::try_from(count) {
                *into.entry(Key { what: What::Verdicts, names }).or_default() += count;
            }
        }
    }
}

fn name(names: &mut HashSet<Arc<str>>, text: &str) -> Arc<str> {
    if let Some(known) = names.get(text) {
        return Arc::clone(known);
    }
    let fresh: Arc<str> = text.into();
    names.insert(Arc::clone(&fresh));
    fresh
}
