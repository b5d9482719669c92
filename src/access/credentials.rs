//! The keys that `vaglio keys` made: what is known of each, and which may be valid at once. Where they are kept is in
//! `store`.

use super::Entry;
use super::caller::Role;
use super::key::{ID_DIGITS, Key, KeyHash};
use crate::error::{Error, Problem, Result};
use crate::schema::{Timestamp, names};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How many keys of one purpose may be valid at once: the one in use, and the one that takes its place.
const AT_ONCE: usize = 2;
/// How many keys that open nothing any more are remembered.
const MOST_DEAD: usize = 200;
/// The version of the text.
const FORMAT: u64 = 1;

/// A key: everything but its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// What it is called.
    pub id: String,
    /// The hash of its text.
    pub sha256: KeyHash,
    /// What it is for.
    pub role: Role,
    /// Whose it is; `*` = everybody's.
    pub owner: String,
    /// The caller of the configuration whose settings it uses; absent = a caller of its own, who sees what is `owner`'s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused; absent = never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// What its maker noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The name in a client certificate that stands for it, in lower case; absent = a text that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtls: Option<String>,
    /// How it came to be.
    #[serde(default, skip_serializing_if = "Origin::is_made")]
    pub origin: Origin,
}

/// How a key came to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Somebody made it: whoever has made one tells people apart.
    #[default]
    Made,
    /// The first run made it. It tells nobody apart yet: this machine goes on without a key.
    First,
    /// `vaglio demo` made it, and everybody knows its text: it opens nothing but loopback, where nobody needs it.
    Demo,
}

impl Origin {
    fn is_made(&self) -> bool {
        *self == Origin::Made
    }
}

/// The key of `vaglio demo`.
pub const DEMO_KEY: &str = "vaglio-demo-operator-key-loopback-only";

impl Credential {
    /// An operator's key for everything.
    fn operator(id: String, sha256: KeyHash, created: Timestamp, origin: Origin, comment: &str) -> Self {
        Credential {
            id,
            sha256,
            role: Role::Operator,
            owner: "*".to_owned(),
            caller: None,
            created,
            expires: None,
            revoked: None,
            comment: Some(comment.to_owned()),
            mtls: None,
            origin,
        }
    }

    /// What is kept of the key of a first run.
    pub fn first(key: &Key, now: Timestamp) -> Self {
        Credential::operator(key.id().to_owned(), key.hash(), now, Origin::First, "made by the first run")
    }

    /// What is kept of [`DEMO_KEY`].
    pub fn demo(now: Timestamp) -> Self {
        let (id, hash) = ("de300000".to_owned(), KeyHash::of(DEMO_KEY.as_bytes()));
        Credential::operator(id, hash, now, Origin::Demo, "the demo's, for loopback only; its text is public")
    }
}

/// What has become of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = KeyState)]
pub enum State {
    /// It opens.
    Valid,
    /// Its time has passed.
    Expired,
    /// It was taken away.
    Revoked,
}

impl Credential {
    /// What the audit trail keeps of making it, or of taking it away.
    pub fn entry(&self, what: &'static str) -> Entry {
        let caller = self.caller.as_ref().map(|caller| format!(", caller {caller}")).unwrap_or_default();
        let until = self.expires.map(|expires| format!(", until {expires}")).unwrap_or_default();
        let value = format!("{}, owner {}{caller}{until}", self.role.name(), self.owner);
        let object = format!("key {}/{}", self.owner, self.id);
        let made = what == "keys create";
        Entry { what, object, subject: None, before: (!made).then(|| value.clone()), after: made.then_some(value) }
    }

    /// What has become of it by `now`.
    pub fn state(&self, now: Timestamp) -> State {
        match (self.revoked, self.expires) {
            (Some(_), _) => State::Revoked,
            (None, Some(expires)) if expires <= now => State::Expired,
            (None, _) => State::Valid,
        }
    }

    fn serves_the_same(&self, other: &Credential) -> bool {
        // A first run's key and a certificate's name are neither's successor.
        let purpose = |of: &Credential| (of.role, of.owner.clone(), of.caller.clone(), of.mtls.is_some(), of.origin);
        purpose(self) == purpose(other)
    }
}

/// A key as it is listed: without its hash, which is of no use to anybody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub struct Line<'a> {
    /// What it is called.
    pub id: &'a str,
    /// What has become of it.
    pub state: State,
    /// What it is for.
    pub role: Role,
    /// Whose it is; `*` = everybody's.
    pub owner: &'a str,
    /// The caller of the configuration whose settings it uses.
    pub caller: Option<&'a str>,
    /// When it was made.
    #[schema(value_type = String)]
    pub created: Timestamp,
    /// From when on it is refused.
    #[schema(value_type = Option<String>)]
    pub expires: Option<Timestamp>,
    /// When it was taken away.
    #[schema(value_type = Option<String>)]
    pub revoked: Option<Timestamp>,
    /// What its maker noted.
    pub comment: Option<&'a str>,
    /// The name in a client certificate that stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// That of a key.
    pub fn of(made: &'a Credential, now: Timestamp) -> Self {
        Line {
            id: &made.id,
            state: made.state(now),
            role: made.role,
            owner: &made.owner,
            caller: made.caller.as_deref(),
            created: made.created,
            expires: made.expires,
            revoked: made.revoked,
            comment: made.comment.as_deref(),
            mtls: made.mtls.as_deref(),
        }
    }
}

/// All keys, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    all: Vec<Credential>,
}

