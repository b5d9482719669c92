//! Which facts come from sources that are past their `max_age`: target audiences built on them drop, suppress audiences
//! hold, both are flagged.
//!
//! A trait, event or list is stale when a source that feeds it is stale and none that feeds it is fresh: as long as one
//! source goes on reporting, the fact is kept up to date, and a forgotten side source must not stop a campaign.

use super::provenance::Provenance;
use crate::config::Loaded;
use crate::schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Stale sources, and the facts that only they feed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stale {
    /// Names of stale sources.
    pub sources: BTreeSet<String>,
    /// Names of stale traits.
    pub traits: BTreeSet<String>,
    /// Names of stale events.
    pub events: BTreeSet<String>,
    /// Audience ids (`owner/id`) of stale lists.
    pub lists: BTreeSet<String>,
}

impl Stale {
    /// What is stale at `now`, given when the newest file of each source was written. Sources that the index does not
    /// know are left out.
    pub fn at(now: Timestamp, loaded: &Loaded, newest: &BTreeMap<String, Timestamp>, provenance: &Provenance) -> Self {
        let is_stale = |source: &&crate::config::Source| {
            let age = newest.get(&source.name).map(|newest| now.0.saturating_sub(newest.0));
            age.zip(source.max_age).is_some_and(|(age, max_age)| age > max_age.0)
        };
        let sources: BTreeSet<String> =
            loaded.config.sources.iter().filter(is_stale).map(|source| source.name.clone()).collect();
        let fed_stale = |feeding: &[String]| !feeding.is_empty() && feeding.iter().all(|name| sources.contains(name));
        let declarations = &loaded.declarations;
        let traits = declarations.traits.iter().filter(|decl| fed_stale(&decl.sources)).map(|decl| decl.name.clone());
        let events = declarations.events.iter().filter(|decl| fed_stale(&decl.sources)).map(|decl| decl.name.clone());
        let lists =
            provenance.list_sources.iter().filter(|(_, feeding)| fed_stale(feeding)).map(|(list, _)| list.clone());
        Stale { traits: traits.collect(), events: events.collect(), lists: lists.collect(), sources }
    }

    /// Whether everything is fresh.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::from_text;

    const CONFIG: &str = "
sources:
  - { name: crm, kind: profiles, path: a.csv, max_age: 2 days, ids: [{ column: id, type: crm }],
      traits: [{ column: plan, kind: category }, { column: age, kind: number }] }
  - { name: web, kind: profiles, path: b.csv, max_age: 9 days, ids: [{ column: id, type: crm }],
      traits: [{ column: age, kind: number }] }
  - { name: lists, kind: memberships, path: c.csv, max_age: 2 days, ids: [{ column: id, type: crm }],
      membership: { audience: acme/vip } }
";

    #[test]
    fn a_fact_is_stale_when_nobody_reports_it_any_more() {
        let loaded = from_text(CONFIG, std::path::Path::new("/x/vaglio.yaml"), std::iter::empty()).unwrap();
        let day = 86_400;
        let newest: BTreeMap<String, Timestamp> =
            ["crm", "web", "lists"].map(|name| (name.to_owned(), Timestamp(0))).into();
        let provenance = Provenance {
            list_sources: BTreeMap::from([("acme/vip".to_owned(), vec!["lists".to_owned()])]),
            ..Provenance::default()
        };
        let at = |days: i64| Stale::at(Timestamp(days * day), &loaded, &newest, &provenance);
        assert!(at(2).is_empty(), "at its maximal age a source is still fresh");
        let third = at(3);
        assert_eq!(third.sources, BTreeSet::from(["crm".to_owned(), "lists".to_owned()]));
        assert_eq!(third.traits, BTreeSet::from(["plan".to_owned()]), "age is still fed by web");
        assert_eq!(third.lists, BTreeSet::from(["acme/vip".to_owned()]));
        assert_eq!(at(10).traits, BTreeSet::from(["age".to_owned(), "plan".to_owned()]));
    }
}
