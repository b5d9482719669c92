//! Where a rule's characters stand in the file: plain, quoted and block scalars are folded and unescaped by YAML.

use super::node::{Node, Value};
use std::ops::Range;

/// Maps byte offsets of a scalar's value to byte offsets of its file.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// For each byte of the value, its byte in the file; then the end.
    bytes: Vec<usize>,
}

impl Place {
    /// Aligns a scalar's value with its source: blanks are loose, and each other character stands for its next occurrence.
    /// That is exact for plain and block scalars, and for quoted ones but for characters written as numeric escapes.
    pub(super) fn new(file: &str, node: &Node) -> Place {
        let Value::Scalar { text, block } = &node.value else { return Place { bytes: vec![node.span.start] } };
        let raw = file.get(node.span.clone()).unwrap_or("");
        // The indicator line of a block scalar is not part of the value.
        let header = if *block && raw.starts_with(['|', '>']) { raw.find('\n').map_or(0, |at| at + 1) } else { 0 };
        let mut at = node.span.start + header;
        let mut bytes = Vec::with_capacity(text.len() + 1);
        for c in text.chars() {
            let rest = file.get(at..node.span.end).unwrap_or("");
            let found = if c.is_whitespace() { None } else { rest.find(c) };
            let here = at + found.unwrap_or(0);
            let length = c.len_utf8();
            bytes.extend((0..length).map(|byte| if found.is_some() { here + byte } else { here }));
            if found.is_some() {
                at = here + length;
            }
        }
        bytes.push(at);
        Place { bytes }
    }

    /// The bytes of the file that a range of the value stands for.
    pub(super) fn map(&self, range: &Range<usize>) -> Range<usize> {
        let at = |offset: usize| self.bytes[offset.min(self.bytes.len() - 1)];
        let start = at(range.start);
        // The byte behind the last one: exact when the range ends in the middle of folded blanks.
        let end = if range.end > range.start { at(range.end - 1) + 1 } else { start };
        start..end.max(start)
    }
}
