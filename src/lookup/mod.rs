//! ProfileKeys -> profile -> audiences. Pure: it cannot fail, it returns an outcome. No I/O, no protocol, no allocation that a
//! reused buffer avoids.
//!
//! Contents: [`answer`] what a lookup says; [`serving`] a generation opened for lookups, one at a time; [`batch`] many
//! at once, with memory fetched ahead.

pub mod answer;
pub mod batch;
pub mod serving;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Outcome};
pub use serving::{Anew, Index, ServingSnapshot};
