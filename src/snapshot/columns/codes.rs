//! Values as small integers: category codes, frames of reference for numbers and days, dictionaries.
//!
//! In every array of codes 0 means unknown. Which tests become which ranges of codes is `evaluate`'s.

use super::file::{Extent, FileView, FileWriter};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::ops::Range;

/// The scales tried for numbers, so that prices and rates with up to four decimals are integers.
const SCALES: [u32; 5] = [1, 10, 100, 1_000, 10_000];
/// Beyond this an `f64` no longer holds every integer.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Where an array of codes lies and how wide its elements are (1, 2 or 4 bytes).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct CodesAt {
    width: u8,
    at: Extent,
}

impl CodesAt {
    /// Writes codes as narrow as the largest possible one allows.
    pub fn write<W: Write>(
        out: &mut FileWriter<W>,
        largest: u32,
        codes: impl IntoIterator<Item = u32>,
    ) -> Result<CodesAt> {
        let codes = codes.into_iter();
        let (width, at) = match largest {
            0..=0xff => (1, out.stream(codes.map(|code| code as u8))?),
            0x100..=0xffff => (2, out.stream(codes.map(|code| code as u16))?),
            _ => (4, out.stream(codes)?),
        };
        Ok(CodesAt { width, at })
    }

    pub fn view<'a>(&self, file: &FileView<'a>, length: usize) -> Result<Codes<'a>> {
        match self.width {
            1 => Ok(Codes::U8(file.sized(self.at, length)?)),
            2 => Ok(Codes::U16(file.sized(self.at, length)?)),
            4 => Ok(Codes::U32(file.sized(self.at, length)?)),
            _ => Err(file.damaged("codes have an unknown width")),
        }
    }
}

/// Codes in place: one an ordinal or event row; 0 = unknown.
#[derive(Debug, Clone, Copy)]
pub enum Codes<'a> {
    /// At most 255 values.
    U8(&'a [u8]),
    /// At most 65,535 values.
    U16(&'a [u16]),
    /// More.
    U32(&'a [u32]),
}

impl<'a> Codes<'a> {
    /// The code at a position; 0 beyond the end.
    pub fn get(&self, at: usize) -> u32 {
        match self {
            Codes::U8(codes) => codes.get(at).copied().unwrap_or(0).into(),
            Codes::U16(codes) => codes.get(at).copied().unwrap_or(0).into(),
            Codes::U32(codes) => codes.get(at).copied().unwrap_or(0),
        }
    }

    /// Those at some positions; what lies beyond the end is left out.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Codes<'a> {
        fn cut<T>(codes: &[T], range: Range<usize>) -> &[T] {
            let end = range.end.min(codes.len());
            &codes[range.start.min(end)..end]
        }
        match self {
            Codes::U8(codes) => Codes::U8(cut(codes, range)),
            Codes::U16(codes) => Codes::U16(cut(codes, range)),
            Codes::U32(codes) => Codes::U32(cut(codes, range)),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Codes::U8(codes) => codes.len(),
            Codes::U16(codes) => codes.len(),
            Codes::U32(codes) => codes.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where a dictionary lies.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct DictionaryAt {
    length: u64,
    offsets: Extent,
    text: Extent,
}

impl DictionaryAt {
    pub fn write<W: Write>(out: &mut FileWriter<W>, dictionary: &[String]) -> Result<DictionaryAt> {
        let text = out.stream(dictionary.iter().flat_map(|value| value.bytes()))?;
        let mut end = 0u64;
        let ends = dictionary.iter().map(|value| {
            end += value.len() as u64;
            end
        });
        let offsets = out.stream(std::iter::once(0).chain(ends))?;
        Ok(DictionaryAt { length: dictionary.len() as u64, offsets, text })
    }

    pub fn view<'a>(&self, file: &FileView<'a>) -> Result<Dictionary<'a>> {
        let text =
            std::str::from_utf8(file.array::<u8>(self.text)?).map_err(|_| file.damaged("a dictionary is not UTF-8"))?;
        let length = usize::try_from(self.length).ok().and_then(|length| length.checked_add(1));
        let length = length.ok_or_else(|| file.damaged("a dictionary is too long"))?;
        let offsets = file.offsets(self.offsets, length, text.len())?;
        let whole = offsets.iter().all(|offset| text.is_char_boundary(*offset as usize));
        file.require(whole, "a dictionary is torn")?;
        let dictionary = Dictionary { offsets, text };
        file.require(dictionary.iter().is_sorted_by(|a, b| a < b), "a dictionary is not sorted")?;
        Ok(dictionary)
    }
}

/// The texts behind codes, sorted and distinct, in place. Code `c` stands for position `c - 1`.
#[derive(Debug, Clone, Copy)]
pub struct Dictionary<'a> {
    /// One more than there are texts; checked when opened.
    offsets: &'a [u64],
    text: &'a str,
}

impl<'a> Dictionary<'a> {
    /// How many texts.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text at a position.
    pub fn get(&self, at: usize) -> Option<&'a str> {
        let (start, end) = (*self.offsets.get(at)?, *self.offsets.get(at + 1)?);
        self.text.get(start as usize..end as usize)
    }

    /// The position of a text.
    pub fn find(&self, text: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.get(middle)?.cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle as u32),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// All texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let dictionary = *self;
        (0..dictionary.len()).filter_map(move |at| dictionary.get(at))
    }
}

/// Where numbers lie: `(code - 1 + base) / scale`, or as they are.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NumbersAt {
    Frame { codes: CodesAt, base: i64, scale: u32, largest: u32 },
    Raw { at: Extent },
}

