//! A record of the `events` log: what somebody said or did, by hashed identifiers, in words that outlive a change of the
//! configuration.

pub mod bytes;

use crate::schema::ProfileKey;
use smallvec::SmallVec;
use std::borrow::Cow;

/// What came by the door. It applies to every profile that its identifiers name.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<'a> {
    /// The hash of its id under the installation's secret: see `KeyHasher::event_id`.
    pub id: u128,
    /// When it happened or was true: seconds since the epoch.
    pub time: i64,
    /// When it was received.
    pub received: i64,
    /// Whom it is about: at least one, without repetition.
    pub keys: SmallVec<[Identifier<'a>; 2]>,
    /// What it says.
    pub said: Said<'a>,
}

/// A hashed identifier and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// The keyed hash.
    pub key: ProfileKey,
    /// The identifier type in lower case (`crm`, `ifa`, an EID source).
    pub id_type: Cow<'a, str>,
}

/// What a record says. Exposures and signals are events: `impression`, `view`, `click`, `bill` with the properties
/// `campaign` (`owner/id`), `channel`, `device`, `creative`; `dislike` and `complaint` with `campaign`.
#[derive(Debug, Clone, PartialEq)]
pub enum Said<'a> {
    /// Something happened.
    Event {
        /// The event's name.
        name: Cow<'a, str>,
        /// Its known properties by name, each once.
        properties: Vec<(Cow<'a, str>, Value<'a>)>,
    },
    /// Traits by name; `None` = not known any more.
    Traits(Vec<(Cow<'a, str>, Option<Value<'a>>)>),
    /// On or off an uploaded list.
    Membership {
        /// The audience, `owner/id`.
        list: Cow<'a, str>,
        /// How long.
        stay: Stay,
    },
    /// The identifiers are one person's; waits for the next index.
    Link,
    /// Consents to profiling, or refuses it; the newest counts.
    Consent(bool),
}

/// How long somebody is on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// For so many minutes from the record's time.
    Minutes(u32),
    /// As long as the list says.
    ByDefault,
    /// No more.
    Ends,
}

/// A value of a trait or property.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Yes or no.
    Flag(bool),
    /// A finite number.
    Number(f64),
    /// Days since 1970-01-01.
    Date(i32),
    /// A category.
    Text(Cow<'a, str>),
    /// Tags; never empty.
    Tags(Vec<Cow<'a, str>>),
}
