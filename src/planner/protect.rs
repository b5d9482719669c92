//! What an owner is told of counts that depend on another owner's audiences: about how many, and nothing of few. Pure, but for
//! what it remembers of who asked how much ([`budget`]).
//!
//! A protected count is not counted among all: a keyed hash of each profile's seed takes one of [`ONE_IN`] into a sample that is
//! the same in every generation and that nobody knows. So whoever is not in it makes no difference to any answer, however
//! often and in whatever words it is asked: that, and not the noise, is what bounds an attacker who asks with somebody and
//! without (`attack`). The estimate then gets noise that a keyed hash of the sampled result seeds, so that the same set gets
//! the same answer and sums of cells do not add up; it is hidden below a floor and told in two digits otherwise. Whether it is
//! hidden is decided by the estimate: an exact threshold would tell of one person with one question.

#[cfg(test)]
mod attack;
mod budget;

pub use budget::{Budget, Spent};

use crate::config::planning::Protection;
use crate::schema::{Generation, KeyHasher};
use parking_lot::Mutex;
use roaring::RoaringBitmap;
use serde::Serialize;
use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use std::sync::Arc;
use utoipa::ToSchema;

/// One of so many profiles is counted: the bound of what a difference can tell.
pub const ONE_IN: u64 = 8;

/// A count as somebody is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Told {
    /// How many; `null` when it is too few to be told.
    pub count: Option<u64>,
    /// Whether it is an estimate, because it depends on another owner's audience.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub about: bool,
    /// Nineteen of twenty estimates are not further from the truth than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<u64>,
    /// Whether it is fewer than may be told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub below_floor: bool,
}

impl Told {
    /// As it is.
    pub fn exactly(count: u64) -> Told {
        Told { count: Some(count), about: false, margin: None, below_floor: false }
    }

    /// The share of a whole, as far as it is told.
    pub fn share(&self, of: u64) -> Option<f64> {
        self.count.map(|count| if of == 0 { 0.0 } else { (count as f64 / of as f64).min(1.0) })
    }
}

/// Tells counts of one generation to one asker.
#[derive(Debug)]
pub enum Teller<'v> {
    /// Exactly.
    Plain,
    /// Protected.
    Guarded(Guard<'v>),
}

impl Teller<'_> {
    /// How many are in a set.
    pub fn tell(&self, set: &RoaringBitmap) -> Told {
        match self {
            Teller::Plain => Told::exactly(set.len()),
            Teller::Guarded(guard) => guard.tell(set),
        }
    }

    /// Whether counts are protected.
    pub fn is_guarded(&self) -> bool {
        matches!(self, Teller::Guarded(_))
    }
}

/// What protected counts of one generation are made with.
#[derive(Debug)]
pub struct Guard<'v> {
    key: [u8; 16],
    seeds: &'v [u32],
    sample: Arc<RoaringBitmap>,
    floor: u32,
}

impl<'v> Guard<'v> {
    /// Protects counts of profiles with these seeds.
    pub fn new(key: [u8; 16], seeds: &'v [u32], sample: Arc<RoaringBitmap>, floor: u32) -> Self {
        Guard { key, seeds, sample, floor }
    }

    /// About how many are in a set.
    pub fn tell(&self, set: &RoaringBitmap) -> Told {
        let counted = set & &*self.sample;
        let spread = i64::from(self.floor / 4);
        let noise = (self.digest(&counted) % (2 * spread as u64 + 1)) as i64 - spread;
        let estimate = (counted.len() * ONE_IN) as i64 + noise;
        if estimate < i64::from(self.floor.max(1)) {
            return Told { count: None, about: true, margin: None, below_floor: true };
        }
        let estimate = estimate as u64;
        let variance = (estimate * (ONE_IN - 1)) as f64 + (spread * spread) as f64 / 3.0;
        let margin = two_digits((2.0 * variance.sqrt()).ceil() as u64 + unit_of_two_digits(estimate) / 2);
        Told { count: Some(two_digits(estimate)), about: true, margin: Some(margin), below_floor: false }
    }

    /// A keyed hash of a set, by what its members are in every generation.
    fn digest(&self, set: &RoaringBitmap) -> u64 {
        let seed = |ordinal: u32| self.seeds.get(ordinal as usize).copied().unwrap_or(0);
        let sum = set.iter().fold(0u64, |sum, ordinal| sum.wrapping_add(keyed(&self.key, b"m", seed(ordinal).into())));
        keyed(&self.key, b"s", sum ^ set.len())
    }
}

/// The profiles that protected counts count.
pub fn sample(key: &[u8; 16], seeds: &[u32]) -> RoaringBitmap {
    let is_in = |seed: u32| keyed(key, b"p", seed.into()).is_multiple_of(ONE_IN);
    RoaringBitmap::from_sorted_iter((0u32..).zip(seeds).filter(|(_, seed)| is_in(**seed)).map(|(ordinal, _)| ordinal))
        .unwrap_or_default()
}

fn keyed(key: &[u8; 16], purpose: &[u8], value: u64) -> u64 {
    let mut hasher = SipHasher24::new_with_key(key);
    hasher.write(purpose);
    hasher.write_u64(value);
    hasher.finish()
}

/// The nearest number of two digits and zeros.
fn two_digits(number: u64) -> u64 {
    let unit = unit_of_two_digits(number);
    (number + unit / 2) / unit * unit
}

fn unit_of_two_digits(number: u64) -> u64 {
    10u64.pow(number.checked_ilog10().unwrap_or(0).saturating_sub(1))
}

/// What is remembered between questions.
#[derive(Debug, Default)]
pub struct Protect {
    budget: Budget,
    sample: Mutex<Option<(Generation, Arc<RoaringBitmap>)>>,
}

impl Protect {
    /// Who tells counts of a generation to an owner's key (`None` = everybody's). `foreign`: the question depends on an audience of
    /// another owner; it asks for so many sets; `now`: seconds of any clock that goes on.
    ///
    /// # Errors
    /// After how many seconds the owner may ask again.
    pub fn teller<'v>(
        &self,
        (owner, foreign, sets): (Option<&str>, bool, u32),
        settings: &Protection,
        keys: &KeyHasher,
        (generation, seeds): (Generation, &'v [u32]),
        now: i64,
    ) -> Result<Teller<'v>, Spent> {
        let Some(owner) = owner.filter(|_| foreign || settings.everything) else { return Ok(Teller::Plain) };
        self.budget.spend(owner, sets, settings.questions_per_hour, now)?;
        let derived = keys.derive(b"vaglio protected counts");
        let mut key = [0; 16];
        key.copy_from_slice(&derived[..16]);
        let mut known = self.sample.lock();
        let sampled = match &*known {
            Some((of, sampled)) if *of == generation => Arc::clone(sampled),
            _ => Arc::clone(&known.insert((generation, Arc::new(sample(&key, seeds)))).1),
        };
        Ok(Teller::Guarded(Guard::new(key, seeds, sampled, settings.floor)))
    }
}
