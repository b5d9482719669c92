//! The generations on disk: which there are, what is in them, how two differ, and going back to one.
//!
//! [`compare`] two of them, by [`matching`] profiles by their identifiers; [`http`] the paths, [`shapes`] what they answer; [`sizes`] how large
//! audiences were in each.

pub mod compare;
pub(super) mod http;
pub mod matching;
mod shapes;
pub mod sizes;

use crate::config::Loaded;
use crate::error::Result;
use crate::evaluate::survey::Watch;
use crate::lookup::ServingSnapshot;
use crate::schema::Generation;
use crate::snapshot::{Planes, Store};
use compare::Comparison;

/// Opens two generations with their control sections and compares them; `None` when it was broken off.
///
/// # Errors
/// One that is not there, damaged, or of another key.
pub fn compare_two(
    loaded: &Loaded,
    store: &Store,
    before: Generation,
    after: Generation,
    watch: &Watch,
) -> Result<Option<Comparison>> {
    let keys = loaded.key_hasher(false)?;
    let open = |generation| ServingSnapshot::new(store.open_snapshot(generation, Planes::All, Some(&keys))?);
    compare::compare(&open(before)?, &open(after)?, watch)
}
