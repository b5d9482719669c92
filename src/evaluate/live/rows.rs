//! The rows of one person and event: those of the column and those of live records, in the order in which a rebuild would
//! put them: by time, then by what the properties say, in the column's order of properties.

use super::person::Person;
use super::symbol::{EventSymbol, Name};
use crate::evaluate::events::{Rows, number_token};
use crate::evaluate::moment::Minute;
use crate::log::{Said, Value};
use crate::snapshot::columns::{EventColumn, PropColumn};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cmp::Ordering;
use xxhash_rust::xxh3::xxh3_64;

type Properties<'p> = &'p [(Cow<'p, str>, Value<'p>)];

/// Where a row is.
#[derive(Debug, Clone, Copy)]
pub enum Place<'p> {
    /// In the column.
    Snapshot(u32),
    /// In a record.
    Live(Properties<'p>),
}

/// A row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'p> {
    pub time: u32,
    pub place: Place<'p>,
}

/// A property's value, as one of either place says it.
enum Cell<'p> {
    Flag(bool),
    Number(f64),
    Text(&'p str),
}

/// Rows of one event by time.
pub struct Merged<'p> {
    pub rows: SmallVec<[Row<'p>; 24]>,
    column: Option<&'p EventColumn<'p>>,
    /// The measured property, and where the column has it.
    property: Option<(&'p str, Option<usize>)>,
}

impl<'p> Merged<'p> {
    /// Those that lie within some seconds (both ends included) and pass a leaf's filters; not yet in order.
    pub fn gather(
        symbol: &'p EventSymbol,
        name: &Name,
        person: &Person<'p, '_>,
        seconds: (u32, u32),
        minute: &Minute<'_>,
    ) -> Self {
        let column = name.column.map(|column| &person.columns.events()[column].1);
        let property = symbol.property.as_deref().map(|name| (name, symbol.column_property));
        let mut merged = Merged { rows: SmallVec::new(), column, property };
        let counts = |time: u32| (seconds.0..=seconds.1).contains(&time);
        if let (Some(column), Some(filters), Some(ordinal)) = (column, &symbol.column_filters, person.known()) {
            let passes = |row: usize| {
                filters.iter().all(|(at, matcher)| column.property(*at).is_some_and(|p| matcher.property(p, row)))
            };
            let rows = column.rows_of(ordinal).filter(|row| counts(column.times[*row]) && passes(*row));
            merged.rows.extend(rows.map(|row| Row { time: column.times[row], place: Place::Snapshot(row as u32) }));
        }
        for fact in person.facts {
            let Said::Event { name: other, properties } = &fact.said else { continue };
            let time = fact.time.clamp(0, u32::MAX.into()) as u32;
            let passes = || {
                symbol.filters.iter().all(|(name, asked)| {
                    let value = properties.iter().find(|(other, _)| **other == **name);
                    value.is_some_and(|(_, value)| asked.value(value, minute))
                })
            };
            if **other == *name.name && counts(time) && passes() {
                merged.rows.push(Row { time, place: Place::Live(properties) });
            }
        }
        merged
    }

    /// In order.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| self.compare(a, b)));
        self.rows = rows;
        self
    }

    /// Rows of one time, as `profiles::events` sorts them. Of an event that no column holds the properties come by name;
    /// properties that its column does not have do not count.
    fn compare(&self, a: &Row<'p>, b: &Row<'p>) -> Ordering {
        let by = |name: &str, column: Option<&PropColumn<'p>>| compare(&cell(a, name, column), &cell(b, name, column));
        if let Some(column) = self.column {
            let compared = column.properties().iter().map(|(name, column)| by(name, Some(column)));
            return compared.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal);
        }
        let names = |row: &Row<'p>| match row.place {
            Place::Live(properties) => properties,
            Place::Snapshot(_) => &[],
        };
        let mut names: SmallVec<[&str; 16]> = names(a).iter().chain(names(b)).map(|(name, _)| &**name).collect();
        names.sort_unstable();
        names.dedup();
        names.iter().map(|name| by(name, None)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// Unknown flags and texts come before others, unknown numbers after them: as columns keep them.
fn compare(a: &Option<Cell<'_>>, b: &Option<Cell<'_>>) -> Ordering {
    match (a, b) {
        (Some(Cell::Number(a)), Some(Cell::Number(b))) => (a + 0.0).total_cmp(&(b + 0.0)),
        (Some(Cell::Flag(a)), Some(Cell::Flag(b))) => a.cmp(b),
        (Some(Cell::Text(a)), Some(Cell::Text(b))) => a.cmp(b),
        (Some(Cell::Number(_)), None) => Ordering::Less,
        (None, Some(Cell::Number(_))) => Ordering::Greater,
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// A property's value in a row, if known.
fn cell<'p>(row: &Row<'p>, name: &str, column: Option<&PropColumn<'p>>) -> Option<Cell<'p>> {
    match (row.place, column) {
        (Place::Live(properties), _) => {
            let (_, value) = properties.iter().find(|(other, _)| **other == *name)?;
            match value {
                Value::Flag(value) => Some(Cell::Flag(*value)),
                Value::Number(value) => Some(Cell::Number(*value)),
                Value::Text(value) => Some(Cell::Text(value)),
                Value::Date(_) | Value::Tags(_) => None,
            }
        }
        (Place::Snapshot(row), Some(PropColumn::Flag(codes))) => {
            codes.get(row as usize).checked_sub(1).map(|code| Cell::Flag(code == 1))
        }
        (Place::Snapshot(row), Some(PropColumn::Number(numbers))) => numbers.get(row as usize).map(Cell::Number),
        (Place::Snapshot(row), Some(PropColumn::Category(codes, dictionary))) => {
            let position = codes.get(row as usize).checked_sub(1)?;
            dictionary.get(position as usize).map(Cell::Text)
        }
        (Place::Snapshot(_), None) => None,
    }
}

impl<'p> Rows for Merged<'p> {
    type Property = (&'p str, Option<&'p PropColumn<'p>>);

    fn time(&self, row: usize) -> u32 {
        self.rows[row].time
    }

    fn property(&self, _: usize) -> Option<Self::Property> {
        let (name, at) = self.property?;
        Some((name, self.column.zip(at).and_then(|(column, at)| column.property(at))))
    }

    fn number(&self, (name, column): &Self::Property, row: usize) -> Option<f64> {
        match cell(&self.rows[row], name, *column)? {
            Cell::Number(value) => Some(value),
            _ => None,
        }
    }

    /// Texts are told apart by 64 bits of their hash.
    fn token(&self, (name, column): &Self::Property, row: usize) -> Option<u64> {
        Some(match cell(&self.rows[row], name, *column)? {
            Cell::Flag(value) => value.into(),
            Cell::Number(value) => number_token(value),
            Cell::Text(value) => xxh3_64(value.as_bytes()),
        })
    }
}
