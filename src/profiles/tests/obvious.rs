//! The twin: sets of sets, searched again and again; sorting where the room counts.

use super::{Happened, KINDS, NOW, Outcome, Row, Said, key, known_lists};
use crate::profiles::events::Left;
use crate::profiles::lists::Settled;
use crate::schema::ProfileKey;
use crate::snapshot::columns::data::ListData;
use std::collections::{BTreeMap, BTreeSet};

type Rows<'a> = Vec<(BTreeSet<ProfileKey>, &'a Said)>;

/// Everybody, by ordinal: the identifiers of each.
struct Everybody(Vec<BTreeSet<ProfileKey>>);

impl Everybody {
    fn who(&self, key: &ProfileKey) -> Option<u32> {
        self.0.iter().position(|ids| ids.contains(key)).map(|at| at as u32)
    }

    fn of_row(&self, ids: &BTreeSet<ProfileKey>) -> Option<u32> {
        ids.iter().find_map(|key| self.who(key))
    }
}

/// The obvious way: one pass over all rows for each thing asked.
pub(super) fn obvious(rows: &[Row], max: u32) -> Outcome {
    let rows: Rows<'_> = rows.iter().map(|(ids, said)| (ids.iter().map(|&id| key(id)).collect(), said)).collect();
    let (parts, cut, components) = parts(&rows, max as usize);
    let mentions = rows.iter().filter(|(_, said)| !matches!(said, Said::Consent { .. } | Said::Household));
    let mentioned: BTreeSet<ProfileKey> = mentions.flat_map(|(ids, _)| ids.clone()).collect();
    let (mut people, strangers): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| !part.is_disjoint(&mentioned));
    people.sort();
    let people = Everybody(people);
    let all: BTreeSet<ProfileKey> = rows.iter().flat_map(|(ids, _)| ids.clone()).collect();
    let (events, left) = events(&rows, &people);
    let (flags, objecting) = consents(&rows, &people, &strangers);
    Outcome {
        ordinals: all.iter().map(|key| (*key, people.who(key))).collect(),
        seeds: people.0.iter().map(|ids| ids.first().map_or(0, |key| (key.0 >> 96) as u32)).collect(),
        traits: traits(&rows, &people),
        events,
        left,
        lists: lists(&rows, &people),
        flags,
        objecting,
        cut: (components, cut.len() as u64),
    }
}

/// Values with their rank: priority, time, value as a number, value as text.
type Ranked = (i32, i64, i8, String);

fn traits(rows: &Rows<'_>, people: &Everybody) -> Vec<String> {
    let mut columns: Vec<Vec<Vec<Ranked>>> = vec![vec![Vec::new(); people.0.len()]; KINDS.len()];
    let mut erased = vec![vec![(i32::MIN, i64::MIN); people.0.len()]; KINDS.len()];
    for (ids, said) in rows {
        let Said::Traits { time, priority, category, number, tags, erase } = said else { continue };
        let Some(owner) = people.of_row(ids).map(|owner| owner as usize) else { continue };
        category.iter().for_each(|value| columns[0][owner].push((*priority, *time, 0, value.to_string())));
        if let Some(value) = number {
            columns[1][owner].push((*priority, *time, *value, value.to_string()));
            columns[3][owner].push((*priority, *time, *value, value.to_string()));
            let flag = i8::from(*value > 0);
            columns[4][owner].push((*priority, *time, flag, (1 + flag).to_string()));
        }
        tags.iter().for_each(|value| columns[2][owner].push((*priority, *time, 0, value.to_string())));
        erase.iter().for_each(|&number| erased[number][owner] = erased[number][owner].max((*priority, *time)));
    }
    for (values, until) in columns.iter_mut().flatten().zip(erased.iter().flatten()) {
        values.retain(|value| (value.0, value.1) > *until);
        values.sort();
    }
    let lines = |column: &[Vec<Ranked>], unknown: &str| -> String {
        column.iter().map(|values| values.last().map_or(unknown, |value| &value.3)).collect::<Vec<_>>().join("\n")
    };
    let tags = columns[2].iter().map(|values| {
        let distinct: BTreeSet<&str> = values.iter().map(|value| value.3.as_str()).collect();
        distinct.into_iter().collect::<Vec<_>>().join("+")
    });
    let (tags, never) = (tags.collect::<Vec<_>>().join("\n"), i32::MIN.to_string());
    vec![lines(&columns[0], ""), lines(&columns[1], "NaN"), tags, lines(&columns[3], &never), lines(&columns[4], "0")]
}

/// Unknown amounts sort last: NaN is above every number.
fn rank(amount: Option<i8>) -> i64 {
    amount.map_or(i64::MAX, i64::from)
}

fn events(rows: &Rows<'_>, people: &Everybody) -> (Vec<Happened>, Left) {
    let mut left = Left::default();
    let mut events = Vec::new();
    for (ids, said) in rows {
        let Said::Did { time, id, kind, amount } = said else { continue };
        match people.of_row(ids) {
            None => left.dropped += 1,
            Some(owner) => events.push((*time as u32, owner, kind.map(|kind| kind.to_string()), *amount, *id)),
        }
    }
    events.sort_by_key(|(time, who, kind, amount, _)| (*time, *who, kind.clone(), rank(*amount)));
    let mut seen = BTreeSet::new();
    let before = events.len();
    events.retain(|(.., id)| id.is_none_or(|id| seen.insert(id)));
    left.repeated = (before - events.len()) as u64;
    events.sort_by_key(|(time, who, kind, amount, _)| (*who, *time, kind.clone(), rank(*amount)));
    let shown = events.into_iter().map(|(time, who, kind, amount, _)| (who, time, kind, amount.map(i64::from)));
    (shown.collect(), left)
}

