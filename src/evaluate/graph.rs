//! Rules -> parts: equal ones merged, in an order in which every part comes after what it needs. The same for every mode;
//! what a leaf is bound to is the [`Binder`]'s.

use super::leaf;
use crate::audiences::rule::{EventTest, TraitTest};
use crate::audiences::{Audience, Catalogue, Expr, order};
use smallvec::SmallVec;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;

/// A part of a plan. Numbers are positions of parts that come before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Leaf(u32),
    Not(u32),
    And(Box<[u32]>),
    Or(Box<[u32]>),
    AtLeast(u32, Box<[u32]>),
}

impl Node {
    pub fn operands(&self) -> &[u32] {
        match self {
            Node::Leaf(_) => &[],
            Node::Not(operand) => std::slice::from_ref(operand),
            Node::And(operands) | Node::Or(operands) | Node::AtLeast(_, operands) => operands,
        }
    }
}

/// What leaves are bound to.
pub(super) trait Binder {
    type Leaf: Clone + Eq + Hash;
    /// The same for everybody.
    fn constant(&mut self, truth: bool) -> Self::Leaf;
    /// Whether a leaf is the same for everybody.
    fn truth(leaf: &Self::Leaf) -> Option<bool>;
    /// A share, in millionths, of a sample.
    fn sample(&mut self, name: u64, share: u32) -> Self::Leaf;
    fn of_trait(&mut self, test: &TraitTest) -> Self::Leaf;
    fn of_event(&mut self, test: &EventTest) -> Self::Leaf;
    /// An audience without a rule.
    fn list(&mut self, audience: &Audience) -> Self::Leaf;
}

/// Rules as parts.
#[derive(Debug, Clone)]
pub(super) struct Graph<L> {
    pub leaves: Vec<L>,
    pub nodes: Vec<Node>,
    /// By rule: its part.
    pub roots: Vec<u32>,
    /// By part: whether it is made of others and several parts need it.
    shared: Vec<bool>,
}

/// What shared parts were found to be. Few are met on the way down from one rule.
type Found = RefCell<SmallVec<[(u32, bool); 8]>>;

impl<L> Graph<L> {
    fn new(leaves: Vec<L>, nodes: Vec<Node>, roots: Vec<u32>) -> Self {
        let mut needed = vec![0u32; nodes.len()];
        nodes.iter().flat_map(Node::operands).for_each(|operand| needed[*operand as usize] += 1);
        let shared = nodes.iter().zip(needed).map(|(node, by)| by > 1 && !node.operands().is_empty());
        Graph { shared: shared.collect(), leaves, nodes, roots }
    }

    /// Whether a part holds, asked from the top down and no further than needed, and of a shared part once: audiences that
    /// refer to each other again and again would otherwise be asked without end.
    pub fn holds(&self, node: u32, leaf: &impl Fn(u32) -> bool) -> bool {
        self.find(node, leaf, &Found::default())
    }

    fn find(&self, node: u32, leaf: &impl Fn(u32) -> bool, found: &Found) -> bool {
        if !self.shared[node as usize] {
            return self.made_of(node, leaf, found);
        }
        let known = found.borrow().iter().find(|(other, _)| *other == node).map(|(_, truth)| *truth);
        known.unwrap_or_else(|| {
            let truth = self.made_of(node, leaf, found);
            found.borrow_mut().push((node, truth));
            truth
        })
    }

    fn made_of(&self, node: u32, leaf: &impl Fn(u32) -> bool, found: &Found) -> bool {
        let holds = |operand: &u32| self.find(*operand, leaf, found);
        match &self.nodes[node as usize] {
            Node::Leaf(number) => leaf(*number),
            Node::Not(operand) => !holds(operand),
            Node::And(operands) => operands.iter().all(holds),
            Node::Or(operands) => operands.iter().any(holds),
            Node::AtLeast(least, operands) => {
                operands.iter().filter(|operand| holds(operand)).take(*least as usize).count() == *least as usize
            }
        }
    }

    /// By leaf: the rules that depend on it, ascending, if it is one that is wanted.
    pub fn dependents(&self, wanted: impl Fn(&L) -> bool) -> Vec<Vec<u32>> {
        let mut dependents = vec![Vec::new(); self.leaves.len()];
        let mut visited = vec![u32::MAX; self.nodes.len()];
        let mut pending = Vec::new();
        for (rule, root) in (0u32..).zip(&self.roots) {
            pending.push(*root);
            while let Some(node) = pending.pop() {
                if std::mem::replace(&mut visited[node as usize], rule) == rule {
                    continue;
                }
                match &self.nodes[node as usize] {
                    Node::Leaf(leaf) if wanted(&self.leaves[*leaf as usize]) => dependents[*leaf as usize].push(rule),
                    node => pending.extend(node.operands()),
                }
            }
        }
        dependents
    }
}

/// Puts parts together.
pub(super) struct Builder<'c, B: Binder> {
    pub binder: B,
    catalogue: &'c Catalogue,
    leaves: Vec<B::Leaf>,
    leaf_numbers: HashMap<B::Leaf, u32>,
    nodes: Vec<Node>,
    node_numbers: HashMap<Node, u32>,
    /// By audience: its part, once known.
    audiences: Vec<Option<u32>>,
}

