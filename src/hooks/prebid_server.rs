//! `POST /prebid/scope3`: for Prebid Server's module `scope3.rtd`. A bid request in, words for an ad server out.
//!
//! Versions of the module read different places of the answer, so the same words stand in both: `aee_signals.include`, and
//! `data[].imp[].ext.scope3.segments[]`. The module adds them to the auction's *answer*: bidders never see them.

use super::call::Call;
use super::prebid::{Targeting, decide, list, quoted, read};
use super::routes::Reply;
use super::{Door, Doors};
use crate::wire::Failure;
use hyper::HeaderMap;

/// Where the module's `endpoint` points to: it appends nothing.
pub(super) const PATH: &str = "/prebid/scope3";

/// The header in which the module sends its `auth_key`, also when it has none.
pub(super) fn key(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get("x-scope3-auth").map(|value| value.as_bytes().trim_ascii()).filter(|key| !key.is_empty())
}

/// Answers a body.
///
/// # Errors
/// A body that is no bid request; a credential that is refused.
pub fn answer(doors: &Doors, body: &[u8], call: &Call<'_>) -> Result<Reply, Failure> {
    doors.guarded(Door::PrebidServer, call.arrived, || {
        let request = read(body)?;
        let imp = request.imps.first().map_or("", |imp| &imp.id);
        let (body, told) = decide(doors, &request, call, |targeting, _| write(targeting, imp))?;
        Ok(Reply { told: Some(told), ..Reply::json(body) })
    })
}

/// The module makes one set of the words of all impressions: one impression says them.
fn write(targeting: &Targeting<'_>, imp: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + 48 * targeting.words.len());
    out.extend_from_slice(b"{\"aee_signals\":{\"include\":[");
    list(targeting.words.iter(), &mut out);
    out.extend_from_slice(b"],\"exclude\":[]},\"data\":[");
    if !targeting.words.is_empty() {
        out.extend_from_slice(b"{\"imp\":[{\"id\":");
        quoted(imp, &mut out);
        out.extend_from_slice(b",\"ext\":{\"scope3\":{\"segments\":[");
        for (at, word) in targeting.words.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b"{\"id\":" } else { b",{\"id\":" });
            quoted(word, &mut out);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}}}]}");
    }
    out.extend_from_slice(b"]}");
    out
}

#[cfg(test)]
mod tests {
    use super::super::prebid::Word;
    use super::*;
    use hyper::header::HeaderValue;
    use serde_json::{Value, json};

    #[test]
    fn both_generations_of_the_module_find_the_words() {
        let targeting = Targeting { words: vec![Word::Segment("a\"b"), Word::Go("upgrade")], deals: vec!["deal-1"] };
        let answer: Value = serde_json::from_slice(&write(&targeting, "imp\n1")).unwrap();
        let segments = json!([{"id": "a\"b"}, {"id": "ok-upgrade"}]);
        let expected = json!({
            "aee_signals": {"include": ["a\"b", "ok-upgrade"], "exclude": []},
            "data": [{"imp": [{"id": "imp\n1", "ext": {"scope3": {"segments": segments}}}]}],
        });
        assert_eq!(answer, expected);
    }

    #[test]
    fn nothing_to_tell_is_an_empty_answer_that_parses() {
        let answer = String::from_utf8(write(&Targeting::default(), "1")).unwrap();
        assert_eq!(answer, r#"{"aee_signals":{"include":[],"exclude":[]},"data":[]}"#);
    }

    #[test]
    fn an_empty_key_is_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(key(&headers), None);
        headers.insert("x-scope3-auth", HeaderValue::from_static(""));
        assert_eq!(key(&headers), None);
        headers.insert("x-scope3-auth", HeaderValue::from_static(" k1 "));
        assert_eq!(key(&headers), Some(b"k1".as_slice()));
    }
}
