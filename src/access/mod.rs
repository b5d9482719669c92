//! Who asks: callers, their credentials, and what each may see. One store for keys made by `vaglio keys` and those of the
//! configuration.
//!
//! Contents: [`caller`] what a caller may see and how it is answered; [`Access`] everybody at one moment, and who a
//! credential stands for. No protocol, no audience's content.

pub mod caller;

pub use caller::{Caller, Role};

use crate::config::Config;

/// What a request shows of who asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'a> {
    /// The key of `Authorization: Bearer KEY`.
    pub key: Option<&'a [u8]>,
    /// The names in the client's verified certificate.
    pub names: &'a [String],
    /// Whether it came to a loopback address.
    pub loopback: bool,
}

/// Why nobody is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No such key, or it was taken away.
    Unknown,
    /// The key was valid once.
    Expired,
    /// The key is valid, and not for the bid doors.
    NotABidder,
}

/// A caller's position in [`Access::callers`].
pub type CallerNumber = u32;

/// Everybody who may ask, at one moment.
#[derive(Debug)]
pub struct Access {
    /// The public on loopback, the public elsewhere, then the callers.
    pub callers: Vec<Caller>,
}

/// What the public is on loopback, and elsewhere.
const PUBLIC: [CallerNumber; 2] = [0, 1];

impl Access {
    /// What the configuration says.
    pub fn new(config: &Config) -> Self {
        let public = |loopback| Caller::public(config.public.as_ref(), loopback);
        let callers = config.callers.iter().map(|settings| Caller::new(settings.clone()));
        Access { callers: [public(true), public(false)].into_iter().chain(callers).collect() }
    }

    /// Who asks at a bid door.
    ///
    /// # Errors
    /// A key that is wrong is refused, never taken for none.
    pub fn bidder(&self, shown: &Shown<'_>) -> Result<CallerNumber, Refusal> {
        match shown.key {
            Some(_) => Err(Refusal::Unknown),
            None => Ok(PUBLIC[usize::from(!shown.loopback)]),
        }
    }

    /// A caller by its number.
    pub fn caller(&self, number: CallerNumber) -> Option<&Caller> {
        self.callers.get(number as usize)
    }
}
