//! The identity graph and the columns while they are being built: which identifiers are one person, and which value of
//! a trait wins.
//!
//! Everything here is independent of the order of rows. Memory is columnar: no vector or map belongs to one profile.
//! Must not read files (see `collect`) nor evaluate rules; takes plain values, knows no batch.
//!
//! Contents: [`numbers`] of identifiers; [`graph`] what joins them; [`cut`] components that are too large; [`people`] the outcome:
//! ordinals; [`traits`], [`events`], [`lists`], [`consents`] columns by row until [`people`] is known, then by ordinal;
//! [`winners`] which value of a trait counts; [`dictionary`], [`codes`], [`present`] and [`order`] what they share: interned
//! texts, narrow codes, rows that have a value, sorting by ordinal.

pub mod codes;
pub mod consents;
pub mod cut;
pub mod dictionary;
pub mod events;
pub mod graph;
pub mod lists;
pub mod numbers;
pub mod order;
pub mod people;
pub mod present;
pub mod sets;
pub mod traits;
pub mod winners;

pub use consents::{Consents, Saying};
pub use events::EventColumn;
pub use graph::{Graph, Node, Witness};
pub use lists::Lists;
pub use people::{IdentityReport, People};
pub use traits::Traits;
pub use winners::Winners;

/// A value of a trait or of an event's property, as a row says it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Yes or no.
    Flag(bool),
    /// A finite number.
    Number(f64),
    /// Days since 1970-01-01.
    Date(i32),
    /// A category or one tag.
    Text(&'a str),
}

/// No profile: the rank of identifiers that were cut, or that only consents mention.
pub const NOBODY: u32 = u32::MAX;

#[cfg(test)]
mod tests;
