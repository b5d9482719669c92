//! The nouns: identifiers, keys, ordinals, times, audience names, declarations. Values only, no I/O, no protocol.
//!
//! Contents: [`key`] identifiers and their keyed hashes; [`time`] instants, durations and the clock; [`names`] audience
//! ids, segments, generations; [`declare`] what the configuration declares of traits and events.

pub mod declare;
pub mod key;
pub mod names;
pub mod time;

pub use declare::{Declarations, EventDecl, ListSource, PropDecl, PropKind, TraitDecl, TraitKind, Use};
pub use key::{BlockKey, KeyHasher, ProfileKey, Scope};
pub use names::{AudienceId, Generation, Offset, Ordinal, Segment};
pub use time::{Clock, Span, Timestamp};
