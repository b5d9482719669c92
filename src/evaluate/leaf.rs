//! The leaves of a plan: tests bound to columns. What moves with the clock stays symbolic here; see `moment`.

use super::bind::{self, Matcher, Real};
use crate::audiences::rule::{Aggregate, Compare, Count, EventTest, Pick, Test, TraitTest, When};
use crate::schema::Span;
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

/// A date's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateWindow {
    Within(Span),
    BeforeAgo(Span),
    /// From this day until now.
    Since(i32),
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

impl Measure {
    /// What it says of no events at all.
    pub fn of_none(&self) -> bool {
        match self {
            Measure::Times(low, _) => *low == 0,
            Measure::Days(least) | Measure::Distinct(least, _) => *least == 0,
            Measure::Aggregate(..) => false,
        }
    }
}

/// Binds a test of a trait. A trait that no column holds is unknown for everybody: false.
pub fn of_trait(test: &TraitTest, columns: &Columns<'_>) -> Leaf {
    let Some(column) = columns.find_trait(&test.name) else { return Leaf::Constant(false) };
    let matcher = match &columns.traits()[column].1 {
        TraitColumn::Flag { .. } => bind::flag(&test.test),
        TraitColumn::Category(_, dictionary) => bind::category(&test.test, dictionary),
        TraitColumn::Number(numbers) => bind::number(&test.test, numbers),
        TraitColumn::Tags(tags) => return of_tags(&test.test, column, tags),
        TraitColumn::Date(days) => match &test.test {
            Test::Within(span) => return Leaf::Date { column, window: DateWindow::Within(*span) },
            Test::BeforeAgo(span) => return Leaf::Date { column, window: DateWindow::BeforeAgo(*span) },
            Test::Since(date) => return Leaf::Date { column, window: DateWindow::Since(date.0) },
            test => bind::date(test, days),
        },
    };
    if matcher.is_nothing() { Leaf::Constant(false) } else { Leaf::Value { column, matcher } }
}

fn of_tags(test: &Test, column: usize, tags: &Tags<'_>) -> Leaf {
    let found = |names: &[String]| names.iter().filter_map(|name| tags.dictionary.find(name)).collect::<Vec<u32>>();
    let mut wanted = match test {
        Test::IsKnown => return Leaf::Tagged { column },
        Test::HasAll(names) => {
            let mut all = found(names);
            if all.len() < names.len() {
                return Leaf::Constant(false);
            }
            all.sort_unstable();
            all.dedup();
            return Leaf::AllTags { column, tags: all.into() };
        }
        Test::HasAny(names) => found(names),
        test => bind::texts(test, &tags.dictionary),
    };
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() { Leaf::Constant(false) } else { Leaf::AnyTag { column, tags: wanted.into() } }
}

/// Binds a test of events. An event that no column holds has never happened.
pub fn of_event(test: &EventTest, columns: &Columns<'_>) -> Leaf {
    let column = columns.find_event(&test.name);
    let view = column.map(|column| &columns.events()[column].1);
    let Some(measure) = measure(&test.count, view) else { return Leaf::Constant(false) };
    let (Some(column), Some(view)) = (column, view) else { return Leaf::Constant(measure.of_none()) };
    let mut filters = Vec::with_capacity(test.filter.len());
    for (name, test) in &test.filter {
        let property = view.find_property(name);
        let bound = property.and_then(|at| Some((at, bind::property(test, view.property(at)?))));
        match bound {
            Some((at, matcher)) if !matcher.is_nothing() => filters.push((at, matcher)),
            _ => return Leaf::Constant(measure.of_none()),
        }
    }
    Leaf::Event(EventLeaf { column, filters: filters.into(), pick: test.pick, measure, when: test.when })
}

/// `None` when it cannot hold: a sum over a property that is no number, different values of one that is not there.
fn measure(count: &Count, column: Option<&EventColumn<'_>>) -> Option<Measure> {
    let property = |name: &String| column.and_then(|column| column.find_property(name));
    Some(match count {
        Count::Never => Measure::Times(0, 0),
        Count::AtLeast(least) => Measure::Times(*least, u32::MAX),
        Count::AtMost(most) => Measure::Times(0, *most),
        Count::Exactly(times) => Measure::Times(*times, *times),
        Count::Between(least, most) => Measure::Times(*least, *most),
        Count::Days(least) => Measure::Days(*least),
        Count::Distinct(0, _) => Measure::Times(0, u32::MAX),
        Count::Distinct(least, name) => Measure::Distinct(*least, property(name)?),
        Count::Aggregate(aggregate, name, compare, value) => {
            let at = property(name)?;
            let number = matches!(column?.property(at), Some(PropColumn::Number(_)));
            number.then(|| Measure::Aggregate(*aggregate, at, *compare, Real::new(*value)))?
        }
    })
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
