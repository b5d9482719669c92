//! The syntax tree of a rule: what a planner wrote, without positions. Printing and parsing are inverse on it.
//!
//! Windows are half-open: at instant `now`, `within D` means `now - D < time <= now`, `before D ago` means
//! `time <= now - D`, `between D1 and D2 ago` (D1 < D2) means `now - D2 < time <= now - D1`. Future events do not count
//! until their time has come. `today` starts at local midnight.

use crate::schema::{AudienceId, Span};
use serde::{Deserialize, Serialize};

/// A rule as stored in the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rule(pub Expr);

/// A condition on a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// `everyone`
    Everyone,
    /// `a and b and c`: at least two.
    And(Vec<Expr>),
    /// `a or b or c`: at least two.
    Or(Vec<Expr>),
    /// `not a`
    Not(Box<Expr>),
    /// `at least N of (a, b, c)`
    AtLeast(u32, Vec<Expr>),
    /// `in audience ID`; the id is resolved to `owner/id`.
    InAudience(AudienceId),
    /// `in sample 10% of "name"`: keyed and stable. The share is in millionths.
    Sample(u32, String),
    /// A test of a trait.
    Trait(TraitTest),
    /// A test of events.
    Event(EventTest),
}

/// A test of a trait. On an unknown value every test is false (`is known` included).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraitTest {
    /// The trait's name.
    pub name: String,
    /// What is asked of it.
    pub test: Test,
}

/// A question to one value. The same for traits and event properties; which tests a kind admits is the type check's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// The bare name: a flag that is true.
    IsTrue,
    /// `is known`
    IsKnown,
    /// `= 5`, `!= "x"`, `< 2026-01-01`
    Compare(Compare, Literal),
    /// `between A and B`, both included.
    Between(Literal, Literal),
    /// `in (A, B)`
    In(Vec<Literal>),
    /// `has V`, `has any (...)`: at least one of them (tags).
    HasAny(Vec<String>),
    /// `has all (...)` (tags).
    HasAll(Vec<String>),
    /// `contains "x"`: case-insensitive, on any tag or the category.
    Contains(String),
    /// `starts with "x"`: case-insensitive.
    StartsWith(String),
    /// `matches any of ("a*", "b")`: case-insensitive, `*` stands for any run of characters.
    MatchesAny(Vec<String>),
    /// A date `within D`: its local midnight.
    Within(Span),
    /// A date `before D ago`.
    BeforeAgo(Span),
    /// A date `since DATE`, included.
    Since(Date),
}

/// Comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Compare {
    /// `=`
    Eq,
    /// `!=`: false on unknown.
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// `true` or `false`
    Flag(bool),
    /// `5`, `-1.5`
    Number(f64),
    /// `Lombardia` or `"two words"`
    Text(String),
    /// `2026-11-01`
    Date(Date),
}

/// A calendar day: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(pub i32);

/// A test of events: of those named `name` that pass every property test, those in the window are counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventTest {
    /// The event's name.
    pub name: String,
    /// `where PROP test and ...`: all must hold.
    pub filter: Vec<(String, Test)>,
    /// `first did`, `last did`: only the earliest or latest of the filtered events is looked at.
    pub pick: Pick,
    /// How many (or how much) must be in the window.
    pub count: Count,
    /// The window.
    pub when: When,
}

/// Which of the filtered events are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// Every one.
    All,
    /// The earliest that has happened (of all time; then the window is tested).
    First,
    /// The latest that has happened.
    Last,
}

/// A condition on the events in the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// `never did`: none. (Without a count, `did` is `AtLeast(1)`; `once` is `Exactly(1)`, `twice` is `Exactly(2)`.)
    Never,
    /// `at least N times`, N >= 1
    AtLeast(u32),
    /// `at most N times`: includes never.
    AtMost(u32),
    /// `exactly N times`
    Exactly(u32),
    /// `between A and B times`, both included.
    Between(u32, u32),
    /// `on at least N different days` (local days).
    Days(u32),
    /// `with sum of PROP >= V`: over events whose PROP is known; false when there are none.
    Aggregate(Aggregate, String, Compare, f64),
    /// `with at least N different PROP`: distinct known values.
    Distinct(u32, String),
}

/// How a number property is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// The sum.
    Sum,
    /// The mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

/// The window in which events count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Whenever until now.
    Ever,
    /// `within D`
    Within(Span),
    /// `before D ago`
    BeforeAgo(Span),
    /// `between D1 and D2 ago`, D1 < D2
    BetweenAgo(Span, Span),
    /// `since DATE`: from its local midnight.
    Since(Date),
    /// `between DATE and DATE`: both days included.
    BetweenDates(Date, Date),
    /// `today`: since local midnight.
    Today,
}

/// Everything a rule looks at directly (not through other audiences), each name once, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leaves<'a> {
    /// Names of traits.
    pub traits: std::collections::BTreeSet<&'a str>,
    /// Names of events.
    pub events: std::collections::BTreeSet<&'a str>,
    /// Audiences, lists included.
    pub audiences: std::collections::BTreeSet<&'a AudienceId>,
}

/// What a rule looks at: for staleness, permitted uses and the order of evaluation.
pub fn leaves(expr: &Expr) -> Leaves<'_> {
    let mut found = Leaves::default();
    gather(expr, &mut found);
    found
}

fn gather<'a>(expr: &'a Expr, found: &mut Leaves<'a>) {
    match expr {
        Expr::Everyone | Expr::Sample(..) => {}
        Expr::And(parts) | Expr::Or(parts) | Expr::AtLeast(_, parts) => {
            parts.iter().for_each(|part| gather(part, found))
        }
        Expr::Not(inner) => gather(inner, found),
        Expr::InAudience(id) => {
            found.audiences.insert(id);
        }
        Expr::Trait(test) => {
            found.traits.insert(&test.name);
        }
        Expr::Event(test) => {
            found.events.insert(&test.name);
        }
    }
}
