//! Activate: rules over the index's columns -> bitmaps, forward index, flips and catalogue.
//!
//! Blocks are evaluated in parallel, a few at a time: each is turned from bitmaps by audience into lists by ordinal
//! while it is hot ([`transpose`]), and one thread writes them in order. Kept for the whole run are only what is written
//! last: the compressed bitmaps and the flips. [`caps`] what was shown to whom; [`outdated`] says what stale sources do to audiences.

pub(super) mod caps;
pub(super) mod outdated;
mod transpose;

#[cfg(test)]
mod tests;

use super::stale::Stale;
use crate::audiences::{AudienceKind, Catalogue};
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::evaluate::{Horizon, Plan, Scratch};
use crate::schema::Timestamp;
use crate::snapshot::bitmaps::write_bitmaps;
use crate::snapshot::caps::write_caps;
use crate::snapshot::columns::{BLOCK, Columns};
use crate::snapshot::consents::Consents;
use crate::snapshot::flips::write_flips;
use crate::snapshot::forward::flags;
use crate::snapshot::{AudienceSummary, Flip, ForwardWriter, Plane, SectionRef, SectionWriter, Sections, Store};
use crate::telemetry::progress::{Progress, Unit};
use outdated::Outdated;
use rayon::prelude::*;
use roaring::RoaringBitmap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
pub use transpose::Lists;
use zerocopy::IntoBytes;

/// Flips reach at least so many minutes ahead, whatever the interval between activations.
const LEAST_HORIZON_MINUTES: u64 = 120;

/// What an activation is made from.
pub struct ActivateInputs<'a> {
    /// The configuration.
    pub loaded: &'a Loaded,
    /// What planners defined.
    pub catalogue: &'a Catalogue,
    /// The sections of the index, verified.
    pub index: &'a Sections,
    /// The minute that answers are right at.
    pub now: Timestamp,
    /// Facts whose sources are past their `max_age`.
    pub stale: &'a Stale,
    /// Where sections go; the caller holds its lock.
    pub store: &'a Store,
    /// What the user sees.
    pub progress: &'a Progress,
}

/// What an activation is.
#[derive(Debug)]
pub struct Activated {
    /// forward, audiences, flips, catalogue; caps, where there is something to remember.
    pub sections: Vec<SectionRef>,
    /// By audience number.
    pub audiences: Vec<AudienceSummary>,
}

/// Evaluates every rule and writes the sections.
///
/// # Errors
/// A damaged index, or a full disk.
pub fn activate(inputs: ActivateInputs<'_>) -> Result<Activated> {
    let ActivateInputs { index, store, .. } = inputs;
    let catalogue = &*inputs.catalogue.valid_at(inputs.now);
    let columns = Columns::open(index.section("traits")?, index.section("events")?, index.section("memberships")?)?;
    let consents = Consents::open(index.section("consents")?, columns.ordinals())?;
    let outdated = Outdated::of(catalogue, inputs.stale);
    let drops = |audience| outdated.drops(catalogue, audience);
    let plan = Plan::compile_without(catalogue, &columns, inputs.now, &inputs.loaded.zone(), drops);
    let horizon = plan.horizon(horizon_minutes(inputs.loaded));
    let phase = inputs.progress.phase("audiences", Some(columns.blocks() as u64), Unit::Blocks);
    let forward = store.section("forward", Plane::Bid)?;
    let mut writer = BlockWriter {
        forward: ForwardWriter::new(forward, columns.ordinals(), &by_size(&plan))?,
        consents,
        bitmaps: vec![RoaringBitmap::new(); plan.len()],
        flips: Vec::new(),
    };
    let (send, receive) = sync_channel(1);
    std::thread::scope(|scope| {
        scope.spawn(|| evaluate(&plan, &horizon, send));
        in_order(receive, |block| {
            phase.add(1);
            writer.block(block)
        })
    })?;
    let memberships: u64 = writer.bitmaps.iter().map(RoaringBitmap::len).sum();
    phase.done(&format!(
        "{} audiences of {} different tests, {memberships} memberships, {} changes due by the minute",
        plan.len(),
        plan.leaves(),
        writer.flips.len()
    ));
    let members = writer.bitmaps.iter().map(RoaringBitmap::len);
    let audiences = summaries(inputs.catalogue, members, &outdated, inputs.now);
    let mut sections = writer.finish(&inputs, columns.ordinals())?;
    let shown = caps::shown(catalogue, &columns, inputs.now);
    if !shown.is_empty() {
        let mut caps = store.section("caps", Plane::Bid)?;
        write_caps(&mut caps, &shown)?;
        sections.push(caps.finish()?);
    }
    Ok(Activated { sections, audiences })
}

/// How far flips reach.
pub(super) fn horizon_minutes(loaded: &Loaded) -> u16 {
    let minutes = (loaded.config.build.activate_interval_seconds / 30).max(LEAST_HORIZON_MINUTES);
    u16::try_from(minutes).unwrap_or(u16::MAX)
}

