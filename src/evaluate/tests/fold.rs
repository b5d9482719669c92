//! What a rebuild makes of records: the columns of a world with them folded in, by the obvious way.

use crate::log::{Record, Said, Stay, Value};
use crate::schema::Span;
use crate::snapshot::columns::data::{ColumnData, EventData, ListData, PropData, TraitData};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Records of some ordinals. `outranked` says of which traits a source's value wins.
pub fn fold(
    data: &ColumnData,
    records: &BTreeMap<u32, Vec<Record<'_>>>,
    outranked: &dyn Fn(&str) -> bool,
    ttl: Option<Span>,
) -> ColumnData {
    let mut folded = data.clone();
    if folded.traits.iter().all(|(name, _)| name != "new") {
        let unknown = vec![0; data.ordinals as usize];
        folded.traits.push(("new".to_owned(), TraitData::Category { codes: unknown, dictionary: vec![] }));
        folded.traits.sort_by(|a, b| a.0.cmp(&b.0));
    }
    for (name, column) in &mut folded.traits {
        *column = settle(name, column, records, outranked(name));
    }
    for name in ["click", "fresh"] {
        if folded.events.iter().all(|(other, _)| other != name) {
            folded.events.push((name.to_owned(), EventData { properties: properties(), ..EventData::default() }));
            folded.events.sort_by(|a, b| a.0.cmp(&b.0));
        }
    }
    for (name, column) in &mut folded.events {
        *column = happened(name, column, records);
    }
    for (name, column) in &mut folded.lists {
        *column = listed(name, column, records, ttl);
    }
    folded
}

fn properties() -> Vec<(String, PropData)> {
    vec![
        ("amount".to_owned(), PropData::Number(vec![])),
        ("online".to_owned(), PropData::Flag(vec![])),
        ("shop".to_owned(), PropData::Category { codes: vec![], dictionary: vec![] }),
    ]
}

/// What records say of a trait, by time, what counts at the end.
fn said<'r>(name: &str, records: &'r [Record<'_>]) -> Vec<(i64, Option<&'r Value<'r>>)> {
    let mut said = Vec::new();
    for record in records {
        let Said::Traits(traits) = &record.said else { continue };
        said.extend(traits.iter().find(|(other, _)| other == name).map(|(_, value)| (record.time, value.as_ref())));
    }
    said.sort_by(|a, b| {
        let value = |value: Option<&Value<'_>>| match value {
            Some(Value::Flag(flag)) => (0, f64::from(u8::from(*flag)), String::new()),
            Some(Value::Number(number)) => (0, number + 0.0, String::new()),
            Some(Value::Date(day)) => (0, f64::from(*day), String::new()),
            Some(Value::Text(text)) => (0, 0.0, text.to_string()),
            Some(Value::Tags(_)) => (0, 0.0, String::new()),
            None => (1, 0.0, String::new()),
        };
        a.0.cmp(&b.0).then(value(a.1).partial_cmp(&value(b.1)).expect("finite numbers"))
    });
    said
}

fn settle(name: &str, column: &TraitData, records: &BTreeMap<u32, Vec<Record<'_>>>, outranked: bool) -> TraitData {
    let winner = |who: &u32| said(name, &records[who]).pop().map(|(_, value)| value);
    let mut column = column.clone();
    match &mut column {
        TraitData::Flag(values) => {
            for who in
                records.keys().filter(|who| !outranked || values[**who as usize] == 0).copied().collect::<Vec<_>>()
            {
                match winner(&who) {
                    Some(Some(Value::Flag(flag))) => values[who as usize] = 1 + u8::from(*flag),
                    Some(None) => values[who as usize] = 0,
                    _ => {}
                }
            }
        }
        TraitData::Number(values) => {
            for who in
                records.keys().filter(|who| !outranked || values[**who as usize].is_nan()).copied().collect::<Vec<_>>()
            {
                match winner(&who) {
                    Some(Some(Value::Number(number))) => values[who as usize] = number + 0.0,
                    Some(None) => values[who as usize] = f64::NAN,
                    _ => {}
                }
            }
        }
        TraitData::Date(values) => {
            for who in records
                .keys()
                .filter(|who| !outranked || values[**who as usize] == i32::MIN)
                .copied()
                .collect::<Vec<_>>()
            {
                match winner(&who) {
                    Some(Some(Value::Date(day))) => values[who as usize] = *day,
                    Some(None) => values[who as usize] = i32::MIN,
                    _ => {}
                }
            }
        }
        TraitData::Category { codes, dictionary } => {
            let text = |code: &u32| code.checked_sub(1).map(|at| dictionary[at as usize].clone());
            let mut texts: Vec<Option<String>> = codes.iter().map(text).collect();
            for who in records.keys().filter(|who| !outranked || codes[**who as usize] == 0) {
                match winner(who) {
                    Some(Some(Value::Text(text))) => texts[*who as usize] = Some(text.to_string()),
                    Some(None) => texts[*who as usize] = None,
                    _ => {}
                }
            }
            (*codes, *dictionary) = coded(&texts);
        }
        TraitData::Tags { starts, codes, dictionary } => {
            let of = |who: usize| {
                let tags = &codes[starts[who] as usize..starts[who + 1] as usize];
                tags.iter().map(|tag| dictionary[*tag as usize].clone()).collect::<Vec<String>>()
            };
            let mut people: Vec<Vec<String>> = (0..starts.len() - 1).map(of).collect();
            for (who, records) in records {
                let mine = &mut people[*who as usize];
                let mut said = said(name, records);
                if let Some(at) = said.iter().rposition(|(_, value)| value.is_none()) {
                    if !outranked {
                        mine.clear();
                    }
                    said.drain(..=at);
                }
                for (_, value) in said {
                    if let Some(Value::Tags(tags)) = value {
                        mine.extend(tags.iter().map(|tag| tag.to_string()));
                    }
                }
                mine.sort();
                mine.dedup();
            }
            let mut texts: Vec<String> = people.iter().flatten().cloned().collect();
            texts.sort();
            texts.dedup();
            let code = |text: &String| texts.binary_search(text).expect("one of them") as u32;
            *codes = people.iter().flatten().map(code).collect();
            let mut end = 0;
            let ends = people.iter().map(|tags| {
                end += tags.len() as u32;
                end
            });
            *starts = std::iter::once(0).chain(ends).collect();
            *dictionary = texts;
        }
    }
    column
}

