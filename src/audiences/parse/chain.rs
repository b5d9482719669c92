//! Conditions linked by `and` or `or`, and the two readings of a chain that mixes them.

use super::{NodeSpans, Parser};
use crate::audiences::Diagnostic;
use crate::audiences::diagnostic::nearest;
use crate::audiences::lex::Token;
use crate::audiences::rule::Expr;
use std::ops::Range;

/// `and` or `or`, and the number of its token.
type Link = (&'static str, usize);

impl Parser<'_> {
    /// `a and b and c`, `a or b or c`, or one condition.
    pub(super) fn chain(&mut self) -> Expr {
        let start = self.cursor.span().start;
        let (mut parts, mut ranges, mut links): (Vec<Expr>, Vec<Range<usize>>, Vec<Link>) = Default::default();
        loop {
            let from = self.cursor.at();
            parts.push(self.condition_or_recover());
            ranges.push(from..self.cursor.at());
            match self.link() {
                Some(link) => links.push(link),
                None => break,
            }
        }
        let Some((first, _)) = links.first().copied() else { return parts.swap_remove(0) };
        if let Some((_, at)) = links.iter().find(|(word, _)| *word != first) {
            self.mixed(*at, &ranges, &links);
        }
        self.node(start, NodeSpans::default());
        if first == "and" { Expr::And(parts) } else { Expr::Or(parts) }
    }

    /// The `and` or `or` that continues a chain; anything else but its end is an error.
    fn link(&mut self) -> Option<Link> {
        let mut complained = false;
        loop {
            let at = self.cursor.at();
            match self.cursor.token() {
                Token::Word(_) if self.cursor.accept("and") => return Some(("and", at)),
                Token::Word(_) if self.cursor.accept("or") => return Some(("or", at)),
                Token::End | Token::Close | Token::Comma => return None,
                _ if complained => return None,
                _ => {}
            }
            let found = self.cursor.found();
            let error = Diagnostic::error(
                "expected-and-or",
                self.cursor.span(),
                format!("expected `and` or `or`, found {found}"),
            );
            let near = self.cursor.word().and_then(|word| nearest(word, ["and", "or"]));
            self.errors.push(error.maybe_help(near.map(|word| format!("did you mean `{word}`?"))));
            complained = true;
            self.cursor.recover(at);
        }
    }

    /// Both readings of a chain that mixes `and` with `or`, as fixes.
    fn mixed(&mut self, at: usize, ranges: &[Range<usize>], links: &[Link]) {
        let span = self.cursor.span_of(at);
        let message = "`and` and `or` are mixed without parentheses: it can be read in two ways";
        self.errors.push(
            Diagnostic::error("mixed-and-or", span, message)
                .help(format!("either: {}", self.reading("and", ranges, links)))
                .help(format!("or:     {}", self.reading("or", ranges, links))),
        );
    }

    /// The chain as text with what `tight` links in parentheses.
    fn reading(&self, tight: &str, ranges: &[Range<usize>], links: &[Link]) -> String {
        let mut out = String::new();
        let mut open = false;
        for (at, range) in ranges.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| links.get(at)).map(|(word, _)| *word);
            let after = links.get(at).map(|(word, _)| *word);
            if let Some(word) = before {
                out.push_str(&format!(" {word} "));
            }
            if !open && after == Some(tight) {
                out.push('(');
                open = true;
            }
            out.push_str(&self.cursor.text_of(range.clone()));
            if open && after != Some(tight) {
                out.push(')');
                open = false;
            }
        }
        out
    }
}
