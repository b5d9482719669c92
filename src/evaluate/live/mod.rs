//! One person as of now: a rule over what the snapshot knows and what came by the doors since, and when the answer may
//! turn over by itself.
//!
//! The parts, windows and measures are those of [`Plan`](super::Plan); only leaves are bound by name as well. What it says
//! is what a rebuild would: proved by folding the same facts into columns and evaluating those.

mod change;
pub(super) mod person;
mod rows;
pub(super) mod symbol;

pub use person::Person;

use super::asked::Texts;
use super::events::AskedNow;
use super::graph::{Builder, Graph};
use super::leaf::{Leaf, in_sample};
use super::local_time::LocalTime;
use super::moment::{self, Minute};
use super::profile::One;
use crate::audiences::{Catalogue, Expr};
use crate::log::Said;
use crate::schema::Timestamp;
use crate::snapshot::columns::{Columns, TraitColumn};
use jiff::tz::TimeZone;
use person::Counts;
use rows::Merged;
use std::collections::HashMap;
use symbol::{ByName, EventSymbol, Name, Names, Symbol};

/// The rules that depend on a name, ascending.
type ByFact = HashMap<Box<str>, Box<[u32]>>;

/// Rules bound by name, and to the columns of one snapshot. It holds no part of them: every person brings them along.
#[derive(Debug)]
pub struct LivePlan {
    pub(super) graph: Graph<Symbol>,
    traits: Names,
    events: Names,
    lists: Names,
    local: LocalTime,
    by_trait: ByFact,
    by_event: ByFact,
    by_list: ByFact,
    /// By rule: the leaves that can turn over while nothing is said.
    moving: Vec<Box<[u32]>>,
    sampled: Box<[u32]>,
    of_nobody: Box<[u32]>,
}

impl LivePlan {
    /// All audiences of a catalogue, by number; nobody is in those that are dropped, and others that refer to them see
    /// them as they are.
    pub fn compile(
        catalogue: &Catalogue,
        columns: &Columns<'_>,
        zone: &TimeZone,
        dropped: impl Fn(usize) -> bool,
    ) -> Self {
        let mut builder = Builder::new(catalogue, ByName::new(columns));
        let roots = builder.all(dropped);
        LivePlan::new(builder, roots, zone)
    }

    /// Some rules, which may refer to a catalogue's audiences.
    pub fn of_rules(rules: &[&Expr], catalogue: &Catalogue, columns: &Columns<'_>, zone: &TimeZone) -> Self {
        let mut builder = Builder::new(catalogue, ByName::new(columns));
        let roots = rules.iter().map(|rule| builder.expr(rule)).collect();
        LivePlan::new(builder, roots, zone)
    }

    /// Says of which traits a source's value wins over the door's: those that a source of a higher priority feeds.
    /// Without this the door wins.
    #[must_use]
    pub fn outranked(mut self, outranked: impl Fn(&str) -> bool) -> Self {
        self.traits.all.iter_mut().for_each(|name| name.outranked = outranked(&name.name));
        self
    }

    fn new(builder: Builder<'_, ByName<'_, '_>>, roots: Vec<u32>, zone: &TimeZone) -> Self {
        let (graph, names) = builder.finish(roots);
        let by_leaf = graph.dependents(|symbol| !matches!(symbol, Symbol::Constant(_)));
        let mut moving = vec![Vec::new(); graph.roots.len()];
        let (mut by_trait, mut by_event, mut by_list) = Default::default();
        let mut sampled = Vec::new();
        for ((leaf, symbol), rules) in (0u32..).zip(&graph.leaves).zip(&by_leaf) {
            match symbol {
                Symbol::Constant(_) => {}
                Symbol::Sample { .. } => sampled.extend(rules),
                Symbol::Trait { name, .. } => gather(&mut by_trait, &names.traits, *name, rules),
                Symbol::Event(event) => gather(&mut by_event, &names.events, event.name, rules),
                Symbol::Listed { name } => gather(&mut by_list, &names.lists, *name, rules),
            }
            if symbol.moves() {
                rules.iter().for_each(|rule| moving[*rule as usize].push(leaf));
            }
        }
        let mut plan = LivePlan {
            local: LocalTime::new(zone),
            traits: names.traits,
            events: names.events,
            lists: names.lists,
            by_trait: sorted(by_trait),
            by_event: sorted(by_event),
            by_list: sorted(by_list),
            moving: moving.into_iter().map(Into::into).collect(),
            sampled: distinct(sampled),
            of_nobody: [].into(),
            graph,
        };
        let nobody = Person { columns: names.columns, ordinal: None, seed: 0, facts: &[] };
        let holds = |rule: &u32| plan.sampled.binary_search(rule).is_err() && plan.holds(&nobody, *rule, Timestamp(0));
        plan.of_nobody = (0..plan.len() as u32).filter(holds).collect();
        plan
    }

    /// How many rules.
    pub fn len(&self) -> usize {
        self.graph.roots.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.graph.roots.is_empty()
    }

