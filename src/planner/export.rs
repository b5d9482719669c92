//! What is held of a person, as JSON for them to read: every trait, event, list, consent, objection, exposure and audience. An
//! identifier is only ever a hash here, because nothing else is held.

use crate::audiences::rule::Date;
use crate::config::Loaded;
use crate::error::Result;
use crate::live::{Held, Keeper};
use crate::log::{Record, Said, Stay, Value as Told};
use crate::schema::{Clock, Timestamp};
use crate::snapshot::columns::{Dictionary, EventColumn, PropColumn, TraitColumn};
use crate::snapshot::consents::{Consents, OBJECTS_TO_MARKETING, OBJECTS_TO_PROFILING, REFUSED};
use crate::snapshot::keys::Keys;
use serde_json::{Map, Value, json};

/// All of it.
///
/// # Errors
/// A damaged section.
pub(super) fn export(held: &Held, loaded: &Loaded, keeper: &Keeper) -> Result<Value> {
    let manifest = held.snapshot.manifest();
    let facts = held.facts();
    let profile = |ordinal: &u32| profile(held, loaded, *ordinal);
    let profiles: Vec<Value> = held.profiles.iter().map(profile).collect::<Result<_>>()?;
    let hasher = keeper.hasher()?;
    let now = Clock::System.now();
    let objections = held.keys.iter().filter_map(|key| {
        let block = keeper.blocked().find(hasher.block_key(*key), now)?;
        let until = block.until.map(Timestamp);
        Some(json!({
            "identifier": key.to_string(), "scope": block.scope, "deleted": block.deleted,
            "since": Timestamp(block.since), "until": until,
        }))
    });
    let objections: Vec<Value> = objections.collect();
    Ok(json!({
        "generation": manifest.generation, "as_of": manifest.as_of, "now": held.now,
        "profiles": profiles,
        "since_the_generation": facts.iter().map(fact).collect::<Vec<_>>(),
        "objections": objections,
        "objections_are_kept_because": loaded.config.privacy.objections.legal_basis,
    }))
}

fn profile(held: &Held, loaded: &Loaded, ordinal: u32) -> Result<Value> {
    let manifest = held.snapshot.manifest();
    let keys = Keys::open(held.snapshot.section("keys")?)?;
    let identifiers = keys
        .of(ordinal)
        .map(|(key, id_type)| json!({"type": manifest.id_types.get(usize::from(id_type)), "hash": key.to_string()}));
    let identifiers: Vec<Value> = identifiers.collect();
    let columns = held.columns.columns();
    let traits = columns.traits().iter().filter_map(|(name, column)| {
        let declared = loaded.declarations.traits.iter().find(|declared| declared.name == *name);
        let sources = declared.map(|declared| &declared.sources);
        Some(json!({"trait": name, "value": trait_value(column, ordinal)?, "sources": sources}))
    });
    let traits: Vec<Value> = traits.collect();
    let events: Vec<Value> = columns.events().iter().flat_map(|(name, column)| events(name, column, ordinal)).collect();
    let lists = columns.lists().iter().filter_map(|(name, column)| {
        let until = column.until(ordinal)?;
        Some(json!({"list": name, "until": (until != u32::MAX).then(|| Timestamp(until.into()))}))
    });
    let lists: Vec<Value> = lists.collect();
    let flags = Consents::open(held.snapshot.section("consents")?, manifest.profiles)?.of(ordinal);
    let catalogue = held.serving.catalogue();
    let audiences = held.audiences(Some(ordinal), &held.facts_now()).into_iter().map(|number| {
        let audience = &catalogue.audiences[number as usize];
        json!({"id": audience.id, "kind": audience.kind})
    });
    let audiences: Vec<Value> = audiences.collect();
    let shown = held.serving.caps().into_iter().flat_map(|caps| caps.of(ordinal)).map(|it| {
        let campaign = catalogue.campaigns.get(it.campaign as usize).map(|campaign| &campaign.id);
        json!({"campaign": campaign, "time": Timestamp(it.time)})
    });
    Ok(json!({
        "identifiers": identifiers, "traits": traits, "events": events, "lists": lists,
        "consents": {
            "objects_to_marketing": flags & OBJECTS_TO_MARKETING != 0,
            "objects_to_profiling": flags & OBJECTS_TO_PROFILING != 0,
            "refused": flags & REFUSED != 0,
        },
        "audiences": audiences, "exposures": shown.collect::<Vec<Value>>(),
    }))
}

