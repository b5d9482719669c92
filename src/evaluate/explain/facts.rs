//! The facts behind leaves: a value, times, a membership; where they come from; in words and for programs.

use super::Subject;
use crate::audiences::rule::Date;
use crate::evaluate::live::Person;
use crate::evaluate::live::person::Counts;
use crate::evaluate::live::symbol::Name;
use crate::log::{Said, Value};
use crate::schema::{AudienceId, Span, Timestamp};
use crate::snapshot::columns::{Columns, TraitColumn};
use serde::Serialize;
use std::fmt;

/// Event times shown in a fact.
const TIMES: usize = 5;

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The snapshot, from its sources.
    Snapshot,
    /// What came by a door since.
    Live,
    /// Both: tags unite.
    Both,
}

/// What is known that bears on a leaf.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Known {
    /// A trait's value.
    Trait {
        /// The trait.
        name: String,
        /// Its value; absent = unknown.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<Shown>,
        /// Who says so.
        from: Origin,
        /// The sources that feed it in a snapshot.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        sources: Vec<String>,
    },
    /// Events that have happened.
    Event {
        /// The event.
        name: String,
        /// How many, whatever their properties.
        count: usize,
        /// The latest, newest first.
        latest: Vec<Happened>,
        /// The sources that feed it in a snapshot.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        sources: Vec<String>,
    },
    /// A membership of an uploaded list.
    List {
        /// Whether they are on it.
        member: bool,
        /// Until when, if that is known; absent = without end.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Who says so.
        from: Origin,
        /// The sources that feed it in a snapshot.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        sources: Vec<String>,
    },
}

/// An event that has happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// Who says so.
    pub from: Origin,
}

/// A trait's value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Shown {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A category, or a date as `2026-11-01`.
    Text(String),
    /// Tags.
    Tags(Vec<String>),
    /// A calendar day.
    #[serde(serialize_with = "as_text")]
    Date(Date),
}

fn as_text<S: serde::Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Flag(value) => write!(f, "{value}"),
            Shown::Number(value) => write!(f, "{value}"),
            Shown::Text(text) => write!(f, "{text:?}"),
            Shown::Date(date) => write!(f, "{date}"),
            Shown::Tags(tags) => {
                let tags: Vec<String> = tags.iter().map(|tag| format!("{tag:?}")).collect();
                f.write_str(&tags.join(", "))
            }
        }
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Known::Trait { name, value: None, from, sources } => {
                write!(
                    f,
                    "{name} is unknown{}",
                    if *from == Origin::Live { origin(*from, sources) } else { String::new() }
                )
            }
            Known::Trait { name, value: Some(value), from, sources } => {
                write!(f, "{name} is {value}{}", origin(*from, sources))
            }
            Known::Event { name, count: 0, .. } => write!(f, "{name} never happened"),
            Known::Event { name, count, latest, sources } => {
                let live = |event: &Happened| if event.from == Origin::Live { " (live)" } else { "" };
                let times: Vec<String> = latest.iter().map(|event| format!("{}{}", event.at, live(event))).collect();
                let times = times.join(", ");
                match count {
                    1 => write!(f, "{name} happened once: {times}")?,
                    _ if *count > latest.len() => write!(f, "{name} happened {count} times, last: {times}, ...")?,
                    _ => write!(f, "{name} happened {count} times: {times}")?,
                }
                let of_snapshot = latest.iter().any(|event| event.from == Origin::Snapshot);
                if of_snapshot { f.write_str(&origin(Origin::Snapshot, sources)) } else { Ok(()) }
            }
            Known::List { member: false, until: None, from, sources } => {
                write!(
                    f,
                    "not on the list{}",
                    if *from == Origin::Live { origin(*from, sources) } else { String::new() }
                )
            }
            Known::List { member: false, until: Some(until), from, sources } => {
                write!(f, "on the list until {until}, which is over{}", origin(*from, sources))
            }
            Known::List { until: None, from, sources, .. } => {
                write!(f, "on the list without end{}", origin(*from, sources))
            }
            Known::List { until: Some(until), from, sources, .. } => {
                write!(f, "on the list until {until}{}", origin(*from, sources))
            }
        }
    }
}

/// In brackets; nothing where there is nothing to tell apart.
fn origin(from: Origin, sources: &[String]) -> String {
    match (from, sources) {
        (Origin::Live, _) => " (live)".to_owned(),
        (Origin::Snapshot, []) => String::new(),
        (Origin::Snapshot, sources) => format!(" (snapshot: {})", sources.join(", ")),
        (Origin::Both, []) => " (snapshot and live)".to_owned(),
        (Origin::Both, sources) => format!(" (snapshot: {}; and live)", sources.join(", ")),
    }
}

