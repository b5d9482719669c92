//! `POST /prebid/rtd`: for the real-time data module `scope3` of Prebid.js, called from pages. A bid request in an
//! envelope in, words for the page's ad server and segments and deals for its bidders out.
//!
//! Whoever can open the page can call this door with whatever identifiers: it needs a caller that is told only what may
//! be public.

use super::call::Call;
use super::prebid::{Targeting, decide, list, quoted, read};
use super::routes::Reply;
use super::{Door, Doors};
use crate::wire::Failure;
use crate::wire::prebid::Envelope;

/// Where the module's `endpoint` points to: it appends nothing.
pub(super) const PATH: &str = "/prebid/rtd";

/// The most bidders a page may name: the answer repeats the segments for each.
const MAX_BIDDERS: usize = 100;

/// Answers a body. What became of the user is not told beside it: anybody can ask.
///
/// # Errors
/// A body that is no envelope with a bid request, or names too many bidders; a credential that is refused.
pub fn answer(doors: &Doors, body: &[u8], call: &Call<'_>) -> Result<Reply, Failure> {
    doors.guarded(Door::PrebidJs, call.arrived, || {
        let envelope = open(body)?;
        let bidders = bidders(&envelope)?;
        let request = read(envelope.ortb2.get().as_bytes())?;
        let (body, _) = decide(doors, &request, call, |targeting, party| {
            write(targeting, &bidders, party.caller.settings.exchange.as_deref())
        })?;
        Ok(Reply::json(body))
    })
}

/// Reads the envelope. What serde says of a value could quote an identifier, so only the place is told.
fn open(body: &[u8]) -> Result<Envelope<'_>, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure::invalid("the body is not UTF-8; send JSON in UTF-8"))?;
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::invalid(format!(
            "the body is not what Prebid.js sends (line {line}, column {column}); it is \
             {{\"ortb2\":{{a bid request}},\"bidders\":[\"code\"]}}; docs/prebid.md shows how to configure it"
        ))
    })
}

/// The bidders that are named, each once.
fn bidders<'e>(envelope: &'e Envelope<'_>) -> Result<Vec<&'e str>, Failure> {
    let named = envelope.bidders.as_deref().unwrap_or_default();
    if named.len() > MAX_BIDDERS {
        return Err(Failure::invalid(format!(
            "{} bidders in one question; at most {MAX_BIDDERS} are accepted",
            named.len()
        )));
    }
    let mut bidders = Vec::with_capacity(named.len());
    for name in named.iter().map(|name| &**name).filter(|name| !name.is_empty()) {
        if !bidders.contains(&name) {
            bidders.push(name);
        }
    }
    Ok(bidders)
}

/// Every bidder is told the segments; the deals only the one that has the name of the caller's exchange, because a deal
/// id means something there alone.
fn write(targeting: &Targeting<'_>, bidders: &[&str], exchange: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + (1 + bidders.len()) * (32 + 24 * targeting.words.len()));
    out.extend_from_slice(b"{\"aee_signals\":{\"include\":[");
    list(targeting.words.iter(), &mut out);
    out.extend_from_slice(b"],\"exclude\":[],\"macro\":\"\",\"bidders\":{");
    let anything = !targeting.words.is_empty();
    for (at, bidder) in bidders.iter().filter(|_| anything).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        quoted(bidder, &mut out);
        out.extend_from_slice(b":{\"segments\":[");
        list(targeting.segments(), &mut out);
        out.extend_from_slice(b"],\"deals\":[");
        if exchange.is_some_and(|exchange| exchange.eq_ignore_ascii_case(bidder)) {
            list(targeting.deals.iter(), &mut out);
        }
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(b"}}}");
    out
}

#[cfg(test)]
mod tests {
    use super::super::prebid::Word;
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn every_bidder_is_told_the_segments_and_the_exchange_its_deals() {
        let targeting = Targeting { words: vec![Word::Segment("560"), Word::Go("upgrade")], deals: vec!["deal-1"] };
        let answer: Value = serde_json::from_slice(&write(&targeting, &["a\"b", "IX"], Some("ix"))).unwrap();
        let bidders = json!({
            "a\"b": {"segments": ["560"], "deals": []},
            "IX": {"segments": ["560"], "deals": ["deal-1"]},
        });
        let signals = json!({"include": ["560", "ok-upgrade"], "exclude": [], "macro": "", "bidders": bidders});
        assert_eq!(answer, json!({ "aee_signals": signals }));
    }

    #[test]
    fn nothing_to_tell_is_an_empty_answer_that_parses() {
        let answer = String::from_utf8(write(&Targeting::default(), &["ix"], Some("ix"))).unwrap();
        assert_eq!(answer, r#"{"aee_signals":{"include":[],"exclude":[],"macro":"","bidders":{}}}"#);
    }

    #[test]
    fn bidders_are_each_named_once_and_bounded() {
        let body = r#"{"ortb2":{},"bidders":["ix","",null,"ix","b"]}"#;
        assert_eq!(bidders(&open(body.as_bytes()).unwrap()).unwrap(), ["ix", "b"]);
        let many = format!(r#"{{"ortb2":{{}},"bidders":[{}]}}"#, vec!["\"x\""; 101].join(","));
        assert!(bidders(&open(many.as_bytes()).unwrap()).is_err());
    }

    #[test]
    fn an_error_says_where_and_never_what() {
        let failure = open(br#"{"ortb2":{},"bidders":"secret-id"}"#).unwrap_err();
        assert!(failure.message.contains("line 1") && !failure.message.contains("secret-id"), "{}", failure.message);
        assert!(open(b"\xff").is_err());
    }
}
