//! Who asks: callers, their credentials, and what each may see.
//!
//! Contents: [`caller`] what a caller may see and how it is answered; [`key`] a key and its hash; [`credentials`] the keys
//! that `vaglio keys` made, [`make`] how one is made, [`store`] where they are kept; [`roles`] what a key is for at the planner's port; [`audit`] what is noted of who did what;
//! [`Access`] everybody at one moment, and who a credential stands for. No protocol, no audience's content.

pub mod audit;
pub mod caller;
pub mod credentials;
pub mod key;
pub mod make;
pub mod roles;
pub mod store;

pub use audit::Entry;
pub use caller::{Caller, Role};
pub use credentials::{Credential, Credentials, Origin};
pub use key::{Key, KeyHash};
pub use roles::Who;
pub use store::CredentialStore;

use crate::config::{self, Config};
use crate::schema::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// What a request shows of who asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'a> {
    /// The key of `Authorization: Bearer KEY`.
    pub key: Option<&'a [u8]>,
    /// The names in the client's verified certificate, in lower case.
    pub names: &'a [String],
    /// Whether it came to a loopback address.
    pub loopback: bool,
    /// The key that a name in the client's verified certificate stands for ([`Access::of_certificate`]), or a session of the
    /// planner's port.
    pub certificate: Option<KeyHash>,
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
    /// The key is valid, and not for this.
    OtherRole,
    /// A key is needed here.
    Missing,
}

/// A caller's position in [`Access::callers`].
pub type CallerNumber = u32;

/// Everybody who may ask, at one moment.
#[derive(Debug)]
pub struct Access {
    /// The public on loopback, the public elsewhere, the callers of the configuration, then owners whose keys name none.
    pub callers: Vec<Caller>,
    /// What each key opens, by its hash.
    keys: Vec<Known>,
    /// Who each name in a certificate stands for.
    names: HashMap<String, CallerNumber>,
    /// The key that each name in a certificate stands for.
    certificates: HashMap<String, KeyHash>,
    /// Whether somebody was given a key, also one that opens nothing any more.
    has_keys: bool,
}

#[derive(Debug)]
struct Known {
    hash: KeyHash,
    expires: Option<Timestamp>,
    /// Whether its text is public: then it opens nothing but loopback.
    loopback_only: bool,
    /// Whose it is; `None` = it is not for the bid doors.
    caller: Option<CallerNumber>,
    /// What it is for.
    role: Role,
    /// What it is called, and whose it is.
    who: Who,
}

/// What the public is on loopback, and elsewhere.
const PUBLIC: [CallerNumber; 2] = [0, 1];

impl Access {
    /// What the configuration says.
    pub fn new(config: &Config) -> Self {
        Access::with(config, &Credentials::default())
    }

    /// What the configuration says, and the keys that were made beside it.
    pub fn with(config: &Config, credentials: &Credentials) -> Self {
        let made: Vec<&Credential> = credentials.all().iter().filter(|made| made.revoked.is_none()).collect();
        // Whoever tells callers apart does not mean everybody on the machine.
        let guarded = !config.callers.is_empty() || made.iter().any(|made| made.role == Role::Bidder);
        let public = |loopback| Caller::public(config.public.as_ref(), loopback && !guarded);
        let configured = config.callers.iter().map(|settings| Caller::new(settings.clone()));
        let mut access = Access {
            callers: [public(true), public(false)].into_iter().chain(configured).collect(),
            keys: Vec::new(),
            names: HashMap::new(),
            certificates: HashMap::new(),
            has_keys: made.iter().any(|made| made.origin == Origin::Made)
                || config.callers.iter().any(|caller| !caller.credentials.is_empty()),
        };
        for (number, settings) in (PUBLIC.len() as CallerNumber..).zip(&config.callers) {
            access.admit(settings, number);
        }
        access.admit_made(config, &made);
        // Stable: of two keys alike the configuration's wins.
        access.keys.sort_by_key(|known| known.hash);
        access
    }

    /// The credentials of a caller of the configuration.
    fn admit(&mut self, settings: &config::Caller, number: CallerNumber) {
        self.names.extend(settings.mtls.iter().map(|name| (name.to_lowercase(), number)));
        self.keys.extend(settings.credentials.iter().filter_map(|credential| {
            // Validated when the configuration was read.
            let hash = KeyHash::parse(&credential.sha256)?;
            let who = Who { name: settings.name.clone(), owner: None, role: Some(Role::Bidder) };
            let (expires, caller) = (credential.expires, Some(number));
            Some(Known { hash, expires, loopback_only: false, caller, role: Role::Bidder, who })
        }));
    }

