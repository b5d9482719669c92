//! Whose an identifier is: among all identifiers of a generation, also those that occur in no bid.

use crate::error::Result;
use crate::log::blocklist::HashedState;
use crate::schema::ProfileKey;
use crate::snapshot::identities::FIRST_RESERVED;
use crate::snapshot::keys::Keys;
use crate::snapshot::{Identities, Manifest, SectionBytes, SectionRef, Store};
use std::collections::HashSet;

/// The sections that tell.
const SECTIONS: [&str; 2] = ["identities", "keys"];

/// The people of one generation.
#[derive(Debug)]
pub struct People {
    identities: Identities<SectionBytes>,
    keys: SectionBytes,
}

impl People {
    /// Opens a generation's sections, verified.
    ///
    /// # Errors
    /// A section that is damaged or not there: a machine that only answers bids has no `keys`.
    pub fn open(store: &Store, manifest: &Manifest) -> Result<Self> {
        let is_wanted = |section: &&SectionRef| SECTIONS.contains(&section.name.as_str());
        let wanted: Vec<SectionRef> = manifest.sections.iter().filter(is_wanted).cloned().collect();
        let sections = store.open_sections(&wanted)?;
        Ok(People { identities: Identities::open(sections.shared("identities")?)?, keys: sections.shared("keys")? })
    }

    /// The profiles that have any of these identifiers, ascending, each once. Those of bids are found at once; for the
    /// others, all at once, it walks through everybody.
    ///
    /// # Errors
    /// A damaged section.
    pub fn who(&self, wanted: &[ProfileKey]) -> Result<Vec<u32>> {
        let keys = Keys::open(&self.keys)?;
        let mut profiles = Vec::new();
        let mut others: HashSet<ProfileKey, HashedState> = HashSet::default();
        for &key in wanted {
            let found = self.identities.find(key).filter(|ordinal| *ordinal < FIRST_RESERVED);
            match found.filter(|ordinal| keys.of(*ordinal).any(|(known, _)| known == key)) {
                Some(ordinal) => profiles.push(ordinal),
                None => drop(others.insert(key)),
            }
        }
        if !others.is_empty() {
            let has = |ordinal: &u32| keys.of(*ordinal).any(|(key, _)| others.contains(&key));
            profiles.extend((0..keys.profiles()).filter(has));
        }
        profiles.sort_unstable();
        profiles.dedup();
        Ok(profiles)
    }

    /// Every identifier of every person, a person at a time.
    ///
    /// # Errors
    /// A damaged section.
    pub fn each(&self, mut each: impl FnMut(&mut dyn Iterator<Item = ProfileKey>)) -> Result<()> {
        let keys = Keys::open(&self.keys)?;
        (0..keys.profiles()).for_each(|ordinal| each(&mut keys.of(ordinal).map(|(key, _)| key)));
        Ok(())
    }

    /// The identifiers of profiles.
    ///
    /// # Errors
    /// A damaged section.
    pub fn identifiers(&self, profiles: &[u32]) -> Result<Vec<ProfileKey>> {
        let keys = Keys::open(&self.keys)?;
        Ok(profiles.iter().flat_map(|ordinal| keys.of(*ordinal)).map(|(key, _)| key).collect())
    }
}
