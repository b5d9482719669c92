//! Rules -> a plan: names bound to columns, equal parts merged, in an order in which every part comes after what it
//! needs. Evaluating it is `block`'s (everybody) and `profile`'s (one).

use super::leaf::{self, Leaf};
use super::local_time::LocalTime;
use super::moment::{Moment, moves};
use crate::audiences::{Audience, Catalogue, Expr, order};
use crate::schema::Timestamp;
use crate::snapshot::columns::Columns;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::Arc;

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

/// Rules bound to the columns of one snapshot, at one minute.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    pub(super) columns: &'a Columns<'a>,
    pub(super) leaves: Vec<Leaf>,
    pub(super) nodes: Vec<Node>,
    /// By rule: its part.
    pub(super) roots: Vec<u32>,
    /// By part: the bitmap it is evaluated into.
    pub(super) slots: Vec<u32>,
    pub(super) slot_count: usize,
    pub(super) local: Arc<LocalTime>,
    /// The minute that is evaluated.
    pub(super) moment: Moment,
}

impl<'a> Plan<'a> {
    /// All audiences of a catalogue, by number. A reference to an audience that does not exist holds for nobody.
    pub fn compile(catalogue: &Catalogue, columns: &'a Columns<'a>, now: Timestamp, zone: &TimeZone) -> Self {
        Plan::compile_without(catalogue, columns, now, zone, |_| false)
    }

    /// The same, but nobody is in the audiences that are dropped. Others that refer to them see them as they are.
    pub fn compile_without(
        catalogue: &Catalogue,
        columns: &'a Columns<'a>,
        now: Timestamp,
        zone: &TimeZone,
        dropped: impl Fn(usize) -> bool,
    ) -> Self {
        let mut builder = Builder::new(catalogue, columns);
        // In this order a rule finds what it refers to compiled, however long the chain.
        for number in order::evaluation_order(catalogue) {
            builder.audience(number as usize);
        }
        let root =
            |number| if dropped(number) { builder.leaf(Leaf::Constant(false)) } else { builder.audience(number) };
        let roots = (0..catalogue.audiences.len()).map(root).collect();
        builder.finish(roots, now, zone)
    }

    /// Some rules, which may refer to a catalogue's audiences.
    pub fn of_rules(
        rules: &[&Expr],
        catalogue: &Catalogue,
        columns: &'a Columns<'a>,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Self {
        let mut builder = Builder::new(catalogue, columns);
        let roots = rules.iter().map(|rule| builder.expr(rule)).collect();
        builder.finish(roots, now, zone)
    }

    /// How many rules.
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// How many different leaves are evaluated.
    pub fn leaves(&self) -> usize {
        self.leaves.len()
    }

    /// The columns it is bound to.
    pub fn columns(&self) -> &'a Columns<'a> {
        self.columns
    }

    /// The minute it answers for.
    pub fn now(&self) -> Timestamp {
        self.moment.now
    }

    /// The plan's windows at another minute.
    pub fn moment(&self, now: Timestamp) -> Moment {
        Moment::new(now, &self.leaves, self.columns, &self.local)
    }

    /// By leaf: the rules that depend on it, if it can change while no data does.
    pub(super) fn dependents(&self) -> Vec<Vec<u32>> {
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
                    Node::Leaf(leaf) if moves(&self.leaves[*leaf as usize]) => dependents[*leaf as usize].push(rule),
                    node => pending.extend(node.operands()),
                }
            }
        }
        dependents
    }
}

struct Builder<'c, 'a> {
    catalogue: &'c Catalogue,
    columns: &'a Columns<'a>,
    leaves: Vec<Leaf>,
    leaf_numbers: HashMap<Leaf, u32>,
    nodes: Vec<Node>,
    node_numbers: HashMap<Node, u32>,
    /// By audience: its part, once known.
    audiences: Vec<Option<u32>>,
}

impl<'c, 'a> Builder<'c, 'a> {
    fn new(catalogue: &'c Catalogue, columns: &'a Columns<'a>) -> Self {
        Builder {
            catalogue,
            columns,
            leaves: Vec::new(),
            leaf_numbers: HashMap::new(),
            nodes: Vec::new(),
            node_numbers: HashMap::new(),
            audiences: vec![None; catalogue.audiences.len()],
        }
    }

    fn leaf(&mut self, leaf: Leaf) -> u32 {
        let number = *self.leaf_numbers.entry(leaf).or_insert_with_key(|leaf| {
            self.leaves.push(leaf.clone());
            self.leaves.len() as u32 - 1
        });
        self.node(Node::Leaf(number))
    }

    fn node(&mut self, node: Node) -> u32 {
        *self.node_numbers.entry(node).or_insert_with_key(|node| {
            self.nodes.push(node.clone());
            self.nodes.len() as u32 - 1
        })
    }

