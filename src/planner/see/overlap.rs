//! How some sets meet: sizes, the pairwise matrix, and who is in exactly which of them (for an UpSet picture). Exact.

use super::ask::Named;
use super::remark::fault;
use super::{Ground, Over, Wrong};
use crate::evaluate::survey::{MOST_SETS, overlap as meet};
use crate::planner::protect::{Teller, Told};
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use utoipa::ToSchema;

/// Sets that are looked at together where counts are protected: every cell is a set of its own there.
const MOST_PROTECTED: usize = 6;

/// How do they meet?
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OverlapQuestion)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The sets.
    #[schema(min_items = 2, max_items = 12)]
    pub sets: Vec<Named>,
}

/// How they meet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverlapAnswer)]
pub struct Answer {
    /// The sets, in the order of the question.
    pub sets: Vec<Set>,
    /// By set and set: who is in both.
    pub pairs: Vec<Vec<Told>>,
    /// Who is in exactly these sets, the most first. Nobody is in the others, or too few to be told.
    pub exclusive: Vec<Exclusive>,
    /// Over what they were counted.
    #[serde(flatten)]
    pub over: Over,
}

/// A set.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverlapSet)]
pub struct Set {
    /// Its id, or its rule.
    pub label: String,
    /// Who is in it.
    #[serde(flatten)]
    pub told: Told,
    /// Of all profiles.
    pub share: Option<f64>,
}

/// Who is in exactly some of the sets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OverlapExclusive)]
pub struct Exclusive {
    /// In these, by their place in the question, from 0; and in no other of them.
    pub sets: Vec<usize>,
    /// How many.
    #[serde(flatten)]
    pub told: Told,
}

/// Counts.
///
/// # Errors
/// What is wrong with the question, or nobody waits any more.
pub fn overlap(ground: &Ground<'_>, question: &Question) -> Result<Answer, Wrong> {
    let since = Instant::now();
    let count = question.sets.len();
    if !(2..=MOST_SETS).contains(&count) {
        let detail = format!("`sets` names {count} sets; 2 to {MOST_SETS} are expected");
        return Err(Wrong::Asked(vec![fault("wrong-count", "/sets", detail, "")]));
    }
    let mut faults = Vec::new();
    let mut meant = Vec::new();
    for (at, named) in question.sets.iter().enumerate() {
        match ground.meant(named, &format!("/sets/{at}")) {
            Ok(one) => meant.push(one),
            Err(Wrong::Asked(wrong)) => faults.extend(wrong),
            Err(other) => return Err(other),
        }
    }
    if !faults.is_empty() {
        return Err(Wrong::Asked(faults));
    }
    let teller = ground.teller(meant.iter().any(|one| one.foreign), count)?;
    if teller.is_guarded() && count > MOST_PROTECTED {
        let detail = format!("{count} sets are asked about; at most {MOST_PROTECTED} where one is another owner's");
        return Err(Wrong::Asked(vec![fault("wrong-count", "/sets", detail, "ask about fewer at once")]));
    }
    let mut sets = Vec::with_capacity(count);
    for one in &meant {
        sets.extend(ground.members(&[&one.rule], &one.catalogue)?);
    }
    let cells = cells(&sets, &teller);
    let profiles = u64::from(ground.view.columns().ordinals());
    let labels = question.sets.iter().zip(&meant).enumerate().map(|(at, (named, one))| match (&one.id, &named.rule) {
        (Some(id), _) => id.to_string(),
        (None, Some(rule)) => rule.clone(),
        (None, None) => format!("set {at}"),
    });
    let told = labels.zip(cells.sizes).map(|(label, told)| Set { label, told, share: told.share(profiles) });
    let sets = told.collect();
    Ok(Answer { sets, pairs: cells.pairs, exclusive: cells.exclusive, over: ground.over(since) })
}

/// Everything there is to tell.
struct Cells {
    sizes: Vec<Told>,
    pairs: Vec<Vec<Told>>,
    exclusive: Vec<Exclusive>,
}

fn cells(sets: &[RoaringBitmap], teller: &Teller<'_>) -> Cells {
    let met = meet(sets);
    let places = |mask: u16| (0..sets.len()).filter(|at| mask >> at & 1 == 1).collect::<Vec<usize>>();
    let mut cells = if teller.is_guarded() {
        let exactly = |mask: u16| {
            let within = |at: usize| mask >> at & 1 == 1;
            let first = sets[mask.trailing_zeros() as usize].clone();
            sets.iter().enumerate().fold(first, |all, (at, set)| if within(at) { all & set } else { all - set })
        };
        let exclusive = met.exclusive.iter().map(|(mask, _)| (*mask, teller.tell(&exactly(*mask))));
        Cells {
            sizes: sets.iter().map(|set| teller.tell(set)).collect(),
            pairs: sets.iter().map(|a| sets.iter().map(|b| teller.tell(&(a & b))).collect()).collect(),
            // Which cells are empty is a count, too: what is hidden stands with them.
            exclusive: exclusive
                .filter(|(_, told)| told.count.is_some())
                .map(|(mask, told)| Exclusive { sets: places(mask), told })
                .collect(),
        }
    } else {
        let told = |counts: &[u64]| counts.iter().copied().map(Told::exactly).collect::<Vec<_>>();
        let exclusive = met.exclusive.iter();
        Cells {
            sizes: told(&met.sizes),
            pairs: met.pairs.iter().map(|row| told(row)).collect(),
            exclusive: exclusive
                .map(|(mask, count)| Exclusive { sets: places(*mask), told: Told::exactly(*count) })
                .collect(),
        }
    };
    cells.exclusive.sort_by(|a, b| b.told.count.cmp(&a.told.count).then_with(|| a.sets.cmp(&b.sets)));
    cells
}
