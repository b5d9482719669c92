//! Why a profile is in or out: a rule's tree with every part's truth, and the facts behind the leaves. Facts carry trait
//! values and event times, never an identifier.

use super::plan::Plan;
use crate::audiences::print::print;
use crate::audiences::rule::{Date, EventTest};
use crate::audiences::{Catalogue, Expr};
use crate::schema::{AudienceId, Timestamp};
use crate::snapshot::columns::{Columns, TraitColumn};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// Event times shown in a fact.
const TIMES: usize = 5;

/// A part of a rule, for one profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// The part as a planner writes it.
    pub text: String,
    /// Whether it holds.
    pub truth: bool,
    /// What is known that bears on it; empty for parts made of others.
    pub fact: String,
    /// What it is made of; of a reference, the audience's rule, where it comes first.
    pub parts: Vec<Tree>,
}

/// What an explanation looks at.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What references mean.
    pub catalogue: &'a Catalogue,
    /// Where the facts are.
    pub columns: &'a Columns<'a>,
    /// Evaluated at the start of this minute.
    pub now: Timestamp,
    /// Of `today` and of dates.
    pub zone: &'a TimeZone,
}

impl Question<'_> {
    /// Why a profile is in an audience or not; `None` if there is no such audience.
    pub fn audience(&self, id: &AudienceId, ordinal: u32) -> Option<Tree> {
        self.catalogue.number(id).map(|_| self.reference(id, ordinal, &mut BTreeSet::new()))
    }

    /// Why a rule holds for a profile or not.
    pub fn rule(&self, rule: &Expr, ordinal: u32) -> Tree {
        self.part(rule, ordinal, &mut BTreeSet::new())
    }

    /// `told` are the audiences whose rules stand in the tree already: they are not told again, because rules that refer
    /// to each other again and again would make a tree that nobody could read or hold.
    fn part(&self, rule: &Expr, ordinal: u32, told: &mut BTreeSet<AudienceId>) -> Tree {
        let (fact, parts) = match rule {
            Expr::And(parts) | Expr::Or(parts) | Expr::AtLeast(_, parts) => {
                (String::new(), parts.iter().map(|part| self.part(part, ordinal, told)).collect())
            }
            Expr::Not(inner) => (String::new(), vec![self.part(inner, ordinal, told)]),
            Expr::InAudience(id) => return self.reference(id, ordinal, told),
            Expr::Trait(test) => (self.trait_fact(&test.name, ordinal), Vec::new()),
            Expr::Event(test) => (self.event_fact(test, ordinal), Vec::new()),
            Expr::Everyone | Expr::Sample(..) => (String::new(), Vec::new()),
        };
        Tree { text: print(rule), truth: self.holds(rule, ordinal), fact, parts }
    }

    fn holds(&self, rule: &Expr, ordinal: u32) -> bool {
        Plan::of_rules(&[rule], self.catalogue, self.columns, self.now, self.zone).profile(ordinal, 0)
    }

    /// The check refuses cycles of references, so this ends.
    fn reference(&self, id: &AudienceId, ordinal: u32, told: &mut BTreeSet<AudienceId>) -> Tree {
        let reference = Expr::InAudience(id.clone());
        let audience = self.catalogue.number(id).map(|number| &self.catalogue.audiences[number as usize]);
        let rule = audience.map(|audience| audience.rule.as_ref());
        let (fact, parts) = match rule {
            None => ("there is no such audience".to_owned(), Vec::new()),
            Some(None) => (self.list_fact(id, ordinal), Vec::new()),
            Some(Some(_)) if !told.insert(id.clone()) => ("its rule is told above".to_owned(), Vec::new()),
            Some(Some(rule)) => (String::new(), vec![self.part(&rule.0, ordinal, told)]),
        };
        Tree { text: print(&reference), truth: self.holds(&reference, ordinal), fact, parts }
    }

    fn list_fact(&self, id: &AudienceId, ordinal: u32) -> String {
        let column = self.columns.find_list(id.as_str()).map(|column| self.columns.lists()[column].1);
        match column.and_then(|column| column.until(ordinal)) {
            None => "not on the list".to_owned(),
            Some(u32::MAX) => "on the list without end".to_owned(),
            Some(until) => format!("on the list until {}", Timestamp(until.into())),
        }
    }

    fn trait_fact(&self, name: &str, ordinal: u32) -> String {
        let value = self.columns.find_trait(name).and_then(|at| value(&self.columns.traits()[at].1, ordinal));
        match value {
            Some(value) => format!("{name} is {value}"),
            None => format!("{name} is unknown"),
        }
    }

    fn event_fact(&self, test: &EventTest, ordinal: u32) -> String {
        let column = self.columns.find_event(&test.name).map(|column| &self.columns.events()[column].1);
        let times: Vec<u32> = column.map_or(Vec::new(), |column| column.times[column.rows_of(ordinal)].to_vec());
        let past = times.iter().filter(|time| i64::from(**time) <= self.now.0);
        let mut latest: Vec<String> = past.rev().map(|time| Timestamp((*time).into()).to_string()).collect();
        let count = latest.len();
        latest.truncate(TIMES);
        match count {
            0 => format!("{} never happened", test.name),
            1 => format!("{} happened once: {}", test.name, latest[0]),
            _ if count > TIMES => format!("{} happened {count} times, last: {}, ...", test.name, latest.join(", ")),
            _ => format!("{} happened {count} times: {}", test.name, latest.join(", ")),
        }
    }
}

/// A trait's value in words, if known.
fn value(column: &TraitColumn<'_>, ordinal: u32) -> Option<String> {
    let at = ordinal as usize;
    let bit = |words: &[u64]| words.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1);
    match column {
        TraitColumn::Flag { known, yes } => bit(known).then(|| bit(yes).to_string()),
        TraitColumn::Category(codes, dictionary) => {
            let position = codes.get(at).checked_sub(1)?;
            dictionary.get(position as usize).map(|text| format!("{text:?}"))
        }
        TraitColumn::Number(numbers) => numbers.get(at).map(|number| number.to_string()),
        TraitColumn::Date(days) => days.get(at).map(|day| Date(day).to_string()),
        TraitColumn::Tags(tags) => {
            let texts = tags.of(ordinal).into_iter().filter_map(|tag| tags.dictionary.get(tag as usize));
            let texts: Vec<String> = texts.map(|text| format!("{text:?}")).collect();
            (!texts.is_empty()).then(|| texts.join(", "))
        }
    }
}
