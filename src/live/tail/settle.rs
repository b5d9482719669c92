//! What follows from what was noted: the rules that depend on it, evaluated for the profiles that it concerns, now and at the
//! minute at which something may turn over by itself.

use super::super::facts::within_the_minute;
use super::Tail;
use crate::evaluate::Person;
use crate::log::Record;
use crate::overlay::Change;
use crate::schema::Timestamp;
use rayon::prelude::*;

/// Profiles that are evaluated between two looks at what else is to be done.
const AT_ONCE: usize = 2_048;
/// From so many on several threads share the work: a replay has them, a batch of events does not.
const MANY: usize = 16_384;

/// What a profile's rules say.
struct Evaluated {
    changes: Box<[Change]>,
    /// When they may say something else; 0 = never.
    due: u32,
}

impl Tail {
    /// Makes everything that was noted visible.
    pub fn settle(&mut self) {
        let now = self.clock.now();
        self.follow(now);
        let touched = self.touched.take();
        for some in touched.chunks(4 * MANY) {
            let evaluated: Vec<Evaluated> = match some.len() {
                MANY.. => some.par_iter().map(|profile| self.evaluate(*profile, now)).collect(),
                _ => some.iter().map(|profile| self.evaluate(*profile, now)).collect(),
            };
            for (profile, evaluated) in some.iter().zip(evaluated) {
                self.overlay.change(*profile, evaluated.changes);
                self.expect(*profile, evaluated.due);
            }
        }
        // Only now: whoever finds them finds what is known of them.
        for (key, number) in self.newcomers.drain() {
            self.overlay.admit(key, number);
        }
        self.touched.again(touched);
    }

    /// Evaluates some of the profiles that are due by now; returns whether there are more.
    pub fn tick(&mut self) -> bool {
        let now = self.clock.now();
        self.follow(now);
        let minute = minute_of(now);
        let mut room = AT_ONCE;
        while let Some(mut entry) = self.timer.first_entry()
            && *entry.key() <= minute
            && room > 0
        {
            let due = *entry.key();
            let profiles = entry.get_mut();
            let some = profiles.split_off(profiles.len().saturating_sub(room));
            if profiles.is_empty() {
                entry.remove();
            }
            room -= some.len();
            // Others were evaluated meanwhile, and expect something at another minute.
            let still = |profile: &u32| self.facts.get(profile).is_some_and(|facts| facts.due == due);
            self.touched.extend(some.into_iter().filter(still));
        }
        self.settle();
        self.timer.first_key_value().is_some_and(|(due, _)| *due <= minute)
    }

    /// A clock that was set back: what was expected of the time that has not come is evaluated anew.
    fn follow(&mut self, now: Timestamp) {
        let minute = minute_of(now);
        if minute < self.minute {
            self.touched.extend(self.facts.keys().copied());
        }
        self.minute = minute;
    }

    fn expect(&mut self, profile: u32, due: u32) {
        // Strangers without facts expect nothing.
        let Some(facts) = self.facts.get_mut(&profile) else { return };
        if due != 0 && facts.due != due {
            self.timer.entry(due).or_default().push(profile);
        }
        facts.due = due;
    }

    fn evaluate(&self, profile: u32, now: Timestamp) -> Evaluated {
        let (plan, profiles) = (&self.ground.plan, self.ground.profiles());
        let mut facts = Vec::new();
        if let Some(found) = self.facts.get(&profile) {
            found.read(&mut facts);
        }
        let mut rules: Vec<u32> = facts.iter().flat_map(|fact| plan.dependents(&fact.said)).collect();
        let (mut stored, mut flipping) = (Vec::new(), Vec::new());
        let seed = match profile.checked_sub(profiles) {
            Some(stranger) => {
                rules.extend_from_slice(plan.sampled());
                stored.extend_from_slice(plan.of_nobody());
                self.seeds.get(stranger as usize).copied().unwrap_or_default()
            }
            None => {
                self.ground.serving.stored(profile, &mut stored);
                flipping.extend(self.ground.serving.flips(profile).map(|flip| flip.audience));
                0
            }
        };
        rules.sort_unstable();
        rules.dedup();
        let ordinal = (profile < profiles).then_some(profile);
        let columns = self.ground.columns();
        let fresh = within_the_minute(&mut facts, now);
        let says = |facts: &[Record<'_>], now: Timestamp| -> Vec<bool> {
            let person = Person { columns, ordinal, seed, facts };
            rules.iter().map(|rule| plan.holds(&person, *rule, now)).collect()
        };
        let mut holds = says(&facts, now);
        let mut changes = Vec::new();
        for (rule, holds) in rules.iter().zip(&holds) {
            // Where the snapshot says the same, and will go on saying so, there is nothing to say.
            if *holds != stored.binary_search(rule).is_ok() || flipping.contains(rule) {
                changes.push(Change::new(0, *rule, *holds));
            }
        }
        let mut turn = |facts: &[Record<'_>], minute: u32| {
            let then = says(facts, Timestamp(i64::from(minute) * 60));
            for ((rule, before), after) in rules.iter().zip(&mut holds).zip(then) {
                if std::mem::replace(before, after) != after {
                    changes.push(Change::new(minute, *rule, after));
                }
            }
        };
        let mut from = now;
        if !fresh.is_empty() {
            fresh.into_iter().for_each(|(at, time)| facts[at].time = time);
            from = Timestamp(now.floor_minute().0 + 60);
            turn(&facts, minute_of(from));
        }
        let person = Person { columns, ordinal, seed, facts: &facts };
        let next = plan.next_change(&person, rules.iter().copied(), from);
        let due = next.and_then(|minute| u32::try_from(minute).ok()).unwrap_or(0);
        if due != 0 {
            turn(&facts, due);
        }
        changes.sort_unstable();
        Evaluated { changes: changes.into(), due }
    }
}

/// Whole minutes since the epoch; a clock before it counts as at it.
fn minute_of(now: Timestamp) -> u32 {
    u32::try_from(now.minute().max(0)).unwrap_or(u32::MAX)
}
