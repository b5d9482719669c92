//! The leaves of a live plan: what is asked, by name, and the same bound to the columns. What a live record says may be a
//! value that no dictionary has.

use crate::audiences::Audience;
use crate::audiences::rule::{Count, EventTest, Pick, TraitTest, When};
use crate::evaluate::asked::Asked;
use crate::evaluate::bind::Matcher;
use crate::evaluate::graph::Binder;
use crate::evaluate::leaf::{self, Leaf, Measure};
use crate::schema::Span;
use crate::snapshot::columns::Columns;
use std::collections::HashMap;

/// A test by name, or a truth that needs no fact.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Symbol {
    Constant(bool),
    Sample {
        name: u64,
        share: u32,
    },
    /// `bound` is what it asks of the column's values.
    Trait {
        name: u32,
        asked: Asked,
        bound: Leaf,
    },
    /// An uploaded list.
    Listed {
        name: u32,
    },
    Event(Box<EventSymbol>),
}

/// A test of events by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventSymbol {
    pub name: u32,
    /// What is asked of which property.
    pub filters: Box<[(Box<str>, Asked)]>,
    pub pick: Pick,
    /// Positions of properties mean nothing: there is at most one, named below.
    pub measure: Measure,
    /// The property that is measured.
    pub property: Option<Box<str>>,
    pub when: When,
    /// All of it, where there are only the column's rows.
    pub bound: Leaf,
    /// What is asked of the column's rows; `None` when none can pass.
    pub column_filters: Option<Box<[(usize, Matcher)]>>,
    /// Where the column has the measured property.
    pub column_property: Option<usize>,
}

/// A trait, event or list that rules look at.
#[derive(Debug, Clone)]
pub struct Name {
    pub name: Box<str>,
    /// Its position in the columns.
    pub column: Option<usize>,
    /// A list's own time to live.
    pub ttl: Option<Span>,
    /// Of a trait: a source's value wins over the door's.
    pub outranked: bool,
}

/// Names by number.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub all: Vec<Name>,
    numbers: HashMap<Box<str>, u32>,
}

impl Names {
    fn number(&mut self, name: &str, column: Option<usize>, ttl: Option<Span>) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.all.push(Name { name: name.into(), column, ttl, outranked: false });
        self.numbers.insert(name.into(), number);
        number
    }
}

/// Binds leaves by name.
#[derive(Debug)]
pub struct ByName<'c, 'a> {
    pub columns: &'c Columns<'a>,
    pub traits: Names,
    pub events: Names,
    pub lists: Names,
}

impl<'c, 'a> ByName<'c, 'a> {
    pub fn new(columns: &'c Columns<'a>) -> Self {
        ByName { columns, traits: Names::default(), events: Names::default(), lists: Names::default() }
    }
}

impl Binder for ByName<'_, '_> {
    type Leaf = Symbol;

    fn constant(&mut self, truth: bool) -> Symbol {
        Symbol::Constant(truth)
    }

    fn truth(symbol: &Symbol) -> Option<bool> {
        match symbol {
            Symbol::Constant(truth) => Some(*truth),
            _ => None,
        }
    }

    fn sample(&mut self, name: u64, share: u32) -> Symbol {
        Symbol::Sample { name, share }
    }

    fn of_trait(&mut self, test: &TraitTest) -> Symbol {
        let column = self.columns.find_trait(&test.name);
        let asked = Asked::of(&test.test);
        let bound = column.map_or(Leaf::Constant(false), |column| leaf::of_value(&asked, column, self.columns));
        Symbol::Trait { name: self.traits.number(&test.name, column, None), asked, bound }
    }

    fn of_event(&mut self, test: &EventTest) -> Symbol {
        let column = self.columns.find_event(&test.name);
        let view = column.map(|column| &self.columns.events()[column].1);
        let property = match &test.count {
            Count::Distinct(1.., name) | Count::Aggregate(_, name, ..) => Some(name.as_str()),
            _ => None,
        };
        // Any property may come by the door, so there is always something to measure.
        let measure = Measure::of(&test.count, |_, _| Some(0)).unwrap_or(Measure::Times(1, 0));
        let asked = || test.filter.iter().map(|(name, test)| (name.as_str(), Asked::of(test)));
        Symbol::Event(Box::new(EventSymbol {
            name: self.events.number(&test.name, column, None),
            filters: asked().map(|(name, asked)| (name.into(), asked)).collect(),
            pick: test.pick,
            measure,
            property: property.map(Into::into),
            when: test.when,
            bound: leaf::of_event(test, self.columns),
            column_filters: view.and_then(|view| leaf::filters(asked(), view)),
            column_property: view.zip(property).and_then(|(view, name)| view.find_property(name)),
        }))
    }

    fn list(&mut self, audience: &Audience) -> Symbol {
        let id = audience.id.as_str();
        Symbol::Listed { name: self.lists.number(id, self.columns.find_list(id), audience.ttl) }
    }
}
