//! `POST /openrtb2/enrich`: a bid request in, the same bytes out, with the user's segments in `user.data`.
//!
//! Whatever is wrong with the user, the data or the load, the answer is the request, unchanged: silence here means that
//! nothing is known of the user. Only a body that is no bid request is refused.

use super::call::{Call, Party};
use super::entries::Entries;
use super::live::Scratch;
use super::openrtb::{ask, ids};
use super::pieces::Pieces;
use super::routes::{Asked, Media, Reply, Told};
use super::{Door, Doors};
use crate::decide::Status;
use crate::wire::Failure;
use crate::wire::openrtb::json::{What, read_into};
use crate::wire::openrtb::{BidRequest, message};
use bytes::Bytes;

/// Answers a body.
///
/// # Errors
/// A body that is no bid request, or has too many identifiers; a credential that is refused.
pub fn answer(doors: &Doors, asked: &Asked<'_>, call: &Call<'_>) -> Result<Reply, Failure> {
    doors.guarded(Door::OpenRtbEnrich, call.arrived, || match asked.media {
        Media::Json => json(doors, &asked.body, call),
        Media::Protobuf => proto(doors, &asked.body, call),
    })
}

fn json(doors: &Doors, body: &Bytes, call: &Call<'_>) -> Result<Reply, Failure> {
    let mut request = BidRequest::default();
    let place = read_into(body, What::Enrich, &mut request).map_err(super::openrtb::malformed)?;
    enrich(doors, &request, Media::Json, body, call, |entries, scratch| {
        let Scratch { answer, segments, encoded, .. } = scratch;
        entries.json(&answer.audiences, &request.data, segments, encoded);
        let (before, between, after) = place.between(encoded)?;
        Some(Pieces::new([body.slice(..before), between.into(), body.slice(after..)]))
    })
}

fn proto(doors: &Doors, body: &Bytes, call: &Call<'_>) -> Result<Reply, Failure> {
    let decoded = super::openrtb::decode(body)?;
    let request = message::view(&decoded);
    enrich(doors, &request, Media::Protobuf, body, call, |entries, scratch| {
        let Scratch { answer, encoded, spare, .. } = scratch;
        let mut out = body.to_vec();
        entries.proto(&answer.audiences, &request.data, [encoded, spare], &mut out);
        Some(out.into())
    })
}

/// Looks the user up, and lets `write` put what is known of them into the body.
fn enrich(
    doors: &Doors,
    request: &BidRequest<'_>,
    media: Media,
    body: &Bytes,
    call: &Call<'_>,
    write: impl FnOnce(&Entries, &mut Scratch) -> Option<Pieces>,
) -> Result<Reply, Failure> {
    let now = doors.clock.now();
    doors.with_party(call, |party: Party<'_>, scratch| {
        let ids = ids(request, &party.caller.settings);
        let status = doors.lookup(ask(request, &ids), call, party, now, scratch)?;
        let enriched = match status {
            Status::Matched => write(&party.labels.entries, scratch),
            _ => None,
        };
        let body = enriched.unwrap_or_else(|| body.clone().into());
        Ok(Reply { body: Some(body), media, told: Some(Told::new(doors, status, party, now)) })
    })
}
