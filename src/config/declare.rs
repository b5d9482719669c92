//! Sources -> the vocabulary: which traits, events and identifier types there are, merged over all sources.

use super::feeding::Ingest;
use super::model::{IdColumn, Source, SourceKind};
use crate::schema::{Declarations, EventDecl, ListSource, PropDecl, PropKind, TraitDecl, Use};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A type of identifier. Its position in the sorted list is the number rows carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdType {
    /// The EID source, `ifa`, `email` or `phone`; in lower case.
    pub name: String,
    /// Whether it occurs at bid time.
    pub bid: bool,
}

/// Whether an identifier of this type occurs at bid time when nothing is said.
pub(super) fn bid_by_default(name: &str) -> bool {
    name == "ifa" || name.contains('.')
}

impl IdColumn {
    /// The column that holds the type, when each row names its own.
    pub fn type_column(&self) -> Option<&str> {
        self.kind.strip_prefix('$')
    }
}

/// Every identifier type, sorted by name. Where the type stands in a column, the types in `precedence` count too.
pub(super) fn id_types(sources: &[Source], ingest: &Ingest, precedence: &[String]) -> Vec<IdType> {
    let mut types: BTreeMap<String, Option<bool>> = BTreeMap::new();
    for id in &ingest.ids {
        let said = types.entry(id.kind.to_lowercase()).or_default();
        *said = said.or(id.bid);
    }
    for id in sources.iter().flat_map(|source| &source.ids).filter(|id| id.type_column().is_none()) {
        let said = types.entry(id.kind.to_lowercase()).or_default();
        *said = said.or(id.bid);
    }
    if has_type_columns(sources) {
        for name in precedence {
            types.entry(name.to_lowercase()).or_default();
        }
    }
    let whether = |name: &str, said: Option<bool>| said.unwrap_or_else(|| bid_by_default(name));
    types.into_iter().map(|(name, said)| IdType { bid: whether(&name, said), name }).collect()
}

/// Whether some rows name the type of their identifiers themselves.
pub(super) fn has_type_columns(sources: &[Source]) -> bool {
    sources.iter().flat_map(|source| &source.ids).any(|id| id.type_column().is_some())
}

/// The vocabulary of all sources and of the events door.
pub(super) fn declarations(sources: &[Source], ingest: &Ingest) -> Declarations {
    let mut traits: BTreeMap<String, TraitDecl> = BTreeMap::new();
    let mut events: BTreeMap<String, EventDecl> = BTreeMap::new();
    let mut list_sources = BTreeMap::new();
    traits.extend(door_traits(ingest).map(|decl| (decl.name.clone(), decl)));
    for decl in door_events(ingest).chain(built_in_events()) {
        match events.get_mut(&decl.name) {
            Some(known) => merge_event(known, decl),
            None => drop(events.insert(decl.name.clone(), decl)),
        }
    }
    for source in sources {
        for decl in source_traits(source) {
            match traits.get_mut(&decl.name) {
                Some(known) => merge_trait(known, decl),
                None => drop(traits.insert(decl.name.clone(), decl)),
            }
        }
        for decl in source_events(source) {
            match events.get_mut(&decl.name) {
                Some(known) => merge_event(known, decl),
                None => drop(events.insert(decl.name.clone(), decl)),
            }
        }
        if source.kind == SourceKind::Memberships {
            let list = source.membership.as_ref().and_then(|columns| columns.audience.clone());
            list_sources.insert(source.name.clone(), ListSource { uses: uses(source.uses.as_deref()), list });
        }
    }
    Declarations { traits: traits.into_values().collect(), events: events.into_values().collect(), list_sources }
}

/// What the events door is called among sources.
pub const DOOR: &str = "events door";

fn door_traits(ingest: &Ingest) -> impl Iterator<Item = TraitDecl> + '_ {
    ingest.traits.iter().map(|said| TraitDecl {
        name: said.name.clone(),
        kind: said.kind,
        values: sorted(&said.values),
        uses: uses(said.uses.as_deref()),
        sensitive: said.sensitive,
        retention_days: said.retention_days,
        legal_basis: said.legal_basis.clone(),
        sources: vec![DOOR.to_owned()],
    })
}

fn door_events(ingest: &Ingest) -> impl Iterator<Item = EventDecl> + '_ {
    ingest.events.iter().flat_map(|said| {
        let property = |prop: &super::feeding::DoorProperty| PropDecl {
            name: prop.name.clone(),
            kind: prop.kind,
            values: sorted(&prop.values),
        };
        let mut properties: Vec<PropDecl> = said.properties.iter().map(property).collect();
        properties.sort_by(|a, b| a.name.cmp(&b.name));
        said.names.iter().map(move |name| EventDecl {
            name: name.clone(),
            properties: properties.clone(),
            uses: uses(said.uses.as_deref()),
            retention_days: said.retention_days,
            legal_basis: said.legal_basis.clone(),
            sources: vec![DOOR.to_owned()],
        })
    })
}

