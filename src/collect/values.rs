//! Texts as sources write them -> flags and numbers; the value maps of columns. (Dates and times: [`super::times`].)

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// `true/false`, `yes/no`, `y/n`, `t/f`, `1/0`, in any case.
pub(super) fn flag(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ if is(&["true", "yes", "y", "t"]) => Some(true),
        _ if is(&["false", "no", "n", "f"]) => Some(false),
        _ => None,
    }
}

/// A finite number with the given decimal separator; no thousands separators, which would be guesses.
pub(super) fn number(text: &str, separator: u8) -> Option<f64> {
    if let Some(whole) = short_whole(text.as_bytes()) {
        return Some(whole);
    }
    let number =
        if separator == b'.' { parse_finite(text) } else { with_point(text, separator).and_then(parse_finite_bytes) };
    number.map(|number| if number == 0.0 { 0.0 } else { number })
}

/// Up to 15 digits: most numbers of exports, exact in a float.
fn short_whole(bytes: &[u8]) -> Option<f64> {
    if bytes.is_empty() || bytes.len() > 15 {
        return None;
    }
    let mut whole = 0u64;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        whole = whole * 10 + u64::from(digit);
    }
    Some(whole as f64)
}

/// The words `inf` and `nan` are not numbers here, nor is what overflows.
fn parse_finite(text: &str) -> Option<f64> {
    let starts_well =
        text.bytes().find(|byte| !matches!(byte, b'+' | b'-')).is_some_and(|b| b.is_ascii_digit() || b == b'.');
    if !starts_well {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn parse_finite_bytes((bytes, len): ([u8; 64], usize)) -> Option<f64> {
    parse_finite(std::str::from_utf8(&bytes[..len]).ok()?)
}

fn with_point(text: &str, separator: u8) -> Option<([u8; 64], usize)> {
    let mut bytes = [0u8; 64];
    if text.len() > bytes.len() || text.contains('.') {
        return None;
    }
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes.iter_mut().filter(|byte| **byte == separator).for_each(|byte| *byte = b'.');
    Some((bytes, text.len()))
}

/// xxh3 instead of SipHash: the keys are the configuration's, not an attacker's.
#[derive(Default)]
pub(super) struct FastHasher(u64);

impl Hasher for FastHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    // A str's terminator says nothing new.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

type FastState = BuildHasherDefault<FastHasher>;
/// A map from short texts.
pub(super) type FastMap<V> = HashMap<Box<str>, V, FastState>;

/// The value map and the permitted values of a column.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    map: FastMap<Box<str>>,
    permitted: HashSet<Box<str>, FastState>,
}

impl Mapping {
    pub(super) fn new(map: &BTreeMap<String, String>, permitted: &[String]) -> Self {
        Mapping {
            map: map.iter().map(|(from, to)| (from.trim().into(), to.trim().into())).collect(),
            permitted: permitted.iter().map(|value| value.trim().into()).collect(),
        }
    }

    /// The value after the map; "" when the map makes it unknown.
    pub(super) fn rename<'a>(&'a self, text: &'a str) -> &'a str {
        if self.map.is_empty() { text } else { self.map.get(text).map_or(text, |to| to) }
    }

    /// Whether the (mapped) value may occur.
    pub(super) fn permits(&self, text: &str) -> bool {
        self.permitted.is_empty() || self.permitted.contains(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn flags_in_the_usual_spellings() {
        for yes in ["true", "TRUE", "1", "yes", "Y", "t"] {
            assert_eq!(flag(yes), Some(true), "{yes}");
        }
        for no in ["false", "False", "0", "No", "n", "F"] {
            assert_eq!(flag(no), Some(false), "{no}");
        }
        for neither in ["", "2", "si", "truee", "on"] {
            assert_eq!(flag(neither), None, "{neither}");
        }
    }

    #[test]
    fn numbers_are_finite_and_separators_are_not_guessed() {
        for (text, expected) in [
            ("7", 7.0),
            ("-1.50", -1.5),
            ("+3", 3.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("123456789012345678", 123456789012345678.0),
        ] {
            assert_eq!(number(text, b'.'), Some(expected), "{text}");
        }
        for text in ["", "inf", "-inf", "NaN", "infinity", "1e999", "1,5", "12 3", "0x10", "1.234.5", "--1"] {
            assert_eq!(number(text, b'.'), None, "{text}");
        }
        assert_eq!(number("1234,56", b','), Some(1234.56));
        assert_eq!(number("1.234,56", b','), None);
        assert_eq!(number("-0", b'.').map(f64::to_bits), Some(0));
    }

    #[test]
    fn maps_rename_then_the_permitted_values_decide() {
        let map = BTreeMap::from([("1".to_owned(), "young".to_owned()), ("?".to_owned(), String::new())]);
        let mapping = Mapping::new(&map, &["young".to_owned(), "old".to_owned()]);
        assert_eq!((mapping.rename("1"), mapping.rename("?"), mapping.rename("old")), ("young", "", "old"));
        assert!(mapping.permits("young") && mapping.permits("old") && !mapping.permits("1"));
        assert!(Mapping::default().permits("anything"));
    }

    proptest! {
        #[test]
        fn numbers_read_as_the_standard_library_reads_them(number_in in any::<f64>().prop_filter("finite", |n| n.is_finite()), whole in any::<i64>()) {
            prop_assert_eq!(number(&number_in.to_string(), b'.'), Some(number_in));
            prop_assert_eq!(number(&whole.to_string(), b'.'), Some(whole as f64));
            prop_assert_eq!(number(&format!("{number_in}").replace('.', ","), b','), Some(number_in).filter(|_| number_in.to_string().len() <= 64));
        }
    }
}
