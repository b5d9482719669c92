//! What was shown since the snapshot's cut, by profile: the last times of each campaign, as far as a cap, a gap, a group or
//! pressure can ask for them. Written by one thread, read by every request without locks.
//!
//! Belongs to one snapshot, like the ordinals and campaign numbers in it: a swap begins with an empty one and fills it from
//! the log. What is said about the times is `decide`'s; who is counted is the caller's (a profile or a stranger, by number).

use crate::schema::Timestamp;
use papaya::HashMap;
use std::collections;
use std::sync::atomic::{AtomicU64, Ordering};

/// The most impressions that are remembered of one profile: past it the oldest are forgotten.
const MOST_OF_A_PROFILE: usize = 4_096;

/// A campaign's number, and when its message was shown: seconds since the epoch.
type Shown = (u32, u32);

/// What was shown since the snapshot.
#[derive(Debug, Default)]
pub struct Exposures {
    /// Campaigns by `owner/id`: number, and how many times are kept.
    campaigns: collections::HashMap<Box<str>, (u32, u16)>,
    profiles: HashMap<u32, Box<[Shown]>>,
    /// The most profiles.
    most: usize,
    /// How many impressions are remembered.
    count: AtomicU64,
    /// Impressions that found no room: they count from the next generation on.
    left_out: AtomicU64,
}

impl Exposures {
    /// Nothing yet. `campaigns`: `owner/id` and how many times of each profile are kept (0 = nothing asks for them), in the
    /// order of their numbers; `most` profiles are followed.
    pub fn new<'a>(campaigns: impl IntoIterator<Item = (&'a str, u16)>, most: usize) -> Self {
        let numbered = (0..).zip(campaigns).filter(|(_, (_, keep))| *keep > 0);
        Exposures {
            campaigns: numbered.map(|(number, (id, keep))| (id.into(), (number, keep))).collect(),
            most,
            ..Exposures::default()
        }
    }

    /// Takes note that a campaign's message (`owner/id`) was shown to a profile. Whether it is remembered: not when nothing
    /// asks for it, when it is older than what is kept already, or when there is no room. One thread at a time.
    pub fn record(&self, profile: u32, campaign: &str, time: Timestamp) -> bool {
        let Some(&(campaign, keep)) = self.campaigns.get(campaign) else { return false };
        let shown = (campaign, u32::try_from(time.0.max(0)).unwrap_or(u32::MAX));
        let profiles = self.profiles.pin();
        let before: &[Shown] = match profiles.get(&profile) {
            Some(before) => before,
            None if profiles.len() >= self.most => {
                self.left_out.fetch_add(1, Ordering::Relaxed);
                return false;
            }
            None => &[],
        };
        let Some(after) = with(before, shown, usize::from(keep)) else { return false };
        self.count.fetch_add((after.len() - before.len().min(after.len())) as u64, Ordering::Relaxed);
        profiles.insert(profile, after);
        true
    }

    /// What was shown to a profile, by campaign and time: campaign's number and instant.
    #[inline]
    pub fn of(&self, profile: u32, mut each: impl FnMut(u32, Timestamp)) {
        if self.profiles.is_empty() {
            return;
        }
        if let Some(shown) = self.profiles.pin().get(&profile) {
            shown.iter().for_each(|&(campaign, time)| each(campaign, Timestamp(time.into())));
        }
    }

    /// Forgets what was shown to a profile. One thread at a time.
    pub fn forget(&self, profile: u32) {
        if let Some(shown) = self.profiles.pin().remove(&profile) {
            self.count.fetch_sub(shown.len() as u64, Ordering::Relaxed);
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.profiles.pin().clear();
        self.count.store(0, Ordering::Relaxed);
    }

    /// How many profiles have some.
    pub fn profiles(&self) -> usize {
        self.profiles.len()
    }

    /// How many impressions found no room.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// About how many bytes they take: 8 an impression, 48 a profile.
    pub fn bytes(&self) -> u64 {
        8 * self.count.load(Ordering::Relaxed) + 48 * self.profiles.len() as u64
    }
}

/// The list with one more, sorted, at most `keep` of its campaign and [`MOST_OF_A_PROFILE`] in all: the latest. `None` = it
/// is older than all that are kept.
fn with(before: &[Shown], shown: Shown, keep: usize) -> Option<Box<[Shown]>> {
    let at = before.partition_point(|other| *other <= shown);
    let from = before.partition_point(|other| other.0 < shown.0);
    let same = before[from..].partition_point(|other| other.0 == shown.0);
    let mut after = Vec::with_capacity(before.len() + 1);
    after.extend_from_slice(&before[..at]);
    after.push(shown);
    after.extend_from_slice(&before[at..]);
    if same >= keep {
        if at == from {
            return None;
        }
        after.remove(from);
    }
    if after.len() > MOST_OF_A_PROFILE {
        let oldest = (0..after.len()).min_by_key(|&at| after[at].1)?;
        after.remove(oldest);
    }
    Some(after.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(exposures: &Exposures, profile: u32) -> Vec<(u32, i64)> {
        let mut all = Vec::new();
        exposures.of(profile, |campaign, time| all.push((campaign, time.0)));
        all
    }

    proptest! {
        #[test]
        fn the_last_of_each_campaign_are_kept(
            keeps in prop::collection::vec(0u16..5, 1..6),
            shown in prop::collection::vec((0u32..4, 0usize..6, 0i64..40), 0..120),
        ) {
            let names: Vec<String> = (0..keeps.len()).map(|number| format!("o/c{number}")).collect();
            let exposures = Exposures::new(names.iter().map(String::as_str).zip(keeps.iter().copied()), 100);
            for &(profile, campaign, time) in &shown {
                exposures.record(profile, names.get(campaign).map_or("o/unknown", |name| name), Timestamp(time));
            }
            let mut total = 0;
            for profile in 0..4 {
                let mut expected = Vec::new();
                for (campaign, &keep) in keeps.iter().enumerate() {
                    let mut times: Vec<i64> =
                        shown.iter().filter(|it| it.0 == profile && it.1 == campaign).map(|it| it.2).collect();
                    times.sort_unstable();
                    let from = times.len().saturating_sub(keep.into());
                    expected.extend(times[from..].iter().map(|&time| (campaign as u32, time)));
                }
                total += expected.len() as u64;
                prop_assert_eq!(of(&exposures, profile), expected);
            }
            prop_assert_eq!(exposures.bytes(), total * 8 + 48 * exposures.profiles() as u64);
        }
    }

    #[test]
    fn there_is_an_end_to_how_many_are_kept() {
        let exposures = Exposures::new([("o/a", 2), ("o/b", u16::MAX)], 2);
        assert!(exposures.record(1, "o/a", Timestamp(1)) && exposures.record(2, "o/a", Timestamp(1)));
        assert!(!exposures.record(3, "o/a", Timestamp(1)));
        assert_eq!((exposures.profiles(), exposures.left_out()), (2, 1));
        for time in 0..MOST_OF_A_PROFILE as i64 + 10 {
            assert!(exposures.record(1, "o/b", Timestamp(time + 5)));
        }
        let all = of(&exposures, 1);
        assert_eq!((all.len(), all[0]), (MOST_OF_A_PROFILE, (1, 15)), "the oldest of all goes first");
        exposures.forget(1);
        assert_eq!((exposures.profiles(), exposures.bytes(), of(&exposures, 1)), (1, 56, vec![]));
        exposures.clear();
        assert_eq!((exposures.profiles(), exposures.bytes(), of(&exposures, 1)), (0, 0, vec![]));
    }
}
