//! A rule's members by the values of a trait.
//!
//! Numbers and days that have many values are cut where a sample of *everybody's* values suggests, at round numbers: so
//! that the parts of two rules can be compared. The counts are exact.

use super::{Scratch, Watch};
use crate::audiences::rule::Date;
use crate::evaluate::bits::Bitmap;
use crate::evaluate::plan::Plan;
use crate::snapshot::columns::{BLOCK, Codes, Tags, TraitColumn, WORDS};
use std::fmt;

/// So many values and fewer are told one by one.
const FEW: usize = 12;
/// Into so many parts are others cut.
const PARTS: usize = 10;
/// Values that are looked at to find out where to cut.
const SAMPLE: usize = 65_536;
/// Codes up to this are looked up in a table.
const TABLE: usize = 1 << 16;

/// A part of a trait's values.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing is known.
    Unknown,
    /// A flag's.
    Flag(bool),
    /// A category's, or a tag: whoever has several tags is counted with each.
    Text(String),
    /// Numbers from (included) and below (excluded).
    Numbers(Option<f64>, Option<f64>),
    /// Days since 1970-01-01, from (included) and before (excluded).
    Days(Option<i32>, Option<i32>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Unknown => f.write_str("unknown"),
            Value::Flag(value) => value.fmt(f),
            Value::Text(text) => f.write_str(text),
            Value::Numbers(None, None) | Value::Days(None, None) => f.write_str("any"),
            Value::Numbers(Some(from), Some(below)) => write!(f, "{from} to below {below}"),
            Value::Numbers(Some(from), None) => write!(f, "{from} and more"),
            Value::Numbers(None, Some(below)) => write!(f, "below {below}"),
            Value::Days(Some(from), Some(before)) => write!(f, "{} to {}", Date(*from), Date(before - 1)),
            Value::Days(Some(from), None) => write!(f, "since {}", Date(*from)),
            Value::Days(None, Some(before)) => write!(f, "before {}", Date(*before)),
        }
    }
}

impl Plan<'_> {
    /// A rule's members by the values of a trait (by its position in the columns): what nobody has is left out, what is unknown
    /// comes last. `None` if it was broken off; empty for a column that is not there.
    pub fn breakdown(&self, rule: usize, column: usize, watch: &Watch) -> Option<Vec<(Value, u64)>> {
        let Some((_, column)) = self.columns.traits().get(column) else { return Some(Vec::new()) };
        let axis = Axis::of(column, self.columns.ordinals() as usize);
        let parts = axis.values.len();
        let add = |counts: &mut Vec<u64>, block: usize, scratch: &Scratch| {
            axis.count(scratch.bitmap(self, rule), block, counts);
        };
        let merge = |mut sum: Vec<u64>, more: Vec<u64>| {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            sum
        };
        // The plan may hold more rules than the one that is asked for: they are evaluated with it.
        let counts = self.every_block(watch, || vec![0; parts], add, merge)?;
        let mut counted: Vec<(Value, u64)> = axis.values.into_iter().zip(counts).collect();
        counted.rotate_left(1);
        counted.retain(|(_, count)| *count > 0);
        Some(counted)
    }
}

/// A column's values, cut into parts. Part 0 is what is unknown.
struct Axis<'c, 'a> {
    column: &'c TraitColumn<'a>,
    values: Vec<Value>,
    /// Where numbers and days are cut: part 1 is what lies below the first.
    cuts: Vec<f64>,
    /// By code: the part, where codes are small.
    table: Vec<u8>,
}

impl<'c, 'a> Axis<'c, 'a> {
    fn of(column: &'c TraitColumn<'a>, ordinals: usize) -> Self {
        let texts = |all: &mut dyn Iterator<Item = &'a str>| all.map(|text| Value::Text(text.to_owned())).collect();
        let (mut known, mut cuts): (Vec<Value>, _) = match column {
            TraitColumn::Flag { .. } => (vec![Value::Flag(false), Value::Flag(true)], Vec::new()),
            TraitColumn::Category(_, dictionary) => (texts(&mut dictionary.iter()), Vec::new()),
            TraitColumn::Tags(tags) => (texts(&mut tags.dictionary.iter()), Vec::new()),
            TraitColumn::Number(numbers) => (Vec::new(), cuts(ordinals, |at| numbers.get(at))),
            TraitColumn::Date(days) => (Vec::new(), cuts(ordinals, |at| days.get(at).map(f64::from))),
        };
        if matches!(column, TraitColumn::Number(_) | TraitColumn::Date(_)) {
            cuts.dedup();
            let is_date = matches!(column, TraitColumn::Date(_));
            let ends = |at: usize| (at.checked_sub(1).map(|at| cuts[at]), cuts.get(at).copied());
            known = (0..=cuts.len()).map(|at| part(is_date, ends(at))).collect();
        }
        known.insert(0, Value::Unknown);
        let mut axis = Axis { column, values: known, cuts, table: Vec::new() };
        axis.table = axis.table();
        axis
    }