fn lists(rows: &Rows<'_>, people: &Everybody) -> Settled {
    let mut settled = Settled::default();
    // The greatest of (time, how much the row weighs, until) counts.
    let mut members: BTreeMap<(String, u32), (i64, i64, i64)> = BTreeMap::new();
    for (ids, said) in rows {
        let Said::Listed { list, time, remove, ttl } = said else { continue };
        let name = format!("a/{list}");
        let Some(own_ttl) = known_lists().get(&name).copied() else {
            *settled.unknown.entry(name).or_default() += 1;
            continue;
        };
        let Some(owner) = people.of_row(ids) else {
            settled.dropped += 1;
            continue;
        };
        let (weight, until) = match (remove, ttl) {
            (true, _) => (i64::MAX, i64::MIN),
            (false, None) => (i64::MAX - 1, own_ttl.map_or(i64::MAX, |ttl| time + ttl.0)),
            (false, Some(minutes)) => (i64::from(*minutes), time + i64::from(*minutes) * 60),
        };
        let said = (*time, weight, until);
        members.entry((name, owner)).and_modify(|counts| *counts = said.max(*counts)).or_insert(said);
    }
    for (name, _) in known_lists() {
        let mut data = ListData::default();
        for ((_, who), (_, _, until)) in members.iter().filter(|((list, _), _)| *list == name) {
            if *until > NOW.0 {
                data.ordinals.push(*who);
                data.until.push(u32::try_from(*until).unwrap_or(u32::MAX));
            } else if *until != i64::MIN {
                settled.ended += 1;
            }
        }
        settled.lists.push((name, data));
    }
    settled
}

fn consents(
    rows: &Rows<'_>,
    people: &Everybody,
    strangers: &[BTreeSet<ProfileKey>],
) -> (Vec<u8>, Vec<(ProfileKey, u8, bool)>) {
    let mut newest = vec![(i64::MIN, 0u8); people.0.len()];
    let mut objections = vec![0u8; people.0.len()];
    let mut objecting: BTreeMap<ProfileKey, u8> = BTreeMap::new();
    for (ids, said) in rows {
        let Said::Consent { time, saying } = said else { continue };
        let (scope, objects) = ([0, 4, 1, 2, 3][usize::from(*saying)], *saying >= 2);
        if objects {
            ids.iter().for_each(|id| *objecting.entry(*id).or_default() |= scope);
        }
        match people.of_row(ids).map(|owner| owner as usize) {
            Some(owner) if objects => objections[owner] |= scope,
            Some(owner) => newest[owner] = newest[owner].max((*time, scope)),
            None => {}
        }
    }
    for part in strangers {
        let scope = part.iter().filter_map(|key| objecting.get(key)).fold(0, |all, scope| all | scope);
        part.iter().filter(|_| scope != 0).for_each(|key| *objecting.entry(*key).or_default() |= scope);
    }
    let flags = newest.iter().zip(&objections).map(|((_, refused), objection)| refused | objection).collect();
    let known = |key: &ProfileKey| people.who(key).is_some();
    (flags, objecting.into_iter().map(|(key, scope)| (key, scope, known(&key))).collect())
}

/// The parts, the identifiers that were cut, and how many components were too large.
fn parts(rows: &[(BTreeSet<ProfileKey>, &Said)], max: usize) -> (Vec<BTreeSet<ProfileKey>>, BTreeSet<ProfileKey>, u64) {
    let joins: BTreeSet<BTreeSet<ProfileKey>> = rows
        .iter()
        .filter(|(ids, said)| ids.len() > 1 && !matches!(said, Said::Household))
        .map(|(ids, _)| ids.clone())
        .collect();
    let all: BTreeSet<ProfileKey> = rows.iter().flat_map(|(ids, _)| ids.clone()).collect();
    let mut cut: BTreeSet<ProfileKey> = BTreeSet::new();
    let mut first = None;
    loop {
        let joins: Vec<BTreeSet<ProfileKey>> = joins
            .iter()
            .map(|ids| ids.difference(&cut).copied().collect())
            .filter(|ids: &BTreeSet<_>| ids.len() > 1)
            .collect();
        let parts = reachable(&all.difference(&cut).copied().collect(), &joins);
        let large: Vec<_> = parts.iter().filter(|part| part.len() > max).collect();
        let components = *first.get_or_insert(large.len() as u64);
        if large.is_empty() {
            return (parts, cut, components);
        }
        for part in large {
            let degree = |key: &ProfileKey| joins.iter().filter(|ids| ids.contains(key)).count();
            cut.extend(part.iter().max_by_key(|key| (degree(key), std::cmp::Reverse(**key))));
        }
    }
}

fn reachable(all: &BTreeSet<ProfileKey>, joins: &[BTreeSet<ProfileKey>]) -> Vec<BTreeSet<ProfileKey>> {
    let mut left = all.clone();
    let mut parts = Vec::new();
    while let Some(start) = left.pop_first() {
        let mut part = BTreeSet::from([start]);
        loop {
            let more: BTreeSet<ProfileKey> = joins
                .iter()
                .filter(|ids| !ids.is_disjoint(&part))
                .flatten()
                .copied()
                .filter(|id| !part.contains(id))
                .collect();
            if more.is_empty() {
                break;
            }
            part.extend(more);
        }
        left = left.difference(&part).copied().collect();
        parts.push(part);
    }
    parts
}
