//! Why a person is in or out: a rule's tree with every part's truth, the facts behind the leaves, and what would change
//! the answer. Facts carry trait values and event times, never an identifier.

mod changes;
mod facts;

pub use changes::{Change, Changes};
pub use facts::{Happened, Known, Origin, Shown};

use super::live::{LivePlan, Person};
use crate::audiences::print::print;
use crate::audiences::{Catalogue, Expr};
use crate::log::Record;
use crate::schema::{AudienceId, Declarations, Timestamp};
use crate::snapshot::columns::Columns;
use facts::Facts;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeSet;

/// A part of a rule, for one person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tree {
    /// The part as a planner writes it.
    #[serde(rename = "rule")]
    pub text: String,
    /// Whether it holds.
    #[serde(rename = "holds")]
    pub truth: bool,
    /// What is known that bears on it, in words; empty for parts made of others.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fact: String,
    /// The same for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
    /// What it is made of; of a reference, the audience's rule, where it comes first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
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

/// Whom an explanation is about, and what is known beside the snapshot.
#[derive(Clone, Copy)]
pub struct Subject<'p, 'r> {
    /// Their place in the snapshot; `None` = it does not know them.
    pub ordinal: Option<u32>,
    /// As in [`Person`].
    pub seed: u32,
    /// As in [`Person`].
    pub facts: &'p [Record<'r>],
    /// Of which traits a source's value wins over the door's: as in [`LivePlan::outranked`].
    pub outranked: &'p dyn Fn(&str) -> bool,
    /// Which sources feed what, where it is to be told.
    pub declarations: Option<&'p Declarations>,
}

impl Subject<'_, '_> {
    /// A profile as the snapshot alone knows it.
    pub fn of(ordinal: u32) -> Self {
        Subject { ordinal: Some(ordinal), seed: 0, facts: &[], outranked: &|_| false, declarations: None }
    }
}

impl Question<'_> {
    /// Why a profile is in an audience or not; `None` if there is no such audience.
    pub fn audience(&self, id: &AudienceId, ordinal: u32) -> Option<Tree> {
        self.about(id, &Subject::of(ordinal))
    }

    /// Why a rule holds for a profile or not.
    pub fn rule(&self, rule: &Expr, ordinal: u32) -> Tree {
        self.about_rule(rule, &Subject::of(ordinal))
    }

    /// Why a person is in an audience or not; `None` if there is no such audience.
    pub fn about(&self, id: &AudienceId, subject: &Subject<'_, '_>) -> Option<Tree> {
        self.catalogue.number(id).map(|_| self.about_rule(&Expr::InAudience(id.clone()), subject))
    }

    /// Why a rule holds for a person or not.
    pub fn about_rule(&self, rule: &Expr, subject: &Subject<'_, '_>) -> Tree {
        let person = self.person(subject);
        let facts = Facts { columns: self.columns, now: self.now, person, subject };
        let (mut parts, mut told) = (Vec::new(), BTreeSet::new());
        let mut tree = Telling { question: self, facts }.part(rule, &mut parts, &mut told);
        let plan = self.plan(&parts, subject);
        let mut truths = (0..).map(|part| plan.holds(&person, part, self.now));
        fill(&mut tree, &mut truths);
        tree
    }

    fn person<'p, 'r>(&self, subject: &Subject<'p, 'r>) -> Person<'p, 'r>
    where
        Self: 'p,
    {
        Person { columns: self.columns, ordinal: subject.ordinal, seed: subject.seed, facts: subject.facts }
    }

    fn plan(&self, rules: &[&Expr], subject: &Subject<'_, '_>) -> LivePlan {
        LivePlan::of_rules(rules, self.catalogue, self.columns, self.zone).outranked(subject.outranked)
    }
}

/// Parts were gathered from the top down, each before what it is made of.
fn fill(tree: &mut Tree, truths: &mut impl Iterator<Item = bool>) {
    tree.truth = truths.next().unwrap_or(false);
    tree.parts.iter_mut().for_each(|part| fill(part, truths));
}

struct Telling<'q, 's, 'r> {
    question: &'q Question<'q>,
    facts: Facts<'s, 'r>,
}

impl<'q> Telling<'q, '_, '_> {
    /// A part whose truth is not known yet; it and what it is made of join `parts`.
    ///
    /// `told` are the audiences whose rules stand in the tree already: they are not told again, because rules that refer
    /// to each other again and again would make a tree that nobody could read or hold.
    fn part<'e>(&self, rule: &'e Expr, parts: &mut Vec<&'e Expr>, told: &mut BTreeSet<AudienceId>) -> Tree
    where
        'q: 'e,
    {
        parts.push(rule);
        let mut tree = Tree { text: print(rule), truth: false, fact: String::new(), known: None, parts: Vec::new() };
        match rule {
            Expr::And(inner) | Expr::Or(inner) | Expr::AtLeast(_, inner) => {
                tree.parts = inner.iter().map(|part| self.part(part, parts, told)).collect();
            }
            Expr::Not(inner) => tree.parts = vec![self.part(inner, parts, told)],
            Expr::InAudience(id) => {
                let audiences = &self.question.catalogue.audiences;
                match self.question.catalogue.number(id).map(|number| &audiences[number as usize]) {
                    None => tree.fact = "there is no such audience".to_owned(),
                    Some(audience) => match &audience.rule {
                        None => tree.tell(self.facts.list(id, audience.ttl)),
                        Some(_) if !told.insert(id.clone()) => tree.fact = "its rule is told above".to_owned(),
                        Some(rule) => tree.parts = vec![self.part(&rule.0, parts, told)],
                    },
                }
            }
            Expr::Trait(test) => tree.tell(self.facts.of_trait(&test.name)),
            Expr::Event(test) => tree.tell(self.facts.of_event(&test.name)),
            Expr::Everyone | Expr::Sample(..) => {}
        }
        tree
    }
}

impl Tree {
    fn tell(&mut self, known: Known) {
        self.fact = known.to_string();
        self.known = Some(known);
    }
}
