//! The slow obvious twin: a rule read off plain vectors, one profile at a time, with the calendar asked every time.
//! Shares nothing with the evaluator but the sample's hash, which is a definition.

use crate::audiences::rule::{Aggregate, Compare, Count, Date, EventTest, Literal, Pick, Test, When};
use crate::audiences::{Catalogue, Expr};
use crate::evaluate::leaf::{in_sample, sample_name};
use crate::schema::Timestamp;
use crate::snapshot::columns::data::{ColumnData, EventData, PropData, TraitData};
use jiff::civil;
use jiff::tz::TimeZone;

pub struct Oracle<'a> {
    pub data: &'a ColumnData,
    pub catalogue: &'a Catalogue,
    pub now: Timestamp,
    pub zone: &'a TimeZone,
}

/// A known value.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Flag(bool),
    Text(String),
    Tags(Vec<String>),
    Number(f64),
    Date(i32),
}

impl Oracle<'_> {
    pub fn audience(&self, number: usize, ordinal: u32) -> bool {
        let audience = &self.catalogue.audiences[number];
        match &audience.rule {
            Some(rule) => self.holds(&rule.0, ordinal),
            None => self.data.lists.iter().filter(|(id, _)| id == audience.id.as_str()).any(|(_, list)| {
                let mut members = list.ordinals.iter().zip(&list.until);
                members.any(|(who, until)| *who == ordinal && (*until == u32::MAX || i64::from(*until) > self.now.0))
            }),
        }
    }

    pub fn holds(&self, expr: &Expr, ordinal: u32) -> bool {
        match expr {
            Expr::Everyone => true,
            Expr::And(operands) => operands.iter().all(|operand| self.holds(operand, ordinal)),
            Expr::Or(operands) => operands.iter().any(|operand| self.holds(operand, ordinal)),
            Expr::Not(operand) => !self.holds(operand, ordinal),
            Expr::AtLeast(least, operands) => {
                operands.iter().filter(|operand| self.holds(operand, ordinal)).count() >= *least as usize
            }
            Expr::InAudience(id) => {
                let number = self.catalogue.audiences.iter().position(|audience| audience.id == *id);
                number.is_some_and(|number| self.audience(number, ordinal))
            }
            Expr::Sample(share, name) => in_sample(self.data.seeds[ordinal as usize], sample_name(name), *share),
            Expr::Trait(test) => {
                let column = self.data.traits.iter().find(|(name, _)| *name == test.name);
                let value = column.and_then(|(_, column)| trait_value(column, ordinal as usize));
                value.is_some_and(|value| self.passes(&test.test, &value))
            }
            Expr::Event(test) => self.event(test, ordinal),
        }
    }

    fn midnight(&self, day: i64) -> i64 {
        let date = civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
        date.to_zoned(self.zone.clone()).unwrap().timestamp().as_second()
    }

    fn day(&self, time: i64) -> i64 {
        let zoned = jiff::Timestamp::from_second(time).unwrap().to_zoned(self.zone.clone());
        i64::from(zoned.date().since((jiff::Unit::Day, civil::date(1970, 1, 1))).unwrap().get_days())
    }

    fn passes(&self, test: &Test, value: &Value) -> bool {
        let date_is =
            |passes: &dyn Fn(i64) -> bool| matches!(value, Value::Date(day) if passes(self.midnight((*day).into())));
        let (now, zone_midnight) = (self.now.0, |date: &Date| self.midnight(date.0.into()));
        match test {
            Test::IsTrue => *value == Value::Flag(true),
            Test::IsKnown => true,
            Test::Compare(compare, literal) => compare_values(value, *compare, literal),
            Test::Between(low, high) => {
                compare_values(value, Compare::Ge, low) && compare_values(value, Compare::Le, high)
            }
            Test::In(literals) => literals.iter().any(|literal| compare_values(value, Compare::Eq, literal)),
            Test::HasAny(wanted) => matches!(value, Value::Tags(tags) if wanted.iter().any(|tag| tags.contains(tag))),
            Test::HasAll(wanted) => matches!(value, Value::Tags(tags) if wanted.iter().all(|tag| tags.contains(tag))),
            Test::Contains(part) => any_text(value, &|text| text.contains(&part.to_lowercase())),
            Test::StartsWith(start) => any_text(value, &|text| text.starts_with(&start.to_lowercase())),
            Test::MatchesAny(patterns) => {
                any_text(value, &|text| patterns.iter().any(|p| glob(p.to_lowercase().as_bytes(), text.as_bytes())))
            }
            Test::Within(span) => date_is(&|time| now - span.0 < time && time <= now),
            Test::BeforeAgo(span) => date_is(&|time| time <= now - span.0),
            Test::Since(date) => date_is(&|time| zone_midnight(date) <= time && time <= now),
        }
    }

    fn in_window(&self, when: &When, time: i64) -> bool {
        let now = self.now.0;
        time <= now
            && match when {
                When::Ever => true,
                When::Within(span) => now - span.0 < time,
                When::BeforeAgo(span) => time <= now - span.0,
                When::BetweenAgo(near, far) => now - far.0 < time && time <= now - near.0,
                When::Since(date) => self.midnight(date.0.into()) <= time,
                When::BetweenDates(first, last) => {
                    self.midnight(first.0.into()) <= time && time < self.midnight(i64::from(last.0) + 1)
                }
                When::Today => self.day(time) == self.day(now),
            }
    }

    fn event(&self, test: &EventTest, ordinal: u32) -> bool {
        let none = EventData::default();
        let data = self.data.events.iter().find(|(name, _)| *name == test.name).map_or(&none, |(_, data)| data);
        let time = |row: usize| i64::from(data.times[row]);
        let prop = |name: &str, row: usize| {
            let column = data.properties.iter().find(|(other, _)| other == name);
            column.and_then(|(_, column)| prop_value(column, row))
        };
        let filtered = |row: &usize| {
            test.filter.iter().all(|(name, test)| prop(name, *row).is_some_and(|value| self.passes(test, &value)))
        };
        let rows = (0..data.ordinals.len()).filter(|row| data.ordinals[*row] == ordinal && time(*row) <= self.now.0);
        let mut rows: Vec<usize> = rows.filter(filtered).collect();
        rows = match test.pick {
            Pick::All => rows,
            Pick::First => rows.first().copied().into_iter().collect(),
            Pick::Last => rows.last().copied().into_iter().collect(),
        };
        rows.retain(|row| self.in_window(&test.when, time(*row)));
        let times = rows.len() as u32;
        match &test.count {
            Count::Never => times == 0,
            Count::AtLeast(least) => times >= *least,
            Count::AtMost(most) => times <= *most,
            Count::Exactly(exactly) => times == *exactly,
            Count::Between(least, most) => (*least..=*most).contains(&times),
            Count::Days(least) => {
                rows.iter().map(|row| self.day(time(*row))).collect::<std::collections::HashSet<_>>().len()
                    >= *least as usize
            }
            Count::Distinct(least, name) => {
                let values = rows.iter().filter_map(|row| prop(name, *row)).map(|value| format!("{value:?}"));
                values.collect::<std::collections::HashSet<_>>().len() >= *least as usize
            }
            Count::Aggregate(aggregate, name, compare, wanted) => {
                let values = rows.iter().filter_map(|row| match prop(name, *row) {
                    Some(Value::Number(number)) => Some(number),
                    _ => None,
                });
                let values: Vec<f64> = values.collect();
                let sum = values.iter().sum::<f64>();
                let result = match aggregate {
                    Aggregate::Sum => sum,
                    Aggregate::Avg => sum / values.len() as f64,
                    Aggregate::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
                    Aggregate::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                };
                !values.is_empty() && ordered(result.partial_cmp(wanted), *compare)
            }
        }
    }
}

