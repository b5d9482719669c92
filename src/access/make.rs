//! Makes a key: what is wished for, checked, and what is kept of it. For `vaglio keys` and for the planner's port alike.

use super::credentials::{Credential, Origin, is_owner};
use super::{Key, Role};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::schema::{Span, Timestamp};
use jiff::tz::TimeZone;

/// The longest comment, and the longest name in a certificate, in bytes.
const LONGEST: usize = 256;

/// What is wished for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it is for.
    pub role: Role,
    /// Whose it is; `*` = everybody's.
    pub owner: String,
    /// The caller of the configuration whose settings it uses.
    pub caller: Option<String>,
    /// When it stops being valid.
    pub expires: Option<Timestamp>,
    /// A note.
    pub comment: Option<String>,
    /// The name in a client certificate that stands for it, instead of a text.
    pub mtls: Option<String>,
}

impl Wanted {
    /// The key, and what is kept of it. Where a certificate stands for it, nobody is told the key.
    ///
    /// # Errors
    /// What does not go together, and a machine without random numbers.
    pub fn make(self, config: &Config, now: Timestamp) -> Result<(Key, Credential)> {
        self.check(config)?;
        let key = Key::random()?;
        let Wanted { role, owner, caller, expires, comment, mtls } = self;
        let (id, sha256) = (key.id().to_owned(), key.hash());
        let (created, revoked, origin) = (now, None, Origin::Made);
        let mtls = mtls.map(|name| name.trim().to_lowercase());
        let made = Credential { id, sha256, role, owner, caller, created, expires, revoked, comment, mtls, origin };
        Ok((key, made))
    }

    /// What is wrong with it.
    fn check(&self, config: &Config) -> Result<()> {
        if !is_owner(&self.owner) {
            let message = "owner must be an owner's name as in the definitions (letters, digits, `_`, `-`, `.`), or \"*\" for all";
            return Err(Error::usage(message));
        }
        if self.role == Role::Privacy && self.owner != "*" {
            return Err(Error::usage(
                "role privacy goes with owner \"*\": what is held of a person is not one owner's",
            ));
        }
        let plain = |text: &String| text.len() <= LONGEST && !text.chars().any(char::is_control);
        if !self.comment.as_ref().is_none_or(plain) {
            return Err(Error::usage(format!("comment must be one line of plain text, at most {LONGEST} bytes")));
        }
        if !self.mtls.as_ref().is_none_or(|name| plain(name) && !name.trim().is_empty()) {
            return Err(Error::usage("mtls must be the name in a certificate: a DNS name of it, or its common name"));
        }
        self.check_caller(config)
    }

    fn check_caller(&self, config: &Config) -> Result<()> {
        let Some(name) = &self.caller else { return Ok(()) };
        if self.role != Role::Bidder {
            return Err(Error::usage("caller goes with role bidder: callers are those who ask at the bid doors"));
        }
        if config.callers.iter().any(|caller| caller.name == *name) {
            return Ok(());
        }
        let known: Vec<&str> = config.callers.iter().map(|caller| caller.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(Error::usage(format!("the configuration has no caller `{name}`; there: {known}")))
    }
}

/// `90d` from now, or the midnight that opens a date, or an instant.
///
/// # Errors
/// Another text, and what has passed already.
pub fn expiry(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp> {
    let after = Span::parse(text).and_then(|span| now.0.checked_add(span.0)).map(Timestamp);
    let on = || text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == "2027-01-01".len());
    let midnight = || Some(Timestamp(on()?.to_zoned(zone.clone()).ok()?.timestamp().as_second()));
    let expires = after.or_else(midnight).or_else(|| Timestamp::parse(text)).ok_or_else(|| {
        Error::usage(format!("expires {text}: expected a length of time such as 90d, or a date such as 2027-01-01"))
    })?;
    if expires <= now {
        return Err(Error::usage(format!("expires {text} has passed already; name a time to come")));
    }
    Ok(expires)
}
