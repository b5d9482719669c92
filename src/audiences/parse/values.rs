//! Reads names, values, lengths of time, and the tests of one value.

use super::cursor::{Cursor, Step};
use super::{MAX_LIST, Parser, TestSpans, is_linking};
use crate::audiences::Diagnostic;
use crate::audiences::lex::Token;
use crate::audiences::rule::{Compare, Date, Literal, Test};
use crate::schema::Span;
use std::ops::Range;

/// Words that can follow a trait's name.
pub(super) const TESTS: &[&str] =
    &["between", "in", "is", "has", "contains", "starts", "matches", "within", "before", "since", "and", "or"];

/// The longest length of time: a hundred years.
pub const MAX_SPAN: i64 = 36_525 * 86_400;

type Spanned<T> = (T, Range<usize>);

/// What to do about tests that other languages have.
pub(super) fn advice(cursor: &Cursor, name: &str) -> Option<String> {
    if cursor.is("not") {
        return Some(format!("`not` stands in front: `not {name} in (...)`; it also holds where `{name}` is unknown"));
    }
    if cursor.is("like") {
        return Some("write `contains \"...\"`, `starts with \"...\"` or `matches any of (\"a*\", ...)`".to_owned());
    }
    (cursor.is("did")).then(|| "put `and` or `or` between two conditions".to_owned())
}

