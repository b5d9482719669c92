//! The control plane's columns: traits, events, memberships, by ordinal; encodings and mapped views.
//!
//! [`data`] is what an encoder is given: plain vectors, one column at a time. Three writers make three sections;
//! [`Columns`] opens them in place, [`Opened`] keeps their bytes besides. Everything is cut into blocks of [`BLOCK`]
//! ordinals, because evaluation goes block by block. What must not live here: what a test means (`evaluate`).
//!
//! Opening checks lengths, offsets, names and dictionaries. Elements (codes, low bits, times) are not looked at before
//! use: whatever they hold, reading them stays within bounds.

mod codes;
pub mod data;
mod events;
mod file;
mod lists;
mod opened;
mod traits;

#[cfg(test)]
mod tests;

pub use codes::{Codes, Days, Dictionary, Frame, Numbers};
pub use events::{EventColumn, EventsWriter, PropColumn};
pub use lists::{ListColumn, ListsWriter};
pub use opened::Opened;
pub use traits::{Tags, TraitColumn, TraitsWriter};

use crate::error::{Error, Result};
use data::ColumnData;

/// Ordinals in a block: what one bitmap container holds.
pub const BLOCK: usize = 65_536;
/// 64-bit words in a block's bitmap.
pub const WORDS: usize = BLOCK / 64;

/// How many blocks so many ordinals need.
pub fn blocks(ordinals: u32) -> usize {
    (ordinals as usize).div_ceil(BLOCK)
}

/// For rows sorted by ordinal: the first row of every block, and the end.
fn starts(ordinals: u32, rows: &[u32]) -> Vec<u64> {
    (0..=blocks(ordinals)).map(|block| rows.partition_point(|row| (*row as usize) < block * BLOCK) as u64).collect()
}

/// All columns of a snapshot, in place.
#[derive(Debug, Clone)]
pub struct Columns<'a> {
    ordinals: u32,
    seeds: &'a [u32],
    traits: Vec<(String, TraitColumn<'a>)>,
    events: Vec<(String, EventColumn<'a>)>,
    lists: Vec<(String, ListColumn<'a>)>,
}

impl<'a> Columns<'a> {
    /// Opens the three sections. The bytes must lie at a multiple of 8.
    ///
    /// # Errors
    /// Bytes that are no such section, contradict themselves, or belong to different snapshots.
    pub fn open(traits: &'a [u8], events: &'a [u8], memberships: &'a [u8]) -> Result<Self> {
        let traits = traits::Traits::open(traits)?;
        let (event_ordinals, events) = events::open(events)?;
        let (list_ordinals, lists) = lists::open(memberships)?;
        if [event_ordinals, list_ordinals] != [traits.ordinals; 2] {
            return Err(Error::snapshot(format!(
                "sections traits, events and memberships count {}, {event_ordinals} and {list_ordinals} profiles: \
                 they are not of one snapshot; build again",
                traits.ordinals
            )));
        }
        Ok(Columns { ordinals: traits.ordinals, seeds: traits.seeds, traits: traits.columns, events, lists })
    }

    /// Number of profiles.
    pub fn ordinals(&self) -> u32 {
        self.ordinals
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        blocks(self.ordinals)
    }

    /// Ordinals in a block: [`BLOCK`], less in the last.
    pub fn block_len(&self, block: usize) -> usize {
        (self.ordinals as usize).saturating_sub(block * BLOCK).min(BLOCK)
    }

    /// One seed an ordinal, for samples.
    pub fn seeds(&self) -> &'a [u32] {
        self.seeds
    }

    /// The traits' names and columns, sorted.
    pub fn traits(&self) -> &[(String, TraitColumn<'a>)] {
        &self.traits
    }

    /// The events' names and columns, sorted.
    pub fn events(&self) -> &[(String, EventColumn<'a>)] {
        &self.events
    }

    /// The lists' audience ids and columns, sorted.
    pub fn lists(&self) -> &[(String, ListColumn<'a>)] {
        &self.lists
    }

    /// The position of a trait.
    pub fn find_trait(&self, name: &str) -> Option<usize> {
        find(&self.traits, name)
    }

    /// The position of an event.
    pub fn find_event(&self, name: &str) -> Option<usize> {
        find(&self.events, name)
    }

    /// The position of a list.
    pub fn find_list(&self, name: &str) -> Option<usize> {
        find(&self.lists, name)
    }
}

fn find<T>(columns: &[(String, T)], name: &str) -> Option<usize> {
    columns.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()
}

/// The bytes of the three sections.
#[derive(Debug, Clone, Default)]
pub struct Sections {
    /// Section `traits`.
    pub traits: Vec<u8>,
    /// Section `events`.
    pub events: Vec<u8>,
    /// Section `memberships`.
    pub memberships: Vec<u8>,
}

impl Sections {
    /// Encodes columns that are in memory: for tests, benches and small worlds.
    ///
    /// # Errors
    /// An internal one when the data is not as its types say.
    pub fn encode(data: &ColumnData) -> Result<Sections> {
        let mut traits = TraitsWriter::new(Vec::new(), data.ordinals, &data.seeds)?;
        for (name, column) in &data.traits {
            traits.add(name, column)?;
        }
        let mut events = EventsWriter::new(Vec::new(), data.ordinals)?;
        for (name, column) in &data.events {
            events.add(name, column)?;
        }
        let mut lists = ListsWriter::new(Vec::new(), data.ordinals)?;
        for (name, column) in &data.lists {
            lists.add(name, column)?;
        }
        Ok(Sections { traits: traits.finish()?, events: events.finish()?, memberships: lists.finish()? })
    }

    /// Opens them in place.
    ///
    /// # Errors
    /// As [`Columns::open`].
    pub fn open(&self) -> Result<Columns<'_>> {
        Columns::open(&self.traits, &self.events, &self.memberships)
    }
}
