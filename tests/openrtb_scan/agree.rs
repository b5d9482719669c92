//! What must hold of every body, whatever it is.

use super::obvious;
use serde_json::{Value, json};
use vaglio::wire::openrtb::json::{MAX_DEPTH, What, read, splice};

const ENTRIES: &str = r#"{"id":"new","segment":[{"id":"560"}]},{"id":"new"}"#;

/// Reads, splices and compares; whether the body was accepted.
pub fn on(body: &[u8]) -> bool {
    let shown = || String::from_utf8_lossy(body);
    for what in [What::Enrich, What::Decide] {
        match (read(body, what), obvious::read(body, what)) {
            (Ok((request, place)), Some((expected, spot))) => {
                assert_eq!(request, expected, "{}", shown());
                assert_eq!(place.is_nowhere(), spot.is_none(), "{}", shown());
                let mut out = Vec::new();
                splice(body, &place, ENTRIES.as_bytes(), &mut out);
                let (range, before, after) = spot.unwrap_or((0..0, "", ""));
                let entries = if place.is_nowhere() { "" } else { ENTRIES };
                let middle = [before, entries, after].concat();
                assert!(
                    out == [&body[..range.start], middle.as_bytes(), &body[range.end..]].concat(),
                    "{} became {}",
                    shown(),
                    String::from_utf8_lossy(&out)
                );
                let pieces =
                    place.between(ENTRIES.as_bytes()).map(|(to, it, from)| [&body[..to], &it, &body[from..]].concat());
                assert!(pieces.unwrap_or_else(|| body.to_vec()) == out, "in pieces: {}", shown());
                spliced(body, &out, place.is_nowhere());
            }
            (Err(malformed), None) => assert!(malformed.at <= body.len(), "{}", shown()),
            (Ok(_), None) => panic!("accepted: {}", shown()),
            (Err(malformed), Some(_)) => panic!("{malformed:?}: {}", shown()),
        }
    }
    let accepted = read(body, What::Enrich).is_ok();
    as_value(body, accepted);
    accepted
}

/// serde_json's `Value` accepts the same objects, but for its own limits.
fn as_value(body: &[u8], accepted: bool) {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => assert_eq!(accepted, value.is_object(), "{}", String::from_utf8_lossy(body)),
        Err(error) if accepted => {
            let error = error.to_string();
            let explained = ["number out of range", "surrogate", "hex escape", "recursion limit"];
            assert!(explained.iter().any(|why| error.contains(why)), "{error}: {}", String::from_utf8_lossy(body));
        }
        Err(_) => {}
    }
}

/// The new entries follow the old ones, the rest means what it meant, and every other byte is where it was.
fn spliced(body: &[u8], out: &[u8], nowhere: bool) {
    if nowhere {
        assert_eq!(body, out);
        return;
    }
    let same = body.iter().zip(out).take_while(|(a, b)| a == b).count();
    let rest = body[same..].iter().rev().zip(out[same..].iter().rev()).take_while(|(a, b)| a == b).count();
    let replaced = &body[same..body.len() - rest];
    assert!(replaced.is_empty() || replaced == b"null", "{}", String::from_utf8_lossy(replaced));
    let Ok(mut expected) = serde_json::from_slice::<Value>(body) else { return };
    let user = expected.as_object_mut().unwrap().entry("user").or_insert(Value::Null);
    if user.is_null() {
        *user = json!({});
    }
    let data = user.as_object_mut().unwrap().entry("data").or_insert(Value::Null);
    if data.is_null() {
        *data = json!([]);
    }
    let entries: Vec<Value> = serde_json::from_str(&format!("[{ENTRIES}]")).unwrap();
    data.as_array_mut().unwrap().extend(entries);
    let got: Value = serde_json::from_slice(out).unwrap();
    assert!(got == expected, "{}", String::from_utf8_lossy(body));
}

#[test]
fn nesting_is_limited_without_recursion() {
    for (open, close, inner) in [("[", "]", ""), ("{\"a\":", "}", "0"), ("[{\"user\":", "}]", "[]")] {
        let levels = if open.len() > 5 { 2 } else { 1 };
        for (times, fits) in [(60, true), (50_000, false), (100_000, false)] {
            let body = format!("{{\"x\":{}{inner}{}}}", open.repeat(times), close.repeat(times));
            assert_eq!(read(body.as_bytes(), What::Enrich).is_ok(), fits, "{open} {times}");
            let unclosed = format!("{{\"user\":{}", open.repeat(times));
            assert!(read(unclosed.as_bytes(), What::Decide).is_err());
        }
        let most = (MAX_DEPTH as usize - 1) / levels;
        let nested = |times: usize| format!("{{\"x\":{}0{}}}", open.repeat(times), close.repeat(times));
        assert!(on(nested(most).as_bytes()) && !on(nested(most + 1).as_bytes()), "{open}");
    }
    // Where we look into the values too.
    for times in [126, 127, 128] {
        let body = format!("{{\"user\":{{\"ext\":{}{}}}}}", "[".repeat(times), "]".repeat(times));
        assert_eq!(on(body.as_bytes()), times <= 126, "{times}");
    }
}

#[test]
fn lists_are_limited() {
    let list = |item: &str, times: usize| vec![item; times].join(",");
    let eids = |times| format!(r#"{{"user":{{"eids":[{{"source":"a","uids":[{}]}}]}}}}"#, list(r#"{"id":"x"}"#, times));
    let imps = |times| format!(r#"{{"imp":[{}]}}"#, list("{}", times));
    let deals = |times| format!(r#"{{"imp":[{{"pmp":{{"deals":[{}]}}}}]}}"#, list(r#"{"id":1}"#, times));
    let data = |times| format!(r#"{{"user":{{"data":[{}]}}}}"#, list("{}", times));
    let ok = |body: String, what| read(body.as_bytes(), what).is_ok();
    assert!(ok(eids(256), What::Enrich) && !ok(eids(257), What::Enrich) && !ok(eids(257), What::Decide));
    assert!(ok(imps(1_000), What::Decide) && !ok(imps(1_001), What::Decide) && ok(imps(1_001), What::Enrich));
    assert!(ok(deals(1_000), What::Decide) && !ok(deals(1_001), What::Decide));
    assert!(ok(data(1_000), What::Enrich) && !ok(data(1_001), What::Enrich) && ok(data(1_001), What::Decide));
}
