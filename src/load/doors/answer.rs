//! What of an answer is looked at: the status, the generation and how many items were answered. Nothing is decoded that is
//! not needed; the truth decodes the whole of an answer where it checks one.

use super::{Became, Reply};
use crate::load::workload::Door;
use crate::wire::v1::Status;
use memchr::memmem;

/// What a status word of an answer means; `None` = no status of ours.
pub fn of_word(word: &[u8]) -> Option<Became> {
    match word {
        b"matched" | b"no_profile" | b"no_id" | b"no_consent" | b"blocked" => Some(Became::Accepted),
        b"overloaded" | b"late" | b"not_ready" => Some(Became::Shed),
        _ => None,
    }
}

fn of_number(status: u64) -> Option<Became> {
    match Status::try_from(i32::try_from(status).ok()?).ok()? {
        Status::Matched | Status::NoProfile | Status::NoId | Status::NoConsent | Status::Blocked => {
            Some(Became::Accepted)
        }
        Status::NotReady | Status::Overloaded | Status::Late => Some(Became::Shed),
        Status::Unspecified => None,
    }
}

fn unreadable(what: &str) -> Became {
    Became::Failed { kind: "unreadable", message: what.to_owned() }
}

/// The first value behind a key of our own JSON, which has no white space between its tokens.
fn behind<'b>(body: &'b [u8], key: &str) -> Option<&'b [u8]> {
    memmem::find(body, key.as_bytes()).map(|at| &body[at + key.len()..])
}

fn digits(text: &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).take(19);
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// Reads the body of an HTTP door's answer of status 200, or what the headers say of it.
pub fn json(door: Door, said: Option<(&[u8], u64)>, items: u32, reply: &mut Reply) -> Became {
    if door == Door::Events {
        return events(items, reply);
    }
    // Our answers begin with it, but for that of an OpenRTB decision, before which stands the id that we gave it.
    const STATUS: &str = "\"status\":\"";
    let (became, generation) = match said {
        Some((word, generation)) => (of_word(word), generation),
        None => {
            let word = behind(&reply.body, STATUS).and_then(|rest| rest.split(|byte| *byte == b'"').next());
            // Near the end, behind what may be long.
            const GENERATION: &str = "\"generation\":";
            let at = memmem::rfind(&reply.body, GENERATION.as_bytes());
            (word.and_then(of_word), at.map_or(0, |at| digits(&reply.body[at + GENERATION.len()..])))
        }
    };
    reply.generation = generation;
    let became = became.unwrap_or_else(|| unreadable("an answer without a status"));
    reply.items = if became == Became::Accepted { items } else { 0 };
    became
}

/// `{"accepted":2,"duplicate":0,"rejected":1,"results":[...]}`
fn events(items: u32, reply: &mut Reply) -> Became {
    let count = |key| behind(&reply.body, key).map(digits);
    let (Some(accepted), Some(rejected)) = (count("\"accepted\":"), count("\"rejected\":")) else {
        return unreadable("an answer that counts no events");
    };
    reply.items = u32::try_from(accepted).unwrap_or(items);
    if rejected == 0 {
        return Became::Accepted;
    }
    // The reason holds no value of the line.
    let reason = behind(&reply.body, "\"reason\":\"").and_then(|rest| rest.split(|byte| *byte == b'"').next());
    let reason = String::from_utf8_lossy(reason.unwrap_or_default()).into_owned();
    Became::Failed { kind: "rejected", message: format!("{rejected} of {items} events: {reason}") }
}

/// Reads a gRPC door's answer.
pub fn proto(door: Door, reply: &mut Reply) -> Became {
    let read = match door {
        Door::GrpcBatch | Door::GrpcStream => batch(&reply.body),
        Door::Artf => artf(&reply.body),
        // Generation: field 4 of a lookup's answer, 3 of a decision's.
        _ => single(&reply.body, if door == Door::GrpcDecide { 3 } else { 4 }),
    };
    let Some(Read { became, accepted, all, generation }) = read else {
        return unreadable("an answer that cannot be decoded");
    };
    reply.generation = generation;
    reply.items = accepted;
    reply.results = all;
    // A message of which some were shed is accepted, with fewer items.
    became
}

/// Turns down an answer that leaves out some of the lookups that were asked together, or has more of them: nobody could tell
/// whom a result is about.
pub fn complete(asked: u32, reply: &mut Reply) {
    let many = matches!(reply.door, Door::GrpcBatch | Door::GrpcStream);
    if many && !matches!(reply.became, Became::Failed { .. }) && reply.results != asked {
        reply.became = unreadable(&format!("an answer to {} of {asked} lookups", reply.results));
        reply.items = 0;
    }
}

/// A field of a message.
enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    Other,
}

