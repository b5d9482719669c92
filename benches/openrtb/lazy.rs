//! A candidate that lost: serde's borrowed structs over `serde_json`, with [`RawValue`] where new entries go. It reads
//! less than the scanner (no 2.5 places, no tolerance of wrong types) and does not see bad UTF-8 in what it ignores.

use serde::Deserialize;
use serde_json::value::RawValue;
use vaglio::wire::json::{Flag, Sections, Text};

/// The top level.
#[derive(Debug, Deserialize)]
pub struct Request<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    pub tmax: Option<u64>,
    #[serde(default)]
    pub test: Flag,
    #[serde(borrow)]
    pub user: Option<User<'a>>,
    #[serde(borrow)]
    pub device: Option<Device<'a>>,
    #[serde(borrow)]
    pub regs: Option<Regs<'a>>,
}

/// `user`
#[derive(Debug, Deserialize)]
pub struct User<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
    #[serde(borrow, default)]
    pub buyeruid: Text<'a>,
    #[serde(borrow, default)]
    pub consent: Text<'a>,
    #[serde(borrow, default)]
    pub eids: Vec<Eid<'a>>,
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
}

/// `user.eids[]`
#[derive(Debug, Deserialize)]
pub struct Eid<'a> {
    #[serde(borrow, default)]
    pub source: Text<'a>,
    #[serde(borrow, default)]
    pub uids: Vec<Uid<'a>>,
}

/// `user.eids[].uids[]`
#[derive(Debug, Deserialize)]
pub struct Uid<'a> {
    #[serde(borrow, default)]
    pub id: Text<'a>,
}

/// `device`
#[derive(Debug, Deserialize)]
pub struct Device<'a> {
    #[serde(borrow, default)]
    pub ifa: Text<'a>,
    #[serde(default)]
    pub lmt: Flag,
    #[serde(default)]
    pub dnt: Flag,
    #[serde(borrow)]
    pub geo: Option<Geo<'a>>,
}

/// `device.geo`
#[derive(Debug, Deserialize)]
pub struct Geo<'a> {
    #[serde(borrow, default)]
    pub country: Text<'a>,
}

/// `regs`
#[derive(Debug, Deserialize)]
pub struct Regs<'a> {
    #[serde(default)]
    pub gdpr: Flag,
    #[serde(default)]
    pub coppa: Flag,
    #[serde(borrow, default)]
    pub gpp: Text<'a>,
    #[serde(default)]
    pub gpp_sid: Sections,
    #[serde(borrow, default)]
    pub us_privacy: Text<'a>,
}

/// The request, and whether it can be read.
pub fn read(body: &[u8]) -> Option<Request<'_>> {
    serde_json::from_slice(body).ok()
}
