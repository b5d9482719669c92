//! JSON -> what is asked of a value, how many events there must be, and when.

use super::fields::{Fields, Placed, exactly};
use super::read::Reader;
use crate::audiences::lex;
use crate::audiences::parse::{MAX_LIST, MAX_SPAN};
use crate::audiences::rule::{Aggregate, Compare, Count, Date, Literal, Test, When};
use crate::schema::Span;
use serde_json::Value as Json;

const TESTS: [&str; 18] = [
    "is_true",
    "is_known",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "between",
    "in",
    "has_any",
    "has_all",
    "contains",
    "starts_with",
    "matches_any",
    "within",
    "before_ago",
    "since",
];
const COUNTS: [&str; 11] =
    ["never", "at_least", "at_most", "exactly", "between", "days", "sum", "avg", "min", "max", "distinct"];
const WHENS: [&str; 7] = ["ever", "today", "within", "before_ago", "between_ago", "since", "between_dates"];
const VALUE: (&str, &str) = ("the value is not given yet", "give a number, a text, a day, or true or false");
const TEXT: (&str, &str) = ("the text is not given yet", "give a text");
const SPAN: (&str, &str) = ("the time is not given yet", "give a time such as 7 days");
const DAY: (&str, &str) = ("the day is not given yet", "give a day such as 2026-11-30");

fn comparison(op: &str) -> Option<Compare> {
    Some(match op {
        "=" => Compare::Eq,
        "!=" => Compare::Ne,
        "<" => Compare::Lt,
        "<=" => Compare::Le,
        ">" => Compare::Gt,
        ">=" => Compare::Ge,
        _ => return None,
    })
}

