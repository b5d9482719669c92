//! A request as every door sees it: who asks, since when, how long an answer is worth waiting for; and what it is
//! answered from.

use super::labels::{CampaignLabel, Labels};
use super::live::{Scratch, Served};
use super::{Door, Doors};
use crate::access::{Caller, Refusal, Shown};
use crate::decide::Decision;
use crate::schema::{Clock, Timestamp};
use crate::wire::{Code, Failure};
use std::time::{Duration, Instant};

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Where it came in.
    pub door: Door,
    /// What it shows of who asks.
    pub shown: Shown<'a>,
    /// When it arrived.
    pub arrived: Instant,
    /// How long its transport says that it waits (`grpc-timeout`).
    pub timeout: Option<Duration>,
    /// Whether there is no room for it: it is answered `overloaded`.
    pub shed: bool,
}

impl Call<'_> {
    /// A request without a credential and without a door, from this machine, that has just arrived.
    pub fn local() -> Self {
        let shown = Shown { loopback: true, ..Shown::default() };
        Call { door: Door::HttpOther, shown, arrived: Instant::now(), timeout: None, shed: false }
    }
}

/// Who asks, and what it is answered from: all of one moment.
#[derive(Debug, Clone, Copy)]
pub struct Party<'s> {
    /// Who asks.
    pub caller: &'s Caller,
    /// The generation in service.
    pub served: Option<&'s Served>,
    /// Its names as this caller is told them; none without a generation.
    pub labels: &'s Labels,
}

impl<'s> Party<'s> {
    /// The caller's campaigns that speak now, by number, with what was decided on them. None without a generation.
    pub fn campaigns(
        self,
        decisions: &'s [Decision],
        now: Timestamp,
    ) -> impl Iterator<Item = (u32, &'s CampaignLabel, Decision)> {
        self.labels.campaigns().filter_map(move |(number, label)| {
            let speaks = self.served?.answering.campaigns.speaks(number, now);
            Some((number, label, *decisions.get(number as usize)?)).filter(|_| speaks)
        })
    }
}

impl Doors {
    /// Runs a request on what is in service now, for whoever asks.
    ///
    /// # Errors
    /// A credential that is refused, and what `answer` refuses.
    pub fn with_party<T>(
        &self,
        call: &Call<'_>,
        answer: impl FnOnce(Party<'_>, &mut Scratch) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // Keys expire by the machine's clock, also where answers are of a frozen instant.
        let now = Clock::System.now();
        self.live.with(|standing, scratch| {
            let number = standing.access.bidder(&call.shown, now).map_err(refused)?;
            let caller = standing.access.caller(number).ok_or_else(|| refused(Refusal::Unknown))?;
            scratch.tallies.serve(number, &caller.name, &self.metrics.callers);
            let served = standing.served.as_ref();
            let labels = served.and_then(|served| served.labels(number)).unwrap_or(Labels::none());
            answer(Party { caller, served, labels }, scratch)
        })
    }

    /// Refuses a wrong credential before anything else of the request is read.
    ///
    /// # Errors
    /// As [`Doors::with_party`].
    pub fn identify(&self, shown: &Shown<'_>) -> Result<(), Failure> {
        if shown.key.is_none() {
            return Ok(());
        }
        let now = Clock::System.now();
        self.live.with(|standing, _| standing.access.bidder(shown, now).map(drop)).map_err(refused)
    }
}

fn refused(refusal: Refusal) -> Failure {
    let (code, message) = match refusal {
        Refusal::Unknown => {
            (Code::Unauthenticated, "the credential is not known; `vaglio keys list` shows those that are")
        }
        Refusal::Expired => (Code::Unauthenticated, "the credential has expired; `vaglio keys create` makes a new one"),
        Refusal::NotABidder | Refusal::OtherRole | Refusal::Missing => {
            (Code::PermissionDenied, "the credential is not for the bid doors; they take one of role `bidder`")
        }
    };
    Failure::new(code, message)
}
