//! Audiences that are nearly the same as what is asked about: whoever defines one more may have meant the one that is there.
//!
//! Sizes that are too far from each other are left out before any members are looked at, so that it costs a question little.

use super::remark::Remark;
use super::{Ground, Wrong};
use crate::audiences::order::resting_on_others;
use crate::audiences::{Catalogue, Expr};
use crate::schema::AudienceId;
use std::collections::BTreeSet;

/// Of those who are in either, more than this share is in both.
const NEARLY: f64 = 0.95;
/// Fewer people than this are alike by chance.
const FEWEST: u64 = 20;
/// So many members are compared at most: those nearest in size.
const MOST_COMPARED: usize = 16;
/// So many are told.
const MOST_TOLD: usize = 3;

/// The people who are asked about.
pub(super) struct Set<'a> {
    /// Whom it holds for.
    pub rule: &'a Expr,
    /// What its references mean.
    pub catalogue: &'a Catalogue,
    /// Its own name, if it has one.
    pub id: Option<&'a AudienceId>,
    /// Whether it rests on another owner's audience.
    pub foreign: bool,
    /// How many, where that is known already.
    pub size: Option<u64>,
}

/// Warnings that name published audiences with nearly the same members. Nothing is told that is not told exactly elsewhere.
///
/// # Errors
/// A damaged section, or nobody waits any more.
pub(super) fn nearly_the_same(ground: &Ground<'_>, set: &Set<'_>) -> Result<Vec<Remark>, Wrong> {
    let owned = ground.who.owner.is_some();
    if owned && (set.foreign || ground.loaded.config.protection.everything) {
        return Ok(Vec::new());
    }
    let mut candidates = candidates(ground, set, owned);
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let members = ground.members(&[set.rule], set.catalogue)?.pop().unwrap_or_default();
    candidates.retain(|(_, _, size)| comparable(*size, members.len()));
    candidates.sort_by_key(|(_, _, size)| size.abs_diff(members.len()));
    let mut found = Vec::new();
    for (id, number, _) in candidates.into_iter().take(MOST_COMPARED) {
        if ground.watch.is_cancelled() {
            return Err(Wrong::BrokenOff);
        }
        let other = ground.view.members(number)?;
        let both = members.intersection_len(&other);
        let share = both as f64 / (members.len() + other.len() - both).max(1) as f64;
        if share > NEARLY {
            found.push((share, id));
        }
    }
    found.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    Ok(found.into_iter().take(MOST_TOLD).map(|(share, id)| remark(set.id, id, share)).collect())
}

/// By name and number, what may be told of exactly and could be as large: with its size.
fn candidates<'g>(ground: &'g Ground<'_>, set: &Set<'_>, owned: bool) -> Vec<(&'g AudienceId, u32, u64)> {
    let catalogue = ground.view.catalogue();
    let resting = if owned { resting_on_others(catalogue) } else { BTreeSet::new() };
    let itself = |id: &AudienceId| set.id == Some(id) || matches!(set.rule, Expr::InAudience(named) if named == id);
    let all = ground.view.serving().manifest().audiences.iter();
    let there = all.filter(|audience| {
        let id = &audience.id;
        let fits = set.size.is_none_or(|size| comparable(audience.members, size));
        fits && audience.members >= FEWEST && ground.who.sees(id.owner()) && !itself(id) && !resting.contains(id)
    });
    there.filter_map(|audience| Some((&audience.id, catalogue.number(&audience.id)?, audience.members))).collect()
}

/// Whether two sets of these sizes can be nearly the same.
fn comparable(one: u64, other: u64) -> bool {
    let (less, more) = (one.min(other), one.max(other));
    less >= FEWEST && less as f64 > NEARLY * more as f64
}

fn remark(of: Option<&AudienceId>, id: &AudienceId, share: f64) -> Remark {
    let these = of.map_or_else(|| "these people are".to_owned(), |of| format!("those in `{of}` are"));
    // 99.96 % is not all of them.
    let percent = (share * 1_000.0).floor() / 10.0;
    Remark {
        severity: "warning".to_owned(),
        code: "nearly-the-same".to_owned(),
        message: format!("{these} nearly the same as in `{id}`: {percent} % of both together are in both"),
        help: vec![format!("use `{id}` if it is meant, or say what should be different")],
        line: 1,
        column: 1,
        length: None,
        field: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_decide_what_can_be_nearly_the_same() {
        assert!(comparable(100, 100) && comparable(96, 100) && comparable(100, 96));
        assert!(!comparable(95, 100) && !comparable(19, 19) && !comparable(0, 0));
    }
}
