//! One person: what the snapshot knows and what came by the doors since, and which of the two counts.

use super::symbol::Name;
use crate::log::{Record, Said, Stay, Value};
use crate::schema::Span;
use crate::snapshot::columns::Columns;
use std::cmp::Ordering;

/// Somebody, as the snapshot and the records since know them.
#[derive(Debug, Clone, Copy)]
pub struct Person<'p, 'r> {
    /// The snapshot's: the same that the plan was compiled with.
    pub columns: &'p Columns<'p>,
    /// Their place in it; `None`, or one beyond its end, for somebody it does not know.
    pub ordinal: Option<u32>,
    /// For samples, of somebody the snapshot does not know: the top bits of their least key. Otherwise the snapshot's
    /// counts.
    pub seed: u32,
    /// What came by the doors since, in log order, each once.
    pub facts: &'p [Record<'r>],
}

/// Which of what is known of a trait counts.
pub enum Counts<'p> {
    /// What the snapshot says; records say nothing, or less.
    Snapshot,
    /// What a record says; `None` = that it is not known any more.
    Said(Option<&'p Value<'p>>),
    /// The tags of records, and with them, or without, those of the snapshot.
    United { column: bool },
}

impl<'p, 'r> Person<'p, 'r> {
    /// Their place in the snapshot, if it knows them.
    pub(in crate::evaluate) fn known(&self) -> Option<u32> {
        self.ordinal.filter(|ordinal| *ordinal < self.columns.ordinals())
    }

    /// What a sample draws by.
    pub(in crate::evaluate) fn draw(&self) -> u32 {
        self.known().map_or(self.seed, |ordinal| self.columns.seeds()[ordinal as usize])
    }

    /// What records say of a trait, with their times.
    fn said_of<'s>(&self, name: &'s str) -> impl Iterator<Item = (i64, Option<&'p Value<'p>>)> + use<'p, 'r, 's> {
        self.facts.iter().filter_map(move |fact| {
            let Said::Traits(traits) = &fact.said else { return None };
            let (_, value) = traits.iter().find(|(other, _)| *other == *name)?;
            Some((fact.time, value.as_ref()))
        })
    }

    /// What counts of what records say of a trait: the latest, of several at once that it is not known any more, then the
    /// greatest. The outer `None` where they say nothing, the inner where they say that it is not known any more.
    pub(in crate::evaluate) fn trait_said(&self, name: &str) -> Option<Option<&'p Value<'p>>> {
        let said = self.said_of(name).reduce(|best, other| {
            let order = best.0.cmp(&other.0).then_with(|| match (best.1, other.1) {
                (Some(best), Some(other)) => order(best, other),
                (best, other) => best.is_none().cmp(&other.is_none()),
            });
            if order.is_gt() { best } else { other }
        });
        said.map(|(_, value)| value)
    }

    /// What counts of a trait.
    pub(in crate::evaluate) fn counts(&self, name: &Name) -> Counts<'p> {
        match self.trait_said(&name.name) {
            None => Counts::Snapshot,
            Some(Some(Value::Tags(_))) => Counts::United { column: name.outranked || !self.forgets(&name.name) },
            Some(_) if name.outranked && self.column_knows(name) => Counts::Snapshot,
            Some(said) => Counts::Said(said),
        }
    }

    fn column_knows(&self, name: &Name) -> bool {
        let column = name.column.map(|column| &self.columns.traits()[column].1);
        column.zip(self.known()).is_some_and(|(column, ordinal)| column.knows(ordinal))
    }

    /// Whether records say that tags are not known any more.
    pub(in crate::evaluate) fn forgets(&self, name: &str) -> bool {
        self.said_of(name).any(|(_, value)| value.is_none())
    }

    /// The tags of records: they unite, but for those that were said before they were said not to be known any more.
    pub(in crate::evaluate) fn tags_said<'s>(
        &self,
        name: &'s str,
    ) -> impl Iterator<Item = &'p str> + Clone + use<'p, 'r, 's> {
        let forgotten = self.said_of(name).filter(|(_, value)| value.is_none()).map(|(time, _)| time).max();
        let tags = self.facts.iter().flat_map(move |fact| {
            let Said::Traits(traits) = &fact.said else { return &[][..] };
            match traits.iter().find(|(other, _)| *other == *name) {
                Some((_, Some(Value::Tags(tags)))) if forgotten.is_none_or(|time| fact.time > time) => tags,
                _ => &[][..],
            }
        });
        tags.map(|tag| &**tag)
    }

    /// Until when records say that they are on a list (excluded; `i64::MAX` = without end). The outer `None` where they
    /// say nothing, the inner where they say that they are not on it. The latest counts; of several at once removing, then
    /// the list's own time to live, then the longer.
    pub(in crate::evaluate) fn list_said(&self, list: &str, ttl: Option<Span>) -> Option<Option<i64>> {
        let said = self.facts.iter().filter_map(|fact| match &fact.said {
            Said::Membership { list: other, stay } if *other == *list => Some((fact.time, rank(*stay))),
            _ => None,
        });
        said.max().map(|(time, stay)| match stay {
            (0, minutes) => Some(time.saturating_add(i64::from(minutes) * 60)),
            (1, _) => Some(ttl.map_or(i64::MAX, |ttl| time.saturating_add(ttl.0))),
            _ => None,
        })
    }

    /// Until when they are on a list, whoever says so.
    pub(in crate::evaluate) fn listed_until(&self, list: &Name) -> Option<i64> {
        self.list_said(&list.name, list.ttl).unwrap_or_else(|| {
            let column = &self.columns.lists()[list.column?].1;
            let until = column.until(self.known()?)?;
            Some(if until == u32::MAX { i64::MAX } else { until.into() })
        })
    }
}

fn rank(stay: Stay) -> (u8, u32) {
    match stay {
        Stay::Minutes(minutes) => (0, minutes),
        Stay::ByDefault => (1, 0),
        Stay::Ends => (2, 0),
    }
}

/// The order in which `profiles::traits` prefers values of one time.
fn order(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Flag(a), Value::Flag(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}
