//! The keys that `vaglio keys` made: what is known of each, and which may be valid at once. Where they are kept is in
//! `store`.

use super::caller::Role;
use super::key::{ID_DIGITS, KeyHash};
use crate::error::{Error, Problem, Result};
use crate::schema::{Timestamp, names};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many keys of one purpose may be valid at once: the one in use, and the one that takes its place.
const AT_ONCE: usize = 2;
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
}

/// What has become of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It opens.
    Valid,
    /// Its time has passed.
    Expired,
    /// It was taken away.
    Revoked,
}

impl Credential {
    /// What has become of it by `now`.
    pub fn state(&self, now: Timestamp) -> State {
        match (self.revoked, self.expires) {
            (Some(_), _) => State::Revoked,
            (None, Some(expires)) if expires <= now => State::Expired,
            (None, _) => State::Valid,
        }
    }

    fn serves_the_same(&self, other: &Credential) -> bool {
        (self.role, &self.owner, &self.caller) == (other.role, &other.owner, &other.caller)
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
        Ok(())
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
