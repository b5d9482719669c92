//! Who is in the audiences that changed, at the minute of the base, and what flips from there on. As an activation does it, but
//! for a few rules and in no hurry of the bids'.

use super::FreshInputs;
use crate::audiences::{Catalogue, Expr};
use crate::build::activate::horizon_minutes;
use crate::evaluate::survey::aside;
use crate::evaluate::{Horizon, Plan, Scratch};
use crate::snapshot::columns::BLOCK;
use crate::snapshot::{Flip, FreshWriter};
use rayon::prelude::*;
use roaring::RoaringBitmap;
use zerocopy::IntoBytes;

/// The audiences that changed, in the order of their numbers.
pub(super) struct Anew {
    pub(super) members: Vec<RoaringBitmap>,
    /// In the catalogue's numbers.
    pub(super) flips: Vec<Flip>,
}

/// A block's members by rule, and its flips.
type Block = (Vec<(usize, RoaringBitmap)>, Vec<Flip>);

/// Evaluates the audiences of these numbers, by the rules of `catalogue`; nobody is in those that are dropped. `None` if it was broken off.
pub(super) fn evaluate(
    inputs: &FreshInputs<'_>,
    catalogue: &Catalogue,
    numbers: &[u32],
    dropped: impl Fn(&u32) -> bool,
) -> Option<Anew> {
    let asked: Vec<usize> = (0..numbers.len()).filter(|at| !dropped(&numbers[*at])).collect();
    let rules: Vec<Expr> =
        (asked.iter()).map(|at| Expr::InAudience(catalogue.audiences[numbers[*at] as usize].id.clone())).collect();
    let rules: Vec<&Expr> = rules.iter().collect();
    let plan = Plan::of_rules(&rules, catalogue, inputs.columns, inputs.base.manifest().as_of, &inputs.loaded.zone());
    let horizon = plan.horizon(horizon_minutes(inputs.loaded));
    let blocks = if asked.is_empty() { 0 } else { inputs.columns.blocks() };
    inputs.watch.expect(blocks);
    let evaluated: Option<Vec<Block>> = aside(|| {
        let of_block = |scratch: &mut Scratch, block| {
            let done = (!inputs.watch.is_cancelled()).then(|| one(&plan, &horizon, block, scratch));
            inputs.watch.step();
            done
        };
        (0..blocks).into_par_iter().map_init(Scratch::default, of_block).collect()
    });
    let mut anew = Anew { members: vec![RoaringBitmap::new(); numbers.len()], flips: Vec::new() };
    for (bitmaps, flips) in evaluated? {
        for (rule, bitmap) in bitmaps {
            anew.members[asked[rule]] |= bitmap;
        }
        let named = |flip: Flip| Flip { audience: numbers[asked[flip.audience as usize]], ..flip };
        anew.flips.extend(flips.into_iter().map(named));
    }
    for bitmap in &mut anew.members {
        bitmap.optimize();
    }
    Some(anew)
}

fn one(plan: &Plan<'_>, horizon: &Horizon, block: usize, scratch: &mut Scratch) -> Block {
    plan.block(block, scratch);
    let bitmaps = (0..plan.len()).filter_map(|rule| {
        let bitmap = scratch.bitmap(plan, rule);
        let some = bitmap.iter().any(|word| *word != 0);
        some.then(|| (rule, RoaringBitmap::from_lsb0_bytes((block * BLOCK) as u32, bitmap.as_bytes())))
    });
    (bitmaps.collect(), plan.flips(block, horizon))
}

impl Anew {
    /// By ordinal, which of the audiences somebody is in; empty where there are none.
    pub(super) fn mark(&self, ordinals: u32, writer: &mut FreshWriter) {
        if self.members.is_empty() {
            return;
        }
        writer.lanes = vec![0; ordinals as usize];
        for (at, bitmap) in self.members.iter().enumerate() {
            bitmap.iter().for_each(|ordinal| writer.mark(ordinal, at));
        }
        self.flips.iter().for_each(|flip| writer.mark_flips(flip.ordinal));
    }
}