impl<'c, B: Binder> Builder<'c, B> {
    pub fn new(catalogue: &'c Catalogue, binder: B) -> Self {
        Builder {
            binder,
            catalogue,
            leaves: Vec::new(),
            leaf_numbers: HashMap::new(),
            nodes: Vec::new(),
            node_numbers: HashMap::new(),
            audiences: vec![None; catalogue.audiences.len()],
        }
    }

    /// The parts of all audiences by number; nobody is in those that are dropped, and others that refer to them see them
    /// as they are.
    pub fn all(&mut self, dropped: impl Fn(usize) -> bool) -> Vec<u32> {
        // In this order a rule finds what it refers to compiled, however long the chain.
        for number in order::evaluation_order(self.catalogue) {
            self.audience(number as usize);
        }
        let numbers = 0..self.catalogue.audiences.len();
        numbers.map(|number| if dropped(number) { self.constant(false) } else { self.audience(number) }).collect()
    }

    /// The parts, and what bound their leaves.
    pub fn finish(self, roots: Vec<u32>) -> (Graph<B::Leaf>, B) {
        (Graph::new(self.leaves, self.nodes, roots), self.binder)
    }

    fn leaf(&mut self, leaf: B::Leaf) -> u32 {
        let number = *self.leaf_numbers.entry(leaf).or_insert_with_key(|leaf| {
            self.leaves.push(leaf.clone());
            self.leaves.len() as u32 - 1
        });
        self.node(Node::Leaf(number))
    }

    fn constant(&mut self, truth: bool) -> u32 {
        let leaf = self.binder.constant(truth);
        self.leaf(leaf)
    }

    fn node(&mut self, node: Node) -> u32 {
        *self.node_numbers.entry(node).or_insert_with_key(|node| {
            self.nodes.push(node.clone());
            self.nodes.len() as u32 - 1
        })
    }

    fn truth(&self, node: u32) -> Option<bool> {
        match &self.nodes[node as usize] {
            Node::Leaf(leaf) => B::truth(&self.leaves[*leaf as usize]),
            _ => None,
        }
    }

    fn audience(&mut self, number: usize) -> u32 {
        if let Some(node) = self.audiences[number] {
            return node;
        }
        // The check refuses cycles; should one come through, what refers back to itself holds for nobody.
        self.audiences[number] = Some(self.constant(false));
        let catalogue = self.catalogue;
        let node = match &catalogue.audiences[number] {
            Audience { rule: Some(rule), .. } => self.expr(&rule.0),
            list => {
                let leaf = self.binder.list(list);
                self.leaf(leaf)
            }
        };
        self.audiences[number] = Some(node);
        node
    }

    /// The part that a rule is.
    pub fn expr(&mut self, expr: &Expr) -> u32 {
        let leaf = match expr {
            Expr::Not(operand) => {
                let operand = self.expr(operand);
                return match (self.truth(operand), &self.nodes[operand as usize]) {
                    (Some(truth), _) => self.constant(!truth),
                    (None, Node::Not(inner)) => *inner,
                    _ => self.node(Node::Not(operand)),
                };
            }
            Expr::And(operands) => return self.junction(operands, true),
            Expr::Or(operands) => return self.junction(operands, false),
            Expr::AtLeast(least, operands) => return self.at_least(*least, operands),
            Expr::InAudience(id) => match self.catalogue.number(id) {
                Some(number) => return self.audience(number as usize),
                None => self.binder.constant(false),
            },
            Expr::Everyone => self.binder.constant(true),
            Expr::Sample(share, name) => self.binder.sample(leaf::sample_name(name), *share),
            Expr::Trait(test) => self.binder.of_trait(test),
            Expr::Event(test) => self.binder.of_event(test),
        };
        self.leaf(leaf)
    }

    /// `and` (neutral = true) or `or` (neutral = false), without operands that decide nothing.
    fn junction(&mut self, operands: &[Expr], neutral: bool) -> u32 {
        let mut parts: Vec<u32> = operands.iter().map(|operand| self.expr(operand)).collect();
        if parts.iter().any(|part| self.truth(*part) == Some(!neutral)) {
            return self.constant(!neutral);
        }
        parts.retain(|part| self.truth(*part).is_none());
        parts.sort_unstable();
        parts.dedup();
        match parts.as_slice() {
            [] => self.constant(neutral),
            [one] => *one,
            _ if neutral => self.node(Node::And(parts.into())),
            _ => self.node(Node::Or(parts.into())),
        }
    }

    fn at_least(&mut self, least: u32, operands: &[Expr]) -> u32 {
        let mut parts: Vec<u32> = operands.iter().map(|operand| self.expr(operand)).collect();
        parts.sort_unstable();
        match least as usize {
            0 => self.constant(true),
            least if least > parts.len() => self.constant(false),
            _ => self.node(Node::AtLeast(least, parts.into())),
        }
    }
}
