//! A rule as a tree in JSON, for tools that draw it: `{"is":"all","of":[{"is":"trait","name":"age","test":{"op":">=","value":18}}]}`.
//! Both ways are total: every rule that the parser accepts is a tree and comes back as the same; every tree is a rule that prints
//! as a text that parses as the same, or is refused with everything that is wrong, each at its JSON pointer.
//!
//! Contents: this file has the tree's form; `show` a rule -> a tree; [`mod@read`] JSON -> a rule (`leaf`: its tests, counts and
//! windows; `fields`: keys, and what is missing); [`place`] where in the tree a place of the text is.

mod fields;
mod leaf;
pub mod place;
pub mod read;
mod show;
#[cfg(test)]
mod tests;

pub use read::{Misfit, Reading, read};

use super::rule::Pick;
use serde::Serialize;
use utoipa::ToSchema;

/// A rule as a tree: a node is a group of conditions or one condition.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = RuleTree)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Tree {
    /// Everybody.
    Everyone,
    /// All of these hold.
    All {
        /// One or more.
        #[schema(no_recursion)]
        of: Vec<Tree>,
    },
    /// One or more of these hold.
    Any {
        /// One or more.
        #[schema(no_recursion)]
        of: Vec<Tree>,
    },
    /// This does not hold.
    Not {
        /// What.
        #[schema(no_recursion)]
        of: Box<Tree>,
    },
    /// At least so many of these hold.
    AtLeast {
        /// From 1 to as many as there are.
        n: u32,
        /// One or more.
        #[schema(no_recursion)]
        of: Vec<Tree>,
    },
    /// In an audience.
    Audience {
        /// `owner/id`, or `id` of the same owner.
        #[schema(example = "acme/vip")]
        id: String,
    },
    /// In a sample that stays the same.
    Sample {
        /// From 0.0001 to 100, with at most four decimals.
        percent: f64,
        /// The sample's name: another name draws other people.
        name: String,
    },
    /// A trait passes a test.
    Trait {
        /// The trait.
        #[schema(example = "age")]
        name: String,
        /// What is asked of it.
        test: Test,
    },
    /// Events happened, or did not.
    Event {
        /// The event.
        #[schema(example = "purchase")]
        name: String,
        /// Only those whose properties pass all of these.
        #[serde(rename = "where")]
        filter: Vec<PropertyTest>,
        /// `all`; `first` or `last`: only the earliest or the latest of them is looked at.
        #[schema(value_type = String, example = "all")]
        pick: Pick,
        /// How many, or how much.
        count: Count,
        /// In which time.
        when: When,
    },
}

/// What is asked of a property of an event.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = RulePropertyTest)]
pub struct PropertyTest {
    /// The property.
    pub name: String,
    /// What is asked of it: nothing of dates.
    pub test: Test,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = RuleValue)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A day.
    Date {
        /// Such as `2026-11-30`.
        #[schema(format = Date)]
        date: String,
    },
}

/// What is asked of a trait or a property.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = RuleTest)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Test {
    /// It is a flag that is true.
    IsTrue,
    /// It is known.
    IsKnown,
    /// It is this.
    #[serde(rename = "=")]
    Eq {
        /// What.
        value: Value,
    },
    /// It is known and not this.
    #[serde(rename = "!=")]
    Ne {
        /// What.
        value: Value,
    },
    /// It is less.
    #[serde(rename = "<")]
    Lt {
        /// Than what.
        value: Value,
    },
    /// It is not more.
    #[serde(rename = "<=")]
    Le {
        /// Than what.
        value: Value,
    },
    /// It is more.
    #[serde(rename = ">")]
    Gt {
        /// Than what.
        value: Value,
    },
    /// It is not less.
    #[serde(rename = ">=")]
    Ge {
        /// Than what.
        value: Value,
    },
    /// It lies between two values, both included.
    Between {
        /// The smaller.
        from: Value,
        /// The larger.
        to: Value,
    },
    /// It is one of these.
    In {
        /// One or more.
        values: Vec<Value>,
    },
    /// It has one or more of these tags.
    HasAny {
        /// One or more.
        values: Vec<String>,
    },
    /// It has all of these tags.
    HasAll {
        /// One or more.
        values: Vec<String>,
    },
    /// A text is in it, in any case.
    Contains {
        /// The text.
        value: String,
    },
    /// It begins with a text, in any case.
    StartsWith {
        /// The text.
        value: String,
    },
    /// It looks like one of these; `*` stands for any characters.
    MatchesAny {
        /// One or more.
        values: Vec<String>,
    },
    /// A date within a time until now.
    Within {
        /// Such as `7 days`.
        #[schema(example = "7 days")]
        span: String,
    },
    /// A date before a time ago.
    BeforeAgo {
        /// Such as `7 days`.
        #[schema(example = "7 days")]
        span: String,
    },
    /// A date since a day, included.
    Since {
        /// Such as `2026-11-30`.
        #[schema(format = Date)]
        date: String,
    },
}

/// How many events there must be, or how much they come to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = RuleCount)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Count {
    /// None.
    Never,
    /// So many or more.
    AtLeast {
        /// From 1.
        n: u32,
    },
    /// So many or fewer: none, too.
    AtMost {
        /// From 1.
        n: u32,
    },
    /// So many.
    Exactly {
        /// From 1.
        n: u32,
    },
    /// From so many to so many.
    Between {
        /// The smaller.
        from: u32,
        /// The larger.
        to: u32,
    },
    /// On so many different days or more.
    Days {
        /// From 1.
        n: u32,
    },
    /// Their sum.
    Sum(Amount),
    /// Their mean.
    Avg(Amount),
    /// The least.
    Min(Amount),
    /// The greatest.
    Max(Amount),
    /// With so many different values of a property or more.
    Distinct {
        /// From 1.
        n: u32,
        /// The property.
        property: String,
    },
}

/// What a number made of a property is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = RuleAmount)]
pub struct Amount {
    /// The property.
    pub property: String,
    /// `=`, `!=`, `<`, `<=`, `>` or `>=`.
    #[schema(example = ">=")]
    pub compare: String,
    /// With what.
    pub value: f64,
}

/// In which time events count.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = RuleWhen)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum When {
    /// Whenever until now.
    Ever,
    /// Since local midnight.
    Today,
    /// Within a time until now.
    Within {
        /// Such as `7 days`.
        #[schema(example = "7 days")]
        span: String,
    },
    /// Before a time ago.
    BeforeAgo {
        /// Such as `7 days`.
        #[schema(example = "7 days")]
        span: String,
    },
    /// Between two times ago.
    BetweenAgo {
        /// The shorter.
        #[schema(example = "7 days")]
        from: String,
        /// The longer.
        #[schema(example = "30 days")]
        to: String,
    },
    /// Since a day, included.
    Since {
        /// Such as `2026-11-30`.
        #[schema(format = Date)]
        date: String,
    },
    /// From a day to a day, both included.
    BetweenDates {
        /// The earlier.
        #[schema(format = Date)]
        from: String,
        /// The later.
        #[schema(format = Date)]
        to: String,
    },
}
