//! One profile: a rule as a yes or no, asked from the top down and no further than needed.

use super::leaf::{Leaf, in_sample};
use super::moment::Moment;
use super::plan::{Node, Plan};
use crate::snapshot::columns::{BLOCK, TraitColumn};

impl Plan<'_> {
    /// Whether a rule holds for a profile. False for an ordinal that is not there.
    pub fn profile(&self, ordinal: u32, rule: usize) -> bool {
        self.profile_at(ordinal, rule, &self.moment)
    }

    /// The same at another minute: see [`moment`](Plan::moment).
    pub fn profile_at(&self, ordinal: u32, rule: usize, moment: &Moment) -> bool {
        ordinal < self.columns.ordinals() && self.node_at(self.roots[rule], ordinal, moment)
    }

    fn node_at(&self, node: u32, ordinal: u32, moment: &Moment) -> bool {
        let holds = |operand: &u32| self.node_at(*operand, ordinal, moment);
        match &self.nodes[node as usize] {
            Node::Leaf(leaf) => self.leaf_at(*leaf as usize, ordinal, moment),
            Node::Not(operand) => !holds(operand),
            Node::And(operands) => operands.iter().all(holds),
            Node::Or(operands) => operands.iter().any(holds),
            Node::AtLeast(least, operands) => {
                operands.iter().filter(|operand| holds(operand)).take(*least as usize).count() == *least as usize
            }
        }
    }

    pub(super) fn leaf_at(&self, number: usize, ordinal: u32, moment: &Moment) -> bool {
        let (at, block, low) = (ordinal as usize, ordinal as usize / BLOCK, ordinal as u16);
        let window = moment.windows[number];
        let column = |column: &usize| &self.columns.traits()[*column].1;
        match &self.leaves[number] {
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
                match &self.leaves[number] {
                    Leaf::AnyTag { tags, .. } => tags.iter().any(has),
                    Leaf::AllTags { tags, .. } => known && tags.iter().all(has),
                    _ => known,
                }
            }
            Leaf::Sample { name, share } => in_sample(self.columns.seeds()[at], *name, *share),
            Leaf::Listed { column } => {
                self.columns.lists()[*column].1.until(ordinal).is_some_and(|until| i64::from(until) >= window.0)
            }
            Leaf::Event(event) => {
                let rows = self.columns.events()[event.column].1.rows_of(ordinal);
                self.events_at(number, moment).is_some_and(|events| events.holds(rows))
            }
        }
    }
}
