//! Trait columns: values by row while rows come, settled by ordinal when profiles are known.
//!
//! Of several values of one trait the one of the higher source priority wins, then the newer row's, then the greater
//! value: never the one that came first. Tags unite. That a value is not known any more is said like a value, and wins
//! over every other of its priority and time; of tags it takes away those of its priority and time or less.

use super::codes::Codes;
use super::dictionary::Dictionary;
use super::graph::Node;
use super::people::People;
use super::{NOBODY, Value};
use crate::error::{Error, Result};
use crate::schema::TraitKind;
use crate::snapshot::columns::data::TraitData;
use std::cmp::Ordering;
use std::collections::HashMap;

/// The columns of all traits. A value costs its own width and one bit a row.
#[derive(Debug)]
pub struct Traits {
    rows: Rows,
    columns: Vec<Column>,
}

/// Priority and time.
type Rank = (i32, i64);

/// By ordinal.
type Erased = HashMap<u32, Rank>;

/// Who, when and how trusted, by row.
#[derive(Debug, Default)]
struct Rows {
    nodes: Vec<u32>,
    times: Vec<i64>,
    priorities: Vec<i32>,
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

    /// Rows whose identifiers were all cut off.
    pub fn dropped(&self, people: &People) -> u64 {
        self.rows.nodes.iter().filter(|&&node| people.ordinal(Node::from_raw(node)) == NOBODY).count() as u64
    }

    /// Takes the values of a trait out, settled by ordinal. Its room is free afterwards.
    pub fn settle(&mut self, number: usize, people: &People) -> TraitData {
        let column = std::mem::replace(&mut self.columns[number], Column::new(TraitKind::Flag));
        let Column { present, values, tag_rows, erasing } = column;
        let erased = &self.erased(&erasing, people);
        match values {
            Values::Flag(values) => {
                let won = self.winners(&present, erased, people, |a, b| values[a].cmp(&values[b]));
                TraitData::Flag(gather(&won, 0, |at| values[at]))
            }
            Values::Number(values) => {
                let won = self.winners(&present, erased, people, |a, b| values[a].total_cmp(&values[b]));
                TraitData::Number(gather(&won, f64::NAN, |at| values[at]))
            }
            Values::Date(values) => {
                let won = self.winners(&present, erased, people, |a, b| values[a].cmp(&values[b]));
                TraitData::Date(gather(&won, i32::MIN, |at| values[at]))
            }
            Values::Category(codes, dictionary) => {
                let (dictionary, places) = dictionary.sorted();
                let place = |at: usize| places[codes.get(at) as usize];
                let won = self.winners(&present, erased, people, |a, b| place(a).cmp(&place(b)));
                prune(gather(&won, 0, |at| place(at) + 1), dictionary)
            }
            Values::Tags(codes, dictionary) => self.unite(&tag_rows, erased, &codes, dictionary, people),
        }
    }

    fn rank(&self, row: u32) -> Rank {
        (self.rows.priorities[row as usize], self.rows.times[row as usize])
    }

    /// The highest rank at which each profile's value was said to be unknown.
    fn erased(&self, rows: &[u32], people: &People) -> Erased {
        let mut erased = Erased::new();
        for &row in rows {
            let who = people.ordinal(Node::from_raw(self.rows.nodes[row as usize]));
            let known = erased.entry(who).or_insert((i32::MIN, i64::MIN));
            *known = (*known).max(self.rank(row));
        }
        erased
    }

