//! A test of a value, bound to a column: ranges of codes, or of numbers. The column's dictionary or frame is asked
//! once, when a plan is compiled; afterwards a test is a comparison of integers.

use super::text;
use crate::audiences::rule::{Compare, Literal, Test};
use crate::snapshot::columns::{Codes, Days, Dictionary, Frame, Numbers, PropColumn};

/// A finite or infinite number that can be compared and hashed, for plans that share equal leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Real(u64);

impl Real {
    pub fn new(value: f64) -> Self {
        Real(value.to_bits())
    }

    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// Codes, as ascending disjoint ranges with both ends included; never 0, which is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Ranges(pub Box<[(u32, u32)]>);

impl Ranges {
    /// Of ascending codes.
    pub fn of(codes: impl IntoIterator<Item = u32>) -> Self {
        Ranges::merge(codes.into_iter().map(|code| (code, code)))
    }

    /// Of ranges in any order; empty ones and 0 are dropped.
    pub fn merge(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut sorted: Vec<(u32, u32)> = ranges.into_iter().map(|(low, high)| (low.max(1), high)).collect();
        sorted.retain(|(low, high)| low <= high);
        sorted.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
        for (low, high) in sorted {
            match merged.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        Ranges(merged.into())
    }

    /// Whether a code is in one of them.
    pub fn contains(&self, code: u32) -> bool {
        match &*self.0 {
            [(low, high)] => *low <= code && code <= *high,
            ranges => {
                let at = ranges.partition_point(|(_, high)| *high < code);
                ranges.get(at).is_some_and(|(low, _)| *low <= code)
            }
        }
    }
}

/// Which values pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Matcher {
    /// Those with these codes.
    Codes(Ranges),
    /// Numbers stored as they are, in one of these ranges, both ends included.
    Reals(Box<[(Real, Real)]>),
}

impl Matcher {
    /// Whether nothing can pass.
    pub fn is_nothing(&self) -> bool {
        match self {
            Matcher::Codes(ranges) => ranges.0.is_empty(),
            Matcher::Reals(ranges) => ranges.is_empty(),
        }
    }

    /// Whether a code passes.
    pub fn code(&self, codes: &Codes<'_>, at: usize) -> bool {
        matches!(self, Matcher::Codes(ranges) if ranges.contains(codes.get(at)))
    }

    /// Whether a number passes.
    pub fn number(&self, numbers: &Numbers<'_>, at: usize) -> bool {
        match (self, numbers) {
            (Matcher::Codes(_), Numbers::Frame(codes, _)) => self.code(codes, at),
            (Matcher::Reals(ranges), Numbers::Raw(values)) => {
                let value = values.get(at).copied().unwrap_or(f64::NAN);
                ranges.iter().any(|(low, high)| value >= low.value() && value <= high.value())
            }
            _ => false,
        }
    }

