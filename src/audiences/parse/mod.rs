//! Text -> tree with spans: not, parentheses, and the conditions that can stand between `and` and `or`. `chain` links them,
//! `event` reads events, `values` reads tests and values, `cursor` moves over the tokens. Why by hand:
//! docs/decisions/0002-hand-written-parser.md.

mod chain;
mod cursor;
mod event;
#[cfg(test)]
pub(super) mod tests;
mod values;

use super::lex::{Token, lex};
use super::rule::{Expr, TraitTest};
use super::{Diagnostic, diagnostic::nearest, print::is_keyword};
use crate::schema::AudienceId;
use cursor::{Cursor, Step};
use std::ops::Range;
pub use values::MAX_SPAN;

/// The longest rule, in bytes.
pub const MAX_BYTES: usize = 64 << 10;
/// The deepest nesting of parentheses, `not` and `at least N of`.
pub const MAX_DEPTH: usize = 64;
/// The most conditions in a rule.
pub const MAX_NODES: usize = 10_000;
/// The most values in one list.
pub const MAX_LIST: usize = 5_000;

/// A tree and where its parts stand in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The tree.
    pub expr: Expr,
    /// One entry a node of the tree, children before their parent, left to right.
    pub spans: Vec<NodeSpans>,
}

/// Where the parts of one node stand (byte ranges); parts that the node does not have are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeSpans {
    /// The node with its children.
    pub whole: Range<usize>,
    /// The trait, event, audience or sample name.
    pub name: Range<usize>,
    /// A trait's test, or an event's property tests.
    pub tests: Vec<TestSpans>,
    /// An event's count.
    pub count: Range<usize>,
    /// The property that the count looks at.
    pub property: Range<usize>,
    /// An event's window.
    pub when: Range<usize>,
}

/// Where the parts of one test stand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestSpans {
    /// The tested trait or property.
    pub name: Range<usize>,
    /// The operator and its values; the name for a bare name.
    pub test: Range<usize>,
    /// Each value.
    pub values: Vec<Range<usize>>,
}

/// Reads a rule. References without an owner are resolved to `owner`'s.
///
/// # Errors
/// Everything that is wrong, in the order of the text.
pub fn parse(text: &str, owner: &str) -> Result<Parsed, Vec<Diagnostic>> {
    match parse_what_can_be(text, owner) {
        (Some(parsed), errors) if errors.is_empty() => Ok(parsed),
        (_, errors) => Err(errors),
    }
}

/// As [`parse`], but where the text has a tree at all it comes with the errors, `everyone` in the place of what could not
/// be read: so that names are checked in the same run.
pub fn parse_what_can_be(text: &str, owner: &str) -> (Option<Parsed>, Vec<Diagnostic>) {
    if text.len() > MAX_BYTES {
        let message = format!("this rule has {} bytes; at most {MAX_BYTES} are read", text.len());
        let error = Diagnostic::error("too-long", 0..0, message);
        return (None, vec![error.help("split it into audiences, or upload long lists of values as a list")]);
    }
    let tokens = match lex(text) {
        Ok(tokens) => tokens,
        Err(errors) => return (None, errors),
    };
    let mut parser =
        Parser { cursor: Cursor::new(text, &tokens), owner, depth: 0, spans: Vec::new(), errors: Vec::new() };
    let expr = parser.rule();
    (Some(Parsed { expr, spans: parser.spans }), parser.errors)
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    owner: &'a str,
    depth: usize,
    spans: Vec<NodeSpans>,
    errors: Vec<Diagnostic>,
}