    fn constant(&self, node: u32) -> Option<bool> {
        match &self.nodes[node as usize] {
            Node::Leaf(leaf) => match &self.leaves[*leaf as usize] {
                Leaf::Constant(truth) => Some(*truth),
                _ => None,
            },
            _ => None,
        }
    }

    fn audience(&mut self, number: usize) -> u32 {
        if let Some(node) = self.audiences[number] {
            return node;
        }
        let nobody = self.leaf(Leaf::Constant(false));
        // The check refuses cycles; should one come through, what refers back to itself holds for nobody.
        self.audiences[number] = Some(nobody);
        let catalogue = self.catalogue;
        let node = match &catalogue.audiences[number] {
            Audience { rule: Some(rule), .. } => self.expr(&rule.0),
            Audience { id, rule: None, .. } => match self.columns.find_list(id.as_str()) {
                Some(column) => self.leaf(Leaf::Listed { column }),
                None => nobody,
            },
        };
        self.audiences[number] = Some(node);
        node
    }

    fn expr(&mut self, expr: &Expr) -> u32 {
        match expr {
            Expr::Everyone => self.leaf(Leaf::Constant(true)),
            Expr::Not(operand) => {
                let operand = self.expr(operand);
                match (self.constant(operand), &self.nodes[operand as usize]) {
                    (Some(truth), _) => self.leaf(Leaf::Constant(!truth)),
                    (None, Node::Not(inner)) => *inner,
                    _ => self.node(Node::Not(operand)),
                }
            }
            Expr::And(operands) => self.junction(operands, true),
            Expr::Or(operands) => self.junction(operands, false),
            Expr::AtLeast(least, operands) => self.at_least(*least, operands),
            Expr::InAudience(id) => match self.catalogue.number(id) {
                Some(number) => self.audience(number as usize),
                None => self.leaf(Leaf::Constant(false)),
            },
            Expr::Sample(share, name) => self.leaf(Leaf::Sample { name: leaf::sample_name(name), share: *share }),
            Expr::Trait(test) => self.leaf(leaf::of_trait(test, self.columns)),
            Expr::Event(test) => self.leaf(leaf::of_event(test, self.columns)),
        }
    }

    /// `and` (neutral = true) or `or` (neutral = false), without operands that decide nothing.
    fn junction(&mut self, operands: &[Expr], neutral: bool) -> u32 {
        let mut parts: Vec<u32> = operands.iter().map(|operand| self.expr(operand)).collect();
        if parts.iter().any(|part| self.constant(*part) == Some(!neutral)) {
            return self.leaf(Leaf::Constant(!neutral));
        }
        parts.retain(|part| self.constant(*part).is_none());
        parts.sort_unstable();
        parts.dedup();
        match parts.as_slice() {
            [] => self.leaf(Leaf::Constant(neutral)),
            [one] => *one,
            _ if neutral => self.node(Node::And(parts.into())),
            _ => self.node(Node::Or(parts.into())),
        }
    }

    fn at_least(&mut self, least: u32, operands: &[Expr]) -> u32 {
        let mut parts: Vec<u32> = operands.iter().map(|operand| self.expr(operand)).collect();
        parts.sort_unstable();
        match least as usize {
            0 => self.leaf(Leaf::Constant(true)),
            least if least > parts.len() => self.leaf(Leaf::Constant(false)),
            _ => self.node(Node::AtLeast(least, parts.into())),
        }
    }

    fn finish(self, roots: Vec<u32>, now: Timestamp, zone: &TimeZone) -> Plan<'a> {
        let (slots, slot_count) = assign_slots(&self.nodes, &roots);
        let local = LocalTime::new(zone);
        Plan {
            moment: Moment::new(now, &self.leaves, self.columns, &local),
            columns: self.columns,
            leaves: self.leaves,
            nodes: self.nodes,
            roots,
            slots,
            slot_count,
            local: Arc::new(local),
        }
    }
}

/// Gives every part a bitmap; a bitmap is taken again once nobody needs what it holds. Rules keep theirs to the end.
fn assign_slots(nodes: &[Node], roots: &[u32]) -> (Vec<u32>, usize) {
    let mut last_use: Vec<usize> = (0..nodes.len()).collect();
    for (at, node) in nodes.iter().enumerate() {
        for operand in node.operands() {
            last_use[*operand as usize] = at;
        }
    }
    for root in roots {
        last_use[*root as usize] = usize::MAX;
    }
    let (mut slots, mut free, mut count) = (Vec::with_capacity(nodes.len()), Vec::new(), 0u32);
    for (at, node) in nodes.iter().enumerate() {
        slots.push(free.pop().unwrap_or_else(|| {
            count += 1;
            count - 1
        }));
        let mut ended: Vec<u32> = node.operands().to_vec();
        ended.sort_unstable();
        ended.dedup();
        free.extend(ended.iter().filter(|operand| last_use[**operand as usize] == at).map(|at| slots[*at as usize]));
        if last_use[at] == at {
            free.push(slots[at]);
        }
    }
    (slots, count as usize)
}