fn coded(texts: &[Option<String>]) -> (Vec<u32>, Vec<String>) {
    let mut dictionary: Vec<String> = texts.iter().flatten().cloned().collect();
    dictionary.sort();
    dictionary.dedup();
    let code = |text: &Option<String>| match text {
        Some(text) => 1 + dictionary.binary_search(text).expect("one of them") as u32,
        None => 0,
    };
    (texts.iter().map(code).collect(), dictionary)
}

/// A row: who, when, amount, online, shop.
type Row = (u32, u32, f64, u8, Option<String>);

fn happened(name: &str, column: &EventData, records: &BTreeMap<u32, Vec<Record<'_>>>) -> EventData {
    let [(_, PropData::Number(amounts)), (_, PropData::Flag(online)), (_, PropData::Category { codes, dictionary })] =
        &column.properties[..]
    else {
        panic!("the worlds' events have these properties");
    };
    let shop = |row: usize| codes[row].checked_sub(1).map(|at| dictionary[at as usize].clone());
    let row = |row: usize| (column.ordinals[row], column.times[row], amounts[row], online[row], shop(row));
    let mut rows: Vec<Row> = (0..column.ordinals.len()).map(row).collect();
    for (who, records) in records {
        for record in records {
            let Said::Event { name: other, properties } = &record.said else { continue };
            if other != name {
                continue;
            }
            let mut row: Row = (*who, record.time as u32, f64::NAN, 0, None);
            for (_, value) in properties {
                match value {
                    Value::Number(value) => row.2 = value + 0.0,
                    Value::Flag(value) => row.3 = 1 + u8::from(*value),
                    Value::Text(text) => row.4 = Some(text.to_string()),
                    other => panic!("no event says {other:?}"),
                }
            }
            rows.push(row);
        }
    }
    rows.sort_by(|a, b| {
        let ties = || a.2.total_cmp(&b.2).then((a.3, &a.4).cmp(&(b.3, &b.4)));
        (a.0, a.1).cmp(&(b.0, b.1)).then_with(ties)
    });
    let (codes, dictionary) = coded(&rows.iter().map(|row| row.4.clone()).collect::<Vec<_>>());
    EventData {
        ordinals: rows.iter().map(|row| row.0).collect(),
        times: rows.iter().map(|row| row.1).collect(),
        properties: vec![
            ("amount".to_owned(), PropData::Number(rows.iter().map(|row| row.2).collect())),
            ("online".to_owned(), PropData::Flag(rows.iter().map(|row| row.3).collect())),
            ("shop".to_owned(), PropData::Category { codes, dictionary }),
        ],
    }
}

fn listed(name: &str, column: &ListData, records: &BTreeMap<u32, Vec<Record<'_>>>, ttl: Option<Span>) -> ListData {
    let mut members: BTreeMap<u32, u32> = column.ordinals.iter().copied().zip(column.until.iter().copied()).collect();
    for (who, records) in records {
        let mut said: Vec<_> = records
            .iter()
            .filter_map(|record| match &record.said {
                Said::Membership { list, stay } if list == name => Some((record.time, *stay)),
                _ => None,
            })
            .collect();
        said.sort_by_key(|(time, stay)| {
            Reverse(match stay {
                Stay::Ends => (*time, 2, 0),
                Stay::ByDefault => (*time, 1, 0),
                Stay::Minutes(minutes) => (*time, 0, *minutes),
            })
        });
        let until = match said.first() {
            None => continue,
            Some((_, Stay::Ends)) => None,
            Some((time, Stay::ByDefault)) => Some(ttl.map_or(u32::MAX, |ttl| (time + ttl.0) as u32)),
            Some((time, Stay::Minutes(minutes))) => Some((time + i64::from(*minutes) * 60) as u32),
        };
        match until {
            Some(until) => members.insert(*who, until),
            None => members.remove(who),
        };
    }
    let (ordinals, until) = members.into_iter().unzip();
    ListData { ordinals, until }
}
