//! Bid requests in protobuf, written as JSON in a case; and answers in protobuf, read as JSON.

use prost::Message;
use serde_json::{Value, json};
use vaglio::wire::v1::{OpenRtbDecision, Status, Verdict};
use vaglio::wire::v2::BidRequest;
use vaglio::wire::v2::bid_request::{
    Data, Deal, Device, Eid, Geo, Imp, Pmp, Regs, Segment, User, eid::Uid, regs::Ext as RegsExt, user::Ext as UserExt,
};

/// A field beyond those that we know, as a newer sender could add it: it must come back as it is.
const UNKNOWN: &[u8] = b"\xca\x3e\x03new";

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn flag(value: &Value) -> Option<bool> {
    value.as_i64().map(|set| set != 0).or(value.as_bool())
}

fn list<T>(value: &Value, of: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().into_iter().flatten().map(of).collect()
}

fn some<T>(value: &Value, of: impl FnOnce(&Value) -> T) -> Option<T> {
    value.is_object().then(|| of(value))
}

/// Encodes a bid request; an unknown field is added to it and to its user.
pub fn encode(json: &Value) -> Vec<u8> {
    let request = request(json);
    let user = request.user.clone();
    let mut bytes = BidRequest { user: None, ..request }.encode_to_vec();
    bytes.extend_from_slice(UNKNOWN);
    if let Some(user) = user {
        let mut encoded = user.encode_to_vec();
        encoded.extend_from_slice(UNKNOWN);
        prost::encoding::bytes::encode(6, &encoded, &mut bytes);
    }
    bytes
}

fn request(json: &Value) -> BidRequest {
    let deal = |deal: &Value| Deal { id: text(&deal["id"]), guar: deal["guar"].as_i64().map(|guar| guar as i32) };
    let imp = |imp: &Value| Imp {
        id: text(&imp["id"]),
        pmp: some(&imp["pmp"], |pmp| Pmp { deals: list(&pmp["deals"], deal), ..Default::default() }),
    };
    BidRequest {
        id: text(&json["id"]),
        imp: list(&json["imp"], imp),
        device: some(&json["device"], |device| Device {
            ifa: text(&device["ifa"]),
            lmt: flag(&device["lmt"]),
            dnt: flag(&device["dnt"]),
            geo: some(&device["geo"], |geo| Geo { country: text(&geo["country"]) }),
        }),
        user: some(&json["user"], user),
        tmax: json["tmax"].as_i64().map(|tmax| tmax as i32),
        regs: some(&json["regs"], |regs| Regs {
            coppa: flag(&regs["coppa"]),
            gdpr: flag(&regs["gdpr"]),
            gpp: text(&regs["gpp"]),
            gpp_sid: list(&regs["gpp_sid"], |id| id.as_i64().unwrap() as i32),
            us_privacy: text(&regs["us_privacy"]),
            ext: some(&regs["ext"], |ext| RegsExt {
                gdpr: flag(&ext["gdpr"]),
                us_privacy: text(&ext["us_privacy"]),
                gpc: text(&ext["gpc"]),
            }),
        }),
        test: flag(&json["test"]),
    }
}

fn user(user: &Value) -> User {
    let uid = |uid: &Value| Uid { id: text(&uid["id"]), atype: None };
    let eid = |eid: &Value| Eid { source: text(&eid["source"]), uids: list(&eid["uids"], uid) };
    User {
        id: text(&user["id"]),
        buyeruid: text(&user["buyeruid"]),
        geo: None,
        data: list(&user["data"], data),
        consent: text(&user["consent"]),
        eids: list(&user["eids"], eid),
        ext: some(&user["ext"], |ext| UserExt { consent: text(&ext["consent"]), eids: list(&ext["eids"], eid) }),
    }
}

fn data(data: &Value) -> Data {
    let segment = |segment: &Value| Segment { id: text(&segment["id"]), ..Default::default() };
    Data { id: text(&data["id"]), name: text(&data["name"]), segment: list(&data["segment"], segment), ext: None }
}

/// Whether an answer is the request with these entries added, unknown fields and all.
pub fn inserted(sent: &[u8], got: &[u8], entries: &Value) -> Option<String> {
    if !got.starts_with(sent) {
        return Some("the answer does not begin with the request's bytes".to_owned());
    }
    let Ok(found) = BidRequest::decode(got) else { return Some("the answer is no BidRequest".to_owned()) };
    let mut expected = BidRequest::decode(sent).unwrap();
    expected.user.get_or_insert_default().data.extend(list(entries, data));
    (found != expected).then(|| format!("expected {expected:?}\n  found    {found:?}"))
}

/// A decision in the words of its JSON twin.
pub fn decision(bytes: &[u8]) -> Value {
    let decision = OpenRtbDecision::decode(bytes).unwrap();
    let verdict = |number: i32| match Verdict::try_from(number).unwrap() {
        Verdict::Target => "target",
        Verdict::Suppress => "suppress",
        Verdict::Unknown => "unknown",
        Verdict::Unspecified => "unspecified",
    };
    let campaigns = decision.campaigns.iter().map(|campaign| {
        let reason = Some(&campaign.reason).filter(|reason| !reason.is_empty());
        json!({"id": campaign.id, "verdict": verdict(campaign.verdict), "reason": reason})
    });
    let imps = decision.imp.iter().map(|imp| {
        let deals = imp.deals.iter().map(|deal| json!({"id": deal.id, "verdict": verdict(deal.verdict)}));
        json!({"id": imp.id, "verdict": verdict(imp.verdict), "deals": deals.collect::<Vec<_>>()})
    });
    let status = Status::try_from(decision.status).unwrap().as_str_name();
    json!({
        "id": decision.id,
        "status": status.trim_start_matches("STATUS_").to_ascii_lowercase(),
        "campaigns": campaigns.collect::<Vec<_>>(),
        "imp": imps.collect::<Vec<_>>(),
        "generation": decision.generation,
        "as_of": decision.as_of,
        "stale": decision.stale,
    })
}
