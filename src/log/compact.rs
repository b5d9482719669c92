//! What of the control log still holds. A compaction appends that again and removes everything before it, so offsets go on
//! growing, and a crash in between leaves at worst something that is said twice.

use super::control::{Control, Trail};
use crate::schema::{BlockKey, Offset, Scope, Timestamp};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// For how long the audit trail is kept, in seconds.
const AUDIT: i64 = 366 * 86_400;
/// For how long an objection is kept after its end, in seconds: a clock that went wrong for a while loses none.
const GRACE: i64 = 90 * 86_400;

/// People and what holds for them: from when, until when.
struct Held<K> {
    of: HashMap<K, usize>,
    all: Vec<(K, i64, Option<i64>)>,
}

impl<K: Clone + Eq + Hash> Held<K> {
    fn new() -> Self {
        Held { of: HashMap::new(), all: Vec::new() }
    }

    /// What is said of the same people again counts from the later, until the later.
    fn note(&mut self, key: K, time: i64, until: Option<i64>) {
        let at = *self.of.entry(key.clone()).or_insert(self.all.len());
        match self.all.get_mut(at) {
            None => self.all.push((key, time, until)),
            Some((_, known, end)) => {
                *known = time.max(*known);
                *end = end.zip(until).map(|(end, until)| end.max(until));
            }
        }
    }

    fn into_unended(self, now: i64) -> impl Iterator<Item = (K, i64, Option<i64>)> {
        let holds = move |until: Option<i64>| until.is_none_or(|until| until.saturating_add(GRACE) > now);
        self.all.into_iter().filter(move |(_, _, until)| holds(*until))
    }
}

/// Reads records in their order and keeps what holds.
pub(super) struct Standing {
    objections: Held<(Vec<BlockKey>, Scope)>,
    deletions: Held<Vec<BlockKey>>,
    credentials: Option<String>,
    /// Every change of the catalogue: its history is what planners see and go back to.
    definitions: Vec<Control>,
    audit: Vec<Control>,
    /// The chained part of the audit trail: as it was said, and whether it holds.
    chained: Vec<Control>,
    trail: Trail,
    /// The newest time of any record: what the clock said when it was written.
    now: i64,
}

impl Standing {
    pub(super) fn new() -> Self {
        let (objections, deletions) = (Held::new(), Held::new());
        let (definitions, audit, chained) = (Vec::new(), Vec::new(), Vec::new());
        let (trail, now) = (Trail::default(), i64::MIN);
        Standing { objections, deletions, credentials: None, definitions, audit, chained, trail, now }
    }

    pub(super) fn note(&mut self, control: Control) {
        match control {
            Control::Objection { keys, scope, time, until } => {
                self.now = self.now.max(time);
                self.objections.note((keys, scope), time, until);
            }
            Control::Deletion { keys, time, until } => {
                self.now = self.now.max(time);
                self.deletions.note(keys, time, until);
            }
            Control::Credentials(text) => self.credentials = Some(text),
            Control::Definitions { time, .. } => {
                self.now = self.now.max(time);
                self.definitions.push(control);
            }
            Control::Audit { time, .. } => {
                self.now = self.now.max(time);
                self.audit.push(control);
            }
            Control::Audited(ref entry) => {
                self.now = self.now.max(entry.time);
                self.trail.note(Offset(0), &control);
                self.chained.push(control);
            }
            Control::Anchor { .. } => {
                self.trail.note(Offset(0), &control);
                self.chained.push(control);
            }
        }
    }

    /// What holds, in the order in which it was first said; the changes of the catalogue; the audit trail of the last year; the credentials.
    /// What has ended is told by the earlier of `clock` and the newest record: one of them may be of a clock that was wrong.
    pub(super) fn into_records(self, clock: Timestamp) -> impl Iterator<Item = Control> {
        let now = self.now.min(clock.0);
        let objections = self.objections.into_unended(now);
        let objections = objections.map(|((keys, scope), time, until)| Control::Objection { keys, scope, time, until });
        let deletions = self.deletions.into_unended(now);
        let deletions = deletions.map(|(keys, time, until)| Control::Deletion { keys, time, until });
        let since = now.saturating_sub(AUDIT);
        let mut seen = HashSet::new();
        let audit = self.audit.into_iter().filter(move |entry| match entry {
            // A compaction that was cut short has said it twice.
            Control::Audit { time, .. } => *time > since && seen.insert(entry.clone()),
            _ => true,
        });
        // What does not hold is kept as it was said, for whoever asks what happened.
        let mut heard = HashSet::new();
        let chained = self.chained;
        let as_said = move || chained.into_iter().filter(|entry| heard.insert(entry.clone())).collect();
        let trail: Vec<Control> = self.trail.into_records(since).unwrap_or_else(as_said);
        // A change carries its number, so those that are alike are one.
        let mut said = HashSet::new();
        let definitions = self.definitions.into_iter().filter(move |change| said.insert(change.clone()));
        objections
            .chain(deletions)
            .chain(definitions)
            .chain(audit)
            .chain(trail)
            .chain(self.credentials.map(Control::Credentials))
    }
}
