//! The leaves of a plan: tests bound to columns. What moves with the clock stays symbolic here; see `moment`.

use super::asked::{Asked, DateWindow, Real, Texts};
use super::bind::{self, Matcher};
use crate::audiences::rule::{Aggregate, Compare, Count, EventTest, Pick, TraitTest, When};
use crate::snapshot::columns::{Columns, EventColumn, PropColumn, Tags, TraitColumn};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// A test bound to columns, or a truth that needs no column. Equal leaves of a plan are one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Leaf {
    /// The same for everybody.
    Constant(bool),
    /// A flag, category, number or date whose value passes.
    Value { column: usize, matcher: Matcher },
    /// Has any tag at all.
    Tagged { column: usize },
    /// Has one of these tags.
    AnyTag { column: usize, tags: Box<[u32]> },
    /// Has all of these tags.
    AllTags { column: usize, tags: Box<[u32]> },
    /// A date in a window that moves.
    Date { column: usize, window: DateWindow },
    /// In a stable sample: the hash of its name, and the share in millionths.
    Sample { name: u64, share: u32 },
    /// On an uploaded list that has not ended for them.
    Listed { column: usize },
    /// Events.
    Event(EventLeaf),
}

/// Of the events of one name that pass the filters, all, the first or the last are measured if in the window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventLeaf {
    pub column: usize,
    /// Property positions and what passes.
    pub filters: Box<[(usize, Matcher)]>,
    pub pick: Pick,
    pub measure: Measure,
    pub when: When,
}

/// What the events in the window must amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Their number lies between the two, both included.
    Times(u32, u32),
    /// They fall on at least so many local days.
    Days(u32),
    /// They show at least so many different known values of a property.
    Distinct(u32, usize),
    /// A number property, summed up, compares so.
    Aggregate(Aggregate, usize, Compare, Real),
}

/// Binds a test of a trait. A trait that no column holds is unknown for everybody: false.
pub fn of_trait(test: &TraitTest, columns: &Columns<'_>) -> Leaf {
    let column = columns.find_trait(&test.name);
    column.map_or(Leaf::Constant(false), |column| of_value(&Asked::of(&test.test), column, columns))
}

/// Binds what is asked of a trait to its column.
pub fn of_value(asked: &Asked, column: usize, columns: &Columns<'_>) -> Leaf {
    let matcher = match &columns.traits()[column].1 {
        TraitColumn::Flag { .. } => bind::flag(asked),
        TraitColumn::Category(_, dictionary) => bind::category(asked, dictionary),
        TraitColumn::Number(numbers) => bind::number(asked, numbers),
        TraitColumn::Tags(tags) => return of_tags(&asked.texts, column, tags),
        TraitColumn::Date(days) => match asked.window {
            Some(window) => return Leaf::Date { column, window },
            None => bind::date(asked, days),
        },
    };
    if matcher.is_nothing() { Leaf::Constant(false) } else { Leaf::Value { column, matcher } }
}

fn of_tags(texts: &Texts, column: usize, tags: &Tags<'_>) -> Leaf {
    let found = |names: &[Box<str>]| names.iter().filter_map(|name| tags.dictionary.find(name)).collect::<Vec<u32>>();
    let mut wanted = match texts {
        Texts::All => return Leaf::Tagged { column },
        Texts::HaveAll(names) => {
            let mut all = found(names);
            if all.len() < names.len() {
                return Leaf::Constant(false);
            }
            all.sort_unstable();
            all.dedup();
            return Leaf::AllTags { column, tags: all.into() };
        }
        Texts::HaveAny(names) => found(names),
        letters => bind::texts(letters, &tags.dictionary),
    };
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() { Leaf::Constant(false) } else { Leaf::AnyTag { column, tags: wanted.into() } }
}

/// Binds a test of events. An event that no column holds has never happened.
pub fn of_event(test: &EventTest, columns: &Columns<'_>) -> Leaf {
    let column = columns.find_event(&test.name);
    let view = column.map(|column| &columns.events()[column].1);
    let property = |name: &str, number: bool| {
        let at = view?.find_property(name)?;
        (!number || matches!(view?.property(at), Some(PropColumn::Number(_)))).then_some(at)
    };
    let Some(measure) = Measure::of(&test.count, property) else { return Leaf::Constant(false) };
    let (Some(column), Some(view)) = (column, view) else { return Leaf::Constant(measure.of_none()) };
    let asked = test.filter.iter().map(|(name, test)| (name.as_str(), Asked::of(test)));
    match filters(asked, view) {
        Some(filters) => Leaf::Event(EventLeaf { column, filters, pick: test.pick, measure, when: test.when }),
        None => Leaf::Constant(measure.of_none()),
    }
}

/// Binds tests of properties; `None` when no row of the column can pass them all.
pub fn filters<'t>(
    tests: impl Iterator<Item = (&'t str, Asked)>,
    column: &EventColumn<'_>,
) -> Option<Box<[(usize, Matcher)]>> {
    let bound = tests.map(|(name, asked)| {
        let at = column.find_property(name)?;
        Some((at, bind::property(&asked, column.property(at)?))).filter(|(_, matcher)| !matcher.is_nothing())
    });
    bound.collect()
}

impl Measure {
    /// Finds a property by its name, and whether it must be a number. `None` when it cannot hold: a sum over a property
    /// that is no number, different values of one that is not there.
    pub fn of(count: &Count, property: impl Fn(&str, bool) -> Option<usize>) -> Option<Measure> {
        Some(match count {
            Count::Never => Measure::Times(0, 0),
            Count::AtLeast(least) => Measure::Times(*least, u32::MAX),
            Count::AtMost(most) => Measure::Times(0, *most),
            Count::Exactly(times) => Measure::Times(*times, *times),
            Count::Between(least, most) => Measure::Times(*least, *most),
            Count::Days(least) => Measure::Days(*least),
            Count::Distinct(0, _) => Measure::Times(0, u32::MAX),
            Count::Distinct(least, name) => Measure::Distinct(*least, property(name, false)?),
            Count::Aggregate(aggregate, name, compare, value) => {
                Measure::Aggregate(*aggregate, property(name, true)?, *compare, Real::new(*value))
            }
        })
    }

    /// What it says of no events at all.
    pub fn of_none(&self) -> bool {
        match self {
            Measure::Times(low, _) => *low == 0,
            Measure::Days(least) | Measure::Distinct(least, _) => *least == 0,
            Measure::Aggregate(..) => false,
        }
    }
}

/// The number that stands for a sample's name in a plan.
pub fn sample_name(name: &str) -> u64 {
    xxh3_64(name.as_bytes())
}

/// Whether a profile's seed falls into a sample. Stable: the same seed and name always give the same answer, and a
/// larger share of the same name contains a smaller one.
pub fn in_sample(seed: u32, name: u64, share: u32) -> bool {
    let hash = xxh3_64_with_seed(&seed.to_le_bytes(), name) >> 32;
    (hash * 1_000_000) >> 32 < u64::from(share)
}
