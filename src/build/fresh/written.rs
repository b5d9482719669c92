//! What a forward index was written by, a digest an audience, and what newer definitions change about it. A fresh generation
//! carries the digests on, so that the next one compares with the same forward index and nothing accumulates.

use crate::audiences::{Catalogue, order};
use crate::error::{Error, Result};
use crate::lookup::ServingSnapshot;
use crate::snapshot::AudienceSummary;
use crate::snapshot::fresh::Written;
use std::collections::HashMap;
use xxhash_rust::xxh3::Xxh3;

/// By audience number, of its rule and of everything that it refers to.
pub(super) struct Digests(Vec<u128>);

impl Digests {
    /// Nobody is in those that are dropped, whatever their rules say; others that refer to them see them as they are.
    ///
    /// # Errors
    /// Rules that cannot be written.
    pub(super) fn of(catalogue: &Catalogue, dropped: impl Fn(usize) -> bool) -> Result<Digests> {
        let references = order::references(catalogue);
        let mut rules = vec![0u128; catalogue.audiences.len()];
        for number in order::evaluation_order(catalogue) {
            let audience = &catalogue.audiences[number as usize];
            let rule = serde_json::to_value(&audience.rule).and_then(|rule| serde_json::to_vec(&rule));
            let mut digest = Xxh3::new();
            digest.update(&rule.map_err(|error| Error::internal("a rule cannot be written as JSON").caused_by(error))?);
            if audience.rule.is_none() {
                digest.update(audience.id.as_str().as_bytes());
            }
            for other in &references[number as usize] {
                digest.update(&rules[*other as usize].to_le_bytes());
            }
            rules[number as usize] = digest.digest128();
        }
        let digest = |(number, rule)| if dropped(number) { 0 } else { rule };
        Ok(Digests(rules.into_iter().enumerate().map(digest).collect()))
    }

    pub(super) fn text(&self, number: usize) -> String {
        format!("{:032x}", self.0[number])
    }
}

/// What the forward index of a generation was written by, in the order of its numbers.
///
/// # Errors
/// A damaged section.
pub(super) fn of(base: &ServingSnapshot) -> Result<Vec<Written>> {
    if let Some(fresh) = base.fresh() {
        return Ok(fresh.origin()?.written);
    }
    let (catalogue, manifest) = (base.rules(), base.manifest());
    let summary = |number: usize| manifest.audiences.get(number);
    let dropped = |number: usize| summary(number).is_some_and(AudienceSummary::is_dropped);
    let digests = Digests::of(catalogue, dropped)?;
    let written = |number: usize| Written {
        id: catalogue.audiences[number].id.clone(),
        digest: digests.text(number),
        members: summary(number).map_or(0, |summary| summary.members),
    };
    Ok((0..catalogue.audiences.len()).map(written).collect())
}

/// What newer definitions change about a forward index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changed {
    /// By audience of the forward index: its number now; `None` = gone, or changed.
    pub(super) numbers: Vec<Option<u32>>,
    /// The numbers of the audiences that it does not know, or not as they are now; ascending.
    pub(super) anew: Vec<u32>,
}

impl Changed {
    pub(super) fn since(written: &[Written], catalogue: &Catalogue, digests: &Digests) -> Changed {
        let by_id: HashMap<&str, usize> =
            written.iter().enumerate().map(|(forward, audience)| (audience.id.as_str(), forward)).collect();
        let mut changed = Changed { numbers: vec![None; written.len()], anew: Vec::new() };
        for (number, audience) in catalogue.audiences.iter().enumerate() {
            let forward = by_id.get(audience.id.as_str()).copied();
            match forward.filter(|forward| written[*forward].digest == digests.text(number)) {
                Some(forward) => changed.numbers[forward] = Some(number as u32),
                None => changed.anew.push(number as u32),
            }
        }
        changed
    }

    /// Whether the forward index is right as it is.
    pub(super) fn is_nothing(&self) -> bool {
        self.anew.is_empty() && (0..).zip(&self.numbers).all(|(at, number)| *number == Some(at))
    }
}
