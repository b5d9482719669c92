//! The events of one name: by row while rows come, sorted by (ordinal, time) when profiles are known.
//!
//! Rows that repeat an event id count once (the earliest; of several at once the one that sorts first), whatever source
//! they come from; the same id under another event's name is another event. Rows without an id count as often as they
//! occur.

use super::codes::Codes;
use super::dictionary::Dictionary;
use super::graph::Node;
use super::order;
use super::people::People;
use super::{NOBODY, Value};
use crate::error::{Error, Result};
use crate::schema::PropKind;
use crate::snapshot::columns::data::{EventData, PropData};
use rayon::prelude::*;
use std::cmp::Ordering;

/// The rows of one event name.
#[derive(Debug, Default)]
pub struct EventColumn {
    names: Vec<String>,
    nodes: Vec<u32>,
    times: Vec<u32>,
    /// Event ids of the rows in `with_id`.
    ids: Vec<u128>,
    /// Rows that have an id, ascending; `None` while every row has one.
    with_id: Option<Vec<u32>>,
    properties: Vec<Property>,
}

/// What became of the rows that are not in the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Left {
    /// They repeated an event id.
    pub repeated: u64,
    /// All their identifiers were cut off.
    pub dropped: u64,
}

impl EventColumn {
    /// An empty column with these properties, in the declaration's order.
    pub fn new(properties: impl IntoIterator<Item = (String, PropKind)>) -> Self {
        let (names, properties) = properties.into_iter().map(|(name, kind)| (name, Property::new(kind))).unzip();
        EventColumn { names, properties, ..EventColumn::default() }
    }

    /// Adds an event. `time` is in seconds since the epoch; `id` the hash of its id, if it has one. Properties that are
    /// not in `values` (number, value) are unknown.
    ///
    /// # Errors
    /// More than 2^32 events of one name.
    pub fn push<'a>(
        &mut self,
        node: Node,
        time: i64,
        id: Option<u128>,
        values: impl Iterator<Item = (usize, Value<'a>)>,
    ) -> Result<()> {
        let row = self.nodes.len();
        if row >= u32::MAX as usize {
            return Err(Error::input("more than 4,294,967,295 events of one name: give the source a retention_days"));
        }
        self.nodes.push(node.raw());
        self.times.push(time.clamp(0, u32::MAX.into()) as u32);
        match (&mut self.with_id, id) {
            (None, Some(id)) => self.ids.push(id),
            (None, None) => self.with_id = Some((0..row as u32).collect()),
            (Some(rows), Some(id)) => {
                rows.push(row as u32);
                self.ids.push(id);
            }
            (Some(_), None) => {}
        }
        for (number, value) in values {
            if let Some(property) = self.properties.get_mut(number) {
                property.set(row, value);
            }
        }
        self.properties.iter_mut().for_each(|property| property.pad(row + 1));
        Ok(())
    }

