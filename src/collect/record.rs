//! One row as a format reader hands it over: a value a configured column, before any meaning is given to it.

use std::fmt::Write;

/// A raw value. Texts are ranges of the row's text, lists are ranges of its items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// Not there, or null.
    Absent,
    Text {
        start: u32,
        end: u32,
    },
    Whole(i64),
    Number(f64),
    Flag(bool),
    /// Days since 1970-01-01.
    Day(i32),
    /// Seconds since the epoch.
    Instant(i64),
    /// Seconds since the epoch as if the wall clock were UTC's.
    WallClock(i64),
    List {
        start: u32,
        end: u32,
    },
    /// An object, or a type without meaning here.
    Other,
}

/// A row: `values` by position in the plan's columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'r> {
    pub(super) text: &'r str,
    pub(super) values: &'r [Value],
    pub(super) items: &'r [Value],
    /// 1-based line, or row of a Parquet file.
    pub(super) line: u64,
}

/// A value read as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read<'r> {
    /// Absent, or nothing but white space: unknown.
    Empty,
    /// Trimmed, not empty.
    Text(&'r str),
    /// Neither a text nor anything that reads as one.
    NotText,
}

impl<'r> Fields<'r> {
    /// The value of a column as trimmed text; numbers and flags are written into `scratch`.
    pub(super) fn read(&self, column: usize, scratch: &'r mut String) -> Read<'r> {
        self.read_value(self.values[column], scratch)
    }

    /// The same for a value, such as an item of a list.
    pub(super) fn read_value(&self, value: Value, scratch: &'r mut String) -> Read<'r> {
        scratch.clear();
        let written = match value {
            Value::Absent => return Read::Empty,
            Value::Text { start, end } => {
                return match trim(&self.text[start as usize..end as usize]) {
                    "" => Read::Empty,
                    text => Read::Text(text),
                };
            }
            Value::Whole(whole) => write!(scratch, "{whole}"),
            Value::Number(number) if number.is_finite() => write!(scratch, "{number}"),
            Value::Flag(flag) => write!(scratch, "{flag}"),
            Value::Day(day) => write!(scratch, "{}", Day(day)),
            Value::Instant(second) => write!(scratch, "{}", crate::schema::Timestamp(second)),
            Value::Number(_) | Value::WallClock(_) | Value::List { .. } | Value::Other => return Read::NotText,
        };
        debug_assert!(written.is_ok(), "a String takes every write");
        Read::Text(scratch)
    }

    /// The items of a list.
    pub(super) fn items(&self, start: u32, end: u32) -> &'r [Value] {
        &self.items[start as usize..end as usize]
    }

    /// What an example of a rejection is shaped after; never shown itself.
    pub(super) fn for_shape(&self, column: usize) -> &'r str {
        match self.values[column] {
            Value::Text { start, end } => &self.text[start as usize..end as usize],
            _ => "",
        }
    }
}

/// `str::trim`, with a short cut for what needs none.
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [] => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// A day as text.
struct Day(i32);

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let epoch = jiff::civil::date(1970, 1, 1);
        match epoch.checked_add(jiff::Span::new().try_days(self.0).unwrap_or_default()) {
            Ok(date) => write!(f, "{date}"),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_trimmed_text_and_empty_is_unknown() {
        let text = " a b \t7\u{a0}";
        let values = [
            Value::Text { start: 0, end: 6 },
            Value::Text { start: 5, end: 6 },
            Value::Text { start: 6, end: 9 },
            Value::Whole(-3),
            Value::Number(1.5),
            Value::Number(f64::NAN),
            Value::Flag(true),
            Value::Day(11_016),
            Value::Absent,
            Value::Other,
        ];
        let fields = Fields { text, values: &values, items: &[], line: 1 };
        let expected = [
            Read::Text("a b"),
            Read::Empty,
            Read::Text("7"),
            Read::Text("-3"),
            Read::Text("1.5"),
            Read::NotText,
            Read::Text("true"),
            Read::Text("2000-02-29"),
            Read::Empty,
            Read::NotText,
        ];
        for (column, expected) in expected.into_iter().enumerate() {
            assert_eq!(fields.read(column, &mut String::new()), expected, "column {column}");
        }
    }
}
