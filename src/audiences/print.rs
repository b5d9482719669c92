//! Tree -> text, on one line: the inverse of `parse`.

use super::lex::is_bare_word;
use super::rule::{Aggregate, Compare, Count, Date, EventTest, Expr, Literal, Pick, Rule, Test, TraitTest, When};
use std::fmt::{self, Write};

/// The text of a tree: `parse` reads it back as the same tree.
pub fn print(expr: &Expr) -> String {
    expr.to_string()
}

/// Words that mean something somewhere: a name or text that is one of them is printed in quotes.
pub(super) const KEYWORDS: &[&str] = &[
    "ago",
    "all",
    "and",
    "any",
    "at",
    "audience",
    "avg",
    "before",
    "between",
    "contains",
    "day",
    "days",
    "did",
    "different",
    "everyone",
    "exactly",
    "false",
    "first",
    "has",
    "hour",
    "hours",
    "in",
    "is",
    "known",
    "last",
    "least",
    "matches",
    "max",
    "min",
    "minute",
    "minutes",
    "month",
    "most",
    "never",
    "not",
    "of",
    "on",
    "once",
    "or",
    "sample",
    "second",
    "seconds",
    "since",
    "starts",
    "sum",
    "than",
    "then",
    "time",
    "times",
    "today",
    "true",
    "twice",
    "week",
    "weeks",
    "where",
    "with",
    "within",
];

/// Whether a word means something somewhere.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Everyone => f.write_str("everyone"),
            Expr::And(parts) => chain(f, parts, " and "),
            Expr::Or(parts) => chain(f, parts, " or "),
            Expr::Not(inner) => {
                f.write_str("not ")?;
                operand(f, inner, false)
            }
            Expr::AtLeast(n, parts) => {
                write!(f, "at least {n} of (")?;
                list(f, parts, |f, part| part.fmt(f))?;
                f.write_char(')')
            }
            Expr::InAudience(id) => {
                f.write_str("in audience ")?;
                text(f, id.as_str())
            }
            Expr::Sample(share, name) => {
                write!(f, "in sample {}% of ", percent(*share))?;
                quoted(f, name)
            }
            Expr::Trait(test) => test.fmt(f),
            Expr::Event(test) => test.fmt(f),
        }
    }
}

fn percent(millionths: u32) -> String {
    let text = format!("{}.{:04}", millionths / 10_000, millionths % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn chain(f: &mut fmt::Formatter<'_>, parts: &[Expr], between: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        operand(f, part, true)?;
    }
    Ok(())
}

/// A part of something larger: in parentheses where it would otherwise run into its neighbours.
fn operand(f: &mut fmt::Formatter<'_>, part: &Expr, neighbours: bool) -> fmt::Result {
    let chain = matches!(part, Expr::And(_) | Expr::Or(_));
    if chain || (neighbours && ends_in_where(part)) { write!(f, "({part})") } else { write!(f, "{part}") }
}

/// Whether an `and` behind it would continue its `where`.
fn ends_in_where(expr: &Expr) -> bool {
    match expr {
        Expr::Not(inner) => ends_in_where(inner),
        Expr::Event(test) => {
            let counted = !matches!(test.count, Count::Never | Count::AtLeast(1));
            !test.filter.is_empty() && !counted && test.when == When::Ever
        }
        _ => false,
    }
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    item: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (at, each) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        item(f, each)?;
    }
    Ok(())
}

fn texts(f: &mut fmt::Formatter<'_>, items: &[String]) -> fmt::Result {
    f.write_char('(')?;
    list(f, items, |f, item| text(f, item))?;
    f.write_char(')')
}

/// A text or name: without quotes where it reads back as itself.
fn text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let means_something = is_keyword(text) || crate::schema::Span::parse(text).is_some();
    if is_bare_word(text) && !means_something { f.write_str(text) } else { quoted(f, text) }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = jiff::civil::date(1970, 1, 1);
        match epoch.checked_add(jiff::Span::new().try_days(self.0).unwrap_or_default()) {
            Ok(day) => write!(f, "{day}"),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compare::Eq => "=",
            Compare::Ne => "!=",
            Compare::Lt => "<",
            Compare::Le => "<=",
            Compare::Gt => ">",
            Compare::Ge => ">=",
        })
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Aggregate::Sum => "sum",
            Aggregate::Avg => "avg",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
        })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Flag(flag) => write!(f, "{flag}"),
            Literal::Number(number) => write!(f, "{number}"),
            Literal::Text(value) => text(f, value),
            Literal::Date(date) => date.fmt(f),
        }
    }
}

