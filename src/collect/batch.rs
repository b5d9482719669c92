//! A bounded number of validated rows, column-free and compact: what `collect` hands to `profiles`.

use crate::config::LinkLevel;
use crate::schema::ProfileKey;

/// An identifier of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowKey {
    /// The keyed hash.
    pub key: ProfileKey,
    /// The identifier type: position in the collector's list of id types.
    pub id_type: u16,
}

/// An identifier as a source has it, because its key was asked for ([`identifiers`](super::identifiers())). The one value of this
/// program that holds a raw identifier: it is written to where the identifiers were asked for, and into no log or error.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The keyed hash.
    pub key: ProfileKey,
    /// The identifier type: position in the collector's list of id types.
    pub id_type: u16,
    /// Whether an e-mail or phone is there only as its UID2 hash.
    pub hashed: bool,
    /// As it is written there, trimmed.
    pub text: Box<str>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Found({:?}, type {})", self.key, self.id_type)
    }
}

/// A value. Texts are ranges of the batch's arena.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// Yes or no.
    Flag(bool),
    /// A finite number.
    Number(f64),
    /// Days since 1970-01-01.
    Date(i32),
    /// A category, or one of several tags (a trait with tags has one cell a tag, seldom the same twice; none = the empty
    /// set is unknown).
    /// Equal texts that lie near each other in a batch mostly share one range.
    Text {
        /// Byte position in [`Batch::text`].
        start: u32,
        /// Length in bytes.
        len: u32,
    },
}

/// What was said about consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentKind {
    /// Objects to marketing: never speak to me.
    ObjectMarketing,
    /// Withdraws from profiling: use no profile of me; contextual messages may go on.
    ObjectProfiling,
    /// Both.
    ObjectAll,
    /// Consents to profiling (the newest of consent and refusal counts).
    Consent,
    /// Refuses profiling.
    Refusal,
}

/// What a row says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RowKind {
    /// A person with traits: cells are (trait number, value).
    Profile,
    /// Something somebody did: cells are (property number of that event, value).
    Event {
        /// The event's number.
        event: u16,
        /// The hash of its id: rows that repeat it are one event.
        id: Option<u128>,
    },
    /// A line of an uploaded list.
    Membership {
        /// Position in [`Batch::lists`].
        list: u16,
        /// Whether the line takes the person off the list.
        remove: bool,
        /// Minutes from the row's time; `None` = the list's own time to live.
        ttl_minutes: Option<u32>,
    },
    /// Identifiers that belong together.
    Link {
        /// How closely.
        level: LinkLevel,
    },
    /// A consent or an objection.
    Consent {
        /// What was said.
        what: ConsentKind,
    },
}

/// One row. Ranges are positions in the batch's `keys` and `cells`.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it says.
    pub kind: RowKind,
    /// Seconds since the epoch; the file's modification time where the source has no time column.
    pub time: i64,
    /// First identifier.
    pub keys_start: u32,
    /// End of the identifiers: at least one, without repetition.
    pub keys_end: u32,
    /// First cell.
    pub cells_start: u32,
    /// End of the cells.
    pub cells_end: u32,
}

/// Rows of one source.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The source's position in the configuration.
    pub source: u16,
    /// The rows.
    pub rows: Vec<Row>,
    /// Their identifiers.
    pub keys: Vec<RowKey>,
    /// Their values: (trait or property number, value).
    pub cells: Vec<(u16, Cell)>,
    /// The arena of texts.
    pub text: String,
    /// Audience names (`owner/id`) that membership rows refer to.
    pub lists: Vec<String>,
    /// The identifiers that were asked for; there are no rows then.
    pub found: Vec<Found>,
}

impl Batch {
    /// The identifiers of a row.
    pub fn keys(&self, row: &Row) -> &[RowKey] {
        &self.keys[row.keys_start as usize..row.keys_end as usize]
    }

    /// The cells of a row.
    pub fn cells(&self, row: &Row) -> &[(u16, Cell)] {
        &self.cells[row.cells_start as usize..row.cells_end as usize]
    }

    /// The text of a cell; empty for other cells.
    pub fn text(&self, cell: Cell) -> &str {
        match cell {
            Cell::Text { start, len } => &self.text[start as usize..(start + len) as usize],
            _ => "",
        }
    }
}