impl Credentials {
    /// Every key, also those that are valid no more.
    pub fn all(&self) -> &[Credential] {
        &self.all
    }

    /// Adds a key.
    ///
    /// # Errors
    /// Two of the same purpose are valid already, or its id is taken.
    pub fn add(&mut self, new: Credential, now: Timestamp) -> Result<()> {
        if self.all.iter().any(|known| known.id == new.id) {
            return Err(Error::internal(format!("the id {} is taken; run the command again", new.id)));
        }
        let same_name = |known: &&Credential| known.mtls.is_some() && known.mtls == new.mtls;
        let names = self.all.iter().filter(|known| known.state(now) == State::Valid).find(same_name);
        if let Some(known) = names {
            let message = "the certificate's name stands for another key already";
            // Which of another owner's is nobody's business.
            return Err(Error::input(match known.owner == new.owner {
                true => format!("{message}; take that away first: `vaglio keys revoke {}`", known.id),
                false => message.to_owned(),
            }));
        }
        let same = self.all.iter().filter(|known| known.serves_the_same(&new) && known.state(now) == State::Valid);
        let valid: Vec<&str> = same.map(|known| known.id.as_str()).collect();
        if valid.len() >= AT_ONCE {
            return Err(Error::input(format!(
                "owner {}{} has {} valid {} keys already ({}), and a third is one too many to keep an eye on; take one \
                 away first: `vaglio keys revoke {}`",
                new.owner,
                new.caller.as_deref().map(|caller| format!(" (caller {caller})")).unwrap_or_default(),
                valid.len(),
                new.role.name(),
                valid.join(", "),
                valid[0],
            )));
        }
        self.all.push(new);
        self.forget(now);
        Ok(())
    }

    /// Forgets the oldest of those that open nothing any more, of whoever has most: all keys are one record of the control log,
    /// and it must have room for taking one away. The audit trail goes on naming them.
    fn forget(&mut self, now: Timestamp) {
        loop {
            let mut dead: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
            let gone = self.all.iter().enumerate().filter(|(_, made)| made.state(now) != State::Valid);
            for (at, made) in gone {
                dead.entry(&made.owner).or_insert((0, at)).0 += 1;
            }
            let most = dead.values().max_by_key(|(count, _)| *count).copied();
            match most {
                Some((_, oldest)) if dead.values().map(|(count, _)| count).sum::<usize>() > MOST_DEAD => {
                    self.all.remove(oldest);
                }
                _ => return,
            }
        }
    }

    /// Takes a key away; returns what it was before.
    ///
    /// # Errors
    /// There is no such key.
    pub fn revoke(&mut self, id: &str, now: Timestamp) -> Result<Credential> {
        let known = self.all.iter_mut().find(|known| known.id == id);
        // What was given instead of an id may be a key: it is not repeated.
        let known = known.ok_or_else(|| Error::input("there is no key of that id; `vaglio keys list` shows them"))?;
        let before = known.clone();
        known.revoked.get_or_insert(now);
        Ok(before)
    }

    /// Reads what [`Credentials::to_text`] wrote.
    ///
    /// # Errors
    /// Every mistake in it, at once.
    pub(super) fn from_text(text: &str) -> std::result::Result<Self, Vec<Problem>> {
        let whole: Value = serde_json::from_str(text).map_err(|error| {
            vec![
                Problem::new(format!("is not JSON: {error}"))
                    .help("put back a copy of the file, or remove it and make new keys"),
            ]
        })?;
        if whole["format"] != FORMAT {
            let message = format!("`format` is {}, and this version reads {FORMAT}", whole["format"]);
            return Err(vec![Problem::new(message).help("use the version of vaglio that wrote it, or a newer one")]);
        }
        let Some(entries) = whole["credentials"].as_array() else {
            return Err(vec![Problem::new("`credentials` is not a list")]);
        };
        let mut problems = Vec::new();
        let mut all: Vec<Credential> = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            match read(entry, &all) {
                Ok(credential) => all.push(credential),
                Err(why) => problems.push(Problem::new(format!("credentials[{at}]: {why}"))),
            }
        }
        if problems.is_empty() { Ok(Credentials { all }) } else { Err(problems) }
    }

    /// All of it as text.
    pub(super) fn to_text(&self) -> Result<String> {
        let whole = serde_json::json!({ "format": FORMAT, "credentials": self.all });
        serde_json::to_string_pretty(&whole)
            .map(|text| text + "\n")
            .map_err(|error| Error::internal("keys cannot be written as JSON").caused_by(error))
    }
}

fn read(entry: &Value, before: &[Credential]) -> std::result::Result<Credential, String> {
    let credential = Credential::deserialize(entry).map_err(|error| error.to_string())?;
    let Credential { id, owner, sha256, .. } = &credential;
    let digits = id.len() == ID_DIGITS && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match () {
        () if !digits => Err(format!("`id` is not {ID_DIGITS} lower-case hexadecimal digits")),
        () if !is_owner(owner) => Err("`owner` is not an owner's name, nor `*`".to_owned()),
        () if before.iter().any(|known| known.id == *id) => Err(format!("the id {id} stands there twice")),
        () if before.iter().any(|known| known.sha256 == *sha256) => {
            Err("the same `sha256` stands there twice".to_owned())
        }
        () => Ok(credential),
    }
}

/// Whether a key may be made for it: an owner's name, or `*` for all.
pub fn is_owner(text: &str) -> bool {
    text == "*" || names::is_name(text)
}
