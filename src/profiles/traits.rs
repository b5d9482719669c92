//! Trait columns: values by row while rows come; [`winners`](super::winners) settles them by ordinal when profiles are known.
//!
//! Of several values of one trait the one of the higher source priority wins, then the newer row's, then the greater
//! value: never the one that came first. Tags unite. That a value is not known any more is said like a value, and wins
//! over every other of its priority and time; of tags it takes away those of its priority and time or less.

use super::Value;
use super::codes::Codes;
use super::dictionary::Dictionary;
use super::graph::Node;
use super::people::People;
use super::present::Present;
use super::winners::Winners;
use crate::error::{Error, Result};
use crate::schema::TraitKind;

/// The columns of all traits. A value costs its own width and one bit a row.
#[derive(Debug)]
pub struct Traits {
    rows: Rows,
    columns: Vec<Column>,
}

/// Who, when and how trusted, by row.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) nodes: Vec<u32>,
    pub(super) times: Vec<i64>,
    pub(super) priorities: Vec<i32>,
}

impl Traits {
    /// One column a trait, of these kinds.
    pub fn new(kinds: &[TraitKind]) -> Self {
        Traits { rows: Rows::default(), columns: kinds.iter().map(|&kind| Column::new(kind)).collect() }
    }

    /// Starts a row; [`set`](Self::set) adds its values.
    ///
    /// # Errors
    /// More than 2^32 rows.
    pub fn row(&mut self, node: Node, time: i64, priority: i32) -> Result<()> {
        if self.rows.nodes.len() >= u32::MAX as usize {
            return Err(Error::input(
                "more than 4,294,967,295 profile rows: split the sources and build several snapshots",
            ));
        }
        self.rows.nodes.push(node.raw());
        self.rows.times.push(time);
        self.rows.priorities.push(priority);
        Ok(())
    }

    /// Adds a value of the started row. A value of another kind than the trait's is a caller's bug and is left out.
    pub fn set(&mut self, number: usize, value: Value<'_>) {
        let row = self.rows.nodes.len() - 1;
        self.columns[number].push(row, value);
    }

    /// The started row says that the trait is not known any more.
    pub fn erase(&mut self, number: usize) {
        let row = self.rows.nodes.len() - 1;
        self.columns[number].erasing.push(row as u32);
    }

    /// The rows by profile: what each trait's values are settled from.
    pub fn by_profile(self, people: &People) -> Winners {
        Winners::new(self.rows, self.columns, people)
    }
}

#[derive(Debug)]
pub(super) struct Column {
    /// Rows that have a value (but for tags).
    pub(super) present: Present,
    pub(super) values: Values,
    /// The row of each tag.
    pub(super) tag_rows: Vec<u32>,
    /// Rows that say that the value is not known any more.
    pub(super) erasing: Vec<u32>,
}

#[derive(Debug)]
pub(super) enum Values {
    Flag(Vec<u8>),
    Number(Vec<f64>),
    Date(Vec<i32>),
    Category(Codes, Dictionary),
    Tags(Codes, Dictionary),
}

impl Column {
    pub(super) fn new(kind: TraitKind) -> Self {
        let values = match kind {
            TraitKind::Flag => Values::Flag(Vec::new()),
            TraitKind::Number => Values::Number(Vec::new()),
            TraitKind::Date => Values::Date(Vec::new()),
            TraitKind::Category => Values::Category(Codes::default(), Dictionary::default()),
            TraitKind::Tags => Values::Tags(Codes::default(), Dictionary::default()),
        };
        Column { present: Present::default(), values, tag_rows: Vec::new(), erasing: Vec::new() }
    }

    fn push(&mut self, row: usize, value: Value<'_>) {
        match (&mut self.values, value) {
            (Values::Tags(codes, dictionary), Value::Text(text)) => {
                codes.push(dictionary.code(text));
                self.tag_rows.push(row as u32);
                return;
            }
            // A row that names a trait twice (two columns feed it) keeps the first: columns have an order, rows none.
            _ if self.present.last() == Some(row) => return,
            (Values::Flag(values), Value::Flag(flag)) => values.push(1 + u8::from(flag)),
            (Values::Number(values), Value::Number(number)) => values.push(number + 0.0),
            (Values::Date(values), Value::Date(days)) => values.push(days),
            (Values::Category(codes, dictionary), Value::Text(text)) => codes.push(dictionary.code(text)),
            _ => return,
        }
        self.present.set(row);
    }
}
