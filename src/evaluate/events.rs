//! Event leaves: the rows of a person, filtered and measured. One way of measuring serves both modes.

use super::bind::Matcher;
use super::bits::{self, Bitmap};
use super::leaf::{EventLeaf, Measure};
use super::local_time::LocalTime;
use super::tally::Tally;
use crate::audiences::rule::{Aggregate, Compare, Pick};
use crate::snapshot::columns::{EventColumn, PropColumn};
use std::ops::Range;

/// What the measured property says, row by row.
pub trait Rows {
    type Property;
    /// Seconds since the epoch.
    fn time(&self, row: usize) -> u32;
    /// The property at a position.
    fn property(&self, at: usize) -> Option<Self::Property>;
    /// Its value, if it is a known number.
    fn number(&self, property: &Self::Property, row: usize) -> Option<f64>;
    /// Its value, if known, as a number that equal values share and others do not.
    fn token(&self, property: &Self::Property, row: usize) -> Option<u64>;
}

impl<'a> Rows for EventColumn<'a> {
    type Property = PropColumn<'a>;

    fn time(&self, row: usize) -> u32 {
        self.times[row]
    }

    fn property(&self, at: usize) -> Option<PropColumn<'a>> {
        self.property(at).copied()
    }

    fn number(&self, property: &PropColumn<'a>, row: usize) -> Option<f64> {
        match property {
            PropColumn::Number(numbers) => numbers.get(row),
            _ => None,
        }
    }

    fn token(&self, property: &PropColumn<'a>, row: usize) -> Option<u64> {
        match property {
            PropColumn::Flag(codes) | PropColumn::Category(codes, _) => {
                Some(codes.get(row).into()).filter(|code| *code != 0)
            }
            PropColumn::Number(numbers) => numbers.get(row).map(number_token),
        }
    }
}

/// Adding 0 makes one of the two zeros.
pub fn number_token(value: f64) -> u64 {
    (value + 0.0).to_bits()
}

/// What is asked of a person's rows at one moment.
#[derive(Debug, Clone, Copy)]
pub struct AskedNow<'l> {
    pub pick: Pick,
    pub measure: Measure,
    /// Seconds, both ends included.
    pub window: (i64, i64),
    pub now: i64,
    pub local: &'l LocalTime,
}

impl EventLeaf {
    pub fn asked<'l>(&self, window: (i64, i64), now: i64, local: &'l LocalTime) -> AskedNow<'l> {
        AskedNow { pick: self.pick, measure: self.measure, window, now, local }
    }
}

impl AskedNow<'_> {
    /// The seconds of the rows that are looked at: those in the window, or all that have happened where only the
    /// first or last counts (then the window is tested on that one).
    pub fn seconds(&self) -> Option<(u32, u32)> {
        let (low, high) = if self.pick == Pick::All { self.window } else { (0, self.now) };
        let high = u32::try_from(high.min(u32::MAX.into())).ok()?;
        let low = u32::try_from(low.max(0)).ok()?;
        (low <= high).then_some((low, high))
    }

    /// One person's rows by time, of which `passes` says which are looked at.
    pub fn holds<R: Rows>(&self, of: &R, rows: Range<usize>, passes: &impl Fn(usize) -> bool) -> bool {
        self.of_passing(of, rows.filter(|row| passes(*row)))
    }

    /// One person's rows by time: those that are looked at.
    fn of_passing<R: Rows>(&self, of: &R, mut rows: impl DoubleEndedIterator<Item = usize>) -> bool {
        let picked = match self.pick {
            Pick::All => return self.measure(of, rows),
            Pick::First => rows.next(),
            Pick::Last => rows.next_back(),
        };
        let (low, high) = self.window;
        match picked.filter(|row| (low..=high).contains(&i64::from(of.time(*row)))) {
            Some(row) => self.measure(of, std::iter::once(row)),
            None => self.measure.of_none(),
        }
    }

    fn measure<R: Rows>(&self, of: &R, rows: impl Iterator<Item = usize>) -> bool {
        match self.measure {
            Measure::Times(low, high) => {
                let times = rows.count();
                low as usize <= times && times <= high as usize
            }
            Measure::Days(least) => at_least_distinct(least, rows.map(|row| self.local.day(of.time(row)) as u64)),
            Measure::Distinct(least, at) => {
                let property = of.property(at);
                property.is_some_and(|p| at_least_distinct(least, rows.filter_map(|row| of.token(&p, row))))
            }
            Measure::Aggregate(aggregate, at, compare, value) => {
                let property = of.property(at);
                let sum = property.and_then(|p| sum_up(aggregate, rows.filter_map(|row| of.number(&p, row))));
                sum.is_some_and(|sum| compares(sum, compare, value.value()))
            }
        }
    }
}

