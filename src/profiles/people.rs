//! The outcome of the identity graph: profiles with ordinals, by ascending least key.

use super::NOBODY;
use super::graph::{Node, find};
use super::sets::Sets;
use crate::schema::ProfileKey;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// What the identity graph saw and did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IdentityReport {
    /// Rows about persons.
    pub rows: u64,
    /// Links of persons and devices.
    pub links: u64,
    /// Household links: counted, they merge nobody.
    pub household_links: u64,
    /// Different identifiers.
    pub identifiers: u64,
    /// Profiles.
    pub profiles: u64,
    /// Identifiers without a profile: only consents or household links mention them.
    pub identifiers_without_profile: u64,
    /// How many profiles have so many identifiers: `1`, `2`, `3-4`, `5-8`, ... keyed by the upper bound.
    pub ids_per_profile: BTreeMap<u32, u64>,
    /// Identifiers of profiles by number of the identifier type.
    pub by_id_type: BTreeMap<u16, u64>,
    /// Components that had more identifiers than a profile may have.
    pub cut_components: u64,
    /// Identifiers that were cut off: they belong to nobody.
    pub cut_identifiers: u64,
}

/// Profiles and their identifiers. Identifiers are known by number, profiles by ordinal.
#[derive(Debug)]
pub struct People {
    keys: Vec<ProfileKey>,
    types: Vec<u16>,
    ordinals: Vec<u32>,
    sorted: Sorted,
    sets: Sets,
    seeds: Vec<u32>,
    strangers: Strangers,
    report: IdentityReport,
}

/// The same identifiers by ascending key: whoever goes through them in this order reads memory in order.
#[derive(Debug, Default)]
struct Sorted {
    keys: Vec<ProfileKey>,
    types: Vec<u16>,
    ordinals: Vec<u32>,
}

/// Identifiers without a profile that rows of consent join: an objection of one is an objection of all.
#[derive(Debug, Default)]
struct Strangers {
    roots: HashMap<u32, u32>,
    /// (root, identifier), ascending.
    members: Vec<(u32, u32)>,
}

impl Strangers {
    fn new(mut members: Vec<(u32, u32)>) -> Self {
        members.sort_unstable();
        let mut joined = Vec::new();
        for group in members.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            joined.extend_from_slice(group);
        }
        let members = joined;
        Strangers { roots: members.iter().map(|&(root, id)| (id, root)).collect(), members }
    }

    fn with(&self, id: u32) -> &[(u32, u32)] {
        let Some(&root) = self.roots.get(&id) else { return &[] };
        let from = self.members.partition_point(|&(other, _)| other < root);
        let to = self.members.partition_point(|&(other, _)| other <= root);
        &self.members[from..to]
    }
}

impl People {
    pub(super) fn new(
        keys: Vec<ProfileKey>,
        types: Vec<u16>,
        mut parents: Vec<u32>,
        mentioned: Vec<bool>,
        sets: Sets,
        cut: &[u32],
        mut report: IdentityReport,
    ) -> Self {
        let mut lives = mentioned;
        cut.iter().for_each(|&id| lives[id as usize] = false);
        // From here on everybody points at the root.
        for id in 0..parents.len() as u32 {
            let root = find(&mut parents, id);
            parents[id as usize] = root;
            if lives[id as usize] {
                lives[root as usize] = true;
            }
        }
        let mut roots = parents;
        let mut without_profile = Vec::new();
        for (id, root) in (0..).zip(&mut roots).filter(|(_, root)| !lives[**root as usize]) {
            without_profile.push((std::mem::replace(root, NOBODY), id));
        }
        drop(lives);
        let order = ascending(&keys);
        let mut sorted = Sorted {
            keys: order.par_iter().map(|&id| keys[id as usize]).collect(),
            types: order.par_iter().map(|&id| types[id as usize]).collect(),
            ordinals: order.par_iter().map(|&id| roots[id as usize]).collect(),
        };
        drop(order);
        let mut by_root = vec![NOBODY; roots.len()];
        let seeds = sorted.give_ordinals(&mut by_root);
        let mut ordinals = roots;
        ordinals.par_iter_mut().filter(|root| **root != NOBODY).for_each(|root| *root = by_root[*root as usize]);
        drop(by_root);
        let strangers = Strangers::new(without_profile);
        count(&mut report, &ordinals, &types, seeds.len());
        People { keys, types, ordinals, sorted, sets, seeds, strangers, report }
    }

    /// Number of profiles.
    pub fn len(&self) -> u32 {
        self.seeds.len() as u32
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.seeds.is_empty()
    }

    /// One 32-bit seed an ordinal: the top bits of the profile's least key.
    pub fn seeds(&self) -> &[u32] {
        &self.seeds
    }

    /// What the graph saw and did.
    pub fn report(&self) -> &IdentityReport {
        &self.report
    }

