//! Who of one generation is who of another: by the identifiers they share. Ordinals mean nothing outside their snapshot.
//!
//! A profile may have been merged with others, or fallen apart, so it may match several. Identifiers are joined in parts of bounded
//! size; what stays in memory is a number a profile, and the pairs of those who match several.

use crate::evaluate::survey::Watch;
use crate::schema::ProfileKey;
use crate::snapshot::keys::Keys;
use roaring::RoaringBitmap;

/// Identifiers that are joined at once, of both generations.
const PART: usize = 1 << 21;
/// Matches nobody.
const NOBODY: u32 = u32::MAX;

/// Who of an earlier generation is who of a later one.
#[derive(Debug, Default)]
pub struct Matching {
    /// By profile of the earlier: one that it matches.
    forth: Vec<u32>,
    /// By profile of the later.
    back: Vec<u32>,
    /// Pairs that either does not say, ascending.
    more: Vec<(u32, u32)>,
}

/// What became of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fates {
    /// Of the later, those that match nobody.
    pub new: u64,
    /// Of the earlier, those that match nobody.
    pub gone: u64,
    /// Of the later, those that match several.
    pub merged: u64,
    /// Of the earlier, those that match several.
    pub split: u64,
}

/// Who came into an audience and who left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moves {
    /// Profiles of the later in it, none of whose matches was.
    pub joins: u64,
    /// Profiles of the earlier in it, none of whose matches is.
    pub leaves: u64,
}

impl Matching {
    /// Joins two generations by their identifiers; `None` when it was broken off. Takes [`steps`](Matching::steps) steps.
    pub fn of(before: &Keys<'_>, after: &Keys<'_>, watch: &Watch) -> Option<Matching> {
        Matching::in_parts(before, after, Matching::steps(before, after), watch)
    }

    /// How many steps a join takes.
    pub fn steps(before: &Keys<'_>, after: &Keys<'_>) -> usize {
        (before.identifiers() + after.identifiers()) / PART + 1
    }

    fn in_parts(before: &Keys<'_>, after: &Keys<'_>, parts: usize, watch: &Watch) -> Option<Matching> {
        let mut matching = Matching {
            forth: vec![NOBODY; before.profiles() as usize],
            back: vec![NOBODY; after.profiles() as usize],
            more: Vec::new(),
        };
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for part in 0..parts {
            if watch.is_cancelled() {
                return None;
            }
            take(before, part, parts, &mut left);
            take(after, part, parts, &mut right);
            matching.join(&left, &right);
            watch.step();
        }
        matching.more.sort_unstable();
        matching.more.dedup();
        Some(matching)
    }

    /// Two lists, both by ascending key. A key is one profile's in a generation.
    fn join(&mut self, left: &[(ProfileKey, u32)], right: &[(ProfileKey, u32)]) {
        let mut right = right.iter().peekable();
        for (key, before) in left {
            while right.next_if(|(other, _)| other < key).is_some() {}
            if let Some((_, after)) = right.peek().filter(|(other, _)| other == key) {
                self.pair(*before, *after);
            }
        }
    }

    fn pair(&mut self, before: u32, after: u32) {
        let (forth, back) = (&mut self.forth[before as usize], &mut self.back[after as usize]);
        if *forth == NOBODY {
            *forth = after;
        }
        if *back == NOBODY {
            *back = before;
        }
        if (*forth, *back) != (after, before) {
            self.more.push((before, after));
        }
    }

    /// What became of everybody.
    pub fn fates(&self) -> Fates {
        let nobody = |profiles: &[u32]| profiles.iter().filter(|other| **other == NOBODY).count() as u64;
        let (mut merged, mut split) = (RoaringBitmap::new(), RoaringBitmap::new());
        for (before, after) in &self.more {
            if self.back[*after as usize] != *before {
                merged.insert(*after);
            }
            if self.forth[*before as usize] != *after {
                split.insert(*before);
            }
        }
        Fates { new: nobody(&self.back), gone: nobody(&self.forth), merged: merged.len(), split: split.len() }
    }

    /// Who moved, of an audience's members before and after.
    pub fn moves(&self, before: &RoaringBitmap, after: &RoaringBitmap, images: &mut Images) -> Moves {
        let Images { forth, back } = images;
        fill(forth, self.back.len(), before.iter().map(|ordinal| self.forth[ordinal as usize]));
        fill(back, self.forth.len(), after.iter().map(|ordinal| self.back[ordinal as usize]));
        for (earlier, later) in &self.more {
            if before.contains(*earlier) {
                set(forth, *later);
            }
            if after.contains(*later) {
                set(back, *earlier);
            }
        }
        let outside =
            |members: &RoaringBitmap, image: &[u64]| members.iter().filter(|ordinal| !has(image, *ordinal)).count();
        Moves { joins: outside(after, forth) as u64, leaves: outside(before, back) as u64 }
    }
}

/// Room for one audience's matches, used again for the next.
#[derive(Debug, Default)]
pub struct Images {
    forth: Vec<u64>,
    back: Vec<u64>,
}

