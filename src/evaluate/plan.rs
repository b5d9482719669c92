//! Rules bound to the columns of one snapshot, at one minute. Evaluating them is `block`'s (everybody) and `profile`'s
//! (one).

use super::graph::{Binder, Builder, Graph, Node};
use super::leaf::{self, Leaf};
use super::local_time::LocalTime;
use super::moment::{Moment, moves};
use crate::audiences::rule::{EventTest, TraitTest};
use crate::audiences::{Audience, Catalogue, Expr};
use crate::schema::Timestamp;
use crate::snapshot::columns::Columns;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Rules bound to the columns of one snapshot, at one minute.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    pub(super) columns: &'a Columns<'a>,
    pub(super) graph: Graph<Leaf>,
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
        let roots = builder.all(dropped);
        Plan::new(builder, roots, now, zone)
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
        Plan::new(builder, roots, now, zone)
    }

    fn new(builder: Builder<'_, &'a Columns<'a>>, roots: Vec<u32>, now: Timestamp, zone: &TimeZone) -> Self {
        let (graph, columns) = builder.finish(roots);
        let (slots, slot_count) = assign_slots(&graph.nodes, &graph.roots);
        let local = LocalTime::new(zone);
        let moment = Moment::new(now, &graph.leaves, columns, &local);
        Plan { columns, graph, slots, slot_count, local: Arc::new(local), moment }
    }

    /// How many rules.
    pub fn len(&self) -> usize {
        self.graph.roots.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.graph.roots.is_empty()
    }

    /// How many different leaves are evaluated.
    pub fn leaves(&self) -> usize {
        self.graph.leaves.len()
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
        Moment::new(now, &self.graph.leaves, self.columns, &self.local)
    }

    /// By leaf: the rules that depend on it, if it can change while no data does.
    pub(super) fn dependents(&self) -> Vec<Vec<u32>> {
        self.graph.dependents(moves)
    }
}

/// Leaves that know where in the columns their values are.
impl<'a> Binder for &'a Columns<'a> {
    type Leaf = Leaf;

    fn constant(&mut self, truth: bool) -> Leaf {
        Leaf::Constant(truth)
    }

    fn truth(leaf: &Leaf) -> Option<bool> {
        match leaf {
            Leaf::Constant(truth) => Some(*truth),
            _ => None,
        }
    }

    fn sample(&mut self, name: u64, share: u32) -> Leaf {
        Leaf::Sample { name, share }
    }

    fn of_trait(&mut self, test: &TraitTest) -> Leaf {
        leaf::of_trait(test, self)
    }

    fn of_event(&mut self, test: &EventTest) -> Leaf {
        leaf::of_event(test, self)
    }

    fn list(&mut self, audience: &Audience) -> Leaf {
        self.find_list(audience.id.as_str()).map_or(Leaf::Constant(false), |column| Leaf::Listed { column })
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