impl fmt::Display for TraitTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text(f, &self.name)?;
        self.test.fmt(f)
    }
}

/// What follows the name, with a blank in front.
impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::IsTrue => Ok(()),
            Test::IsKnown => f.write_str(" is known"),
            Test::Compare(compare, value) => write!(f, " {compare} {value}"),
            Test::Between(low, high) => write!(f, " between {low} and {high}"),
            Test::In(values) => {
                f.write_str(" in (")?;
                list(f, values, |f, value| value.fmt(f))?;
                f.write_char(')')
            }
            Test::HasAny(values) => match values.as_slice() {
                [one] => {
                    f.write_str(" has ")?;
                    text(f, one)
                }
                _ => {
                    f.write_str(" has any ")?;
                    texts(f, values)
                }
            },
            Test::HasAll(values) => {
                f.write_str(" has all ")?;
                texts(f, values)
            }
            Test::Contains(part) => {
                f.write_str(" contains ")?;
                quoted(f, part)
            }
            Test::StartsWith(part) => {
                f.write_str(" starts with ")?;
                quoted(f, part)
            }
            Test::MatchesAny(patterns) => {
                f.write_str(" matches any of (")?;
                list(f, patterns, |f, pattern| quoted(f, pattern))?;
                f.write_char(')')
            }
            Test::Within(span) => write!(f, " within {span}"),
            Test::BeforeAgo(span) => write!(f, " before {span} ago"),
            Test::Since(date) => write!(f, " since {date}"),
        }
    }
}

impl fmt::Display for EventTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == Count::Never {
            f.write_str("never ")?;
        }
        f.write_str(match self.pick {
            Pick::All => "did ",
            Pick::First => "first did ",
            Pick::Last => "last did ",
        })?;
        text(f, &self.name)?;
        for (at, (property, test)) in self.filter.iter().enumerate() {
            f.write_str(if at == 0 { " where " } else { " and " })?;
            text(f, property)?;
            test.fmt(f)?;
        }
        count(f, &self.count)?;
        when(f, &self.when)
    }
}

fn count(f: &mut fmt::Formatter<'_>, count: &Count) -> fmt::Result {
    let times = |n: &u32| if *n == 1 { "time" } else { "times" };
    match count {
        Count::Never | Count::AtLeast(1) => Ok(()),
        Count::AtLeast(n) => write!(f, " at least {n} {}", times(n)),
        Count::AtMost(n) => write!(f, " at most {n} {}", times(n)),
        Count::Exactly(1) => f.write_str(" once"),
        Count::Exactly(2) => f.write_str(" twice"),
        Count::Exactly(n) => write!(f, " exactly {n} {}", times(n)),
        Count::Between(low, high) => write!(f, " between {low} and {high} times"),
        Count::Days(n) => write!(f, " on at least {n} different days"),
        Count::Aggregate(aggregate, property, compare, value) => {
            write!(f, " with {aggregate} of ")?;
            text(f, property)?;
            write!(f, " {compare} {value}")
        }
        Count::Distinct(n, property) => {
            write!(f, " with at least {n} different ")?;
            text(f, property)
        }
    }
}

fn when(f: &mut fmt::Formatter<'_>, when: &When) -> fmt::Result {
    match when {
        When::Ever => Ok(()),
        When::Within(span) => write!(f, " within {span}"),
        When::BeforeAgo(span) => write!(f, " before {span} ago"),
        When::BetweenAgo(near, far) => write!(f, " between {near} and {far} ago"),
        When::Since(date) => write!(f, " since {date}"),
        When::BetweenDates(from, to) => write!(f, " between {from} and {to}"),
        When::Today => f.write_str(" today"),
    }
}
