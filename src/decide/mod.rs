//! A lookup's outcome and the campaigns -> target, suppress or unknown, with a reason code. Pure: no I/O, no protocol, no
//! clock of its own, no allocation once its buffers are warm.
//!
//! Contents: [`verdict`] the words of an answer; [`campaigns`] the campaigns of a generation, indexed by audience;
//! [`limits`] how often, and one voice a group; [`deals`] what decisions make of deals and impressions; [`Answering`] what a request is answered from.

pub mod campaigns;
pub mod deals;
pub mod limits;
pub mod verdict;

#[cfg(test)]
mod tests;

pub use campaigns::{CampaignIndex, Decisions};
pub use limits::Past;
pub use verdict::{Decision, Status, Verdict};

use crate::lookup::ServingSnapshot;
use std::sync::Arc;

/// What a request is answered from: a generation's lookups and its campaigns, swapped together.
#[derive(Debug)]
pub struct Answering {
    /// Whom the identifiers belong to, and their audiences.
    pub snapshot: ServingSnapshot,
    /// The campaigns of the same generation.
    pub campaigns: Arc<CampaignIndex>,
}

impl Answering {
    /// Indexes the campaigns of the generation's own catalogue.
    pub fn new(snapshot: ServingSnapshot) -> Self {
        let campaigns = Arc::new(CampaignIndex::new(snapshot.catalogue()));
        Answering { snapshot, campaigns }
    }
}