fn fill(image: &mut Vec<u64>, profiles: usize, matches: impl Iterator<Item = u32>) {
    image.clear();
    image.resize(profiles.div_ceil(64), 0);
    matches.filter(|other| *other != NOBODY).for_each(|other| set(image, other));
}

fn set(image: &mut [u64], ordinal: u32) {
    image[ordinal as usize / 64] |= 1 << (ordinal % 64);
}

fn has(image: &[u64], ordinal: u32) -> bool {
    image[ordinal as usize / 64] >> (ordinal % 64) & 1 == 1
}

/// The identifiers of one part, by ascending key: keys are hashes, so their first bits part them evenly.
fn take(keys: &Keys<'_>, part: usize, parts: usize, into: &mut Vec<(ProfileKey, u32)>) {
    into.clear();
    for ordinal in 0..keys.profiles() {
        let mine = keys.of(ordinal).filter(|(key, _)| ((key.0 >> 96) as usize * parts) >> 32 == part);
        into.extend(mine.map(|(key, _)| (key, ordinal)));
    }
    into.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::keys::write_keys;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// The identifiers of each profile.
    type People = Vec<BTreeSet<u8>>;

    fn key(number: u8) -> ProfileKey {
        ProfileKey(u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c87_4b1d_3a65))
    }

    fn section(people: &People) -> Vec<u8> {
        let mut starts = vec![0];
        let mut identifiers = Vec::new();
        for ids in people {
            let mut keys: Vec<_> = ids.iter().map(|id| (key(*id), 0)).collect();
            keys.sort_unstable();
            identifiers.extend(keys);
            starts.push(identifiers.len() as u32);
        }
        let mut bytes = Vec::new();
        write_keys(&starts, identifiers.iter().copied(), &mut bytes).unwrap();
        bytes
    }

    /// Everybody has identifiers of their own.
    fn people() -> impl Strategy<Value = People> {
        proptest::collection::vec(0..12usize, 40).prop_map(|owners| {
            let mut people: People = vec![BTreeSet::new(); 12];
            for (id, owner) in owners.iter().enumerate() {
                people[*owner].insert(id as u8);
            }
            people.retain(|ids| !ids.is_empty());
            people
        })
    }

    fn matches<'a>(ids: &'a BTreeSet<u8>, others: &'a People) -> impl Iterator<Item = usize> + 'a {
        (0..others.len()).filter(move |other| !others[*other].is_disjoint(ids))
    }

    /// How many of one side's members match no member of the other.
    fn without(mine: &People, members: &[usize], others: &People, their: &[usize]) -> u64 {
        members.iter().filter(|it| !matches(&mine[**it], others).any(|other| their.contains(&other))).count() as u64
    }

    fn fate(mine: &People, others: &People, of: impl Fn(usize) -> bool) -> u64 {
        mine.iter().filter(|ids| of(matches(ids, others).count())).count() as u64
    }

    proptest! {
        #[test]
        fn profiles_match_as_their_sets_of_keys_do(
            before in people(),
            after in people(),
            some in proptest::collection::vec(any::<bool>(), 24),
            parts in 1..5usize,
        ) {
            // Some identifiers are of one generation alone.
            let known = |ids: &BTreeSet<u8>, from, to| ids.iter().copied().filter(|id| (from..to).contains(id)).collect();
            let before: People = before.iter().map(|ids| known(ids, 0u8, 35)).filter(|ids: &BTreeSet<u8>| !ids.is_empty()).collect();
            let after: People = after.iter().map(|ids| known(ids, 5u8, 40)).filter(|ids: &BTreeSet<u8>| !ids.is_empty()).collect();
            let (left, right) = (section(&before), section(&after));
            let (left, right) = (Keys::open(&left).unwrap(), Keys::open(&right).unwrap());
            let matching = Matching::in_parts(&left, &right, parts, &Watch::default()).unwrap();
            let fates = Fates {
                new: fate(&after, &before, |matches| matches == 0),
                gone: fate(&before, &after, |matches| matches == 0),
                merged: fate(&after, &before, |matches| matches > 1),
                split: fate(&before, &after, |matches| matches > 1),
            };
            prop_assert_eq!(matching.fates(), fates);
            let members = |people: &People, from: usize| -> Vec<usize> { (0..people.len()).filter(|it| some[from + it]).collect() };
            let (was, is) = (members(&before, 0), members(&after, 12));
            let bitmap = |members: &[usize]| RoaringBitmap::from_iter(members.iter().map(|it| *it as u32));
            let moves = Moves { joins: without(&after, &is, &before, &was), leaves: without(&before, &was, &after, &is) };
            prop_assert_eq!(matching.moves(&bitmap(&was), &bitmap(&is), &mut Images::default()), moves);
        }
    }

    #[test]
    fn it_can_be_broken_off() {
        let bytes = section(&vec![BTreeSet::from([1])]);
        let (keys, watch) = (Keys::open(&bytes).unwrap(), Watch::default());
        watch.cancel();
        assert!(Matching::of(&keys, &keys, &watch).is_none());
    }
}
