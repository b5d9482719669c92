//! A bid request, in whatever form it came -> the question it asks. Shared by every door that speaks OpenRTB.
//! What must not live here: reading bytes, writing answers.

use super::ask::Ask;
use super::ids::Eid;
use super::labels::Labels;
use crate::config;
use crate::privacy::Signals;
use crate::wire::openrtb::json::Malformed;
use crate::wire::openrtb::{self, BidRequest};
use crate::wire::{Failure, v2};
use smallvec::SmallVec;
use std::iter::Copied;
use std::slice::Iter;

/// The identifiers of a request: its eids, then `user.id` and `user.buyeruid` where the caller's settings give them a type.
pub(super) fn ids<'r>(request: &'r BidRequest<'_>, caller: &'r config::Caller) -> SmallVec<[Eid<'r>; 10]> {
    let mut eids: SmallVec<[Eid<'r>; 10]> = request.eids.iter().map(|(source, uid)| (&**source, &**uid)).collect();
    let types = [caller.user_id.as_deref().or(caller.exchange.as_deref()), caller.buyeruid.as_deref()];
    for (kind, uid) in types.into_iter().zip([&*request.user_id, &*request.buyeruid]) {
        eids.extend(kind.filter(|_| !uid.is_empty()).map(|kind| (kind, uid)));
    }
    eids
}

/// The question that a bid request with these [`ids`] asks for its user.
pub(super) fn ask<'r>(request: &'r BidRequest<'_>, ids: &'r [Eid<'r>]) -> Ask<'r, Copied<Iter<'r, Eid<'r>>>> {
    Ask {
        eids: ids.iter().copied(),
        // Also of a device that limits tracking: then no profile is read at all (`privacy`).
        ifa: &request.ifa,
        signals: signals(&request.privacy),
        tmax_ms: request.tmax_ms,
        test: request.test,
    }
}

/// The campaigns that compete for a bid request: those on its deals, and those without any.
pub(super) fn candidates<'s>(request: &BidRequest<'_>, labels: &'s Labels) -> impl Fn(u32) -> bool + use<'s> {
    let deals = request.imps.iter().flat_map(|imp| &imp.deals).filter_map(|deal| labels.deals.get(&deal.id));
    let mut on_deals: SmallVec<[u32; 16]> = deals.flat_map(|deal| deal.campaigns.iter().copied()).collect();
    on_deals.sort_unstable();
    move |campaign| labels.deals.is_everywhere(campaign) || on_deals.binary_search(&campaign).is_ok()
}

/// Decodes a bid request in protobuf.
///
/// # Errors
/// Bytes that are none.
pub(super) fn decode(body: &[u8]) -> Result<v2::BidRequest, Failure> {
    prost::Message::decode(body).map_err(|_| Failure::invalid("the body is not a BidRequest in protobuf"))
}

/// What is wrong with a body in JSON; nothing of it is quoted.
pub(super) fn malformed(Malformed { at, why }: Malformed) -> Failure {
    Failure::invalid(format!("the body is no bid request: {why} at byte {at}"))
}

/// The privacy signals of a bid request.
pub(super) fn signals<'r>(privacy: &'r openrtb::Signals<'_>) -> Signals<'r> {
    Signals {
        gdpr: privacy.gdpr,
        tcf: &privacy.tcf,
        gpp: &privacy.gpp,
        gpp_sid: privacy.gpp_sid.0.as_deref(),
        us_privacy: &privacy.us_privacy,
        gpc: privacy.gpc,
        coppa: privacy.coppa,
        lmt: privacy.lmt,
        country: &privacy.country,
    }
}