    /// For each ordinal the position of its winning value + 1; 0 = none.
    fn winners(
        &self,
        present: &Bits,
        erased: &Erased,
        people: &People,
        compare: impl Fn(usize, usize) -> Ordering,
    ) -> Vec<u32> {
        let rank = |row| self.rank(row);
        let mut won = vec![0u32; people.len() as usize];
        let mut from_row = vec![0u32; people.len() as usize];
        for (at, row) in present.ones().enumerate() {
            let who = people.ordinal(Node::from_raw(self.rows.nodes[row as usize]));
            if who == NOBODY {
                continue;
            }
            let (best, best_row) = (&mut won[who as usize], &mut from_row[who as usize]);
            let wins = *best == 0
                || rank(row).cmp(&rank(*best_row)).then_with(|| compare(at, *best as usize - 1)) == Ordering::Greater;
            if wins {
                (*best, *best_row) = (at as u32 + 1, row);
            }
        }
        for (&who, &until) in erased.iter().filter(|(who, _)| **who != NOBODY) {
            if won[who as usize] != 0 && rank(from_row[who as usize]) <= until {
                won[who as usize] = 0;
            }
        }
        won
    }

    fn unite(
        &self,
        rows: &[u32],
        erased: &Erased,
        codes: &Codes,
        dictionary: Dictionary,
        people: &People,
    ) -> TraitData {
        let (dictionary, places) = dictionary.sorted();
        let ordinal = |row: u32| people.ordinal(Node::from_raw(self.rows.nodes[row as usize]));
        let mut pairs: Vec<u64> = rows
            .iter()
            .enumerate()
            .map(|(at, &row)| (ordinal(row), row, places[codes.get(at) as usize]))
            .filter(|&(who, row, _)| who != NOBODY && erased.get(&who).is_none_or(|until| self.rank(row) > *until))
            .map(|(who, _, place)| (u64::from(who) << 32) | u64::from(place))
            .collect();
        rayon::slice::ParallelSliceMut::par_sort_unstable(pairs.as_mut_slice());
        pairs.dedup();
        let mut starts = vec![0u32; people.len() as usize + 1];
        pairs.iter().for_each(|pair| starts[(pair >> 32) as usize + 1] += 1);
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        let codes = pairs.into_iter().map(|pair| pair as u32).collect();
        TraitData::Tags { starts, codes, dictionary }
    }
}

fn gather<T: Clone>(won: &[u32], unknown: T, value: impl Fn(usize) -> T) -> Vec<T> {
    won.iter().map(|&at| if at == 0 { unknown.clone() } else { value(at as usize - 1) }).collect()
}

/// Leaves values out of the dictionary that won nowhere: a value that conflicts settled away must not be found in the
/// snapshot.
fn prune(mut codes: Vec<u32>, dictionary: Vec<String>) -> TraitData {
    let dictionary = super::order::used_only(&mut codes, dictionary);
    TraitData::Category { codes, dictionary }
}

#[derive(Debug)]
struct Column {
    /// Rows that have a value (but for tags).
    present: Bits,
    values: Values,
    /// The row of each tag.
    tag_rows: Vec<u32>,
    /// Rows that say that the value is not known any more.
    erasing: Vec<u32>,
}

#[derive(Debug)]
enum Values {
    Flag(Vec<u8>),
    Number(Vec<f64>),
    Date(Vec<i32>),
    Category(Codes, Dictionary),
    Tags(Codes, Dictionary),
}

impl Column {
    fn new(kind: TraitKind) -> Self {
        let values = match kind {
            TraitKind::Flag => Values::Flag(Vec::new()),
            TraitKind::Number => Values::Number(Vec::new()),
            TraitKind::Date => Values::Date(Vec::new()),
            TraitKind::Category => Values::Category(Codes::default(), Dictionary::default()),
            TraitKind::Tags => Values::Tags(Codes::default(), Dictionary::default()),
        };
        Column { present: Bits::default(), values, tag_rows: Vec::new(), erasing: Vec::new() }
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

/// A growing set of rows, one bit a row; set in ascending order.
#[derive(Debug, Default)]
struct Bits {
    words: Vec<u64>,
    last: Option<usize>,
}

impl Bits {
    fn set(&mut self, row: usize) {
        self.words.resize(self.words.len().max(row / 64 + 1), 0);
        self.words[row / 64] |= 1 << (row % 64);
        self.last = Some(row);
    }

    fn last(&self) -> Option<usize> {
        self.last
    }

    fn ones(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }
}
