//! Reads events: `did NAME where ... COUNT WHEN`.

use super::cursor::Step;
use super::{NodeSpans, Parser};
use crate::audiences::Diagnostic;
use crate::audiences::lex::Token;
use crate::audiences::rule::{Aggregate, Count, EventTest, Expr, Pick, When};
use crate::schema::Span;

impl Parser<'_> {
    pub(super) fn event(&mut self, start: usize) -> Step<Expr> {
        let never = self.cursor.accept("never");
        let pick = match () {
            () if self.cursor.accept("first") => Pick::First,
            () if self.cursor.accept("last") => Pick::Last,
            () => Pick::All,
        };
        self.cursor.expect("did")?;
        if self.cursor.is("not") {
            return Err(self
                .cursor
                .expected("the name of an event")
                .help("write `never did NAME` or `not did NAME ...`"));
        }
        let (name, name_span) = self.name("the name of an event")?;
        let mut spans = NodeSpans { name: name_span, ..NodeSpans::default() };
        let mut filter = Vec::new();
        if self.cursor.accept("where") {
            self.filter(&mut filter, &mut spans)?;
        }
        let (mut count, mut when) = (None, None);
        loop {
            let from = self.cursor.span();
            if count.is_none() && self.count_follows() {
                count = Some(self.count(&mut spans)?);
                spans.count = from.start..self.cursor.end();
                if never {
                    let error = Diagnostic::error("never-counted", spans.count.clone(), "`never` takes no count");
                    return Err(error.help("write `did` to count, or leave the count out"));
                }
            } else if when.is_none() && self.when_follows() {
                when = Some(self.when()?);
                spans.when = from.start..self.cursor.end();
            } else {
                break;
            }
        }
        self.behind_an_event(&name)?;
        let count = count.unwrap_or(if never { Count::Never } else { Count::AtLeast(1) });
        self.node(start, spans);
        Ok(Expr::Event(EventTest { name, filter, pick, count, when: when.unwrap_or(When::Ever) }))
    }

    /// What follows an event is the end of the condition: otherwise a word was misspelt or an `and` forgotten.
    fn behind_an_event(&self, name: &str) -> Step<()> {
        let words = [
            "where", "once", "twice", "at", "exactly", "between", "on", "with", "within", "before", "since", "today",
            "and", "or",
        ];
        match self.cursor.token() {
            Token::End | Token::Close | Token::Comma => Ok(()),
            Token::Word(word) if word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or") => Ok(()),
            Token::Word(word) if words.iter().any(|known| known.eq_ignore_ascii_case(word)) => {
                let message =
                    format!("`{word}` cannot stand here: an event takes one `where`, then one count and one window");
                Err(Diagnostic::error("repeated", self.cursor.span(), message)
                    .help("write a second condition behind `and`"))
            }
            _ => {
                let what = format!("`where`, a count, a window, `and` or `or` behind `did {name}`");
                let error = self.cursor.expected(&what);
                Err(match self.cursor.word() {
                    Some(word) => error.nearest(word, words),
                    None => error,
                })
            }
        }
    }

    /// `PROP test [and PROP test ...]`: an `and` goes on with the `where` as long as a bare name follows it.
    fn filter(&mut self, filter: &mut Vec<(String, crate::audiences::rule::Test)>, spans: &mut NodeSpans) -> Step<()> {
        loop {
            let (property, name) = self.name("a property of the event")?;
            let (test, mut test_spans) = self.test(&property, true)?;
            if test_spans.test.is_empty() {
                test_spans.test = name.clone();
            }
            test_spans.name = name;
            spans.tests.push(test_spans);
            filter.push((property, test));
            if !(self.cursor.is("and") && self.property_behind_and()) {
                return Ok(());
            }
            self.cursor.advance();
        }
    }

    fn property_behind_and(&self) -> bool {
        let next = |keyword| self.cursor.peek_is(1, keyword);
        let behind = |keyword| self.cursor.peek_is(2, keyword);
        let condition = next("not")
            || next("did")
            || next("everyone")
            || (next("in") && (behind("audience") || behind("sample")))
            || (next("at") && behind("least"))
            || ((next("never") || next("first") || next("last")) && behind("did"));
        matches!(self.cursor.peek(1), Token::Word(_) | Token::Text(_)) && !condition
    }

    fn count_follows(&self) -> bool {
        let cursor = &self.cursor;
        let counted_between = cursor.is("between")
            && matches!(cursor.peek(1), Token::Number(_))
            && cursor.peek_is(2, "and")
            && { cursor.peek_is(4, "times") || cursor.peek_is(4, "time") };
        counted_between || ["once", "twice", "at", "exactly", "on", "with"].iter().any(|word| cursor.is(word))
    }

    fn when_follows(&self) -> bool {
        ["within", "before", "between", "since", "today"].iter().any(|word| self.cursor.is(word))
    }

    fn count(&mut self, spans: &mut NodeSpans) -> Step<Count> {
        let cursor = &mut self.cursor;
        if cursor.accept("once") {
            return Ok(Count::Exactly(1));
        }
        if cursor.accept("twice") {
            return Ok(Count::Exactly(2));
        }
        if cursor.accept("exactly") {
            return self.times(1, "`never did`").map(Count::Exactly);
        }
        if cursor.accept("between") {
            return self.between_times();
        }
        if cursor.accept("on") {
            let n = self.at_least()?;
            self.cursor.expect("different")?;
            if !self.cursor.accept("days") {
                self.cursor.expect("day")?;
            }
            return Ok(Count::Days(n));
        }
        if cursor.accept("with") {
            return self.with(spans);
        }
        cursor.expect("at")?;
        if cursor.accept("most") {
            return self.times(1, "`never did`").map(Count::AtMost);
        }
        if cursor.accept("least") {
            return self.times(1, "no count").map(Count::AtLeast);
        }
        Err(self.cursor.expected("`least` or `most` behind `at`"))
    }

    fn between_times(&mut self) -> Step<Count> {
        let start = self.cursor.span().start;
        let (low, _) = self.whole("a number of times")?;
        self.cursor.expect("and")?;
        let (high, _) = self.whole("a number of times")?;
        let span = start..self.cursor.end();
        self.cursor.advance();
        if low > high || high == 0 {
            let message = format!("no number lies between {low} and {high} times");
            return Err(Diagnostic::error("bad-count", span, message).help("write the smaller number first"));
        }
        Ok(Count::Between(low, high))
    }

    /// `N times`, `once`, `twice`; numbers below `least` are better said with `instead`.
    fn times(&mut self, least: u32, instead: &str) -> Step<u32> {
        if self.cursor.accept("once") {
            return Ok(1);
        }
        if self.cursor.accept("twice") {
            return Ok(2);
        }
        let (n, span) = self.whole("a number of times")?;
        if !self.cursor.accept("times") {
            self.cursor.expect("time")?;
        }
        if n < least {
            return Err(Diagnostic::error("bad-count", span, "0 times counts nothing").help(format!("use {instead}")));
        }
        Ok(n)
    }

    /// `at least N`, N >= 1
    fn at_least(&mut self) -> Step<u32> {
        self.cursor.expect("at")?;
        self.cursor.expect("least")?;
        let (n, span) = self.whole("a number")?;
        if n == 0 {
            return Err(Diagnostic::error("bad-count", span, "at least 0 always holds").help("use 1 or more"));
        }
        Ok(n)
    }

    /// Behind `with`: `sum of PROP >= V`, `at least N different PROP`.
    fn with(&mut self, spans: &mut NodeSpans) -> Step<Count> {
        if self.cursor.is("at") {
            let n = self.at_least()?;
            self.cursor.expect("different")?;
            let (property, span) = self.name("a property of the event")?;
            spans.property = span;
            return Ok(Count::Distinct(n, property));
        }
        let known =
            [("sum", Aggregate::Sum), ("avg", Aggregate::Avg), ("min", Aggregate::Min), ("max", Aggregate::Max)];
        let Some((_, aggregate)) = known.into_iter().find(|(word, _)| self.cursor.is(word)) else {
            return Err(self.cursor.expected("`sum`, `avg`, `min`, `max` or `at least N different`"));
        };
        self.cursor.advance();
        self.cursor.expect("of")?;
        let (property, span) = self.name("a property of the event")?;
        spans.property = span;
        let Token::Compare(compare) = *self.cursor.token() else {
            return Err(self.cursor.expected("`=`, `!=`, `<`, `<=`, `>` or `>=`"));
        };
        self.cursor.advance();
        let (value, _) = self.number("a number")?;
        Ok(Count::Aggregate(aggregate, property, compare, value))
    }

    fn when(&mut self) -> Step<When> {
        let cursor = &mut self.cursor;
        if cursor.accept("today") {
            return Ok(When::Today);
        }
        if cursor.accept("within") {
            return self.span().map(When::Within);
        }
        if cursor.accept("since") {
            return self.date().map(When::Since);
        }
        if cursor.accept("before") {
            if matches!(cursor.token(), Token::Date(_)) {
                let help = "for days use `between DATE and DATE`, both included";
                return Err(cursor.expected("a length of time and `ago`").help(help));
            }
            let span = self.span()?;
            self.cursor.expect("ago")?;
            return Ok(When::BeforeAgo(span));
        }
        cursor.expect("between")?;
        let start = cursor.span().start;
        if matches!(cursor.token(), Token::Date(_)) { self.between_dates(start) } else { self.between_ago(start) }
    }

    fn between_dates(&mut self, start: usize) -> Step<When> {
        let from = self.date()?;
        self.cursor.expect("and")?;
        let to = self.date()?;
        if from > to {
            let message = format!("no day lies between {from} and {to}");
            return Err(
                Diagnostic::error("bad-window", start..self.cursor.end(), message).help("write the earlier day first")
            );
        }
        Ok(When::BetweenDates(from, to))
    }

    fn between_ago(&mut self, start: usize) -> Step<When> {
        let unit = match (self.cursor.peek_is(1, "and"), self.cursor.peek(3)) {
            (true, Token::Word(word)) if Span::unit_seconds(word).is_some() => Some(word.as_str()),
            _ => None,
        };
        let near = self.span_or(unit)?;
        self.cursor.expect("and")?;
        let far = self.span()?;
        if !self.cursor.accept("ago") {
            return Err(self
                .cursor
                .expected("`ago`")
                .help("`between 2 and 7 days ago`; to count: `between 2 and 7 times`"));
        }
        if near >= far {
            let message = format!("no time lies between {near} and {far} ago");
            return Err(
                Diagnostic::error("bad-window", start..self.cursor.end(), message).help("write the shorter one first")
            );
        }
        Ok(When::BetweenAgo(near, far))
    }
}
