//! The ARTF 1.0 service: an orchestrator sends a bid request, and gets proposals about it. One implementation under two
//! names; the proposals themselves are put together in [`super::artf_mutations`].
//!
//! One question a request: a decision where one of the deals on offer is ours, else a lookup. An empty answer is "no
//! advice": see docs/artf.md for what that means where.

pub use super::artf_mutations::INTENTS;
use super::artf_mutations::{Proposals, Wanted};
use super::call::{Call, Party};
use super::grpc_call::call;
use super::live::Scratch;
use super::verdicts::EVERY;
use super::{Door, Doors, openrtb};
use crate::decide::Status;
use crate::decide::deals::Voices;
use crate::schema::Timestamp;
use crate::wire::Failure;
use crate::wire::artf::{Lifecycle, RtbRequest};
use crate::wire::artf_service::rtb_extension_point_server::RtbExtensionPoint;
use crate::wire::artf_service_before::rtb_extension_point_server::RtbExtensionPoint as Before;
use crate::wire::codec::Encoded;
use crate::wire::openrtb::{BidRequest, Imp, message::view};
use std::sync::Arc;
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status as Refused};

/// An answer: the encoded `RTBResponse`, and what became of the question, which the message has no word for.
#[derive(Debug)]
pub struct Answered {
    /// The message.
    pub message: Encoded,
    /// The status; `None` = nothing was looked up.
    pub status: Option<Status>,
}

/// Answers a request.
///
/// # Errors
/// No bid request where one belongs; too many identifiers; a credential that is refused.
pub fn answer(doors: &Doors, message: &RtbRequest, call: &Call<'_>) -> Result<Answered, Failure> {
    doors.guarded(Door::GrpcArtf, call.arrived, || {
        let now = doors.clock.now();
        doors.with_party(call, |party, scratch| {
            let generation = party.served.map_or(0, |served| served.generation().0);
            let mut proposals = Proposals::new(message, generation);
            let mut status = None;
            if is_ours(message) {
                let Some(sent) = &message.bid_request else {
                    return Err(Failure::invalid(
                        "`bid_request` is missing: there is nothing to propose anything about; send the OpenRTB request in it",
                    ));
                };
                let mut request = view(sent);
                if message.tmax() > 0 {
                    request.tmax_ms = message.tmax().unsigned_abs().into();
                }
                let wanted = Wanted::of(message, party.caller.settings.enforcement);
                let question = Question { wanted, request: &request, now };
                status = propose(doors, question, call, party, scratch, &mut proposals)?;
            }
            Ok(Answered { message: proposals.done(), status })
        })
    })
}

/// Whether the question is asked where we have something to say: before the bid request leaves the publisher's side.
fn is_ours(message: &RtbRequest) -> bool {
    // Read as a number: a lifecycle that does not exist yet is not "unspecified".
    let asked = message.lifecycle.unwrap_or_default();
    [Lifecycle::Unspecified, Lifecycle::PublisherBidRequest].iter().any(|&ours| asked == i32::from(ours))
}

/// What is asked, and what of it may be answered.
#[derive(Debug, Clone, Copy)]
struct Question<'r, 'm> {
    wanted: Wanted,
    request: &'r BidRequest<'m>,
    now: Timestamp,
}

/// Finds out about the user, and proposes what follows. `None`: nothing was wanted.
///
/// # Errors
/// Too many identifiers.
fn propose(
    doors: &Doors,
    question: Question<'_, '_>,
    call: &Call<'_>,
    party: Party<'_>,
    scratch: &mut Scratch,
    proposals: &mut Proposals,
) -> Result<Option<Status>, Failure> {
    let Question { wanted, request, now } = question;
    let ids = openrtb::ids(request, &party.caller.settings);
    let ask = || openrtb::ask(request, &ids);
    let Party { labels, served, .. } = party;
    let ours = |imp: &Imp<'_>| imp.deals.iter().any(|deal| labels.deals.get(&deal.id).is_some());
    let stance = wanted.deals.filter(|_| request.imps.iter().any(ours));
    let status = match (stance, wanted.segments) {
        (Some(_), _) => doors.decide(ask(), call, party, now, openrtb::candidates(request, labels), scratch)?,
        (None, true) => doors.lookup(ask(), call, party, now, scratch)?,
        (None, false) => return Ok(None),
    };
    if wanted.segments && status == Status::Matched {
        proposals.segments(labels.entries.ids(&scratch.answer.audiences, &request.data, &mut scratch.segments));
    }
    if let (Some(stance), Some(served)) = (stance, served) {
        if !request.test {
            scratch.count_verdicts(party, status, now, EVERY);
        }
        let decisions = &scratch.decisions.all;
        if !request.test {
            doors.count_decisions(party.campaigns(decisions, now).map(|(_, _, decision)| decision));
        }
        let voices = Voices { campaigns: &served.answering.campaigns, decisions, now };
        request.imps.iter().for_each(|imp| proposals.deals(stance, imp, &labels.deals, voices));
    }
    Ok(Some(status))
}

/// The service, under both of its names.
#[derive(Debug, Clone)]
pub struct ArtfDoor(pub Arc<Doors>);

impl ArtfDoor {
    fn mutations(&self, request: &Request<RtbRequest>) -> Result<Response<Encoded>, Refused> {
        let Answered { message, status } =
            answer(&self.0, request.get_ref(), &call(&self.0, Door::GrpcArtf, request)?)?;
        let mut response = Response::new(message);
        // An answer without proposals says that there is nothing to say, unless it says this.
        if let Some(status @ (Status::NotReady | Status::Overloaded | Status::Late)) = status {
            response.metadata_mut().insert("x-vaglio-status", MetadataValue::from_static(status.name()));
        }
        Ok(response)
    }
}

#[tonic::async_trait]
impl RtbExtensionPoint for ArtfDoor {
    async fn get_mutations(&self, request: Request<RtbRequest>) -> Result<Response<Encoded>, Refused> {
        self.mutations(&request)
    }
}

#[tonic::async_trait]
impl Before for ArtfDoor {
    async fn get_mutations(&self, request: Request<RtbRequest>) -> Result<Response<Encoded>, Refused> {
        self.mutations(&request)
    }
}
