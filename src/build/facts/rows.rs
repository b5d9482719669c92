//! A record as a row of the fold: its names and identifier types by number, what the configuration does not know left out
//! and counted.

use crate::build::fold::Fold;
use crate::config::Loaded;
use crate::error::Result;
use crate::log::{Record, Said, Stay, Value};
use crate::profiles::{self, Saying, Witness};
use crate::schema::{Declarations, EventDecl, ProfileKey, PropKind, TraitDecl, TraitKind};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Adds records to a fold.
pub(super) struct Rows<'a> {
    loaded: &'a Loaded,
    fold: &'a mut Fold,
    /// What is in no column, by name.
    pub(super) unknown: BTreeMap<String, u64>,
    keys: Vec<(ProfileKey, u16)>,
    ids: Vec<u32>,
}

type Cell<'a> = (usize, profiles::Value<'a>);

impl<'a> Rows<'a> {
    pub(super) fn new(loaded: &'a Loaded, fold: &'a mut Fold) -> Self {
        Rows { loaded, fold, unknown: BTreeMap::new(), keys: Vec::new(), ids: Vec::new() }
    }

    /// Adds a record. One whose name, or whose every identifier type or trait, is not known makes no row.
    pub(super) fn add(&mut self, record: &Record<'_>) -> Result<()> {
        let declarations = &self.loaded.declarations;
        if !self.number(record)? {
            return Ok(());
        }
        match &record.said {
            Said::Event { name, properties } => {
                let Some((number, decl)) = declarations.find_event(name) else {
                    self.count(name);
                    return Ok(());
                };
                self.event(record, number, decl, properties)
            }
            Said::Traits(traits) => self.traits(record, declarations, traits),
            Said::Membership { list, stay } => {
                let node = self.fold.graph.row(&self.ids, Witness::Person)?;
                let minutes = if let Stay::Minutes(minutes) = stay { Some(*minutes) } else { None };
                self.fold.lists.push(list, node, record.time, *stay == Stay::Ends, minutes);
                Ok(())
            }
            Said::Link => self.fold.graph.row(&self.ids, Witness::Link).map(drop),
            Said::Consent(consents) => {
                let node = self.fold.graph.row(&self.ids, Witness::Consent)?;
                let saying = if *consents { Saying::Consents } else { Saying::Refuses };
                self.fold.consents.push(node, &self.ids, record.time, saying);
                Ok(())
            }
        }
    }

    /// Numbers the identifiers of known types; whether there is any.
    fn number(&mut self, record: &Record<'_>) -> Result<bool> {
        self.keys.clear();
        self.ids.clear();
        for id in &record.keys {
            match self.loaded.id_types.binary_search_by(|known| known.name.as_str().cmp(&id.id_type)) {
                Ok(id_type) => self.keys.push((id.key, id_type as u16)),
                Err(_) => self.count(&id.id_type),
            }
        }
        self.fold.graph.number(self.keys.iter().copied(), &mut self.ids)?;
        Ok(!self.ids.is_empty())
    }

    fn event(
        &mut self,
        record: &Record<'_>,
        number: usize,
        decl: &EventDecl,
        properties: &[(Cow<'_, str>, Value<'_>)],
    ) -> Result<()> {
        for (name, value) in properties {
            if property(decl, name, value).is_none() {
                self.count(name);
            }
        }
        let node = self.fold.graph.row(&self.ids, Witness::Person)?;
        let cells = properties.iter().filter_map(|(name, value)| property(decl, name, value));
        self.fold.events[number].push(node, record.time, Some(record.id), cells)
    }

    fn traits(
        &mut self,
        record: &Record<'_>,
        declarations: &Declarations,
        traits: &[(Cow<'_, str>, Option<Value<'_>>)],
    ) -> Result<()> {
        let known = |name: &str, value: &Option<Value<'_>>| {
            let (number, decl) = declarations.find_trait(name)?;
            value.as_ref().is_none_or(|value| is_permitted(decl, value)).then_some(number)
        };
        let mut any = false;
        for (name, value) in traits {
            match known(name, value) {
                Some(_) => any = true,
                None => self.count(name),
            }
        }
        if !any {
            return Ok(());
        }
        let node = self.fold.graph.row(&self.ids, Witness::Person)?;
        let columns = &mut self.fold.traits;
        columns.row(node, record.time, self.loaded.config.ingest.priority)?;
        for (name, value) in traits {
            match (known(name, value), value) {
                (Some(number), Some(Value::Tags(tags))) => {
                    tags.iter().for_each(|tag| columns.set(number, profiles::Value::Text(tag)));
                }
                (Some(number), Some(value)) => {
                    if let Some(value) = plain(value) {
                        columns.set(number, value);
                    }
                }
                (Some(number), None) => columns.erase(number),
                (None, _) => {}
            }
        }
        Ok(())
    }

    fn count(&mut self, name: &str) {
        match self.unknown.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.unknown.insert(name.to_owned(), 1)),
        }
    }
}

/// Whether a trait's value is of its kind, and one of the permitted ones.
fn is_permitted(decl: &TraitDecl, value: &Value<'_>) -> bool {
    match (decl.kind, value) {
        (TraitKind::Flag, Value::Flag(_)) | (TraitKind::Date, Value::Date(_)) => true,
        (TraitKind::Number, Value::Number(number)) => number.is_finite(),
        (TraitKind::Category, Value::Text(text)) => is_listed(&decl.values, text),
        (TraitKind::Tags, Value::Tags(tags)) => tags.iter().all(|tag| is_listed(&decl.values, tag)),
        _ => false,
    }
}

/// A property as a cell; `None` = the event has none of that name, kind or value.
fn property<'v>(decl: &EventDecl, name: &str, value: &'v Value<'_>) -> Option<Cell<'v>> {
    let (number, decl) = decl.find_property(name)?;
    let fits = match (decl.kind, value) {
        (PropKind::Flag, Value::Flag(_)) => true,
        (PropKind::Number, Value::Number(number)) => number.is_finite(),
        (PropKind::Category, Value::Text(text)) => is_listed(&decl.values, text),
        _ => false,
    };
    plain(value).filter(|_| fits).map(|value| (number, value))
}

/// Sorted; empty = any.
fn is_listed(values: &[String], text: &str) -> bool {
    values.is_empty() || values.binary_search_by(|value| value.as_str().cmp(text)).is_ok()
}

/// One value; tags are several.
fn plain<'v>(value: &'v Value<'_>) -> Option<profiles::Value<'v>> {
    Some(match value {
        Value::Flag(flag) => profiles::Value::Flag(*flag),
        Value::Number(number) => profiles::Value::Number(*number),
        Value::Date(days) => profiles::Value::Date(*days),
        Value::Text(text) => profiles::Value::Text(text),
        Value::Tags(_) => return None,
    })
}
