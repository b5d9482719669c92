//! References between audiences: in which order rules can be evaluated, which go round in a circle, and which go on too long.

use super::Catalogue;
use super::rule::leaves;
use crate::schema::AudienceId;
use std::collections::{BTreeSet, HashMap};

/// The audiences' numbers in an order in which each comes after those its rule refers to; always the same for the same
/// catalogue. References to unknown audiences do not count, and neither do members of a cycle order each other
/// (the definitions' check refuses both).
pub fn evaluation_order(catalogue: &Catalogue) -> Vec<u32> {
    depth_first(&references(catalogue)).0
}

/// The first cycle there is, as the ids along it, its first at the end again.
pub fn cycle(catalogue: &Catalogue) -> Option<Vec<&AudienceId>> {
    let (_, cycle) = depth_first(&references(catalogue));
    cycle.map(|numbers| numbers.into_iter().map(|at| &catalogue.audiences[at as usize].id).collect())
}

/// References that a chain of them may have: what evaluates one profile or explains it goes down a chain step by step,
/// and nobody understands a longer one.
pub const MAX_CHAIN: usize = 100;

/// The shortest chain of references that is longer than [`MAX_CHAIN`], as the ids along it from the audience that refers
/// to those that it rests on. Of a catalogue without cycles.
pub fn endless(catalogue: &Catalogue) -> Option<Vec<&AudienceId>> {
    let references = references(catalogue);
    let (order, _) = depth_first(&references);
    // How many references lie below an audience, and the next on the longest chain down.
    let mut below: Vec<(usize, Option<u32>)> = vec![(0, None); references.len()];
    for &at in &order {
        let deepest = references[at as usize].iter().max_by_key(|to| below[**to as usize].0);
        let Some(&to) = deepest else { continue };
        below[at as usize] = (below[to as usize].0 + 1, Some(to));
        if below[at as usize].0 > MAX_CHAIN {
            let chain = std::iter::successors(Some(at), |at| below[*at as usize].1);
            return Some(chain.map(|at| &catalogue.audiences[at as usize].id).collect());
        }
    }
    None
}

/// For each audience the numbers of those its rule refers to, ascending.
pub fn references(catalogue: &Catalogue) -> Vec<Vec<u32>> {
    let numbers: HashMap<&AudienceId, u32> = (0u32..).zip(&catalogue.audiences).map(|(at, a)| (&a.id, at)).collect();
    let of = |audience: &super::Audience| match &audience.rule {
        Some(rule) => leaves(&rule.0).audiences.iter().filter_map(|id| numbers.get(id).copied()).collect(),
        None => Vec::new(),
    };
    catalogue.audiences.iter().map(of).collect()
}

/// Audiences whose rule refers to another owner's, directly or not: what an owner is told of those it could have told of what is
/// not its own.
pub fn resting_on_others(catalogue: &Catalogue) -> BTreeSet<&AudienceId> {
    let (references, all) = (references(catalogue), &catalogue.audiences);
    let mut resting = vec![false; all.len()];
    for at in evaluation_order(catalogue) {
        let own = all[at as usize].id.owner();
        resting[at as usize] =
            references[at as usize].iter().any(|&on| resting[on as usize] || all[on as usize].id.owner() != own);
    }
    all.iter().zip(resting).filter(|(_, resting)| *resting).map(|(audience, _)| &audience.id).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Visits every audience after its references, without recursion: the check asks here before it refuses long chains.
fn depth_first(references: &[Vec<u32>]) -> (Vec<u32>, Option<Vec<u32>>) {
    let mut marks = vec![Mark::New; references.len()];
    let mut order = Vec::with_capacity(references.len());
    let mut cycle = None;
    for root in 0..references.len() as u32 {
        if marks[root as usize] != Mark::New {
            continue;
        }
        let mut path = vec![(root, 0usize)];
        marks[root as usize] = Mark::Open;
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            let Some(&to) = references[at as usize].get(*next) else {
                marks[at as usize] = Mark::Done;
                order.push(at);
                path.pop();
                continue;
            };
            *next += 1;
            match marks[to as usize] {
                Mark::New => {
                    marks[to as usize] = Mark::Open;
                    path.push((to, 0));
                }
                Mark::Open if cycle.is_none() => {
                    let from = path.iter().position(|(at, _)| *at == to).unwrap_or(0);
                    cycle = Some(path[from..].iter().map(|(at, _)| *at).chain([to]).collect());
                }
                Mark::Open | Mark::Done => {}
            }
        }
    }
    (order, cycle)
}
