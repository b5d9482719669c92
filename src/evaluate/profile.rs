//! One profile: a rule as a yes or no, asked from the top down and no further than needed.

use super::events::EventsNow;
use super::leaf::{Leaf, in_sample};
use super::local_time::LocalTime;
use super::moment::Moment;
use super::plan::Plan;
use crate::snapshot::columns::{BLOCK, Columns, TraitColumn};

impl Plan<'_> {
    /// Whether a rule holds for a profile. False for an ordinal that is not there.
    pub fn profile(&self, ordinal: u32, rule: usize) -> bool {
        self.profile_at(ordinal, rule, &self.moment)
    }

    /// The same at another minute: see [`moment`](Plan::moment).
    pub fn profile_at(&self, ordinal: u32, rule: usize, moment: &Moment) -> bool {
        ordinal < self.columns.ordinals()
            && self.graph.holds(self.graph.roots[rule], &|leaf| self.leaf_at(leaf as usize, ordinal, moment))
    }

    pub(super) fn leaf_at(&self, number: usize, ordinal: u32, moment: &Moment) -> bool {
        let one = One { columns: self.columns, ordinal, window: moment.windows[number], now: moment.now.0 };
        one.holds(&self.graph.leaves[number], &self.local)
    }
}

/// One profile at one minute.
pub(super) struct One<'c, 'a> {
    pub columns: &'c Columns<'a>,
    /// Of the columns.
    pub ordinal: u32,
    /// The leaf's.
    pub window: (i64, i64),
    pub now: i64,
}

impl One<'_, '_> {
    /// Whether a leaf holds.
    pub fn holds(&self, leaf: &Leaf, local: &LocalTime) -> bool {
        let (ordinal, window) = (self.ordinal, self.window);
        let (at, block, low) = (ordinal as usize, ordinal as usize / BLOCK, ordinal as u16);
        let column = |column: &usize| &self.columns.traits()[*column].1;
        match leaf {
            Leaf::Constant(truth) => *truth,
            Leaf::Value { column: of, matcher } => match column(of) {
                TraitColumn::Flag { known, yes } => {
                    let bit = |words: &[u64]| words[at / 64] >> (at % 64) & 1;
                    let code = bit(known) * (1 + bit(yes));
                    matches!(matcher, super::bind::Matcher::Codes(ranges) if ranges.contains(code as u32))
                }
                TraitColumn::Category(codes, _) => matcher.code(codes, at),
                TraitColumn::Date(days) => matcher.code(&days.codes, at),
                TraitColumn::Number(numbers) => matcher.number(numbers, at),
                TraitColumn::Tags(_) => false,
            },
            Leaf::Date { column: of, .. } => match column(of) {
                TraitColumn::Date(days) => {
                    let code = days.codes.get(at);
                    code != 0 && (window.0..=window.1).contains(&i64::from(code))
                }
                _ => false,
            },
            Leaf::Tagged { column: of } | Leaf::AnyTag { column: of, .. } | Leaf::AllTags { column: of, .. } => {
                let TraitColumn::Tags(tags) = column(of) else { return false };
                let has = |tag: &u32| tags.having(block, *tag).binary_search(&low).is_ok();
                let known = tags.known[at / 64] >> (at % 64) & 1 == 1;
                match leaf {
                    Leaf::AnyTag { tags, .. } => tags.iter().any(has),
                    Leaf::AllTags { tags, .. } => known && tags.iter().all(has),
                    _ => known,
                }
            }
            Leaf::Sample { name, share } => in_sample(self.columns.seeds()[at], *name, *share),
            Leaf::Listed { column } => {
                self.columns.lists()[*column].1.until(ordinal).is_some_and(|until| i64::from(until) >= window.0)
            }
            Leaf::Event(leaf) => {
                let column = &self.columns.events()[leaf.column].1;
                EventsNow { leaf, column, asked: leaf.asked(window, self.now, local) }.holds(column.rows_of(ordinal))
            }
        }
    }
}