/// What may become of an ad, each an event of that name.
pub const EXPOSURES: [&str; 4] = ["impression", "view", "click", "bill"];

/// Exposures and signals: ordinary events that every installation knows.
const BUILT_IN: [(&str, &[&str]); 6] = [
    (EXPOSURES[0], &["campaign", "channel", "creative", "device"]),
    (EXPOSURES[1], &["campaign", "channel", "creative", "device"]),
    (EXPOSURES[2], &["campaign", "channel", "creative", "device"]),
    (EXPOSURES[3], &["campaign", "channel", "creative", "device"]),
    ("dislike", &["campaign"]),
    ("complaint", &["campaign"]),
];

/// The properties of an event that every installation knows.
pub(super) fn built_in(name: &str) -> Option<&'static [&'static str]> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, properties)| *properties)
}

fn built_in_events() -> impl Iterator<Item = EventDecl> {
    BUILT_IN.into_iter().map(|(name, properties)| EventDecl {
        name: name.to_owned(),
        properties: properties
            .iter()
            .map(|name| PropDecl { name: (*name).to_owned(), kind: PropKind::Category, values: Vec::new() })
            .collect(),
        uses: uses(None),
        retention_days: None,
        legal_basis: None,
        sources: vec![DOOR.to_owned()],
    })
}

fn source_traits(source: &Source) -> impl Iterator<Item = TraitDecl> + '_ {
    source.traits.iter().map(|column| TraitDecl {
        name: column.trait_name().to_owned(),
        kind: column.kind,
        values: sorted(&column.values),
        uses: intersection(&uses(column.uses.as_deref()), &uses(source.uses.as_deref())),
        sensitive: column.sensitive,
        retention_days: column.retention_days.or(source.retention_days),
        legal_basis: column.legal_basis.clone().or_else(|| source.legal_basis.clone()),
        sources: vec![source.name.clone()],
    })
}

fn source_events(source: &Source) -> impl Iterator<Item = EventDecl> + '_ {
    let names = source.event.iter().flat_map(|event| event.names.iter());
    names.map(|name| {
        let carried = source.properties.iter().filter(|prop| prop.events.is_empty() || prop.events.contains(name));
        let mut properties: Vec<PropDecl> = carried
            .map(|prop| PropDecl { name: prop.prop_name().to_owned(), kind: prop.kind, values: sorted(&prop.values) })
            .collect();
        properties.sort_by(|a, b| a.name.cmp(&b.name));
        EventDecl {
            name: name.clone(),
            properties,
            uses: uses(source.uses.as_deref()),
            retention_days: source.retention_days,
            legal_basis: source.legal_basis.clone(),
            sources: vec![source.name.clone()],
        }
    })
}

fn merge_trait(known: &mut TraitDecl, other: TraitDecl) {
    known.values = union_of_closed(&known.values, &other.values);
    known.uses = intersection(&known.uses, &other.uses);
    known.sensitive |= other.sensitive;
    known.retention_days = shorter(known.retention_days, other.retention_days);
    known.legal_basis = both(known.legal_basis.take(), other.legal_basis);
    known.sources.extend(other.sources);
}

fn merge_event(known: &mut EventDecl, other: EventDecl) {
    for prop in other.properties {
        match known.properties.iter_mut().find(|mine| mine.name == prop.name) {
            Some(mine) => mine.values = union_of_closed(&mine.values, &prop.values),
            None => known.properties.push(prop),
        }
    }
    known.properties.sort_by(|a, b| a.name.cmp(&b.name));
    known.uses = intersection(&known.uses, &other.uses);
    known.retention_days = shorter(known.retention_days, other.retention_days);
    known.legal_basis = both(known.legal_basis.take(), other.legal_basis);
    known.sources.extend(other.sources);
}

fn uses(said: Option<&[Use]>) -> Vec<Use> {
    said.map_or_else(|| Use::ALL.to_vec(), sorted)
}

fn sorted<T: Ord + Clone>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort();
    items.dedup();
    items
}

fn intersection(a: &[Use], b: &[Use]) -> Vec<Use> {
    a.iter().copied().filter(|one| b.contains(one)).collect()
}

/// One open set makes the union open.
fn union_of_closed(a: &[String], b: &[String]) -> Vec<String> {
    if a.is_empty() || b.is_empty() { Vec::new() } else { sorted(&[a, b].concat()) }
}

fn shorter(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    a.into_iter().chain(b).min()
}

fn both(a: Option<String>, b: Option<String>) -> Option<String> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => Some(format!("{a}; {b}")),
        (a, b) => a.or(b),
    }
}
