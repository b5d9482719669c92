//! The answer: what a profile may be read for, and for each use that is denied the first reason.

use crate::schema::Use;

/// Which signal denied, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The user is a child.
    Coppa,
    /// Ad tracking is limited.
    Lmt,
    /// Global Privacy Control is on.
    Gpc,
    /// GDPR applies, and no TCF string came.
    TcfMissing,
    /// A TCF string applies and cannot be decoded.
    TcfUndecodable,
    /// A TCF string applies and is not valid: not version 2, a policy version below 4, or not service specific.
    TcfInvalid,
    /// No vendor is configured (`privacy.tcf_vendor_id`), or it is not among the disclosed ones.
    TcfVendor,
    /// The purposes that the use needs are not permitted to the vendor.
    TcfRefused,
    /// A GPP section applies and is not in the string.
    GppMissing,
    /// The GPP string, or a section of it that applies, cannot be decoded.
    GppUndecodable,
    /// A GPP section says: opted out of sale, sharing or targeted advertising.
    GppOptedOut,
    /// A GPP section carries Global Privacy Control.
    GppGpc,
    /// A GPP section says: a known child, and no consent.
    GppChild,
    /// TCF Canada's section does not permit the purposes that the use needs.
    GppRefused,
    /// The US privacy string cannot be read.
    UsPrivacyUndecodable,
    /// Opted out of sale by the US privacy string.
    UsPrivacyOptedOut,
}

impl Reason {
    /// The names in metrics, in the order of the numbers.
    pub const NAMES: [&'static str; 16] = [
        "coppa",
        "lmt",
        "gpc",
        "tcf_missing",
        "tcf_undecodable",
        "tcf_invalid",
        "tcf_vendor",
        "tcf_refused",
        "gpp_missing",
        "gpp_undecodable",
        "gpp_opted_out",
        "gpp_gpc",
        "gpp_child",
        "gpp_refused",
        "us_privacy_undecodable",
        "us_privacy_opted_out",
    ];

    /// The name in metrics.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// What the profile may be read for in this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// For each use why it is denied: the first signal that denied it.
    denied: [Option<Reason>; Use::ALL.len()],
}

impl Permission {
    /// Everything is permitted.
    pub const ALL: Permission = Permission { denied: [None; Use::ALL.len()] };

    /// Whether a use is permitted.
    pub fn allows(self, wanted: Use) -> bool {
        self.denied(wanted).is_none()
    }

    /// Why a use is denied; `None` = it is not.
    pub fn denied(self, wanted: Use) -> Option<Reason> {
        self.denied[wanted as usize]
    }

    /// Why the first of these uses that is denied is denied; `None` = all are permitted.
    pub fn first_denied(self, wanted: &[Use]) -> Option<Reason> {
        wanted.iter().find_map(|&one| self.denied(one))
    }

    /// Whether nothing is permitted.
    pub(super) fn is_none(self) -> bool {
        self.denied.iter().all(Option::is_some)
    }

    /// Denies a use; an earlier reason stays.
    pub(super) fn deny(&mut self, one: Use, reason: Reason) {
        self.denied[one as usize].get_or_insert(reason);
    }

    /// Denies every use.
    pub(super) fn deny_all(&mut self, reason: Reason) {
        Use::ALL.into_iter().for_each(|one| self.deny(one, reason));
    }
}
