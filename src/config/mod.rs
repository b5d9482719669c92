//! The configuration: one YAML file, `VAGLIO_...` overrides, everything checked at once.
//!
//! [`model`], [`feeding`], [`serving`] and [`planning`] are the shape of the file; [`load`](mod@load) reads, overrides and validates it (`tree` the YAML with
//! positions, `env` the overrides, `decode` tree -> settings, `validate` the contradictions, `declare` the vocabulary,
//! `key` the secret). Relative paths are resolved against the file's directory. Definitions of audiences and campaigns
//! are not configuration: see `audiences`. [`read`] reads the other files of ours in the same way (`walk` how decoding walks), [`settled`]
//! what somebody may be writing.

mod declare;
mod decode;
mod env;
pub mod feeding;
mod key;
pub mod load;
pub mod model;
pub mod planning;
pub mod read;
pub mod serving;
pub mod settled;
mod tree;
mod validate;
mod validate_callers;
mod validate_destinations;
mod validate_ingest;
mod validate_source;
mod walk;

pub use declare::{DOOR, EXPOSURES, IdType};
pub use feeding::*;
pub use load::{DEFAULT_YAML, Loaded, load, load_file};
pub use model::*;
pub use planning::*;
pub use serving::*;

#[cfg(test)]
mod tests;
