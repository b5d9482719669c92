//! ARTF's `RTBRequest`: the template as a protobuf bid request, and in it whom this one is about.
//!
//! Our reading of OpenRTB's protobuf knows a few fields. What else a template says travels as bytes in a field that nobody
//! has, and is passed over as the fields of a whole request are.

use super::Asked;
use super::openrtb::hex;
use super::proto::{close, field};
use super::sheet::Sheet;
use super::template::Template;
use crate::load::users::{Person, Privacy, Shape, write_uid};
use crate::load::workload::Request;
use crate::wire::artf::{Lifecycle, RtbRequest};
use crate::wire::v2::{BidRequest, bid_request as message};
use message::regs;
use prost::Message;

/// Length-delimited fields: those of `RTBRequest`, `BidRequest`, `User`, `EID`, `UID`, by number.
const fn tag(number: u8) -> u8 {
    number << 3 | 2
}
const REQUEST_ID: u8 = tag(2);
const BID_REQUEST: u8 = tag(4);
const DEVICE: u8 = tag(5);
const USER: u8 = tag(6);
const REGS: u8 = tag(14);
const USER_EIDS: u8 = tag(11);
const ID: u8 = tag(1);
const BUYERUID: u8 = tag(2);
const UIDS: u8 = tag(2);
/// A field that nobody has.
const OTHER: u32 = 90;

/// The pieces.
#[derive(Debug)]
pub struct Artf {
    people: Sheet,
    sources: Vec<(String, Shape)>,
    /// Impressions and everything else of the bid request.
    templates: Vec<Vec<u8>>,
    /// `lifecycle`, `tmax`.
    head: Vec<u8>,
}

const EIDS: usize = 0;
const REST: usize = 1;
const OF_DEVICE: usize = 2;
const OF_REGS: usize = 3;

impl Artf {
    /// Encodes what will be sent.
    pub fn new(people: &[Person], sources: &[String], templates: &[Template], request: &Request) -> Self {
        let mut sheet = Sheet::new(4);
        for person in people {
            let said = person.privacy.clone().unwrap_or_default();
            let eids = person.eids.iter().map(|eid| message::Eid {
                source: Some(eid.source.clone()),
                uids: vec![message::eid::Uid { id: Some(eid.uid.clone()), atype: None }],
            });
            sheet.push(&message::User { eids: eids.collect(), ..Default::default() }.encode_to_vec());
            sheet.push(&message::User { consent: text(&said.tcf), ..Default::default() }.encode_to_vec());
            let geo = text(&said.country).map(|country| message::Geo { country: Some(country) });
            let device = message::Device { geo, ifa: text(&person.ifa), lmt: said.lmt, ..Default::default() };
            sheet.push(&device.encode_to_vec());
            sheet.push(&of_regs(&said).encode_to_vec());
        }
        let tmax = i32::try_from(request.tmax_ms).ok().filter(|tmax| *tmax > 0);
        let lifecycle = Some(Lifecycle::PublisherBidRequest.into());
        Artf {
            people: sheet,
            sources: sources.iter().map(|source| (source.clone(), Shape::of(source))).collect(),
            templates: templates.iter().map(|template| bid_request(template, tmax)).collect(),
            head: RtbRequest { lifecycle, tmax, ..Default::default() }.encode_to_vec(),
        }
    }

    /// Writes a request.
    pub fn write(&self, asked: &mut Asked<'_>, into: &mut Vec<u8>) {
        let template = &self.templates[(asked.n % self.templates.len() as u64) as usize];
        let part = |part| self.people.get(asked.whom.line, part);
        into.extend_from_slice(&self.head);
        let mut id = Vec::with_capacity(32);
        hex(asked.draws.bits(), &mut id);
        hex(asked.draws.bits(), &mut id);
        field(REQUEST_ID, &id, into);
        let request = into.len();
        field(ID, &id, into);
        into.extend_from_slice(template);
        field(DEVICE, part(OF_DEVICE), into);
        let user = into.len();
        for tag in [ID, BUYERUID] {
            let start = into.len();
            hex(asked.draws.bits(), into);
            close(tag, start, into);
        }
        into.extend_from_slice(part(EIDS));
        for _ in 0..asked.whom.made_up {
            let (source, shape) = &self.sources[asked.draws.below(self.sources.len())];
            let eid = into.len();
            field(ID, source.as_bytes(), into);
            let uid = into.len();
            write_uid(*shape, asked.draws, into);
            close(ID, uid, into);
            close(UIDS, uid, into);
            close(USER_EIDS, eid, into);
        }
        into.extend_from_slice(part(REST));
        close(USER, user, into);
        field(REGS, part(OF_REGS), into);
        close(BID_REQUEST, request, into);
    }
}

fn text(said: &str) -> Option<String> {
    (!said.is_empty()).then(|| said.to_owned())
}

fn bid_request(template: &Template, tmax: Option<i32>) -> Vec<u8> {
    let imps = template.imps.iter().map(|(id, deals)| {
        let offered = deals.iter().map(|(id, guar)| message::Deal { id: Some(id.clone()), guar: *guar });
        let pmp = message::Pmp { private_auction: Some(false), deals: offered.collect() };
        let pmp = (!deals.is_empty()).then_some(pmp);
        message::Imp { id: Some(id.clone()), pmp }
    });
    let mut bytes = BidRequest { imp: imps.collect(), tmax, ..Default::default() }.encode_to_vec();
    prost::encoding::bytes::encode(OTHER, &template.rest.clone().into_bytes(), &mut bytes);
    bytes
}

fn of_regs(said: &Privacy) -> message::Regs {
    let gpc = said.gpc.map(|set| if set { "1" } else { "0" }.to_owned());
    message::Regs {
        coppa: said.coppa,
        gpp: text(&said.gpp),
        gpp_sid: said.gpp_sid.clone(),
        gdpr: said.gdpr,
        us_privacy: text(&said.us_privacy),
        ext: gpc.map(|gpc| regs::Ext { gpc: Some(gpc), ..Default::default() }),
    }
}