impl Parser<'_> {
    /// A name: a word, or in quotes when it is also a keyword or a number.
    pub(super) fn name(&mut self, what: &str) -> Step<Spanned<String>> {
        let name = match self.cursor.token() {
            Token::Word(word) if !is_linking(word) => word.clone(),
            Token::Text(text) if text.is_empty() => {
                return Err(self.cursor.expected(what).help("a name has one or more characters"));
            }
            Token::Text(text) => text.clone(),
            Token::Number(_) | Token::Date(_) => {
                return Err(self.cursor.expected(what).help("put names that look like numbers in quotes"));
            }
            _ => return Err(self.cursor.expected(what)),
        };
        Ok((name, self.took()))
    }

    /// A text: a word, or anything in quotes.
    pub(super) fn text(&mut self, what: &str) -> Step<Spanned<String>> {
        let text = match self.cursor.token() {
            Token::Word(word) if !is_linking(word) => word.clone(),
            Token::Text(text) => text.clone(),
            Token::Number(_) | Token::Date(_) => {
                let help = format!("put it in quotes: \"{}\"", self.cursor.found().trim_matches('`'));
                return Err(self.cursor.expected(what).help(help));
            }
            _ => return Err(self.cursor.expected(what)),
        };
        Ok((text, self.took()))
    }

    /// The span of the token here, going past it.
    fn took(&mut self) -> Range<usize> {
        let span = self.cursor.span();
        self.cursor.advance();
        span
    }

    pub(super) fn number(&mut self, what: &str) -> Step<Spanned<f64>> {
        match *self.cursor.token() {
            Token::Number(number) => Ok((number, self.took())),
            _ => Err(self.cursor.expected(what)),
        }
    }

    /// A whole number of things.
    pub(super) fn whole(&mut self, what: &str) -> Step<Spanned<u32>> {
        let (number, span) = self.number(what)?;
        if number.fract() == 0.0 && (0.0..=1e9).contains(&number) {
            return Ok((number as u32, span));
        }
        let message = format!("expected {what}: a whole number from 0 to 1000000000");
        Err(Diagnostic::error("bad-number", span, message))
    }

    pub(super) fn date(&mut self) -> Step<Date> {
        match *self.cursor.token() {
            Token::Date(date) => {
                self.cursor.advance();
                Ok(date)
            }
            _ => Err(self.cursor.expected("a date").help("dates are written YEAR-MONTH-DAY, such as 2026-11-30")),
        }
    }

    fn value(&mut self) -> Step<Spanned<Literal>> {
        let literal = match self.cursor.token() {
            Token::Number(number) => Literal::Number(*number),
            Token::Date(date) => Literal::Date(*date),
            Token::Text(text) => Literal::Text(text.clone()),
            Token::Word(word) if word.eq_ignore_ascii_case("true") => Literal::Flag(true),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => Literal::Flag(false),
            Token::Word(word) if !is_linking(word) => Literal::Text(word.clone()),
            _ => {
                return Err(self
                    .cursor
                    .expected("a value")
                    .help("a number, a word, a \"text\", a date, true or false"));
            }
        };
        Ok((literal, self.took()))
    }

    /// A length of time: `7 days`, `7d`.
    pub(super) fn span(&mut self) -> Step<Span> {
        self.span_or(None)
    }

    /// A length of time; a number without a unit takes `unit` (from the second of two), if there is one.
    pub(super) fn span_or(&mut self, unit: Option<&str>) -> Step<Span> {
        let start = self.cursor.span();
        let length = match self.cursor.token() {
            Token::Number(number) => {
                let number = *number;
                self.cursor.advance();
                let behind = self.cursor.word().filter(|word| Span::unit_seconds(word).is_some());
                if behind.is_some() {
                    self.cursor.advance();
                }
                let Some(unit) = behind.or(unit) else { return Err(self.no_unit()) };
                whole_span(number, unit)
            }
            Token::Word(word) if word.starts_with(|c: char| c.is_ascii_digit()) => {
                let length = Span::parse(word);
                if length.is_none() {
                    return Err(self.cursor.expected("a length of time such as `7 days` or `24h`"));
                }
                self.cursor.advance();
                length
            }
            _ => return Err(self.cursor.expected("a length of time such as `7 days` or `24h`")),
        };
        let span = start.start..self.cursor.end();
        match length {
            Some(length) if length.0 % 60 != 0 || length.0 <= 0 => {
                let message = "a length of time is one or more whole minutes";
                Err(Diagnostic::error("bad-duration", span, message))
            }
            Some(length) if length.0 <= MAX_SPAN => Ok(length),
            _ => {
                Err(Diagnostic::error("bad-duration", span, "a length of time is a whole number of at most 100 years"))
            }
        }
    }

    fn no_unit(&self) -> Diagnostic {
        let units = ["minutes", "hours", "days", "weeks"];
        let error = self.cursor.expected("`minutes`, `hours`, `days` or `weeks`");
        match self.cursor.word() {
            Some(word) if word.to_ascii_lowercase().starts_with("month") => error.help("a month is `30 days`"),
            Some(word) if word.to_ascii_lowercase().starts_with("year") => error.help("a year is `365 days`"),
            Some(word) => error.nearest(word, units),
            None => error,
        }
    }

    /// What is asked of the value named before; within a `where`, what can also begin a count or a window is left alone.
    pub(super) fn test(&mut self, name: &str, in_where: bool) -> Step<(Test, TestSpans)> {
        let start = self.cursor.span().start;
        let mut values = Vec::new();
        let test = self.test_and_values(name, in_where, &mut values)?;
        let end = if test == Test::IsTrue { start } else { self.cursor.end() };
        Ok((test, TestSpans { name: 0..0, test: start..end, values }))
    }

    fn test_and_values(&mut self, name: &str, in_where: bool, values: &mut Vec<Range<usize>>) -> Step<Test> {
        if let Token::Compare(compare) = *self.cursor.token() {
            return self.compared(compare, values);
        }
        if self.cursor.is("between") && !(in_where && self.between_counts()) {
            return self.between(values);
        }
        if self.cursor.is("is") {
            return self.known(name);
        }
        if self.cursor.accept("in") {
            return self.list("a value", values, Self::value).map(Test::In);
        }
        if self.cursor.accept("has") {
            return self.has(values);
        }
        let text = "a text in quotes";
        if self.cursor.accept("contains") {
            return self.one(text, values).map(Test::Contains);
        }
        if self.cursor.accept("starts") {
            self.cursor.expect("with")?;
            return self.one(text, values).map(Test::StartsWith);
        }
        if self.cursor.accept("matches") {
            if self.cursor.accept("any") {
                self.cursor.expect("of")?;
                return self.texts(values).map(Test::MatchesAny);
            }
            return self.one(text, values).map(|pattern| Test::MatchesAny(vec![pattern]));
        }
        if in_where { Ok(Test::IsTrue) } else { self.date_test() }
    }

    fn date_test(&mut self) -> Step<Test> {
        if self.cursor.accept("within") {
            return self.span().map(Test::Within);
        }
        if self.cursor.accept("before") {
            if matches!(self.cursor.token(), Token::Date(_)) {
                let help = format!("write `< {}`", self.cursor.found().trim_matches('`'));
                return Err(self.cursor.expected("a length of time and `ago`").help(help));
            }
            let span = self.span()?;
            self.cursor.expect("ago")?;
            return Ok(Test::BeforeAgo(span));
        }
        if self.cursor.accept("since") {
            return self.date().map(Test::Since);
        }
        Ok(Test::IsTrue)
    }

    fn compared(&mut self, compare: Compare, values: &mut Vec<Range<usize>>) -> Step<Test> {
        self.cursor.advance();
        let (value, span) = self.value()?;
        values.push(span);
        Ok(Test::Compare(compare, value))
    }

    fn between(&mut self, values: &mut Vec<Range<usize>>) -> Step<Test> {
        self.cursor.advance();
        let (low, low_span) = self.value()?;
        self.cursor.expect("and")?;
        let (high, high_span) = self.value()?;
        values.extend([low_span, high_span]);
        Ok(Test::Between(low, high))
    }

    /// Whether the `between` here counts times or spans time, and so ends the `where`.
    fn between_counts(&self) -> bool {
        let is_unit = |ahead| match self.cursor.peek(ahead) {
            Token::Word(word) => Span::unit_seconds(word).is_some() || word.to_ascii_lowercase().starts_with("time"),
            _ => false,
        };
        let glued = |ahead| matches!(self.cursor.peek(ahead), Token::Word(word) if Span::parse(word).is_some());
        let second = if is_unit(2) { 4 } else { 3 };
        matches!(self.cursor.peek(1), Token::Date(_)) || glued(1) || is_unit(2) || is_unit(second + 1) || glued(second)
    }

    fn known(&mut self, name: &str) -> Step<Test> {
        self.cursor.advance();
        if self.cursor.accept("known") {
            return Ok(Test::IsKnown);
        }
        let error = self.cursor.expected("`known` behind `is`");
        Err(if self.cursor.is("not") || self.cursor.is("unknown") {
            error.help(format!("write `not {name} is known`"))
        } else {
            error.help(format!("a value is compared with `=`: `{name} = ...`"))
        })
    }

    fn has(&mut self, values: &mut Vec<Range<usize>>) -> Step<Test> {
        let list_follows = *self.cursor.peek(1) == Token::Open;
        if list_follows && self.cursor.accept("any") {
            return self.texts(values).map(Test::HasAny);
        }
        if list_follows && self.cursor.accept("all") {
            return self.texts(values).map(Test::HasAll);
        }
        if *self.cursor.token() == Token::Open {
            return Err(self.cursor.expected("a value, `any (...)` or `all (...)`"));
        }
        self.one("a value", values).map(|value| Test::HasAny(vec![value]))
    }

    fn one(&mut self, what: &str, values: &mut Vec<Range<usize>>) -> Step<String> {
        let (text, span) = self.text(what)?;
        values.push(span);
        Ok(text)
    }

    fn texts(&mut self, values: &mut Vec<Range<usize>>) -> Step<Vec<String>> {
        self.list("a text", values, |parser| parser.text("a text"))
    }

    /// `(a, b, c)`: at least one.
    fn list<T>(
        &mut self,
        what: &str,
        values: &mut Vec<Range<usize>>,
        item: impl Fn(&mut Self) -> Step<Spanned<T>>,
    ) -> Step<Vec<T>> {
        let open = self.cursor.span();
        if *self.cursor.token() != Token::Open {
            return Err(self.cursor.expected(&format!("`(` and {what}")).help("a list is written (a, b, c)"));
        }
        let mut items = Vec::new();
        loop {
            self.cursor.advance();
            let (value, span) = item(self)?;
            items.push(value);
            values.push(span);
            if *self.cursor.token() != Token::Comma {
                break;
            }
        }
        if items.len() > MAX_LIST {
            let message = format!("this list has {} values; at most {MAX_LIST} are read", items.len());
            return Err(
                Diagnostic::error("too-many-values", open, message).help("group values by a `map` in the source")
            );
        }
        self.close(open)?;
        Ok(items)
    }
}

fn whole_span(number: f64, unit: &str) -> Option<Span> {
    if number.fract() != 0.0 || !(0.0..=1e12).contains(&number) {
        return None;
    }
    (number as i64).checked_mul(Span::unit_seconds(unit)?).map(Span)
}
