//! What would change an answer: single leaves that, turned, turn the whole; and the minute at which it turns by itself.

use super::{Question, Subject};
use crate::audiences::Expr;
use crate::audiences::print::print;
use crate::evaluate::graph::Node;
use crate::evaluate::live::symbol::Symbol;
use crate::evaluate::live::{LivePlan, Person};
use crate::schema::{AudienceId, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

/// Single changes that are told.
const TOLD: usize = 5;
/// Leaves that are turned one at a time.
const LEAVES: usize = 200;
/// Parts that are looked at in all, over all leaves.
const WORK: usize = 2_000_000;
/// Minutes at which something passes that are looked at for one at which the answer turns.
const MINUTES: usize = 256;

/// What would change an answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Changes {
    /// When the answer turns over by itself if nothing more is said, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_itself: Option<Change>,
    /// Facts each of which alone would turn it, in the rule's order; at most five.
    pub by_facts: Vec<Change>,
    /// Whether there are more, or not everything was looked at.
    pub more: bool,
}

/// A change of one leaf that turns the whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What a person reads.
    pub sentence: String,
    /// The leaf as a planner writes it.
    pub rule: String,
    /// Whether the leaf holds then.
    pub holds: bool,
    /// When; absent where that is not a matter of time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Question<'_> {
    /// What would turn the answer whether a person is in an audience; `None` if there is no such audience.
    pub fn changes(&self, id: &AudienceId, subject: &Subject<'_, '_>) -> Option<Changes> {
        self.catalogue.number(id)?;
        let rule = Expr::InAudience(id.clone());
        let mut found = Leaves { question: self, leaves: vec![&rule], told: BTreeSet::new(), more: false };
        found.gather(&rule);
        let (rules, mut more) = (found.leaves, found.more);
        let plan = self.plan(&rules, subject);
        let person = self.person(subject);
        let mut leaves: Vec<Leaf<'_>> = Vec::new();
        for (expr, root) in rules.iter().zip(&plan.graph.roots).skip(1) {
            let Node::Leaf(number) = plan.graph.nodes[*root as usize] else { continue };
            let fixed = matches!(plan.graph.leaves[number as usize], Symbol::Constant(_) | Symbol::Sample { .. });
            if !fixed && leaves.iter().all(|leaf| leaf.number != number) {
                leaves.push(Leaf { expr, number });
            }
        }
        let affordable = (WORK / plan.graph.nodes.len().max(1)).max(1);
        more |= leaves.len() > affordable;
        leaves.truncate(affordable);
        let mut by_facts = self.by_facts(&plan, &person, &leaves);
        more |= by_facts.len() > TOLD;
        by_facts.truncate(TOLD);
        Some(Changes { by_itself: self.by_itself(&plan, &person, &leaves), by_facts, more })
    }

    fn by_facts(&self, plan: &LivePlan, person: &Person<'_, '_>, leaves: &[Leaf<'_>]) -> Vec<Change> {
        let truths = plan.truths(person, self.now);
        let root = plan.graph.roots[0];
        let holds = |turned: u32| plan.graph.holds(root, &|leaf| truths[leaf as usize] != (leaf == turned));
        let now = holds(u32::MAX);
        let turning = leaves.iter().filter(|leaf| holds(leaf.number) != now);
        let told = turning.map(|leaf| {
            let held = truths[leaf.number as usize];
            let whole = if now { "would leave" } else { "would be in" };
            let rule = print(leaf.expr);
            let how = match (now, held) {
                (_, false) => "held",
                (true, true) => "no longer held",
                (false, true) => "did not hold",
            };
            Change { sentence: format!("{whole} if `{rule}` {how}"), rule, holds: !held, at: None }
        });
        told.take(TOLD + 1).collect()
    }

    /// By going from one minute at which something passes to the next.
    fn by_itself(&self, plan: &LivePlan, person: &Person<'_, '_>, leaves: &[Leaf<'_>]) -> Option<Change> {
        let now = plan.holds(person, 0, self.now);
        let mut at = self.now;
        for _ in 0..MINUTES {
            at = Timestamp(plan.next_exact(person, 0, at)?.saturating_mul(60));
            if plan.holds(person, 0, at) == now {
                continue;
            }
            let before = plan.truths(person, Timestamp(at.0 - 60));
            let after = plan.truths(person, at);
            let turned = |leaf: &&Leaf<'_>| before[leaf.number as usize] != after[leaf.number as usize];
            let decides = |leaf: &&Leaf<'_>| {
                let truth = |other: u32| if other == leaf.number { &before } else { &after }[other as usize];
                plan.graph.holds(plan.graph.roots[0], &truth) == now
            };
            let leaf = leaves.iter().filter(turned).find(decides).or_else(|| leaves.iter().find(turned))?;
            let holds = after[leaf.number as usize];
            let rule = print(leaf.expr);
            let whole = if now { "leaves" } else { "joins" };
            let how = if holds { "begins" } else { "ends" };
            return Some(Change {
                sentence: format!("{whole} on {at}, when `{rule}` {how}"),
                rule,
                holds,
                at: Some(at),
            });
        }
        None
    }
}

struct Leaf<'e> {
    expr: &'e Expr,
    number: u32,
}

/// The leaves of a rule, through references, each audience's once.
struct Leaves<'q> {
    question: &'q Question<'q>,
    leaves: Vec<&'q Expr>,
    told: BTreeSet<&'q AudienceId>,
    more: bool,
}

impl<'q> Leaves<'q> {
    fn gather(&mut self, rule: &'q Expr) {
        if self.leaves.len() > LEAVES {
            self.more = true;
            return;
        }
        match rule {
            Expr::And(parts) | Expr::Or(parts) | Expr::AtLeast(_, parts) => {
                parts.iter().for_each(|part| self.gather(part));
            }
            Expr::Not(inner) => self.gather(inner),
            Expr::InAudience(id) => {
                let audiences = &self.question.catalogue.audiences;
                let audience = self.question.catalogue.number(id).map(|number| &audiences[number as usize]);
                match audience.map(|audience| &audience.rule) {
                    Some(Some(rule)) if self.told.insert(id) => self.gather(&rule.0),
                    Some(None) => self.leaves.push(rule),
                    _ => {}
                }
            }
            Expr::Trait(_) | Expr::Event(_) => self.leaves.push(rule),
            Expr::Everyone | Expr::Sample(..) => {}
        }
    }
}