/// Where facts of one person are.
pub(super) struct Facts<'s, 'r> {
    pub columns: &'s Columns<'s>,
    pub now: Timestamp,
    pub person: Person<'s, 'r>,
    pub subject: &'s Subject<'s, 'r>,
}

impl Facts<'_, '_> {
    pub(super) fn of_trait(&self, name: &str) -> Known {
        let column = self.columns.find_trait(name);
        let of_snapshot = || value(&self.columns.traits()[column?].1, self.person.known()?);
        let outranked = (self.subject.outranked)(name);
        let (value, from) = match self.person.counts(&Name { name: name.into(), column, ttl: None, outranked }) {
            Counts::Snapshot => (of_snapshot(), Origin::Snapshot),
            Counts::Said(said) => (said.map(shown), Origin::Live),
            Counts::United { column } => {
                let mut tags: Vec<String> = self.person.tags_said(name).map(str::to_owned).collect();
                let mut from = Origin::Live;
                if let (true, Some(Shown::Tags(known))) = (column, of_snapshot()) {
                    from = Origin::Both;
                    tags.extend(known);
                }
                tags.sort();
                tags.dedup();
                (Some(Shown::Tags(tags)), from)
            }
        };
        let decl = self.subject.declarations.and_then(|all| all.find_trait(name));
        let sources = decl.map_or(Vec::new(), |(_, decl)| decl.sources.clone());
        Known::Trait { name: name.to_owned(), value, from, sources }
    }

    pub(super) fn of_event(&self, name: &str) -> Known {
        let column = self.columns.find_event(name).map(|column| &self.columns.events()[column].1);
        let rows = column.zip(self.person.known()).map(|(column, who)| &column.times[column.rows_of(who)]);
        let of_snapshot = rows.into_iter().flatten().map(|time| (i64::from(*time), Origin::Snapshot));
        let live = self.person.facts.iter().filter_map(|fact| match &fact.said {
            Said::Event { name: other, .. } if **other == *name => Some((fact.time, Origin::Live)),
            _ => None,
        });
        let mut past: Vec<_> = of_snapshot.chain(live).filter(|(time, _)| *time <= self.now.0).collect();
        past.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
        let latest = past.iter().take(TIMES).map(|(at, from)| Happened { at: Timestamp(*at), from: *from }).collect();
        let decl = self.subject.declarations.and_then(|all| all.find_event(name));
        let sources = decl.map_or(Vec::new(), |(_, decl)| decl.sources.clone());
        Known::Event { name: name.to_owned(), count: past.len(), latest, sources }
    }

    pub(super) fn list(&self, id: &AudienceId, ttl: Option<Span>) -> Known {
        let name =
            Name { name: id.as_str().into(), column: self.columns.find_list(id.as_str()), ttl, outranked: false };
        let live = self.person.list_said(id.as_str(), ttl).is_some();
        let until = self.person.listed_until(&name);
        let sources = self.subject.declarations.map_or(Vec::new(), |all| {
            let feeds = all
                .list_sources
                .iter()
                .filter(|(_, source)| source.list.as_deref().is_none_or(|list| list == id.as_str()));
            feeds.map(|(name, _)| name.clone()).collect()
        });
        Known::List {
            member: until.is_some_and(|until| until > self.now.floor_minute().0),
            until: until.filter(|until| *until != i64::MAX).map(Timestamp),
            from: if live { Origin::Live } else { Origin::Snapshot },
            sources,
        }
    }
}

fn shown(value: &Value<'_>) -> Shown {
    match value {
        Value::Flag(value) => Shown::Flag(*value),
        Value::Number(value) => Shown::Number(*value),
        Value::Date(day) => Shown::Date(Date(*day)),
        Value::Text(text) => Shown::Text(text.to_string()),
        Value::Tags(tags) => Shown::Tags(tags.iter().map(|tag| tag.to_string()).collect()),
    }
}

/// A trait's value in a snapshot, if known.
fn value(column: &TraitColumn<'_>, ordinal: u32) -> Option<Shown> {
    let at = ordinal as usize;
    match column {
        _ if !column.knows(ordinal) => None,
        TraitColumn::Flag { yes, .. } => Some(Shown::Flag(yes[at / 64] >> (at % 64) & 1 == 1)),
        TraitColumn::Category(codes, dictionary) => {
            let position = codes.get(at).checked_sub(1)?;
            dictionary.get(position as usize).map(|text| Shown::Text(text.to_owned()))
        }
        TraitColumn::Number(numbers) => numbers.get(at).map(Shown::Number),
        TraitColumn::Date(days) => days.get(at).map(|day| Shown::Date(Date(day))),
        TraitColumn::Tags(tags) => {
            let texts = tags.of(ordinal).into_iter().filter_map(|tag| tags.dictionary.get(tag as usize));
            Some(Shown::Tags(texts.map(str::to_owned).collect()))
        }
    }
}
