//! The reading of a bid request that came as protobuf: what the JSON reading sees, borrowed from the decoded message.
//!
//! Empty text counts as absent, a flag that is not set says nothing, and an empty `gpp_sid` cannot be told from none.
//! `regs.ext.gpp` and `data.ext.segtax` have no field in this form.

use super::{BidRequest, Data, Deal, Imp, Signals};
use crate::wire::json::{Sections, Text};
use crate::wire::v2::{self, bid_request as message};
use std::borrow::Cow;

/// Reads a message.
pub fn view(request: &v2::BidRequest) -> BidRequest<'_> {
    let user = request.user.as_ref();
    let (eids, data) = user.map_or((&[][..], &[][..]), |user| (&user.eids[..], &user.data[..]));
    let older = user.and_then(|user| user.ext.as_ref()).map_or(&[][..], |ext| &ext.eids);
    BidRequest {
        id: text(&request.id),
        tmax_ms: request.tmax.and_then(|tmax| tmax.try_into().ok()).unwrap_or_default(),
        test: request.test(),
        eids: eids.iter().chain(older).flat_map(uids).collect(),
        user_id: user.map(|user| text(&user.id)).unwrap_or_default(),
        buyeruid: user.map(|user| text(&user.buyeruid)).unwrap_or_default(),
        ifa: request.device.as_ref().map(|device| text(&device.ifa)).unwrap_or_default(),
        privacy: signals(request),
        imps: request.imp.iter().map(imp).collect(),
        data: data.iter().map(|it| Data { id: text(&it.id), name: text(&it.name), taxonomy: None }).collect(),
    }
}

fn text(said: &Option<String>) -> Text<'_> {
    Text(Cow::Borrowed(said.as_deref().unwrap_or_default()))
}

fn uids(eid: &message::Eid) -> impl Iterator<Item = (Text<'_>, Text<'_>)> {
    eid.uids.iter().map(|uid| (text(&eid.source), text(&uid.id)))
}

fn imp(imp: &message::Imp) -> Imp<'_> {
    let deals = imp.pmp.as_ref().map_or(&[][..], |pmp| &pmp.deals);
    let guaranteed = |deal: &message::Deal| deal.guar.is_some_and(|guar| guar != 0);
    Imp {
        id: text(&imp.id),
        deals: deals.iter().map(|it| Deal { id: text(&it.id), guaranteed: guaranteed(it) }).collect(),
    }
}

fn signals(request: &v2::BidRequest) -> Signals<'_> {
    let (regs, user, device) = (request.regs.as_ref(), request.user.as_ref(), request.device.as_ref());
    let regs_ext = regs.and_then(|regs| regs.ext.as_ref());
    let user_ext = user.and_then(|user| user.ext.as_ref());
    let device_geo = device.and_then(|device| device.geo.as_ref());
    let user_geo = user.and_then(|user| user.geo.as_ref());
    Signals {
        gdpr: either(regs.and_then(|it| it.gdpr), regs_ext.and_then(|it| it.gdpr)),
        tcf: first(user.map(|it| text(&it.consent)), user_ext.map(|it| text(&it.consent))),
        gpp: regs.map(|it| text(&it.gpp)).unwrap_or_default(),
        gpp_sid: sections(regs.map_or(&[][..], |it| &it.gpp_sid)),
        us_privacy: first(regs.map(|it| text(&it.us_privacy)), regs_ext.map(|it| text(&it.us_privacy))),
        gpc: regs_ext.and_then(|it| flag(it.gpc.as_deref()?)),
        coppa: regs.and_then(|it| it.coppa),
        lmt: either(device.and_then(|it| it.lmt), device.and_then(|it| it.dnt)),
        country: first(device_geo.map(|it| text(&it.country)), user_geo.map(|it| text(&it.country))),
    }
}

/// Set if either is.
fn either(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one || other),
        (one, other) => one.or(other),
    }
}

fn first<'a>(one: Option<Text<'a>>, other: Option<Text<'a>>) -> Text<'a> {
    one.filter(|text| !text.is_empty()).or(other).unwrap_or_default()
}

/// `Sec-GPC` as it came. What cannot be read counts as set: the signal takes a right away from us.
fn flag(text: &str) -> Option<bool> {
    let text = text.trim();
    (!text.is_empty()).then(|| text != "0" && !text.eq_ignore_ascii_case("false"))
}

