//! What a sender writes: a JSON object a line, borrowed from the body. A field that is not known is an error: it may be a
//! misspelt one that mattered. What is wrong is said without the value, which may be somebody's identifier.

use crate::wire::json::Text;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The most bytes of a line.
pub(in crate::planner) const MAX_LINE_BYTES: usize = 64 << 10;

/// The most traits or properties of a line.
const MAX_NAMED: usize = 512;

/// A line as it is written, or a message that says the same.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::planner) struct Line<'a> {
    /// What it is known by.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// When it happened or was true.
    #[serde(borrow)]
    pub time: Option<When<'a>>,
    /// Which of the types it is.
    #[serde(borrow, rename = "type")]
    pub kind: Option<Text<'a>>,
    /// Whom it is about.
    #[serde(borrow)]
    pub eids: Option<Vec<Eid<'a>>>,
    /// Event: its name.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    /// Event: its properties.
    #[serde(borrow)]
    pub props: Option<Named<'a>>,
    /// Trait: by name.
    #[serde(borrow)]
    pub traits: Option<Named<'a>>,
    /// Membership: the list.
    #[serde(borrow)]
    pub audience: Option<Text<'a>>,
    /// Membership: for how long.
    pub ttl_minutes: Option<u64>,
    /// Membership: no more.
    pub remove: Option<bool>,
    /// Consent: yes or no.
    pub granted: Option<bool>,
    /// Objection: to what.
    #[serde(borrow)]
    pub scope: Option<Text<'a>>,
    /// Exposure, signal: whose.
    #[serde(borrow)]
    pub campaign: Option<Text<'a>>,
    /// Exposure, signal: which.
    #[serde(borrow, rename = "kind")]
    pub sort: Option<Text<'a>>,
    /// Exposure: where.
    #[serde(borrow)]
    pub channel: Option<Text<'a>>,
    /// Exposure: on what.
    #[serde(borrow)]
    pub device: Option<Text<'a>>,
    /// Exposure: what was shown.
    #[serde(borrow)]
    pub creative: Option<Text<'a>>,
}

/// An identifier as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::planner) struct Eid<'a> {
    /// Its type.
    #[serde(borrow)]
    pub source: Text<'a>,
    /// The identifier itself.
    #[serde(borrow)]
    pub uid: Text<'a>,
}

/// A time: RFC 3339 in JSON, seconds since the epoch in a message.
#[derive(Debug)]
pub(in crate::planner) enum When<'a> {
    Written(Text<'a>),
    Seconds(i64),
}

impl<'de: 'a, 'a> Deserialize<'de> for When<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(When::Written)
    }
}

/// Values by name, each once.
#[derive(Debug, Default)]
pub(in crate::planner) struct Named<'a>(pub Vec<(Cow<'a, str>, Plain<'a>)>);

/// A value as it is written.
#[derive(Debug, PartialEq)]
pub(in crate::planner) enum Plain<'a> {
    Null,
    Flag(bool),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Cow<'a, str>>),
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it, without a value of it.
    pub fn read(text: &'a [u8]) -> Result<Self, String> {
        if text.len() > MAX_LINE_BYTES {
            return Err(format!("the line has {} bytes, and {MAX_LINE_BYTES} are the most", text.len()));
        }
        let text = std::str::from_utf8(text).map_err(|_| "the line is not UTF-8".to_owned())?;
        serde_json::from_str(text).map_err(|error| unvalued(&error))
    }

    /// The fields of this line that only some types have, by name.
    pub fn present(&self) -> [(&'static str, bool); 13] {
        [
            ("name", self.name.is_some()),
            ("props", self.props.is_some()),
            ("traits", self.traits.is_some()),
            ("audience", self.audience.is_some()),
            ("ttl_minutes", self.ttl_minutes.is_some()),
            ("remove", self.remove.is_some()),
            ("granted", self.granted.is_some()),
            ("scope", self.scope.is_some()),
            ("campaign", self.campaign.is_some()),
            ("kind", self.sort.is_some()),
            ("channel", self.channel.is_some()),
            ("device", self.device.is_some()),
            ("creative", self.creative.is_some()),
        ]
    }
}

/// serde's sentence without the value that it repeats.
fn unvalued(error: &serde_json::Error) -> String {
    let column = error.column();
    if error.is_eof() {
        return "the line ends in the middle: it is not a whole JSON object".to_owned();
    }
    if error.is_syntax() {
        return format!("not JSON at column {column}");
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said);
    // From the right: what stands before may be the value, with anything in it.
    match text.rsplit_once(", expected ") {
        Some((said, expected)) if said.starts_with("invalid ") => format!("column {column}: expected {expected}"),
        Some((said, expected)) if said.starts_with("unknown field") => {
            let name = said.trim_start_matches("unknown field ").trim_matches('`');
            unknown_field(name, expected)
        }
        _ => text.to_owned(),
    }
}

fn unknown_field(name: &str, expected: &str) -> String {
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let known_as = match crate::audiences::diagnostic::nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", known.join(", ")),
    };
    match crate::schema::names::is_name(name) {
        true => format!("unknown field `{name}`; {known_as}"),
        false => format!("unknown field; {known_as}"),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Named<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = Named<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object: names and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<'de>, A::Error> {
                let mut named = Named::default();
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, Plain<'de>>()? {
                    if named.0.len() == MAX_NAMED {
                        return Err(A::Error::custom(format!("more than {MAX_NAMED} names")));
                    }
                    if named.0.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a name stands there twice"));
                    }
                    named.0.push((name, value));
                }
                Ok(named)
            }
        }
        deserializer.deserialize_map(Reads)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Plain<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadsPlain)
    }
}

struct ReadsPlain;

impl<'de> Visitor<'de> for ReadsPlain {
    type Value = Plain<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true, false, a number, a text, a list of texts or null")
    }

    fn visit_unit<E>(self) -> Result<Plain<'de>, E> {
        Ok(Plain::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Plain<'de>, E> {
        Ok(Plain::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Plain<'de>, E> {
        Ok(Plain::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Plain<'de>, E> {
        Ok(Plain::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Plain<'de>, E> {
        Ok(Plain::Number(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Plain<'de>, E> {
        Ok(Plain::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Plain<'de>, E> {
        Ok(Plain::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Plain<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(Text(text)) = seq.next_element()? {
            list.push(text);
        }
        Ok(Plain::List(list))
    }
}