fn trait_value(column: &TraitColumn<'_>, ordinal: u32) -> Option<Value> {
    let at = ordinal as usize;
    let bit = |words: &[u64]| words.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
    match column {
        TraitColumn::Flag { known, yes } => bit(known).then(|| bit(yes).into()),
        TraitColumn::Category(codes, words) => Some(word(words, codes.get(at))?.into()),
        TraitColumn::Number(numbers) => Some(numbers.get(at)?.into()),
        TraitColumn::Date(days) => Some(Date(days.get(at)?).to_string().into()),
        TraitColumn::Tags(tags) => {
            let words: Vec<&str> =
                tags.of(ordinal).into_iter().filter_map(|tag| tags.dictionary.get(tag as usize)).collect();
            (!words.is_empty()).then(|| words.into())
        }
    }
}

/// A code's word; 0 = not known.
fn word<'a>(words: &Dictionary<'a>, code: u32) -> Option<&'a str> {
    words.get(code.checked_sub(1)? as usize)
}

fn events(name: &str, column: &EventColumn<'_>, ordinal: u32) -> Vec<Value> {
    let event = |row: usize| {
        let properties = column.properties().iter().filter_map(|(name, column)| {
            let value: Value = match column {
                PropColumn::Flag(codes) => (codes.get(row).checked_sub(1)? == 1).into(),
                PropColumn::Category(codes, words) => word(words, codes.get(row))?.into(),
                PropColumn::Number(numbers) => numbers.get(row)?.into(),
            };
            Some((name.clone(), value))
        });
        let properties: Map<String, Value> = properties.collect();
        json!({"event": name, "time": Timestamp(column.times[row].into()), "properties": properties})
    };
    column.rows_of(ordinal).map(event).collect()
}

/// What came by a door.
fn fact(record: &Record<'_>) -> Value {
    let mut fact = match &record.said {
        Said::Event { name, properties } => {
            let properties: Map<String, Value> =
                properties.iter().map(|(name, value)| (name.to_string(), told(value))).collect();
            json!({"event": name, "properties": properties})
        }
        Said::Traits(traits) => {
            let traits: Map<String, Value> = traits
                .iter()
                .map(|(name, value)| (name.to_string(), value.as_ref().map_or(Value::Null, told)))
                .collect();
            json!({ "traits": traits })
        }
        Said::Membership { list, stay } => match stay {
            Stay::Minutes(minutes) => json!({"list": list, "minutes": minutes}),
            Stay::ByDefault => json!({ "list": list }),
            Stay::Ends => json!({"list": list, "ends": true}),
        },
        Said::Link => json!({"link": true}),
        Said::Consent(granted) => json!({ "consent": granted }),
    };
    let keys = record.keys.iter().map(|it| json!({"type": it.id_type, "hash": it.key.to_string()}));
    fact["identifiers"] = keys.collect();
    fact["time"] = json!(Timestamp(record.time));
    fact["received"] = json!(Timestamp(record.received));
    fact
}

fn told(value: &Told<'_>) -> Value {
    match value {
        Told::Flag(yes) => (*yes).into(),
        Told::Number(number) => (*number).into(),
        Told::Date(day) => Date(*day).to_string().into(),
        Told::Text(text) => text.as_ref().into(),
        Told::Tags(tags) => tags.iter().map(AsRef::as_ref).collect::<Vec<&str>>().into(),
    }
}
