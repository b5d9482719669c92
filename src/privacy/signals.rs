//! The signals as a request carries them, borrowed from it. What they mean is `policy`'s.

/// What a request says about privacy. `None` = absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals<'a> {
    /// Whether GDPR applies.
    pub gdpr: Option<bool>,
    /// The TCF consent string; empty = absent.
    pub tcf: &'a str,
    /// The GPP string; empty = absent.
    pub gpp: &'a str,
    /// The GPP sections that apply to the request; negative ones are none. `None`, an empty list and 0 alone = it does not
    /// say which do.
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
