//! The protobuf messages of our own gRPC doors: a lookup, many of them, a decision.

use super::Asked;
use super::sheet::Sheet;
use crate::load::users::{Person, Privacy, Shape, write_uid};
use crate::load::workload::Request;
use crate::wire::v1;
use prost::Message;

/// Field 1, length-delimited: `LookupRequest.eids`, `LookupBatchRequest.lookups`, `Eid.source`.
const FIRST: u8 = 1 << 3 | 2;
/// Field 2, length-delimited: `Eid.uid`.
const SECOND: u8 = 2 << 3 | 2;
/// `LookupBatchRequest.numeric_ids` = true.
const NUMERIC: [u8; 2] = [2 << 3, 1];
/// `DecideRequest.campaigns`.
const CAMPAIGNS: u8 = 5 << 3 | 2;

/// Appends a field of bytes.
pub fn field(tag: u8, bytes: &[u8], into: &mut Vec<u8>) {
    into.push(tag);
    varint(bytes.len(), into);
    into.extend_from_slice(bytes);
}

/// Appends a length.
pub fn varint(mut number: usize, into: &mut Vec<u8>) {
    while number > 127 {
        into.push(number as u8 | 128);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Makes what was written from `start` on a field: its tag and length are put before it.
pub fn close(tag: u8, start: usize, into: &mut Vec<u8>) {
    let end = into.len();
    into.push(tag);
    varint(end - start, into);
    let head = into.len() - end;
    into[start..].rotate_right(head);
}

/// The pieces.
#[derive(Debug)]
pub struct Proto {
    people: Sheet,
    sources: Vec<(String, Shape)>,
    campaigns: Vec<String>,
    tmax: Vec<u8>,
}

const EIDS: usize = 0;
const REST: usize = 1;

impl Proto {
    /// Encodes what will be sent.
    pub fn new(people: &[Person], sources: &[String], request: &Request) -> Self {
        let mut sheet = Sheet::new(2);
        for person in people {
            let eids = person.eids.iter().map(|eid| v1::Eid { source: eid.source.clone(), uid: eid.uid.clone() });
            sheet.push(&v1::LookupRequest { eids: eids.collect(), ..Default::default() }.encode_to_vec());
            let privacy = person.privacy.as_ref().map(privacy);
            sheet.push(&v1::LookupRequest { ifa: person.ifa.clone(), privacy, ..Default::default() }.encode_to_vec());
        }
        let tmax_ms = u32::try_from(request.tmax_ms).unwrap_or(u32::MAX);
        Proto {
            people: sheet,
            sources: sources.iter().map(|source| (source.clone(), Shape::of(source))).collect(),
            campaigns: request.campaign_ids.clone(),
            tmax: v1::LookupRequest { tmax_ms, ..Default::default() }.encode_to_vec(),
        }
    }

    /// Writes a lookup; a decision begins alike.
    pub fn lookup(&self, asked: &mut Asked<'_>, into: &mut Vec<u8>) {
        into.extend_from_slice(self.people.get(asked.whom.line, EIDS));
        for _ in 0..asked.whom.made_up {
            let (source, shape) = &self.sources[asked.draws.below(self.sources.len())];
            made_up(source, *shape, asked, into);
        }
        into.extend_from_slice(self.people.get(asked.whom.line, REST));
        into.extend_from_slice(&self.tmax);
    }

    /// Writes a decision on so many campaigns.
    pub fn decide(&self, asked: &mut Asked<'_>, campaigns: usize, into: &mut Vec<u8>) {
        self.lookup(asked, into);
        for at in 0..campaigns.min(self.campaigns.len()) {
            let campaign = asked.campaign(campaigns, at, self.campaigns.len());
            field(CAMPAIGNS, self.campaigns[campaign].as_bytes(), into);
        }
    }

    /// Writes one lookup of many.
    pub fn one_of_many(&self, asked: &mut Asked<'_>, into: &mut Vec<u8>) {
        let start = into.len();
        self.lookup(asked, into);
        close(FIRST, start, into);
    }

    /// Ends a message of many lookups; `numeric` = the answer may name audiences by numbers.
    pub fn end_many(numeric: bool, into: &mut Vec<u8>) {
        if numeric {
            into.extend_from_slice(&NUMERIC);
        }
    }
}

/// Appends an `Eid` with a made-up uid.
fn made_up(source: &str, shape: Shape, asked: &mut Asked<'_>, into: &mut Vec<u8>) {
    let start = into.len();
    field(FIRST, source.as_bytes(), into);
    let uid = into.len();
    write_uid(shape, asked.draws, into);
    close(SECOND, uid, into);
    close(FIRST, start, into);
}

fn privacy(said: &Privacy) -> v1::Privacy {
    v1::Privacy {
        gdpr: said.gdpr,
        tcf: said.tcf.clone(),
        gpp: said.gpp.clone(),
        gpp_sid: said.gpp_sid.clone(),
        us_privacy: said.us_privacy.clone(),
        gpc: said.gpc,
        coppa: said.coppa,
        lmt: said.lmt,
        country: said.country.clone(),
    }
}