/// The next field of a message and its number; `None` at the end, and where it is damaged, which leaves bytes.
fn next<'b>(rest: &mut &'b [u8]) -> Option<(u32, Field<'b>)> {
    let mut walk = *rest;
    let tag = varint(&mut walk)?;
    let field = match tag & 7 {
        0 => Field::Number(varint(&mut walk)?),
        1 => {
            walk = walk.get(8..)?;
            Field::Other
        }
        2 => {
            let length = usize::try_from(varint(&mut walk)?).ok()?;
            let (bytes, behind) = walk.split_at_checked(length)?;
            walk = behind;
            Field::Bytes(bytes)
        }
        5 => {
            walk = walk.get(4..)?;
            Field::Other
        }
        _ => return None,
    };
    *rest = walk;
    Some(((tag >> 3) as u32, field))
}

#[inline]
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for (at, byte) in rest.iter().enumerate().take(10) {
        number |= u64::from(byte & 127) << (7 * at);
        if byte & 128 == 0 {
            *rest = &rest[at + 1..];
            return Some(number);
        }
    }
    None
}

/// What a message says.
struct Read {
    became: Became,
    /// Lookups that were answered with substance, and all.
    accepted: u32,
    all: u32,
    generation: u64,
}

impl Read {
    fn one(became: Became, generation: u64) -> Read {
        Read { accepted: u32::from(became == Became::Accepted), became, all: 1, generation }
    }
}

fn single(mut body: &[u8], generation_field: u32) -> Option<Read> {
    let (mut status, mut generation) = (0, 0);
    while let Some((number, field)) = next(&mut body) {
        match field {
            Field::Number(value) if number == 1 => status = value,
            Field::Number(value) if number == generation_field => generation = value,
            _ => {}
        }
    }
    let became = of_number(status).filter(|_| body.is_empty())?;
    Some(Read::one(became, generation))
}

fn batch(mut body: &[u8]) -> Option<Read> {
    let (mut generation, mut accepted, mut all) = (0, 0u32, 0u32);
    while let Some((number, field)) = next(&mut body) {
        match field {
            Field::Bytes(result) if number == 1 => {
                all += 1;
                accepted += u32::from(of_number(status_of(result)?)? == Became::Accepted);
            }
            Field::Number(value) if number == 2 => generation = value,
            _ => {}
        }
    }
    let became = if accepted > 0 { Became::Accepted } else { Became::Shed };
    body.is_empty().then_some(Read { became, accepted, all, generation })
}

/// The status of a result, which may stand anywhere in it: with names ours comes last, with numbers first.
fn status_of(mut result: &[u8]) -> Option<u64> {
    while let Some((number, field)) = next(&mut result) {
        if let (1, Field::Number(status)) = (number, field) {
            return Some(status);
        }
    }
    None
}

