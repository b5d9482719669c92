//! Rows into graph and columns: where what `collect` reads meets what `profiles` keeps.

use crate::collect::{Batch, Cell, ConsentKind, Row, RowKind};
use crate::config::{LinkLevel, Loaded};
use crate::error::Result;
use crate::profiles::{Consents, EventColumn, Graph, Lists, Node, Saying, Traits, Value, Witness};
use crate::schema::TraitKind;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that came so far, by row.
pub(super) struct Fold {
    pub(super) graph: Graph,
    pub(super) traits: Traits,
    /// By event number.
    pub(super) events: Vec<EventColumn>,
    pub(super) lists: Lists,
    pub(super) consents: Consents,
    /// Which sources feed a list: audience id -> positions in the configuration.
    pub(super) list_sources: BTreeMap<String, BTreeSet<u16>>,
    /// By source.
    priorities: Vec<i32>,
    /// The numbers of a batch's identifiers.
    numbers: Vec<u32>,
}

impl Fold {
    /// Nothing yet; columns for everything that is declared.
    pub(super) fn new(loaded: &Loaded) -> Self {
        let kinds: Vec<TraitKind> = loaded.declarations.traits.iter().map(|decl| decl.kind).collect();
        let column = |properties: &[crate::schema::PropDecl]| {
            EventColumn::new(properties.iter().map(|property| (property.name.clone(), property.kind)))
        };
        Fold {
            graph: Graph::new(),
            traits: Traits::new(&kinds),
            events: loaded.declarations.events.iter().map(|decl| column(&decl.properties)).collect(),
            lists: Lists::default(),
            consents: Consents::default(),
            list_sources: BTreeMap::new(),
            priorities: loaded.config.sources.iter().map(|source| source.priority).collect(),
            numbers: Vec::new(),
        }
    }

    /// Adds the rows of a batch.
    pub(super) fn add(&mut self, batch: &Batch) -> Result<()> {
        let mut numbers = std::mem::take(&mut self.numbers);
        numbers.clear();
        self.graph.number(batch.keys.iter().map(|id| (id.key, id.id_type)), &mut numbers)?;
        for name in &batch.lists {
            self.list_sources.entry(name.clone()).or_default().insert(batch.source);
        }
        for row in &batch.rows {
            self.row(batch, row, &numbers[row.keys_start as usize..row.keys_end as usize])?;
        }
        self.numbers = numbers;
        Ok(())
    }

    fn row(&mut self, batch: &Batch, row: &Row, ids: &[u32]) -> Result<()> {
        let witness = match row.kind {
            RowKind::Link { level: LinkLevel::Household } => {
                self.graph.household();
                return Ok(());
            }
            RowKind::Link { level: LinkLevel::Person | LinkLevel::Device } => Witness::Link,
            RowKind::Consent { .. } => Witness::Consent,
            RowKind::Profile | RowKind::Event { .. } | RowKind::Membership { .. } => Witness::Person,
        };
        let node = self.graph.row(ids, witness)?;
        let cells = || batch.cells(row).iter().map(|&(number, cell)| (usize::from(number), value(batch, cell)));
        match row.kind {
            RowKind::Profile => self.profile(batch.source, node, row.time, cells()),
            RowKind::Event { event, id } => self.events[usize::from(event)].push(node, row.time, id, cells()),
            RowKind::Membership { list, remove, ttl_minutes } => {
                self.lists.push(&batch.lists[usize::from(list)], node, row.time, remove, ttl_minutes);
                Ok(())
            }
            RowKind::Consent { what } => {
                self.consents.push(node, ids, row.time, saying(what));
                Ok(())
            }
            RowKind::Link { .. } => Ok(()),
        }
    }

    fn profile<'a>(
        &mut self,
        source: u16,
        node: Node,
        time: i64,
        cells: impl Iterator<Item = (usize, Value<'a>)>,
    ) -> Result<()> {
        self.traits.row(node, time, self.priorities[usize::from(source)])?;
        cells.for_each(|(number, value)| self.traits.set(number, value));
        Ok(())
    }
}

fn value(batch: &Batch, cell: Cell) -> Value<'_> {
    match cell {
        Cell::Flag(flag) => Value::Flag(flag),
        Cell::Number(number) => Value::Number(number),
        Cell::Date(days) => Value::Date(days),
        Cell::Text { .. } => Value::Text(batch.text(cell)),
    }
}

fn saying(what: ConsentKind) -> Saying {
    match what {
        ConsentKind::ObjectMarketing => Saying::Objects { marketing: true, profiling: false },
        ConsentKind::ObjectProfiling => Saying::Objects { marketing: false, profiling: true },
        ConsentKind::ObjectAll => Saying::Objects { marketing: true, profiling: true },
        ConsentKind::Consent => Saying::Consents,
        ConsentKind::Refusal => Saying::Refuses,
    }
}
