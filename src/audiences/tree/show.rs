//! A rule -> its tree.

use super::{Amount, Count, PropertyTest, Test, Tree, Value, When};
use crate::audiences::rule::{self, Compare, Expr, Literal};

impl Tree {
    /// The tree of a rule.
    pub fn of(expr: &Expr) -> Tree {
        let all = |parts: &[Expr]| parts.iter().map(Tree::of).collect();
        match expr {
            Expr::Everyone => Tree::Everyone,
            Expr::And(parts) => Tree::All { of: all(parts) },
            Expr::Or(parts) => Tree::Any { of: all(parts) },
            Expr::Not(inner) => Tree::Not { of: Box::new(Tree::of(inner)) },
            Expr::AtLeast(n, parts) => Tree::AtLeast { n: *n, of: all(parts) },
            Expr::InAudience(id) => Tree::Audience { id: id.to_string() },
            Expr::Sample(share, name) => Tree::Sample { percent: f64::from(*share) / 10_000.0, name: name.clone() },
            Expr::Trait(test) => Tree::Trait { name: test.name.clone(), test: Test::of(&test.test) },
            Expr::Event(event) => Tree::Event {
                name: event.name.clone(),
                filter: event.filter.iter().map(property).collect(),
                pick: event.pick,
                count: Count::of(&event.count),
                when: When::of(&event.when),
            },
        }
    }
}

fn property((name, test): &(String, rule::Test)) -> PropertyTest {
    PropertyTest { name: name.clone(), test: Test::of(test) }
}

impl Value {
    fn of(literal: &Literal) -> Value {
        match literal {
            Literal::Flag(flag) => Value::Flag(*flag),
            Literal::Number(number) => Value::Number(*number),
            Literal::Text(text) => Value::Text(text.clone()),
            Literal::Date(date) => Value::Date { date: date.to_string() },
        }
    }
}

impl Test {
    fn of(test: &rule::Test) -> Test {
        match test {
            rule::Test::IsTrue => Test::IsTrue,
            rule::Test::IsKnown => Test::IsKnown,
            rule::Test::Compare(compare, value) => {
                let value = Value::of(value);
                match compare {
                    Compare::Eq => Test::Eq { value },
                    Compare::Ne => Test::Ne { value },
                    Compare::Lt => Test::Lt { value },
                    Compare::Le => Test::Le { value },
                    Compare::Gt => Test::Gt { value },
                    Compare::Ge => Test::Ge { value },
                }
            }
            rule::Test::Between(from, to) => Test::Between { from: Value::of(from), to: Value::of(to) },
            rule::Test::In(values) => Test::In { values: values.iter().map(Value::of).collect() },
            rule::Test::HasAny(values) => Test::HasAny { values: values.clone() },
            rule::Test::HasAll(values) => Test::HasAll { values: values.clone() },
            rule::Test::Contains(value) => Test::Contains { value: value.clone() },
            rule::Test::StartsWith(value) => Test::StartsWith { value: value.clone() },
            rule::Test::MatchesAny(values) => Test::MatchesAny { values: values.clone() },
            rule::Test::Within(span) => Test::Within { span: span.to_string() },
            rule::Test::BeforeAgo(span) => Test::BeforeAgo { span: span.to_string() },
            rule::Test::Since(date) => Test::Since { date: date.to_string() },
        }
    }
}

impl Count {
    fn of(count: &rule::Count) -> Count {
        match count {
            rule::Count::Never => Count::Never,
            rule::Count::AtLeast(n) => Count::AtLeast { n: *n },
            rule::Count::AtMost(n) => Count::AtMost { n: *n },
            rule::Count::Exactly(n) => Count::Exactly { n: *n },
            rule::Count::Between(from, to) => Count::Between { from: *from, to: *to },
            rule::Count::Days(n) => Count::Days { n: *n },
            rule::Count::Aggregate(aggregate, property, compare, value) => {
                let amount = Amount { property: property.clone(), compare: compare.to_string(), value: *value };
                match aggregate {
                    rule::Aggregate::Sum => Count::Sum(amount),
                    rule::Aggregate::Avg => Count::Avg(amount),
                    rule::Aggregate::Min => Count::Min(amount),
                    rule::Aggregate::Max => Count::Max(amount),
                }
            }
            rule::Count::Distinct(n, property) => Count::Distinct { n: *n, property: property.clone() },
        }
    }
}

impl When {
    fn of(when: &rule::When) -> When {
        match when {
            rule::When::Ever => When::Ever,
            rule::When::Today => When::Today,
            rule::When::Within(span) => When::Within { span: span.to_string() },
            rule::When::BeforeAgo(span) => When::BeforeAgo { span: span.to_string() },
            rule::When::BetweenAgo(near, far) => When::BetweenAgo { from: near.to_string(), to: far.to_string() },
            rule::When::Since(date) => When::Since { date: date.to_string() },
            rule::When::BetweenDates(from, to) => When::BetweenDates { from: from.to_string(), to: to.to_string() },
        }
    }
}
