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

/// `bytes[i] |= numbers[first + i] matches`.
pub fn or_numbers(numbers: &Numbers<'_>, rows: std::ops::Range<usize>, matcher: &Matcher, bytes: &mut [u8]) {
    match (numbers, matcher) {
        (Numbers::Frame(codes, _), Matcher::Codes(ranges)) => or_codes(codes.slice(rows), ranges, bytes),
        (Numbers::Raw(values), Matcher::Reals(ranges)) => {
            let values = values.get(rows).unwrap_or(&[]);
            for (low, high) in ranges.iter().map(|(low, high)| (low.value(), high.value())) {
                for (byte, value) in bytes.iter_mut().zip(values) {
                    *byte |= u8::from(*value >= low) & u8::from(*value <= high);
                }
            }
        }
        _ => {}
    }
}

/// Packs bytes of 0 and 1 into bits; bits beyond the bytes are cleared.
pub fn pack(bytes: &[u8], bitmap: &mut Bitmap) {
    bitmap.fill(0);
    for (word, bytes) in bitmap.iter_mut().zip(bytes.chunks(64)) {
        for (at, eight) in bytes.chunks(8).enumerate() {
            let mut lanes = [0u8; 8];
            lanes[..eight.len()].copy_from_slice(eight);
            // Gathers the lowest bit of every byte into the highest byte.
            let bits = u64::from_le_bytes(lanes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            *word |= bits << (at * 8);
        }
    }
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
pub fn cut(bitmap: &mut Bitmap, length: usize) {
    let word = length / 64;
    if word < WORDS {
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
        pack(&bytes, &mut bitmap);
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
}