fn sections(ids: &[i32]) -> Sections {
    let mut sections = Sections::default();
    if !ids.is_empty() {
        sections.add(ids);
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;
    use message::{Device, Eid, Geo, Pmp, Regs, User, eid::Uid, regs, user};

    fn said(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn eid(source: &str, uids: &[&str]) -> Eid {
        let uids = uids.iter().map(|uid| Uid { id: said(uid), atype: Some(1) }).collect();
        Eid { source: said(source), uids }
    }

    #[test]
    fn identifiers_come_from_both_places_in_order() {
        let ext = user::Ext { eids: vec![eid("b.com", &["3"])], ..Default::default() };
        let user = User {
            id: said("u"),
            buyeruid: said("b"),
            eids: vec![eid("a.com", &["1", "2"]), Eid::default()],
            data: vec![message::Data { id: said("d"), name: said("n"), ..Default::default() }],
            ext: Some(ext),
            ..Default::default()
        };
        let device = Device { ifa: said("i"), ..Default::default() };
        let request = v2::BidRequest { id: said("r"), user: Some(user), device: Some(device), ..Default::default() };
        let read = view(&request);
        let eids: Vec<(&str, &str)> = read.eids.iter().map(|(source, uid)| (&**source, &**uid)).collect();
        assert_eq!(eids, [("a.com", "1"), ("a.com", "2"), ("b.com", "3")]);
        assert_eq!((&*read.id, &*read.user_id, &*read.buyeruid, &*read.ifa), ("r", "u", "b", "i"));
        assert_eq!((&*read.data[0].id, &*read.data[0].name, read.data[0].taxonomy), ("d", "n", None));
        assert!(matches!(read.id.0, Cow::Borrowed("r")));
    }

    #[test]
    fn deals_are_guaranteed_when_it_is_said() {
        let deal = |id: &str, guar| message::Deal { id: said(id), guar };
        let pmp = Pmp { deals: vec![deal("a", None), deal("b", Some(0)), deal("c", Some(1))], ..Default::default() };
        let imps = vec![message::Imp { id: said("1"), pmp: Some(pmp) }, message::Imp::default()];
        let request = v2::BidRequest { imp: imps, tmax: Some(-5), test: Some(true), ..Default::default() };
        let read = view(&request);
        let deals: Vec<(&str, bool)> = read.imps[0].deals.iter().map(|deal| (&*deal.id, deal.guaranteed)).collect();
        assert_eq!(deals, [("a", false), ("b", false), ("c", true)]);
        assert!(read.imps[1].deals.is_empty() && read.imps[1].id.is_empty() && read.test);
        assert_eq!(read.tmax_ms, 0);
    }

    #[test]
    fn a_refusal_in_either_place_counts() {
        let geo = |country: &str| Some(Geo { country: said(country) });
        let ext = regs::Ext { gdpr: Some(true), us_privacy: said("1YYN"), gpc: said("1") };
        let regs = Regs {
            coppa: Some(false),
            gpp_sid: vec![7, -1],
            gpp: said("DBAA"),
            gdpr: Some(false),
            us_privacy: said(""),
            ext: Some(ext),
        };
        let user_ext = user::Ext { consent: said("old"), ..Default::default() };
        let user = User { ext: Some(user_ext), geo: geo("IT"), ..Default::default() };
        let device = Device { dnt: Some(true), lmt: Some(false), geo: geo(""), ..Default::default() };
        let request = v2::BidRequest { regs: Some(regs), user: Some(user), device: Some(device), ..Default::default() };
        let read = view(&request).privacy;
        assert_eq!((read.gdpr, read.gpc, read.coppa, read.lmt), (Some(true), Some(true), Some(false), Some(true)));
        assert_eq!((&*read.tcf, &*read.gpp, &*read.us_privacy, &*read.country), ("old", "DBAA", "1YYN", "IT"));
        assert_eq!(read.gpp_sid.0.as_deref(), Some(&[7, -1][..]));
    }

    #[test]
    fn nothing_said_is_nothing_read() {
        assert_eq!(view(&v2::BidRequest::default()), BidRequest::default());
        for (gpc, expected) in
            [("", None), (" ", None), ("0", Some(false)), ("False", Some(false)), ("yes", Some(true))]
        {
            assert_eq!(flag(gpc), expected, "{gpc:?}");
        }
    }
}