/// Audience numbers, the largest first, as a first block has it: ordinals follow keyed hashes, so any block is a random
/// sample, and the order only decides how well the forward index packs.
fn by_size(plan: &Plan<'_>) -> Vec<u32> {
    let mut scratch = Scratch::default();
    if plan.columns().blocks() > 0 {
        plan.block(0, &mut scratch);
    }
    let size = |rule: usize| -> u32 { scratch.bitmap(plan, rule).iter().map(|word| word.count_ones()).sum() };
    let mut order: Vec<(u32, u32)> = match plan.columns().blocks() {
        0 => (0..plan.len() as u32).map(|rule| (0, rule)).collect(),
        _ => (0..plan.len()).map(|rule| (u32::MAX - size(rule), rule as u32)).collect(),
    };
    order.sort_unstable();
    order.into_iter().map(|(_, rule)| rule).collect()
}

/// A block, evaluated.
struct Block {
    lists: Lists,
    /// Audiences that have members here.
    bitmaps: Vec<(u32, RoaringBitmap)>,
    flips: Vec<Flip>,
    first: u32,
}

/// Evaluates as many blocks at a time as there are threads; a batch waits while the one before is being written.
fn evaluate(plan: &Plan<'_>, horizon: &Horizon, done: SyncSender<Vec<Block>>) {
    let blocks: Vec<usize> = (0..plan.columns().blocks()).collect();
    for batch in blocks.chunks(rayon::current_num_threads().max(1)) {
        let evaluated =
            batch.par_iter().map_init(Scratch::default, |scratch, block| one(plan, horizon, *block, scratch));
        // Who receives stops listening when the disk is full.
        if done.send(evaluated.collect()).is_err() {
            return;
        }
    }
}

fn one(plan: &Plan<'_>, horizon: &Horizon, block: usize, scratch: &mut Scratch) -> Block {
    plan.block(block, scratch);
    let first = (block * BLOCK) as u32;
    let bitmaps = (0..plan.len()).filter_map(|rule| {
        let bitmap = scratch.bitmap(plan, rule);
        let some = bitmap.iter().any(|word| *word != 0);
        some.then(|| (rule as u32, RoaringBitmap::from_lsb0_bytes(first, bitmap.as_bytes())))
    });
    Block {
        bitmaps: bitmaps.collect(),
        lists: Lists::transpose(|rule| scratch.bitmap(plan, rule), plan.len(), plan.columns().block_len(block)),
        flips: plan.flips(block, horizon),
        first,
    }
}

fn in_order(batches: Receiver<Vec<Block>>, mut write: impl FnMut(Block) -> Result<()>) -> Result<()> {
    batches.into_iter().flatten().try_for_each(&mut write)
}

/// What blocks are written into.
struct BlockWriter<'a> {
    forward: ForwardWriter<SectionWriter>,
    consents: Consents<'a>,
    bitmaps: Vec<RoaringBitmap>,
    flips: Vec<Flip>,
}

impl BlockWriter<'_> {
    fn block(&mut self, block: Block) -> Result<()> {
        let mut flipping = block.flips.iter().map(|flip| flip.ordinal).peekable();
        for (ordinal, audiences) in (block.first..).zip(block.lists.iter()) {
            let mut record = self.consents.of(ordinal);
            while flipping.next_if_eq(&ordinal).is_some() {
                record |= flags::FLIPS;
            }
            self.forward.push(record, audiences)?;
        }
        for (audience, bitmap) in block.bitmaps {
            self.bitmaps[audience as usize] |= bitmap;
        }
        self.flips.extend(block.flips);
        Ok(())
    }

    fn finish(mut self, inputs: &ActivateInputs<'_>, ordinals: u32) -> Result<Vec<SectionRef>> {
        let forward = self.forward.finish()?;
        self.bitmaps.par_iter_mut().for_each(|bitmap| {
            bitmap.optimize();
        });
        let mut audiences = inputs.store.section("audiences", Plane::Control)?;
        write_bitmaps(&mut audiences, ordinals, &self.bitmaps)?;
        let mut flips = inputs.store.section("flips", Plane::Bid)?;
        write_flips(&mut flips, &mut self.flips)?;
        let mut catalogue = inputs.store.section("catalogue", Plane::Bid)?;
        let json = serde_json::to_vec(inputs.catalogue)
            .map_err(|error| Error::internal("the catalogue cannot be written as JSON").caused_by(error))?;
        catalogue.put(&json)?;
        Ok(vec![forward, audiences.finish()?, flips.finish()?, catalogue.finish()?])
    }
}

/// What the manifest says of the audiences, at the instant they are of.
pub(super) fn summaries(
    catalogue: &Catalogue,
    members: impl Iterator<Item = u64>,
    outdated: &Outdated,
    now: Timestamp,
) -> Vec<AudienceSummary> {
    let summary = |(number, members): (usize, u64)| {
        let audience = &catalogue.audiences[number];
        let closed = audience.closed(now);
        AudienceSummary {
            id: audience.id.clone(),
            kind: match audience.kind {
                AudienceKind::Target => "target".to_owned(),
                AudienceKind::Suppress => "suppress".to_owned(),
            },
            members,
            closed: closed.is_some(),
            flagged: closed.or_else(|| outdated.flag(catalogue, number)),
        }
    };
    members.enumerate().map(summary).collect()
}
