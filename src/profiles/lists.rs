//! Uploaded lists: who is in, until when. Of several rows about one profile and list the latest counts.

use super::NOBODY;
use super::dictionary::Dictionary;
use super::graph::Node;
use super::people::People;
use crate::schema::{Span, Timestamp};
use crate::snapshot::columns::data::ListData;
use std::collections::BTreeMap;

/// Membership rows.
#[derive(Debug, Default)]
pub struct Lists {
    names: Dictionary,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    list: u32,
    node: u32,
    time: i64,
    says: Says,
}

/// What a row says; on a tie of times the greatest wins: removing, then the list's own time to live, then the longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Says {
    /// In, for so many minutes; ended by its own or the list's time to live.
    In {
        minutes: u32,
    },
    InByDefault,
    Out,
}

/// The lists, and what was left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settled {
    /// By audience id, sorted: every list the catalogue knows, empty ones included.
    pub lists: Vec<(String, ListData)>,
    /// Rows of lists the catalogue does not know, by name.
    pub unknown: BTreeMap<String, u64>,
    /// Memberships whose time was over.
    pub ended: u64,
    /// Rows all of whose identifiers were cut off.
    pub dropped: u64,
}

impl Lists {
    /// Adds a row. `ttl_minutes` is the row's own; without it the list's.
    pub fn push(&mut self, list: &str, node: Node, time: i64, remove: bool, ttl_minutes: Option<u32>) {
        let says = match (remove, ttl_minutes) {
            (true, _) => Says::Out,
            (false, Some(minutes)) => Says::In { minutes },
            (false, None) => Says::InByDefault,
        };
        self.rows.push(Row { list: self.names.code(list), node: node.raw(), time, says });
    }

    /// Settles who is in. `known` are the lists of the catalogue with their own time to live; members whose time ended
    /// by `now` are left out.
    pub fn settle(self, people: &People, known: &BTreeMap<String, Option<Span>>, now: Timestamp) -> Settled {
        let (names, places) = self.names.sorted();
        let mut settled = Settled::default();
        let mut rows = self.rows;
        rows.retain_mut(|row| {
            row.list = places[row.list as usize];
            row.node = people.ordinal(Node::from_raw(row.node));
            let name = &names[row.list as usize];
            let is_known = known.contains_key(name);
            if !is_known {
                *settled.unknown.entry(name.clone()).or_default() += 1;
            } else if row.node == NOBODY {
                settled.dropped += 1;
            }
            is_known && row.node != NOBODY
        });
        // The one that counts comes first of its (list, profile).
        rayon::slice::ParallelSliceMut::par_sort_unstable_by_key(rows.as_mut_slice(), |row| {
            (row.list, row.node, std::cmp::Reverse((row.time, row.says)))
        });
        rows.dedup_by_key(|row| (row.list, row.node));
        let mut lists: BTreeMap<String, ListData> =
            known.keys().map(|name| (name.clone(), ListData::default())).collect();
        for group in rows.chunk_by(|a, b| a.list == b.list) {
            let name = &names[group[0].list as usize];
            let data = lists.entry(name.clone()).or_default();
            let ttl = known.get(name).copied().flatten();
            settled.ended += fill(data, group, ttl, now);
        }
        settled.lists = lists.into_iter().collect();
        settled
    }
}

/// Adds the members of one list; says how many had ended.
fn fill(data: &mut ListData, rows: &[Row], ttl: Option<Span>, now: Timestamp) -> u64 {
    let mut ended = 0;
    for row in rows {
        let until = match row.says {
            Says::Out => continue,
            Says::In { minutes } => row.time.saturating_add(i64::from(minutes) * 60),
            Says::InByDefault => ttl.map_or(i64::MAX, |ttl| row.time.saturating_add(ttl.0)),
        };
        if until <= now.0 {
            ended += 1;
            continue;
        }
        data.ordinals.push(row.node);
        data.until.push(u32::try_from(until).unwrap_or(u32::MAX));
    }
    ended
}
