//! Cuts components with too many identifiers: a shared device or a poisoned identifier joins people who are not one.
//!
//! The identifier of the highest degree goes first, the lesser key on a tie, until every part is within the limit. Its
//! degree is the number of different rows and links (rows that name the same identifiers count once) that still join
//! it with another. See `docs/decisions/0004-cutting-shared-identifiers.md`.

use super::graph::{find, union};
use super::sets::Sets;
use crate::schema::ProfileKey;
use std::collections::HashMap;

/// What was cut.
#[derive(Debug, Default)]
pub struct Cut {
    /// Components that were too large.
    pub components: u64,
    /// Identifiers that belong to nobody from now on: positions, ascending.
    pub identifiers: Vec<u32>,
}

/// Cuts every component of more than `max` identifiers; `parents` is the partition before and after. A cut identifier
/// is left alone in its own component.
pub fn oversize(parents: &mut [u32], sets: &Sets, keys: &[ProfileKey], max: usize) -> Cut {
    let mut sizes = vec![0u32; parents.len()];
    for id in 0..parents.len() as u32 {
        sizes[find(parents, id) as usize] += 1;
    }
    let mut components: HashMap<u32, Component> = sizes
        .iter()
        .enumerate()
        .filter(|&(_, &size)| size as usize > max)
        .map(|(root, _)| (root as u32, Component::default()))
        .collect();
    if components.is_empty() {
        return Cut::default();
    }
    drop(sizes);
    sets.each(|set| {
        if let Some(component) = components.get_mut(&find(parents, set[0])) {
            component.sets.push(set.to_vec());
        }
    });
    for id in 0..parents.len() as u32 {
        if let Some(component) = components.get_mut(&find(parents, id)) {
            component.members.push(id);
        }
    }
    let mut cut = Cut { components: components.len() as u64, identifiers: Vec::new() };
    for component in components.into_values() {
        component.cut(parents, keys, max, &mut cut.identifiers);
    }
    cut.identifiers.sort_unstable();
    cut
}

/// Identifiers that hang together, and the different sets that join them.
#[derive(Debug, Default)]
struct Component {
    members: Vec<u32>,
    sets: Vec<Vec<u32>>,
}

impl Component {
    fn cut(mut self, parents: &mut [u32], keys: &[ProfileKey], max: usize, cut: &mut Vec<u32>) {
        // Numbers depend on the order of rows, but a set is a set: equal ones are equal whatever the numbers.
        self.sets.sort_unstable();
        self.sets.dedup();
        let mut waiting = vec![self];
        while let Some(mut part) = waiting.pop() {
            if part.members.len() > max {
                let out = part.worst(keys);
                cut.push(out);
                parents[out as usize] = out;
                part.remove(out);
                waiting.extend(part.split(parents));
            }
        }
    }

    /// The identifier with the highest degree, the least key among equals.
    fn worst(&self, keys: &[ProfileKey]) -> u32 {
        let mut degrees: HashMap<u32, u32> = self.members.iter().map(|&id| (id, 0)).collect();
        for &id in self.sets.iter().flatten() {
            *degrees.entry(id).or_default() += 1;
        }
        let rank = |&(&id, &degree): &(&u32, &u32)| (degree, std::cmp::Reverse(keys[id as usize]));
        degrees.iter().max_by_key(rank).map_or(0, |(&id, _)| id)
    }

    fn remove(&mut self, out: u32) {
        self.members.retain(|&id| id != out);
        self.sets.iter_mut().for_each(|set| set.retain(|&id| id != out));
        self.sets.retain(|set| set.len() > 1);
    }

    /// The parts that hang together, written into `parents`.
    fn split(self, parents: &mut [u32]) -> Vec<Component> {
        self.members.iter().for_each(|&id| parents[id as usize] = id);
        for set in &self.sets {
            set[1..].iter().for_each(|&other| union(parents, set[0], other));
        }
        let mut parts: HashMap<u32, Component> = HashMap::new();
        for id in self.members {
            parts.entry(find(parents, id)).or_default().members.push(id);
        }
        for set in self.sets {
            parts.entry(find(parents, set[0])).or_default().sets.push(set);
        }
        parts.into_values().collect()
    }
}
