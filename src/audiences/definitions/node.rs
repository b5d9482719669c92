//! YAML -> a tree of nodes that know where they stand. The YAML itself is read by the parser inside `serde-saphyr`;
//! deserialising straight into types would stop at the first error, and planners get all of them at once.

use crate::audiences::Diagnostic;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::HashMap;
use std::ops::Range;

/// The most nodes a file may have, aliases written out.
const MAX_NODES: usize = 2_000_000;

/// A part of a file.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    /// Its bytes.
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing, or `null`.
    Nothing,
    /// A text, number or flag; `block` = written as `|` or `>`.
    Scalar {
        text: String,
        block: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(super) fn shape(&self) -> &'static str {
        match self.value {
            Value::Nothing => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// The documents of a file, up to the first error of its YAML.
pub(super) fn read(text: &str) -> (Vec<Node>, Option<Diagnostic>) {
    let mut builder = Builder { text, stack: Vec::new(), documents: Vec::new(), anchors: HashMap::new(), nodes: 0 };
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => builder.event(event, &span),
            Err(error) => {
                let at = offset(text, error.marker().index(), error.marker().byte_offset());
                Err(Diagnostic::error("bad-yaml", at..at, format!("this is not YAML: {}", error.info())))
            }
        };
        if let Err(error) = step {
            return (builder.documents, Some(error));
        }
    }
    (builder.documents, None)
}

fn offset(text: &str, chars: usize, bytes: Option<usize>) -> usize {
    bytes.unwrap_or_else(|| text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)).min(text.len())
}

struct Open {
    items: Vec<Node>,
    map: bool,
    start: usize,
    anchor: usize,
}

struct Builder<'a> {
    text: &'a str,
    stack: Vec<Open>,
    documents: Vec<Node>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl Builder<'_> {
    fn event(&mut self, event: Event, span: &Span) -> Result<(), Diagnostic> {
        let start = offset(self.text, span.start.index(), span.start.byte_offset());
        let end = offset(self.text, span.end.index(), span.end.byte_offset()).max(start);
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let value = if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
                    Value::Nothing
                } else {
                    let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                    Value::Scalar { text: text.into_owned(), block }
                };
                self.add(Node { value, span: start..end }, anchor, 1)
            }
            Event::SequenceStart(_, anchor, _) => self.open(false, start, anchor),
            Event::MappingStart(_, anchor, _) => self.open(true, start, anchor),
            Event::SequenceEnd | Event::MappingEnd => self.close(end),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((node, nodes)) => self.add(node, 0, nodes),
                None => Err(Diagnostic::error("bad-yaml", start..end, "this alias names no finished anchor")),
            },
            _ => Ok(()),
        }
    }

    fn open(&mut self, map: bool, start: usize, anchor: usize) -> Result<(), Diagnostic> {
        self.stack.push(Open { items: Vec::new(), map, start, anchor });
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), Diagnostic> {
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let value = if open.map {
            let mut items = open.items.into_iter();
            let mut entries = Vec::new();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                entries.push((key, value));
            }
            Value::Map(entries)
        } else {
            Value::List(open.items)
        };
        self.add(Node { value, span: open.start..end.max(open.start) }, open.anchor, 1)
    }

    /// Adds a node to the open list or map. `nodes`: how many it counts as.
    fn add(&mut self, node: Node, anchor: usize, nodes: usize) -> Result<(), Diagnostic> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            let message = format!("this file has more than {MAX_NODES} parts, aliases written out");
            return Err(Diagnostic::error("too-large", node.span, message).help("split it into several files"));
        }
        if anchor != 0 {
            let nodes = count(&node);
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
        match self.stack.last_mut() {
            Some(open) => open.items.push(node),
            None => self.documents.push(node),
        }
        Ok(())
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.value {
        Value::Nothing | Value::Scalar { .. } => 0,
        Value::List(items) => items.iter().map(count).sum(),
        Value::Map(entries) => entries.iter().map(|(key, value)| count(key) + count(value)).sum(),
    }
}
