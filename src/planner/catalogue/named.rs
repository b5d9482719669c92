//! The definitions that a wish is about: whether there are such, whose they are, which version they are at.

use super::base::{Base, standing};
use super::refusal::{Held, Refusal};
use super::wish::{Asked, Expected, Sent};
use crate::audiences::definitions::MAX_AUDIENCES;
use crate::audiences::definitions::canonical::{Piece, split};
use crate::audiences::versions::{Item, Kind, State, Version};
use crate::build::defined::Texts;
use crate::schema::AudienceId;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Whether it would change nothing.
pub(super) fn stands(base: &Base, item: &Item) -> bool {
    let history = base.versions.get(item.kind, &item.id);
    let same = |version: Option<&Version>| version.and_then(|version| version.text.as_deref()) == item.text.as_deref();
    if let Some(place) = base.file_of(item.kind, &item.id) {
        return item.text.as_deref() == Some(place.text.as_str());
    }
    match (item.state, history) {
        (State::Archived, history) => history.and_then(standing).is_none(),
        (_, None) => false,
        (State::Draft, Some(history)) => match history.draft() {
            Some(draft) => same(Some(draft)),
            None => history.published().is_some() && same(history.published()),
        },
        (State::Published, Some(history)) => history.published().is_some() && same(history.published()),
    }
}

/// Definitions of a file's worth of texts.
pub(super) fn uploaded(
    asked: &Asked,
    base: &Base,
    texts: &[(PathBuf, String)],
    state: State,
) -> std::result::Result<(Vec<Item>, Vec<Sent>), Refusal> {
    let mut items = Vec::new();
    let mut named = Vec::new();
    for (_, text) in texts {
        let starts: Vec<usize> =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        for Piece { kind, id, text, start } in split(text) {
            // What is for every owner is refused by the check, at its place.
            if id.owner() == "*" {
                continue;
            }
            named.push((kind, id.clone(), starts.partition_point(|at| *at < start) + 1));
            items.push(Item { kind, id, state, text: Some(text) });
        }
    }
    if items.len() > MAX_AUDIENCES * 2 {
        return Err(Refusal::Senseless(
            format!("{} definitions at once are too many", items.len()),
            "send them in several",
        ));
    }
    owned_by(asked, &named)?;
    let changed: Vec<_> = named
        .into_iter()
        .zip(&items)
        .filter(|((kind, id, _), item)| {
            base.file_of(*kind, id).is_some_and(|place| item.text.as_deref() != Some(place.text.as_str()))
        })
        .map(|(name, _)| name)
        .collect();
    in_no_file(base, &changed)?;
    items.retain(|item| base.file_of(item.kind, &item.id).is_none());
    items.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    // What stands twice is refused by the check.
    items.dedup_by(|a, b| (a.kind, &a.id) == (b.kind, &b.id));
    let sent = texts.iter().map(|(name, text)| Sent { name: name.clone(), text: text.clone(), of: None });
    Ok((items, sent.collect()))
}

/// Versions that are there, to be published (again).
pub(super) fn picked(
    asked: &Asked,
    base: &Base,
    versions: &[(Kind, AudienceId, Option<u64>)],
) -> std::result::Result<Vec<Item>, Refusal> {
    let mut items = Vec::new();
    for (kind, id, number) in versions {
        if !asked.who.sees(id.owner()) {
            return Err(Refusal::Absent(format!("there is no {kind} `{id}`")));
        }
        in_no_file(base, &[(*kind, id.clone(), 0)])?;
        let Some(history) = base.history(*kind, id) else {
            return Err(Refusal::Absent(format!("there is no {kind} `{id}`")));
        };
        let version = match number {
            Some(number) => history.version(*number),
            None => history.draft().or_else(|| history.published()),
        };
        let Some(text) = version.and_then(|version| version.text.as_deref()) else {
            let what = number.map_or("nothing to publish".to_owned(), |number| format!("no text in version {number}"));
            return Err(Refusal::Absent(format!("there is {what} of the {kind} `{id}`")));
        };
        items.push(Item { kind: *kind, id: id.clone(), state: State::Published, text: Some(text.to_owned()) });
    }
    Ok(items)
}

/// What shall be no more.
pub(super) fn gone(
    asked: &Asked,
    base: &Base,
    names: &[(Kind, AudienceId)],
) -> std::result::Result<Vec<Item>, Refusal> {
    let mut items = Vec::new();
    for (kind, id) in names {
        let there = |base: &Base| {
            let history = base.history(*kind, id)?;
            history.draft().or_else(|| history.published()).map(drop)
        };
        if !asked.who.sees(id.owner()) || (there(base).is_none() && base.file_of(*kind, id).is_none()) {
            return Err(Refusal::Absent(format!("there is no {kind} `{id}`")));
        }
        in_no_file(base, &[(*kind, id.clone(), 0)])?;
        items.push(Item { kind: *kind, id: id.clone(), state: State::Archived, text: None });
    }
    Ok(items)
}

/// Definitions that are written down, of the owners whose definitions are sent.
pub(super) fn drafts(texts: &mut Texts, base: &Base, items: &[Item], owner: Option<&str>) {
    let owners: BTreeSet<&str> = items.iter().map(|item| item.id.owner()).chain(owner).collect();
    for (kind, id, history) in base.versions.iter() {
        if let (true, Some(text)) = (owners.contains(id.owner()), history.draft().and_then(|draft| draft.text.as_ref()))
            && base.file_of(kind, id).is_none()
        {
            texts.put((kind, id.clone()), Arc::clone(text));
        }
    }
}

/// Whether everything is the owner's own.
pub(super) fn owned_by(asked: &Asked, named: &[(Kind, AudienceId, usize)]) -> std::result::Result<(), Refusal> {
    let foreign: Vec<_> = named.iter().filter(|(_, id, _)| !asked.who.sees(id.owner())).cloned().collect();
    if foreign.is_empty() { Ok(()) } else { Err(Refusal::Foreign(foreign)) }
}

/// Whether no file has any of it.
pub(super) fn in_no_file(base: &Base, named: &[(Kind, AudienceId, usize)]) -> std::result::Result<(), Refusal> {
    let held = named.iter().filter_map(|(kind, id, sent)| {
        let place = base.file_of(*kind, id)?;
        Some(Held { kind: *kind, id: id.clone(), file: place.file.clone(), line: place.line, sent: *sent })
    });
    let held: Vec<Held> = held.collect();
    if held.is_empty() { Ok(()) } else { Err(Refusal::InFile(held)) }
}

/// Whether the last version is the one that was expected. What is archived is there for who names its version.
pub(super) fn expected(
    base: &Base,
    kind: Kind,
    id: &AudienceId,
    expected: Expected,
) -> std::result::Result<(), Refusal> {
    let history = base.history(kind, id);
    let last = history.and_then(|history| history.last());
    let there = last.filter(|last| last.state != State::Archived);
    let fits = match expected {
        Expected::Any => true,
        Expected::Some => there.is_some(),
        Expected::None => there.is_none(),
        Expected::Version(number) => last.is_some_and(|last| last.number == number),
    };
    if fits { Ok(()) } else { Err(Refusal::Stale(last.map(|last| last.number))) }
}
