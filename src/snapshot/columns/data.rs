//! Columns as plain vectors: what the encoders take, one column at a time, and what tests compare with.

/// A trait's values by ordinal: every vector has one entry an ordinal (but for `Tags`).
#[derive(Debug, Clone, PartialEq)]
pub enum TraitData {
    /// 0 = unknown, 1 = false, 2 = true.
    Flag(Vec<u8>),
    /// 0 = unknown, otherwise 1 + the position in the dictionary. The dictionary is sorted and without repetition.
    Category {
        /// By ordinal or row.
        codes: Vec<u32>,
        /// Code `c` is position `c - 1`.
        dictionary: Vec<String>,
    },
    /// The tags of ordinal `o` are `codes[starts[o]..starts[o + 1]]`: positions in the dictionary, ascending, distinct.
    /// None = unknown. `starts` has one entry more than there are ordinals.
    Tags {
        /// By ordinal, and the end.
        starts: Vec<u32>,
        /// Positions in the dictionary.
        codes: Vec<u32>,
        /// Sorted and without repetition.
        dictionary: Vec<String>,
    },
    /// NaN = unknown.
    Number(Vec<f64>),
    /// Days since 1970-01-01; `i32::MIN` = unknown.
    Date(Vec<i32>),
}

/// An event property's values, one an event row.
#[derive(Debug, Clone, PartialEq)]
pub enum PropData {
    /// 0 = unknown, 1 = false, 2 = true.
    Flag(Vec<u8>),
    /// As in [`TraitData::Category`].
    Category {
        /// By ordinal or row.
        codes: Vec<u32>,
        /// Code `c` is position `c - 1`.
        dictionary: Vec<String>,
    },
    /// NaN = unknown.
    Number(Vec<f64>),
}

/// All events of one name, sorted by (ordinal, time).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventData {
    /// Whose, by row.
    pub ordinals: Vec<u32>,
    /// When, by row: seconds since the epoch (1970 to 2106).
    pub times: Vec<u32>,
    /// The declared properties, in the declaration's order.
    pub properties: Vec<(String, PropData)>,
}

/// The members of one uploaded list, sorted by ordinal, without repetition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListData {
    /// Who.
    pub ordinals: Vec<u32>,
    /// Until when (excluded): seconds since the epoch; `u32::MAX` = without end.
    pub until: Vec<u32>,
}

/// Everything of the control plane, in memory: what tests build and compare with; a real build streams it by column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnData {
    /// Number of profiles.
    pub ordinals: u32,
    /// One 32-bit seed an ordinal for `in sample`: the top bits of the profile's least key.
    pub seeds: Vec<u32>,
    /// By trait name, sorted.
    pub traits: Vec<(String, TraitData)>,
    /// By event name, sorted.
    pub events: Vec<(String, EventData)>,
    /// By audience id, sorted.
    pub lists: Vec<(String, ListData)>,
}
