//! Exposures that were taken, by campaign and kind, since somebody last asked. Counted where the log is written, which one
//! thread does: never on the way of a bid.

use parking_lot::Mutex;
use std::collections::BTreeMap;

/// How many were taken since the last time, by campaign and kind.
#[derive(Debug, Default)]
pub struct Exposed(Mutex<BTreeMap<(String, String), u64>>);

impl Exposed {
    /// One was taken.
    pub fn count(&self, campaign: &str, kind: &str) {
        *self.0.lock().entry((campaign.to_owned(), kind.to_owned())).or_default() += 1;
    }

    /// What was counted since the last time.
    pub fn take(&self) -> BTreeMap<(String, String), u64> {
        std::mem::take(&mut self.0.lock())
    }
}
