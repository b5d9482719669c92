//! What became of the rows of an index: the section `provenance`, which later activations read.

use super::facts::LiveReport;
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::profiles::IdentityReport;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What became of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// The identity graph's statistics; identifier types by number.
    pub identity: IdentityReport,
    /// Identifiers of profiles by the name of the identifier type.
    pub by_id_type: BTreeMap<String, u64>,
    /// Identifiers that objections name.
    pub objecting_identifiers: u64,
    /// Rows all of whose identifiers were cut off.
    pub dropped: Dropped,
    /// Rows that repeated an event id, by event.
    pub repeated_events: BTreeMap<String, u64>,
    /// Membership rows of lists that the catalogue does not know.
    pub unknown_lists: BTreeMap<String, u64>,
    /// Memberships that had ended.
    pub ended_memberships: u64,
    /// The names of the sources that feed a list.
    pub list_sources: BTreeMap<String, Vec<String>>,
    /// Rows of deleted people.
    #[serde(default)]
    pub deleted_rows: u64,
    /// What became of the facts that came by the doors.
    #[serde(default)]
    pub live: LiveReport,
}

/// Rows all of whose identifiers were cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dropped {
    /// Of kind `profiles`.
    pub profile_rows: u64,
    /// Of kind `events`.
    pub event_rows: u64,
    /// Of kind `memberships`.
    pub membership_rows: u64,
}

impl Provenance {
    pub(super) fn new(
        loaded: &Loaded,
        identity: &IdentityReport,
        list_sources: &BTreeMap<String, BTreeSet<u16>>,
    ) -> Self {
        let type_name = |number: u16| loaded.id_types[usize::from(number)].name.clone();
        let source_name = |&source: &u16| loaded.config.sources[usize::from(source)].name.clone();
        let mut fed: BTreeMap<String, Vec<String>> = list_sources
            .iter()
            .map(|(list, sources)| (list.clone(), sources.iter().map(source_name).collect()))
            .collect();
        // A source that names its one list feeds it even when it has no row.
        for source in &loaded.config.sources {
            if let Some(list) = source.membership.as_ref().and_then(|columns| columns.audience.clone()) {
                let names = fed.entry(list).or_default();
                if !names.contains(&source.name) {
                    names.push(source.name.clone());
                }
            }
        }
        Provenance {
            identity: identity.clone(),
            by_id_type: identity.by_id_type.iter().map(|(&number, &count)| (type_name(number), count)).collect(),
            list_sources: fed,
            ..Provenance::default()
        }
    }

    /// Reads the section.
    ///
    /// # Errors
    /// A section that is not of this format.
    pub fn open(bytes: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Whole {
            index: Provenance,
        }
        let whole: Whole = serde_json::from_slice(bytes).map_err(|error| {
            Error::snapshot("section `provenance` cannot be read; build again with `vaglio build`").caused_by(error)
        })?;
        Ok(whole.index)
    }

    /// What the user reads when identities are done.
    pub(super) fn identity_line(&self) -> String {
        let IdentityReport { profiles, identifiers, cut_components, cut_identifiers, .. } = self.identity;
        let mut line = format!("{profiles} profiles of {identifiers} identifiers");
        if cut_components > 0 {
            line += &format!("; {cut_components} too large, cut apart at {cut_identifiers} shared identifiers");
        }
        line
    }

    /// What the user reads when columns are done.
    pub(super) fn columns_line(&self) -> String {
        let mut notes = Vec::new();
        let repeated: u64 = self.repeated_events.values().sum();
        let unknown: u64 = self.unknown_lists.values().sum();
        let dropped = self.dropped.profile_rows + self.dropped.event_rows + self.dropped.membership_rows;
        for (count, what) in [
            (repeated, "events repeated an id"),
            (self.ended_memberships, "memberships had ended"),
            (dropped, "rows had only shared identifiers"),
            (self.deleted_rows, "rows were of deleted people"),
        ] {
            if count > 0 {
                notes.push(format!("{count} {what}"));
            }
        }
        if unknown > 0 {
            let names: Vec<&str> = self.unknown_lists.keys().map(String::as_str).take(5).collect();
            notes.push(format!("{unknown} rows of lists no definition knows ({})", names.join(", ")));
        }
        notes.join("; ")
    }
}