    /// How many rows came.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether none came.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The events by (ordinal, time), and what was left out. Takes the column, and frees it piece by piece.
    pub fn settle(self, people: &People) -> (EventData, Left) {
        let EventColumn { names, mut nodes, times, ids, with_id, properties } = self;
        nodes.par_iter_mut().for_each(|node| *node = people.ordinal(Node::from_raw(*node)));
        let ordinals = nodes;
        let properties: Vec<Property> = properties.into_par_iter().map(Property::sorted).collect();
        let compare = |a: u32, b: u32| {
            properties.iter().map(|p| p.compare(a as usize, b as usize)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        };
        let mut left = Left { dropped: ordinals.iter().filter(|&&who| who == NOBODY).count() as u64, repeated: 0 };
        let first = |a: u32, b: u32| {
            let key = |row: u32| (times[row as usize], ordinals[row as usize]);
            key(a).cmp(&key(b)).then_with(|| compare(a, b))
        };
        let repeats = repeats(ids, with_id, |row| ordinals[row as usize] != NOBODY, first);
        left.repeated = repeats.iter().map(|word| u64::from(word.count_ones())).sum();
        let keep = |row: usize| repeats.get(row / 64).is_none_or(|word| word >> (row % 64) & 1 == 0);
        let rows = order::by_ordinal(&ordinals, people.len(), &times, keep, compare);
        let times = gather(&rows, |row| times[row]);
        let ordinals = gather(&rows, |row| ordinals[row]);
        let properties = names.into_iter().zip(properties.into_iter().map(|p| p.gather(&rows))).collect();
        (EventData { ordinals, times, properties }, left)
    }
}

/// Values in the order of `rows`. In parallel: rows lie scattered, so this is a cache miss each.
fn gather<T: Send>(rows: &[u32], value: impl Fn(usize) -> T + Sync) -> Vec<T> {
    rows.par_iter().map(|&row| value(row as usize)).collect()
}

/// A bit for every row that repeats the id of a row that comes `first`. Empty when no row has an id.
fn repeats(
    ids: Vec<u128>,
    with_id: Option<Vec<u32>>,
    lives: impl Fn(u32) -> bool,
    first: impl Fn(u32, u32) -> Ordering + Sync,
) -> Vec<u64> {
    if ids.is_empty() {
        return Vec::new();
    }
    const PARTS: usize = 4_096;
    let part = |id: u128| (id >> 116) as usize;
    let row_of = |at: usize| with_id.as_ref().map_or(at as u32, |rows| rows[at]);
    let mut ends = vec![0usize; PARTS];
    let alive = |at: &usize| lives(row_of(*at));
    (0..ids.len()).filter(alive).for_each(|at| ends[part(ids[at])] += 1);
    let mut total = 0;
    for end in &mut ends {
        let count = std::mem::replace(end, total);
        total += count;
    }
    let mut places = vec![0u32; total];
    for at in (0..ids.len()).filter(alive) {
        let next = &mut ends[part(ids[at])];
        places[*next] = at as u32;
        *next += 1;
    }
    let repeated: Vec<Vec<u32>> = order::slices(&mut places, &ends)
        .into_par_iter()
        .map(|places| {
            let row = |at: u32| row_of(at as usize);
            let id = |at: u32| ids[at as usize];
            // Ids lie scattered: read once, not at every comparison. Those of a part differ below its bits.
            let mut keyed: Vec<(u64, u32)> = places.iter().map(|&at| ((id(at) >> 52) as u64, at)).collect();
            keyed.sort_unstable_by(|&(a_bits, a), &(b_bits, b)| {
                a_bits.cmp(&b_bits).then_with(|| id(a).cmp(&id(b))).then_with(|| first(row(a), row(b)))
            });
            let same = keyed.windows(2).filter(|pair| pair[0].0 == pair[1].0 && id(pair[0].1) == id(pair[1].1));
            same.map(|pair| row(pair[1].1)).collect()
        })
        .collect();
    let rows = with_id.as_ref().and_then(|rows| rows.last()).map_or(ids.len(), |&last| last as usize + 1);
    let mut bits = vec![0u64; rows.div_ceil(64)];
    repeated.into_iter().flatten().for_each(|row| bits[row as usize / 64] |= 1 << (row % 64));
    bits
}

/// One property's values, one a row. Category codes are 1 + the text's number; 0 is unknown.
#[derive(Debug)]
enum Property {
    Flag(Vec<u8>),
    Number(Vec<f64>),
    Category(Codes, Dictionary),
    Sorted(Codes, Vec<u32>, Vec<String>),
}

impl Property {
    fn new(kind: PropKind) -> Self {
        match kind {
            PropKind::Flag => Property::Flag(Vec::new()),
            PropKind::Number => Property::Number(Vec::new()),
            PropKind::Category => Property::Category(Codes::default(), Dictionary::default()),
        }
    }

    /// Sets the value of the row that is being added; a second value of one row is left out.
    fn set(&mut self, row: usize, value: Value<'_>) {
        match (self, value) {
            (Property::Flag(values), Value::Flag(flag)) if values.len() == row => values.push(1 + u8::from(flag)),
            (Property::Number(values), Value::Number(number)) if values.len() == row => values.push(number + 0.0),
            (Property::Category(codes, dictionary), Value::Text(text)) if codes.len() == row => {
                codes.push(dictionary.code(text) + 1);
            }
            _ => {}
        }
    }

    /// Unknown up to `rows`.
    fn pad(&mut self, rows: usize) {
        match self {
            Property::Flag(values) => values.resize(rows, 0),
            Property::Number(values) => values.resize(rows, f64::NAN),
            Property::Category(codes, _) if codes.len() < rows => codes.push(0),
            Property::Category(..) | Property::Sorted(..) => {}
        }
    }

    fn sorted(self) -> Self {
        match self {
            Property::Category(codes, dictionary) => {
                let (texts, places) = dictionary.sorted();
                let renumbered = std::iter::once(0).chain(places.into_iter().map(|place| place + 1)).collect();
                Property::Sorted(codes, renumbered, texts)
            }
            other => other,
        }
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Property::Flag(values) => values[a].cmp(&values[b]),
            Property::Number(values) => values[a].total_cmp(&values[b]),
            Property::Category(codes, _) => codes.get(a).cmp(&codes.get(b)),
            Property::Sorted(codes, places, _) => places[codes.get(a) as usize].cmp(&places[codes.get(b) as usize]),
        }
    }

    fn gather(self, rows: &[u32]) -> PropData {
        match self {
            Property::Flag(values) => PropData::Flag(gather(rows, |row| values[row])),
            Property::Number(values) => PropData::Number(gather(rows, |row| values[row])),
            Property::Category(..) => self.sorted().gather(rows),
            Property::Sorted(codes, places, texts) => {
                let mut codes = gather(rows, |row| places[codes.get(row) as usize]);
                let dictionary = order::used_only(&mut codes, texts);
                PropData::Category { codes, dictionary }
            }
        }
    }
}
