//! What becomes of audiences that look at stale facts, directly or through others: nobody is in those that would speak,
//! those that protect hold what they knew. Both are flagged.

use crate::audiences::rule::leaves;
use crate::audiences::{AudienceKind, Catalogue, order};
use crate::build::stale::Stale;
use std::collections::BTreeSet;

/// By audience number: the stale facts it looks at, in words; empty where all is fresh.
pub struct Outdated(Vec<BTreeSet<String>>);

impl Outdated {
    /// Follows every reference.
    pub fn of(catalogue: &Catalogue, stale: &Stale) -> Self {
        let mut facts: Vec<BTreeSet<String>> = vec![BTreeSet::new(); catalogue.audiences.len()];
        if stale.is_empty() {
            return Outdated(facts);
        }
        for number in order::evaluation_order(catalogue) {
            let audience = &catalogue.audiences[number as usize];
            let mut found = BTreeSet::new();
            match &audience.rule {
                Some(rule) => {
                    let leaves = leaves(&rule.0);
                    let traits = leaves.traits.into_iter().filter(|name| stale.traits.contains(*name));
                    found.extend(traits.map(|name| format!("trait {name}")));
                    let events = leaves.events.into_iter().filter(|name| stale.events.contains(*name));
                    found.extend(events.map(|name| format!("event {name}")));
                    for other in leaves.audiences.into_iter().filter_map(|id| catalogue.number(id)) {
                        found.extend(facts[other as usize].iter().cloned());
                    }
                }
                None if stale.lists.contains(audience.id.as_str()) => {
                    found.insert(format!("list {}", audience.id));
                }
                None => {}
            }
            facts[number as usize] = found;
        }
        Outdated(facts)
    }

    /// Whether nobody may be in an audience.
    pub fn drops(&self, catalogue: &Catalogue, audience: usize) -> bool {
        catalogue.audiences[audience].kind == AudienceKind::Target && !self.0[audience].is_empty()
    }

    /// What the manifest says of an audience.
    pub fn flag(&self, catalogue: &Catalogue, audience: usize) -> Option<String> {
        if self.0[audience].is_empty() {
            return None;
        }
        let facts: Vec<&str> = self.0[audience].iter().map(String::as_str).collect();
        let outcome = match catalogue.audiences[audience].kind {
            AudienceKind::Target => "dropped: nobody is in it until fresh data comes",
            AudienceKind::Suppress => "held: it goes on with what was known last",
        };
        Some(format!("stale {}; {outcome}", facts.join(", ")))
    }
}
