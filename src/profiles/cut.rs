//! Cuts components with too many identifiers: a shared device or a poisoned identifier joins people who are not one.
//!
//! The identifier of the highest degree goes first, the lesser key on a tie, until every part is within the limit. Its
//! degree is the number of different rows and links (rows that name the same identifiers count once) that still join
//! it with another. See `docs/decisions/0004-cutting-shared-identifiers.md`.

use super::graph::{find, union};
use super::sets::Sets;
use crate::schema::ProfileKey;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

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
        let mut web = Web::new(&self.members, &self.sets);
        web.cut(keys, max);
        self.members.iter().for_each(|&id| parents[id as usize] = id);
        for set in &web.sets {
            let mut left = set.iter().filter(|&&at| !web.gone[at as usize]).map(|&at| self.members[at as usize]);
            let Some(first) = left.next() else { continue };
            left.for_each(|other| union(parents, first, other));
        }
        cut.extend((0..self.members.len()).filter(|&at| web.gone[at]).map(|at| self.members[at]));
    }
}

/// A component while it is being cut. Members are known by position here.
///
/// The member of the highest degree of all is also that of its own part, so one queue serves all parts; whether a
/// part is still too large is seen by walking it, and the walk ends where it is.
struct Web<'a> {
    members: &'a [u32],
    sets: Vec<Vec<u32>>,
    /// By set: members that are not gone.
    left: Vec<u32>,
    /// By member: where its sets start in `of`; one more at the end.
    starts: Vec<usize>,
    of: Vec<u32>,
    /// By member: sets that join it with another.
    degrees: Vec<u32>,
    gone: Vec<bool>,
    /// By member: the walk that met it last.
    met: Vec<u32>,
    walks: u32,
}

impl<'a> Web<'a> {
    /// `members` ascend, and so do those of a set.
    fn new(members: &'a [u32], sets: &[Vec<u32>]) -> Self {
        let place = |id: &u32| members.binary_search(id).map_or(0, |at| at as u32);
        let sets: Vec<Vec<u32>> = sets.iter().map(|set| set.iter().map(place).collect()).collect();
        let mut starts = vec![0usize; members.len() + 1];
        sets.iter().flatten().for_each(|&at| starts[at as usize + 1] += 1);
        let degrees = starts[1..].iter().map(|&degree| degree as u32).collect();
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        let (mut next, mut of) = (starts.clone(), vec![0u32; starts[members.len()]]);
        for (number, set) in sets.iter().enumerate() {
            for &at in set {
                of[next[at as usize]] = number as u32;
                next[at as usize] += 1;
            }
        }
        let left = sets.iter().map(|set| set.len() as u32).collect();
        let (gone, met) = (vec![false; members.len()], vec![0; members.len()]);
        Web { members, sets, left, starts, of, degrees, gone, met, walks: 0 }
    }

    /// Takes members out until every part is within the limit.
    fn cut(&mut self, keys: &[ProfileKey], max: usize) {
        let members = self.members;
        let rank = |at: u32, degree: u32| (degree, Reverse(keys[members[at as usize] as usize]), at);
        let mut queue: BinaryHeap<_> = (0..).zip(&self.degrees).map(|(at, &degree)| rank(at, degree)).collect();
        while let Some((degree, _, at)) = queue.pop() {
            // Whoever lost a set was queued again; a part that is small enough stays so.
            let outdated = degree != self.degrees[at as usize];
            if outdated || !self.more_than(max, at) {
                continue;
            }
            self.gone[at as usize] = true;
            for of in self.starts[at as usize]..self.starts[at as usize + 1] {
                let set = self.of[of] as usize;
                self.left[set] -= 1;
                if self.left[set] != 1 {
                    continue;
                }
                if let Some(&last) = self.sets[set].iter().find(|&&other| !self.gone[other as usize]) {
                    self.degrees[last as usize] -= 1;
                    queue.push(rank(last, self.degrees[last as usize]));
                }
            }
        }
    }

    /// Whether more than `max` members hang together with this one, itself included.
    fn more_than(&mut self, max: usize, from: u32) -> bool {
        self.walks += 1;
        self.met[from as usize] = self.walks;
        let mut found = vec![from];
        let mut visited = 0;
        while let Some(&at) = found.get(visited) {
            visited += 1;
            for &set in &self.of[self.starts[at as usize]..self.starts[at as usize + 1]] {
                if found.len() > max {
                    return true;
                }
                if self.left[set as usize] < 2 {
                    continue;
                }
                for &other in &self.sets[set as usize] {
                    if !self.gone[other as usize] && self.met[other as usize] != self.walks {
                        self.met[other as usize] = self.walks;
                        found.push(other);
                    }
                }
            }
        }
        found.len() > max
    }
}
