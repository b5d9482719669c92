//! Both modes against each other and against the oracle.

mod oracle;
mod worlds;

use super::*;
use crate::snapshot::columns::{BLOCK, Sections};
use jiff::tz::TimeZone;
use oracle::Oracle;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2_000, ..ProptestConfig::default() })]
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
            for rule in 0..plan.len() {
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
                    counts[rule] += u64::from(expected);
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