impl Parser<'_> {
    fn rule(&mut self) -> Expr {
        if *self.cursor.token() == Token::End {
            let help = "write a condition such as `age >= 18`, or `everyone`";
            self.errors.push(Diagnostic::error("empty-rule", self.cursor.span(), "the rule is empty").help(help));
            self.node(0, NodeSpans::default());
            return Expr::Everyone;
        }
        let mut expr = self.chain();
        while *self.cursor.token() != Token::End {
            let found = self.cursor.found();
            let error =
                Diagnostic::error("unexpected", self.cursor.span(), format!("{found} has nothing to close here"));
            self.errors.push(error.help("remove it, or open a parenthesis before"));
            self.cursor.advance();
            if *self.cursor.token() != Token::End && self.errors.len() < 50 {
                let _ = self.cursor.accept("and") || self.cursor.accept("or");
                self.spans.clear();
                expr = self.chain();
            }
        }
        expr
    }

    fn node(&mut self, start: usize, spans: NodeSpans) {
        self.spans.push(NodeSpans { whole: start..self.cursor.end(), ..spans });
        if self.spans.len() == MAX_NODES + 1 {
            let message = format!("this rule has more than {MAX_NODES} conditions");
            self.errors
                .push(Diagnostic::error("too-many-conditions", start..start, message).help("split it into audiences"));
            self.cursor.skip_to_end();
        }
    }

    fn condition_or_recover(&mut self) -> Expr {
        let (from, nodes) = (self.cursor.at(), self.spans.len());
        self.condition().unwrap_or_else(|error| {
            self.errors.push(error);
            self.cursor.recover(from);
            self.spans.truncate(nodes);
            self.spans.push(NodeSpans::default());
            Expr::Everyone
        })
    }

    /// One condition, perhaps with `not` in front.
    fn condition(&mut self) -> Step<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("this rule is nested more than {MAX_DEPTH} deep");
            let error = Diagnostic::error("too-deep", self.cursor.span(), message).help("name its parts as audiences");
            self.cursor.skip_to_end();
            self.depth -= 1;
            return Err(error);
        }
        let start = self.cursor.span().start;
        let expr = if self.cursor.accept("not") {
            self.condition().map(|inner| {
                self.node(start, NodeSpans::default());
                Expr::Not(Box::new(inner))
            })
        } else {
            self.primary(start)
        };
        self.depth -= 1;
        expr
    }

    fn primary(&mut self, start: usize) -> Step<Expr> {
        let cursor = &mut self.cursor;
        if *cursor.token() == Token::Open {
            return self.parentheses();
        }
        if cursor.accept("everyone") {
            self.node(start, NodeSpans::default());
            return Ok(Expr::Everyone);
        }
        if cursor.is("in") && !matches!(cursor.peek(1), Token::Compare(_)) {
            cursor.advance();
            return self.in_something(start);
        }
        if cursor.is("at") && cursor.peek_is(1, "least") {
            return self.at_least_of(start);
        }
        let picks = cursor.is("first") || cursor.is("last") || cursor.is("never");
        if cursor.is("did") || (picks && cursor.peek_is(1, "did")) {
            return self.event(start);
        }
        self.trait_test(start)
    }

    fn parentheses(&mut self) -> Step<Expr> {
        let open = self.cursor.span();
        self.cursor.advance();
        let expr = self.chain();
        if *self.cursor.token() == Token::Comma {
            let error = Diagnostic::error("unexpected", self.cursor.span(), "expected `and`, `or` or `)`, found `,`");
            return Err(error.help("a list of values follows `in`; a list of conditions follows `at least N of`"));
        }
        self.close(open)?;
        Ok(expr)
    }

    /// The `)` of the `(` at `open`.
    fn close(&mut self, open: Range<usize>) -> Step<()> {
        match self.cursor.token() {
            Token::Close => {
                self.cursor.advance();
                Ok(())
            }
            Token::End => Err(Diagnostic::error("unclosed", open, "this parenthesis is never closed").help("add `)`")),
            _ => Err(self.cursor.expected("`,` or `)`")),
        }
    }

    /// Behind `in`: `audience ID` or `sample N% of "name"`.
    fn in_something(&mut self, start: usize) -> Step<Expr> {
        if self.cursor.accept("audience") {
            let (reference, name) = self.name("the id of an audience")?;
            self.node(start, NodeSpans { name, ..NodeSpans::default() });
            return Ok(Expr::InAudience(AudienceId::resolve(&reference, self.owner)));
        }
        if self.cursor.accept("sample") {
            return self.sample(start);
        }
        let known = ["audience", "sample"];
        let near = self.cursor.word().and_then(|word| nearest(word, known));
        let help = near.map_or_else(
            || "`in audience ID`, `in sample 10% of \"name\"`; values are tested with a trait in front: `region in (...)`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Err(self.cursor.expected("`audience` or `sample` behind `in`").help(help))
    }

    fn sample(&mut self, start: usize) -> Step<Expr> {
        let (share, span) = self.number("a share such as 10%")?;
        if *self.cursor.token() != Token::Percent {
            return Err(self.cursor.expected("`%`").help("a share is written `10%`"));
        }
        self.cursor.advance();
        let millionths = (share * 10_000.0).round();
        if !(1.0..=1_000_000.0).contains(&millionths) || (share * 10_000.0 - millionths).abs() > 1e-6 {
            let message = "a share lies between 0.0001% and 100%, with at most four decimals";
            return Err(Diagnostic::error("bad-share", span, message));
        }
        self.cursor.expect("of")?;
        let (sample, name) = self.text("the sample's name in quotes")?;
        self.node(start, NodeSpans { name, ..NodeSpans::default() });
        Ok(Expr::Sample(millionths as u32, sample))
    }

    /// `at least N of (a, b, c)`
    fn at_least_of(&mut self, start: usize) -> Step<Expr> {
        self.cursor.expect("at")?;
        self.cursor.expect("least")?;
        let (n, span) = self.whole("how many of the conditions must hold")?;
        if !self.cursor.is("of") {
            let help = "`at least 2 of (rule, rule, rule)`; to count events put the event in front: `did NAME at least 2 times`";
            return Err(self.cursor.expected("`of`").help(help));
        }
        self.cursor.advance();
        let open = self.cursor.span();
        if *self.cursor.token() != Token::Open {
            return Err(self.cursor.expected("`(` and the conditions"));
        }
        self.cursor.advance();
        let mut parts = vec![self.chain()];
        while *self.cursor.token() == Token::Comma {
            self.cursor.advance();
            parts.push(self.chain());
        }
        self.close(open)?;
        if n == 0 || n as usize > parts.len() {
            let always = if n == 0 { "always" } else { "never" };
            let message = format!("at least {n} of {} conditions {always} hold", parts.len());
            return Err(Diagnostic::error("bad-count", span, message).help(format!("use 1 to {}", parts.len())));
        }
        self.node(start, NodeSpans::default());
        Ok(Expr::AtLeast(n, parts))
    }

    fn trait_test(&mut self, start: usize) -> Step<Expr> {
        let quoted = matches!(self.cursor.token(), Token::Text(_));
        if let Some(word) = self.cursor.word().filter(|word| !quoted && is_linking(word)) {
            let message = format!("expected a condition, found `{word}`");
            return Err(Diagnostic::error("expected-condition", self.cursor.span(), message));
        }
        let (name, span) = self.name("a condition")?;
        let (test, mut spans) = self.test(&name, false)?;
        spans.name = span.clone();
        self.behind_a_bare_name(&name, &test, quoted)?;
        if spans.test.is_empty() {
            spans.test = span.clone();
        }
        self.node(start, NodeSpans { name: span, tests: vec![spans], ..NodeSpans::default() });
        Ok(Expr::Trait(TraitTest { name, test }))
    }

    /// A bare name must be followed by the end of the condition: otherwise an operator or a keyword was misspelt.
    fn behind_a_bare_name(&self, name: &str, test: &super::rule::Test, quoted: bool) -> Step<()> {
        let ends = match self.cursor.token() {
            Token::End | Token::Close | Token::Comma => true,
            Token::Word(word) => is_linking(word),
            _ => false,
        };
        if ends || *test != super::rule::Test::IsTrue {
            return Ok(());
        }
        let starters = ["did", "never", "first", "last", "not", "in", "everyone"];
        let near_name = if quoted || is_keyword(name) { None } else { nearest(name, starters) };
        let near_test = self.cursor.word().and_then(|word| nearest(word, values::TESTS.iter().copied()));
        let error =
            self.cursor.expected(&format!("a test of `{name}` (`=`, `between`, `in`, `is known` ...), `and` or `or`"));
        Err(match near_test.or(near_name) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.maybe_help(values::advice(&self.cursor, name)),
        })
    }
}

/// Words that cannot be a name or value without quotes, since that is nearly always a forgotten one.
fn is_linking(word: &str) -> bool {
    ["and", "or"].iter().any(|link| link.eq_ignore_ascii_case(word))
}