    /// The ordinal of whom a row speaks; [`NOBODY`] where all its identifiers were cut or are unknown.
    pub fn ordinal(&self, node: Node) -> u32 {
        match node.read() {
            Ok(id) => self.ordinals[id as usize],
            Err(set) => {
                self.sets.get(set).map(|id| self.ordinals[id as usize]).find(|&who| who != NOBODY).unwrap_or(NOBODY)
            }
        }
    }

    /// The identifiers without a profile that are joined with this one, itself included; none where it has a profile.
    pub fn strangers_with(&self, id: u32) -> impl Iterator<Item = u32> + '_ {
        self.strangers.with(id).iter().map(|&(_, id)| id)
    }

    /// Every identifier by ascending key: (key, type, ordinal or [`NOBODY`]).
    pub fn identifiers(&self) -> impl Iterator<Item = (ProfileKey, u16, u32)> + Clone + '_ {
        let Sorted { keys, types, ordinals } = &self.sorted;
        keys.iter().zip(types).zip(ordinals).map(|((&key, &id_type), &who)| (key, id_type, who))
    }

    /// The identifier of this number: (key, type, ordinal or [`NOBODY`]).
    pub fn identifier(&self, number: u32) -> (ProfileKey, u16, u32) {
        let id = number as usize;
        (self.keys[id], self.types[id], self.ordinals[id])
    }

    /// Identifiers by ordinal: those of ordinal `o` are `places[starts[o]..starts[o + 1]]`, places for
    /// [`at`](Self::at), by ascending key.
    pub fn by_ordinal(&self) -> (Vec<u32>, Vec<u32>) {
        let ordinals = &self.sorted.ordinals;
        let mut starts = vec![0u32; self.seeds.len() + 1];
        ordinals.iter().filter(|&&who| who != NOBODY).for_each(|&who| starts[who as usize + 1] += 1);
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        let mut next = starts.clone();
        let mut places = vec![0u32; starts.last().map_or(0, |&total| total as usize)];
        for (place, &who) in (0..).zip(ordinals).filter(|(_, who)| **who != NOBODY) {
            places[next[who as usize] as usize] = place;
            next[who as usize] += 1;
        }
        (starts, places)
    }

    /// The identifiers at these places in the order of keys, and their types. They lie scattered, so a block of them is
    /// read at once: its cache misses overlap.
    pub fn at<'a>(&'a self, places: &'a [u32]) -> impl Iterator<Item = (ProfileKey, u16)> + Clone + 'a {
        const BLOCK: usize = 64;
        let Sorted { keys, types, .. } = &self.sorted;
        places.chunks(BLOCK).flat_map(|places| {
            let mut block = [(ProfileKey(0), 0); BLOCK];
            for (slot, &place) in block.iter_mut().zip(places) {
                *slot = (keys[place as usize], types[place as usize]);
            }
            block.into_iter().take(places.len())
        })
    }

    /// Frees what only [`identifier`](Self::identifier) needs, which is not to be asked any more.
    pub fn forget_numbers(&mut self) {
        self.keys = Vec::new();
        self.types = Vec::new();
    }

    /// Frees what only the sections of identifiers need; [`ordinal`](Self::ordinal) and the seeds remain.
    pub fn forget_keys(&mut self) {
        self.sorted = Sorted::default();
    }
}

impl Sorted {
    /// Turns roots into ordinals, in the order of keys: the first identifier of a component is its least. Fills `by_root`;
    /// returns the seeds, by ordinal.
    fn give_ordinals(&mut self, by_root: &mut [u32]) -> Vec<u32> {
        let mut seeds = Vec::new();
        for (who, key) in self.ordinals.iter_mut().zip(&self.keys).filter(|(root, _)| **root != NOBODY) {
            let ordinal = &mut by_root[*who as usize];
            if *ordinal == NOBODY {
                *ordinal = seeds.len() as u32;
                seeds.push((key.0 >> 96) as u32);
            }
            *who = *ordinal;
        }
        seeds
    }
}

/// Positions by ascending key. The top half decides nearly always; equal halves look at the whole.
fn ascending(keys: &[ProfileKey]) -> Vec<u32> {
    let mut order: Vec<(u64, u32)> =
        keys.par_iter().enumerate().map(|(id, key)| ((key.0 >> 64) as u64, id as u32)).collect();
    order.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| keys[a.1 as usize].cmp(&keys[b.1 as usize])));
    order.into_iter().map(|(_, id)| id).collect()
}

fn count(report: &mut IdentityReport, ordinals: &[u32], types: &[u16], profiles: usize) {
    let mut per_profile = vec![0u32; profiles];
    for (&who, &id_type) in ordinals.iter().zip(types) {
        if who == NOBODY {
            report.identifiers_without_profile += 1;
        } else {
            per_profile[who as usize] += 1;
            *report.by_id_type.entry(id_type).or_default() += 1;
        }
    }
    report.identifiers_without_profile -= report.cut_identifiers;
    report.identifiers = ordinals.len() as u64;
    report.profiles = profiles as u64;
    per_profile.iter().for_each(|ids| *report.ids_per_profile.entry(ids.next_power_of_two()).or_default() += 1);
}
