//! A request's privacy signals -> a [`Permission`]. Until consent strings are decoded, any signal that could refuse
//! refuses: what cannot be proved is not permitted.
//!
//! Denied means that the profile is not read at all. Nothing about the user is known here, and nothing of the wire.

use crate::config::{self, PrivacyDuty};
use crate::schema::Use;

/// The signals as a request carries them. `None` = absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals<'a> {
    /// Whether GDPR applies.
    pub gdpr: Option<bool>,
    /// The TCF consent string; empty = absent.
    pub tcf: &'a str,
    /// The GPP string; empty = absent.
    pub gpp: &'a str,
    /// The GPP sections that apply to the request (zero and negative ones are none); `None` = it does not say which do.
    pub gpp_sid: Option<&'a [i32]>,
    /// The four characters of the US privacy string; empty = absent.
    pub us_privacy: &'a str,
    /// Global Privacy Control.
    pub gpc: Option<bool>,
    /// The user is a child.
    pub coppa: Option<bool>,
    /// Limited ad tracking, or "do not track".
    pub lmt: Option<bool>,
    /// The country of the device or the user: ISO 3166, two or three letters; empty = not said.
    pub country: &'a str,
}

/// Which signal denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// GDPR applies (or a consent string came without saying that it does not), and no consent can be proved.
    Tcf,
    /// A GPP section applies (or a GPP string came without saying which do) and cannot be decoded.
    Gpp,
    /// Opted out of sale by the US privacy string, or the string cannot be read.
    UsPrivacy,
    /// Global Privacy Control is on.
    Gpc,
    /// The user is a child.
    Coppa,
    /// Ad tracking is limited.
    Lmt,
}

/// What the profile may be read for in this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// One bit a use.
    uses: u8,
    /// Why something is not permitted: the first signal that denied.
    pub reason: Option<Reason>,
}

impl Permission {
    /// Everything is permitted.
    pub const ALL: Permission = Permission { uses: 0b1111, reason: None };

    /// Whether a use is permitted.
    pub fn allows(self, wanted: Use) -> bool {
        self.uses & bit(wanted) != 0
    }
}

const fn bit(one: Use) -> u8 {
    1 << one as u8
}

/// How signals are read: the configuration, ready to be applied.
#[derive(Debug, Clone)]
pub struct Policy {
    settings: config::Privacy,
}

impl Policy {
    /// Applies these settings.
    pub fn new(settings: &config::Privacy) -> Self {
        Policy { settings: settings.clone() }
    }

    /// What the signals permit. Pure and total: there is no error, only a denial.
    pub fn permission(&self, signals: &Signals<'_>, duty: PrivacyDuty) -> Permission {
        let _ = (&self.settings, duty);
        match signals.denied() {
            None => Permission::ALL,
            reason => Permission { uses: 0, reason },
        }
    }
}

impl Signals<'_> {
    fn denied(&self) -> Option<Reason> {
        let set = |flag: Option<bool>| flag == Some(true);
        let gpp_applies = self.gpp_sid.map(|sections| sections.iter().any(|&section| section > 0));
        if set(self.coppa) {
            Some(Reason::Coppa)
        } else if set(self.lmt) {
            Some(Reason::Lmt)
        } else if set(self.gpc) {
            Some(Reason::Gpc)
        } else if set(self.gdpr) || (self.gdpr.is_none() && !self.tcf.is_empty()) {
            Some(Reason::Tcf)
        } else if us_privacy_denies(self.us_privacy) {
            Some(Reason::UsPrivacy)
        } else if set(gpp_applies) || (gpp_applies.is_none() && !self.gpp.is_empty()) {
            Some(Reason::Gpp)
        } else {
            None
        }
    }
}

/// `1---` does not apply, `1YNN` notice given and not opted out; `Y` as the third character opts out. What is not of
/// this form cannot be read, so it denies.
fn us_privacy_denies(text: &str) -> bool {
    match text.as_bytes() {
        [] => false,
        [b'1', notice, opt_out, covered] => {
            let known = |byte: &u8| matches!(byte.to_ascii_uppercase(), b'Y' | b'N' | b'-');
            !known(notice) || !known(covered) || !matches!(opt_out.to_ascii_uppercase(), b'N' | b'-')
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(signals: Signals<'_>) -> Option<Reason> {
        let permission = Policy::new(&config::Privacy::default()).permission(&signals, PrivacyDuty::Required);
        assert_eq!(permission.allows(Use::Target), permission.reason.is_none());
        permission.reason
    }

    #[test]
    fn nothing_said_and_nothing_refused_is_allowed() {
        let none = Signals::default();
        assert_eq!(reason(none), None);
        let off = Some(false);
        let all_off = Signals {
            gdpr: off,
            gpc: off,
            coppa: off,
            lmt: off,
            us_privacy: "1YNN",
            gpp: "DBAA",
            gpp_sid: Some(&[0, -1]),
            ..none
        };
        assert_eq!(reason(all_off), None);
        assert_eq!(reason(Signals { us_privacy: "1---", ..none }), None);
        assert_eq!(reason(Signals { gdpr: off, tcf: "CPx", ..none }), None);
    }

    #[test]
    fn every_signal_that_could_refuse_refuses() {
        let (none, on) = (Signals::default(), Some(true));
        assert_eq!(reason(Signals { gdpr: on, ..none }), Some(Reason::Tcf));
        assert_eq!(reason(Signals { gdpr: on, tcf: "CPxxxx", ..none }), Some(Reason::Tcf));
        assert_eq!(reason(Signals { tcf: "CPxxxx", ..none }), Some(Reason::Tcf));
        assert_eq!(reason(Signals { gpc: on, ..none }), Some(Reason::Gpc));
        assert_eq!(reason(Signals { coppa: on, ..none }), Some(Reason::Coppa));
        assert_eq!(reason(Signals { lmt: on, ..none }), Some(Reason::Lmt));
        assert_eq!(reason(Signals { gpp: "DBAA", gpp_sid: Some(&[7]), ..none }), Some(Reason::Gpp));
        assert_eq!(reason(Signals { gpp_sid: Some(&[7]), ..none }), Some(Reason::Gpp));
        assert_eq!(reason(Signals { gpp: "DBAA", ..none }), Some(Reason::Gpp));
        for opted_out in ["1YYN", "1NY-", "1yyy"] {
            assert_eq!(reason(Signals { us_privacy: opted_out, ..none }), Some(Reason::UsPrivacy), "{opted_out}");
        }
        for unreadable in ["1", "2YNN", "1YXN", "garbage", "1YN"] {
            assert_eq!(reason(Signals { us_privacy: unreadable, ..none }), Some(Reason::UsPrivacy), "{unreadable}");
        }
    }
}