impl Reader<'_> {
    /// The key `test`: of a trait, or of a property of an event.
    pub(super) fn test(&mut self, fields: &mut Fields<'_>, of_property: bool) -> Option<Test> {
        let missing = ("what is asked of it is not said yet", "choose a test");
        let (raw, at) = self.field(fields, "test", missing)?;
        let mut fields = self.fields(raw, &at, "{\"op\":\"is_known\"}")?;
        let op = self.form(&mut fields, "op", &TESTS)?;
        let test = self.test_of(&op, &mut fields);
        self.done(fields);
        let test = test?;
        if !of_property {
            return Some(test);
        }
        let says = "properties of events are no dates; the event's `when` says in which time it happened";
        match &test {
            Test::Within(_) | Test::BeforeAgo(_) | Test::Since(_) => {
                self.wrong("wrong-test", &format!("{at}/op"), says, "choose another test")
            }
            Test::Between(Literal::Date(_), _) => {
                self.wrong("wrong-value", &format!("{at}/from"), says, "give a number")
            }
            _ => Some(test),
        }
    }

    fn test_of(&mut self, op: &str, fields: &mut Fields<'_>) -> Option<Test> {
        if let Some(compare) = comparison(op) {
            return self.value(fields, "value").map(|value| Test::Compare(compare, value));
        }
        match op {
            "is_true" => Some(Test::IsTrue),
            "is_known" => Some(Test::IsKnown),
            "between" => {
                let (from, to) = (self.value(fields, "from"), self.value(fields, "to"));
                from.zip(to).map(|(from, to)| Test::Between(from, to))
            }
            "in" => self.several(fields, Self::literal).map(Test::In),
            "has_any" => self.several(fields, Self::text).map(Test::HasAny),
            "has_all" => self.several(fields, Self::text).map(Test::HasAll),
            "matches_any" => self.several(fields, Self::text).map(Test::MatchesAny),
            "contains" | "starts_with" => {
                let text = self.field(fields, "value", TEXT).and_then(|placed| self.text(placed))?;
                Some(if op == "contains" { Test::Contains(text) } else { Test::StartsWith(text) })
            }
            "within" => self.span(fields, "span").map(Test::Within),
            "before_ago" => self.span(fields, "span").map(Test::BeforeAgo),
            _ => self.day(fields, "date").map(Test::Since),
        }
    }

    /// The values of a list that has one or more.
    fn several<T>(
        &mut self,
        fields: &mut Fields<'_>,
        mut one: impl FnMut(&mut Self, Placed<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let empty = ("this list has no value yet", "add a value");
        let placed = self.field(fields, "values", empty)?;
        let items = self.list(&placed)?;
        if items.is_empty() {
            return self.wrong("missing-value", &placed.1, empty.0, empty.1);
        }
        if items.len() > MAX_LIST {
            let detail = format!("this list has {} values; at most {MAX_LIST} are read", items.len());
            return self.wrong("too-many-values", &placed.1, detail, "group values by a `map` in the source");
        }
        let read = items.into_iter().enumerate();
        let read: Vec<Option<T>> = read.map(|(at, raw)| one(self, (raw, format!("{}/{at}", placed.1)))).collect();
        read.into_iter().collect()
    }

    fn value(&mut self, fields: &mut Fields<'_>, key: &str) -> Option<Literal> {
        let placed = self.field(fields, key, VALUE)?;
        self.literal(placed)
    }

    fn literal(&mut self, (raw, at): Placed<'_>) -> Option<Literal> {
        let read = match serde_json::from_str(raw.get()) {
            Ok(Json::Bool(flag)) => Some(Literal::Flag(flag)),
            Ok(Json::Number(_)) => exactly(raw).map(Literal::Number),
            Ok(Json::String(text)) => Some(Literal::Text(text)),
            Ok(Json::Object(_)) => {
                let mut fields = self.fields(raw, &at, "{\"date\":\"2026-11-30\"}")?;
                let day = self.day(&mut fields, "date");
                self.done(fields);
                return day.map(Literal::Date);
            }
            Ok(Json::Null) => return self.wrong("missing-value", &at, VALUE.0, VALUE.1),
            _ => None,
        };
        match read {
            Some(literal) => Some(literal),
            None => self.wrong(
                "wrong-shape",
                &at,
                "a value is expected here",
                "a number, a text, true or false, or a day: {\"date\":\"2026-11-30\"}",
            ),
        }
    }

    fn day(&mut self, fields: &mut Fields<'_>, key: &str) -> Option<Date> {
        let (raw, at) = self.field(fields, key, DAY)?;
        let text = self.text((raw, at.clone()))?;
        match lex::date(&text) {
            Some(day) => Some(day),
            None if text.is_empty() => self.wrong("missing-value", &at, DAY.0, DAY.1),
            None => self.wrong("bad-date", &at, format!("there is no day `{text}`"), DAY.1),
        }
    }

    fn span(&mut self, fields: &mut Fields<'_>, key: &str) -> Option<Span> {
        let (raw, at) = self.field(fields, key, SPAN)?;
        let text = self.text((raw, at.clone()))?;
        match Span::parse(&text) {
            Some(span) if span.0 > 0 && span.0 % 60 == 0 && span.0 <= MAX_SPAN => Some(span),
            Some(_) => {
                let detail = "a time is one or more whole minutes, and at most 100 years";
                self.wrong("bad-duration", &at, detail, SPAN.1)
            }
            None => self.wrong("bad-duration", &at, format!("`{text}` is no length of time"), SPAN.1),
        }
    }

    pub(super) fn count(&mut self, (raw, at): Placed<'_>) -> Option<Count> {
        let mut fields = self.fields(raw, &at, "{\"op\":\"at_least\",\"n\":1}")?;
        let op = self.form(&mut fields, "op", &COUNTS)?;
        let count = match op.as_str() {
            "never" => Some(Count::Never),
            "at_least" => self.whole(&mut fields, "n", 1).map(Count::AtLeast),
            "at_most" => self.whole(&mut fields, "n", 1).map(Count::AtMost),
            "exactly" => self.whole(&mut fields, "n", 1).map(Count::Exactly),
            "days" => self.whole(&mut fields, "n", 1).map(Count::Days),
            "between" => self.times(&mut fields),
            "distinct" => {
                let n = self.whole(&mut fields, "n", 1);
                let property = self.name(&mut fields, "property", "a property");
                n.zip(property).map(|(n, property)| Count::Distinct(n, property))
            }
            "sum" => self.amount(&mut fields, Aggregate::Sum),
            "avg" => self.amount(&mut fields, Aggregate::Avg),
            "min" => self.amount(&mut fields, Aggregate::Min),
            _ => self.amount(&mut fields, Aggregate::Max),
        };
        self.done(fields);
        count
    }

    fn times(&mut self, fields: &mut Fields<'_>) -> Option<Count> {
        let (from, to) = (self.whole(fields, "from", 0), self.whole(fields, "to", 1));
        let (from, to) = from.zip(to)?;
        if from > to {
            let detail = format!("no number lies between {from} and {to} times");
            return self.wrong("bad-count", &format!("{}/to", fields.at), detail, "put the smaller number first");
        }
        Some(Count::Between(from, to))
    }

    fn amount(&mut self, fields: &mut Fields<'_>, aggregate: Aggregate) -> Option<Count> {
        let property = self.name(fields, "property", "a property");
        let compare = self.form(fields, "compare", &["=", "!=", "<", "<=", ">", ">="]);
        let missing = ("the number is not given yet", "give a number");
        let value = self.field(fields, "value", missing).and_then(|placed| self.number(placed));
        let (property, (compare, value)) = property.zip(compare.and_then(|op| comparison(&op)).zip(value))?;
        Some(Count::Aggregate(aggregate, property, compare, value))
    }

    pub(super) fn when(&mut self, (raw, at): Placed<'_>) -> Option<When> {
        let mut fields = self.fields(raw, &at, "{\"op\":\"ever\"}")?;
        let op = self.form(&mut fields, "op", &WHENS)?;
        let when = match op.as_str() {
            "ever" => Some(When::Ever),
            "today" => Some(When::Today),
            "within" => self.span(&mut fields, "span").map(When::Within),
            "before_ago" => self.span(&mut fields, "span").map(When::BeforeAgo),
            "since" => self.day(&mut fields, "date").map(When::Since),
            "between_ago" => {
                let (from, to) = (self.span(&mut fields, "from"), self.span(&mut fields, "to"));
                match from.zip(to) {
                    Some((from, to)) if from >= to => {
                        self.backwards(&at, format!("no time lies between {from} and {to} ago"))
                    }
                    both => both.map(|(from, to)| When::BetweenAgo(from, to)),
                }
            }
            _ => {
                let (from, to) = (self.day(&mut fields, "from"), self.day(&mut fields, "to"));
                match from.zip(to) {
                    Some((from, to)) if from > to => {
                        self.backwards(&at, format!("no day lies between {from} and {to}"))
                    }
                    both => both.map(|(from, to)| When::BetweenDates(from, to)),
                }
            }
        };
        self.done(fields);
        when
    }

    fn backwards<T>(&mut self, at: &str, detail: String) -> Option<T> {
        self.wrong("bad-window", &format!("{at}/to"), detail, "swap the two")
    }
}
