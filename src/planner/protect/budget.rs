//! How many protected questions an owner has asked within the hour.

use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};

/// The window, in seconds.
const HOUR: i64 = 3_600;

/// An owner has asked all that may be asked for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// In so many seconds there is room for this question.
    pub retry_after: u32,
}

/// When each owner asked for how many sets.
#[derive(Debug, Default)]
pub struct Budget(Mutex<BTreeMap<String, VecDeque<(i64, u32)>>>);

impl Budget {
    /// Takes so many from an owner's budget of the last hour, all or nothing.
    ///
    /// # Errors
    /// When there is room for them; a question that asks for more than an hour's budget waits for the whole hour.
    pub fn spend(&self, owner: &str, sets: u32, an_hour: u32, now: i64) -> Result<(), Spent> {
        let mut all = self.0.lock();
        all.retain(|_, asked| asked.back().is_some_and(|(at, _)| *at > now - HOUR));
        let asked = all.entry(owner.to_owned()).or_default();
        while asked.front().is_some_and(|(at, _)| *at <= now - HOUR) {
            asked.pop_front();
        }
        let mut spent: u64 = asked.iter().map(|(_, sets)| u64::from(*sets)).sum();
        let fits = |spent: u64| spent + u64::from(sets) <= u64::from(an_hour);
        if fits(spent) {
            asked.push_back((now, sets));
            return Ok(());
        }
        let mut wait = HOUR;
        for (at, sets) in asked.iter() {
            spent -= u64::from(*sets);
            if fits(spent) {
                wait = at + HOUR - now;
                break;
            }
        }
        Err(Spent { retry_after: u32::try_from(wait.max(1)).unwrap_or(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_s_questions_and_no_more_and_it_says_when_there_is_room() {
        let budget = Budget::default();
        assert_eq!(budget.spend("acme", 3, 5, 0), Ok(()));
        assert_eq!(budget.spend("acme", 2, 5, 100), Ok(()));
        assert_eq!(budget.spend("acme", 1, 5, 200), Err(Spent { retry_after: 3_400 }));
        assert_eq!(budget.spend("acme", 4, 5, 200), Err(Spent { retry_after: 3_500 }));
        assert_eq!(budget.spend("other", 5, 5, 200), Ok(()), "each owner has their own");
        assert_eq!(budget.spend("acme", 3, 5, 3_600), Ok(()), "the window slides");
        assert_eq!(budget.spend("acme", 1, 5, 3_600), Err(Spent { retry_after: 100 }));
        assert_eq!(budget.spend("new", 6, 5, 0), Err(Spent { retry_after: 3_600 }));
    }
}
