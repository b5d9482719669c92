//! What a lookup says. Buffers are reused: an answer that has been used before costs no allocation.

use crate::snapshot::forward::flags;

/// How a lookup ended. The order is by strength: a stronger outcome of any identifier wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Outcome {
    /// There was no identifier to look up.
    #[default]
    NoId,
    /// None of the identifiers is known.
    NoProfile,
    /// At least one profile was found.
    Matched,
    /// Profiling was withdrawn or refused: nothing is said of the profile.
    NoConsent,
    /// Marketing was objected to: never speak to this person.
    Blocked,
}

/// The answer to one lookup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// How it ended.
    pub outcome: Outcome,
    /// The audiences of the first matched profile, ascending, of both kinds. Empty unless matched.
    pub audiences: Vec<u32>,
    /// Those of all matched profiles together, ascending: what may exclude. Empty unless matched.
    pub excluded_by: Vec<u32>,
    /// Profiles matched.
    pub profiles: u32,
    /// Which of the keys are known, whatever they stand for: bit 0 is the first; keys past the 128th have no bit.
    pub known: u128,
    /// The matched profiles, in order of precedence: ordinals, which stay within their snapshot, and from the snapshot's number
    /// of profiles on strangers, who stay within their overlay.
    pub(super) ordinals: Vec<u32>,
}

impl Answer {
    /// An answer with room for `audiences` audiences, so that even its first use allocates nothing.
    pub fn with_capacity(audiences: usize) -> Answer {
        Answer {
            audiences: Vec::with_capacity(audiences),
            excluded_by: Vec::with_capacity(audiences),
            ordinals: Vec::with_capacity(16),
            ..Answer::default()
        }
    }

    /// The matched profiles in order of precedence, for whoever looks further within the same snapshot and overlay: ordinals,
    /// and from the snapshot's number of profiles on people whom only the overlay knows.
    pub fn matched(&self) -> &[u32] {
        &self.ordinals
    }

    /// Makes it say nothing, and keeps its buffers.
    pub fn clear(&mut self) {
        self.outcome = Outcome::NoId;
        self.profiles = 0;
        self.known = 0;
        self.audiences.clear();
        self.excluded_by.clear();
        self.ordinals.clear();
    }

    /// Takes note of an outcome; a stronger one stays.
    pub(super) fn raise(&mut self, outcome: Outcome) {
        self.outcome = self.outcome.max(outcome);
    }

    /// Takes note of a profile's flags.
    pub(super) fn raise_by(&mut self, profile: u8) {
        if profile & flags::OBJECTS_TO_MARKETING != 0 {
            self.raise(Outcome::Blocked);
        } else if profile & (flags::OBJECTS_TO_PROFILING | flags::REFUSED) != 0 {
            self.raise(Outcome::NoConsent);
        }
    }

    /// An answer that is not `Matched` says nothing of any profile.
    pub(super) fn settle(&mut self) {
        if self.outcome != Outcome::Matched {
            self.audiences.clear();
            self.excluded_by.clear();
        }
    }
}

/// Merges `other`, ascending, into `into`, ascending: the union, in place.
pub(super) fn unite(into: &mut Vec<u32>, other: &[u32]) {
    if into.is_empty() {
        into.extend_from_slice(other);
        return;
    }
    let (mut left, mut right) = (into.len(), other.len());
    let common = intersection(into, other);
    let mut at = left + right - common;
    into.resize(at, 0);
    // From the back, so that nothing is overwritten before it is read; what is left of `into` is in its place.
    while right > 0 {
        at -= 1;
        if left > 0 && into[left - 1] >= other[right - 1] {
            if into[left - 1] == other[right - 1] {
                right -= 1;
            }
            left -= 1;
            into[at] = into[left];
        } else {
            right -= 1;
            into[at] = other[right];
        }
    }
}

fn intersection(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                (i, j, common) = (i + 1, j + 1, common + 1);
            }
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unite_is_the_union(a in prop::collection::btree_set(0u32..40, 0..30), b in prop::collection::btree_set(0u32..40, 0..30)) {
            let union: Vec<u32> = a.union(&b).copied().collect();
            let mut into: Vec<u32> = a.into_iter().collect();
            unite(&mut into, &b.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(into, union);
        }
    }

    #[test]
    fn the_strongest_outcome_stays() {
        let mut answer = Answer::default();
        for (profile, expected) in [(0, Outcome::NoId), (flags::REFUSED, Outcome::NoConsent)] {
            answer.raise_by(profile);
            assert_eq!(answer.outcome, expected);
        }
        answer.raise(Outcome::Matched);
        assert_eq!(answer.outcome, Outcome::NoConsent);
        answer.raise_by(flags::UNREADABLE);
        assert_eq!(answer.outcome, Outcome::Blocked);
    }
}