    /// The keys that `vaglio keys` made.
    fn admit_made(&mut self, config: &Config, made: &[&Credential]) {
        let own = |made: &&Credential| made.role == Role::Bidder && made.caller.is_none();
        let owners: BTreeSet<&str> = made.iter().copied().filter(own).map(|made| made.owner.as_str()).collect();
        let first = self.callers.len();
        self.callers.extend(owners.iter().map(|owner| Caller::of_owner(owner)));
        for made in made {
            let at = match &made.caller {
                _ if made.role != Role::Bidder => None,
                Some(name) => match config.callers.iter().position(|caller| caller.name == *name) {
                    Some(at) => Some(PUBLIC.len() + at),
                    // Nobody knows any more what it may see, so it opens nothing.
                    None => continue,
                },
                None => owners.iter().position(|owner| *owner == made.owner).map(|at| first + at),
            };
            let caller = at.map(|at| at as CallerNumber);
            if let Some(name) = &made.mtls {
                self.certificates.entry(name.clone()).or_insert(made.sha256);
                if let Some(caller) = caller {
                    self.names.entry(name.clone()).or_insert(caller);
                }
            }
            let loopback_only = made.origin == Origin::Demo;
            let (hash, expires, role, who) = (made.sha256, made.expires, made.role, Who::of(made));
            self.keys.push(Known { hash, expires, loopback_only, caller, role, who });
        }
    }

    /// Who asks at a bid door. A key wins over a certificate; a certificate that names nobody is the public's.
    ///
    /// # Errors
    /// A key that is wrong is refused, never taken for none.
    pub fn bidder(&self, shown: &Shown<'_>, now: Timestamp) -> Result<CallerNumber, Refusal> {
        let Some(key) = shown.key else {
            let named = shown.names.iter().find_map(|name| self.names.get(name));
            return Ok(named.copied().unwrap_or(PUBLIC[usize::from(!shown.loopback)]));
        };
        self.valid(KeyHash::of_shown(key), shown.loopback, now)?.caller.ok_or(Refusal::NotABidder)
    }

    /// The key that one of the names in a verified certificate stands for.
    pub fn of_certificate(&self, names: &[String]) -> Option<KeyHash> {
        names.iter().find_map(|name| self.certificates.get(name)).copied()
    }

    fn valid(&self, hash: Option<KeyHash>, loopback: bool, now: Timestamp) -> Result<&Known, Refusal> {
        let known = hash.and_then(|hash| self.known(&hash)).filter(|known| loopback || !known.loopback_only);
        let known = known.ok_or(Refusal::Unknown)?;
        if known.expires.is_some_and(|expires| expires <= now) {
            return Err(Refusal::Expired);
        }
        Ok(known)
    }

    /// Finds a hash by its first bytes, which no client can choose, and compares it in constant time.
    fn known(&self, hash: &KeyHash) -> Option<&Known> {
        let prefix = hash.prefix();
        let from = self.keys.partition_point(|known| known.hash.prefix() < prefix);
        let near = self.keys[from..].iter().take_while(|known| known.hash.prefix() == prefix);
        near.into_iter().find(|known| known.hash.is(hash))
    }

    /// Whether a key is in service, expired or not.
    pub fn knows(&self, hash: &KeyHash) -> bool {
        self.known(hash).is_some()
    }

    /// A caller by its number.
    pub fn caller(&self, number: CallerNumber) -> Option<&Caller> {
        self.callers.get(number as usize)
    }

    /// The audiences that callers' settings name and `exists` denies, each with the caller's name.
    pub fn unknown_audiences(&self, exists: impl Fn(&str) -> bool) -> BTreeSet<(&str, &str)> {
        let mut unknown = BTreeSet::new();
        for Caller { name, settings } in &self.callers {
            let named = settings.audiences.iter().chain(settings.external_ids.keys());
            unknown.extend(named.filter(|id| !exists(id)).map(|id| (name.as_str(), id.as_str())));
        }
        unknown
    }
}

#[cfg(test)]
mod tests;