impl NumbersAt {
    pub fn write<W: Write>(out: &mut FileWriter<W>, values: &[f64]) -> Result<NumbersAt> {
        let Some((base, scale, largest)) = SCALES.iter().find_map(|scale| frame(values, *scale)) else {
            return Ok(NumbersAt::Raw { at: out.array(values)? });
        };
        let code = |value: &f64| {
            if value.is_nan() { 0 } else { ((value * f64::from(scale)).round() as i64 - base + 1) as u32 }
        };
        Ok(NumbersAt::Frame { codes: CodesAt::write(out, largest, values.iter().map(code))?, base, scale, largest })
    }

    pub fn view<'a>(&self, file: &FileView<'a>, length: usize) -> Result<Numbers<'a>> {
        match self {
            NumbersAt::Raw { at } => Ok(Numbers::Raw(file.sized(*at, length)?)),
            NumbersAt::Frame { codes, base, scale, largest } => {
                let sound = *scale > 0 && base.unsigned_abs() <= EXACT as u64;
                file.require(sound, "a frame of numbers is out of range")?;
                let frame = Frame { base: *base, scale: *scale, largest: *largest };
                Ok(Numbers::Frame(codes.view(file, length)?, frame))
            }
        }
    }
}

/// The frame of reference of these values at a scale: (least scaled integer, scale, largest code), if every value is
/// exactly an integer over the scale and the codes fit into 32 bits.
fn frame(values: &[f64], scale: u32) -> Option<(i64, u32, u32)> {
    let (mut least, mut greatest) = (i64::MAX, i64::MIN);
    for value in values.iter().filter(|value| !value.is_nan()) {
        let scaled = (value * f64::from(scale)).round();
        if !scaled.is_finite() || scaled.abs() >= EXACT || scaled / f64::from(scale) != *value {
            return None;
        }
        least = least.min(scaled as i64);
        greatest = greatest.max(scaled as i64);
    }
    if least > greatest {
        return Some((0, scale, 0));
    }
    let largest = u32::try_from(greatest - least + 1).ok()?;
    Some((least, scale, largest))
}

/// How codes stand for numbers.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    base: i64,
    scale: u32,
    largest: u32,
}

impl Frame {
    /// The largest code in use.
    pub fn largest(&self) -> u32 {
        self.largest
    }

    /// The number a code other than 0 stands for: greater codes, greater numbers.
    pub fn decode(&self, code: u32) -> f64 {
        (i64::from(code) - 1 + self.base) as f64 / f64::from(self.scale)
    }
}

/// Numbers in place.
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'a> {
    /// As codes of a frame of reference.
    Frame(Codes<'a>, Frame),
    /// As they are; NaN = unknown.
    Raw(&'a [f64]),
}

impl<'a> Numbers<'a> {
    /// Those at some positions; what lies beyond the end is left out.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Numbers<'a> {
        match self {
            Numbers::Frame(codes, frame) => Numbers::Frame(codes.slice(range), *frame),
            Numbers::Raw(values) => {
                let end = range.end.min(values.len());
                Numbers::Raw(&values[range.start.min(end)..end])
            }
        }
    }

    /// The number at a position, if known.
    pub fn get(&self, at: usize) -> Option<f64> {
        match self {
            Numbers::Frame(codes, frame) => {
                Some(codes.get(at)).filter(|code| *code != 0).map(|code| frame.decode(code))
            }
            Numbers::Raw(values) => values.get(at).copied().filter(|value| !value.is_nan()),
        }
    }
}

/// Where days lie: `code - 1 + base`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct DaysAt {
    codes: CodesAt,
    base: i32,
    largest: u32,
}

impl DaysAt {
    /// `i32::MIN` = unknown.
    pub fn write<W: Write>(out: &mut FileWriter<W>, days: &[i32]) -> Result<DaysAt> {
        let known = || days.iter().copied().filter(|day| *day != i32::MIN);
        let base = known().min().unwrap_or(0);
        let code = |day: i32| if day == i32::MIN { 0 } else { (i64::from(day) - i64::from(base) + 1) as u32 };
        let largest = known().max().map_or(0, code);
        Ok(DaysAt { codes: CodesAt::write(out, largest, days.iter().copied().map(code))?, base, largest })
    }

    pub fn view<'a>(&self, file: &FileView<'a>, length: usize) -> Result<Days<'a>> {
        Ok(Days { codes: self.codes.view(file, length)?, base: self.base, largest: self.largest })
    }
}

/// Calendar days in place.
#[derive(Debug, Clone, Copy)]
pub struct Days<'a> {
    /// 0 = unknown.
    pub codes: Codes<'a>,
    base: i32,
    largest: u32,
}

impl Days<'_> {
    /// The day at a position, if known: days since 1970-01-01.
    pub fn get(&self, at: usize) -> Option<i32> {
        Some(self.codes.get(at)).filter(|code| *code != 0).map(|code| self.day(code))
    }

    /// The day a code other than 0 stands for.
    pub fn day(&self, code: u32) -> i32 {
        (i64::from(code) - 1 + i64::from(self.base)).clamp(i32::MIN.into(), i32::MAX.into()) as i32
    }

    /// The codes of the days from `first` to `last`, both included: ends included, none if the second is the less.
    pub fn code_range(&self, first: i64, last: i64) -> (u32, u32) {
        let code = |day: i64| day.saturating_sub(self.base.into()).saturating_add(1);
        let low = code(first).clamp(1, i64::from(u32::MAX)) as u32;
        let high = code(last).clamp(0, i64::from(self.largest)) as u32;
        (low, high)
    }
}