    /// Whether an event property passes.
    pub fn property(&self, property: &PropColumn<'_>, row: usize) -> bool {
        match property {
            PropColumn::Flag(codes) | PropColumn::Category(codes, _) => self.code(codes, row),
            PropColumn::Number(numbers) => self.number(numbers, row),
        }
    }
}

/// A flag: 1 is false, 2 is true.
pub fn flag(test: &Test) -> Matcher {
    let is = |literal: &Literal, wanted: bool| matches!(literal, Literal::Flag(value) if *value == wanted);
    let passes = |value: bool| match test {
        Test::IsTrue => value,
        Test::IsKnown => true,
        Test::Compare(Compare::Eq, literal) => is(literal, value),
        Test::Compare(Compare::Ne, literal) => is(literal, !value),
        Test::In(literals) => literals.iter().any(|literal| is(literal, value)),
        _ => false,
    };
    Matcher::Codes(Ranges::of(
        [(1, false), (2, true)].into_iter().filter(|(_, value)| passes(*value)).map(|(code, _)| code),
    ))
}

/// A category: the codes of the dictionary's texts that pass.
pub fn category(test: &Test, dictionary: &Dictionary<'_>) -> Matcher {
    Matcher::Codes(match test {
        Test::IsKnown => Ranges::merge([(1, dictionary.len() as u32)]),
        Test::Compare(Compare::Eq, literal) => Ranges::of(code_of(literal, dictionary)),
        Test::Compare(Compare::Ne, literal @ Literal::Text(_)) => {
            let last = dictionary.len() as u32;
            let code = code_of(literal, dictionary).unwrap_or(0);
            Ranges::merge([(1, if code == 0 { last } else { code - 1 }), (code + 1, last)])
        }
        Test::In(literals) => {
            Ranges::merge(literals.iter().filter_map(|literal| code_of(literal, dictionary)).map(|code| (code, code)))
        }
        _ => Ranges::of(texts(test, dictionary).into_iter().map(|at| at + 1)),
    })
}

fn code_of(literal: &Literal, dictionary: &Dictionary<'_>) -> Option<u32> {
    match literal {
        Literal::Text(text) => dictionary.find(text).map(|at| at + 1),
        _ => None,
    }
}

/// Positions in a dictionary of the texts that pass `contains`, `starts with` or `matches any of`.
pub fn texts(test: &Test, dictionary: &Dictionary<'_>) -> Vec<u32> {
    let positions = |passes: &dyn Fn(&str) -> bool| {
        let lower = dictionary.iter().map(str::to_lowercase).enumerate();
        lower.filter(|(_, text)| passes(text)).map(|(at, _)| at as u32).collect()
    };
    match test {
        Test::Contains(part) => {
            let part = part.to_lowercase();
            positions(&|text| text.contains(&part))
        }
        Test::StartsWith(start) => {
            let start = start.to_lowercase();
            positions(&|text| text.starts_with(&start))
        }
        Test::MatchesAny(patterns) => {
            let patterns: Vec<String> = patterns.iter().map(|pattern| pattern.to_lowercase()).collect();
            positions(&|text| patterns.iter().any(|pattern| text::matches(pattern, text)))
        }
        _ => Vec::new(),
    }
}

/// A number.
pub fn number(test: &Test, numbers: &Numbers<'_>) -> Matcher {
    let ranges = number_ranges(test);
    match numbers {
        Numbers::Raw(_) => {
            Matcher::Reals(ranges.iter().map(|(low, high)| (Real::new(*low), Real::new(*high))).collect())
        }
        Numbers::Frame(_, frame) => {
            Matcher::Codes(Ranges::merge(ranges.iter().map(|range| frame_range(frame, *range))))
        }
    }
}

/// The numbers that pass: ranges with both ends included.
fn number_ranges(test: &Test) -> Vec<(f64, f64)> {
    const ALL: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
    match test {
        Test::IsKnown => vec![ALL],
        Test::Compare(compare, Literal::Number(value)) => match compare {
            Compare::Eq => vec![(*value, *value)],
            Compare::Ne => vec![(ALL.0, value.next_down()), (value.next_up(), ALL.1)],
            Compare::Lt => vec![(ALL.0, value.next_down())],
            Compare::Le => vec![(ALL.0, *value)],
            Compare::Gt => vec![(value.next_up(), ALL.1)],
            Compare::Ge => vec![(*value, ALL.1)],
        },
        Test::Between(Literal::Number(low), Literal::Number(high)) => vec![(*low, *high)],
        Test::In(literals) => {
            let numbers = literals.iter().filter_map(|literal| match literal {
                Literal::Number(value) => Some((*value, *value)),
                _ => None,
            });
            numbers.collect()
        }
        _ => Vec::new(),
    }
}

/// The codes whose numbers lie in a range: decoding rises with the code, so both ends are found by bisection.
fn frame_range(frame: &Frame, (low, high): (f64, f64)) -> (u32, u32) {
    let first = |passes: &dyn Fn(f64) -> bool| {
        let (mut below, mut end) = (1u64, u64::from(frame.largest()) + 1);
        while below < end {
            let middle = below.midpoint(end);
            if passes(frame.decode(middle as u32)) {
                end = middle;
            } else {
                below = middle + 1;
            }
        }
        end
    };
    let (start, end) = (first(&|value| value >= low), first(&|value| value > high));
    // Codes start at 1, so `end - 1` does not underflow; an empty range has its ends crossed.
    (start.min(u64::from(u32::MAX)) as u32, (end - 1) as u32)
}

/// A date, but for the windows that move with the clock.
pub fn date(test: &Test, days: &Days<'_>) -> Matcher {
    const ALL: (i64, i64) = (i32::MIN as i64, i32::MAX as i64);
    let day = |literal: &Literal| match literal {
        Literal::Date(date) => Some(i64::from(date.0)),
        _ => None,
    };
    let ranges: Vec<(i64, i64)> = match test {
        Test::IsKnown => vec![ALL],
        Test::Compare(compare, literal) => match (day(literal), compare) {
            (None, _) => Vec::new(),
            (Some(day), Compare::Eq) => vec![(day, day)],
            (Some(day), Compare::Ne) => vec![(ALL.0, day - 1), (day + 1, ALL.1)],
            (Some(day), Compare::Lt) => vec![(ALL.0, day - 1)],
            (Some(day), Compare::Le) => vec![(ALL.0, day)],
            (Some(day), Compare::Gt) => vec![(day + 1, ALL.1)],
            (Some(day), Compare::Ge) => vec![(day, ALL.1)],
        },
        Test::Between(low, high) => day(low).zip(day(high)).into_iter().collect(),
        Test::In(literals) => literals.iter().filter_map(day).map(|day| (day, day)).collect(),
        _ => Vec::new(),
    };
    Matcher::Codes(Ranges::merge(ranges.iter().map(|(first, last)| days.code_range(*first, *last))))
}

/// A test of an event property.
pub fn property(test: &Test, property: &PropColumn<'_>) -> Matcher {
    match property {
        PropColumn::Flag(_) => flag(test),
        PropColumn::Category(_, dictionary) => category(test, dictionary),
        PropColumn::Number(numbers) => number(test, numbers),
    }
}
