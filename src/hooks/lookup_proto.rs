//! `Lookup`, `LookupBatch` and `LookupStream`: messages in, encoded answers out, put together from pieces that were
//! encoded once a generation. A lookup's answer and a batch's result have `status`, `audiences` and `segments` in the
//! same fields, so the pieces fit both.

use super::ask::Ask;
use super::call::{Call, Party};
use super::ids::Eid;
use super::labels::Labels;
use super::live::{Scratch, Served};
use super::lookup_json::said_once;
use super::{Door, Doors};
use crate::decide::Status;
use crate::privacy::Signals;
use crate::wire::codec::{Encoded, append, embed};
use crate::wire::{Failure, v1};

/// The field of `LookupBatchResponse` that holds the results.
const RESULTS: u32 = 1;

/// Answers one question.
///
/// # Errors
/// Too many identifiers; a credential that is refused.
pub fn answer(doors: &Doors, message: &v1::LookupRequest, call: &Call<'_>) -> Result<Encoded, Failure> {
    doors.guarded(Door::GrpcLookup, call.arrived, || {
        let now = doors.clock.now();
        doors.with_party(call, |party, scratch| {
            let status = doors.lookup(ask_lookup(message), call, party, now, scratch)?;
            let mut out = Vec::with_capacity(512);
            append(&v1::LookupResponse { status: number(status), ..Default::default() }, &mut out);
            if let Some(served) = party.served {
                let audiences: &[u32] = if status == Status::Matched { &scratch.answer.audiences } else { &[] };
                names(party.labels, audiences, &mut scratch.segments, &mut out);
                out.extend_from_slice(&party.labels.stamp(doors.stale(served, now)).lookup);
            }
            Ok(Encoded(out))
        })
    })
}

/// Answers a batch. `known` is the generation whose dictionary the caller has; it becomes the one that answered.
///
/// # Errors
/// Too many lookups, or too many identifiers in one; a credential that is refused.
pub fn answer_batch(
    doors: &Doors,
    door: Door,
    message: &v1::LookupBatchRequest,
    call: &Call<'_>,
    known: &mut u64,
) -> Result<Encoded, Failure> {
    doors.guarded(door, call.arrived, || {
        let (count, max) = (message.lookups.len(), doors.limits.max_batch);
        if count > max {
            return Err(Failure::invalid(format!(
                "{count} lookups in one message; at most {max} are accepted (server.max_batch): send several"
            )));
        }
        let now = doors.clock.now();
        doors.with_party(call, |party, scratch| {
            let asks = message.lookups.iter().map(ask_lookup);
            doors.lookup_many(asks, call, party, now, scratch)?;
            let mut out = Vec::with_capacity(64 + 96 * count);
            results(party.labels, message.numeric_ids, scratch, &mut out);
            if let Some(served) = party.served {
                out.extend_from_slice(&party.labels.stamp(doors.stale(served, now)).batch);
                if message.numeric_ids {
                    dictionary(party, served, known, &mut out);
                }
            }
            Ok(Encoded(out))
        })
    })
}

/// Encodes what became of each question of a batch.
fn results(labels: &Labels, numeric: bool, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let Scratch { places, answers, result, encoded, segments, .. } = scratch;
    for place in places {
        let (status, audiences) = Doors::result_of(*place, answers);
        encoded.clear();
        result.status = number(status);
        result.numbers.clear();
        if numeric {
            let shown = audiences.iter().filter_map(|&audience| labels.audience(audience));
            result.numbers.extend(shown.map(|label| label.number));
        } else {
            names(labels, audiences, segments, encoded);
        }
        append(result, encoded);
        embed(RESULTS, encoded, out);
    }
}

fn dictionary(party: Party<'_>, served: &Served, known: &mut u64, out: &mut Vec<u8>) {
    let generation = served.generation().0;
    if *known != generation {
        out.extend_from_slice(&party.labels.dictionary);
        *known = generation;
    }
}

/// Names of the audiences that may be said, then their labels.
fn names(labels: &Labels, audiences: &[u32], said: &mut Vec<u32>, out: &mut Vec<u8>) {
    for label in audiences.iter().filter_map(|&audience| labels.audience(audience)) {
        out.extend_from_slice(&label.proto);
    }
    for segment in said_once(labels, audiences, said) {
        out.extend_from_slice(&labels.segments[segment as usize].proto);
    }
}

/// A status's number in the protocol.
pub(super) fn number(status: Status) -> i32 {
    let status = match status {
        Status::Matched => v1::Status::Matched,
        Status::NoProfile => v1::Status::NoProfile,
        Status::NoId => v1::Status::NoId,
        Status::NoConsent => v1::Status::NoConsent,
        Status::Blocked => v1::Status::Blocked,
        Status::NotReady => v1::Status::NotReady,
        Status::Overloaded => v1::Status::Overloaded,
        Status::Late => v1::Status::Late,
    };
    status.into()
}

fn ask_lookup(message: &v1::LookupRequest) -> Ask<'_, impl ExactSizeIterator<Item = Eid<'_>>> {
    ask(&message.eids, &message.ifa, message.privacy.as_ref(), message.tmax_ms)
}

/// The question that a message's fields ask.
pub(super) fn ask<'m>(
    eids: &'m [v1::Eid],
    ifa: &'m str,
    privacy: Option<&'m v1::Privacy>,
    tmax_ms: u32,
) -> Ask<'m, impl ExactSizeIterator<Item = Eid<'m>>> {
    Ask {
        eids: eids.iter().map(|eid| (eid.source.as_str(), eid.uid.as_str())),
        ifa,
        signals: privacy.map(signals).unwrap_or_default(),
        tmax_ms: tmax_ms.into(),
        test: false,
    }
}

fn signals(privacy: &v1::Privacy) -> Signals<'_> {
    Signals {
        gdpr: privacy.gdpr,
        tcf: &privacy.tcf,
        gpp: &privacy.gpp,
        // A list that is empty cannot be told from one that is absent, and says as little.
        gpp_sid: Some(&privacy.gpp_sid),
        us_privacy: &privacy.us_privacy,
        gpc: privacy.gpc,
        coppa: privacy.coppa,
        lmt: privacy.lmt,
        country: &privacy.country,
    }
}