    /// The rules whose answer may change by what somebody says, through references too; ascending, each once.
    pub fn dependents(&self, said: &Said<'_>) -> impl Iterator<Item = u32> + use<'_> {
        let (mut one, mut several): (&[u32], Vec<u32>) = (&[], Vec::new());
        match said {
            Said::Event { name, .. } => one = by(&self.by_event, name),
            Said::Membership { list, .. } => one = by(&self.by_list, list),
            Said::Traits(traits) => match traits.as_slice() {
                [(name, _)] => one = by(&self.by_trait, name),
                traits => {
                    several.extend(traits.iter().flat_map(|(name, _)| by(&self.by_trait, name)));
                    several.sort_unstable();
                    several.dedup();
                }
            },
            Said::Link | Said::Consent(_) => {}
        }
        one.iter().copied().chain(several)
    }

    /// The rules that hold for a person of whom nothing is known, whatever the time and whoever it is; ascending. Those of
    /// [`sampled`](Self::sampled) depend on who it is.
    pub fn of_nobody(&self) -> &[u32] {
        &self.of_nobody
    }

    /// The rules that depend on a sample, ascending.
    pub fn sampled(&self) -> &[u32] {
        &self.sampled
    }

    /// Whether a rule holds for a person, at the start of the minute of `now`.
    pub fn holds(&self, person: &Person<'_, '_>, rule: u32, now: Timestamp) -> bool {
        let minute = Minute::new(now, &self.local);
        self.graph.holds(self.graph.roots[rule as usize], &|leaf| self.leaf_holds(leaf, person, &minute))
    }

    /// By leaf: whether it holds.
    pub(super) fn truths(&self, person: &Person<'_, '_>, now: Timestamp) -> Vec<bool> {
        let minute = Minute::new(now, &self.local);
        (0..self.graph.leaves.len() as u32).map(|leaf| self.leaf_holds(leaf, person, &minute)).collect()
    }

    /// Whether a leaf holds.
    fn leaf_holds(&self, leaf: u32, person: &Person<'_, '_>, minute: &Minute<'_>) -> bool {
        match &self.graph.leaves[leaf as usize] {
            Symbol::Constant(truth) => *truth,
            Symbol::Sample { name, share } => in_sample(person.draw(), *name, *share),
            Symbol::Trait { name, asked, bound } => {
                let name = &self.traits.all[*name as usize];
                match person.counts(name) {
                    Counts::Snapshot => column_holds(bound, person, minute),
                    Counts::Said(said) => said.is_some_and(|value| asked.value(value, minute)),
                    Counts::United { column: true } => {
                        let bound = || column_holds(bound, person, minute);
                        tags_hold(name, &asked.texts, person, bound)
                    }
                    Counts::United { column: false } => asked.texts.tags(&person.tags_said(&name.name)),
                }
            }
            Symbol::Listed { name } => {
                person.listed_until(&self.lists.all[*name as usize]).is_some_and(|until| until > minute.now)
            }
            Symbol::Event(event) => self.event_holds(event, person, minute),
        }
    }

    fn event_holds(&self, event: &EventSymbol, person: &Person<'_, '_>, minute: &Minute<'_>) -> bool {
        let name = &self.events.all[event.name as usize];
        let named = |said: &Said<'_>| matches!(said, Said::Event { name: other, .. } if **other == *name.name);
        if !person.facts.iter().any(|fact| named(&fact.said)) {
            return match person.known() {
                Some(_) => column_holds(&event.bound, person, minute),
                None => event.measure.of_none(),
            };
        }
        let window = minute.seconds(event.when);
        let asked = AskedNow { pick: event.pick, measure: event.measure, window, now: minute.now, local: minute.local };
        let Some(seconds) = asked.seconds() else { return event.measure.of_none() };
        let merged = Merged::gather(event, name, person, seconds, minute).sorted();
        asked.holds(&merged, 0..merged.rows.len(), &|_| true)
    }
}

/// What a leaf says of the column's value alone.
fn column_holds(bound: &Leaf, person: &Person<'_, '_>, minute: &Minute<'_>) -> bool {
    let Some(ordinal) = person.known() else { return false };
    match bound {
        Leaf::Constant(truth) => *truth,
        Leaf::Date { column, window } => match &person.columns.traits()[*column].1 {
            TraitColumn::Date(days) => days.get(ordinal as usize).is_some_and(|day| minute.date_is_in(*window, day)),
            _ => false,
        },
        leaf => {
            let window = moment::window(leaf, person.columns, minute);
            One { columns: person.columns, ordinal, window, now: minute.now }.holds(leaf, minute.local)
        }
    }
}

/// Tags of the column and of records unite.
fn tags_hold(name: &Name, texts: &Texts, person: &Person<'_, '_>, bound: impl Fn() -> bool) -> bool {
    let said = person.tags_said(&name.name);
    let Texts::HaveAll(wanted) = texts else { return bound() || texts.tags(&said) };
    let column = person.known().zip(name.column).map(|(who, column)| (who, &person.columns.traits()[column].1));
    let has = |wanted: &str| matches!(column, Some((who, TraitColumn::Tags(tags))) if tags.has(who, wanted));
    wanted.iter().all(|wanted| has(wanted) || said.clone().any(|tag| tag == &**wanted))
}

fn by<'m>(by: &'m ByFact, name: &str) -> &'m [u32] {
    by.get(name).map_or(&[], |rules| rules)
}

fn gather(by: &mut HashMap<Box<str>, Vec<u32>>, names: &Names, name: u32, rules: &[u32]) {
    by.entry(names.all[name as usize].name.clone()).or_default().extend(rules);
}

fn sorted(by: HashMap<Box<str>, Vec<u32>>) -> ByFact {
    by.into_iter().map(|(name, rules)| (name, distinct(rules))).collect()
}

fn distinct(mut rules: Vec<u32>) -> Box<[u32]> {
    rules.sort_unstable();
    rules.dedup();
    rules.into()
}
