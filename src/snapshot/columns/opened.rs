//! Columns that own their bytes, so that they can live as long as whoever asks them: a server's generation.

use super::{Columns, Sections};
use crate::error::Result;
use crate::snapshot::{SectionBytes, Snapshot};
use std::fmt;

/// The bytes of sections `traits`, `events` and `memberships`.
enum Owner {
    /// Of a verified generation: mapped, shared.
    Mapped([SectionBytes; 3]),
    /// Just encoded.
    Memory(Sections),
}

impl Owner {
    fn columns(&self) -> Result<Columns<'_>> {
        match self {
            Owner::Mapped([traits, events, memberships]) => Columns::open(traits, events, memberships),
            Owner::Memory(sections) => sections.open(),
        }
    }
}

self_cell::self_cell!(
    struct Cell {
        owner: Owner,
        #[covariant]
        dependent: Columns,
    }
);

/// Columns and the bytes they lie in.
pub struct Opened(Cell);

impl Opened {
    /// Opens those of a generation. Its files stay mapped while this lives.
    ///
    /// # Errors
    /// A generation that was opened without the control plane's sections; otherwise as [`Columns::open`].
    pub fn of(snapshot: &Snapshot) -> Result<Self> {
        let section = |name| snapshot.shared(name);
        let bytes = [section("traits")?, section("events")?, section("memberships")?];
        Cell::try_new(Owner::Mapped(bytes), Owner::columns).map(Opened)
    }

    /// Opens those in memory.
    ///
    /// # Errors
    /// As [`Columns::open`].
    pub fn in_memory(sections: Sections) -> Result<Self> {
        Cell::try_new(Owner::Memory(sections), Owner::columns).map(Opened)
    }

    /// The columns.
    pub fn columns(&self) -> &Columns<'_> {
        self.0.borrow_dependent()
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({} profiles)", self.columns().ordinals())
    }
}
