//! What callers send: the bodies of the doors, tokens, and what they say of consent.

use super::hasher;
use prost::Message;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use vaglio::config::{Config, Loaded, Privacy, PrivacyDuty, load::from_text};
use vaglio::hooks::call::Call;
use vaglio::hooks::token::Tokens;
use vaglio::hooks::{Doors, artf, decide_json, lookup_json, prebid_js as page};
use vaglio::privacy::{Policy, Signals};
use vaglio::schema::{Timestamp, Use};
use vaglio::wire::artf::{RtbRequest, RtbResponse};
use vaglio::wire::openrtb::json::{What, read, splice};
use vaglio::wire::openrtb::message::view;
use vaglio::wire::v2::BidRequest;

fn doors() -> &'static Arc<Doors> {
    static DOORS: OnceLock<Arc<Doors>> = OnceLock::new();
    DOORS.get_or_init(|| Doors::new(&Config { as_of: Some(Timestamp(0)), ..Config::default() }))
}

pub(super) fn lookup(bytes: &[u8]) {
    answered(lookup_json::answer(doors(), bytes, &Call::local()).ok());
}

pub(super) fn decide(bytes: &[u8]) {
    answered(decide_json::answer(doors(), bytes, &Call::local()).ok());
}

/// Lines of the events door: a record that can be read, or a reason.
pub(super) fn events(bytes: &[u8]) {
    const WORDS: &str =
        "ingest: { ids: [{ type: crm }, { type: email }, { type: ifa }], traits: [{ trait: t, kind: tags }],
  events: [{ names: [e], properties: [{ name: p, kind: number }] }] }";
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    let read = || from_text(WORDS, Path::new("/nowhere/vaglio.yaml"), std::iter::empty()).expect("it is sound");
    for line in vaglio::planner::events::checked(bytes, LOADED.get_or_init(read), &hasher(), Timestamp(2_000_000_000)) {
        match line {
            Ok(record) if record.is_empty() => {}
            Ok(record) => drop(vaglio::log::Record::decode(&record).expect("what was encoded is decoded")),
            Err(reason) => assert!(!reason.is_empty()),
        }
    }
}

/// What a page posts: what is answered held a bid request, for serde_json too where that can tell.
pub(super) fn prebid_js(bytes: &[u8]) {
    let answer = page::answer(doors(), bytes, &Call::local()).ok();
    let value: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    assert!(answer.is_none() || value.is_none_or(|value| value["ortb2"].is_object()));
    answered(answer.and_then(|answer| answer.body).map(|body| body.whole().into()));
}

fn answered(answer: Option<Vec<u8>>) {
    if let Some(answer) = answer {
        serde_json::from_slice::<serde_json::Value>(&answer).expect("an answer is JSON");
    }
    no_panic_was_caught();
}

fn no_panic_was_caught() {
    let panics = doors().metrics.panics.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(panics, 0, "a panic was caught at the door");
}

/// A JSON bid request: serde_json says what is one, and that new entries of `user.data` come behind the old ones.
pub(super) fn openrtb(bytes: &[u8]) {
    use serde_json::{Value, from_slice, json};
    let value: Option<Value> = from_slice(bytes).ok().filter(Value::is_object);
    let enrich = read(bytes, What::Enrich);
    // Longer ones may hold more than is read; and serde_json's limits (numbers, halves of surrogate pairs) are not JSON's.
    if bytes.len() < 2_000 {
        assert_eq!(enrich.is_ok(), read(bytes, What::Decide).is_ok(), "both walk over the whole body");
        assert!(enrich.is_ok() || value.is_none(), "serde_json accepts it");
    }
    let (Ok((_, place)), Some(mut expected)) = (enrich, value) else { return };
    let mut out = Vec::new();
    splice(bytes, &place, br#"{"id":"new"},{}"#, &mut out);
    if place.is_nowhere() {
        assert_eq!(bytes, out);
        return;
    }
    let user = &mut expected["user"];
    let data = user["data"].take();
    user["data"] =
        data.as_array().cloned().unwrap_or_default().into_iter().chain([json!({"id":"new"}), json!({})]).collect();
    assert_eq!(from_slice::<Value>(&out).expect("what was spliced is JSON"), expected);
}

/// A protobuf bid request is read as what it says, however its fields were put together.
pub(super) fn openrtb_proto(bytes: &[u8]) {
    let Ok(request) = BidRequest::decode(bytes) else { return };
    let again = BidRequest::decode(&request.encode_to_vec()[..]).expect("what was decoded can be encoded");
    assert_eq!(view(&again), view(&request));
}

/// An ARTF request is refused, or answered with a message that has everything that older clients require.
pub(super) fn propose(bytes: &[u8]) {
    let Ok(request) = RtbRequest::decode(bytes) else { return };
    if let Ok(answer) = artf::answer(doors(), &request, &Call::local()) {
        let answer = RtbResponse::decode(&answer.message.0[..]).expect("an answer is a message");
        assert_eq!(answer.id.as_deref(), Some(request.id()));
        assert!(answer.mutations.iter().all(|it| it.intent.is_some() && it.op.is_some() && it.path.is_some()));
    }
    no_panic_was_caught();
}

/// No text is taken for a token that was not made here.
pub(super) fn token(bytes: &[u8]) {
    let tokens = Tokens::new(&hasher(), &vaglio::audiences::Catalogue::default());
    let text = String::from_utf8_lossy(bytes);
    assert!(tokens.read(&text, Timestamp(0), 3_600).is_err());
}

/// Consent strings: the same bytes as a TCF string, a GPP string and a US privacy string. The first bytes say what applies.
pub(super) fn consent(bytes: &[u8]) {
    let Some((said, bytes)) = bytes.split_at_checked(4) else { return };
    let text = String::from_utf8_lossy(bytes);
    let sections = [i32::from(said[0] % 40) - 2, i32::from(said[1]), i32::from(said[2]) << 20];
    let flag = |bit: u8| match said[3] >> bit & 3 {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    let policy = Policy::new(&Privacy { tcf_vendor_id: Some(1 + u16::from(said[2])), ..Privacy::default() });
    for gpp_sid in [None, Some(&sections[..usize::from(said[3] >> 6)])] {
        for (tcf, gpp, us_privacy) in [(&*text, "", ""), ("", &*text, ""), ("", "", &*text), (&*text, &*text, &*text)] {
            let signals = Signals { gdpr: flag(0), tcf, gpp, gpp_sid, us_privacy, gpc: flag(2), ..Signals::default() };
            let permission = policy.permission(&signals, PrivacyDuty::Required);
            let denied = permission.first_denied(&Use::ALL).is_some();
            assert_eq!(denied, Use::ALL.iter().any(|&one| !permission.allows(one)));
        }
    }
}
