//! Who of an audience may be exported: whoever objects, refused or was deleted is left out, by what the generation says and by
//! what came by the doors since. In doubt a person is left out.

use super::Inputs;
use crate::audiences::AudienceKind;
use crate::error::Result;
use crate::log::blocklist::HashedState;
use crate::log::{Block, Blocklist, Record, Said, Which, control_directory, events_directory, oldest, read};
use crate::schema::{Clock, ProfileKey, Scope};
use crate::snapshot::blocked::Blocked;
use crate::snapshot::consents::{Consents, OBJECTS_TO_MARKETING, OBJECTS_TO_PROFILING, REFUSED};
use crate::snapshot::keys::Keys;
use roaring::RoaringBitmap;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use utoipa::ToSchema;

/// Members who are left out, and why; each counts once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Withheld {
    /// Deleted since the generation was built.
    pub deleted: u64,
    /// They object to marketing or to profiling.
    pub objecting: u64,
    /// They refused consent (target audiences only).
    pub refusing: u64,
}

impl Withheld {
    /// How many.
    pub fn total(&self) -> u64 {
        self.deleted + self.objecting + self.refusing
    }
}

/// Who is exported.
pub(super) struct Eligible {
    /// Profiles.
    pub(super) people: RoaringBitmap,
    /// Identifiers of nobody known that object: only where objectors are asked for.
    pub(super) strangers: Vec<ProfileKey>,
    /// Members that are not.
    pub(super) withheld: Withheld,
    /// How many of them are there because they object, and not as members.
    pub(super) objectors: u64,
}

/// What holds of a person against being exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Against {
    Deletion,
    /// Whether it is to marketing too.
    Objection {
        marketing: bool,
    },
    Refusal,
}

/// What was said, by generation, control log and events log.
struct Voices<'a> {
    inputs: &'a Inputs<'a>,
    keys: Keys<'a>,
    consents: Consents<'a>,
    list: Blocklist,
    refusing: HashSet<ProfileKey, HashedState>,
}

/// Decides about every member.
///
/// # Errors
/// A damaged section or log.
pub(super) fn eligible(inputs: &Inputs<'_>) -> Result<Eligible> {
    let snapshot = inputs.serving.snapshot();
    let voices = Voices {
        inputs,
        keys: Keys::open(snapshot.section("keys")?)?,
        consents: Consents::open(snapshot.section("consents")?, snapshot.manifest().profiles)?,
        list: Blocklist::read(&control_directory(&inputs.loaded.config.data_dir), Clock::System.now())?.0,
        refusing: refusing_since(inputs)?,
    };
    let target = inputs.audience.kind == AudienceKind::Target;
    let objectors = inputs.ask.include_objectors;
    let mut found =
        Eligible { people: RoaringBitmap::new(), strangers: Vec::new(), withheld: Withheld::default(), objectors: 0 };
    for ordinal in inputs.members {
        match voices.against(ordinal) {
            Some(Against::Deletion) => found.withheld.deleted += 1,
            Some(Against::Objection { .. }) if !objectors => found.withheld.objecting += 1,
            Some(Against::Refusal) if target => found.withheld.refusing += 1,
            _ => drop(found.people.insert(ordinal)),
        }
    }
    if objectors {
        voices.add_objectors(&mut found)?;
    }
    Ok(found)
}

impl Voices<'_> {
    fn against(&self, ordinal: u32) -> Option<Against> {
        let blocks: Vec<Block> = self.blocks(ordinal);
        if blocks.iter().any(|block| block.deleted) {
            return Some(Against::Deletion);
        }
        let flags = self.consents.of(ordinal);
        let marketing = flags & OBJECTS_TO_MARKETING != 0 || blocks.iter().any(|block| block.scope != Scope::Profiling);
        if marketing || flags & OBJECTS_TO_PROFILING != 0 || !blocks.is_empty() {
            return Some(Against::Objection { marketing });
        }
        let refusing = flags & REFUSED != 0 || self.keys.of(ordinal).any(|(key, _)| self.refusing.contains(&key));
        refusing.then_some(Against::Refusal)
    }

    /// What the control log says of any of a person's identifiers.
    fn blocks(&self, ordinal: u32) -> Vec<Block> {
        if self.list.is_empty() {
            return Vec::new();
        }
        let hasher = self.inputs.hasher;
        self.keys.of(ordinal).filter_map(|(key, _)| self.list.get(hasher.block_key(key))).collect()
    }

    /// Everybody who objects to marketing, member or not, with a profile or without.
    fn add_objectors(&self, found: &mut Eligible) -> Result<()> {
        for ordinal in 0..self.keys.profiles() {
            let objects = matches!(self.against(ordinal), Some(Against::Objection { marketing: true }));
            if objects && found.people.insert(ordinal) {
                found.objectors += 1;
            }
        }
        let section = self.inputs.serving.snapshot().section("blocked")?;
        let strangers = Blocked::open(section)?.iter().filter(|(_, scope)| scope & OBJECTS_TO_MARKETING != 0);
        let deleted = |key| self.list.get(self.inputs.hasher.block_key(key)).is_some_and(|block| block.deleted);
        found.strangers = strangers.map(|(key, _)| key).filter(|key| !deleted(*key)).collect();
        Ok(())
    }
}

/// The identifiers whose newest word on consent since the generation's cut is a refusal.
fn refusing_since(inputs: &Inputs<'_>) -> Result<HashSet<ProfileKey, HashedState>> {
    let directory = events_directory(&inputs.loaded.config.data_dir);
    let mut newest: HashMap<ProfileKey, (i64, bool), HashedState> = HashMap::default();
    if !directory.is_dir() {
        return Ok(HashSet::default());
    }
    let from = inputs.serving.manifest().events_cut.max(oldest(&directory)?);
    read(&directory, from, Which::All, &mut |_, bytes| {
        let record = Record::decode(bytes)?;
        if let Said::Consent(given) = record.said {
            for identifier in &record.keys {
                let said = newest.entry(identifier.key).or_insert((record.time, given));
                // Of two at the same second the refusal counts.
                if (record.time, !given) >= (said.0, !said.1) {
                    *said = (record.time, given);
                }
            }
        }
        Ok(())
    })?;
    Ok(newest.into_iter().filter(|(_, (_, given))| !given).map(|(key, _)| key).collect())
}