fn trait_value(column: &TraitData, at: usize) -> Option<Value> {
    match column {
        TraitData::Flag(values) => (values[at] != 0).then_some(Value::Flag(values[at] == 2)),
        TraitData::Category { codes, dictionary } => {
            (codes[at] != 0).then(|| Value::Text(dictionary[codes[at] as usize - 1].clone()))
        }
        TraitData::Tags { starts, codes, dictionary } => {
            let tags = &codes[starts[at] as usize..starts[at + 1] as usize];
            (!tags.is_empty()).then(|| Value::Tags(tags.iter().map(|tag| dictionary[*tag as usize].clone()).collect()))
        }
        TraitData::Number(values) => (!values[at].is_nan()).then_some(Value::Number(values[at])),
        TraitData::Date(days) => (days[at] != i32::MIN).then_some(Value::Date(days[at])),
    }
}

fn prop_value(column: &PropData, row: usize) -> Option<Value> {
    match column {
        PropData::Flag(values) => (values[row] != 0).then_some(Value::Flag(values[row] == 2)),
        PropData::Category { codes, dictionary } => {
            (codes[row] != 0).then(|| Value::Text(dictionary[codes[row] as usize - 1].clone()))
        }
        PropData::Number(values) => (!values[row].is_nan()).then_some(Value::Number(values[row])),
    }
}

fn compare_values(value: &Value, compare: Compare, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::Number(value), Literal::Number(wanted)) => ordered(value.partial_cmp(wanted), compare),
        (Value::Date(value), Literal::Date(wanted)) => ordered(Some(value.cmp(&wanted.0)), compare),
        (Value::Text(value), Literal::Text(wanted)) => equal(value == wanted, compare),
        (Value::Flag(value), Literal::Flag(wanted)) => equal(value == wanted, compare),
        _ => false,
    }
}

fn equal(equal: bool, compare: Compare) -> bool {
    match compare {
        Compare::Eq => equal,
        Compare::Ne => !equal,
        _ => false,
    }
}

fn ordered(ordering: Option<std::cmp::Ordering>, compare: Compare) -> bool {
    ordering.is_some_and(|ordering| match compare {
        Compare::Eq => ordering.is_eq(),
        Compare::Ne => ordering.is_ne(),
        Compare::Lt => ordering.is_lt(),
        Compare::Le => ordering.is_le(),
        Compare::Gt => ordering.is_gt(),
        Compare::Ge => ordering.is_ge(),
    })
}

fn any_text(value: &Value, passes: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Text(text) => passes(&text.to_lowercase()),
        Value::Tags(tags) => tags.iter().any(|tag| passes(&tag.to_lowercase())),
        _ => false,
    }
}

fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => glob(rest, text) || (!text.is_empty() && glob(pattern, &text[1..])),
        ([a, pattern @ ..], [b, text @ ..]) => a == b && glob(pattern, text),
        _ => false,
    }
}
