//! What turns over between minutes while no data changes: found from the ends of windows, so that only profiles with
//! something at such an end are evaluated.
//!
//! Every window's end is a series of thresholds, one a minute; a value is on the other side of it from one minute on
//! exactly when it lies between two thresholds. Nothing here knows what a window means: `moment` does.

use super::bind::Ranges;
use super::bits;
use super::leaf::Leaf;
use super::moment::Moment;
use super::plan::Plan;
use crate::audiences::rule::Pick;
use crate::schema::Timestamp;
use crate::snapshot::Flip;
use crate::snapshot::columns::{BLOCK, TraitColumn};

/// The minutes after a plan's own, as far as flips are wanted.
#[derive(Debug)]
pub struct Horizon {
    /// The plan's minute and those after it.
    moments: Vec<Moment>,
    /// By leaf: the rules that depend on it, if it moves.
    dependents: Vec<Vec<u32>>,
    ends: Vec<End>,
}

/// Which end of a leaf's window.
#[derive(Debug, Clone, Copy)]
enum Side {
    First,
    Last,
    /// The present: which event is the first or last changes when one happens, whatever the window.
    Now,
}

/// An end of a leaf's window: by minute, values below its threshold are on one side.
#[derive(Debug)]
struct End {
    leaf: usize,
    side: Side,
    /// Least and greatest threshold.
    span: (i64, i64),
    rising: bool,
}

impl End {
    /// `None` where nothing ever crosses.
    fn new(leaf: usize, side: Side, moments: &[Moment]) -> Option<End> {
        let mut end = End { leaf, side, span: (i64::MAX, i64::MIN), rising: true };
        for moment in moments {
            let threshold = end.threshold(moment);
            end.rising &= threshold >= end.span.1;
            end.span = (end.span.0.min(threshold), end.span.1.max(threshold));
        }
        (end.span.0 < end.span.1).then_some(end)
    }

    fn threshold(&self, moment: &Moment) -> i64 {
        match self.side {
            Side::First => moment.windows[self.leaf].0,
            Side::Last => moment.windows[self.leaf].1.saturating_add(1),
            Side::Now => moment.now.0 + 1,
        }
    }

    /// The values that cross, as far as 32 bits go: both ends included.
    fn crossing(&self) -> Option<(u32, u32)> {
        let low = u32::try_from(self.span.0.max(0)).ok()?;
        let high = u32::try_from((self.span.1 - 1).min(u32::MAX.into())).ok()?;
        (low <= high).then_some((low, high))
    }

    /// The positions among the moments at which a value has just crossed.
    fn minutes(&self, moments: &[Moment], value: u32, mut at: impl FnMut(usize)) {
        let below = |moment: &Moment| i64::from(value) < self.threshold(moment);
        if self.rising {
            return at(moments.partition_point(|moment| !below(moment)));
        }
        for (minute, pair) in moments.windows(2).enumerate() {
            if below(&pair[0]) != below(&pair[1]) {
                at(minute + 1);
            }
        }
    }
}