/// The message says no status: who was shed is told by the metadata (`grpc`). The generation is `metadata.model_version`; 0 = none
/// was loaded.
fn artf(mut body: &[u8]) -> Option<Read> {
    let mut generation = 0;
    while let Some((number, field)) = next(&mut body) {
        if let (3, Field::Bytes(mut metadata)) = (number, field) {
            while let Some((number, field)) = next(&mut metadata) {
                if let (2, Field::Bytes(version)) = (number, field) {
                    generation = digits(version);
                }
            }
        }
    }
    let became = if generation == 0 { Became::Shed } else { Became::Accepted };
    body.is_empty().then(|| Read::one(became, generation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{artf as artf_wire, v1};
    use bytes::Bytes;
    use proptest::prelude::*;
    use prost::Message;

    fn read(door: Door, body: impl Into<Bytes>, items: u32) -> (Became, u32, u64) {
        let mut reply = Reply { body: body.into(), door, ..Reply::default() };
        let http = [Door::Lookup, Door::Decide, Door::OpenrtbDecide, Door::Events].contains(&door);
        reply.became = if http { json(door, None, items, &mut reply) } else { proto(door, &mut reply) };
        complete(items, &mut reply);
        (reply.became, reply.items, reply.generation)
    }

    #[test]
    fn json_answers_are_told_apart() {
        let body = |status: &str| {
            format!("{{\"status\":\"{status}\",\"audiences\":[\"a/b\"],\"generation\":42,\"as_of\":null}}")
        };
        for status in ["matched", "no_profile", "no_id", "no_consent", "blocked"] {
            assert_eq!(read(Door::Lookup, body(status), 1), (Became::Accepted, 1, 42), "{status}");
        }
        for status in ["overloaded", "late", "not_ready"] {
            assert_eq!(read(Door::Decide, body(status), 1), (Became::Shed, 0, 42), "{status}");
        }
        let decision =
            "{\"id\":\"ab\",\"status\":\"matched\",\"campaigns\":[],\"imp\":[],\"generation\":7,\"stale\":false}";
        assert_eq!(read(Door::OpenrtbDecide, decision, 1), (Became::Accepted, 1, 7));
        for broken in ["", "{}", "{\"status\":\"well\"}", "{\"status\":\""] {
            assert!(matches!(read(Door::Lookup, broken, 1).0, Became::Failed { kind: "unreadable", .. }), "{broken}");
        }
        let mut reply = Reply { body: Bytes::from_static(b"{\"imp\":[]}"), ..Reply::default() };
        assert_eq!(json(Door::Enrich, Some((b"late", 3)), 1, &mut reply), Became::Shed);
        assert_eq!((json(Door::Enrich, Some((b"no_id", 3)), 1, &mut reply), reply.generation), (Became::Accepted, 3));
    }

    #[test]
    fn events_that_were_rejected_are_a_failure_and_say_why() {
        assert_eq!(read(Door::Events, "{\"accepted\":3,\"duplicate\":0,\"rejected\":0}", 3), (Became::Accepted, 3, 0));
        let body = "{\"accepted\":1,\"duplicate\":0,\"rejected\":2,\"results\":[{\"line\":3,\"reason\":\"there is no event\"}]}";
        let (became, items, _) = read(Door::Events, body, 3);
        let Became::Failed { kind: "rejected", message } = became else { panic!("{became:?}") };
        assert_eq!((message.as_str(), items), ("2 of 3 events: there is no event", 1));
        assert!(matches!(read(Door::Events, "no", 3).0, Became::Failed { .. }));
    }

    proptest! {
        #[test]
        fn what_prost_encodes_is_read_and_what_is_cut_off_is_not(
            status in 1i32..9, audiences in proptest::collection::vec("[a-z/]{0,200}", 0..60), generation: u64, cut: prop::sample::Index,
        ) {
            let became = if status < 6 { Became::Accepted } else { Became::Shed };
            let accepted = u32::from(became == Became::Accepted);
            let as_of = "2026-11-20T00:00:00Z".to_owned();
            let body = v1::LookupResponse { status, audiences: audiences.clone(), generation, as_of: as_of.clone(), stale: true, segments: vec![] };
            let bytes = body.encode_to_vec();
            prop_assert_eq!(read(Door::GrpcLookup, bytes.clone(), 1), (became.clone(), accepted, generation));
            let cut = cut.index(bytes.len());
            let whole = v1::LookupResponse::decode(&bytes[..cut]).is_ok_and(|it| it.status != 0);
            prop_assert_eq!(matches!(read(Door::GrpcLookup, bytes[..cut].to_vec(), 1).0, Became::Failed { .. }), !whole);
            let campaigns = audiences.iter().map(|id| v1::CampaignVerdict { id: id.clone(), verdict: 1, ..Default::default() }).collect();
            let body = v1::DecideResponse { status, campaigns, generation, as_of, stale: false };
            prop_assert_eq!(read(Door::GrpcDecide, body.encode_to_vec(), 1), (became, accepted, generation));
        }

        #[test]
        fn a_batch_counts_what_was_answered(statuses in proptest::collection::vec(1i32..9, 0..70), generation: u64, asked in 1u32..70) {
            let result = |status: &i32| v1::LookupResult { status: *status, numbers: vec![1, 200], ..Default::default() };
            let body = v1::LookupBatchResponse { results: statuses.iter().map(result).collect(), generation, ..Default::default() };
            let accepted = statuses.iter().filter(|status| **status < 6).count() as u32;
            let became = if accepted == 0 { Became::Shed } else { Became::Accepted };
            let all = statuses.len() as u32;
            prop_assert_eq!(read(Door::GrpcStream, body.encode_to_vec(), all), (became, accepted, generation));
            let (became, items, _) = read(Door::GrpcBatch, body.encode_to_vec(), asked);
            let unreadable = matches!(became, Became::Failed { kind: "unreadable", .. });
            prop_assert_eq!(unreadable, asked != all, "{} of {}", all, asked);
            prop_assert!(!unreadable || items == 0);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            for door in [Door::Lookup, Door::Events, Door::GrpcLookup, Door::GrpcBatch, Door::GrpcDecide, Door::Artf] {
                let (became, items, _) = read(door, bytes.clone(), 1);
                prop_assert!(became == Became::Accepted || door == Door::Events || items == 0);
            }
        }
    }

    #[test]
    fn fields_may_come_in_any_order() {
        let result = [b"\x12\x03a/b".as_slice(), b"\x08\x01"].concat();
        let batch = [b"\x10\x07".as_slice(), b"\x0a\x07", &result].concat();
        assert_eq!(v1::LookupBatchResponse::decode(&batch[..]).unwrap().results[0].status, 1);
        assert_eq!(read(Door::GrpcBatch, batch, 1), (Became::Accepted, 1, 7));
        let single = b"\x20\x09\x12\x03a/b\x08\x07".to_vec();
        assert_eq!(read(Door::GrpcLookup, single, 1), (Became::Shed, 0, 9));
    }

    #[test]
    fn artf_tells_the_generation_alone() {
        let metadata = |version: &str| artf_wire::Metadata {
            api_version: Some("1.0".to_owned()),
            model_version: Some(version.to_owned()),
        };
        let body = |version| artf_wire::RtbResponse {
            id: Some("r".to_owned()),
            mutations: vec![],
            metadata: Some(metadata(version)),
        };
        assert_eq!(read(Door::Artf, body("12").encode_to_vec(), 1), (Became::Accepted, 1, 12));
        assert_eq!(read(Door::Artf, body("0").encode_to_vec(), 1), (Became::Shed, 0, 0));
    }
}
