//! What we read of an OpenRTB 2.5 or 2.6 bid request, whatever form it comes in. Everything else of it is passed over.
//!
//! Contents: [`BidRequest`] the reading, borrowed from the request; [`json`] from JSON, and new entries of `user.data`;
//! [`message`] from protobuf. Unknown fields and values are tolerated; a body that is not what it is declared as is
//! refused.

pub mod json;
pub mod message;
mod scan;
mod signals;
mod splice;
mod walk;

use super::json::{Sections, Text};
use smallvec::SmallVec;

/// A bid request, as far as we read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BidRequest<'a> {
    /// `id`
    pub id: Text<'a>,
    /// `tmax`: milliseconds, network included; 0 = not said.
    pub tmax_ms: u64,
    /// `test`: answered, and counted nowhere.
    pub test: bool,
    /// Source and uid of `user.eids[].uids[]`, then of `user.ext.eids[].uids[]`, in the request's order.
    pub eids: SmallVec<[(Text<'a>, Text<'a>); 8]>,
    /// `user.id`: the exchange's.
    pub user_id: Text<'a>,
    /// `user.buyeruid`: the buyer's.
    pub buyeruid: Text<'a>,
    /// `device.ifa`
    pub ifa: Text<'a>,
    /// Its privacy signals.
    pub privacy: Signals<'a>,
    /// `imp[]`, in the request's order.
    pub imps: SmallVec<[Imp<'a>; 2]>,
    /// `user.data[]` as it came: who gave it, under which taxonomy.
    pub data: SmallVec<[Data<'a>; 2]>,
}

/// Privacy signals, from `regs`, `user`, `device` and the places of OpenRTB 2.5. `None` = not said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signals<'a> {
    /// `regs.gdpr`, `regs.ext.gdpr`: set if either is.
    pub gdpr: Option<bool>,
    /// `user.consent`, else `user.ext.consent`.
    pub tcf: Text<'a>,
    /// `regs.gpp`, else `regs.ext.gpp`.
    pub gpp: Text<'a>,
    /// `regs.gpp_sid`, else `regs.ext.gpp_sid`.
    pub gpp_sid: Sections,
    /// `regs.us_privacy`, else `regs.ext.us_privacy`.
    pub us_privacy: Text<'a>,
    /// `regs.ext.gpc`, `regs.gpc`
    pub gpc: Option<bool>,
    /// `regs.coppa`
    pub coppa: Option<bool>,
    /// `device.lmt` or `device.dnt`: set if either is.
    pub lmt: Option<bool>,
    /// `device.geo.country`, else `user.geo.country`.
    pub country: Text<'a>,
}

/// An impression on offer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imp<'a> {
    /// `imp[].id`
    pub id: Text<'a>,
    /// `imp[].pmp.deals[]`, in the request's order.
    pub deals: SmallVec<[Deal<'a>; 4]>,
}

/// A deal on offer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deal<'a> {
    /// `id`
    pub id: Text<'a>,
    /// `guar`: the bidder is obliged to serve it.
    pub guaranteed: bool,
}

/// An entry of `user.data`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Data<'a> {
    /// `id`
    pub id: Text<'a>,
    /// `name`
    pub name: Text<'a>,
    /// `ext.segtax`
    pub taxonomy: Option<u32>,
}
