//! What a rule may speak of: traits and their values, events and their properties, the audiences that the asker may name.

use super::ask::may_name;
use super::{Ground, Wrong};
use crate::audiences::AudienceKind;
use crate::schema::{AudienceId, EventDecl, PropKind, TraitDecl, TraitKind, Use};
use crate::snapshot::columns::{PropColumn, TraitColumn};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Values that are listed of a trait or property.
const MOST_VALUES: usize = 200;

/// What a rule may speak of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VocabularyAnswer)]
pub struct Answer {
    /// Traits by name.
    pub traits: Vec<Trait>,
    /// Events by name.
    pub events: Vec<Event>,
    /// The audiences that the asker may name, uploaded lists among them.
    pub audiences: Vec<Named>,
    /// The generation whose values are listed.
    pub generation: u64,
}

/// A trait.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VocabularyTrait)]
pub struct Trait {
    /// Its name in rules.
    pub name: String,
    /// `flag`, `category`, `tags`, `number` or `date`.
    #[schema(value_type = String)]
    pub kind: TraitKind,
    /// Of a category or tags: its values, the declared ones and those of the generation.
    pub values: Vec<Value>,
    /// How many values more there are.
    pub values_left_out: usize,
    /// Of how many profiles it is known.
    pub known: u64,
    /// What it may be used for.
    #[schema(value_type = Vec<String>)]
    pub uses: Vec<Use>,
    /// Whether using it deserves a second thought.
    pub sensitive: bool,
    /// After how many days a value is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// As it was declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
}

/// A value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VocabularyValue)]
pub struct Value {
    /// As rules write it.
    pub value: String,
    /// How many profiles have it; absent for an owner's key where they are few, and of events' properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// An event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VocabularyEvent)]
pub struct Event {
    /// Its name in rules.
    pub name: String,
    /// Its properties.
    pub properties: Vec<Property>,
    /// What it may be used for.
    #[schema(value_type = Vec<String>)]
    pub uses: Vec<Use>,
    /// After how many days it is forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// As it was declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
}

/// A property of an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VocabularyProperty)]
pub struct Property {
    /// Its name in rules.
    pub name: String,
    /// `flag`, `category` or `number`.
    #[schema(value_type = String)]
    pub kind: PropKind,
    /// Of a category: its values.
    pub values: Vec<Value>,
    /// How many values more there are.
    pub values_left_out: usize,
}

/// An audience.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VocabularyNamed)]
pub struct Named {
    /// `owner/id`.
    #[schema(value_type = String)]
    pub id: AudienceId,
    /// The name planners read.
    pub name: String,
    /// `target` or `suppress`.
    #[schema(value_type = String)]
    pub kind: AudienceKind,
    /// Whether its members are uploaded.
    pub list: bool,
}

/// Lists it.
///
/// # Errors
/// Nobody waits any more.
pub fn vocabulary(ground: &Ground<'_>) -> Result<Answer, Wrong> {
    let declarations = &ground.loaded.declarations;
    let traits = declarations.traits.iter().map(|decl| a_trait(ground, decl)).collect::<Result<_, Wrong>>()?;
    let audiences = ground.view.catalogue().audiences.iter().filter(|audience| may_name(ground.who, audience));
    let named = audiences.map(|audience| Named {
        id: audience.id.clone(),
        name: audience.name.clone(),
        kind: audience.kind,
        list: audience.rule.is_none(),
    });
    Ok(Answer {
        traits,
        events: declarations.events.iter().map(|decl| event(ground, decl)).collect(),
        audiences: named.collect(),
        generation: ground.view.generation().0,
    })
}

fn a_trait(ground: &Ground<'_>, decl: &TraitDecl) -> Result<Trait, Wrong> {
    let columns = ground.view.columns();
    let (mut values, mut known, mut left_out) = (Vec::new(), 0, 0);
    let column = columns.find_trait(&decl.name);
    if let Some(at) = column {
        let (counted, of_known) = counted(ground, at, matches!(columns.traits()[at].1, TraitColumn::Tags(_)))?;
        known = of_known;
        if matches!(columns.traits()[at].1, TraitColumn::Category(..) | TraitColumn::Tags(_)) {
            values = counted;
        }
    }
    let floor = u64::from(ground.loaded.config.protection.floor);
    if ground.who.owner.is_some() {
        // A value that few have may be one person's: it is not told at all unless the configuration names it.
        values.retain(|(value, count)| *count >= floor || decl.values.binary_search(value).is_ok());
    }
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let there: BTreeSet<&str> = values.iter().map(|(value, _)| value.as_str()).collect();
    let declared: Vec<(String, u64)> =
        decl.values.iter().filter(|value| !there.contains(value.as_str())).map(|value| (value.clone(), 0)).collect();
    values.extend(declared);
    if values.len() > MOST_VALUES {
        left_out = values.len() - MOST_VALUES;
        values.truncate(MOST_VALUES);
    }
    let tells = |count: u64| ground.who.owner.is_none() || count >= floor;
    let values = values.into_iter().map(|(value, count)| Value { value, count: tells(count).then_some(count) });
    Ok(Trait {
        name: decl.name.clone(),
        kind: decl.kind,
        values: values.collect(),
        values_left_out: left_out,
        known,
        uses: decl.uses.clone(),
        sensitive: decl.sensitive,
        retention_days: decl.retention_days,
        legal_basis: decl.legal_basis.clone(),
    })
}

/// A column's values with their counts, and of how many profiles there is one.
fn counted(ground: &Ground<'_>, column: usize, tags: bool) -> Result<(Vec<(String, u64)>, u64), Wrong> {
    use crate::evaluate::survey::Value as Part;
    let everybody = ground.plan(&[&crate::audiences::Expr::Everyone], ground.view.catalogue());
    let parts = everybody.breakdown(0, column, ground.watch).ok_or(Wrong::BrokenOff)?;
    let profiles = u64::from(ground.view.columns().ordinals());
    let unknown: u64 = parts.iter().filter(|(part, _)| *part == Part::Unknown).map(|(_, count)| count).sum();
    let values = parts.into_iter().filter_map(|(part, count)| match part {
        Part::Text(text) => Some((text, count)),
        _ => None,
    });
    let values: Vec<(String, u64)> = values.collect();
    let known = profiles.saturating_sub(unknown);
    Ok((values, if tags && known > profiles { 0 } else { known }))
}

fn event(ground: &Ground<'_>, decl: &EventDecl) -> Event {
    let columns = ground.view.columns();
    let column = columns.find_event(&decl.name).map(|at| &columns.events()[at].1);
    let properties = decl.properties.iter().map(|property| {
        let mut values: BTreeSet<String> = property.values.iter().cloned().collect();
        // The values of an open set may be somebody's own words: only everybody's key is told those.
        let open = ground.who.owner.is_none().then_some(column).flatten();
        let found = open.and_then(|column| column.properties().iter().find(|(name, _)| *name == property.name));
        if let Some((_, PropColumn::Category(_, dictionary))) = found {
            values.extend(dictionary.iter().take(MOST_VALUES + 1).map(str::to_owned));
        }
        let left_out = values.len().saturating_sub(MOST_VALUES);
        let values = values.into_iter().take(MOST_VALUES).map(|value| Value { value, count: None }).collect();
        Property { name: property.name.clone(), kind: property.kind, values, values_left_out: left_out }
    });
    Event {
        name: decl.name.clone(),
        properties: properties.collect(),
        uses: decl.uses.clone(),
        retention_days: decl.retention_days,
        legal_basis: decl.legal_basis.clone(),
    }
}
