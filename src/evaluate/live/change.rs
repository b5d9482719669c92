//! When an answer may turn over while nothing more is said: rows enter and leave windows, memberships end, dates pass.

use super::LivePlan;
use super::person::Person;
use super::rows::Merged;
use super::symbol::{EventSymbol, Symbol};
use crate::audiences::rule::When;
use crate::evaluate::asked::DateWindow;
use crate::evaluate::leaf::Leaf;
use crate::evaluate::moment::Minute;
use crate::log::Value;
use crate::schema::Timestamp;
use crate::snapshot::columns::TraitColumn;
use smallvec::SmallVec;

/// Crossings that are looked at for one leaf before one is named that may change nothing.
const STEPS: usize = 16;
/// Sooner than this, in seconds, it is looked whether a crossing changes anything. What lies farther ahead is mostly
/// overtaken, by something that is said or by the next generation.
const SOON: i64 = 6 * 3_600;
/// Longer ago than this is in no `today` any more, wherever clocks go back to.
const TWO_DAYS: i64 = 2 * 86_400;

impl Symbol {
    /// Whether its truth can change while nothing is said.
    pub fn moves(&self) -> bool {
        match self {
            Symbol::Trait { asked, .. } => asked.window.is_some(),
            Symbol::Event(_) | Symbol::Listed { .. } => true,
            Symbol::Constant(_) | Symbol::Sample { .. } => false,
        }
    }
}

impl LivePlan {
    /// The first minute (whole minutes since the epoch) after `now` at which any of these rules may turn over for a
    /// person if nothing more is said. It may be too early: then nothing has changed at it. It is never too late.
    pub fn next_change(
        &self,
        person: &Person<'_, '_>,
        rules: impl IntoIterator<Item = u32>,
        now: Timestamp,
    ) -> Option<i64> {
        let mut leaves: SmallVec<[u32; 32]> = SmallVec::new();
        rules.into_iter().for_each(|rule| leaves.extend_from_slice(&self.moving[rule as usize]));
        leaves.sort_unstable();
        leaves.dedup();
        self.next_of(person, &leaves, now, now.0.saturating_add(SOON))
    }

    /// The same for one rule, of which it is worth knowing more exactly.
    pub(in crate::evaluate) fn next_exact(&self, person: &Person<'_, '_>, rule: u32, now: Timestamp) -> Option<i64> {
        self.next_of(person, &self.moving[rule as usize], now, i64::MAX)
    }

    fn next_of(&self, person: &Person<'_, '_>, leaves: &[u32], now: Timestamp, exact_until: i64) -> Option<i64> {
        let turns = leaves.iter().filter_map(|leaf| self.turns(*leaf, person, now, exact_until));
        turns.min().map(|turn| turn.minute())
    }

    /// The first minute after `now` at which a leaf turns over, or one before it.
    fn turns(&self, leaf: u32, person: &Person<'_, '_>, now: Timestamp, exact_until: i64) -> Option<Timestamp> {
        let mut minute = Minute::new(now, &self.local);
        let mut truth = None;
        for _ in 0..STEPS {
            let crossing = Timestamp(self.crossing(leaf, person, &minute)?);
            if crossing.0 > exact_until {
                return Some(crossing);
            }
            let truth = *truth.get_or_insert_with(|| self.leaf_holds(leaf, person, &minute));
            minute = Minute::new(crossing, &self.local);
            if self.leaf_holds(leaf, person, &minute) != truth {
                break;
            }
        }
        Some(Timestamp(minute.now))
    }

    /// The first minute after another at which a value crosses an end of a leaf's window.
    fn crossing(&self, leaf: u32, person: &Person<'_, '_>, minute: &Minute<'_>) -> Option<i64> {
        let mut next = Next { after: minute.now, found: None };
        match &self.graph.leaves[leaf as usize] {
            Symbol::Constant(_) | Symbol::Sample { .. } => {}
            Symbol::Listed { name } => {
                let until = person.listed_until(&self.lists.all[*name as usize]);
                until.into_iter().for_each(|until| next.at(until));
            }
            Symbol::Trait { name, asked, bound } => {
                let said = match person.trait_said(&self.traits.all[*name as usize].name) {
                    Some(Some(Value::Date(day))) => Some(*day),
                    _ => None,
                };
                // Whichever of the two counts: the other only makes it early.
                let days = said.into_iter().chain(column_day(bound, person));
                for time in days.map(|day| self.local.midnight(day.into())) {
                    asked.window.into_iter().for_each(|window| next.of_date(window, time));
                }
            }
            Symbol::Event(event) => self.crossing_of_events(event, person, minute, &mut next),
        }
        next.found
    }

    fn crossing_of_events(&self, event: &EventSymbol, person: &Person<'_, '_>, minute: &Minute<'_>, next: &mut Next) {
        let name = &self.events.all[event.name as usize];
        let merged = Merged::gather(event, name, person, (0, u32::MAX), minute);
        for time in merged.rows.iter().map(|row| i64::from(row.time)) {
            next.at(time);
            match event.when {
                When::Within(span) | When::BeforeAgo(span) => next.at(time.saturating_add(span.0)),
                When::BetweenAgo(near, far) => {
                    next.at(time.saturating_add(near.0));
                    next.at(time.saturating_add(far.0));
                }
                When::Today if time > next.after - TWO_DAYS => next.at(self.local.next_day(next.after)),
                When::Today | When::Ever | When::Since(_) | When::BetweenDates(..) => {}
            }
        }
    }
}

fn column_day(bound: &Leaf, person: &Person<'_, '_>) -> Option<i32> {
    let Leaf::Date { column, .. } = bound else { return None };
    match &person.columns.traits()[*column].1 {
        TraitColumn::Date(days) => days.get(person.known()? as usize),
        _ => None,
    }
}

/// The first minute after another that has been found.
struct Next {
    after: i64,
    found: Option<i64>,
}

impl Next {
    /// Something happens at an instant: it is seen at the first minute that starts then or later.
    fn at(&mut self, time: i64) {
        let minute = time.saturating_add(59).div_euclid(60).saturating_mul(60);
        if minute > self.after && self.found.is_none_or(|found| minute < found) && time < i64::MAX - 60 {
            self.found = Some(minute);
        }
    }

    /// A date whose midnight is at an instant.
    fn of_date(&mut self, window: DateWindow, time: i64) {
        self.at(time);
        match window {
            DateWindow::Within(span) | DateWindow::BeforeAgo(span) => self.at(time.saturating_add(span.0)),
            DateWindow::Since(_) => {}
        }
    }
}
