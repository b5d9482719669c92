//! What a test asks, bound to a column: ranges of codes, or of numbers. The column's dictionary or frame is asked once,
//! when a plan is compiled; afterwards a test is a comparison of integers.

use super::asked::{Asked, Real, Texts};
use crate::snapshot::columns::{Codes, Days, Dictionary, Frame, Numbers, PropColumn};

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
pub fn flag(asked: &Asked) -> Matcher {
    let [no, yes] = asked.flags;
    Matcher::Codes(Ranges::of([(1, no), (2, yes)].into_iter().filter(|(_, passes)| *passes).map(|(code, _)| code)))
}

/// A category: the codes of the dictionary's texts that pass.
pub fn category(asked: &Asked, dictionary: &Dictionary<'_>) -> Matcher {
    let code_of = |text: &str| dictionary.find(text).map(|at| at + 1);
    let last = dictionary.len() as u32;
    Matcher::Codes(match &asked.texts {
        Texts::All => Ranges::merge([(1, last)]),
        Texts::Are(texts) => Ranges::merge(texts.iter().filter_map(|text| code_of(text)).map(|code| (code, code))),
        Texts::AreNot(text) => {
            let code = code_of(text).unwrap_or(0);
            Ranges::merge([(1, if code == 0 { last } else { code - 1 }), (code + 1, last)])
        }
        letters => Ranges::of(texts(letters, dictionary).into_iter().map(|at| at + 1)),
    })
}

/// Positions in a dictionary of the texts whose letters pass.
pub fn texts(letters: &Texts, dictionary: &Dictionary<'_>) -> Vec<u32> {
    dictionary.iter().enumerate().filter(|(_, text)| letters.letters(text)).map(|(at, _)| at as u32).collect()
}

/// A number.
pub fn number(asked: &Asked, numbers: &Numbers<'_>) -> Matcher {
    match numbers {
        Numbers::Raw(_) => Matcher::Reals(asked.numbers.clone()),
        Numbers::Frame(_, frame) => {
            let range = |(low, high): &(Real, Real)| frame_range(frame, (low.value(), high.value()));
            Matcher::Codes(Ranges::merge(asked.numbers.iter().map(range)))
        }
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
pub fn date(asked: &Asked, days: &Days<'_>) -> Matcher {
    Matcher::Codes(Ranges::merge(asked.days.iter().map(|(first, last)| days.code_range(*first, *last))))
}

/// A test of an event property.
pub fn property(asked: &Asked, property: &PropColumn<'_>) -> Matcher {
    match property {
        PropColumn::Flag(_) => flag(asked),
        PropColumn::Category(_, dictionary) => category(asked, dictionary),
        PropColumn::Number(numbers) => number(asked, numbers),
    }
}
