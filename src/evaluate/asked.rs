//! What a test asks of a value, bound to no column: of a number and a day ranges, of a text a comparison. `bind` turns it
//! into codes of a column; a value that no dictionary or frame has is asked as it is.

use super::moment::Minute;
use super::text;
use crate::audiences::rule::{Compare, Date, Literal, Test};
use crate::log::Value;
use crate::schema::Span;

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

/// A date's window, which moves with the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateWindow {
    Within(Span),
    BeforeAgo(Span),
    /// From this day until now.
    Since(i32),
}

/// Which texts pass.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Texts {
    /// Any.
    All,
    /// A category that is one of these.
    Are(Box<[Box<str>]>),
    /// A category that is another.
    AreNot(Box<str>),
    /// Tags of which one is one of these.
    HaveAny(Box<[Box<str>]>),
    /// Tags among which all of these are.
    HaveAll(Box<[Box<str>]>),
    /// In lower case, contains this.
    Contain(Box<str>),
    /// In lower case, starts with this.
    StartWith(Box<str>),
    /// In lower case, matches one of these patterns.
    Match(Box<[Box<str>]>),
}

impl Texts {
    /// Whether a text passes a test of its letters; false for other tests.
    pub fn letters(&self, text: &str) -> bool {
        match self {
            Texts::Contain(part) => text.to_lowercase().contains(&**part),
            Texts::StartWith(start) => text.to_lowercase().starts_with(&**start),
            Texts::Match(patterns) => {
                let text = text.to_lowercase();
                patterns.iter().any(|pattern| text::matches(pattern, &text))
            }
            _ => false,
        }
    }

    /// Whether a category passes.
    fn category(&self, text: &str) -> bool {
        match self {
            Texts::All => true,
            Texts::Are(texts) => texts.iter().any(|other| **other == *text),
            Texts::AreNot(other) => **other != *text,
            Texts::HaveAny(_) | Texts::HaveAll(_) => false,
            letters => letters.letters(text),
        }
    }

    /// Whether tags, of which there is one at least, pass.
    pub fn tags<'t>(&self, tags: &(impl Iterator<Item = &'t str> + Clone)) -> bool {
        let has = |wanted: &str| tags.clone().any(|tag| tag == wanted);
        match self {
            Texts::All => true,
            Texts::HaveAny(wanted) => wanted.iter().any(|wanted| has(wanted)),
            Texts::HaveAll(wanted) => wanted.iter().all(|wanted| has(wanted)),
            Texts::Are(_) | Texts::AreNot(_) => false,
            letters => tags.clone().any(|tag| letters.letters(tag)),
        }
    }
}

/// A test, taken apart by what the value may be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asked {
    /// Whether `false` and whether `true` pass.
    pub flags: [bool; 2],
    /// The numbers that pass: ranges with both ends included.
    pub numbers: Box<[(Real, Real)]>,
    /// The days that pass: ranges with both ends included.
    pub days: Box<[(i64, i64)]>,
    /// The days that pass, if that depends on the minute.
    pub window: Option<DateWindow>,
    /// The texts that pass.
    pub texts: Texts,
}

impl Asked {
    /// What a test asks.
    pub fn of(test: &Test) -> Self {
        let window = match test {
            Test::Within(span) => Some(DateWindow::Within(*span)),
            Test::BeforeAgo(span) => Some(DateWindow::BeforeAgo(*span)),
            Test::Since(date) => Some(DateWindow::Since(date.0)),
            _ => None,
        };
        let numbers = numbers(test).into_iter().map(|(low, high)| (Real::new(low), Real::new(high))).collect();
        Asked {
            flags: [false, true].map(|value| flag(test, value)),
            numbers,
            days: days(test),
            window,
            texts: texts(test),
        }
    }

    /// Whether a number passes.
    pub fn number(&self, value: f64) -> bool {
        self.numbers.iter().any(|(low, high)| value >= low.value() && value <= high.value())
    }

    /// Whether a day passes.
    pub fn day(&self, day: i32, minute: &Minute<'_>) -> bool {
        match self.window {
            Some(window) => minute.date_is_in(window, day),
            None => self.days.iter().any(|(first, last)| (*first..=*last).contains(&i64::from(day))),
        }
    }

    /// Whether a value passes.
    pub fn value(&self, value: &Value<'_>, minute: &Minute<'_>) -> bool {
        match value {
            Value::Flag(value) => self.flags[usize::from(*value)],
            Value::Number(value) => self.number(*value),
            Value::Date(day) => self.day(*day, minute),
            Value::Text(text) => self.texts.category(text),
            Value::Tags(tags) => self.texts.tags(&tags.iter().map(|tag| &**tag)),
        }
    }
}

fn flag(test: &Test, value: bool) -> bool {
    let is = |literal: &Literal, wanted: bool| matches!(literal, Literal::Flag(value) if *value == wanted);
    match test {
        Test::IsTrue => value,
        Test::IsKnown => true,
        Test::Compare(Compare::Eq, literal) => is(literal, value),
        Test::Compare(Compare::Ne, literal) => is(literal, !value),
        Test::In(literals) => literals.iter().any(|literal| is(literal, value)),
        _ => false,
    }
}

fn numbers(test: &Test) -> Vec<(f64, f64)> {
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

fn days(test: &Test) -> Box<[(i64, i64)]> {
    const ALL: (i64, i64) = (i32::MIN as i64, i32::MAX as i64);
    let day = |literal: &Literal| match literal {
        Literal::Date(Date(day)) => Some(i64::from(*day)),
        _ => None,
    };
    match test {
        Test::IsKnown => [ALL].into(),
        Test::Compare(compare, literal) => match (day(literal), compare) {
            (None, _) => [].into(),
            (Some(day), Compare::Eq) => [(day, day)].into(),
            (Some(day), Compare::Ne) => [(ALL.0, day - 1), (day + 1, ALL.1)].into(),
            (Some(day), Compare::Lt) => [(ALL.0, day - 1)].into(),
            (Some(day), Compare::Le) => [(ALL.0, day)].into(),
            (Some(day), Compare::Gt) => [(day + 1, ALL.1)].into(),
            (Some(day), Compare::Ge) => [(day, ALL.1)].into(),
        },
        Test::Between(low, high) => day(low).zip(day(high)).into_iter().collect(),
        Test::In(literals) => literals.iter().filter_map(day).map(|day| (day, day)).collect(),
        _ => [].into(),
    }
}

fn texts(test: &Test) -> Texts {
    let lower = |text: &String| text.to_lowercase().into_boxed_str();
    let boxed = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
    match test {
        Test::IsKnown => Texts::All,
        Test::Compare(Compare::Eq, Literal::Text(text)) => Texts::Are([text.as_str().into()].into()),
        Test::Compare(Compare::Ne, Literal::Text(text)) => Texts::AreNot(text.as_str().into()),
        Test::In(literals) => {
            let texts = literals.iter().filter_map(|literal| match literal {
                Literal::Text(text) => Some(text.as_str().into()),
                _ => None,
            });
            Texts::Are(texts.collect())
        }
        Test::HasAny(wanted) => Texts::HaveAny(boxed(wanted)),
        Test::HasAll(wanted) => Texts::HaveAll(boxed(wanted)),
        Test::Contains(part) => Texts::Contain(lower(part)),
        Test::StartsWith(start) => Texts::StartWith(lower(start)),
        Test::MatchesAny(patterns) => Texts::Match(patterns.iter().map(lower).collect()),
        _ => Texts::Are([].into()),
    }
}
