//! Reading a map key by key: every unknown, missing, repeated or wrong key is said, not only the first.

use super::node::{Node, Value};
use crate::audiences::Diagnostic;
use crate::schema::{Span, Timestamp, names::is_name};
use jiff::tz::TimeZone;
use std::ops::Range;

/// What [`times`] expects.
pub(super) const TIMES: &str = "a whole number from 1 to 1000";

/// How often at most: so many times are remembered of each person.
pub(super) fn times(text: &str) -> Option<u32> {
    text.parse().ok().filter(|n| (1..=1_000).contains(n))
}

/// What [`instant`] expects.
pub(super) const INSTANT: &str = "a day such as 2026-11-30, or a time such as 2026-11-30T18:00:00Z";

/// A day's local midnight (of the next day, when the day is the last one), or an instant as written.
pub(super) fn instant(text: &str, zone: &TimeZone, last: bool) -> Option<Timestamp> {
    if let Some(instant) = Timestamp::parse(text) {
        return Some(instant);
    }
    crate::audiences::lex::date(text)?;
    let day: jiff::civil::Date = text.parse().ok()?;
    let day = if last { day.tomorrow().ok()? } else { day };
    let midnight = day.to_zoned(zone.clone()).ok()?;
    Some(Timestamp(midnight.timestamp().as_second()))
}

/// The map of one definition, and what was wrong in it.
pub(super) struct Fields<'a, 'd> {
    what: &'static str,
    span: Range<usize>,
    entries: Vec<(&'a str, &'a Node)>,
    pub(super) found: &'d mut Vec<Diagnostic>,
}

impl<'a, 'd> Fields<'a, 'd> {
    /// The map of `what` ("an audience"), which has only `known` keys.
    pub(super) fn read(
        node: &'a Node,
        what: &'static str,
        known: &[&str],
        found: &'d mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            let message = format!("expected {what} as a map of {}, found {}", known.join(", "), node.shape());
            found.push(Diagnostic::error("wrong-shape", node.span.clone(), message));
            return None;
        };
        let mut fields = Fields { what, span: node.span.clone(), entries: Vec::new(), found };
        for (key, value) in entries {
            let Some(name) = key.text() else {
                fields.error(
                    "unknown-key",
                    key.span.clone(),
                    format!("{what} has keys that are words, not {}", key.shape()),
                );
                continue;
            };
            if fields.entries.iter().any(|(other, _)| *other == name) {
                fields.error("repeated-key", key.span.clone(), format!("`{name}` stands here for the second time"));
            } else if known.contains(&name) {
                fields.entries.push((name, value));
            } else {
                let error = Diagnostic::error("unknown-key", key.span.clone(), format!("{what} has no `{name}`"));
                let error = error.nearest(name, known.iter().copied());
                let listed = error.help.is_empty().then(|| format!("its keys: {}", known.join(", ")));
                fields.found.push(error.maybe_help(listed));
            }
        }
        Some(fields)
    }

    pub(super) fn error(&mut self, code: &'static str, span: Range<usize>, message: String) {
        self.found.push(Diagnostic::error(code, span, message));
    }

    fn wrong(&mut self, key: &str, node: &Node, expected: &str) {
        let found = node.text().map_or_else(|| node.shape().to_owned(), |text| format!("`{}`", clip(text)));
        self.error("wrong-value", node.span.clone(), format!("`{key}` is {expected}; found {found}"));
    }

    /// The value of a key that is there and not empty.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        let node = self.entries.iter().find(|(name, _)| *name == key)?.1;
        (!matches!(node.value, Value::Nothing)).then_some(node)
    }

    /// The place of a key's value, or of the whole definition.
    pub(super) fn span_of(&self, key: &str) -> Range<usize> {
        self.get(key).map_or_else(|| first_line(&self.span), |node| node.span.clone())
    }

    /// A value read by `read`; says what was `expected` when it cannot be read.
    pub(super) fn parsed<T>(&mut self, key: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let node = self.get(key)?;
        let value = node.text().and_then(read);
        if value.is_none() {
            self.wrong(key, node, expected);
        }
        value
    }

    /// Says that a key is missing.
    pub(super) fn require(&mut self, key: &str, example: &str) {
        if self.get(key).is_none() {
            let message = format!("{} needs `{key}`", self.what);
            let error = Diagnostic::error("missing-key", first_line(&self.span), message);
            self.found.push(error.help(format!("such as `{key}: {example}`")));
        }
    }

    /// A required name (id, owner).
    pub(super) fn name(&mut self, key: &str, example: &str) -> Option<String> {
        self.require(key, example);
        let expected = "a name: 1 to 100 letters, digits, `_`, `-`, `.`, beginning with a letter or digit";
        self.parsed(key, expected, |text| is_name(text).then(|| text.to_owned()))
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.parsed(key, "a text of 1 to 1000 characters", |text| {
            (!text.trim().is_empty() && text.chars().count() <= 1_000).then(|| text.to_owned())
        })
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        self.parsed(key, "true or false", |text| match text {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        })
    }

    pub(super) fn span(&mut self, key: &str) -> Option<Span> {
        self.parsed(key, "a length of time such as `30 days`, `24h` or `20m`", |text| {
            Span::parse(text).filter(|s| s.0 > 0)
        })
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let names = choices.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        self.parsed(key, &format!("one of {names}"), |text| {
            choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice)
        })
    }

    /// The items of a list; a missing key is an empty list.
    pub(super) fn list(&mut self, key: &str) -> &'a [Node] {
        match self.get(key) {
            None => &[],
            Some(Node { value: Value::List(items), .. }) => items,
            Some(node) => {
                self.wrong(key, node, "a list");
                &[]
            }
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &str) -> Vec<(String, Range<usize>)> {
        let mut texts = Vec::new();
        for item in self.list(key) {
            match item.text() {
                Some(text) => texts.push((text.to_owned(), item.span.clone())),
                None => self.wrong(key, item, "a list of texts"),
            }
        }
        texts
    }
}

fn clip(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("{short}...") } else { short }
}

/// Only the beginning of a long definition, so that a caret and not a page is drawn.
fn first_line(span: &Range<usize>) -> Range<usize> {
    span.start..span.start
}
