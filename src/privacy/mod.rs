//! A request's privacy signals -> a [`Permission`]. Until consent strings are decoded, any signal that could refuse
//! refuses: what cannot be proved is not permitted.
//!
//! Denied means that the profile is not read at all. Nothing about the user is known here, and nothing of the wire.

/// The signals as a request carries them. `None` = absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals<'a> {
    /// Whether GDPR applies.
    pub gdpr: Option<bool>,
    /// The TCF consent string; empty = absent.
    pub tcf: &'a str,
    /// The GPP string; empty = absent.
    pub gpp: &'a str,
    /// Whether any GPP section applies to the request; `None` = the request does not say which do.
    pub gpp_applies: Option<bool>,
    /// The four characters of the US privacy string; empty = absent.
    pub us_privacy: &'a str,
    /// Global Privacy Control.
    pub gpc: Option<bool>,
    /// The user is a child.
    pub coppa: Option<bool>,
    /// Limited ad tracking.
    pub lmt: Option<bool>,
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

/// Whether the profile may be read for this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// It may.
    pub allowed: bool,
    /// Why not.
    pub reason: Option<Reason>,
}

impl Signals<'_> {
    /// What the signals permit. Pure and total: there is no error, only a denial.
    pub fn permission(&self) -> Permission {
        let set = |flag: Option<bool>| flag == Some(true);
        let reason = if set(self.coppa) {
            Some(Reason::Coppa)
        } else if set(self.lmt) {
            Some(Reason::Lmt)
        } else if set(self.gpc) {
            Some(Reason::Gpc)
        } else if set(self.gdpr) || (self.gdpr.is_none() && !self.tcf.is_empty()) {
            Some(Reason::Tcf)
        } else if us_privacy_denies(self.us_privacy) {
            Some(Reason::UsPrivacy)
        } else if set(self.gpp_applies) || (self.gpp_applies.is_none() && !self.gpp.is_empty()) {
            Some(Reason::Gpp)
        } else {
            None
        };
        Permission { allowed: reason.is_none(), reason }
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
        let permission = signals.permission();
        assert_eq!(permission.allowed, permission.reason.is_none());
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
            gpp_applies: off,
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
        assert_eq!(reason(Signals { gpp: "DBAA", gpp_applies: on, ..none }), Some(Reason::Gpp));
        assert_eq!(reason(Signals { gpp_applies: on, ..none }), Some(Reason::Gpp));
        assert_eq!(reason(Signals { gpp: "DBAA", ..none }), Some(Reason::Gpp));
        for opted_out in ["1YYN", "1NY-", "1yyy"] {
            assert_eq!(reason(Signals { us_privacy: opted_out, ..none }), Some(Reason::UsPrivacy), "{opted_out}");
        }
        for unreadable in ["1", "2YNN", "1YXN", "garbage", "1YN"] {
            assert_eq!(reason(Signals { us_privacy: unreadable, ..none }), Some(Reason::UsPrivacy), "{unreadable}");
        }
    }
}
