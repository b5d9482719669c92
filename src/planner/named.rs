//! Whom a request about people means: identifiers -> keys. Here a raw identifier ends; it is in no answer, no error, no log.

use super::Planner;
use super::reply::Refused;
use crate::collect::canonical_uid;
use crate::schema::{KeyHasher, ProfileKey};
use crate::wire::Code;
use serde::Deserialize;
use utoipa::ToSchema;

/// The most identifiers a request may name.
pub(super) const MOST: usize = 10_000;

/// An identifier of a request.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Eid {
    /// Its type: `ifa`, `email`, an EID source.
    #[schema(example = "crm")]
    pub source: String,
    /// The identifier.
    #[schema(example = "c1")]
    pub uid: String,
}

/// The values of a query's parameters, each of which stands there once, with no other.
pub(super) fn query<const N: usize>(raw: Option<&str>, names: [&str; N]) -> Option<[String; N]> {
    let mut values = [const { None }; N];
    for (name, value) in form_urlencoded::parse(raw?.as_bytes()) {
        let at = names.iter().position(|known| *known == name)?;
        if values[at].replace(value.into_owned()).is_some() {
            return None;
        }
    }
    values.iter().all(Option::is_some).then(|| values.map(Option::unwrap_or_default))
}

impl Planner {
    /// The installation's secret.
    pub(super) fn hasher(&self) -> Result<&KeyHasher, Refused> {
        self.keeper.hasher().map_err(|error| {
            let help = "a first `vaglio build` makes the key; identifiers are hashed with it";
            Refused::new(Code::NotReady, format!("identifiers cannot be hashed: {error}"), help)
        })
    }

    /// The keys of identifiers. A source goes by the name that the bidstream has for it, too; one that nothing else knows is no
    /// mistake: somebody may object by an identifier that nobody has seen yet.
    pub(super) fn named(&self, eids: &[Eid]) -> Result<Vec<ProfileKey>, Refused> {
        if eids.is_empty() || eids.len() > MOST {
            let message = format!("`eids` names {} identifiers; 1 to {MOST} are accepted", eids.len());
            return Err(Refused::invalid(message, "send {\"eids\":[{\"source\":\"...\",\"uid\":\"...\"}]}"));
        }
        let hasher = self.hasher()?;
        let key = |(at, eid): (usize, &Eid)| {
            self.key(hasher, &eid.source, &eid.uid).map_err(|why| {
                Refused::invalid(format!("identifier {} is none: {why}", at + 1), "the whole request was left undone")
            })
        };
        eids.iter().enumerate().map(key).collect()
    }

    /// The key of one identifier.
    pub(super) fn key(&self, hasher: &KeyHasher, source: &str, uid: &str) -> Result<ProfileKey, String> {
        let renamed = self.loaded.config.identity.bid_sources.iter().find(|it| it.source.eq_ignore_ascii_case(source));
        let id_type = renamed.and_then(|it| it.kind.as_deref()).unwrap_or(source).trim().to_lowercase();
        if id_type.is_empty() {
            return Err("its `source` is empty".to_owned());
        }
        Ok(hasher.key(&id_type, &canonical_uid(&id_type, uid)?))
    }
}
