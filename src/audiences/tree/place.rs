//! Where in a tree a place of its text is.

use crate::audiences::parse::{NodeSpans, Parsed};
use crate::audiences::rule::Expr;
use crate::audiences::typecheck::visit;
use std::ops::Range;

/// A JSON pointer to each node of a rule's own tree: children before their parent, left to right.
pub fn pointers(expr: &Expr) -> Vec<String> {
    let mut found = Vec::new();
    gather(expr, String::new(), &mut found);
    found
}

fn gather(expr: &Expr, at: String, found: &mut Vec<String>) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) | Expr::AtLeast(_, parts) => {
            parts.iter().enumerate().for_each(|(number, part)| gather(part, format!("{at}/of/{number}"), found));
        }
        Expr::Not(inner) => gather(inner, format!("{at}/of"), found),
        _ => {}
    }
    found.push(at);
}

/// The pointer to the smallest part of a tree that has the whole span of the text.
pub fn of_span(parsed: &Parsed, pointers: &[String], span: &Range<usize>) -> Option<String> {
    let mut best: Option<(usize, &Expr, &NodeSpans, usize)> = None;
    let mut number = 0;
    visit(parsed, &mut |expr, spans| {
        let length = spans.whole.len();
        if holds(&spans.whole, span) && best.is_none_or(|(least, ..)| length < least) {
            best = Some((length, expr, spans, number));
        }
        number += 1;
    });
    let (_, expr, spans, number) = best?;
    Some(format!("{}{}", pointers.get(number)?, part(expr, spans, span)))
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && !outer.is_empty()
}

fn part(expr: &Expr, spans: &NodeSpans, span: &Range<usize>) -> String {
    let at = |outer: &Range<usize>| holds(outer, span);
    match expr {
        Expr::InAudience(_) if at(&spans.name) => "/id".to_owned(),
        Expr::Trait(_) | Expr::Event(_) | Expr::Sample(..) if at(&spans.name) => "/name".to_owned(),
        Expr::Trait(_) if spans.tests.iter().any(|test| at(&test.test)) => "/test".to_owned(),
        Expr::Event(_) => {
            let tests = spans.tests.iter().enumerate();
            let mut of_tests = tests.filter_map(|(number, test)| match () {
                () if at(&test.name) => Some(format!("/where/{number}/name")),
                () if at(&test.test) => Some(format!("/where/{number}/test")),
                () => None,
            });
            match of_tests.next() {
                Some(found) => found,
                None if at(&spans.property) => "/count/property".to_owned(),
                None if at(&spans.count) => "/count".to_owned(),
                None if at(&spans.when) => "/when".to_owned(),
                None => String::new(),
            }
        }
        _ => String::new(),
    }
}
