//! Everybody: a plan over a block of ordinals, every part once, as bitmaps.

use super::bits::{self, Bitmap};
use super::events::EventsNow;
use super::graph::Node;
use super::leaf::{Leaf, in_sample};
use super::plan::Plan;
use super::tally::Tally;
use crate::snapshot::columns::{BLOCK, Tags, TraitColumn, WORDS};
use rayon::prelude::*;

/// Bitmaps and bytes that are used again from block to block.
#[derive(Debug, Default)]
pub struct Scratch {
    slots: Vec<Box<Bitmap>>,
    tally: Tally,
}

impl Scratch {
    /// The bitmap of a rule, after its plan was evaluated over a block.
    pub fn bitmap(&self, plan: &Plan<'_>, rule: usize) -> &Bitmap {
        &self.slots[plan.slots[plan.graph.roots[rule] as usize] as usize]
    }
}

impl Plan<'_> {
    /// Evaluates every rule over a block. The bitmaps are in the scratch until the next call.
    pub fn block(&self, block: usize, scratch: &mut Scratch) {
        let length = self.columns.block_len(block);
        if scratch.slots.len() < self.slot_count {
            scratch.slots.resize_with(self.slot_count, || Box::new([0; WORDS]));
        }
        // One bitmap more stands in for the one that is being written.
        let mut out = Box::new([0; WORDS]);
        for (node, slot) in self.graph.nodes.iter().zip(&self.slots) {
            match node {
                Node::Leaf(leaf) => self.leaf_block(*leaf as usize, block, &mut scratch.tally, &mut out),
                node => self.combine(node, &scratch.slots, &mut out),
            }
            if length < BLOCK {
                bits::cut(&mut out[..], length);
            }
            std::mem::swap(&mut scratch.slots[*slot as usize], &mut out);
        }
    }

    /// How many profiles each rule holds for.
    pub fn reach(&self) -> Vec<u64> {
        let none = || vec![0; self.graph.roots.len()];
        let blocks = (0..self.columns.blocks()).into_par_iter();
        let counted = blocks.map_init(Scratch::default, |scratch, block| {
            self.block(block, scratch);
            (0..self.graph.roots.len()).map(|rule| bits::count(scratch.bitmap(self, rule))).collect()
        });
        counted.reduce(none, |mut sum: Vec<u64>, counts| {
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            sum
        })
    }

    fn combine(&self, node: &Node, slots: &[Box<Bitmap>], out: &mut Bitmap) {
        let operand = |at: &u32| &*slots[self.slots[*at as usize] as usize];
        match node {
            Node::Leaf(_) => {}
            Node::Not(inner) => out.iter_mut().zip(operand(inner)).for_each(|(out, word)| *out = !word),
            Node::And(operands) => {
                out.fill(u64::MAX);
                for operand in operands.iter().map(operand) {
                    out.iter_mut().zip(operand).for_each(|(out, word)| *out &= word);
                }
            }
            Node::Or(operands) => {
                out.fill(0);
                for operand in operands.iter().map(operand) {
                    out.iter_mut().zip(operand).for_each(|(out, word)| *out |= word);
                }
            }
            Node::AtLeast(least, operands) => at_least(*least as usize, operands.iter().map(operand), out),
        }
    }

    fn leaf_block(&self, number: usize, block: usize, tally: &mut Tally, out: &mut Bitmap) {
        let rows = block * BLOCK..block * BLOCK + self.columns.block_len(block);
        let window = self.moment.windows[number];
        match &self.graph.leaves[number] {
            Leaf::Constant(truth) => out.fill(if *truth { u64::MAX } else { 0 }),
            Leaf::Value { column, matcher } => match (&self.columns.traits()[*column].1, matcher) {
                (TraitColumn::Flag { known, yes }, matcher) => flags(known, yes, block, matcher, out),
                (TraitColumn::Category(codes, _), super::bind::Matcher::Codes(ranges)) => {
                    bits::pack_codes(codes.slice(rows), ranges, out);
                }
                (TraitColumn::Date(days), super::bind::Matcher::Codes(ranges)) => {
                    bits::pack_codes(days.codes.slice(rows), ranges, out);
                }
                (TraitColumn::Number(numbers), matcher) => bits::pack_numbers(numbers, rows, matcher, out),
                _ => out.fill(0),
            },
            Leaf::Date { column, .. } => {
                let TraitColumn::Date(days) = &self.columns.traits()[*column].1 else { return out.fill(0) };
                let range = super::bind::Ranges::merge([(window.0 as u32, window.1 as u32)]);
                bits::pack_codes(days.codes.slice(rows), &range, out);
            }
            Leaf::Tagged { column } | Leaf::AnyTag { column, .. } | Leaf::AllTags { column, .. } => {
                if let TraitColumn::Tags(tags) = &self.columns.traits()[*column].1 {
                    tagged(&self.graph.leaves[number], tags, block, out);
                }
            }
            Leaf::Sample { name, share } => {
                out.fill(0);
                for (low, seed) in self.columns.seeds()[rows].iter().enumerate() {
                    out[low / 64] |= u64::from(in_sample(*seed, *name, *share)) << (low % 64);
                }
            }
            Leaf::Listed { column } => {
                out.fill(0);
                let (lows, until) = self.columns.lists()[*column].1.members(block);
                let current = lows.iter().zip(until).filter(|(_, until)| i64::from(**until) >= window.0);
                current.for_each(|(low, _)| bits::set(out, *low));
            }
            Leaf::Event(_) => {
                if let Some(events) = self.events_at(number, &self.moment) {
                    events.block(block, tally, out);
                }
            }
        }
    }

    /// An event leaf at a moment.
    pub(super) fn events_at(&self, number: usize, moment: &super::moment::Moment) -> Option<EventsNow<'_, '_>> {
        let Leaf::Event(leaf) = &self.graph.leaves[number] else { return None };
        let column = &self.columns.events()[leaf.column].1;
        Some(EventsNow { leaf, column, asked: leaf.asked(moment.windows[number], moment.now.0, &self.local) })
    }
}

