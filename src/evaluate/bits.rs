//! Arrays of values -> bytes of 0 and 1 -> bitmaps: the loops the compiler turns into vector instructions.

use super::bind::{Matcher, Ranges};
use crate::snapshot::columns::{Codes, Numbers, WORDS};

/// A block's bitmap: bit `o` is the block's ordinal `o`.
pub type Bitmap = [u64; WORDS];

/// More ranges than this are looked up in a table instead of compared one by one.
const FEW_RANGES: usize = 6;

/// A code in its own width, so that comparisons stay as narrow as the column.
trait Code: Copy + PartialOrd + Into<u32> {
    const MAX: u32;
    fn narrow(code: u32) -> Self;
    fn wrapping_minus(self, other: Self) -> Self;
}

macro_rules! code {
    ($($width:ty),*) => {$(
        impl Code for $width {
            const MAX: u32 = <$width>::MAX as u32;
            fn narrow(code: u32) -> Self {
                code.min(Self::MAX.into()) as $width
            }
            fn wrapping_minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
        }
    )*};
}
code!(u8, u16, u32);

/// `bytes[i] |= codes[i] is in a range`; codes that are missing at the end count as 0.
pub fn or_codes(codes: Codes<'_>, ranges: &Ranges, bytes: &mut [u8]) {
    match codes {
        Codes::U8(codes) => or_narrow(codes, ranges, bytes),
        Codes::U16(codes) => or_narrow(codes, ranges, bytes),
        Codes::U32(codes) => or_narrow(codes, ranges, bytes),
    }
}

fn or_narrow<T: Code>(codes: &[T], ranges: &Ranges, bytes: &mut [u8]) {
    if ranges.0.len() > FEW_RANGES {
        return or_many(codes, ranges, bytes);
    }
    for (low, high) in ranges.0.iter().filter(|(low, _)| *low <= T::MAX) {
        let (low, high) = (T::narrow(*low), T::narrow(*high));
        let span = high.wrapping_minus(low);
        for (byte, code) in bytes.iter_mut().zip(codes) {
            *byte |= u8::from(code.wrapping_minus(low) <= span);
        }
    }
}

fn or_many<T: Code>(codes: &[T], ranges: &Ranges, bytes: &mut [u8]) {
    if T::MAX > u32::from(u16::MAX) {
        for (byte, code) in bytes.iter_mut().zip(codes) {
            *byte |= u8::from(ranges.contains((*code).into()));
        }
        return;
    }
    let mut table = vec![0u8; T::MAX as usize + 1];
    for (low, high) in ranges.0.iter().filter(|(low, _)| *low <= T::MAX) {
        table[*low as usize..=(*high).min(T::MAX) as usize].fill(1);
    }
    for (byte, code) in bytes.iter_mut().zip(codes) {
        *byte |= table[(*code).into() as usize];
    }
}

/// The codes that are in a range, as bits; bits beyond the codes are cleared. Compared and packed 64 at a time, so that what
/// lies between stays in registers.
pub fn pack_codes(codes: Codes<'_>, ranges: &Ranges, bitmap: &mut [u64]) {
    match codes {
        Codes::U8(codes) => pack_narrow(codes, ranges, bitmap),
        Codes::U16(codes) => pack_narrow(codes, ranges, bitmap),
        Codes::U32(codes) => pack_narrow(codes, ranges, bitmap),
    }
}

fn pack_narrow<T: Code + Default>(codes: &[T], ranges: &Ranges, bitmap: &mut [u64]) {
    if ranges.0.len() > FEW_RANGES {
        let mut bytes = vec![0; codes.len()];
        or_many(codes, ranges, &mut bytes);
        return pack_each(&bytes, 0, bitmap, |bytes, lanes| *lanes = *bytes);
    }
    let ranges = ranges.0.iter().filter(|(low, _)| *low <= T::MAX);
    let spans: smallvec::SmallVec<[(T, T); FEW_RANGES]> = ranges
        .map(|(low, high)| (T::narrow(*low), T::narrow(*high)))
        .map(|(low, high)| (low, high.wrapping_minus(low)))
        .collect();
    // The code 0, which is in no range, stands in for those that are missing in the last word.
    pack_each(codes, T::default(), bitmap, |codes, lanes| {
        for (low, span) in &spans {
            for (lane, code) in lanes.iter_mut().zip(codes) {
                *lane |= u8::from(code.wrapping_minus(*low) <= *span);
            }
        }
    });
}

/// The numbers that match, as bits.
pub fn pack_numbers(numbers: &Numbers<'_>, rows: std::ops::Range<usize>, matcher: &Matcher, bitmap: &mut [u64]) {
    match (numbers, matcher) {
        (Numbers::Frame(codes, _), Matcher::Codes(ranges)) => pack_codes(codes.slice(rows), ranges, bitmap),
        (Numbers::Raw(values), Matcher::Reals(ranges)) => {
            let values = values.get(rows).unwrap_or(&[]);
            pack_each(values, f64::NAN, bitmap, |values, lanes| {
                for (low, high) in ranges.iter().map(|(low, high)| (low.value(), high.value())) {
                    for (lane, value) in lanes.iter_mut().zip(values) {
                        *lane |= u8::from(*value >= low) & u8::from(*value <= high);
                    }
                }
            });
        }
        _ => bitmap.fill(0),
    }
}

