//! Which value of a trait counts, by profile: rows are sorted by (profile, rank) once, so that the first row of a profile
//! that has a value has the winning one, or one that is as good.

use super::codes::Codes;
use super::dictionary::Dictionary;
use super::graph::Node;
use super::people::People;
use super::present::Present;
use super::traits::{Column, Rows, Values};
use super::{NOBODY, order};
use crate::schema::TraitKind;
use crate::snapshot::columns::data::TraitData;
use rayon::prelude::*;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Priority and time.
type Rank = (i32, i64);

/// By ordinal.
type Erased = HashMap<u32, Rank>;

/// The columns of all traits, over rows whose profiles are known.
#[derive(Debug)]
pub struct Winners {
    /// By row.
    ordinals: Vec<u32>,
    times: Vec<i64>,
    priorities: Vec<i32>,
    /// Rows by ordinal, the highest rank first: those of ordinal `o` are `rows[starts[o]..starts[o + 1]]`.
    rows: Vec<u32>,
    starts: Vec<u32>,
    columns: Vec<Column>,
}

impl Winners {
    pub(super) fn new(rows: Rows, columns: Vec<Column>, people: &People) -> Self {
        let Rows { nodes: mut ordinals, times, priorities } = rows;
        ordinals.par_iter_mut().for_each(|node| *node = people.ordinal(Node::from_raw(*node)));
        let rank = |row: u32| (priorities[row as usize], times[row as usize]);
        // Nothing comes between ordinal and rank.
        let minor = &ordinals;
        let rows = order::by_ordinal(&ordinals, people.len(), minor, |_| true, |a, b| rank(b).cmp(&rank(a)));
        let mut starts = vec![0u32; people.len() as usize + 1];
        ordinals.iter().filter(|&&who| who != NOBODY).for_each(|&who| starts[who as usize + 1] += 1);
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        Winners { ordinals, times, priorities, rows, starts, columns }
    }

    /// Rows whose identifiers were all cut off.
    pub fn dropped(&self) -> u64 {
        (self.ordinals.len() - self.rows.len()) as u64
    }

    /// Takes the values of a trait out, settled by ordinal. Its room is free afterwards.
    pub fn take(&mut self, number: usize) -> TraitData {
        let column = std::mem::replace(&mut self.columns[number], Column::new(TraitKind::Flag));
        let Column { mut present, values, tag_rows, erasing } = column;
        present.seal();
        let (present, erased) = (&present, &self.erased(&erasing));
        match values {
            Values::Flag(values) => {
                let greater = |a: usize, b: usize| values[a].cmp(&values[b]);
                TraitData::Flag(self.settle(present, erased, greater, 0, |at| values[at]))
            }
            Values::Number(values) => {
                let greater = |a: usize, b: usize| values[a].total_cmp(&values[b]);
                TraitData::Number(self.settle(present, erased, greater, f64::NAN, |at| values[at]))
            }
            Values::Date(values) => {
                let greater = |a: usize, b: usize| values[a].cmp(&values[b]);
                TraitData::Date(self.settle(present, erased, greater, i32::MIN, |at| values[at]))
            }
            Values::Category(codes, dictionary) => {
                let (dictionary, places) = dictionary.sorted();
                let place = |at: usize| places[codes.get(at) as usize];
                let greater = |a: usize, b: usize| place(a).cmp(&place(b));
                prune(self.settle(present, erased, greater, 0, |at| place(at) + 1), dictionary)
            }
            Values::Tags(codes, dictionary) => self.unite(&tag_rows, erased, &codes, dictionary),
        }
    }

    fn rank(&self, row: u32) -> Rank {
        (self.priorities[row as usize], self.times[row as usize])
    }

    /// The highest rank at which each profile's value was said to be unknown.
    fn erased(&self, rows: &[u32]) -> Erased {
        let mut erased = Erased::new();
        for &row in rows {
            let known = erased.entry(self.ordinals[row as usize]).or_insert((i32::MIN, i64::MIN));
            *known = (*known).max(self.rank(row));
        }
        erased
    }

    /// The winning value of every ordinal. In parallel: rows lie scattered, so a value is a cache miss.
    fn settle<T: Clone + Send + Sync>(
        &self,
        present: &Present,
        erased: &Erased,
        compare: impl Fn(usize, usize) -> Ordering + Sync,
        unknown: T,
        value: impl Fn(usize) -> T + Sync,
    ) -> Vec<T> {
        let ordinals = (0..self.starts.len() as u32 - 1).into_par_iter();
        let settled = ordinals.map(|who| match self.winner(who, present, erased, &compare) {
            Some(at) => value(at),
            None => unknown.clone(),
        });
        settled.collect()
    }

    /// The position of the winning value.
    fn winner(
        &self,
        who: u32,
        present: &Present,
        erased: &Erased,
        compare: impl Fn(usize, usize) -> Ordering,
    ) -> Option<usize> {
        let who_at = who as usize;
        let rows = &self.rows[self.starts[who_at] as usize..self.starts[who_at + 1] as usize];
        let mut valued = rows.iter().filter_map(|&row| Some((row, present.position(row)?)));
        let (first, mut best) = valued.next()?;
        for (row, at) in valued {
            if self.rank(row) < self.rank(first) {
                break;
            }
            if compare(at, best) == Ordering::Greater {
                best = at;
            }
        }
        erased.get(&who).is_none_or(|until| self.rank(first) > *until).then_some(best)
    }

    fn unite(&self, rows: &[u32], erased: &Erased, codes: &Codes, dictionary: Dictionary) -> TraitData {
        let (dictionary, places) = dictionary.sorted();
        let mut pairs: Vec<u64> = rows
            .iter()
            .enumerate()
            .map(|(at, &row)| (self.ordinals[row as usize], row, places[codes.get(at) as usize]))
            .filter(|&(who, row, _)| who != NOBODY && erased.get(&who).is_none_or(|until| self.rank(row) > *until))
            .map(|(who, _, place)| (u64::from(who) << 32) | u64::from(place))
            .collect();
        pairs.par_sort_unstable();
        pairs.dedup();
        let mut starts = vec![0u32; self.starts.len()];
        pairs.iter().for_each(|pair| starts[(pair >> 32) as usize + 1] += 1);
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        let codes = pairs.into_iter().map(|pair| pair as u32).collect();
        TraitData::Tags { starts, codes, dictionary }
    }
}

/// Leaves values out of the dictionary that won nowhere: a value that conflicts settled away must not be found in the
/// snapshot.
fn prune(mut codes: Vec<u32>, dictionary: Vec<String>) -> TraitData {
    let dictionary = order::used_only(&mut codes, dictionary);
    TraitData::Category { codes, dictionary }
}
