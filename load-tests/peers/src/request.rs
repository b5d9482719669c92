//! Reading a bid request, and putting segments into it: serde_json's borrowed structs for what is needed, a raw value where
//! something is to be put in, and a splice into the same bytes. Privacy signals, deadlines and entries that are there already
//! are passed over, which Vaglio does not: in the peers' favour.

use serde::Deserialize;
use serde_json::value::RawValue;
use smallvec::SmallVec;
use std::borrow::Cow;

/// Source and uid.
pub type Id<'a> = (Cow<'a, str>, Cow<'a, str>);

/// What is needed of a bid request.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Of the user's `eids`, then of the device.
    pub ids: SmallVec<[Id<'a>; 4]>,
    place: Place,
}

/// Where an entry goes, as an offset into the body.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Behind the `[` of `user.data`.
    Data { at: usize, empty: bool },
    /// Behind the `{` of `user`.
    User { at: usize, empty: bool },
    /// Behind the `{` of the request.
    Request { at: usize, empty: bool },
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    user: Option<&'a RawValue>,
    #[serde(borrow)]
    device: Option<Device<'a>>,
}

#[derive(Deserialize)]
struct Device<'a> {
    #[serde(borrow)]
    ifa: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct User<'a> {
    #[serde(borrow)]
    eids: Option<SmallVec<[Eid<'a>; 4]>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Eid<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    uids: SmallVec<[Uid<'a>; 2]>,
}

#[derive(Deserialize)]
struct Uid<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

/// Reads a body.
pub fn read(body: &[u8]) -> serde_json::Result<Asked<'_>> {
    let Request { user, device } = serde_json::from_slice(body)?;
    let inside = |raw: &RawValue| raw.get().as_ptr() as usize - body.as_ptr() as usize + 1;
    let mut asked = Asked { ids: SmallVec::new(), place: Place::Request { at: 0, empty: false } };
    if let Some(raw) = user {
        let User { eids, data } = serde_json::from_str(raw.get())?;
        let eids = eids.unwrap_or_default();
        let ids =
            eids.into_iter().flat_map(|Eid { source, uids }| uids.into_iter().map(move |uid| (source.clone(), uid.id)));
        asked.ids.extend(ids);
        asked.place = match data {
            Some(data) => Place::Data { at: inside(data), empty: blank(data.get()) },
            None => Place::User { at: inside(raw), empty: blank(raw.get()) },
        };
    } else {
        let begin = body.iter().position(|byte| *byte == b'{').unwrap_or(0) + 1;
        asked.place = Place::Request { at: begin, empty: false };
    }
    if let Some(ifa) = device.and_then(|device| device.ifa) {
        let lower = ifa.bytes().all(|byte| !byte.is_ascii_uppercase());
        asked.ids.push(("ifa".into(), if lower { ifa } else { ifa.to_ascii_lowercase().into() }));
    }
    Ok(asked)
}

/// Whether nothing is between the brackets.
fn blank(raw: &str) -> bool {
    raw[1..raw.len() - 1].bytes().all(|byte| byte.is_ascii_whitespace())
}

const BEGIN: &[u8] = br#"{"id":"vaglio","name":"vaglio","segment":["#;
const END: &[u8] = br#"],"ext":{"segtax":4}}"#;

/// The same bytes with one entry of these segments (`{"id":"17"},{"id":"4"}`) in `user.data`.
pub fn splice(body: &[u8], asked: &Asked<'_>, segments: &[u8]) -> Vec<u8> {
    let (at, before, after, empty): (_, &[u8], &[u8], _) = match asked.place {
        Place::Data { at, empty } => (at, b"", b"", empty),
        Place::User { at, empty } => (at, br#""data":["#, b"]", empty),
        Place::Request { at, empty } => (at, br#""user":{"data":["#, b"]}", empty),
    };
    let comma: &[u8] = if empty { b"" } else { b"," };
    let mut out = Vec::with_capacity(body.len() + BEGIN.len() + END.len() + segments.len() + 32);
    for part in [&body[..at], before, BEGIN, segments, END, after, comma, &body[at..]] {
        out.extend_from_slice(part);
    }
    out
}

/// Appends a segment.
pub fn push(segment: u32, out: &mut Vec<u8>) {
    push_text(itoa::Buffer::new().format(segment).as_bytes(), out);
}

/// Appends a segment that is text already.
pub fn push_text(segment: &[u8], out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(br#"{"id":""#);
    out.extend_from_slice(segment);
    out.extend_from_slice(br#""}"#);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn entry() -> Value {
        json!({"id": "vaglio", "name": "vaglio", "segment": [{"id": "17"}, {"id": "4"}], "ext": {"segtax": 4}})
    }

    /// The slow, obvious way: everything parsed, changed, and written again.
    fn obvious(body: &Value) -> Value {
        let mut body = body.clone();
        if body["user"].is_null() {
            body["user"] = json!({});
        }
        if body["user"]["data"].is_null() {
            body["user"]["data"] = json!([]);
        }
        body["user"]["data"].as_array_mut().expect("an array").insert(0, entry());
        body
    }

    fn enriched(body: &str) -> Value {
        let asked = read(body.as_bytes()).expect("a bid request");
        let mut segments = Vec::new();
        push(17, &mut segments);
        push_text(b"4", &mut segments);
        serde_json::from_slice(&splice(body.as_bytes(), &asked, &segments)).expect("JSON comes out")
    }

    #[test]
    fn identifiers_are_found_in_order() {
        let body =
            r#"{"device":{"ifa":"ABC-d"},"user":{"eids":[{"source":"a.test","uids":[{"id":"1"},{"id":"\u0032"}]}]}}"#;
        let asked = read(body.as_bytes()).expect("a bid request");
        let ids: Vec<(&str, &str)> = asked.ids.iter().map(|(source, uid)| (&**source, &**uid)).collect();
        assert_eq!(ids, [("a.test", "1"), ("a.test", "2"), ("ifa", "abc-d")]);
    }

    proptest! {
        #[test]
        fn the_splice_is_what_parsing_everything_says(
            user in proptest::option::of((any::<bool>(), proptest::option::of(0usize..3))),
            spaces in 0usize..3,
            pretty in any::<bool>(),
        ) {
            let mut body = json!({"id": "r", "imp": [{"id": "1"}], "device": {"ifa": "x"}});
            if let Some((more, data)) = user {
                body["user"] = json!({});
                if more {
                    body["user"]["keywords"] = json!("a{\"data\":[b");
                }
                if let Some(entries) = data {
                    body["user"]["data"] = json!(vec![json!({"id": "other"}); entries]);
                }
            }
            let text = if pretty { serde_json::to_string_pretty(&body).expect("JSON") } else { body.to_string() };
            prop_assert_eq!(enriched(&format!("{}{text}", " ".repeat(spaces))), obvious(&body));
        }
    }
}
