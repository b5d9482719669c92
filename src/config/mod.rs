//! The configuration: one YAML file, `VAGLIO_...` overrides, everything checked at once.
//!
//! [`model`] is the shape of the file; [`load`] reads, overrides and validates it. Relative paths are resolved against
//! the file's directory. Definitions of audiences and campaigns are not configuration: see `audiences`.

pub mod load;
pub mod model;

pub use load::{IdType, Loaded, load};
pub use model::*;