    /// The part of every code that a narrow column can hold.
    fn table(&self) -> Vec<u8> {
        let width = |codes: &Codes<'_>| match codes {
            Codes::U8(_) => 256,
            Codes::U16(_) => TABLE,
            Codes::U32(_) => 0,
        };
        let filled = |width: usize, value: &dyn Fn(u32) -> f64| -> Vec<u8> {
            let part = |code: u32| if code == 0 { 0 } else { self.part(value(code)) as u8 };
            (0..width as u32).map(part).collect()
        };
        match self.column {
            TraitColumn::Number(crate::snapshot::columns::Numbers::Frame(codes, frame)) => {
                filled(width(codes), &|code| frame.decode(code))
            }
            TraitColumn::Date(days) => filled(width(&days.codes), &|code| f64::from(days.day(code))),
            _ => Vec::new(),
        }
    }

    fn part(&self, value: f64) -> usize {
        1 + self.cuts.partition_point(|cut| *cut <= value)
    }

    /// Counts a block's members.
    fn count(&self, members: &Bitmap, block: usize, counts: &mut [u64]) {
        let first = block * BLOCK;
        match self.column {
            TraitColumn::Flag { known, yes } => {
                let words = block * WORDS..(block + 1) * WORDS;
                for ((members, known), yes) in members.iter().zip(&known[words.clone()]).zip(&yes[words]) {
                    let ones = |word: u64| u64::from(word.count_ones());
                    counts[0] += ones(members & !known);
                    counts[1] += ones(members & known & !yes);
                    counts[2] += ones(members & known & yes);
                }
            }
            TraitColumn::Tags(tags) => tagged(tags, members, block, counts),
            TraitColumn::Category(codes, _) => ones(members, |low| bump(counts, codes.get(first + low) as usize)),
            TraitColumn::Number(crate::snapshot::columns::Numbers::Frame(codes, _)) if !self.table.is_empty() => {
                ones(members, |low| bump(counts, usize::from(self.table[codes.get(first + low) as usize])));
            }
            TraitColumn::Number(numbers) => {
                ones(members, |low| bump(counts, numbers.get(first + low).map_or(0, |value| self.part(value))));
            }
            TraitColumn::Date(days) if !self.table.is_empty() => {
                ones(members, |low| bump(counts, usize::from(self.table[days.codes.get(first + low) as usize])));
            }
            TraitColumn::Date(days) => {
                let part = |at| days.get(at).map_or(0, |day| self.part(f64::from(day)));
                ones(members, |low| bump(counts, part(first + low)));
            }
        }
    }
}

fn part(is_date: bool, (from, below): (Option<f64>, Option<f64>)) -> Value {
    if is_date {
        Value::Days(from.map(|day| day as i32), below.map(|day| day as i32))
    } else {
        Value::Numbers(from, below)
    }
}

/// A code that a damaged column holds counts nowhere.
fn bump(counts: &mut [u64], part: usize) {
    if let Some(count) = counts.get_mut(part) {
        *count += 1;
    }
}

fn tagged(tags: &Tags<'_>, members: &Bitmap, block: usize, counts: &mut [u64]) {
    let known = &tags.known[block * WORDS..(block + 1) * WORDS];
    counts[0] +=
        members.iter().zip(known).map(|(members, known)| u64::from((members & !known).count_ones())).sum::<u64>();
    for (tag, count) in (0u32..).zip(&mut counts[1..]) {
        let is_member = |low: &&u16| members[usize::from(**low) / 64] >> (**low % 64) & 1 == 1;
        *count += tags.having(block, tag).iter().filter(is_member).count() as u64;
    }
}

/// Calls with the position of every bit that is set.
fn ones(bitmap: &Bitmap, mut each: impl FnMut(usize)) {
    for (at, word) in bitmap.iter().enumerate() {
        let mut word = *word;
        while word != 0 {
            each(at * 64 + word.trailing_zeros() as usize);
            word &= word - 1;
        }
    }
}

/// Where to cut: at every value if there are few, otherwise near the tenths, at numbers of two digits.
fn cuts(ordinals: usize, value: impl Fn(usize) -> Option<f64>) -> Vec<f64> {
    let step = ordinals.div_ceil(SAMPLE).max(1);
    let mut sample: Vec<f64> = (0..ordinals).step_by(step).filter_map(value).collect();
    sample.sort_unstable_by(f64::total_cmp);
    let mut distinct = sample.clone();
    distinct.dedup();
    if distinct.len() <= FEW {
        return distinct;
    }
    let spread = distinct[distinct.len() - 1] - distinct[0];
    let mut cuts: Vec<f64> = (1..PARTS).map(|at| round(sample[sample.len() * at / PARTS], spread)).collect();
    cuts.dedup();
    cuts
}

/// To a whole number of hundredths of the power of ten that is next above the spread.
fn round(value: f64, spread: f64) -> f64 {
    let unit = 10f64.powi(spread.log10().ceil() as i32 - 2);
    // Dividing by a power of ten is exact where multiplying by its inverse is not.
    if unit >= 1.0 { (value / unit).round() * unit } else { (value / unit).round() / (1.0 / unit).round() }
}