/// Tests 64 values at a time: `test` is given bytes of 0, and makes them 1 for those that pass. `nothing` passes no test.
pub fn pack_each<T: Copy>(values: &[T], nothing: T, bitmap: &mut [u64], test: impl Fn(&[T; 64], &mut [u8; 64])) {
    let word = |values: &[T; 64]| {
        let mut lanes = [0u8; 64];
        test(values, &mut lanes);
        gather(&lanes)
    };
    let (whole, rest) = values.as_chunks::<64>();
    let written = whole.len().min(bitmap.len());
    for (out, values) in bitmap.iter_mut().zip(whole) {
        *out = word(values);
    }
    bitmap[written..].fill(0);
    if let (false, Some(out)) = (rest.is_empty(), bitmap.get_mut(written)) {
        let mut last = [nothing; 64];
        last[..rest.len()].copy_from_slice(rest);
        *out = word(&last);
    }
}

/// Bytes of 0 and 1 -> bits.
fn gather(lanes: &[u8; 64]) -> u64 {
    let eights = lanes.as_chunks::<8>().0.iter().enumerate();
    // The product has the lowest bit of every byte in its highest byte.
    let bits = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.fold(0, |word, (at, eight)| word | bits(eight) << (at * 8))
}

/// Sets a bit.
pub fn set(bitmap: &mut Bitmap, low: u16) {
    bitmap[usize::from(low) / 64] |= 1 << (low % 64);
}

/// Clears a bit.
pub fn clear(bitmap: &mut Bitmap, low: u16) {
    bitmap[usize::from(low) / 64] &= !(1 << (low % 64));
}

/// Clears the bits from `length` on.
pub fn cut(bitmap: &mut [u64], length: usize) {
    let word = length / 64;
    if word < bitmap.len() {
        bitmap[word] &= (1 << (length % 64)) - 1;
        bitmap[word + 1..].fill(0);
    }
}

/// How many bits are set.
pub fn count(bitmap: &Bitmap) -> u64 {
    bitmap.iter().map(|word| u64::from(word.count_ones())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_keeps_order_and_cuts_at_the_length() {
        let bytes: Vec<u8> = (0..131u32).map(|at| u8::from(at % 3 == 0 || at == 130)).collect();
        let mut bitmap = [u64::MAX; WORDS];
        pack_each(&bytes, 0, &mut bitmap, |bytes, lanes| *lanes = *bytes);
        for at in 0..WORDS * 64 {
            let expected = bytes.get(at).is_some_and(|byte| *byte == 1);
            assert_eq!(bitmap[at / 64] >> (at % 64) & 1 == 1, expected, "bit {at}");
        }
        cut(&mut bitmap, 130);
        assert_eq!(count(&bitmap), 44);
    }

    #[test]
    fn many_ranges_and_few_say_the_same_in_every_width() {
        let ranges = Ranges::of((1..60_000).filter(|code| code % 7 < 2));
        let codes: Vec<u32> = (0..500u32).map(|at| at * 131 % 70_000).collect();
        let narrow: Vec<u16> = codes.iter().map(|code| *code as u16).collect();
        let mut bytes = vec![0; 500];
        or_codes(Codes::U32(&codes), &ranges, &mut bytes);
        assert!(bytes.iter().zip(&codes).all(|(byte, code)| (*byte == 1) == ranges.contains(*code)));
        bytes.fill(0);
        or_codes(Codes::U16(&narrow), &ranges, &mut bytes);
        assert!(bytes.iter().zip(&narrow).all(|(byte, code)| (*byte == 1) == ranges.contains(u32::from(*code))));
        bytes.fill(0);
        let few = Ranges(vec![(3, 90), (250, 70_000)].into());
        or_codes(Codes::U8(&[0, 3, 90, 91, 255]), &few, &mut bytes);
        assert_eq!(bytes[..5], [0, 1, 1, 0, 1]);
    }

    #[test]
    fn packing_and_comparing_at_once_is_comparing_and_then_packing() {
        let codes: Vec<u32> = (0..65_536u32).map(|at| at.wrapping_mul(2_654_435_761) % 700).collect();
        let (bytes, narrow): (Vec<u8>, Vec<u16>) = codes.iter().map(|code| (*code as u8, *code as u16)).unzip();
        let many = Ranges::of((1..700).filter(|code| code % 9 < 3));
        let few = Ranges::merge([(1, 3), (200, 300), (650, 100_000)]);
        for (ranges, length) in [(&many, 65_536), (&many, 130), (&few, 65_536), (&few, 1_001), (&few, 0)] {
            for codes in [Codes::U8(&bytes), Codes::U16(&narrow), Codes::U32(&codes)].map(|all| all.slice(0..length)) {
                let mut bitmap = [u64::MAX; WORDS];
                pack_codes(codes, ranges, &mut bitmap);
                let is_set = |at: usize| bitmap[at / 64] >> (at % 64) & 1 == 1;
                assert!((0..WORDS * 64).all(|at| is_set(at) == ranges.contains(codes.get(at))), "{length}");
            }
        }
    }
}