fn flags(known: &[u64], yes: &[u64], block: usize, matcher: &super::bind::Matcher, out: &mut Bitmap) {
    let words = block * WORDS..(block + 1) * WORDS;
    let passes = |code| matches!(matcher, super::bind::Matcher::Codes(ranges) if ranges.contains(code));
    let (no, yes_passes) = (passes(1), passes(2));
    for ((out, known), yes) in out.iter_mut().zip(&known[words.clone()]).zip(&yes[words]) {
        *out = known & (if yes_passes { *yes } else { 0 } | if no { !yes } else { 0 });
    }
}

fn tagged(leaf: &Leaf, tags: &Tags<'_>, block: usize, out: &mut Bitmap) {
    let known = &tags.known[block * WORDS..(block + 1) * WORDS];
    let fill = |out: &mut Bitmap, tag: u32| tags.having(block, tag).iter().for_each(|low| bits::set(out, *low));
    match leaf {
        Leaf::AnyTag { tags, .. } => {
            out.fill(0);
            tags.iter().for_each(|tag| fill(out, *tag));
        }
        Leaf::AllTags { tags, .. } => {
            out.copy_from_slice(known);
            for tag in tags {
                let mut one = [0; WORDS];
                fill(&mut one, *tag);
                out.iter_mut().zip(&one).for_each(|(out, word)| *out &= word);
            }
        }
        _ => out.copy_from_slice(known),
    }
}

/// `reached[n]` = at least n of the operands so far.
fn at_least<'b>(least: usize, operands: impl Iterator<Item = &'b Bitmap>, out: &mut Bitmap) {
    let operands: Vec<&Bitmap> = operands.collect();
    let mut reached: smallvec::SmallVec<[u64; 16]> = smallvec::SmallVec::new();
    for (word, out) in out.iter_mut().enumerate() {
        reached.clear();
        reached.resize(least + 1, 0);
        reached[0] = u64::MAX;
        for operand in &operands {
            for n in (1..=least).rev() {
                reached[n] |= reached[n - 1] & operand[word];
            }
        }
        *out = reached[least];
    }
}