impl Plan<'_> {
    /// The minutes after the plan's own, up to and with the last, at most 45 days.
    pub fn horizon(&self, minutes: u16) -> Horizon {
        let moment = |minute: i64| self.moment(Timestamp(self.moment.now.0 + minute * 60));
        let moments: Vec<Moment> = (0..=i64::from(minutes)).map(moment).collect();
        let dependents = self.dependents();
        let mut ends = Vec::new();
        for leaf in (0..self.graph.leaves.len()).filter(|leaf| !dependents[*leaf].is_empty()) {
            let picks = matches!(&self.graph.leaves[leaf], Leaf::Event(event) if event.pick != Pick::All);
            let sides = [Some(Side::First), Some(Side::Last), picks.then_some(Side::Now)];
            ends.extend(sides.into_iter().flatten().filter_map(|side| End::new(leaf, side, &moments)));
        }
        Horizon { moments, dependents, ends }
    }

    /// The joins and leaves in a block after the plan's minute and within the horizon, by (ordinal, minute).
    pub fn flips(&self, block: usize, horizon: &Horizon) -> Vec<Flip> {
        let mut candidates = Vec::new();
        for end in &horizon.ends {
            self.crossings(block, end, &horizon.moments, &mut candidates);
        }
        candidates.sort_unstable();
        candidates.dedup();
        let (mut flips, mut rules) = (Vec::new(), Vec::new());
        for same in candidates.chunk_by(|a, b| a.low == b.low && a.minute == b.minute) {
            let ordinal = (block * BLOCK) as u32 + u32::from(same[0].low);
            let minute = usize::from(same[0].minute);
            let (Some(before), Some(after)) =
                (horizon.moments.get(minute.wrapping_sub(1)), horizon.moments.get(minute))
            else {
                continue;
            };
            rules.clear();
            for leaf in same.iter().map(|candidate| candidate.leaf as usize) {
                if self.leaf_at(leaf, ordinal, before) != self.leaf_at(leaf, ordinal, after) {
                    rules.extend_from_slice(&horizon.dependents[leaf]);
                }
            }
            rules.sort_unstable();
            rules.dedup();
            for rule in &rules {
                let join = self.profile_at(ordinal, *rule as usize, after);
                if join != self.profile_at(ordinal, *rule as usize, before) {
                    flips.push(Flip { ordinal, minute: after.now.minute() as u32, audience: *rule, join });
                }
            }
        }
        flips
    }

    /// Who in a block has a value that crosses an end, and when.
    fn crossings(&self, block: usize, end: &End, moments: &[Moment], candidates: &mut Vec<Candidate>) {
        let Some((low, high)) = end.crossing() else { return };
        let mut found = |who: u16, value: u32| {
            end.minutes(moments, value, |minute| {
                candidates.push(Candidate { low: who, minute: minute as u16, leaf: end.leaf as u32 });
            });
        };
        match &self.graph.leaves[end.leaf] {
            Leaf::Event(_) => {
                let Some(events) = self.events_at(end.leaf, &self.moment) else { return };
                let rows = events.column.rows(block);
                for_each_between(&events.column.times[rows.clone()], low, high, |at, time| {
                    if events.filtered(rows.start + at) {
                        found(events.column.lows[rows.start + at], time);
                    }
                });
            }
            Leaf::Listed { column } => {
                let (lows, until) = self.columns.lists()[*column].1.members(block);
                for_each_between(until, low, high, |at, until| found(lows[at], until));
            }
            Leaf::Date { column, .. } => {
                let TraitColumn::Date(days) = &self.columns.traits()[*column].1 else { return };
                let codes = days.codes.slice(block * BLOCK..(block + 1) * BLOCK);
                let mut crosses = vec![0; codes.len()];
                bits::or_codes(codes, &Ranges::merge([(low, high)]), &mut crosses);
                for at in (0..crosses.len()).filter(|at| crosses[*at] == 1) {
                    found(at as u16, codes.get(at));
                }
            }
            _ => {}
        }
    }
}

/// Somebody whose leaf may turn over at a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    low: u16,
    minute: u16,
    leaf: u32,
}

/// Calls for the values between two, both included: few, so whole chunks are passed over at a time.
fn for_each_between(values: &[u32], low: u32, high: u32, mut found: impl FnMut(usize, u32)) {
    const CHUNK: usize = 128;
    let span = high - low;
    let between = |value: &u32| value.wrapping_sub(low) <= span;
    for (chunk, values) in values.chunks(CHUNK).enumerate() {
        if values.iter().fold(0u8, |any, value| any | u8::from(between(value))) != 0 {
            for (at, value) in values.iter().enumerate().filter(|(_, value)| between(value)) {
                found(chunk * CHUNK + at, *value);
            }
        }
    }
}
