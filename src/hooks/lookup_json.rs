//! `POST /v1/lookup`: JSON in, JSON out. Also what both JSON doors share: reading a body, and its privacy signals.

use super::ask::Ask;
use super::call::Call;
use super::ids::Eid;
use super::labels::Labels;
use super::live::Scratch;
use super::{Door, Doors};
use crate::decide::Status;
use crate::privacy::Signals;
use crate::wire::Failure;
use crate::wire::json::{Privacy, Question};

/// How an answer ends that no generation gave.
pub(super) const NO_GENERATION: &str = "\"generation\":0,\"as_of\":null,\"stale\":false}";

/// Answers a body.
///
/// # Errors
/// A body that is no question, or asks too much; a credential that is refused.
pub fn answer(doors: &Doors, body: &[u8], call: &Call<'_>) -> Result<Vec<u8>, Failure> {
    doors.guarded(Door::HttpLookup, call.arrived, || {
        let question = read(body)?;
        let now = doors.clock.now();
        doors.with_party(call, |party, scratch| {
            let status = doors.lookup(ask(&question), call, party, now, scratch)?;
            Ok(match party.served {
                Some(served) => write(status, party.labels, doors.stale(served, now), scratch),
                None => write_nothing(status),
            })
        })
    })
}

/// Reads a body. What serde says of a value could quote an identifier, so only the place is told.
pub(super) fn read(body: &[u8]) -> Result<Question<'_>, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure::invalid("the body is not UTF-8; send JSON in UTF-8"))?;
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Failure::invalid(
            "the body is not a JSON object; send one such as {\"eids\":[{\"source\":\"...\",\"uid\":\"...\"}]}",
        ));
    }
    serde_json::from_str(text).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "the JSON ends too early",
            serde_json::error::Category::Data => "a field has a value of the wrong type or occurs twice",
            _ => "the body is not JSON",
        };
        let (line, column) = (error.line(), error.column());
        Failure::invalid(format!("{what} (line {line}, column {column}); docs/api.md shows the shape"))
    })
}

/// The question a body asks.
pub(super) fn ask<'q>(question: &'q Question<'_>) -> Ask<'q, impl ExactSizeIterator<Item = Eid<'q>>> {
    let eids = question.eids.as_deref().unwrap_or_default();
    Ask {
        eids: eids.iter().map(|eid| (&*eid.source, &*eid.uid)),
        ifa: &question.ifa,
        signals: question.privacy.as_ref().map(signals).unwrap_or_default(),
        tmax_ms: question.tmax_ms.unwrap_or(0),
        test: false,
    }
}

fn signals<'q>(privacy: &'q Privacy<'_>) -> Signals<'q> {
    Signals {
        gdpr: privacy.gdpr.0,
        tcf: &privacy.tcf,
        gpp: &privacy.gpp,
        gpp_sid: privacy.gpp_sid.0.as_deref(),
        us_privacy: &privacy.us_privacy,
        gpc: privacy.gpc.0,
        coppa: privacy.coppa.0,
        lmt: privacy.lmt.0,
        country: &privacy.country,
    }
}

fn write(status: Status, labels: &Labels, stale: bool, scratch: &mut Scratch) -> Vec<u8> {
    let audiences: &[u32] = if status == Status::Matched { &scratch.answer.audiences } else { &[] };
    let mut out = Vec::with_capacity(192 + 40 * audiences.len());
    begin(status, &mut out);
    out.extend_from_slice(b",\"audiences\":[");
    let mut first = true;
    for label in audiences.iter().filter_map(|&number| labels.audience(number)) {
        comma(&mut first, &mut out);
        out.extend_from_slice(label.json.as_bytes());
    }
    out.extend_from_slice(b"],\"segments\":[");
    let mut first = true;
    for segment in said_once(labels, audiences, &mut scratch.segments) {
        comma(&mut first, &mut out);
        out.extend_from_slice(labels.segments[segment as usize].json.as_bytes());
    }
    out.extend_from_slice(b"],");
    out.extend_from_slice(labels.stamp(stale).json.as_bytes());
    out
}

fn write_nothing(status: Status) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    begin(status, &mut out);
    out.extend_from_slice(b",\"audiences\":[],\"segments\":[],");
    out.extend_from_slice(NO_GENERATION.as_bytes());
    out
}

/// `{"status":"matched"`
pub(super) fn begin(status: Status, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"status\":\"");
    out.extend_from_slice(status.name().as_bytes());
    out.push(b'"');
}

pub(super) fn comma(first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

/// The segments of these audiences, each once, as positions in the labels' segments.
pub(super) fn said_once<'s>(
    labels: &'s Labels,
    audiences: &'s [u32],
    said: &'s mut Vec<u32>,
) -> impl Iterator<Item = u32> + 's {
    said.clear();
    let segments = audiences.iter().filter_map(|&number| labels.audience(number)?.segment);
    segments.filter(move |segment| {
        if !labels.segments[*segment as usize].shared {
            return true;
        }
        let new = !said.contains(segment);
        if new {
            said.push(*segment);
        }
        new
    })
}
