//! Both modes against each other and against the oracle.

#![allow(clippy::needless_range_loop, reason = "a rule's number is asked of several things")]

mod dense;
mod edges;
mod fold;
mod live;
mod oracle;
mod survey;
mod told;
pub(crate) mod worlds;

use super::*;
use crate::audiences::Catalogue;
use crate::schema::Timestamp;
use crate::snapshot::Flip;
use crate::snapshot::columns::{BLOCK, Sections};
use jiff::tz::TimeZone;
use oracle::Oracle;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, max_shrink_iters: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn both_modes_agree_with_the_oracle(
        (world, catalogue) in worlds::world().prop_flat_map(|world| {
            let now = world.now;
            (Just(world), worlds::catalogue(now, 1..8))
        })
    ) {
        let zone = TimeZone::get(world.zone).unwrap();
        let sections = Sections::encode(&world.data).unwrap();
        let columns = sections.open().unwrap();
        let plan = Plan::compile(&catalogue, &columns, world.now, &zone);
        let oracle = Oracle { data: &world.data, catalogue: &catalogue, now: world.now, zone: &zone };
        let quiet = (0..world.data.ordinals).find(|at| !world.active.contains(at));
        let mut scratch = Scratch::default();
        let mut counts = vec![0u64; plan.len()];
        for block in 0..columns.blocks() {
            plan.block(block, &mut scratch);
            for (rule, count) in counts.iter_mut().enumerate() {
                let expected_quiet = quiet.is_some_and(|quiet| oracle.audience(rule, quiet));
                let bitmap = scratch.bitmap(&plan, rule);
                for low in 0..BLOCK {
                    let ordinal = (block * BLOCK + low) as u32;
                    let found = bitmap[low / 64] >> (low % 64) & 1 == 1;
                    let expected = if ordinal >= world.data.ordinals {
                        false
                    } else if world.active.contains(&ordinal) {
                        oracle.audience(rule, ordinal)
                    } else {
                        expected_quiet
                    };
                    prop_assert_eq!(found, expected, "block mode, {} of {}", catalogue.audiences[rule].id, ordinal);
                    *count += u64::from(expected);
                }
            }
        }
        for rule in 0..plan.len() {
            for ordinal in world.active.iter().copied().chain(quiet).chain([world.data.ordinals, u32::MAX]) {
                let expected = ordinal < world.data.ordinals && oracle.audience(rule, ordinal);
                prop_assert_eq!(plan.profile(ordinal, rule), expected, "{} of {}", catalogue.audiences[rule].id, ordinal);
            }
        }
        prop_assert_eq!(plan.reach(), counts);
    }
}

/// Everybody's audiences at the plan's own minute, in block mode.
fn answers(plan: &Plan<'_>, ordinals: &[u32]) -> Vec<Vec<bool>> {
    let mut scratch = Scratch::default();
    let mut answers = vec![Vec::new(); ordinals.len()];
    for block in 0..plan.columns().blocks() {
        plan.block(block, &mut scratch);
        for (answers, ordinal) in answers.iter_mut().zip(ordinals) {
            if *ordinal as usize / BLOCK == block {
                let low = *ordinal as usize % BLOCK;
                answers.extend((0..plan.len()).map(|rule| scratch.bitmap(plan, rule)[low / 64] >> (low % 64) & 1 == 1));
            }
        }
    }
    answers
}

/// The answers at a start, and the flips after it, equal the answers of a plan compiled anew at every minute.
fn flips_replay(world: &worlds::World, catalogue: &Catalogue, minutes: u16) -> Result<(), TestCaseError> {
    let zone = TimeZone::get(world.zone).unwrap();
    let sections = Sections::encode(&world.data).unwrap();
    let columns = sections.open().unwrap();
    let plan = Plan::compile(catalogue, &columns, world.now, &zone);
    let horizon = plan.horizon(minutes);
    let flips: Vec<Flip> = (0..columns.blocks()).flat_map(|block| plan.flips(block, &horizon)).collect();
    prop_assert!(flips.is_sorted_by_key(|flip| (flip.ordinal, flip.minute)));
    let mut now = answers(&plan, &world.active);
    for minute in 1..=i64::from(minutes) {
        let at = Timestamp(world.now.0 + minute * 60);
        for flip in flips.iter().filter(|flip| i64::from(flip.minute) == at.minute()) {
            let who = world.active.iter().position(|active| *active == flip.ordinal);
            let truth = &mut now[who.expect("only who knows anything changes")][flip.audience as usize];
            prop_assert_ne!(*truth, flip.join, "a flip that changes nothing");
            *truth = flip.join;
        }
        let anew = Plan::compile(catalogue, &columns, at, &zone);
        for (who, ordinal) in world.active.iter().enumerate() {
            for (rule, found) in now[who].iter().enumerate() {
                let expected = anew.profile(*ordinal, rule);
                prop_assert_eq!(*found, expected, "{} of {} at +{}", catalogue.audiences[rule].id, ordinal, minute);
            }
        }
    }
    prop_assert_eq!(
        answers(
            &Plan::compile(catalogue, &columns, Timestamp(world.now.0 + i64::from(minutes) * 60), &zone),
            &world.active
        ),
        now
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, max_shrink_iters: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn answers_and_flips_equal_a_new_evaluation_at_every_minute(
        (world, catalogue) in worlds::world().prop_flat_map(|world| {
            let now = world.now;
            (Just(world), worlds::catalogue(now, 1..6))
        }),
        minutes in prop_oneof![Just(130u16), 1..200u16],
    ) {
        flips_replay(&world, &catalogue, minutes)?;
    }
}
