//! The words of an answer: what became of the lookup ([`Status`]), and what a campaign may do about it ([`Decision`]).

use crate::audiences::catalogue::Fallback;

/// What became of a question about a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// A profile was found and may be used.
    Matched,
    /// No identifier is known.
    NoProfile,
    /// No usable identifier was sent.
    NoId,
    /// A signal of the request or a stored refusal forbids reading the profile.
    NoConsent,
    /// The person objected to marketing.
    Blocked,
    /// No generation is loaded.
    NotReady,
    /// Shed under load.
    Overloaded,
    /// The deadline passed first.
    Late,
}

impl Status {
    /// Every status, in the order of their numbers.
    pub const ALL: [Status; 8] = [
        Status::Matched,
        Status::NoProfile,
        Status::NoId,
        Status::NoConsent,
        Status::Blocked,
        Status::NotReady,
        Status::Overloaded,
        Status::Late,
    ];

    /// The name in answers and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Status::Matched => "matched",
            Status::NoProfile => "no_profile",
            Status::NoId => "no_id",
            Status::NoConsent => "no_consent",
            Status::Blocked => "blocked",
            Status::NotReady => "not_ready",
            Status::Overloaded => "overloaded",
            Status::Late => "late",
        }
    }
}

/// What a campaign may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Speak.
    Target,
    /// Leave alone.
    Suppress,
    /// It cannot be said.
    Unknown,
}

impl Verdict {
    /// The name in answers and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Target => "target",
            Verdict::Suppress => "suppress",
            Verdict::Unknown => "unknown",
        }
    }
}

/// A verdict and its reason, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Decision {
    /// In target: speak.
    Target,
    /// In none of `include`: suppress.
    NotInTarget,
    /// In an `exclude` audience: suppress.
    Excluded,
    /// The campaign does not speak now (status or flight): suppress.
    Paused,
    /// The person objected: suppress.
    Objected,
    /// No profile, and the campaign says: speak.
    NoProfileTarget,
    /// No profile, and the campaign says: leave alone.
    NoProfileSuppress,
    /// No profile, and the campaign says: unknown.
    NoProfileUnknown,
    /// No usable identifier: unknown.
    NoId,
    /// The profile may not be read: unknown.
    NoConsent,
    /// No generation: unknown.
    NotReady,
    /// Shed: unknown.
    Overloaded,
    /// Too late: unknown.
    Late,
    /// The person saw it, or its group, often enough or too recently: suppress.
    Capped,
    /// The owner has said enough to this person: suppress.
    Pressure,
    /// Another campaign of its group speaks: suppress.
    Outranked,
    /// It has a limit, and what was shown is not known in time: unknown.
    CapsUnknown,
}

impl Decision {
    /// Every decision, in the order of their numbers.
    pub const ALL: [Decision; 17] = [
        Decision::Target,
        Decision::NotInTarget,
        Decision::Excluded,
        Decision::Paused,
        Decision::Objected,
        Decision::NoProfileTarget,
        Decision::NoProfileSuppress,
        Decision::NoProfileUnknown,
        Decision::NoId,
        Decision::NoConsent,
        Decision::NotReady,
        Decision::Overloaded,
        Decision::Late,
        Decision::Capped,
        Decision::Pressure,
        Decision::Outranked,
        Decision::CapsUnknown,
    ];

    /// The verdict.
    pub const fn verdict(self) -> Verdict {
        match self {
            Decision::Target | Decision::NoProfileTarget => Verdict::Target,
            Decision::NotInTarget
            | Decision::Excluded
            | Decision::Paused
            | Decision::Objected
            | Decision::NoProfileSuppress
            | Decision::Capped
            | Decision::Pressure
            | Decision::Outranked => Verdict::Suppress,
            Decision::NoProfileUnknown
            | Decision::NoId
            | Decision::NoConsent
            | Decision::NotReady
            | Decision::Overloaded
            | Decision::Late
            | Decision::CapsUnknown => Verdict::Unknown,
        }
    }

    /// The reason code; empty for a user in target.
    pub const fn reason(self) -> &'static str {
        match self {
            Decision::Target => "",
            Decision::NotInTarget => "not_in_target",
            Decision::Excluded => "excluded",
            Decision::Paused => "paused",
            Decision::Objected => "objected",
            Decision::NoProfileTarget | Decision::NoProfileSuppress | Decision::NoProfileUnknown => "no_profile",
            Decision::NoId => "no_id",
            Decision::NoConsent => "no_consent",
            Decision::NotReady => "not_ready",
            Decision::Overloaded => "overloaded",
            Decision::Late => "late",
            Decision::Capped | Decision::CapsUnknown => "capped",
            Decision::Pressure => "pressure",
            Decision::Outranked => "outranked",
        }
    }

    /// What a campaign's `no_profile` makes of a user without a profile.
    pub const fn without_profile(policy: Fallback) -> Decision {
        match policy {
            Fallback::Target => Decision::NoProfileTarget,
            Fallback::Suppress => Decision::NoProfileSuppress,
            Fallback::Unknown => Decision::NoProfileUnknown,
        }
    }

    /// What is said of every campaign in this status, whoever the user is; `None` where the user matters.
    pub const fn of_status(status: Status) -> Option<Decision> {
        match status {
            Status::Matched | Status::NoProfile => None,
            Status::NoId => Some(Decision::NoId),
            Status::NoConsent => Some(Decision::NoConsent),
            Status::Blocked => Some(Decision::Objected),
            Status::NotReady => Some(Decision::NotReady),
            Status::Overloaded => Some(Decision::Overloaded),
            Status::Late => Some(Decision::Late),
        }
    }
}
