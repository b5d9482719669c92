//! The body that a page with Prebid.js posts: a bid request in an envelope. The bid request is not read here.

use super::json::Text;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The envelope. What else is in it (`orgId`, `timestamp`, `source`) is passed over: anybody can write anything there.
#[derive(Debug, Deserialize)]
pub struct Envelope<'a> {
    /// The bid request, as it stands in the body.
    #[serde(borrow)]
    pub ortb2: &'a RawValue,
    /// The bidders of the page's auction.
    #[serde(borrow, default)]
    pub bidders: Option<Vec<Text<'a>>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bid_request_stays_as_it_was_written() {
        let body = r#"{"orgId":"x","ortb2":{ "user" : {"id":"\u0061"} },"bidders":["ix",null,"a\"b"],"timestamp":1}"#;
        let envelope: Envelope<'_> = serde_json::from_str(body).unwrap();
        assert_eq!(envelope.ortb2.get(), r#"{ "user" : {"id":"\u0061"} }"#);
        let bidders: Vec<&str> = envelope.bidders.iter().flatten().map(|name| &**name).collect();
        assert_eq!(bidders, ["ix", "", "a\"b"]);
        let absent: Envelope<'_> = serde_json::from_str(r#"{"ortb2":{},"bidders":null}"#).unwrap();
        assert!(absent.bidders.is_none());
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"ortb2":{}"#,
            r#"{"ortb2":{},"ortb2":{}}"#,
            r#"{"ortb2":{},"bidders":"ix"}"#,
            r#"{"ortb2":{},"bidders":[1]}"#,
            r#"{"ortb2":{,}}"#,
        ] {
            assert!(serde_json::from_str::<Envelope<'_>>(body).is_err(), "{body}");
        }
    }
}