/// An event leaf over a column's rows.
pub struct EventsNow<'p, 'a> {
    pub leaf: &'p EventLeaf,
    pub column: &'p EventColumn<'a>,
    pub asked: AskedNow<'p>,
}

impl EventsNow<'_, '_> {
    /// One profile: its rows.
    pub fn holds(&self, rows: Range<usize>) -> bool {
        let Some((low, high)) = self.asked.seconds() else { return self.leaf.measure.of_none() };
        let passes = |row: usize| (low..=high).contains(&self.column.times[row]) && self.filtered(row);
        self.asked.holds(self.column, rows, &passes)
    }

    /// A block, into a bitmap.
    pub fn block(&self, block: usize, tally: &mut Tally, bitmap: &mut Bitmap) {
        let rows = self.column.rows(block);
        let lows = &self.column.lows[rows.clone()];
        self.pass(rows.clone(), tally);
        bitmap.fill(0);
        match (self.leaf.pick, self.leaf.measure) {
            (Pick::All, Measure::Times(1, u32::MAX)) => tally.any(lows, bitmap),
            (Pick::All, Measure::Times(low, high)) => tally.times(lows, low..=high, bitmap),
            (Pick::All, Measure::Aggregate(aggregate, at, compare, value)) => {
                if let Some(PropColumn::Number(numbers)) = self.column.property(at) {
                    let holds = |sum| compares(sum, compare, value.value());
                    tally.aggregate(lows, aggregate, &numbers.slice(rows), bitmap, holds);
                }
            }
            _ => self.each_person(rows.start, lows, tally, bitmap),
        }
    }

    /// One person after another, but only those of whom a row passes: of the others nothing happened.
    fn each_person(&self, first: usize, lows: &[u16], tally: &mut Tally, bitmap: &mut Bitmap) {
        let none = self.leaf.measure.of_none();
        bitmap.fill(if none { u64::MAX } else { 0 });
        for rows in tally.passing().chunk_by(|a, b| lows[*a as usize] == lows[*b as usize]) {
            let row = |at: &u32| first + *at as usize;
            if self.asked.of_passing(self.column, rows.iter().map(row)) {
                bits::set(bitmap, lows[rows[0] as usize]);
            } else if none {
                bits::clear(bitmap, lows[rows[0] as usize]);
            }
        }
    }

    /// Whether a row passes every property test.
    pub fn filtered(&self, row: usize) -> bool {
        let passes = |at: usize, matcher: &Matcher| self.column.property(at).is_some_and(|p| matcher.property(p, row));
        self.leaf.filters.iter().all(|(at, matcher)| passes(*at, matcher))
    }

    /// Bit `i` = row `rows.start + i` is looked at and passes the filters.
    fn pass(&self, rows: Range<usize>, tally: &mut Tally) {
        let (words, passed) = tally.rows(rows.len());
        let Some((low, high)) = self.asked.seconds() else { return };
        let span = high - low;
        bits::pack_each(&self.column.times[rows.clone()], 0, words, |times, lanes| {
            lanes.iter_mut().zip(times).for_each(|(lane, time)| *lane = u8::from(time.wrapping_sub(low) <= span));
        });
        bits::cut(words, rows.len());
        for (at, matcher) in &self.leaf.filters {
            match (self.column.property(*at), matcher) {
                (Some(PropColumn::Flag(codes) | PropColumn::Category(codes, _)), Matcher::Codes(ranges)) => {
                    bits::pack_codes(codes.slice(rows.clone()), ranges, passed);
                }
                (Some(PropColumn::Number(numbers)), matcher) => {
                    bits::pack_numbers(numbers, rows.clone(), matcher, passed);
                }
                _ => passed.fill(0),
            }
            words.iter_mut().zip(&*passed).for_each(|(word, passed)| *word &= passed);
        }
    }
}

fn at_least_distinct(least: u32, values: impl Iterator<Item = u64>) -> bool {
    let mut seen: smallvec::SmallVec<[u64; 16]> = values.collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len() >= least as usize
}

/// In the order of the rows, so that both modes round alike. `None` over nothing.
pub fn sum_up(aggregate: Aggregate, values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut count = 0u32;
    let folded = values.inspect(|_| count += 1).reduce(|so_far, value| match aggregate {
        Aggregate::Sum | Aggregate::Avg => so_far + value,
        Aggregate::Min => so_far.min(value),
        Aggregate::Max => so_far.max(value),
    })?;
    Some(if aggregate == Aggregate::Avg { folded / f64::from(count) } else { folded })
}

fn compares(left: f64, compare: Compare, right: f64) -> bool {
    match compare {
        Compare::Eq => left == right,
        Compare::Ne => left != right,
        Compare::Lt => left < right,
        Compare::Le => left <= right,
        Compare::Gt => left > right,
        Compare::Ge => left >= right,
    }
}
