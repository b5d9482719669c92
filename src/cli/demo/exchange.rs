//! The same person as an exchange asks about them: a bid request in OpenRTB, enriched and decided on.

use super::cast::Asked;
use super::client::Client;
use crate::error::Result;
use serde_json::{Value, json};

/// The deal of the example campaigns at the demo's exchange.
const DEAL: &str = "deal-123";

/// Asks at both doors, and tells what came back.
pub(super) fn tell(client: &mut Client, one: &Asked) -> Result<String> {
    let request = bid_request(&one.lookup());
    let sent = request.to_string();
    let enriched = client.post("/openrtb2/enrich", sent.clone())?;
    let decided = client.post("/openrtb2/decide", sent.clone())?.json();
    let mut text = format!(
        "  A bid request about the first of them:\n    {sent}\n\n  POST /openrtb2/enrich returns its own bytes, with this in \
         `user.data`:\n"
    );
    for entry in enriched.json()["user"]["data"].as_array().into_iter().flatten() {
        text.push_str(&format!("    {entry}\n"));
    }
    text.push_str("\n  POST /openrtb2/decide says of each impression, and of each deal that campaigns run on:\n");
    for imp in decided["imp"].as_array().into_iter().flatten() {
        text.push_str(&format!("    {imp}\n"));
    }
    text.push_str("  A deal that no campaign names is not mentioned: it is none of our business.\n");
    Ok(text)
}

/// A small one: a banner on two deals, one of which is nobody's here.
fn bid_request(lookup: &Value) -> Value {
    let eids = lookup["eids"].as_array().into_iter().flatten();
    let eids: Vec<Value> =
        eids.map(|eid| json!({ "source": eid["source"], "uids": [{ "id": eid["uid"], "atype": 1 }] })).collect();
    let deals = json!([{ "id": DEAL }, { "id": "somebody-elses" }]);
    let mut request = json!({
        "id": "demo-1",
        "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 }, "pmp": { "deals": deals } }],
        "user": { "eids": eids },
        "tmax": 100,
    });
    if let Some(ifa) = lookup["ifa"].as_str() {
        request["device"] = json!({ "ifa": ifa });
    }
    request
}
